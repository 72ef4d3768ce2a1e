"""The tree of a batch: RFC 6962 section 2.1 over event ids and digests."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from contracts.provenance.errors import BatchError
from contracts.provenance.types import COUNT_MAX
from ledger.tlog import leaf_hash, node_hash
from ledger.types import Hash32

_EVENT_ID: Final = re.compile(r"ni:///sha-256;[0-9a-f]{64}\?ver=CBV2\.[0-9]")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


def batch_leaf(event_id: str, digest: str) -> bytes:
    """Leaf data: JCS bytes of `{"digest": …, "eventID": …}`.

    `event_id` is a CBV event hash id, `digest` 64 lower-case hex digits. Raises `BatchError`.
    """
    if not _EVENT_ID.fullmatch(event_id):
        raise BatchError(f"batch: {event_id[:120]!r} is not a CBV event hash id")
    if not _DIGEST.fullmatch(digest):
        raise BatchError(f"batch: digest {digest[:80]!r} is not 64 lower-case hex digits")
    # Nothing in either needs escaping, so this is what canonical_json gives.
    return f'{{"digest":"{digest}","eventID":"{event_id}"}}'.encode("ascii")


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch with all nodes of its tree, so that each path costs its own length only."""

    levels: tuple[tuple[bytes, ...], ...]
    """Leaf hashes first, the root last; a last node without sibling is carried up unchanged."""

    @classmethod
    def of(cls, entries: Sequence[tuple[str, str]]) -> Batch:
        """The batch of (event id, digest) pairs, in order. Raises `BatchError`."""
        if not 1 <= len(entries) <= COUNT_MAX:
            raise BatchError(f"batch: {len(entries)} events, not 1 to {COUNT_MAX}")
        levels = [tuple(leaf_hash(batch_leaf(*entry)) for entry in entries)]
        while len(levels[-1]) > 1:
            levels.append(_parents(levels[-1]))
        return cls(tuple(levels))

    @property
    def root(self) -> Hash32:
        """What is anchored."""
        return Hash32(self.levels[-1][0])

    @property
    def count(self) -> int:
        """Events in the batch."""
        return len(self.levels[0])

    def path(self, index: int) -> tuple[bytes, ...]:
        """Inclusion path of leaf `index`, from the leaf's sibling up. Raises `BatchError`."""
        if not 0 <= index < self.count:
            raise BatchError(f"batch: no leaf {index} among {self.count}")
        path = []
        for level in self.levels[:-1]:
            if (sibling := index ^ 1) < len(level):
                path.append(level[sibling])
            index >>= 1
        return tuple(path)


def _parents(level: tuple[bytes, ...]) -> tuple[bytes, ...]:
    pairs = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
    if len(level) % 2:
        pairs.append(level[-1])
    return tuple(pairs)
