"""The feed, read by position: nothing that comes later ever stands before what was read."""

from __future__ import annotations

from typing import Any, Final

import orjson
from sqlalchemy import Connection, Row, Select, false, func, or_, select

from contracts.instruments.viewer import Viewer
from contracts.notices.tables import notice_party_table, notice_table
from contracts.notices.types import BEGINNING, NoticeFilter, Place, StoredNotice

PAGE_MAX: Final = 1_000

_n = notice_table.c
_p = notice_party_table.c


def find_notices(
    connection: Connection,
    viewer: Viewer,
    *,
    wanted: NoticeFilter | None = None,
    after: int = BEGINNING,
    count: int = 100,
) -> tuple[StoredNotice, ...]:
    """Up to `count` (1 to 1,000) notices after a position that the viewer may see, in order."""
    query = _visible(select(notice_table), viewer, after)
    query = _filtered(query, wanted or NoticeFilter())
    order = _n.position if viewer.sees_all else _p.position
    rows = connection.execute(query.order_by(order).limit(max(1, min(count, PAGE_MAX))))
    return tuple(map(_notice, rows))


def parties_of(connection: Connection, first: int, last: int) -> dict[int, frozenset[str]]:
    """Who may see the notices from one position to another, both included."""
    query = select(notice_party_table).where(_p.position.between(first, last))
    found: dict[int, set[str]] = {}
    for row in connection.execute(query):
        found.setdefault(row.position, set()).add(row.organisation)
    return {position: frozenset(names) for position, names in found.items()}


def newest_position(connection: Connection) -> int:
    """The position of the last notice of all; `BEGINNING` where there is none."""
    found: int | None = connection.execute(select(func.max(_n.position))).scalar_one()
    return BEGINNING if found is None else found


def position_before(connection: Connection, time: int) -> int:
    """The position after which all notices are of that time (Unix seconds) or later."""
    query = select(func.max(_n.position)).where(_n.time < time)
    found: int | None = connection.execute(query).scalar_one()
    return BEGINNING if found is None else found


def _visible(query: Select[Any], viewer: Viewer, after: int) -> Select[Any]:
    if viewer.sees_all:
        return query.where(_n.position > after)
    joined = query.join(notice_party_table, _p.position == _n.position)
    return joined.where(_p.organisation == viewer.organisation, _p.position > after)


def _filtered(query: Select[Any], wanted: NoticeFilter) -> Select[Any]:
    if wanted.record:
        query = query.where(_n.record == wanted.record)
    if wanted.kinds:
        whole = [kind for kind in wanted.kinds if not kind.endswith(".*")]
        families = [kind[:-1] for kind in wanted.kinds if kind.endswith(".*")]
        alike = (_n.kind.startswith(family, autoescape=True) for family in families)
        query = query.where(or_(_n.kind.in_(whole), *alike))
    if wanted.families is not None:
        alike = (_n.kind.startswith(f"{one}.", autoescape=True) for one in wanted.families)
        query = query.where(or_(false(), *alike))
    return query


def _notice(row: Row[Any]) -> StoredNotice:
    return StoredNotice(
        place=Place.of(row.position),
        kind=row.kind,
        record=row.record,
        body=orjson.loads(row.body),
        time=row.time,
        transaction_hash=row.transaction_hash,
        leaf_index=row.leaf_index,
    )
