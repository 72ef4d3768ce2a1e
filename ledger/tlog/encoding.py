"""The small spellings that notes, checkpoints and proofs share: one spelling per value."""

from __future__ import annotations

import base64
import binascii
import re

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
UINT63_MAX = 2**63 - 1


def encode_base64(data: bytes) -> str:
    """Standard alphabet with padding (RFC 4648, section 4)."""
    return base64.b64encode(data).decode("ascii")


def decode_base64(text: str) -> bytes:
    """Inverse of `encode_base64`. Raises `ValueError` for any other spelling."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise ValueError(f"{text[:60]!r} is not base64") from None
    if encode_base64(data) != text:
        raise ValueError(f"{text[:60]!r} is not the one right base64 spelling")
    return data


def decode_decimal(text: str) -> int:
    """An unsigned decimal without leading zeroes, below 2**63. Raises `ValueError`."""
    if not _DECIMAL.fullmatch(text) or int(text) > UINT63_MAX:
        raise ValueError(f"{text[:60]!r} is not a decimal number below 2**63")
    return int(text)
