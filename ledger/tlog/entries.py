"""Entry bundles (C2SP tlog-tiles, "Log entries"): entries with a two-byte length before each."""

from __future__ import annotations

from collections.abc import Iterable

from ledger.tlog.errors import EntryMalformed
from ledger.tlog.tiles import TILE_WIDTH

ENTRY_SIZE_BYTES_MAX = 2**16 - 1


def encode_entries(entries: Iterable[bytes]) -> bytes:
    """A bundle of at most 256 entries. Raises `EntryMalformed` for an entry over 65,535 bytes."""
    parts: list[bytes] = []
    for entry in entries:
        if len(entry) > ENTRY_SIZE_BYTES_MAX:
            raise EntryMalformed(
                f"an entry of {len(entry)} bytes, at most {ENTRY_SIZE_BYTES_MAX} fit"
            )
        parts.append(len(entry).to_bytes(2, "big"))
        parts.append(entry)
    if len(parts) > 2 * TILE_WIDTH:
        raise EntryMalformed(f"{len(parts) // 2} entries, a bundle holds at most {TILE_WIDTH}")
    return b"".join(parts)


def decode_entries(bundle: bytes) -> tuple[bytes, ...]:
    """The entries of a bundle, 0 to 256. Raises `EntryMalformed`."""
    entries: list[bytes] = []
    offset = 0
    while offset < len(bundle):
        if len(entries) == TILE_WIDTH:
            raise EntryMalformed(f"a bundle of more than {TILE_WIDTH} entries")
        start = offset + 2
        offset = start + int.from_bytes(bundle[offset:start], "big")
        if start > len(bundle) or offset > len(bundle):
            raise EntryMalformed(f"the bundle ends within entry {len(entries)}")
        entries.append(bundle[start:offset])
    return tuple(entries)
