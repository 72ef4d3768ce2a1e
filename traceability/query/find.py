"""Finding events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, Select, and_, bindparam, func, or_, select

from traceability.projection.tables import batch, event, event_epc, event_repeat
from traceability.projection.vocabulary import event_identity, thing_key
from traceability.query.errors import QueryTooLarge
from traceability.query.paging import Place, decode_token, encode_token
from traceability.query.patterns import prefix_end
from traceability.query.query import EventQuery
from traceability.query.rows import STORED, moment, stored
from traceability.query.types import Anchoring, Page, StoredEvent

_JOINED: Final = select(*STORED, event.c.pk).join_from(
    event, batch, event.c.leaf_index == batch.c.leaf_index
)
_NEWEST: Final = select(func.max(event.c.pk))
_BY_ID: Final = (
    _JOINED.where(event.c.hash == bindparam("hash"), event.c.version == bindparam("version"))
    .order_by(event.c.pk)
    .limit(100)
)
_BELOW: Final = (
    select(event_epc.c.epc)
    .where(event_epc.c.epc >= bindparam("start"), event_epc.c.epc < bindparam("end"))
    .limit(1)
)
ANCHORINGS_MAX: Final = 1_000


def find_events(connection: Connection, query: EventQuery) -> Page:
    """One page of the events that satisfy every condition.

    Each event comes once, whoever anchored it how often. Pages of one query together give what was
    there when the first was read. Raises `PageTokenInvalid` or `QueryTooLarge`.
    """
    fingerprint = query.fingerprint
    if query.page_token is None:
        newest = connection.execute(_NEWEST).scalar()
        if newest is None:
            return Page((), None)
        place = None
        _check_count(connection, query)
    else:
        place = decode_token(query.page_token, fingerprint)
        newest = place.newest
    given = 0 if place is None else place.given
    size = query.per_page
    if query.event_count_limit is not None:
        size = min(size, query.event_count_limit - given)
    if size <= 0:
        return Page((), None)
    rows = connection.execute(_page(query, place, newest, size + 1)).all()
    events = tuple(stored(row) for row in rows[:size])
    given += len(events)
    if len(rows) <= size or given == query.event_count_limit:
        return Page(events, None)
    last = rows[size - 1]
    order_value = 0 if query.order_by is None else getattr(last, query.order_by)
    return Page(events, encode_token(Place(order_value, last.pk, newest, given), fingerprint))


def names_something_within(connection: Connection, epc: str) -> bool:
    """Whether events name things within a class: serials or lots of a GTIN, pieces of an ITIP.

    `epc` in any spelling. Events about the class as a whole do not count.
    """
    start = f"{thing_key(epc)}/"
    values = {"start": start, "end": prefix_end(start)}
    return connection.execute(_BELOW, values).first() is not None


def stored_event(
    connection: Connection, event_id: str, digest: str | None = None
) -> StoredEvent | None:
    """The event of that hash id at its first anchoring, or None.

    An event and its later error declaration share the id (CBV 2.0 section 8.9): without `digest`
    the one anchored first is given; see `stored_events`.
    """
    for found in stored_events(connection, event_id):
        if digest is None or found.digest == digest:
            return found
    return None


def stored_events(connection: Connection, event_id: str) -> tuple[StoredEvent, ...]:
    """All events of that hash id, in the order of their first anchoring (at most 100)."""
    try:
        hash_, version = event_identity(event_id)
    except ValueError:
        return ()
    rows = connection.execute(_BY_ID, {"hash": hash_, "version": version})
    return tuple(stored(row) for row in rows)


def anchorings(connection: Connection, event_id: str, digest: str) -> tuple[Anchoring, ...]:
    """Every time that an event was anchored, by whomever, in order (at most 1,000)."""
    try:
        hash_, version = event_identity(event_id)
        digest_bytes = bytes.fromhex(digest)
    except ValueError:
        return ()
    key = connection.execute(
        select(event.c.pk).where(
            event.c.hash == hash_, event.c.version == version, event.c.digest == digest_bytes
        )
    ).scalar()
    if key is None:
        return ()
    first = select(event.c.leaf_index, event.c.batch_index).where(event.c.pk == key)
    later = select(event_repeat.c.leaf_index, event_repeat.c.batch_index).where(
        event_repeat.c.event == key
    )
    places = first.union_all(later).subquery()
    rows = connection.execute(
        select(batch, places.c.batch_index)
        .join_from(places, batch, places.c.leaf_index == batch.c.leaf_index)
        .order_by(places.c.leaf_index, places.c.batch_index)
        .limit(ANCHORINGS_MAX)
    )
    return tuple(
        Anchoring(
            organisation=row.organisation,
            record_time=moment(row.block_time * 1_000_000),
            batch_root=bytes(row.root),
            batch_index=row.batch_index,
            block_number=row.block_number,
            leaf_index=row.leaf_index,
            transaction_hash=bytes(row.transaction_hash),
        )
        for row in rows
    )


def _page(query: EventQuery, place: Place | None, newest: int, limit: int) -> Select[tuple[object]]:
    # The sum keeps planners from taking this for a good reason to walk the primary key.
    known = event.c.pk + 0 <= newest
    statement = _JOINED.where(known, *(condition.clause() for condition in query.conditions))
    if query.order_by is None:
        if place is not None:
            statement = statement.where(event.c.pk > place.key)
        return statement.order_by(event.c.pk).limit(limit)
    column = event.c[query.order_by]
    if place is not None:
        value, key = place.order_value, place.key
        after = column < value if query.descending else column > value
        tied = event.c.pk < key if query.descending else event.c.pk > key
        bound = column <= value if query.descending else column >= value
        # The bound says nothing new, but lets the database begin at the right place of the index.
        statement = statement.where(bound, or_(after, and_(column == value, tied)))
    order: Sequence[object] = (
        (column.desc(), event.c.pk.desc()) if query.descending else (column.asc(), event.c.pk.asc())
    )
    return statement.order_by(*order).limit(limit)  # type: ignore[arg-type]


def _check_count(connection: Connection, query: EventQuery) -> None:
    if query.max_event_count is None:
        return
    found = (
        select(event.c.pk)
        .where(*(condition.clause() for condition in query.conditions))
        .limit(query.max_event_count + 1)
        .subquery()
    )
    count = connection.execute(select(func.count()).select_from(found)).scalar_one()
    if count > query.max_event_count:
        raise QueryTooLarge(f"more than maxEventCount={query.max_event_count} events match")
