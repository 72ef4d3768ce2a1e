"""What a party must store after a tree to take the run up again.

No key is in it: a new one gives the same trees. The guest stores after every host has, so a host
may be one tree ahead, and forgets that.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from federation.channel import (
    ChannelError,
    Message,
    Value,
    check_keys,
    decode,
    encode,
    get_array,
    get_bytes,
    get_int,
)
from federation.tables import Table
from federation.trees.errors import PartInvalid, StateInvalid
from federation.trees.parts import GuestPart, HostPart
from federation.trees.types import ROWS_MAX

__all__ = ["GuestState", "HostState", "TrainingState", "fingerprint"]

_GUEST, _HOST = "trees/guest-state", "trees/host-state"
_SIZE_MAX = 1 << 30


@dataclass(frozen=True, slots=True, eq=False)
class GuestState:
    """After `len(part.trees)` trees."""

    part: GuestPart
    margins: NDArray[np.float64]
    """Of every row."""
    curve: tuple[float, ...]
    """AUC of the validation rows after each tree, where there are such rows."""
    rows: bytes
    """Fingerprint of the table and the labels."""

    def to_bytes(self) -> bytes:
        """Holds what the guest's own rows come to: keep it as safe as them."""
        body: dict[str, Value] = {
            "part": self.part.to_json(),
            "margins": self.margins.astype("<f8"),
            "curve": np.array(self.curve, dtype="<f8"),
            "rows": self.rows,
        }
        return encode(Message(_GUEST, body))

    @classmethod
    def from_bytes(cls, data: bytes) -> GuestState:
        """Raises `StateInvalid`."""
        try:
            message = _decode(data, _GUEST)
            check_keys(message, ("part", "margins", "curve", "rows"))
            part = GuestPart.from_json(get_bytes(message, "part", size_max=_SIZE_MAX))
            margins = get_array(message, "margins", dtype="<f8", shape=(None,))
            curve = get_array(message, "curve", dtype="<f8", shape=(None,))
            rows = get_bytes(message, "rows", size=32)
        except (ChannelError, PartInvalid) as error:
            raise StateInvalid(f"no state of a guest: {error}") from error
        if not np.isfinite(margins).all() or curve.size not in (0, len(part.trees)):
            raise StateInvalid("no state of a guest: margins or curve cannot be")
        return cls(part, margins.astype(np.float64), tuple(curve.tolist()), rows)


@dataclass(frozen=True, slots=True, eq=False)
class HostState:
    """After `trees` trees."""

    part: HostPart
    trees: int
    tree_of_cut: tuple[int, ...]
    """To which tree each question belongs."""
    rows: bytes
    """Fingerprint of the table."""

    def upto(self, trees: int) -> HostState:
        """As it was after so many trees."""
        keep = sum(1 for tree in self.tree_of_cut if tree < trees)
        part = HostPart(
            self.part.run,
            self.part.guest,
            self.part.host,
            self.part.settings,
            self.part.rows,
            self.part.cuts[:keep],
        )
        return HostState(part, trees, self.tree_of_cut[:keep], self.rows)

    def to_bytes(self) -> bytes:
        """Holds the host's questions: keep it as safe as its part."""
        body: dict[str, Value] = {
            "part": self.part.to_json(),
            "trees": self.trees,
            "cuts": np.array(self.tree_of_cut, dtype="<i4"),
            "rows": self.rows,
        }
        return encode(Message(_HOST, body))

    @classmethod
    def from_bytes(cls, data: bytes) -> HostState:
        """Raises `StateInvalid`."""
        try:
            message = _decode(data, _HOST)
            check_keys(message, ("part", "trees", "cuts", "rows"))
            part = HostPart.from_json(get_bytes(message, "part", size_max=_SIZE_MAX))
            trees = get_int(message, "trees", minimum=0, maximum=part.settings.trees)
            cuts = get_array(message, "cuts", dtype="<i4", shape=(len(part.cuts),))
            rows = get_bytes(message, "rows", size=32)
        except (ChannelError, PartInvalid) as error:
            raise StateInvalid(f"no state of a host: {error}") from error
        places = cuts.tolist()
        if places != sorted(places) or any(not 0 <= one < trees for one in places):
            raise StateInvalid("no state of a host: its questions are of no tree")
        return cls(part, trees, tuple(places), rows)


TrainingState = GuestState | HostState


def fingerprint(table: Table, label: NDArray[np.uint8] | None = None) -> bytes:
    """SHA-256 of what trees are learned from, so that no other rows are taken up by mistake."""
    digest = hashlib.sha256()
    digest.update(repr((table.rows, table.fields)).encode())
    for name in table.fields:
        digest.update((table.columns[name] + 0.0).astype("<f8").tobytes())
    for one in table.ids:
        digest.update(one.encode() + b"\0")
    if label is not None:
        digest.update(label.tobytes())
    return digest.digest()


def _decode(data: bytes, kind: str) -> Message:
    if len(data) > _SIZE_MAX + 8 * ROWS_MAX:
        raise StateInvalid(f"a state of {len(data)} bytes is too long")
    message = decode(data, size_bytes_max=_SIZE_MAX + 8 * ROWS_MAX)
    if message.kind != kind:
        raise StateInvalid(f"a state of the kind {message.kind!r}, not {kind!r}")
    return message
