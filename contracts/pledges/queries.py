"""Pledges as they stand, from SQL, for whoever may see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Integer, bindparam, select, tuple_
from sqlalchemy.engine import Row

from contracts.instruments.pages import Page, bounded, page_of, parse_cursor
from contracts.instruments.places import ChainPlace, place_of
from contracts.instruments.viewer import PreparedQuery, Viewer
from contracts.pledges.tables import (
    pledge_act_table,
    pledge_asset_table,
    pledge_party_table,
    pledge_table,
)
from contracts.pledges.types import Pledge, State, Terms
from ledger.types import Address, Hash32


@dataclass(frozen=True, slots=True)
class PledgeQuery:
    """Which pledges are asked for; what is None does not matter."""

    states: tuple[State, ...] | None = None
    pledgor: str | None = None
    pledgee: str | None = None
    record: Hash32 | None = None
    """The instrument that it was made for."""
    covers: Hash32 | None = None
    """An instrument that it covers now."""
    loan: Hash32 | None = None
    after: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class StoredPledge:
    """A pledge as it is now."""

    key: Hash32
    pledge: Pledge
    place: ChainPlace
    """Of its last act."""


@dataclass(frozen=True, slots=True)
class PledgeAct:
    """One thing that happened to a pledge."""

    kind: str
    """`changed`, `covered`, `freed` or `annulled`."""
    by: str | None
    state: State | None
    assets: int | None
    record: Hash32 | None
    """The instrument that was covered or freed."""
    receiver: str | None
    """Who has got it by enforcement."""
    decision: Hash32 | None
    remark: str
    place: ChainPlace


def find_pledge(connection: Connection, key: Hash32, viewer: Viewer) -> StoredPledge | None:
    """The pledge, or None where there is none or the viewer may not see it."""
    row = _FIND.run(connection, viewer, wanted=_hex(key)).one_or_none()
    return None if row is None else _stored(row)


def list_pledges(connection: Connection, query: PledgeQuery, viewer: Viewer) -> Page[StoredPledge]:
    """A page of the pledges that the viewer may see, newest first. Raises `CursorInvalid`."""
    table, limit = pledge_table, bounded(query.limit)
    statement = select(table).where(viewer.may_see(pledge_party_table, table.c.key))
    if query.states is not None:
        statement = statement.where(table.c.state.in_([int(state) for state in query.states]))
    if query.covers is not None:
        covering = select(pledge_asset_table.c.pledge).where(
            pledge_asset_table.c.record == _hex(query.covers)
        )
        statement = statement.where(table.c.key.in_(covering))
    wanted = {
        table.c.pledgor: query.pledgor,
        table.c.pledgee: query.pledgee,
        table.c.record: None if query.record is None else _hex(query.record),
        table.c.loan: None if query.loan is None else _hex(query.loan),
    }
    conditions = [column == value for column, value in wanted.items() if value is not None]
    if (since := parse_cursor(query.after, 1)) is not None:
        conditions.append(table.c.position < since[0])
    statement = statement.where(*conditions).order_by(table.c.position.desc())
    rows = connection.execute(statement.limit(limit + 1)).all()
    return page_of(rows, limit, _stored, lambda row: [row.position])


def pledge_assets(
    connection: Connection,
    key: Hash32,
    viewer: Viewer,
    *,
    after: Hash32 | None = None,
    limit: int = 50,
) -> tuple[Hash32, ...]:
    """Instruments that a pledge covers now, by id, those behind `after`."""
    since = "" if after is None else _hex(after)
    found = _ASSETS.run(connection, viewer, wanted=_hex(key), since=since, most=bounded(limit))
    return tuple(Hash32(bytes.fromhex(text[2:])) for text in found.scalars())


def pledge_history(
    connection: Connection,
    key: Hash32,
    viewer: Viewer,
    *,
    after: str | None = None,
    limit: int = 50,
) -> Page[PledgeAct]:
    """What happened to a pledge, oldest first; nothing where the viewer may not see it.

    Raises `CursorInvalid`.
    """
    table, limit = pledge_act_table, bounded(limit)
    query = (
        select(table)
        .where(table.c.key == _hex(key), viewer.may_see(pledge_party_table, table.c.key))
        .order_by(table.c.block_number, table.c.log_index)
        .limit(limit + 1)
    )
    if (since := parse_cursor(after, 2)) is not None:
        query = query.where(tuple_(table.c.block_number, table.c.log_index) > since)
    rows = connection.execute(query).all()
    return page_of(rows, limit, _acted, lambda row: [row.block_number, row.log_index])


_FIND: Final = PreparedQuery(
    lambda viewer: select(pledge_table).where(
        pledge_table.c.key == bindparam("wanted"),
        viewer.may_see(pledge_party_table, pledge_table.c.key),
    )
)
_ASSETS: Final = PreparedQuery(
    lambda viewer: (
        select(pledge_asset_table.c.record)
        .where(
            pledge_asset_table.c.pledge == bindparam("wanted"),
            pledge_asset_table.c.record > bindparam("since"),
            viewer.may_see(pledge_party_table, pledge_asset_table.c.pledge),
        )
        .order_by(pledge_asset_table.c.record)
        .limit(bindparam("most", type_=Integer()))
    )
)


def _stored(row: Row[Any]) -> StoredPledge:
    pledge = Pledge(
        instrument=Address(bytes.fromhex(row.instrument[2:])),
        id=Hash32(bytes.fromhex(row.record[2:])),
        instrument_revision=row.instrument_revision,
        pledgor=row.pledgor,
        pledgee=row.pledgee,
        terms=Terms(
            amount=row.amount,
            currency=row.currency,
            due=row.due,
            notice_seconds=row.notice_seconds,
            terms=Hash32(bytes.fromhex(row.terms[2:])),
        ),
        state=State(row.state),
        assets=row.assets,
        since=row.since,
        loan=_hash(row.loan),
    )
    return StoredPledge(Hash32(bytes.fromhex(row.key[2:])), pledge, place_of(row))


def _acted(row: Row[Any]) -> PledgeAct:
    return PledgeAct(
        kind=row.kind,
        by=row.by,
        state=None if row.state is None else State(row.state),
        assets=row.assets,
        record=_hash(row.record),
        receiver=row.receiver,
        decision=_hash(row.decision),
        remark=row.remark,
        place=place_of(row),
    )


def _hash(text: str | None) -> Hash32 | None:
    return None if text is None else Hash32(bytes.fromhex(text[2:]))


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"
