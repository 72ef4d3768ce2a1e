"""The seam between the engine's room and whoever makes and restores snapshots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class OfferedSnapshot:
    """A snapshot as nodes tell each other of it. Equal only if all its fields are."""

    height: int
    """Of the engine: the mark inside says the same."""
    format: int
    chunks: int
    hash: bytes
    metadata: bytes


class OfferResult(Enum):
    """What becomes of an offered snapshot. Values are ABCI's."""

    ACCEPT = 1
    ABORT = 2
    """Give up restoring altogether."""
    REJECT = 3
    """Try another snapshot."""
    REJECT_FORMAT = 4
    """Try one of another format."""
    REJECT_SENDER = 5
    """Try none of those who sent it."""


class ApplyResult(Enum):
    """What becomes of a chunk. Values are ABCI's."""

    ACCEPT = 1
    ABORT = 2
    RETRY = 3
    """Fetch and apply this chunk again."""
    RETRY_SNAPSHOT = 4
    """Begin this snapshot again."""
    REJECT_SNAPSHOT = 5
    """Try another snapshot."""


@dataclass(frozen=True, slots=True)
class ChunkVerdict:
    """The answer to a chunk, with what must be fetched again and from whom no more."""

    result: ApplyResult
    refetch: tuple[int, ...] = ()
    reject_senders: tuple[str, ...] = ()


class SnapshotService(Protocol):
    """Snapshots for state sync. Thread-safe; called from the engine's snapshot connection."""

    def list(self) -> Sequence[OfferedSnapshot]:
        """Those that this node can serve, newest first."""

    def load_chunk(self, height: int, format: int, index: int) -> bytes:  # noqa: A002
        """A chunk of one of them; empty where there is none."""

    def offer(self, snapshot: OfferedSnapshot, app_hash: bytes) -> OfferResult:
        """Somebody offers a snapshot whose log root, by the light client, is `app_hash`."""

    def apply(self, index: int, chunk: bytes, sender: str) -> ChunkVerdict:
        """The next chunk of the snapshot accepted last. After the last one the ledger is it."""
