"""Organisation ids: ASCII names of `[a-z0-9-]`, 1 to 32 characters; on the chain as bytes32."""

from __future__ import annotations

import re

from contracts.errors import OrganisationIdError

_ID = re.compile(r"[a-z0-9-]{1,32}")


def organisation_id_word(organisation: str) -> bytes:
    """The id as bytes32, left-aligned and zero-padded. Raises `OrganisationIdError`."""
    if not _ID.fullmatch(organisation):
        raise OrganisationIdError(
            f"organisation id {organisation[:64]!r}: 1 to 32 characters of a-z, 0-9 and - are meant"
        )
    return organisation.encode("ascii").ljust(32, b"\0")


def organisation_id_text(word: bytes) -> str:
    """The id as text from bytes32. Raises `OrganisationIdError`."""
    text = word.rstrip(b"\0").decode("latin-1")
    if len(word) != 32 or not _ID.fullmatch(text):
        raise OrganisationIdError(f"0x{word[:40].hex()} is not the bytes32 of an organisation id")
    return text
