"""A day's changes to an asset book: what is different, and the paths above it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from contracts.pools.eligibility import Rules, Value
from contracts.pools.errors import AssetRefused
from contracts.pools.leaf import Asset, change_leaf, check_asset, outside_id
from contracts.pools.loading import Refusal, Sums, entrant, state_of
from contracts.pools.rows import AssetRow
from contracts.pools.store import StateRow, Store, Version
from contracts.pools.tree import (
    TILE_HEIGHT,
    TILE_WIDTH,
    RootHasher,
    build_tile,
    change_tile,
    entries_of,
    root_of_tile,
    width_of,
)
from contracts.pools.types import ASSETS_MAX, AssetKind, AssetState
from ledger.canonical import canonical_json, parse_json
from ledger.types import Hash32

CHANGES_MAX: Final = 1_000_000
"""Assets that one state may change, new ones included."""
_ATTRIBUTES_BYTES_MAX: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class _Change:
    before: bytes | None
    """Leaf hash; None: new."""
    after: bytes
    version: Version


class Changes:
    """Changes of one state, gathered and then written. Within one transaction of the store."""

    def __init__(
        self, store: Store, last: StateRow, salt: bytes, rules: Rules | None, admits: bool
    ) -> None:
        """`last` is the newest state; `admits`: new assets may come in."""
        self._store = store
        self._last = last
        self._salt = salt
        self._rules = rules
        self._admits = admits
        self._sums = Sums(last.performing, last.overdue, last.defaulted)
        self._changes: dict[int, _Change] = {}
        self._new: dict[bytes, tuple[Any, ...]] = {}
        self._seen: set[bytes] = set()
        self._count = last.count
        self.refused = 0

    def take(self, row: AssetRow) -> Refusal | None:
        """Note a row; the reasons where the rules do not take a new asset.

        Raises `AssetRefused`.
        """
        id_ = self._id(row)
        if id_ in self._seen:
            raise AssetRefused(f"line {row.line}: {row.reference[:80]!r} stands there twice")
        self._seen.add(id_)
        if len(self._seen) > CHANGES_MAX:
            raise AssetRefused(f"line {row.line}: a state has at most {CHANGES_MAX} lines")
        position = self._store.position_of(id_)
        if position is None:
            return self._enter(row)
        try:
            self._change(row, position)
        except AssetRefused as error:
            raise AssetRefused(f"line {row.line}: {error}") from error
        return None

    def _id(self, row: AssetRow) -> bytes:
        if row.kind in (AssetKind.RECEIVABLE, AssetKind.RECEIPT):
            return bytes.fromhex(row.reference[2:])
        id_ = outside_id(row.reference, self._salt)
        if row.kind is None and row.reference.startswith("0x") and len(row.reference) == 66:
            try:
                instrument = bytes.fromhex(row.reference[2:])
            except ValueError:
                return id_
            if self._store.position_of(instrument) is not None:
                return instrument
        return id_

    def _enter(self, row: AssetRow) -> Refusal | None:
        if not self._admits:
            raise AssetRefused(
                f"line {row.line}: {row.reference[:80]!r} is new, and no asset may come in any more"
            )
        found = entrant(row, self._salt)
        if self._rules and (reasons := self._rules.reasons(found.fields)):
            self.refused += 1
            return Refusal(row.line, row.reference, reasons)
        position, asset = self._count, found.asset
        if position == ASSETS_MAX:
            raise AssetRefused(f"line {row.line}: a pool has at most {ASSETS_MAX} assets")
        self._count += 1
        self._new[asset.id] = (
            position,
            asset.id,
            int(asset.kind),
            row.reference,
            found.attributes,
        )
        version = Version(asset.balance, int(asset.state), asset.days_past_due, asset.terms)
        self._changes[position] = _Change(None, _leaf_hash(asset), version)
        self._sums.add(asset.state, asset.balance)
        return None

    def _change(self, row: AssetRow, position: int) -> None:
        id_, kind, _, _ = self._store.fixed(position)
        if row.kind is not None and row.kind != kind:
            raise AssetRefused(f"the asset is of kind {AssetKind(kind).name.lower()}")
        old = self._store.version(position, self._last.seq)
        if old is None:
            raise AssetRefused(f"asset {position} has no version: the book is damaged")
        version = self._merged(row, position, old)
        check_asset(version.balance, version.state, version.days)
        before = _asset(id_, kind, old)
        after = _asset(id_, kind, version)
        if before == after:
            return
        self._sums.add(old.state, -old.balance)
        self._sums.add(version.state, version.balance)
        self._changes[position] = _Change(_leaf_hash(before), _leaf_hash(after), version)

    def _merged(self, row: AssetRow, position: int, old: Version) -> Version:
        """The version that a row makes of the last one."""
        balance = old.balance if row.balance is None else row.balance
        days, state = old.days, old.state
        if row.days_past_due is not None:
            days = row.days_past_due
            # What has defaulted, was repaid or removed does not come back by days alone.
            ended = state >= AssetState.DEFAULTED and (days > 0) == (state == AssetState.DEFAULTED)
            state = state if row.state is None and ended else int(state_of(row, days))
        elif row.state is not None:
            state = int(row.state)
            if row.state not in (AssetState.OVERDUE, AssetState.DEFAULTED):
                days = 0
        if not row.attributes:
            return Version(balance, state, days, old.terms)
        attributes = self._attributes(position, row.attributes)
        terms = sha256(attributes).digest()
        return Version(balance, state, days, terms, None if terms == old.terms else attributes)

    def _attributes(self, position: int, changed: Mapping[str, Value]) -> bytes:
        data = self._store.attributes(position, self._last.seq)
        former = parse_json(data, size_bytes_max=_ATTRIBUTES_BYTES_MAX, depth_max=2)
        return canonical_json({**(former if isinstance(former, dict) else {}), **changed})

    # ---- writing ------------------------------------------------------------------------------

    def write(self, date: int, revision: int) -> StateRow:
        """Versions, tree and state; gives the state."""
        seq = self._last.seq + 1
        positions = sorted(self._changes)
        self._store.put_assets(self._new.values())
        self._store.put_versions(
            (position, seq, v.balance, v.state, v.days, v.terms, v.attributes)
            for position in positions
            for v in (self._changes[position].version,)
        )
        delta = RootHasher()
        for position in positions:
            change = self._changes[position]
            leaf = change_leaf(position, change.before, change.after)
            delta.add(sha256(b"\x00" + leaf).digest())
        root = self._last.root
        if positions:
            leaves = {position: self._changes[position].after for position in positions}
            root = grow(self._store, seq, self._last.count, self._count, leaves)
        state = StateRow(
            seq,
            date,
            revision,
            root,
            delta.root() if positions else None,
            self._count,
            len(positions),
            self._sums.performing,
            self._sums.overdue,
            self._sums.defaulted,
        )
        self._store.put_state(state, b"".join(p.to_bytes(4, "big") for p in positions))
        return state


def grow(
    store: Store, seq: int, old_count: int, new_count: int, changed: Mapping[int, bytes]
) -> bytes:
    """Put changed and new leaf hashes into the tree, hashing only their paths; gives its root."""
    level, old, new = 0, old_count, new_count
    while True:
        by_tile: dict[int, dict[int, bytes]] = defaultdict(dict)
        for position, entry in changed.items():
            by_tile[position >> TILE_HEIGHT][position & (TILE_WIDTH - 1)] = entry
        above: dict[int, bytes] = {}
        for place in sorted(by_tile):
            entries = by_tile[place]
            width, before = width_of(place, new), max(0, width_of(place, old))
            tile = store.tile(level, place)
            if tile is not None and before == width:
                tile = change_tile(tile, width, entries)
            else:
                known = entries_of(tile, before) if tile is not None else []
                tile = _widened(store, level, place, width, known, entries)
            store.put_tiles([(level, place, tile)])
            above[place] = root_of_tile(tile)
            if level:
                first = TILE_WIDTH * place
                store.put_entries(seq, level, {first + one: e for one, e in entries.items()})
        if new <= TILE_WIDTH:
            return above[0]
        level, changed = level + 1, above
        old, new = -(-old // TILE_WIDTH), -(-new // TILE_WIDTH)


def _widened(
    store: Store,
    level: int,
    place: int,
    width: int,
    known: list[bytes],
    entries: dict[int, bytes],
) -> bytes:
    """A tile that has more entries than before, or is the first one of its level.

    What is neither known nor new is the root of a tile below that was the whole tree until now: it
    joins `entries`, for it stands on this level from now on.
    """
    for one in range(width):
        if one in entries or one < len(known):
            continue
        below = store.tile(level - 1, TILE_WIDTH * place + one)
        if level == 0 or below is None:
            raise AssetRefused(f"the tree has a gap at level {level}: the book is damaged")
        entries[one] = root_of_tile(below)
    return build_tile([entries.get(one) or known[one] for one in range(width)])


def _asset(id_: bytes, kind: int, version: Version) -> Asset:
    return Asset(
        Hash32(id_),
        AssetKind(kind),
        version.balance,
        AssetState(version.state),
        version.days,
        Hash32(version.terms),
    )


def _leaf_hash(asset: Asset) -> bytes:
    return sha256(b"\x00" + asset.leaf()).digest()
