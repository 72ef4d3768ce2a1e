"""What snapshots refuse, and what can be wrong with one."""

from __future__ import annotations

from ledger.errors import LedgerError


class SnapshotError(LedgerError):
    """Base of all errors of the snapshot room."""


class FormatUnknown(SnapshotError):
    """A snapshot of a format that this software does not read."""


class OfferRefused(SnapshotError):
    """The snapshot is not one of this ledger, or not the one that was expected."""


class ChunkWrong(SnapshotError):
    """The chunk is not the one that the snapshot's metadata names: ask another sender for it."""

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(f"chunk {index} {reason}: ask another sender for it")
        self.index = index


class ChunkOutOfTurn(SnapshotError):
    """Another chunk than the next one was given."""


class SnapshotWrong(SnapshotError):
    """The chunks are what the metadata names, but no true snapshot: refuse the whole of it."""


class SnapshotUntrusted(SnapshotError):
    """The snapshot agrees with itself, but not with a checkpoint that is trusted."""


class SnapshotEmpty(SnapshotError):
    """There is no block yet to make a snapshot of."""


class SnapshotTooLarge(SnapshotError):
    """A bound of the format, or the room on the disk, is exceeded."""


class SnapshotMissing(SnapshotError):
    """There is no such snapshot or chunk here."""


class SnapshotFailed(SnapshotError):
    """The process that makes snapshots ended without one."""
