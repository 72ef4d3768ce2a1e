"""A new asset book out of a file: streamed, in one pass, all or nothing."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, Final

from contracts.pools.eligibility import Concentration, Excess, Rules, Value
from contracts.pools.errors import AssetRefused, AssetTwice, BookError
from contracts.pools.leaf import SALT_BYTES_MIN, Asset, change_leaf, check_asset, outside_id
from contracts.pools.rows import AssetRow
from contracts.pools.store import StateRow, Store
from contracts.pools.tree import RootHasher, TileBuilder, root_of_tile, tile_levels
from contracts.pools.types import ASSETS_MAX, AssetKind, AssetState, Day, days_of
from ledger.canonical import canonical_json
from ledger.types import Hash32

_BATCH: Final = 2_048
SALT_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Refusal:
    """An asset that the rules do not take."""

    line: int
    reference: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What became of a file of assets."""

    day: Day
    """To be committed as the pool's first state."""
    refused: int
    """Assets that the rules do not take; each was told to `refuse`."""
    excesses: tuple[Excess, ...]
    """Values that have a larger share of the pool than the rules allow."""


@dataclass(frozen=True, slots=True)
class Entrant:
    """An asset that comes into the book."""

    asset: Asset
    reference: str
    attributes: bytes
    fields: Mapping[str, Value]
    """What rules look at."""


class Sums:
    """Balances by state."""

    def __init__(self, performing: int = 0, overdue: int = 0, defaulted: int = 0) -> None:
        self.performing = performing
        self.overdue = overdue
        self.defaulted = defaulted

    def add(self, state: int, balance: int) -> None:
        """Count a balance in; out where it is negative."""
        if state == AssetState.PERFORMING:
            self.performing += balance
        elif state == AssetState.OVERDUE:
            self.overdue += balance
        elif state == AssetState.DEFAULTED:
            self.defaulted += balance


def asset_id(row: AssetRow, kind: AssetKind, salt: bytes) -> Hash32:
    """Id of the asset that a row is about."""
    if kind is AssetKind.OUTSIDE:
        return outside_id(row.reference, salt)
    return Hash32(bytes.fromhex(row.reference[2:]))


def state_of(row: AssetRow, days: int) -> AssetState:
    """What the row says, or else what the days say."""
    if row.state is not None:
        return row.state
    return AssetState.OVERDUE if days else AssetState.PERFORMING


def entrant(row: AssetRow, salt: bytes) -> Entrant:
    """The asset that a row brings. Raises `AssetRefused`."""
    if row.balance is None:
        raise AssetRefused(f"line {row.line}: balance is missing")
    kind = row.kind or AssetKind.OUTSIDE
    days = row.days_past_due or 0
    state = state_of(row, days)
    try:
        check_asset(row.balance, state, days)
    except AssetRefused as error:
        raise AssetRefused(f"line {row.line}: {error}") from error
    attributes = canonical_json(dict(row.attributes))
    terms = Hash32(sha256(attributes).digest())
    asset = Asset(asset_id(row, kind, salt), kind, row.balance, state, days, terms)
    return Entrant(asset, row.reference, attributes, fields_of(asset, row.attributes))


def fields_of(asset: Asset, attributes: Mapping[str, Value]) -> dict[str, Value]:
    """What rules look at: the attributes, and what every asset has."""
    return {
        **attributes,
        "kind": asset.kind.name.lower(),
        "balance": asset.balance,
        "state": asset.state.name.lower(),
        "daysPastDue": asset.days_past_due,
    }


def load_book(
    path: Path,
    rows: Iterable[AssetRow],
    *,
    pool: Hash32,
    day: date,
    rules: Rules | None = None,
    admit_until: date | None = None,
    salt: bytes | None = None,
    refuse: Callable[[Refusal], None] | None = None,
) -> LoadReport:
    """Make the asset book `path` of a pool, with the state of the date `day`.

    An asset that the rules do not take is told to `refuse` and left out. Whatever is malformed or
    stands twice ends the load, and there is no book. `salt` hides the references (random where
    None); without it nobody finds an asset by its reference. `admit_until`: the pool's own limit.
    Memory does not grow with the number of assets, save for the values that the rules' limits
    count. Raises `AssetRefused`, `BookError`, `RulesError`.
    """
    if path.exists():
        raise BookError(f"{path.name}: there is an asset book already")
    if salt is not None and len(salt) < SALT_BYTES_MIN:
        raise BookError(f"a salt has at least {SALT_BYTES_MIN} bytes")
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    store = Store.create(part)
    try:
        # All or nothing by the rename below: no journal.
        store.db.execute("PRAGMA journal_mode = OFF")
        store.db.execute("PRAGMA synchronous = OFF")
        store.db.execute("BEGIN")
        store.put_value("pool", pool)
        store.put_value("salt", salt or secrets.token_bytes(SALT_BYTES))
        store.put_value("rules", rules.document if rules else b"")
        store.put_value("admitUntil", str(days_of(admit_until) if admit_until else 0).encode())
        report = _Loader(store, rules, refuse).run(rows, day)
        store.db.execute("COMMIT")
        store.close()
        _make_durable(part, path)
    except BaseException:
        store.close()
        part.unlink(missing_ok=True)
        raise
    return report


