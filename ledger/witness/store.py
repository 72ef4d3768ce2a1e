"""Cosignatures and what was last seen of each peer, in a SQLite file of their own.

Cosignatures are written through to the operating system and not forced to disk: after a power cut
the last of them are gathered anew, and own ones made anew with a later time, over the same root,
because the ledger itself is durable before anything is cosigned. What was last seen of a peer is
forced to disk: nobody else would tell us again what it once signed.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ledger.closing import Closing
from ledger.tlog import KeyIdentity, NoteSignature
from ledger.witness.errors import CosignatureStoreError
from ledger.witness.types import Cosignature

FILE_NAME = "cosignatures.sqlite"
VERSION = 1
_LAYOUT = (
    "CREATE TABLE log (origin TEXT NOT NULL)",
    "CREATE TABLE cosignature (size INTEGER NOT NULL, name TEXT NOT NULL, key_id BLOB NOT NULL,"
    " root BLOB NOT NULL, signature BLOB NOT NULL, PRIMARY KEY (size, name, key_id))"
    " WITHOUT ROWID",
    "CREATE TABLE seen (name TEXT NOT NULL, key_id BLOB NOT NULL, note TEXT NOT NULL,"
    " PRIMARY KEY (name, key_id)) WITHOUT ROWID",
)

_log = logging.getLogger(__name__)


class CosignatureStore(Closing):
    """Not thread-safe: its user takes turns."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Use `CosignatureStore.open`."""
        self._connection = connection

    @classmethod
    def open(cls, directory: Path, origin: str) -> CosignatureStore:
        """Open the file in `directory`, making both where they are missing.

        A damaged file is put aside, since all it held can be gathered again but for what was last
        seen of the peers. Raises `CosignatureStoreError`.
        """
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / FILE_NAME
        try:
            return cls(_open(path, origin))
        except sqlite3.OperationalError as error:
            raise CosignatureStoreError(f"{path}: {error}") from error
        except sqlite3.DatabaseError as error:
            aside = path.with_name(f"{FILE_NAME}.damaged-{time.time_ns()}")
            _log.error("%s is damaged (%s); it is put aside as %s", path, error, aside.name)
            path.rename(aside)
            for suffix in ("-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
        try:
            return cls(_open(path, origin))
        except sqlite3.Error as error:
            raise CosignatureStoreError(f"{path}: {error}") from error

    def close(self) -> None:
        """Close. Twice does no harm."""
        self._connection.close()

    def add(self, cosignatures: Iterable[Cosignature]) -> None:
        """Keep these; a key's second one of a size is passed over. Not forced to disk."""
        rows = [
            (one.size, one.signature.name, one.signature.key_id, one.root, one.signature.signature)
            for one in cosignatures
        ]
        if rows:
            with self._writing():
                self._connection.executemany(
                    "INSERT OR IGNORE INTO cosignature (size, name, key_id, root, signature)"
                    " VALUES (?, ?, ?, ?, ?)",
                    rows,
                )

    def cosignatures(self, size_min: int = 0) -> Iterator[Cosignature]:
        """All of at least this size, in ascending order of size."""
        rows = self._connection.execute(
            "SELECT size, root, name, key_id, signature FROM cosignature WHERE size >= ?"
            " ORDER BY size, name, key_id",
            (size_min,),
        )
        for size, root, name, key_id, signature in rows:
            yield Cosignature(size, root, NoteSignature(name, key_id, signature))

    def root_signed_by(self, key: KeyIdentity, size: int) -> bytes | None:
        """Which root a key has cosigned at a size, None where it has not."""
        row = self._connection.execute(
            "SELECT root FROM cosignature WHERE size = ? AND name = ? AND key_id = ?",
            (size, *key),
        ).fetchone()
        return None if row is None else bytes(row[0])

    def prune(self, below: int, keep: int) -> None:
        """Forget sizes smaller than `below`, save the size `keep`."""
        with self._writing():
            self._connection.execute(
                "DELETE FROM cosignature WHERE size < ? AND size <> ?", (below, keep)
            )

    def seen(self, key: KeyIdentity) -> str | None:
        """The checkpoint (signed note) last seen of a peer, None where there is none."""
        row = self._connection.execute(
            "SELECT note FROM seen WHERE name = ? AND key_id = ?", key
        ).fetchone()
        return None if row is None else str(row[0])

    def see(self, key: KeyIdentity, note: str) -> None:
        """Remember a peer's checkpoint in place of an earlier one. On disk when this returns."""
        self._connection.execute("PRAGMA synchronous = FULL")
        try:
            with self._writing():
                self._connection.execute(
                    "INSERT OR REPLACE INTO seen (name, key_id, note) VALUES (?, ?, ?)",
                    (*key, note),
                )
        finally:
            self._connection.execute("PRAGMA synchronous = NORMAL")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                self._connection.rollback()
            raise CosignatureStoreError(f"cosignatures could not be written: {error}") from error


def _open(path: Path, origin: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("BEGIN IMMEDIATE")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            for statement in _LAYOUT:
                connection.execute(statement)
            connection.execute("INSERT INTO log (origin) VALUES (?)", (origin,))
            connection.execute(f"PRAGMA user_version = {VERSION}")
        elif version != VERSION:
            raise CosignatureStoreError(
                f"{path} has layout {version}, this software has {VERSION}: "
                "use the version that wrote it"
            )
        (stored,) = connection.execute("SELECT origin FROM log").fetchone()
        if stored != origin:
            raise CosignatureStoreError(f"{path} is of the log {stored!r}, not of {origin!r}")
        connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise
    return connection
