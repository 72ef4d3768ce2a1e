"""The same event, said by others too.

Any member may copy an event out of the open ledger, or out of a transaction still waiting, and
anchor it first. The event is one row, kept where it was first anchored; but who else anchored it
must not be hidden behind whoever was quicker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import BindParameter, Connection, and_, bindparam, func, select

from traceability.projection.tables import batch, event_repeat
from traceability.query.rows import moment, path_of
from traceability.query.types import StoredEvent

_IN_MAX = 400

# Built once: putting a statement together costs SQLAlchemy more than running it.
_KEYS: BindParameter[int] = bindparam("keys", expanding=True)
_REPEATED = select(event_repeat.c.event).where(event_repeat.c.event.in_(_KEYS)).distinct()
_FIRST = (
    select(
        event_repeat.c.event,
        batch.c.organisation,
        func.min(event_repeat.c.leaf_index).label("leaf_index"),
    )
    .join(batch, batch.c.leaf_index == event_repeat.c.leaf_index)
    .where(event_repeat.c.event.in_(_KEYS))
    .group_by(event_repeat.c.event, batch.c.organisation)
    .subquery()
)
_STATEMENTS = (
    select(
        event_repeat.c.event,
        event_repeat.c.batch_index,
        event_repeat.c.batch_path,
        batch,
        batch.c.count.label("batch_count"),
    )
    .join_from(
        _FIRST,
        event_repeat,
        and_(
            event_repeat.c.event == _FIRST.c.event,
            event_repeat.c.leaf_index == _FIRST.c.leaf_index,
        ),
    )
    .join(batch, batch.c.leaf_index == event_repeat.c.leaf_index)
    .order_by(event_repeat.c.event, event_repeat.c.leaf_index, event_repeat.c.batch_index)
)


def further_statements(
    connection: Connection, events: Mapping[int, StoredEvent]
) -> dict[int, tuple[StoredEvent, ...]]:
    """For each event (by its key) its first anchoring by every further organisation, in order."""
    found: dict[int, dict[str, StoredEvent]] = {}
    keys = sorted(events)
    for start in range(0, len(keys), _IN_MAX):
        part = {"keys": keys[start : start + _IN_MAX]}
        repeated = connection.execute(_REPEATED, part).scalars().all()
        if not repeated:  # as nearly always
            continue
        rows = connection.execute(_STATEMENTS, {"keys": list(repeated)})
        for row in rows:
            known = events[row.event]
            if row.organisation == known.organisation:
                continue
            statement = replace(
                known,
                record_time=moment(row.block_time * 1_000_000),
                organisation=row.organisation,
                batch_root=bytes(row.root),
                batch_index=row.batch_index,
                batch_count=row.batch_count,
                batch_path=path_of(row.batch_path),
                block_number=row.block_number,
                log_index=row.log_index,
                leaf_index=row.leaf_index,
                transaction_hash=bytes(row.transaction_hash),
            )
            found.setdefault(row.event, {}).setdefault(row.organisation, statement)
    return {key: tuple(statements.values()) for key, statements in found.items()}
