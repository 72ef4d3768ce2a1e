"""Messages between guest and host while trees grow, and while they are asked.

The guest asks (`trees/ask`, with `do`), a host answers:

| do | asks for | answer |
|---|---|---|
| `tree` | take these rows of the next tree; their sealed gradients follow | |
| `sums` | totals of your candidates over these nodes | `trees/sums` |
| `split` | choose among these candidates of yours; how do the rows of the node go | `trees/sides` |
| `keep` | the tree is grown: store it | `trees/kept` |
| `end` | so many trees are kept | |
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from federation.channel import Message, get_bytes, get_list
from federation.trees.errors import PartyWrong
from federation.trees.types import TreeSettings

__all__ = [
    "ASK",
    "BEGIN",
    "BITS",
    "CHUNK_ROWS",
    "KEPT",
    "READY",
    "SCORE",
    "SEALED",
    "SIDES",
    "SUMS",
    "block_rows",
    "nodes_max",
    "pack_bits",
    "read_mask",
    "read_masks",
    "unpack_bits",
]

BEGIN: Final = "trees/begin"
READY: Final = "trees/ready"
ASK: Final = "trees/ask"
SEALED: Final = "trees/sealed"
SUMS: Final = "trees/sums"
SIDES: Final = "trees/sides"
KEPT: Final = "trees/kept"
SCORE: Final = "trees/score"
BITS: Final = "trees/bits"

CHUNK_ROWS: Final = 8192
"""Sealed gradients of one message."""
_BLOCK_BYTES: Final = 16 << 20
"""Of the answers of one message when a model is asked."""


def pack_bits(mask: NDArray[np.bool_]) -> bytes:
    """One bit a row, the first the highest of its byte."""
    return np.packbits(mask).tobytes()


def unpack_bits(party: str, data: bytes, rows: int) -> NDArray[np.bool_]:
    """Raises `PartyWrong` for another number of bits, or any set behind the last row."""
    if len(data) != (rows + 7) // 8:
        raise PartyWrong(party, f"sent {len(data)} bytes of bits for {rows} rows")
    bits = np.unpackbits(np.frombuffer(data, dtype=np.uint8))
    if bits[rows:].any():
        raise PartyWrong(party, f"sent bits for rows beyond the {rows}")
    return bits[:rows].astype(np.bool_)


def read_mask(message: Message, key: str, rows: int) -> NDArray[np.bool_]:
    """A bit for each row. Raises `MessageInvalid`, `PartyWrong`."""
    data = get_bytes(message, key, size=(rows + 7) // 8)
    return unpack_bits(message.party, data, rows)


def read_masks(message: Message, key: str, sizes: Sequence[int]) -> list[NDArray[np.bool_]]:
    """As many masks as there are sizes, in rows. Raises `MessageInvalid`, `PartyWrong`."""
    found = get_list(message, key, length_max=len(sizes))
    if len(found) != len(sizes):
        raise PartyWrong(message.party, f"sent {len(found)} sets of rows, {len(sizes)} are due")
    masks = []
    for one, rows in zip(found, sizes, strict=True):
        if not isinstance(one, bytes):
            raise PartyWrong(message.party, f"sent {type(one).__name__} in {key!r}, not bytes")
        masks.append(unpack_bits(message.party, one, rows))
    return masks


def block_rows(splits: int) -> int:
    """Rows for which so many questions are answered in one message; a multiple of eight."""
    return max(8, _BLOCK_BYTES // max(splits, 1) * 8)


def nodes_max(settings: TreeSettings) -> int:
    """Nodes of one level that are split."""
    return 1 << (settings.depth - 1)
