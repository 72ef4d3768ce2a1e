"""Pools in SQL: the handlers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from contracts.genesis import POOL_BOOK_ADDRESS, POOLS_ADDRESS
from contracts.instruments.columns import hex_of, put
from contracts.instruments.places import place_values
from contracts.instruments.viewer import note_parties
from contracts.pools.logs import decode_book_log, decode_log
from contracts.pools.tables import (
    cash_metadata,
    metadata,
    pool_account_table,
    pool_act_table,
    pool_asset_table,
    pool_collection_table,
    pool_day_table,
    pool_distribution_table,
    pool_fee_table,
    pool_holding_table,
    pool_open_table,
    pool_owed_table,
    pool_party_table,
    pool_payment_table,
    pool_rules_table,
    pool_table,
    pool_tranche_table,
)
from contracts.pools.types import (
    AssetsAdmitted,
    AssetsDismissed,
    BookEvent,
    CashEvent,
    Collected,
    CollectionVoided,
    DayCommitted,
    Distributed,
    FeesAgreed,
    Open,
    Owed,
    PaymentConfirmed,
    PaymentDue,
    PaymentKind,
    Pool,
    PoolChanged,
    RulesPublished,
    TrancheAgreed,
    UnitsMoved,
    days_of,
)
from ledger.types import Address, CommittedBlock, Hash32, PlacedLog


class PoolBookHandler:
    """Fills the tables of what pools are. Implements `ledger.projection.Handler`."""

    name = "pool-book"
    metadata = metadata

    def __init__(self, address: Address = POOL_BOOK_ADDRESS) -> None:
        self.address = address

    def reset(self, connection: Connection) -> None:
        """Back to genesis: no pools."""
        for table in reversed(metadata.sorted_tables):
            connection.execute(delete(table))

    def apply(self, connection: Connection, block: CommittedBlock, log: PlacedLog) -> None:
        """Apply one event of the contract. Raises `LogError` where it is none."""
        del block
        _apply_book(connection, decode_book_log(log.log), log)


class PoolsHandler:
    """Fills the tables of pools' money. Implements `ledger.projection.Handler`."""

    name = "pools"
    metadata = cash_metadata

    def __init__(self, address: Address = POOLS_ADDRESS) -> None:
        self.address = address

    def reset(self, connection: Connection) -> None:
        """Back to genesis: no money."""
        for table in reversed(cash_metadata.sorted_tables):
            connection.execute(delete(table))

    def apply(self, connection: Connection, block: CommittedBlock, log: PlacedLog) -> None:
        """Apply one event of the contract. Raises `LogError` where it is none."""
        del block
        _apply_cash(connection, decode_log(log.log), log)


# ---- what pools are -----------------------------------------------------------------------------


def _apply_book(connection: Connection, event: BookEvent, log: PlacedLog) -> None:
    id_ = str(hex_of(event.id))
    match event:
        case PoolChanged(_, by, act, pool, remark):
            _change(connection, id_, pool, log)
            _told(connection, id_, log, act.name.lower(), by, remark)
        case FeesAgreed(_, fees):
            for index, fee in enumerate(fees):
                row = {"payee": fee.payee, "rate_bp": fee.rate_bp, "fixed_amount": fee.fixed_amount}
                put(connection, pool_fee_table, {"id": id_, "ordinal": index, **row})
            _note(connection, id_, log, [fee.payee for fee in fees])
        case TrancheAgreed():
            _agree(connection, id_, event)
            _note(connection, id_, log, [holder for holder, _ in event.holders])
        case RulesPublished(_, _, document):
            put(connection, pool_rules_table, {"id": id_, "document": document})
        case UnitsMoved():
            _move(connection, id_, event)
            _note(connection, id_, log, [event.recipient])
            detail = f"{event.units} of tranche {event.index} to {event.recipient}"
            _told(connection, id_, log, "assign", event.sender, detail)
        case DayCommitted():
            _commit(connection, id_, event, log)
        case AssetsAdmitted(_, instrument, assets):
            for ordinal, asset in enumerate(assets):
                row = {"instrument": hex_of(instrument), "asset": hex_of(asset), "id": id_}
                placed = {"ordinal": ordinal, **place_values(log)}
                put(connection, pool_asset_table, {**row, **placed})
            _told(connection, id_, log, "admit", None, f"{len(assets)} instruments")
        case AssetsDismissed(_, instrument, assets, reason):
            table = pool_asset_table
            here = (table.c.instrument == hex_of(instrument)) & table.c.asset.in_(
                [hex_of(asset) for asset in assets]
            )
            connection.execute(delete(table).where(here))
            _told(connection, id_, log, "dismiss", None, reason)


