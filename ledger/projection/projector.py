"""The projector: follows the chain and has each handler apply each of its logs exactly once.

Exactly once, because a handler's rows and its cursor are written in one transaction. Blocks are
grouped while catching up, so that a long chain costs few commits; one block, one commit at the tip.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import InterfaceError, OperationalError

from ledger.projection.cursor import (
    Cursor,
    check_cursors,
    genesis_of,
    lock_cursors,
    move_cursors,
    place_at_genesis,
    read_cursors,
)
from ledger.projection.database import write_transaction
from ledger.projection.errors import (
    ProjectionBehind,
    ProjectionDiverged,
    ProjectionError,
    ProjectionFailed,
    ProjectionStopped,
    ProjectionTimeout,
)
from ledger.projection.protocol import BlockSource, FollowingHandler, Handler
from ledger.projection.types import ProjectorState, ProjectorStatus
from ledger.projection.writes import flush
from ledger.types import Address, Block, CommittedBlock, PlacedLog

GROUP_BLOCKS_MAX: Final = 256
GROUP_DURATION_MS_MAX: Final = 200
"""Other writers of the database wait no longer than this for one group (and one block more)."""
RECENT_BLOCKS_MAX: Final = 64
"""Pushed blocks kept at hand, so that following the tip reads nothing back from the ledger."""
POLL_INTERVAL_S: Final = 5.0
RETRY_DURATION_S_MAX: Final = 60.0
RETRY_PAUSE_S_MAX: Final = 2.0

Progress = Callable[[int, int], None]
"""Called with the block number applied and the head's number."""

_log = logging.getLogger(__name__)


