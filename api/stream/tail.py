"""The end of the feed, kept in memory for all who follow it.

One thread reads each new notice once. Whoever follows has a position of his own and takes from
here what comes after it; who is further behind reads the database. So a slow follower costs no
memory, and nobody is given anything twice or left without.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from api.stream.bodies import notice_json, told_json
from contracts.instruments.viewer import Viewer
from contracts.notices import (
    NoticeFilter,
    Place,
    StoredNotice,
    find_notices,
    newest_position,
    parties_of,
)
from ledger.projection import BlockSource, ProjectionError, Projector, read_transaction
from ledger.types import CommittedBlock

POLL_S: Final = 5.0
"""A block that nobody told of is found after this long."""
READ_MAX: Final = 500
_APPLY_S: Final = 5.0
_PAUSE_S: Final = 1.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """A notice, with whom it concerns."""

    position: int
    notice: StoredNotice
    parties: frozenset[str]
    json: bytes
    """Of who is told all of it."""

    def told(self, viewer: Viewer) -> bytes:
        """The notice in JSON, as it is told to a follower."""
        return told_json(self.notice, self.json, viewer)

    def concerns(self, viewer: Viewer, wanted: NoticeFilter) -> bool:
        """Whether it is given to a follower."""
        seen = viewer.sees_all or viewer.organisation in self.parties
        return seen and wanted.wants(self.notice)


@dataclass(frozen=True, slots=True)
class Window:
    """What comes after a position, as far as is known."""

    entries: tuple[Entry, ...]
    upto: int
    """There is nothing up to here beside the entries."""


class Tail:
    """The newest notices. Thread-safe; at work while somebody follows."""

    def __init__(
        self, engine: Engine, ledger: BlockSource, projector: Projector, size_max: int = 2_000
    ) -> None:
        self._engine = engine
        self._ledger = ledger
        self._projector = projector
        self._size_max = size_max
        self._lock = threading.Lock()
        """Guards what follows."""
        self._followers: dict[int, Callable[[], None]] = {}
        self._number = 0
        self._entries: deque[Entry] = deque()
        self._floor = self._upto = -1
        self._run: _Run | None = None

    def follow(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back, from another thread, whenever there may be more; the answer ends it.

        The callback must not block.
        """
        with self._lock:
            self._number += 1
            number = self._number
            self._followers[number] = callback
            if self._run is None:
                self._begin()

        def end() -> None:
            with self._lock:
                self._followers.pop(number, None)
                run = None if self._followers else self._run
                if run is not None:
                    self._run = None
            if run is not None:
                run.stop()

        return end

    def after(self, position: int) -> Window | None:
        """What comes after a position; None where memory does not reach back so far."""
        with self._lock:
            if self._run is None or position < self._floor:
                return None
            newer = []
            for entry in reversed(self._entries):
                if entry.position <= position:
                    break
                newer.append(entry)
            return Window(tuple(reversed(newer)), max(position, self._upto))

    def end(self) -> int:
        """The position after everything that the projection has applied."""
        return Place.end_of(max(0, self._projector.block_number)).position

    def read(self, viewer: Viewer, wanted: NoticeFilter, after: int, count: int) -> Window:
        """Up to `count` notices after a position, from the database."""
        applied = self.end()
        with read_transaction(self._engine) as connection:
            found = find_notices(connection, viewer, wanted=wanted, after=after, count=count)
            newest = newest_position(connection)
        nobody: frozenset[str] = frozenset()
        entries = tuple(Entry(n.place.position, n, nobody, notice_json(n)) for n in found)
        if len(entries) == count:
            return Window(entries, entries[-1].position)
        return Window(entries, max(after, newest, applied))

    def _begin(self) -> None:
        """Start at what the projection has applied; the lock is held."""
        self._entries.clear()
        self._floor = self._upto = self.end()
        self._run = _Run(self._ledger, self._advance)
        self._run.start()

    def _advance(self, run: _Run, block_number: int | None) -> None:
        """Take in what is new, after that block was applied."""
        if block_number is not None:
            self._projector.wait_for(block_number, _APPLY_S)
        applied = self.end()
        more, new = True, False
        while more:
            with read_transaction(self._engine) as connection:
                found = find_notices(
                    connection, Viewer.everything(), after=self._upto, count=READ_MAX
                )
                last = found[-1].place.position if found else 0
                parties = parties_of(connection, found[0].place.position, last) if found else {}
            more = len(found) == READ_MAX
            with self._lock:
                if self._run is not run:
                    return
                for notice in found:
                    self._add(notice, parties.get(notice.place.position, frozenset()))
                self._upto = max(self._upto, last if more else max(last, applied))
            new = new or bool(found)
        if new:
            with self._lock:
                followers = tuple(self._followers.values())
            for callback in followers:
                callback()

    def _add(self, notice: StoredNotice, parties: frozenset[str]) -> None:
        position = notice.place.position
        self._entries.append(Entry(position, notice, parties, notice_json(notice)))
        if len(self._entries) > self._size_max:
            self._floor = self._entries.popleft().position


class _Run:
    """The thread of a tail, from the first follower to the last."""

    def __init__(self, ledger: BlockSource, advance: Callable[[_Run, int | None], None]) -> None:
        self._ledger = ledger
        self._advance = advance
        self._changed = threading.Condition()
        self._stopping = False
        self._newest: int | None = None
        self._unsubscribe: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._follow, name="notices", daemon=True)

    def start(self) -> None:
        self._unsubscribe = self._ledger.subscribe(self._push)
        # What was committed since the tail looked at the projection, and before this.
        self._newest = self._ledger.head().header.number
        self._thread.start()

    def stop(self) -> None:
        """End soon; does not wait."""
        self._unsubscribe()
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def _push(self, block: CommittedBlock) -> None:
        with self._changed:
            self._newest = block.block.header.number
            self._changed.notify_all()

    def _follow(self) -> None:
        while True:
            with self._changed:
                if self._newest is None and not self._stopping:
                    self._changed.wait(POLL_S)
                if self._stopping:
                    return
                block, self._newest = self._newest, None
            try:
                self._advance(self, block)
            except (ProjectionError, SQLAlchemyError) as error:
                # The projection or the database is not there just now: what is missing comes
                # with the next look.
                _log.warning("notices wait for the projection: %s", error)
                with self._changed:
                    self._changed.wait_for(lambda: self._stopping, _PAUSE_S)
