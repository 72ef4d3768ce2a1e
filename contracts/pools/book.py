"""The asset book of a pool: every asset, every state, every proof; one SQLite file.

A servicer keeps it (and whoever may look through the pool has a copy): the ledger has the roots.
`load_book` makes it; a day's changes rehash only the paths above what has changed; the states of
former dates stay provable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Final

from contracts.pools.changes import Changes
from contracts.pools.eligibility import Concentration, Excess, Rules, Value
from contracts.pools.errors import BookError, DateRefused, UnknownAsset
from contracts.pools.examining import Examined
from contracts.pools.leaf import Asset, change_leaf, outside_id
from contracts.pools.loading import Refusal, day_of, fields_of
from contracts.pools.proof import AssetProof
from contracts.pools.rows import AssetRow
from contracts.pools.store import StateRow, Store
from contracts.pools.tree import (
    TILE_HEIGHT,
    TILE_WIDTH,
    RootHasher,
    build_tile,
    path_in_tile,
    tile_levels,
    width_of,
)
from contracts.pools.types import Day, date_of, days_of
from ledger.canonical import parse_json
from ledger.types import Hash32

_MASK: Final = TILE_WIDTH - 1
_CHUNK: Final = 8_192
_ATTRIBUTES_BYTES_MAX: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class BookState:
    """A state of the book: what the servicer commits for a date."""

    date: date
    revision: int
    day: Day


@dataclass(frozen=True, slots=True)
class UpdateReport:
    """What became of a day's changes."""

    state: BookState
    refused: int
    """New assets that the rules do not take; each was told to `refuse`."""


@dataclass(frozen=True, slots=True)
class AssetChange:
    """One asset before and after a state."""

    index: int
    before: Asset | None
    """None: it came in with that state."""
    after: Asset


