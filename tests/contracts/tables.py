"""All handlers of the contracts over a database in memory, fed with receipts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.pool import StaticPool

from contracts.genesis import (
    CONSORTIUM_ADDRESS,
    DIRECTORY_ADDRESS,
    GOVERNANCE_ADDRESS,
    NETWORK_ADDRESS,
    PARAMETERS_ADDRESS,
    AllocEntry,
)
from contracts.handlers import consortium_handlers
from ledger.projection import Handler
from ledger.types import Address, Hash32, PlacedLog, Receipt

ZERO = Hash32(bytes(32))
PLACES = {
    "consortium": CONSORTIUM_ADDRESS,
    "directory": DIRECTORY_ADDRESS,
    "governance": GOVERNANCE_ADDRESS,
    "network": NETWORK_ADDRESS,
    "parameters": PARAMETERS_ADDRESS,
}


def memory_engine() -> Engine:
    """SQLite in memory, one connection."""
    return create_engine(
        "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
    )


@dataclass
class Tables:
    """Rows of every contract, brought up to date receipt by receipt."""

    handlers: Sequence[Handler]
    engine: Engine = field(default_factory=memory_engine)

    @classmethod
    def of(cls, entries: Mapping[Address, AllocEntry]) -> Tables:
        tables = cls(consortium_handlers(PLACES, entries, {}))
        with tables.engine.begin() as connection:
            for handler in tables.handlers:
                handler.metadata.create_all(connection)
                handler.reset(connection)
        return tables

    def take(self, receipt: Receipt, number: int, time: int) -> None:
        """Apply the logs of the one transaction of a block."""
        with self.engine.begin() as connection:
            for index, log in enumerate(receipt.logs):
                placed = PlacedLog(log, ZERO, number, time, ZERO, 0, index, index)
                self._apply(connection, placed)

    def _apply(self, connection: Connection, placed: PlacedLog) -> None:
        for handler in self.handlers:
            if handler.address == placed.log.address:
                handler.apply(connection, None, placed)  # type: ignore[arg-type]
