"""What an asset book keeps in SQLite: assets, their versions, and the tree in tiles."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from contracts.pools.errors import BookError
from contracts.pools.leaf import Asset, leaf_data
from contracts.pools.types import AssetKind, AssetState
from ledger.types import Hash32

SCHEMA_VERSION: Final = 1
_CACHE_KIB: Final = 65_536
_BUSY_MS: Final = 30_000
_SCHEMA: Final = """
CREATE TABLE book (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE asset (
    position INTEGER PRIMARY KEY, id BLOB NOT NULL, kind INTEGER NOT NULL,
    reference TEXT NOT NULL, attributes BLOB NOT NULL
);
CREATE TABLE version (
    position INTEGER NOT NULL, seq INTEGER NOT NULL, balance INTEGER NOT NULL,
    state INTEGER NOT NULL, days INTEGER NOT NULL, terms BLOB NOT NULL, attributes BLOB,
    PRIMARY KEY (position, seq)
) WITHOUT ROWID;
CREATE TABLE tile (level INTEGER NOT NULL, place INTEGER NOT NULL, nodes BLOB NOT NULL,
    PRIMARY KEY (level, place));
CREATE TABLE entry (
    level INTEGER NOT NULL, position INTEGER NOT NULL, seq INTEGER NOT NULL, hash BLOB NOT NULL,
    PRIMARY KEY (level, position, seq)
) WITHOUT ROWID;
CREATE TABLE state (
    seq INTEGER PRIMARY KEY, date INTEGER NOT NULL, revision INTEGER NOT NULL,
    root BLOB NOT NULL, delta BLOB, count INTEGER NOT NULL, changed INTEGER NOT NULL,
    performing TEXT NOT NULL, overdue TEXT NOT NULL, defaulted TEXT NOT NULL,
    positions BLOB NOT NULL, UNIQUE (date, revision)
);
"""
"""`version`: an asset as it was from state `seq` on; its attributes where they differ from the
first ones. `tile`: the tree as it is now. `entry`: what stood on the levels above the leaves from
state `seq` on. `positions` of a state: what it has changed, four bytes each; empty for the first
one, which is all new. Sums are texts: they may exceed 64 bits."""


@dataclass(frozen=True, slots=True)
class Version:
    """What may change about an asset."""

    balance: int
    state: int
    days: int
    terms: bytes
    attributes: bytes | None = None


@dataclass(frozen=True, slots=True)
class StateRow:
    """A state of the book."""

    seq: int
    date: int
    revision: int
    root: bytes
    delta: bytes | None
    count: int
    changed: int
    performing: int
    overdue: int
    defaulted: int


class Store:
    """One connection to a book's database. Of one thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.db = connection

    @classmethod
    def create(cls, path: Path) -> Store:
        """A new database, for its owner alone. Raises `BookError` where there is one."""
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except OSError as error:
            raise BookError(f"{path.name}: the asset book cannot be made: {error}") from error
        store = cls(_connect(path))
        store.db.executescript(_SCHEMA)
        store.db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        return store

    @classmethod
    def open(cls, path: Path) -> Store:
        """An existing database. Raises `BookError`."""
        if not path.is_file():
            raise BookError(f"{path.name}: there is no asset book")
        try:
            store = cls(_connect(path))
            (version,) = store.db.execute("PRAGMA user_version").fetchone()
        except sqlite3.DatabaseError as error:
            raise BookError(f"{path.name} is no asset book: {error}") from error
        if version != SCHEMA_VERSION:
            store.close()
            raise BookError(f"{path.name}: version {version} of asset books, not {SCHEMA_VERSION}")
        store.db.execute("PRAGMA journal_mode = WAL")
        store.db.execute("PRAGMA synchronous = FULL")
        return store

    def close(self) -> None:
        """Let the database go."""
        self.db.close()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One change, all or nothing; another writer waits."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Several look-ups in one state of the database."""
        self.db.execute("BEGIN")
        try:
            yield
        finally:
            self.db.execute("COMMIT")

    # ---- the book -----------------------------------------------------------------------------

    def put_value(self, name: str, value: bytes) -> None:
        """Keep something about the book."""
        self.db.execute("INSERT INTO book VALUES (?, ?)", (name, value))

    def value(self, name: str) -> bytes:
        """What was kept. Raises `BookError`."""
        row = self.db.execute("SELECT value FROM book WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise BookError(f"the asset book has no {name}: it was never finished")
        return bytes(row[0])

    # ---- states -------------------------------------------------------------------------------

    def put_state(self, row: StateRow, positions: bytes) -> None:
        """A new state."""
        sums = [str(one) for one in (row.performing, row.overdue, row.defaulted)]
        values = (row.seq, row.date, row.revision, row.root, row.delta, row.count, row.changed)
        self.db.execute(
            "INSERT INTO state VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*values, *sums, positions),
        )

    def newest(self) -> StateRow:
        """The last state. Raises `BookError` where there is none."""
        row = self.db.execute(f"{_STATE} ORDER BY seq DESC LIMIT 1").fetchone()
        if row is None:
            raise BookError("the asset book has no state")
        return _state(row)

    def state(self, date: int, revision: int) -> StateRow | None:
        """The state of a date; revision 0: the newest."""
        query = f"{_STATE} WHERE date = ? AND ? IN (0, revision) ORDER BY revision DESC LIMIT 1"
        row = self.db.execute(query, (date, revision)).fetchone()
        return None if row is None else _state(row)

    def states(self) -> Iterator[StateRow]:
        """All of them, oldest first."""
        for row in self.db.execute(f"{_STATE} ORDER BY seq"):
            yield _state(row)

    def changed_positions(self, seq: int) -> list[int] | None:
        """Indices of the assets that a state has changed; None: all are new."""
        row = self.db.execute("SELECT positions FROM state WHERE seq = ?", (seq,)).fetchone()
        data = bytes(row[0])
        if seq == 1:
            return None
        return [int.from_bytes(data[i : i + 4], "big") for i in range(0, len(data), 4)]

    # ---- assets -------------------------------------------------------------------------------

    def put_assets(self, rows: Iterable[Sequence[Any]]) -> None:
        """New assets: (position, id, kind, reference, attributes)."""
        self.db.executemany("INSERT INTO asset VALUES (?, ?, ?, ?, ?)", rows)

    def put_versions(self, rows: Iterable[Sequence[Any]]) -> None:
        """(position, seq, balance, state, days, terms, attributes or None)."""
        self.db.executemany("INSERT INTO version VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def index_ids(self) -> None:
        """Make ids findable; quicker once all are there. Raises `sqlite3.IntegrityError`."""
        self.db.execute("CREATE UNIQUE INDEX asset_id ON asset (id)")

    def twin(self) -> str | None:
        """The reference of an asset that stands there twice."""
        query = "SELECT reference FROM asset GROUP BY id HAVING count(*) > 1 LIMIT 1"
        row = self.db.execute(query).fetchone()
        return None if row is None else str(row[0])

    def position_of(self, asset: bytes) -> int | None:
        """Index of the asset with that id."""
        row = self.db.execute("SELECT position FROM asset WHERE id = ?", (asset,)).fetchone()
        return None if row is None else int(row[0])

    def fixed(self, position: int) -> tuple[bytes, int, str, bytes]:
        """What never changes: id, kind, reference, first attributes."""
        query = "SELECT id, kind, reference, attributes FROM asset WHERE position = ?"
        row = self.db.execute(query, (position,)).fetchone()
        return bytes(row[0]), int(row[1]), str(row[2]), bytes(row[3])

    def version(self, position: int, seq: int) -> Version | None:
        """The asset as it was in state `seq`."""
        row = self.db.execute(
            "SELECT balance, state, days, terms, attributes FROM version "
            "WHERE position = ? AND seq <= ? ORDER BY seq DESC LIMIT 1",
            (position, seq),
        ).fetchone()
        return None if row is None else Version(*row)

    def attributes(self, position: int, seq: int) -> bytes:
        """The asset's attributes in state `seq`, canonical JSON."""
        row = self.db.execute(
            "SELECT attributes FROM version WHERE position = ? AND seq <= ? "
            "AND attributes IS NOT NULL ORDER BY seq DESC LIMIT 1",
            (position, seq),
        ).fetchone()
        return self.fixed(position)[3] if row is None else bytes(row[0])

    def assets(self, first: int, last: int, seq: int) -> Iterator[tuple[int, Asset]]:
        """Assets `first` to `last` as they were in state `seq`, by index."""
        rows = self.db.execute(_ASSETS, (first, last, seq))
        for position, id_, kind, balance, state, days, terms, _ in rows:
            asset = Asset(
                Hash32(id_), AssetKind(kind), balance, AssetState(state), days, Hash32(terms)
            )
            yield position, asset

    def leaf_hashes(self, first: int, last: int, seq: int) -> list[bytes]:
        """Leaf hashes of assets `first` to `last` as they were in state `seq`."""
        rows = self.db.execute(_ASSETS, (first, last, seq))
        return [sha256(b"\x00" + leaf_data(*row[1:7])).digest() for row in rows]

    # ---- the tree -----------------------------------------------------------------------------

    def put_tiles(self, tiles: Iterable[tuple[int, int, bytes]]) -> None:
        """(level, index, nodes), whether or not there is one."""
        self.db.executemany("INSERT OR REPLACE INTO tile VALUES (?, ?, ?)", tiles)

    def tile(self, level: int, place: int) -> bytes | None:
        """A tile of the tree as it is now."""
        row = self.db.execute(
            "SELECT nodes FROM tile WHERE level = ? AND place = ?", (level, place)
        ).fetchone()
        return None if row is None else bytes(row[0])

    def put_entries(self, seq: int, level: int, entries: Mapping[int, bytes]) -> None:
        """What stands on a level from state `seq` on."""
        rows = [(level, position, seq, entries[position]) for position in sorted(entries)]
        self.db.executemany("INSERT INTO entry VALUES (?, ?, ?, ?)", rows)

    def entries(self, level: int, first: int, last: int, seq: int) -> list[bytes]:
        """Entries `first` to `last` of a level (1 and above) as they were in state `seq`."""
        rows = self.db.execute(
            "SELECT hash, max(seq) FROM entry WHERE level = ? AND position BETWEEN ? AND ? "
            "AND seq <= ? GROUP BY position ORDER BY position",
            (level, first, last, seq),
        )
        return [bytes(row[0]) for row in rows]


_ASSETS: Final = (
    "SELECT v.position, a.id, a.kind, v.balance, v.state, v.days, v.terms, max(v.seq) "
    "FROM version v JOIN asset a ON a.position = v.position "
    "WHERE v.position BETWEEN ? AND ? AND v.seq <= ? GROUP BY v.position ORDER BY v.position"
)
_STATE: Final = (
    "SELECT seq, date, revision, root, delta, count, changed, performing, overdue, defaulted "
    "FROM state"
)


def _state(row: tuple[Any, ...]) -> StateRow:
    seq, date, revision, root, delta, count, changed, *sums = row
    performing, overdue, defaulted = (int(one) for one in sums)
    return StateRow(
        seq, date, revision, root, delta, count, changed, performing, overdue, defaulted
    )


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=_BUSY_MS / 1000)
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    return connection
