"""Reading revert data. Source: Solidity documentation, "Panic via assert and Error via require"."""

from __future__ import annotations

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

ERROR_STRING = bytes.fromhex("08c379a0")
PANIC = bytes.fromhex("4e487b71")
REASON_CHARACTERS_MAX = 1_000


def revert_reason(output: bytes) -> str | None:
    """The reason in words, or None where the data is a custom error or empty."""
    selector, rest = output[:4], output[4:]
    try:
        if selector == ERROR_STRING:
            (reason,) = decode(["string"], rest)
            return str(reason)[:REASON_CHARACTERS_MAX]
        if selector == PANIC:
            (code,) = decode(["uint256"], rest)
            return f"panic 0x{code:02x}"
    except (DecodingError, OverflowError, UnicodeDecodeError):
        return None
    return None
