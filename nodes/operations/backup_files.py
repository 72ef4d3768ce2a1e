"""Copying a node's files while it works, each in the way that keeps it whole."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

from nodes.operations.backup_errors import BackupFailed

FILES_MAX = 200_000
_PART_BYTES = 1 << 20
_SQLITE_BUSY_S = 30.0
_SORTED_TABLE_SUFFIXES = (".ldb", ".sst")
"""Files of the engine's databases (LevelDB) that are never written again once they are there."""


def files_below(folder: Path) -> Iterator[Path]:
    """All plain files, in order; links, sockets and the like are passed over."""
    for count, path in enumerate(sorted(folder.rglob("*"))):
        if count > FILES_MAX:
            raise BackupFailed(f"{folder} has more than {FILES_MAX} files")
        if path.is_file() and not path.is_symlink():
            yield path


def copy_file(source: Path, target: Path) -> None:
    """Copy with permissions, durably."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with source.open("rb") as read, target.open("xb") as write:
        shutil.copyfileobj(read, write, _PART_BYTES)
        write.flush()
        os.fsync(write.fileno())
    shutil.copystat(source, target)


def copy_folder(source: Path, target: Path) -> None:
    """All files of a folder that nobody rewrites while it is read."""
    for path in files_below(source):
        place = target / path.relative_to(source)
        if path.suffix == ".sqlite":
            copy_sqlite(path, place)
        elif not path.name.endswith((".sqlite-wal", ".sqlite-shm", ".lock")):
            copy_file(path, place)


def copy_sqlite(source: Path, target: Path) -> None:
    """A SQLite database in use, as of one moment, through its own backup interface."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with (
            closing(
                sqlite3.connect(f"file:{source}?mode=ro", uri=True, timeout=_SQLITE_BUSY_S)
            ) as a,
            closing(sqlite3.connect(target)) as b,
        ):
            # All pages in one turn: in WAL mode no writer waits for it, and none starts it anew.
            a.backup(b)
            # One file, without a log beside it.
            b.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise BackupFailed(f"{source}: {error}") from error
    target.chmod(0o600)
    sync_file(target)


def stage_engine(engine: Path, staging: Path) -> None:
    """A view of the engine's folder, to be taken while the engine stands still.

    Sorted tables, which are the bulk and never change, are linked; all else is copied. `staging`
    must be on the same file system.
    """
    for path in files_below(engine):
        place = staging / path.relative_to(engine)
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if path.suffix in _SORTED_TABLE_SUFFIXES:
            os.link(path, place)
        elif path.name != "LOCK" and not path.name.endswith((".sock", ".lock")):
            shutil.copy2(path, place)


def digest_of(path: Path) -> str:
    """SHA-256 in hex."""
    digest = sha256()
    with path.open("rb") as file:
        while part := file.read(_PART_BYTES):
            digest.update(part)
    return digest.hexdigest()


def sync_file(path: Path) -> None:
    """Make a file durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folders(root: Path) -> None:
    """Make the names below a folder durable, and its own."""
    for folder in (root.parent, root, *(path for path in root.rglob("*") if path.is_dir())):
        sync_file(folder)
