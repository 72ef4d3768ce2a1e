"""A handler that follows all versions of a named contract, from the block on that adds them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from sqlalchemy import Column, Connection, MetaData, String, Table, delete, insert, select

from contracts.directory.binding import decode_log
from contracts.directory.types import VersionAdded
from contracts.errors import LogError
from contracts.genesis import DIRECTORY_ADDRESS
from ledger.projection import Handler
from ledger.types import Address, CommittedBlock, PlacedLog

metadata: Final = MetaData()

followed_contract_table: Final = Table(
    "followed_contract",
    metadata,
    Column("handler", String(64), primary_key=True),
    Column("address", String(42), primary_key=True),
)
"""Addresses that a handler follows beside the first one.

A table of its own, and not the directory's: each handler stands at a block of its own.
"""


class FollowingHandler:
    """Wraps the handler of a contract. Implements `ledger.projection.FollowingHandler`.

    The new version of a block counts for all logs of that block.
    """

    def __init__(self, inner: Handler, contract: str, directory: Address = DIRECTORY_ADDRESS):
        """`inner` is the handler of the name `contract`; its address is the first version."""
        self.name = inner.name
        self.metadata = inner.metadata
        self.address = inner.address
        self._inner = inner
        self._contract = contract
        self._directory = directory
        self._known: set[Address] | None = None
        """Versions as in the table; None before it was read. What a transaction that fails leaves
        here is there again once its block is applied."""

    def addresses(self, connection: Connection, block: CommittedBlock) -> Collection[Address]:
        """The directory and every version of the contract up to this block."""
        if not block.logs:
            return ()
        if self._known is None:
            table = followed_contract_table
            query = select(table.c.address).where(table.c.handler == self.name)
            found = connection.execute(query).scalars()
            self._known = {Address(bytes.fromhex(text[2:])) for text in found}
        new = (event.address for event in self._added(block.logs))
        return {self._directory, self._inner.address, *self._known, *new}

    def reset(self, connection: Connection) -> None:
        """Back to genesis: the first version alone."""
        table = followed_contract_table
        connection.execute(delete(table).where(table.c.handler == self.name))
        self._known = None
        self._inner.reset(connection)

    def apply(self, connection: Connection, block: CommittedBlock, log: PlacedLog) -> None:
        """Note a new version, or let the wrapped handler apply the log."""
        if log.log.address != self._directory:
            self._inner.apply(connection, block, log)
            return
        for event in self._added([log]):
            self._follow(connection, event.address)

    def _follow(self, connection: Connection, address: Address) -> None:
        table, text = followed_contract_table, f"0x{address.hex()}"
        here = (table.c.handler == self.name) & (table.c.address == text)
        connection.execute(delete(table).where(here))  # an earlier version may have come back
        connection.execute(insert(table).values(handler=self.name, address=text))
        if self._known is not None:
            self._known.add(address)

    def _added(self, logs: Iterable[PlacedLog]) -> list[VersionAdded]:
        """New versions of the contract among these logs."""
        found = []
        for log in logs:
            if log.log.address != self._directory:
                continue
            try:
                event = decode_log(log.log)
            except LogError:  # none of the directory's events; its own handler complains
                continue
            if event.name == self._contract:
                found.append(event)
        return found
