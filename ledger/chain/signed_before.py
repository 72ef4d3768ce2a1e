"""What this log has signed before it was restored from a backup: no second history beside it.

A log that has signed a checkpoint and goes on from an older copy of itself would sign another
history of the same sizes, which is what a forger does. The newest checkpoint that it gave out lies
in the chain's folder as `signed-before`; up to its size the ledger signs only what leads there.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ledger.chain.errors import ChainDamaged, ForkRefused
from ledger.chain.logs import StoredTiles
from ledger.store import Snapshot
from ledger.tlog import Checkpoint, Note, TileOverlay, TlogError, tree_root

FILE_NAME = "signed-before"
_SIZE_BYTES_MAX = 1 << 20


class SignedBefore:
    """Asked before each signature. Thread-safe; passes everything once its size is reached."""

    def __init__(self, checkpoint: Checkpoint | None) -> None:
        """`SignedBefore.load` reads it from a chain's folder."""
        self._checkpoint = checkpoint

    @classmethod
    def load(cls, directory: Path | str, origin: str) -> SignedBefore:
        """Out of a chain's folder, where it mostly is not. Raises `ChainDamaged`."""
        path = Path(directory) / FILE_NAME
        try:
            with path.open("rb") as file:
                note = file.read(_SIZE_BYTES_MAX)
        except FileNotFoundError:
            return cls(None)
        try:
            checkpoint = Checkpoint.parse(Note.decode(note.decode()).text)
        except (TlogError, UnicodeDecodeError) as error:
            raise ChainDamaged(f"{path} holds no checkpoint: {error}") from error
        if checkpoint.origin != origin:
            raise ChainDamaged(f"{path} is of the log {checkpoint.origin!r}, not of {origin!r}")
        return cls(checkpoint)

    def check_standing(self, snapshot: Snapshot, size: int) -> None:
        """A log of this size, as it is stored: it must contain what was signed.

        Raises `ForkRefused`.
        """
        wanted = self._checkpoint
        if wanted is not None and wanted.size <= size:
            self._compare(wanted, tree_root(StoredTiles(snapshot), wanted.size))

    def check_own(self, size: int) -> None:
        """A block is to be made here on a log of this size. Raises `ForkRefused`."""
        wanted = self._checkpoint
        if wanted is not None and size < wanted.size:
            raise ForkRefused(
                f"this log was restored at size {size} and had signed size {wanted.size} before: "
                "a new block would be a second history. Import the missing blocks, or restore a "
                "newer backup"
            )

    def check_next(
        self,
        snapshot: Snapshot,
        tiles: Mapping[tuple[int, int], bytes],
        size_before: int,
        size: int,
    ) -> None:
        """The log is to grow from `size_before` to `size`. Raises `ForkRefused`.

        `tiles` are those that change.
        """
        wanted = self._checkpoint
        if wanted is not None and size_before < wanted.size <= size:
            self._compare(wanted, tree_root(TileOverlay(StoredTiles(snapshot), tiles), wanted.size))

    @staticmethod
    def _compare(wanted: Checkpoint, root: bytes) -> None:
        if root != wanted.root:
            raise ForkRefused(
                f"this log has signed root {wanted.root.hex()} for size {wanted.size} before; "
                f"now it would be {root.hex()}: refused, it would be a fork"
            )


def write_signed_before(directory: Path, note: str) -> None:
    """Have the ledger in this chain folder sign nothing beside `note`, durably."""
    path = directory / FILE_NAME
    draft = path.with_name(f".{FILE_NAME}.new")
    with draft.open("wb") as file:
        file.write(note.encode())
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
