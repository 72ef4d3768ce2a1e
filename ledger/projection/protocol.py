"""The seams of the projection: where blocks come from, and who turns them into rows."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol, runtime_checkable

from sqlalchemy import Connection, MetaData

from ledger.types import Address, Block, CommittedBlock, PlacedLog


class BlockSource(Protocol):
    """The part of the `Ledger` that the projector reads. Blocks are final once they are seen."""

    def head(self) -> Block:
        """The last block."""

    def block(self, key: int, /) -> Block | None:
        """The block of that number, or None beyond the head. Block 0 is genesis."""

    def committed(self, number: int, /) -> CommittedBlock:
        """A block of number >= 1 with its receipts and logs."""

    def subscribe(self, callback: Callable[[CommittedBlock], None], /) -> Callable[[], None]:
        """Call back after each commit, in block order; the answer ends the subscription."""


class Handler(Protocol):
    """Turns the logs of one contract into rows of its own tables.

    Rows must be a function of the chain alone: no clock, no random, no automatic keys, so that a
    rebuild gives the same rows. An exception stops the projector; nothing is skipped.
    """

    @property
    def name(self) -> str:
        """Key of the handler's cursor; at most 64 characters, never changed."""

    @property
    def metadata(self) -> MetaData:
        """The handler's tables (made by migrations, not by this)."""

    @property
    def address(self) -> Address:
        """The contract whose logs it wants."""

    def apply(self, connection: Connection, block: CommittedBlock, log: PlacedLog) -> None:
        """Write the rows of one log, in the transaction that also moves the cursor.

        Now, or with those of other logs: see `write_later`.
        """

    def reset(self, connection: Connection) -> None:
        """Bring the tables to what they are at genesis: empty, or with what genesis itself says.

        Called before the first block is ever applied, and by each rebuild.
        """


@runtime_checkable
class FollowingHandler(Handler, Protocol):
    """A handler of more than one contract, which may grow more with any block."""

    def addresses(self, connection: Connection, block: CommittedBlock) -> Collection[Address]:
        """The contracts whose logs of this block it wants, asked before any of them is applied.

        A function of the chain up to this block and of what the handler itself has written.
        """
