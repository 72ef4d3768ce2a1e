"""How records of models are written into their tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, MetaData, Table, delete, insert, select, update

from contracts.instruments.columns import hex_of, put
from contracts.instruments.places import place_values
from contracts.models.events import (
    CallsDisputed,
    ContributionActed,
    DataSetActed,
    FaultRecorded,
    GrantActed,
    PaymentActed,
    ProjectActed,
    ReleaseActed,
    RoundRecorded,
    RunActed,
)
from ledger.types import PlacedLog

WholeEvent = ProjectActed | DataSetActed | GrantActed | RunActed | ReleaseActed | PaymentActed
"""Events with a whole record and its state."""
PartEvent = RoundRecorded | FaultRecorded | ContributionActed | CallsDisputed
"""Events about a part of a record."""


def empty(connection: Connection, tables: MetaData) -> None:
    """Delete all rows."""
    for table in reversed(tables.sorted_tables):
        connection.execute(delete(table))


def listed(values: Iterable[object]) -> str:
    """Values of a column that has several."""
    return " ".join(str(value) for value in values)


def store(
    connection: Connection, table: Table, event: WholeEvent, log: PlacedLog, row: dict[str, Any]
) -> int:
    """Write the record as it is now; the position that it has had from its first act on."""
    id_ = str(hex_of(event.id))
    query = select(table.c.position).where(table.c.id == id_)
    known = connection.execute(query).scalar_one_or_none()
    position = log.leaf_index if known is None else int(known)
    standing = {"revision": event.revision, "state": event.state, "position": position}
    put(connection, table, {"id": id_, **standing, **row, **place_values(log)})
    return position


def change(
    connection: Connection, table: Table, event: PartEvent, log: PlacedLog, row: dict[str, Any]
) -> None:
    """Change some columns of a record."""
    values = {"revision": event.revision, **row, **place_values(log)}
    connection.execute(update(table).where(table.c.id == hex_of(event.id)).values(values))


def tell(connection: Connection, table: Table, log: PlacedLog, **row: object) -> None:
    """Write an act into the history."""
    connection.execute(insert(table).values(**row, **place_values(log)))


def told(
    connection: Connection,
    table: Table,
    event: WholeEvent,
    log: PlacedLog,
    kind: str,
    project: str | None,
) -> None:
    """Write an act of a whole record into the history."""
    tell(
        connection,
        table,
        log,
        project=project,
        record=hex_of(event.id),
        kind=kind,
        act=event.act,
        by=event.by,
        state=event.state,
        revision=event.revision,
        detail="",
        remark=event.remark,
    )


def told_within(
    connection: Connection,
    table: Table,
    event: PartEvent,
    log: PlacedLog,
    kind: str,
    act: str,
    detail: str,
    remark: str = "",
) -> None:
    """Write an act on a part of a record into the history."""
    tell(
        connection,
        table,
        log,
        project=hex_of(event.project),
        record=hex_of(event.id),
        kind=kind,
        act=act,
        by=event.by,
        state=None,
        revision=event.revision,
        detail=detail,
        remark=remark,
    )