def _change(connection: Connection, id_: str, pool: Pool, log: PlacedLog) -> None:
    query = select(pool_table.c.position).where(pool_table.c.id == id_)
    known = connection.execute(query).scalar_one_or_none()
    position = log.leaf_index if known is None else known
    row = {"id": id_, "position": position, **_values(pool), **place_values(log)}
    put(connection, pool_table, row)
    terms = pool.terms
    parties = [pool.arranger, terms.trustee, terms.servicer, terms.residual]
    nominees = [pool.nominated_trustee, pool.nominated_servicer]
    note_parties(connection, pool_party_table, id_, position, [*parties, *nominees])
    if known is None:  # fees and tranches are told before the pool: now its position is known
        parties_here = pool_party_table.c.id == id_
        connection.execute(update(pool_party_table).where(parties_here).values(position=position))


def _values(pool: Pool) -> dict[str, Any]:
    terms, limits = pool.terms, pool.terms.limits
    return {
        "arranger": pool.arranger,
        "number": pool.number,
        "trustee": terms.trustee,
        "servicer": terms.servicer,
        "residual": terms.residual,
        "currency": terms.currency,
        "basis": terms.basis,
        "start": days_of(terms.start),
        "sequential_bp": terms.sequential_bp,
        "turbo_bp": terms.turbo_bp,
        "rules": hex_of(terms.rules),
        "terms": hex_of(terms.terms),
        "assets_max": limits.assets_max,
        "admit_until": days_of(limits.admit_until),
        "balance_max": limits.balance_max,
        "state": int(pool.state),
        "trustee_accepted": pool.trustee_accepted,
        "servicer_accepted": pool.servicer_accepted,
        "last_date": days_of(pool.last_date) if pool.last_date else None,
        "nominated_trustee": pool.nominated_trustee,
        "nominated_servicer": pool.nominated_servicer,
    }


def _note(
    connection: Connection, id_: str, log: PlacedLog, organisations: Iterable[str | None]
) -> None:
    query = select(pool_table.c.position).where(pool_table.c.id == id_)
    known = connection.execute(query).scalar_one_or_none()
    position = log.leaf_index if known is None else known
    note_parties(connection, pool_party_table, id_, position, organisations)


def _agree(connection: Connection, id_: str, event: TrancheAgreed) -> None:
    tranche = event.tranche
    row = {
        "id": id_,
        "ordinal": event.index,
        "name": tranche.name,
        "seniority": tranche.seniority,
        "rate_bp": tranche.rate_bp,
        "principal": tranche.principal,
    }
    put(connection, pool_tranche_table, row)
    for holder, units in event.holders:
        _hold(connection, id_, event.index, holder, units)


def _move(connection: Connection, id_: str, event: UnitsMoved) -> None:
    _hold(connection, id_, event.index, event.sender, event.sender_units)
    _hold(connection, id_, event.index, event.recipient, event.recipient_units)


def _hold(connection: Connection, id_: str, tranche: int, organisation: str, units: int) -> None:
    table = pool_holding_table
    key = {"id": id_, "tranche": tranche, "organisation": organisation}
    if units:
        put(connection, table, {**key, "units": units})
        return
    here = (table.c.id == id_) & (table.c.tranche == tranche)
    connection.execute(delete(table).where(here, table.c.organisation == organisation))


def _commit(connection: Connection, id_: str, event: DayCommitted, log: PlacedLog) -> None:
    day = event.day
    connection.execute(
        insert(pool_day_table).values(
            id=id_,
            date=days_of(event.date),
            revision=event.revision,
            root=hex_of(day.root),
            delta=hex_of(day.delta),
            performing=day.performing,
            overdue=day.overdue,
            defaulted=day.defaulted,
            size=day.count,
            changed=day.changed,
            by=event.by,
            reason=event.reason,
            **place_values(log),
        )
    )
    if event.revision == 1:
        here = pool_table.c.id == id_
        connection.execute(update(pool_table).where(here).values(last_date=days_of(event.date)))


