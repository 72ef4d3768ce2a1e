"""Snapshots: the whole chain as a deterministic stream of chunks, made and restored."""

from ledger.snapshot.errors import (
    ChunkOutOfTurn,
    ChunkWrong,
    FormatUnknown,
    OfferRefused,
    SnapshotEmpty,
    SnapshotError,
    SnapshotFailed,
    SnapshotMissing,
    SnapshotTooLarge,
    SnapshotUntrusted,
    SnapshotWrong,
)
from ledger.snapshot.maker import SnapshotMaker, SnapshotSchedule
from ledger.snapshot.making import make_snapshot, write_snapshot
from ledger.snapshot.manifest import CHUNK_SIZE_BYTES, FORMAT, Manifest
from ledger.snapshot.restoring import Restorer
from ledger.snapshot.service import SnapshotService
from ledger.snapshot.shelf import SnapshotStore
from ledger.snapshot.types import SnapshotInfo

__all__ = [
    "CHUNK_SIZE_BYTES",
    "FORMAT",
    "ChunkOutOfTurn",
    "ChunkWrong",
    "FormatUnknown",
    "Manifest",
    "OfferRefused",
    "Restorer",
    "SnapshotEmpty",
    "SnapshotError",
    "SnapshotFailed",
    "SnapshotInfo",
    "SnapshotMaker",
    "SnapshotMissing",
    "SnapshotSchedule",
    "SnapshotService",
    "SnapshotStore",
    "SnapshotTooLarge",
    "SnapshotUntrusted",
    "SnapshotWrong",
    "make_snapshot",
    "write_snapshot",
]