class AssetBook:
    """An open asset book. Of one thread; several may be open on one file."""

    def __init__(self, path: Path) -> None:
        """Open the book. Raises `BookError`."""
        self._store = Store.open(path)
        try:
            self.pool = Hash32(self._store.value("pool"))
            self._salt = self._store.value("salt")
            rules = self._store.value("rules")
            self.rules = Rules.parse(rules) if rules else None
            self._admit_until = int(self._store.value("admitUntil"))
        except BaseException:
            self._store.close()
            raise

    def __enter__(self) -> AssetBook:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the file go."""
        self._store.close()

    # ---- states -------------------------------------------------------------------------------

    def newest(self) -> BookState:
        """The last state."""
        return _shown(self._store.newest())

    def state(self, day: date, revision: int = 0) -> BookState | None:
        """The state of a date; revision 0: the newest. None where there is none."""
        found = self._store.state(days_of(day), revision)
        return None if found is None else _shown(found)

    def states(self) -> tuple[BookState, ...]:
        """All of them, oldest first."""
        return tuple(_shown(one) for one in self._store.states())

    def update(
        self,
        day: date,
        rows: Iterable[AssetRow],
        refuse: Callable[[Refusal], None] | None = None,
    ) -> UpdateReport:
        """The state of the next date: what is different, and new assets.

        A new asset that the rules do not take is told to `refuse` and left out. Anything else that
        is wrong ends the update, and the book is as before. Raises `AssetRefused`, `DateRefused`.
        """
        return self._write(day, rows, refuse, correct=False)

    def correct(
        self,
        day: date,
        rows: Iterable[AssetRow],
        refuse: Callable[[Refusal], None] | None = None,
    ) -> UpdateReport:
        """Another revision of the newest date's state, which was wrong. As `update`.

        What was wrong on an older date goes right with the next state: states stand on each other.
        """
        return self._write(day, rows, refuse, correct=True)

    def _write(
        self,
        day: date,
        rows: Iterable[AssetRow],
        refuse: Callable[[Refusal], None] | None,
        *,
        correct: bool,
    ) -> UpdateReport:
        with self._store.writing():
            last = self._store.newest()
            wanted = last.date if correct else last.date + 1
            if days_of(day) != wanted:
                raise DateRefused(
                    f"{day}: {date_of(wanted)} is the date that can be "
                    f"{'corrected' if correct else 'committed next'}"
                )
            admits = not self._admit_until or wanted <= self._admit_until
            changes = Changes(self._store, last, self._salt, self.rules if admits else None, admits)
            for row in rows:
                refusal = changes.take(row)
                if refusal and refuse:
                    refuse(refusal)
            state = changes.write(wanted, last.revision + 1 if correct else 1)
        return UpdateReport(_shown(state), changes.refused)

    # ---- assets -------------------------------------------------------------------------------

    def index_of(self, reference: str) -> int:
        """Index of an asset by its reference, or by its id (0x and 64 digits).

        Raises `UnknownAsset`.
        """
        found = None
        if reference.startswith("0x") and len(reference) == 66:
            try:
                found = self._store.position_of(bytes.fromhex(reference[2:]))
            except ValueError:
                found = None
        if found is None:
            found = self._store.position_of(outside_id(reference, self._salt))
        if found is None:
            raise UnknownAsset(f"{reference[:80]!r} is no asset of this book")
        return found

    def reference_of(self, index: int) -> str:
        """What the asset is called outside. Raises `UnknownAsset`."""
        if not 0 <= index < self._store.newest().count:
            raise UnknownAsset(f"the book has no asset {index}")
        return self._store.fixed(index)[2]

    def attributes_of(self, index: int, day: date, revision: int = 0) -> dict[str, Value]:
        """What the asset's terms say on a date. Raises `UnknownAsset`, `BookError`."""
        return self._attributes(index, self._at(index, day, revision).seq)

    def assets(
        self, day: date, revision: int = 0, *, first: int = 0, count: int = 1_000
    ) -> tuple[tuple[int, Asset], ...]:
        """Up to `count` assets of a date with their indices, from index `first` on.

        Raises `BookError` where the book has no such state.
        """
        state = self._known(day, revision)
        last = min(first + min(max(count, 0), 10_000), state.count) - 1
        return tuple(self._store.assets(first, last, state.seq))

    def changes(self, day: date, revision: int = 0) -> Iterator[AssetChange]:
        """What a state has changed, by index. Raises `BookError`."""
        state = self._known(day, revision)
        positions = self._store.changed_positions(state.seq)
        for index in range(state.count) if positions is None else positions:
            after = dict(self._store.assets(index, index, state.seq))[index]
            before = dict(self._store.assets(index, index, state.seq - 1)).get(index)
            yield AssetChange(index, before, after)

    def delta_of(self, day: date, revision: int = 0) -> Hash32 | None:
        """Root of the tree over a state's changes, computed anew; None where there are none."""
        hasher = RootHasher()
        for change in self.changes(day, revision):
            before = _leaf_hash(change.before) if change.before else None
            leaf = change_leaf(change.index, before, _leaf_hash(change.after))
            hasher.add(sha256(b"\x00" + leaf).digest())
        return Hash32(hasher.root()) if hasher.size else None

    def excesses(self) -> tuple[Excess, ...]:
        """Values that have a larger share of the pool than its rules allow, by the last state."""
        limits = Concentration(self.rules.limits if self.rules else ())
        for one in self.examined():
            limits.add(one.fields, one.balance)
        return limits.excesses()

    def examined(self) -> Iterator[Examined]:
        """Assets of the last state that owe something, as rules see them, by index."""
        state = self._store.newest()
        for first in range(0, state.count, _CHUNK):
            last = min(first + _CHUNK, state.count) - 1
            for index, asset in self._store.assets(first, last, state.seq):
                if asset.balance:
                    fields = fields_of(asset, self._attributes(index, state.seq))
                    reference = self._store.fixed(index)[2]
                    yield Examined(index, reference, asset.balance, fields)

    # ---- proofs -------------------------------------------------------------------------------

    def prove(
        self, reference: str, day: date, revision: int = 0, *, show_attributes: bool = False
    ) -> AssetProof:
        """Proof of an asset in the state of a date. Raises `UnknownAsset`, `BookError`."""
        with self._store.reading():
            index = self.index_of(reference)
            state = self._at(index, day, revision)
            asset = dict(self._store.assets(index, index, state.seq))[index]
            return AssetProof(
                pool=self.pool,
                date=day,
                revision=state.revision,
                size=state.count,
                index=index,
                asset=asset,
                path=tuple(self._path(index, state)),
                attributes=self._attributes(index, state.seq) if show_attributes else None,
            )

    def _path(self, index: int, state: StateRow) -> Iterator[bytes]:
        current = state.seq == self._store.newest().seq
        for level, count in tile_levels(state.count):
            place = index >> TILE_HEIGHT
            width = width_of(place, count)
            tile = self._store.tile(level, place) if current else None
            if tile is None:
                tile = self._former_tile(level, place, width, state.seq)
            yield from path_in_tile(tile, width, index & _MASK)
            index = place

    def _former_tile(self, level: int, place: int, width: int, seq: int) -> bytes:
        first = TILE_WIDTH * place
        last = first + width - 1
        if level:
            return build_tile(self._store.entries(level, first, last, seq))
        return build_tile(self._store.leaf_hashes(first, last, seq))

    # ---- within -------------------------------------------------------------------------------

    def _known(self, day: date, revision: int) -> StateRow:
        state = self._store.state(days_of(day), revision)
        if state is None:
            which = f", revision {revision}" if revision else ""
            raise BookError(f"the book has no state of {day}{which}")
        return state

    def _at(self, index: int, day: date, revision: int) -> StateRow:
        state = self._known(day, revision)
        if not 0 <= index < state.count:
            raise UnknownAsset(f"the pool had no asset {index} on {day}")
        return state

    def _attributes(self, index: int, seq: int) -> dict[str, Value]:
        data = self._store.attributes(index, seq)
        found = parse_json(data, size_bytes_max=_ATTRIBUTES_BYTES_MAX, depth_max=2)
        if not isinstance(found, dict):
            raise BookError(f"the attributes of asset {index} are damaged")
        return found


def _leaf_hash(asset: Asset) -> bytes:
    return sha256(b"\x00" + asset.leaf()).digest()


def _shown(state: StateRow) -> BookState:
    return BookState(date_of(state.date), state.revision, day_of(state))
