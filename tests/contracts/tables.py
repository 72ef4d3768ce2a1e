"""All handlers of the contracts over a database in memory, fed with receipts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from types import SimpleNamespace

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.pool import StaticPool

from contracts.directory.following import metadata as following
from contracts.genesis import (
    APPLICATIONS_ADDRESS,
    CLAIMS_ADDRESS,
    CONSORTIUM_ADDRESS,
    DEPOSITS_ADDRESS,
    DIRECTORY_ADDRESS,
    FINANCING_ADDRESS,
    GOVERNANCE_ADDRESS,
    MODEL_RELEASES_ADDRESS,
    MODEL_RUNS_ADDRESS,
    MODELS_ADDRESS,
    NETWORK_ADDRESS,
    PARAMETERS_ADDRESS,
    PLEDGES_ADDRESS,
    POOL_BOOK_ADDRESS,
    POOLS_ADDRESS,
    PRICING_ADDRESS,
    RECEIPTS_ADDRESS,
    RECEIVABLES_ADDRESS,
    SETTLEMENT_ADDRESS,
    STOCK_ADDRESS,
    AllocEntry,
)
from contracts.handlers import consortium_handlers
from ledger.projection import FollowingHandler, Handler
from ledger.types import Address, CommittedBlock, Hash32, PlacedLog, Receipt

ZERO = Hash32(bytes(32))
PLACES = {
    "consortium": CONSORTIUM_ADDRESS,
    "directory": DIRECTORY_ADDRESS,
    "governance": GOVERNANCE_ADDRESS,
    "network": NETWORK_ADDRESS,
    "parameters": PARAMETERS_ADDRESS,
    "claims": CLAIMS_ADDRESS,
    "stock": STOCK_ADDRESS,
    "pledges": PLEDGES_ADDRESS,
    "receipts": RECEIPTS_ADDRESS,
    "applications": APPLICATIONS_ADDRESS,
    "financing": FINANCING_ADDRESS,
    "pricing": PRICING_ADDRESS,
    "receivables": RECEIVABLES_ADDRESS,
    "deposits": DEPOSITS_ADDRESS,
    "settlement": SETTLEMENT_ADDRESS,
    "pools": POOLS_ADDRESS,
    "pool-book": POOL_BOOK_ADDRESS,
    "models": MODELS_ADDRESS,
    "model-runs": MODEL_RUNS_ADDRESS,
    "model-releases": MODEL_RELEASES_ADDRESS,
}


def memory_engine() -> Engine:
    """SQLite in memory, one connection."""
    return create_engine(
        "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
    )


_empty: list[bytes] = []
"""A database with all tables, as SQLite has it in a file: made once in a process."""


def _empty_tables(handlers: Sequence[Handler]) -> bytes:
    if not _empty:
        engine = memory_engine()
        with engine.begin() as connection:
            following.create_all(connection)
            for handler in handlers:
                handler.metadata.create_all(connection)
        with closing(engine.raw_connection()) as plain:
            _empty.append(plain.driver_connection.serialize())
    return _empty[0]


@dataclass
class Tables:
    """Rows of every contract, brought up to date receipt by receipt."""

    handlers: Sequence[Handler]
    engine: Engine = field(default_factory=memory_engine)
    leaves: int = 0
    """Of the log so far: a leaf for each event, as on a real chain."""

    @classmethod
    def of(cls, entries: Mapping[Address, AllocEntry]) -> Tables:
        tables = cls(consortium_handlers(PLACES, entries, {}))
        with closing(tables.engine.raw_connection()) as plain:
            plain.driver_connection.deserialize(_empty_tables(tables.handlers))
        with tables.engine.begin() as connection:
            for handler in tables.handlers:
                handler.reset(connection)
        return tables

    def take(self, receipt: Receipt, number: int, time: int) -> None:
        """Apply the logs of the one transaction of a block, as the projector does."""
        logs = []
        for index, log in enumerate(receipt.logs):
            logs.append(PlacedLog(log, ZERO, number, time, ZERO, 0, index, self.leaves))
            self.leaves += 1
        self.apply(SimpleNamespace(logs=tuple(logs)))  # type: ignore[arg-type]

    def apply(self, block: CommittedBlock) -> None:
        """Apply the logs of a block."""
        with self.engine.begin() as connection:
            for handler in self.handlers:
                wanted = _wanted(connection, handler, block)
                for placed in block.logs:
                    if placed.log.address in wanted:
                        handler.apply(connection, block, placed)


def _wanted(connection: Connection, handler: Handler, block: CommittedBlock) -> Collection[Address]:
    if isinstance(handler, FollowingHandler):
        return handler.addresses(connection, block)
    return (handler.address,)
