"""Snapshots as the consensus engine asks for them (ABCI 2.0, state sync)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Final

from ledger.chain import Ledger, NotAtGenesis
from ledger.consensus.cometbft.protocol import (
    ApplyResult,
    ChunkVerdict,
    OfferedSnapshot,
    OfferResult,
)
from ledger.snapshot.errors import (
    ChunkOutOfTurn,
    ChunkWrong,
    FormatUnknown,
    OfferRefused,
    SnapshotError,
    SnapshotMissing,
    SnapshotWrong,
)
from ledger.snapshot.maker import SnapshotSchedule
from ledger.snapshot.manifest import height_of
from ledger.snapshot.restoring import Restorer
from ledger.snapshot.shelf import SnapshotStore
from ledger.snapshot.types import SnapshotInfo
from ledger.store import StoreError
from ledger.types import CommittedBlock

SENDERS_MAX: Final = 256

_log = logging.getLogger(__name__)


class SnapshotService:
    """The `SnapshotService` of the engine's seam. Thread-safe."""

    def __init__(
        self,
        ledger: Ledger,
        shelf: SnapshotStore,
        restorer: Restorer | None = None,
        schedule: SnapshotSchedule | None = None,
    ) -> None:
        """Without `restorer` nothing is taken from others; without `schedule` nothing is made."""
        self._ledger = ledger
        self._shelf = shelf
        self._restorer = restorer
        self._schedule = schedule
        self._unsubscribe: Callable[[], None] | None = None
        self._lock = threading.Lock()
        self._senders: set[str] = set()
        """Who sent chunks of the snapshot at hand."""

    def start(self) -> None:
        """Begin to make snapshots by the schedule. Twice does no harm."""
        with self._lock:
            if self._schedule is not None and self._unsubscribe is None:
                self._unsubscribe = self._ledger.subscribe(self._committed)

    def stop(self) -> None:
        """Make no more, give up what is being restored. Twice does no harm."""
        with self._lock:
            unsubscribe, self._unsubscribe = self._unsubscribe, None
        if unsubscribe is not None:
            unsubscribe()
        if self._schedule is not None:
            self._schedule.close()
        if self._restorer is not None:
            self._restorer.close()

    # ---- the engine's questions -----------------------------------------------------------------

    def list(self) -> Sequence[OfferedSnapshot]:
        """Those that this node can serve, newest first."""
        return [
            OfferedSnapshot(one.height, one.format, one.chunks, one.hash, one.metadata)
            for one in self._shelf.list()
        ]

    def load_chunk(self, height: int, format: int, index: int) -> bytes:  # noqa: A002
        """A chunk of one of them; empty where there is none."""
        try:
            return self._shelf.chunk(height, index, format)
        except SnapshotMissing:
            return b""

    def offer(self, snapshot: OfferedSnapshot, app_hash: bytes) -> OfferResult:
        """Begin with it, if it can be one of this ledger with this log root."""
        if self._restorer is None:
            return OfferResult.ABORT
        info = SnapshotInfo(
            snapshot.height, snapshot.format, snapshot.chunks, snapshot.hash, snapshot.metadata
        )
        try:
            self._restorer.offer(info, app_hash)
        except FormatUnknown as error:
            _log.warning("%s", error)
            return OfferResult.REJECT_FORMAT
        except OfferRefused as error:
            _log.warning("a false snapshot of height %d: %s", info.height, error)
            return OfferResult.REJECT_SENDER
        except SnapshotError as error:
            _log.warning("snapshot of height %d refused: %s", info.height, error)
            return OfferResult.REJECT
        except (NotAtGenesis, StoreError) as error:
            _log.error("no snapshot can be restored: %s", error)
            return OfferResult.ABORT
        self._senders.clear()
        _log.info("restoring the snapshot of height %d, %d chunks", info.height, info.chunks)
        return OfferResult.ACCEPT

    def apply(self, index: int, chunk: bytes, sender: str) -> ChunkVerdict:
        """The next chunk; after the last one the ledger is the snapshot's.

        A wrong chunk is fetched again, and nothing more from who sent it; nor from anybody who
        sent chunks of a snapshot that is wrong as a whole, else they could offer others for ever.
        """
        if self._restorer is None:
            return ChunkVerdict(ApplyResult.ABORT)
        if sender and len(self._senders) < SENDERS_MAX:
            self._senders.add(sender)
        try:
            head = self._restorer.apply(index, chunk)
        except ChunkWrong as error:
            _log.warning("%s sent a wrong chunk: %s", sender[:80], error)
            senders = (sender,) if sender else ()
            return ChunkVerdict(ApplyResult.RETRY, (index,), senders)
        except ChunkOutOfTurn as error:
            _log.warning("%s", error)
            return ChunkVerdict(ApplyResult.RETRY_SNAPSHOT)
        except SnapshotWrong as error:
            _log.error("the snapshot is wrong: %s", error)
            all_of_them = tuple(sorted(self._senders))
            return ChunkVerdict(ApplyResult.REJECT_SNAPSHOT, reject_senders=all_of_them)
        except SnapshotError as error:
            _log.error("the snapshot is refused: %s", error)
            return ChunkVerdict(ApplyResult.REJECT_SNAPSHOT)
        except StoreError as error:
            _log.error("no snapshot can be restored: %s", error)
            return ChunkVerdict(ApplyResult.ABORT)
        if head is not None:
            _log.info("restored: the head is block %d", head.header.number)
        return ChunkVerdict(ApplyResult.ACCEPT)

    def _committed(self, block: CommittedBlock) -> None:
        assert self._schedule is not None
        mark = self._ledger.consensus_mark()
        self._schedule.reached(height_of(mark, block.block.header.number))
