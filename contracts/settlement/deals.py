"""Deals as they stand, from SQL, for whoever may see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, select, tuple_
from sqlalchemy.engine import Row

from contracts.consortium import Role, organisation_table
from contracts.instruments.pages import Page, bounded, page_of, parse_cursor
from contracts.instruments.places import ChainPlace, place_of
from contracts.instruments.viewer import Viewer
from contracts.settlement.tables import (
    deal_act_table,
    deal_leg_table,
    deal_party_table,
    deal_table,
)
from contracts.settlement.types import Condition, ConditionKind, Deal, Leg
from ledger.types import Address, Hash32


@dataclass(frozen=True, slots=True)
class DealQuery:
    """Which deals are asked for; what is None does not matter."""

    states: tuple[str, ...] | None = None
    seller: str | None = None
    buyer: str | None = None
    attestor: str | None = None
    record: Hash32 | None = None
    """An instrument in it."""
    subject: Hash32 | None = None
    """What its condition is about."""
    after: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class StoredDeal:
    """A deal as it is now."""

    id: Hash32
    contract: Address
    """The version of Settlement that keeps it."""
    deal: Deal
    place: ChainPlace
    """Of its last act."""


@dataclass(frozen=True, slots=True)
class DealAct:
    """One act, and what it left behind."""

    act: str
    by: str
    detail: Hash32 | None
    remark: str
    revision: int
    state: str
    buyer: str | None
    place: ChainPlace


def find_deal(connection: Connection, id_: Hash32, viewer: Viewer) -> StoredDeal | None:
    """The deal, or None where there is none or the viewer may not see it."""
    query = select(deal_table).where(deal_table.c.id == _hex(id_), _seen(viewer))
    row = connection.execute(query).one_or_none()
    return None if row is None else _stored(row, _legs(connection, [row.id]))


def list_deals(connection: Connection, query: DealQuery, viewer: Viewer) -> Page[StoredDeal]:
    """A page of the deals that the viewer may see, newest first. Raises `CursorInvalid`."""
    table, limit = deal_table, bounded(query.limit)
    wanted = {
        table.c.seller: query.seller,
        table.c.buyer: query.buyer,
        table.c.attestor: query.attestor,
        table.c.subject: None if query.subject is None else _hex(query.subject),
    }
    conditions = [column == value for column, value in wanted.items() if value is not None]
    if query.states is not None:
        conditions.append(table.c.state.in_(query.states))
    if query.record is not None:
        legs = deal_leg_table
        conditions.append(
            table.c.id.in_(select(legs.c.deal).where(legs.c.record == _hex(query.record)))
        )
    if (since := parse_cursor(query.after, 1)) is not None:
        conditions.append(table.c.position < since[0])
    statement = select(table).where(_seen(viewer), *conditions).order_by(table.c.position.desc())
    rows = connection.execute(statement.limit(limit + 1)).all()
    legs_of = _legs(connection, [row.id for row in rows])
    return page_of(rows, limit, lambda row: _stored(row, legs_of), lambda row: [row.position])


def deal_history(
    connection: Connection,
    id_: Hash32,
    viewer: Viewer,
    *,
    after: str | None = None,
    limit: int = 50,
) -> Page[DealAct]:
    """Acts on a deal, oldest first; none where the viewer may not see it.

    Raises `CursorInvalid`.
    """
    table, limit = deal_act_table, bounded(limit)
    query = (
        select(table)
        .join(deal_table, deal_table.c.id == table.c.id)
        .where(table.c.id == _hex(id_), _seen(viewer))
        .order_by(table.c.block_number, table.c.log_index)
        .limit(limit + 1)
    )
    if (since := parse_cursor(after, 2)) is not None:
        query = query.where(tuple_(table.c.block_number, table.c.log_index) > since)
    rows = connection.execute(query).all()
    return page_of(rows, limit, _acted, lambda row: [row.block_number, row.log_index])


# ---- within -------------------------------------------------------------------------------------


def _seen(viewer: Viewer) -> ColumnElement[bool]:
    """The parties' own, and offers that the viewer might accept."""
    party = viewer.may_see(deal_party_table, deal_table.c.id)
    if viewer.sees_all or viewer.organisation is None:
        return party
    role = (
        select(organisation_table.c.role)
        .where(organisation_table.c.id == viewer.organisation)
        .scalar_subquery()
    )
    table = deal_table
    for_role = table.c.role.is_(None) | (table.c.role == role)
    return party | ((table.c.state == "offered") & table.c.buyer.is_(None) & for_role)


def _legs(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[Leg, ...]]:
    table = deal_leg_table
    query = select(table).where(table.c.deal.in_(ids)).order_by(table.c.deal, table.c.place)
    found: dict[str, list[Leg]] = {}
    for row in connection.execute(query) if ids else ():
        leg = Leg(Address(bytes.fromhex(row.instrument[2:])), _hash(row.record), row.revision)
        found.setdefault(row.deal, []).append(leg)
    return {deal: tuple(legs) for deal, legs in found.items()}


def _stored(row: Row[Any], legs: dict[str, tuple[Leg, ...]]) -> StoredDeal:
    deal = Deal(
        number=row.number,
        seller=row.seller,
        buyer=row.buyer,
        seller_bank=row.seller_bank,
        buyer_bank=row.buyer_bank,
        terms=_maybe(row.terms),
        evidence=_maybe(row.evidence),
        cancel_asked_by=row.cancel_asked_by,
        amount=row.amount,
        currency=row.currency,
        role=None if row.role is None else Role(row.role),
        state=row.state,
        expires=row.expires,
        revision=row.revision,
        condition=Condition(
            kind=ConditionKind(row.condition),
            due=row.due,
            deadline=row.deadline,
            attestor=row.attestor,
            subject=_maybe(row.subject),
        ),
        legs=legs.get(row.id, ()),
    )
    contract = Address(bytes.fromhex(row.contract[2:]))
    return StoredDeal(_hash(row.id), contract, deal, place_of(row))


def _acted(row: Row[Any]) -> DealAct:
    return DealAct(
        act=row.act,
        by=row.by,
        detail=_maybe(row.detail),
        remark=row.remark,
        revision=row.revision,
        state=row.state,
        buyer=row.buyer,
        place=place_of(row),
    )


def _hex(word: Hash32) -> str:
    return f"0x{word.hex()}"


def _hash(text: str) -> Hash32:
    return Hash32(bytes.fromhex(text[2:]))


def _maybe(text: str | None) -> Hash32 | None:
    return None if text is None else _hash(text)
