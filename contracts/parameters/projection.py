"""Parameters in SQL with their history, filled from genesis and the contract's events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    delete,
    func,
    insert,
    select,
)

from contracts.genesis import PARAMETERS_ADDRESS
from contracts.parameters.binding import decode_log
from contracts.parameters.types import BOUNDS, Parameter
from ledger.types import Address, CommittedBlock, PlacedLog

metadata: Final = MetaData()

parameter_value_table: Final = Table(
    "parameter_value",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("value", BigInteger, nullable=False),
    Column("since_block", BigInteger, nullable=False),
)
"""Every value that a parameter ever had, counted from 0; the highest index is the present one."""


class ParametersHandler:
    """Fills the table. Implements `ledger.projection.Handler`."""

    name = "parameters"
    metadata = metadata

    def __init__(self, founding: Mapping[str, int], address: Address = PARAMETERS_ADDRESS) -> None:
        """`founding` are the values of the ledger's genesis (`founding_values_of`)."""
        self.address = address
        self._founding = dict(founding)

    def reset(self, connection: Connection) -> None:
        """Back to genesis."""
        connection.execute(delete(parameter_value_table))
        for name in BOUNDS:
            _add(connection, name, self._founding.get(name, 0), 0)

    def apply(self, connection: Connection, block: CommittedBlock, log: PlacedLog) -> None:
        """Apply one event of the contract. Raises `LogError` where it is none."""
        del block
        event = decode_log(log.log)
        _add(connection, event.name, event.value, log.block_number)


def all_parameters(connection: Connection) -> tuple[Parameter, ...]:
    """The present values, by name."""
    table = parameter_value_table
    newest = (
        select(table.c.name, func.max(table.c.version).label("version")).group_by(table.c.name)
    ).subquery()
    query = (
        select(table)
        .join(newest, (table.c.name == newest.c.name) & (table.c.version == newest.c.version))
        .order_by(table.c.name)
    )
    return tuple(Parameter(r.name, r.value, r.since_block) for r in connection.execute(query))


def parameter_history(connection: Connection, name: str) -> tuple[Parameter, ...]:
    """All values of a parameter, oldest first; empty where the name is unknown."""
    table = parameter_value_table
    query = select(table).where(table.c.name == name).order_by(table.c.version)
    return tuple(Parameter(r.name, r.value, r.since_block) for r in connection.execute(query))


def _add(connection: Connection, name: str, value: int, block_number: int) -> None:
    table = parameter_value_table
    count = connection.execute(
        select(func.count()).select_from(table).where(table.c.name == name)
    ).scalar_one()
    connection.execute(
        insert(table).values(name=name, version=count, value=value, since_block=block_number)
    )