def _told(
    connection: Connection, id_: str, log: PlacedLog, kind: str, by: str | None, detail: str
) -> None:
    row = {"id": id_, "kind": kind, "by": by, "detail": detail}
    connection.execute(insert(pool_act_table).values(**row, **place_values(log)))


# ---- their money --------------------------------------------------------------------------------


def _apply_cash(connection: Connection, event: CashEvent, log: PlacedLog) -> None:
    id_ = str(hex_of(event.id))
    match event:
        case Collected():
            _collect(connection, id_, event, log)
            _set_open(connection, id_, event.collection.period, event.open)
        case CollectionVoided(_, _, by, number, open_, reason):
            table = pool_collection_table
            here = (table.c.id == id_) & (table.c.number == number)
            period = connection.execute(select(table.c.period).where(here)).scalar_one()
            values = {"voided_by": by, "void_reason": reason}
            connection.execute(update(table).where(here).values(values))
            _set_open(connection, id_, period, open_)
        case Distributed():
            _distribute(connection, id_, event, log)
        case PaymentDue():
            _due(connection, id_, event, log)
        case PaymentConfirmed(_, _, _, number, settled):
            table = pool_payment_table
            here = (table.c.id == id_) & (table.c.number == number)
            settlement = {"settled": hex_of(settled), "settled_leaf": log.leaf_index}
            connection.execute(update(table).where(here).values(settlement))


def _collect(connection: Connection, id_: str, event: Collected, log: PlacedLog) -> None:
    content = event.collection
    connection.execute(
        insert(pool_collection_table).values(
            id=id_,
            number=event.number,
            payment=hex_of(content.payment),
            root=hex_of(content.root),
            size=content.count,
            date=days_of(content.date),
            period=content.period,
            principal=content.principal,
            income=content.income,
            by=event.by,
            **place_values(log),
        )
    )


def _set_open(connection: Connection, id_: str, period: int, content: Open) -> None:
    row = {
        "id": id_,
        "period": period,
        "principal": content.principal,
        "income": content.income,
        "revision": content.revision,
    }
    put(connection, pool_open_table, row)


def _distribute(connection: Connection, id_: str, event: Distributed, log: PlacedLog) -> None:
    content, account = event.distribution, event.account
    connection.execute(
        insert(pool_distribution_table).values(
            id=id_,
            period=event.period,
            end=days_of(content.end),
            revision=content.revision,
            sequential=content.sequential,
            turbo=content.turbo,
            first_payment=content.first_payment,
            payments=content.payments,
            collected=content.collected,
            fees=content.fees,
            interest=content.interest,
            principal=content.principal,
            residual=content.residual,
            by=event.by,
            **place_values(log),
        )
    )
    row = {
        "id": id_,
        "periods": account.periods,
        "period_end": account.period_end,
        "shortfall": account.shortfall,
        "defaulted_peak": account.defaulted_peak,
    }
    put(connection, pool_account_table, row)
    _owe(connection, id_, PaymentKind.FEE, event.fees)
    _owe(connection, id_, PaymentKind.TRANCHE, event.tranches)


def _owe(connection: Connection, id_: str, kind: PaymentKind, owed: tuple[Owed, ...]) -> None:
    for index, one in enumerate(owed):
        key = {"id": id_, "kind": int(kind), "ordinal": index}
        values = {"repaid": one.repaid, "carried": one.carried, "remainder": one.remainder}
        put(connection, pool_owed_table, {**key, **values})


def _due(connection: Connection, id_: str, event: PaymentDue, log: PlacedLog) -> None:
    payment = event.payment
    connection.execute(
        insert(pool_payment_table).values(
            id=id_,
            number=event.number,
            payee=payment.payee,
            period=payment.period,
            kind=int(payment.kind),
            ordinal=payment.index,
            amount=payment.amount,
            principal=payment.principal,
            settled=hex_of(Hash32(payment.settled)) if payment.settled else None,
            **place_values(log),
        )
    )