class _Loader:
    """One pass over the rows."""

    def __init__(
        self, store: Store, rules: Rules | None, refuse: Callable[[Refusal], None] | None
    ) -> None:
        self._store = store
        self._salt = store.value("salt")
        self._rules = rules
        self._refuse = refuse
        self._limits = Concentration(rules.limits if rules else ())
        self._sums = Sums()
        self._tree = TileBuilder()
        self._delta = RootHasher()
        self._refused = 0

    def run(self, rows: Iterable[AssetRow], day: date) -> LoadReport:
        """Take all rows, then the ends of the tree, then the state."""
        source = iter(rows)
        while batch := list(islice(source, _BATCH)):
            self._take(batch)
        count = self._delta.size
        if not count:
            raise AssetRefused("there is no asset that the pool could take")
        root = self._put_tiles(self._tree.finish(), count)
        try:
            self._store.index_ids()
        except sqlite3.IntegrityError as error:
            raise AssetTwice(self._store.twin() or "") from error
        sums, delta = self._sums, self._delta.root()
        state = StateRow(
            1,
            days_of(day),
            1,
            root,
            delta,
            count,
            count,
            sums.performing,
            sums.overdue,
            sums.defaulted,
        )
        self._store.put_state(state, b"")
        return LoadReport(day_of(state), self._refused, self._limits.excesses())

    def _take(self, batch: list[AssetRow]) -> None:
        assets: list[tuple[Any, ...]] = []
        versions: list[tuple[Any, ...]] = []
        tiles: list[tuple[int, int, bytes]] = []
        for row in batch:
            found = entrant(row, self._salt)
            if self._rules and (reasons := self._rules.reasons(found.fields)):
                self._refused += 1
                if self._refuse:
                    self._refuse(Refusal(row.line, row.reference, reasons))
                continue
            asset, position = found.asset, self._delta.size
            if position == ASSETS_MAX:
                raise AssetRefused(f"line {row.line}: a pool has at most {ASSETS_MAX} assets")
            assets.append((position, asset.id, int(asset.kind), row.reference, found.attributes))
            state, days = int(asset.state), asset.days_past_due
            versions.append((position, 1, asset.balance, state, days, asset.terms, None))
            leaf = sha256(b"\x00" + asset.leaf()).digest()
            tiles.extend(self._tree.add(leaf))
            self._delta.add(sha256(b"\x00" + change_leaf(position, None, leaf)).digest())
            self._sums.add(state, asset.balance)
            self._limits.add(found.fields, asset.balance)
        self._store.put_assets(assets)
        self._store.put_versions(versions)
        self._put_tiles(tiles, None)

    def _put_tiles(self, tiles: Iterable[tuple[int, int, bytes]], count: int | None) -> bytes:
        """Keep tiles, and their roots on the levels above; gives the last tile's root."""
        top = None if count is None else max(level for level, _ in tile_levels(count))
        root = b""
        for level, place, nodes in tiles:
            self._store.put_tiles([(level, place, nodes)])
            root = root_of_tile(nodes)
            if level != top:
                self._store.put_entries(1, level + 1, {place: root})
        return root or self._newest_root(top)

    def _newest_root(self, top: int | None) -> bytes:
        """Of a tree whose last tile was full already."""
        tile = None if top is None else self._store.tile(top, 0)
        return root_of_tile(tile) if tile else b""


def day_of(state: StateRow) -> Day:
    """A state as the contract has it."""
    return Day(
        root=Hash32(state.root),
        delta=Hash32(state.delta) if state.delta else None,
        performing=state.performing,
        overdue=state.overdue,
        defaulted=state.defaulted,
        count=state.count,
        changed=state.changed,
    )


def _make_durable(part: Path, path: Path) -> None:
    _sync(part)
    os.replace(part, path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