class Projector:
    """Keeps SQL in step with one ledger. Thread-safe; one per database."""

    def __init__(self, engine: Engine, ledger: BlockSource, handlers: Sequence[Handler]) -> None:
        names = [handler.name for handler in handlers]
        if not handlers or len(set(names)) != len(names):
            raise ValueError(f"handlers need distinct names, and there must be one: {names}")
        self._engine = engine
        self._ledger = ledger
        self._handlers = tuple(handlers)
        self._following = {h.name: h for h in handlers if isinstance(h, FollowingHandler)}
        self._applying = threading.RLock()
        """Held by whoever applies blocks: the thread, `catch_up` or `rebuild`."""
        self._changed = threading.Condition()
        """Guards what follows; notified whenever any of it changes."""
        self._cursors: dict[str, Cursor] | None = None
        self._versions = dict.fromkeys(names, 0)
        self._recent: OrderedDict[int, CommittedBlock] = OrderedDict()
        self._pushed = False
        self._stopping = False
        self._state = ProjectorState.STOPPED
        self._error: str | None = None
        self._thread: threading.Thread | None = None
        self._unsubscribe: Callable[[], None] | None = None

    def start(self) -> None:
        """Check the database against the ledger, then follow the chain in a thread of its own.

        Raises `ProjectionForeign`, `ProjectionAhead`, `ProjectionDiverged` or `SchemaError`.
        Does nothing where it runs already.
        """
        with self._applying:
            if self._thread is not None and self._thread.is_alive():
                return
            if self._unsubscribe is not None:  # of a thread that has failed
                self._unsubscribe()
            self._open()
            with self._changed:
                self._stopping, self._error = False, None
                self._state = ProjectorState.FOLLOWING
            self._unsubscribe = self._ledger.subscribe(self._push)
            self._thread = threading.Thread(target=self._follow, name="projector", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread after the group of blocks at hand; a failure stays visible."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        with self._changed:
            if self._state is not ProjectorState.FAILED:
                self._state = ProjectorState.STOPPED
            self._recent.clear()
            self._changed.notify_all()

    def catch_up(self, progress: Progress | None = None) -> None:
        """Apply, in the calling thread, all blocks up to the head.

        Raises `ProjectionFailed` and what `start` raises.
        """
        with self._applying:
            if self._cursors is None:
                self._open()
            while self._advance():
                if progress is not None:
                    progress(self.block_number, self._ledger.head().header.number)

    def rebuild(self, progress: Progress | None = None) -> None:
        """Forget all rows and apply the whole chain anew, in the calling thread.

        Serves also a database of another ledger. Readers meanwhile see the rows grow; a crash in
        between is harmless, for the cursor says how far the rows are and the next start goes on.
        """
        with self._applying:
            genesis = genesis_of(self._ledger)
            with write_transaction(self._engine) as connection:
                for handler in self._handlers:
                    handler.reset(connection)
                    place_at_genesis(connection, handler.name, genesis)
            self._set_cursors(self._at_genesis(genesis), self._versions)
            if progress is not None:
                progress(0, self._ledger.head().header.number)
            self.catch_up(progress)

    def wait_for(self, block_number: int, timeout_s: float) -> None:
        """Return once every handler has applied that block.

        Raises `ProjectionTimeout`, `ProjectionFailed`, or `ProjectionStopped` where no thread runs.
        """
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while self.block_number < block_number:
                if self._state is ProjectorState.FAILED:
                    raise ProjectionFailed(str(self._error))
                if self._state is ProjectorState.STOPPED:
                    raise ProjectionStopped(
                        f"block {block_number} will not be applied: the projector does not run"
                    )
                left = deadline - time.monotonic()
                if left <= 0:
                    raise ProjectionTimeout(
                        f"block {block_number} was not applied within {timeout_s:g} s; the "
                        f"projection is at block {self.block_number}"
                    )
                self._changed.wait(left)

    @property
    def block_number(self) -> int:
        """Last block that every handler has applied; -1 before the database was looked at."""
        with self._changed:
            if self._cursors is None:
                return -1
            return min(cursor.block_number for cursor in self._cursors.values())

    def version(self, handler: str) -> int:
        """A number that is another one once rows of that handler may have changed.

        For who keeps what he has read: ask before reading, and read again when it has moved.
        Raises `KeyError` where there is no handler of that name.
        """
        with self._changed:
            return self._versions[handler]

    def status(self) -> ProjectorStatus:
        """What it is doing, how far it is and what went wrong."""
        head = self._ledger.head().header.number
        with self._changed:
            return ProjectorStatus(self._state, self.block_number, head, self._error)

    def _open(self) -> None:
        """Check the database, and place handlers that never ran on genesis."""
        cursors = read_cursors(self._engine, self._handlers)
        check_cursors(self._engine, self._ledger, cursors)
        genesis = genesis_of(self._ledger)
        new = [handler for handler in self._handlers if handler.name not in cursors]
        if new:
            with write_transaction(self._engine) as connection:
                for handler in new:
                    handler.reset(connection)
                    place_at_genesis(connection, handler.name, genesis)
        self._set_cursors(self._at_genesis(genesis) | cursors, self._versions)

    def _at_genesis(self, genesis: Block) -> dict[str, Cursor]:
        return {handler.name: Cursor(0, genesis.hash) for handler in self._handlers}

    def _set_cursors(self, cursors: dict[str, Cursor], touched: Iterable[str]) -> None:
        with self._changed:
            self._cursors = cursors
            for name in touched:
                self._versions[name] += 1
            self._changed.notify_all()

    def _push(self, block: CommittedBlock) -> None:
        with self._changed:
            self._recent[block.block.header.number] = block
            while len(self._recent) > RECENT_BLOCKS_MAX:
                self._recent.popitem(last=False)
            self._pushed = True
            self._changed.notify_all()

    def _follow(self) -> None:
        quiet = False
        try:
            while True:
                with self._changed:
                    if self._stopping:
                        return
                    self._pushed = False
                with self._applying:
                    advanced = self._advance(look=quiet)
                quiet = False
                if not advanced:
                    with self._changed:
                        if not (self._pushed or self._stopping):
                            quiet = not self._changed.wait(POLL_INTERVAL_S)
        except Exception as error:
            _log.critical("projection stopped: %s", error, exc_info=error)
            with self._changed:
                self._state, self._error = ProjectorState.FAILED, str(error)
                self._changed.notify_all()

    def _advance(self, *, look: bool = False) -> bool:
        """Apply the next group of blocks; False at the head.

        A database that cannot be reached is tried again for a while: a restart of PostgreSQL is
        no reason to stop a node. Nor is its crash, after which it may have forgotten the last
        blocks (see `write_transaction`): they are applied again, and with `look` they are also
        where no block comes that would show it.
        """
        deadline = time.monotonic() + RETRY_DURATION_S_MAX
        pause_s = 0.05
        doubtful = False
        while True:
            try:
                if doubtful or (look and self._is_behind()):
                    self._open()
                advanced = self._apply_group()
            except ProjectionBehind as error:
                _log.warning("projection: %s; the blocks since are applied again", error)
                doubtful = True
            except (OperationalError, InterfaceError) as error:
                if self._stopping or time.monotonic() > deadline:
                    raise ProjectionFailed(f"the database does not answer: {error}") from error
                doubtful = True  # the connection may have been lost after the commit
                self._note(ProjectorState.WAITING, str(error))
                with self._changed:
                    self._changed.wait(pause_s)
                pause_s = min(pause_s * 2, RETRY_PAUSE_S_MAX)
            else:
                self._note(ProjectorState.FOLLOWING, None)
                return advanced

    def _is_behind(self) -> bool:
        """Whether the database has forgotten blocks."""
        stored = read_cursors(self._engine, self._handlers)
        return any(
            name not in stored or stored[name].block_number < cursor.block_number
            for name, cursor in (self._cursors or {}).items()
        )

    def _note(self, state: ProjectorState, error: str | None) -> None:
        """Following or waiting; without a thread it stays stopped or failed."""
        with self._changed:
            if self._state in (ProjectorState.FOLLOWING, ProjectorState.WAITING):
                self._state, self._error = state, error

    def _apply_group(self) -> bool:
        cursors = self._cursors
        if cursors is None:
            raise ProjectionError("blocks applied before the database was checked")
        number = min(cursor.block_number for cursor in cursors.values()) + 1
        head = self._ledger.head().header.number
        if number > head:
            return False
        last = min(head, number + GROUP_BLOCKS_MAX - 1)
        deadline = time.monotonic() + GROUP_DURATION_MS_MAX / 1000
        moved, touched = dict(cursors), set[str]()
        with write_transaction(self._engine, relaxed=True) as connection:
            lock_cursors(connection, cursors)
            while True:
                block = self._committed(number)
                touched |= self._apply_block(connection, block, moved)
                if number == last or time.monotonic() > deadline:
                    break
                number += 1
            names = [name for name, cursor in moved.items() if cursor.block_number == number]
            move_cursors(connection, names, block.block)
        self._set_cursors(moved, touched)
        return True

    def _committed(self, number: int) -> CommittedBlock:
        with self._changed:
            pushed = self._recent.pop(number, None)
        return pushed if pushed is not None else self._ledger.committed(number)

    def _apply_block(
        self, connection: Connection, block: CommittedBlock, cursors: dict[str, Cursor]
    ) -> set[str]:
        """Let those handlers apply the block that have not; moves their entries in `cursors`.

        The names of those for whom there was something in it.
        """
        header = block.block.header
        touched = set[str]()
        due = [h for h in self._handlers if cursors[h.name].block_number == header.number - 1]
        for handler in due:
            if cursors[handler.name].block_hash != header.parent_hash:
                raise ProjectionDiverged(
                    f"block {header.number} does not follow the block {header.number - 1} that "
                    f"the database has applied ({handler.name}): run `tally node reindex`"
                )
            wanted = self._wanted(connection, handler, block)
            for log in block.logs:
                if log.log.address in wanted:
                    self._apply_log(connection, handler, block, log)
                    touched.add(handler.name)
            _write(connection, handler, block)
            cursors[handler.name] = Cursor(header.number, block.block.hash)
        return touched

    def _wanted(
        self, connection: Connection, handler: Handler, block: CommittedBlock
    ) -> Collection[Address]:
        """Whose logs of this block the handler wants."""
        following = self._following.get(handler.name)
        return (handler.address,) if following is None else following.addresses(connection, block)

    def _apply_log(
        self, connection: Connection, handler: Handler, block: CommittedBlock, log: PlacedLog
    ) -> None:
        try:
            handler.apply(connection, block, log)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            raise ProjectionFailed(
                f"{handler.name} cannot apply log {log.log_index} of block "
                f"{block.block.header.number}: {type(error).__name__}: {error}"
            ) from error


def _write(connection: Connection, handler: Handler, block: CommittedBlock) -> None:
    """What the handler has left to be written together."""
    try:
        flush(connection)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        raise ProjectionFailed(
            f"{handler.name} cannot write its rows of block {block.block.header.number}: "
            f"{type(error).__name__}: {error}"
        ) from error
