"""Filling an empty ledger from somebody else's snapshot, believing nobody."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from ledger.chain import Ledger
from ledger.closing import Closing
from ledger.snapshot.errors import (
    ChunkOutOfTurn,
    OfferRefused,
    SnapshotError,
    SnapshotTooLarge,
    SnapshotUntrusted,
    SnapshotWrong,
)
from ledger.snapshot.intake import Intake
from ledger.snapshot.manifest import Manifest
from ledger.snapshot.stream import expand
from ledger.snapshot.types import SnapshotInfo
from ledger.store import StagedStore
from ledger.tlog import Checkpoint
from ledger.types import Block

ROOM_FACTOR = 4
"""Disk that a snapshot takes while it is restored, in sizes of its stream: tables and trie."""
ROOM_LEAST_BYTES = 64 << 20

Trusted = Callable[[int, bytes], None]
"""Raises where a log of this size and root is not what it should be."""
CheckMark = Callable[[bytes | None], None]
"""Raises where this is no mark that the consensus driver would have left."""


@dataclass(slots=True)
class _Work:
    """A snapshot under way."""

    info: SnapshotInfo
    manifest: Manifest
    staged: StagedStore
    intake: Intake
    held: ExitStack = field(default_factory=ExitStack)
    next: int = 0


class Restorer(Closing):
    """Takes one snapshot at a time into a ledger that has no block yet. Thread-safe.

    Nothing shows in the ledger before the last chunk is in and everything was found to agree;
    then all of it does, without the ledger being opened again. A crash leaves the ledger as it was
    or with the whole chain. Disk and memory are bounded by what the metadata says.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        trusted: Trusted | None = None,
        checkpoints: Sequence[Checkpoint] = (),
        check_mark: CheckMark | None = None,
    ) -> None:
        """`trusted` is asked about the log's size and root before anything becomes visible.

        `checkpoints` are known to be cosigned by enough members: the restored log must contain
        each of them that is not larger than itself; one that is larger only `trusted` can judge.
        `check_mark` is asked about the consensus mark when a snapshot is offered: nothing in the
        snapshot proves it.
        """
        self._ledger = ledger
        self._trusted = trusted
        self._checkpoints = tuple(checkpoints)
        self._check_mark = check_mark
        self._lock = threading.Lock()
        self._work: _Work | None = None

    @property
    def progress(self) -> tuple[int, int]:
        """Chunks applied and chunks of the snapshot at hand; (0, 0) where there is none."""
        work = self._work
        return (0, 0) if work is None else (work.next, work.info.chunks)

    def offer(self, info: SnapshotInfo, app_hash: bytes) -> None:
        """Begin with this snapshot, whose log must have root `app_hash`; gives up one at hand.

        Raises `FormatUnknown`, `OfferRefused`, `SnapshotTooLarge`, and `NotAtGenesis` where the
        ledger has blocks.
        """
        with self._lock:
            self._give_up()
            manifest = Manifest.of(info)
            self._check(manifest, app_hash)
            with ExitStack() as guard:
                staged = guard.enter_context(self._ledger.stage())
                self._check_room(staged.directory, manifest)
                intake = Intake(staged, self._ledger.genesis, manifest)
                guard.enter_context(intake)
                self._work = _Work(info, manifest, staged, intake, guard.pop_all())

    def apply(self, index: int, chunk: bytes) -> Block | None:
        """Take the next chunk. Returns the new head after the last one, None before.

        Raises `ChunkWrong` (ask another sender for it and go on), `ChunkOutOfTurn`;
        `SnapshotWrong` and `SnapshotUntrusted` end the snapshot: offer another.
        """
        with self._lock:
            work = self._work
            if work is None:
                raise ChunkOutOfTurn("no snapshot is being restored: offer one first")
            if index != work.next:
                raise ChunkOutOfTurn(f"chunk {index} where chunk {work.next} was due")
            manifest = work.manifest
            content = expand(index, chunk, manifest.chunk_size(index), manifest.chunk_hashes[index])
            try:
                work.intake.feed(content)
                work.next += 1
                if work.next < work.info.chunks:
                    return None
                return self._finish(work)
            except BaseException:
                self._give_up()
                raise

    def close(self) -> None:
        """Give up what is at hand. Twice does no harm."""
        with self._lock:
            self._give_up()

    def _finish(self, work: _Work) -> Block:
        manifest = work.manifest
        work.intake.finish(self._ledger.signer)
        self._check_trust(work)
        head = self._ledger.adopt(work.staged)
        if head.hash != manifest.block_hash:
            raise SnapshotWrong("the head is not that of the metadata")
        self._give_up()
        return head

    def _check(self, manifest: Manifest, app_hash: bytes) -> None:
        genesis = self._ledger.genesis.block.hash
        if manifest.genesis_hash != genesis:
            raise OfferRefused(
                f"a snapshot of the ledger with genesis 0x{manifest.genesis_hash.hex()}; "
                f"this one has 0x{genesis.hex()}"
            )
        if manifest.log_root != app_hash:
            raise OfferRefused(
                f"the snapshot's log has root {manifest.log_root.hex()}, {app_hash.hex()} is known"
            )

        if self._check_mark is not None:
            try:
                self._check_mark(manifest.mark)
            except Exception as error:
                raise OfferRefused(f"the snapshot's consensus mark: {error}") from error

    def _check_room(self, directory: Path, manifest: Manifest) -> None:
        needed = ROOM_FACTOR * manifest.size_bytes + ROOM_LEAST_BYTES
        free = shutil.disk_usage(directory).free
        if needed > free:
            raise SnapshotTooLarge(
                f"restoring {manifest.size_bytes} bytes needs about {needed} on the disk; "
                f"{free} are free"
            )

    def _check_trust(self, work: _Work) -> None:
        manifest = work.manifest
        for checkpoint in self._checkpoints:
            if checkpoint.size > manifest.log_size:
                continue
            if work.intake.root_at(checkpoint.size) != checkpoint.root:
                raise SnapshotUntrusted(
                    f"the snapshot's log has another root at size {checkpoint.size} than the "
                    "cosigned checkpoint: somebody shows two logs; keep both as evidence"
                )
        if self._trusted is not None:
            try:
                self._trusted(manifest.log_size, manifest.log_root)
            except SnapshotError:
                raise
            except Exception as error:
                raise SnapshotUntrusted(f"the snapshot's log is not trusted: {error}") from error

    def _give_up(self) -> None:
        work, self._work = self._work, None
        if work is not None:
            work.held.close()
