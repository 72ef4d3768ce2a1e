"""Applications, loans and prices in SQL: the handlers of the three contracts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, MetaData, Table, delete, insert, select, update

from contracts.financing.decoding import decode_log
from contracts.financing.pricing import best_quote
from contracts.financing.tables import (
    advice_table,
    application_act_table,
    application_metadata,
    application_party_table,
    application_table,
    loan_act_table,
    loan_metadata,
    loan_party_table,
    loan_table,
    offer_table,
    payment_table,
    points_act_table,
    points_table,
    pricing_metadata,
    rate_table,
    tier_table,
)
from contracts.financing.types import (
    Advised,
    Application,
    ApplicationActed,
    Loan,
    LoanActed,
    Mode,
    OfferChanged,
    Paid,
    PointsRecorded,
    RateTable,
    SealedQuote,
    Stance,
)
from contracts.genesis import APPLICATIONS_ADDRESS, FINANCING_ADDRESS, PRICING_ADDRESS
from contracts.instruments.columns import hex_of, put
from contracts.instruments.places import place_values
from contracts.instruments.viewer import note_parties
from ledger.types import Address, CommittedBlock, Hash32, PlacedLog


class ApplicationsHandler:
    """Fills the tables of applications. Implements `ledger.projection.Handler`."""

    name = "applications"
    metadata = application_metadata

    def __init__(self, address: Address = APPLICATIONS_ADDRESS) -> None:
        self.address = address

    def reset(self, connection: Connection) -> None:
        """Back to genesis: no applications."""
        _empty(connection, self.metadata)

    def apply(self, connection: Connection, block: CommittedBlock, log: PlacedLog) -> None:
        """Apply one event of the contract. Raises `LogError` where it is none."""
        del block
        match decode_log(log.log):
            case ApplicationActed() as acted:
                _apply_application(connection, acted, log)
            case OfferChanged() as changed:
                _apply_offer(connection, changed, log)
            case Advised(id_, by, advice):
                values = _plain(asdict(advice)) | {"id": hex_of(id_), "by": by}
                connection.execute(insert(advice_table).values(**values, **place_values(log)))
                _note(connection, application_table, application_party_table, id_, [by])


class FinancingHandler:
    """Fills the tables of loans. Implements `ledger.projection.Handler`."""

    name = "financing"
    metadata = loan_metadata

    def __init__(self, address: Address = FINANCING_ADDRESS) -> None:
        self.address = address

    def reset(self, connection: Connection) -> None:
        """Back to genesis: no loans."""
        _empty(connection, self.metadata)

    def apply(self, connection: Connection, block: CommittedBlock, log: PlacedLog) -> None:
        """Apply one event of the contract. Raises `LogError` where it is none."""
        del block
        match decode_log(log.log):
            case LoanActed() as acted:
                _apply_loan(connection, acted, log)
            case Paid() as paid:
                values = _plain(asdict(paid)) | place_values(log)
                connection.execute(insert(payment_table).values(values))


class PricingHandler:
    """Fills the tables of prices. Implements `ledger.projection.Handler`."""

    name = "pricing"
    metadata = pricing_metadata

    def __init__(self, address: Address = PRICING_ADDRESS) -> None:
        self.address = address

    def reset(self, connection: Connection) -> None:
        """Back to genesis: no tables, no points."""
        _empty(connection, self.metadata)

    def apply(self, connection: Connection, block: CommittedBlock, log: PlacedLog) -> None:
        """Apply one event of the contract. Raises `LogError` where it is none."""
        del block
        match decode_log(log.log):
            case RateTable() as table:
                _apply_table(connection, table, log)
            case PointsRecorded() as booked:
                now = {"bank": booked.bank, "customer": booked.customer, "points": booked.points}
                put(connection, points_table, now | place_values(log))
                values = _plain(asdict(booked)) | place_values(log)
                connection.execute(insert(points_act_table).values(values))


# ---- applications -------------------------------------------------------------------------------


def _apply_application(connection: Connection, acted: ApplicationActed, log: PlacedLog) -> None:
    id_, application = str(hex_of(acted.id)), acted.application
    position = _position(connection, application_table, id_)
    if position is None:
        position = log.leaf_index
    row = {
        "id": id_,
        "position": position,
        "contract": hex_of(log.log.address),
        "state": acted.state,
        "revision": acted.revision,
        **_application_values(application),
        **place_values(log),
    }
    put(connection, application_table, row)
    if application.is_sealed:
        _count_sealed(connection, id_)
    connection.execute(insert(application_act_table).values(_history(acted) | place_values(log)))
    parties = [application.borrower, application.bank]
    note_parties(connection, application_party_table, id_, position, parties)


def _application_values(application: Application) -> dict[str, Any]:
    values = asdict(application)
    del values["request"], values["check"]
    check = application.check
    checks = {
        "checks_applicable": int(check.applicable) if check else 0,
        "checks_passed": int(check.passed) if check else 0,
        "checked_block": check.block_number if check else 0,
        "checked_at": check.time if check else 0,
    }
    return _plain(values | asdict(application.request)) | checks


def _apply_offer(connection: Connection, changed: OfferChanged, log: PlacedLog) -> None:
    row = {
        "id": hex_of(changed.id),
        "bank": changed.bank,
        "offer_hash": hex_of(changed.offer_hash),
        **_plain(asdict(changed.offer)),
        **place_values(log),
    }
    put(connection, offer_table, row)
    _count_sealed(connection, str(row["id"]))
    _note(connection, application_table, application_party_table, changed.id, [changed.bank])


def _count_sealed(connection: Connection, id_: str) -> None:
    """What sealed quotes have made of an application, by the offers: until a bank's is accepted no
    event of the application says it."""
    loan, offer = application_table.c, offer_table.c
    sealed = (loan.id == id_) & (loan.mode == int(Mode.MARKET)) & loan.bank.is_(None)
    if connection.execute(select(loan.id).where(sealed)).first() is None:
        return
    query = select(offer.bank, offer.stance, offer.rate_bp, offer.order).where(offer.id == id_)
    offers = connection.execute(query).all()
    opened = (
        SealedQuote(one.bank, one.rate_bp, one.order)
        for one in offers
        if one.stance == int(Stance.REVEALED)
    )
    best = best_quote(opened)
    counted = {
        "best": None if best is None else best.bank,
        "open": sum(one.stance != int(Stance.DECLINED) for one in offers),
        "quotes": sum(one.order > 0 for one in offers),
    }
    connection.execute(update(application_table).where(loan.id == id_).values(counted))


# ---- loans --------------------------------------------------------------------------------------


def _apply_loan(connection: Connection, acted: LoanActed, log: PlacedLog) -> None:
    id_, loan = str(hex_of(acted.id)), acted.loan
    position = _position(connection, loan_table, id_)
    if position is None:
        position = log.leaf_index
    row = {
        "id": id_,
        "position": position,
        "contract": hex_of(log.log.address),
        "state": acted.state,
        "revision": acted.revision,
        **_loan_values(loan),
        **place_values(log),
    }
    put(connection, loan_table, row)
    left = {
        "principal": loan.debt.principal,
        "severity": loan.watch.severity,
        "breach": int(loan.watch.breach),
    }
    values = _history(acted) | left | place_values(log)
    connection.execute(insert(loan_act_table).values(values))
    note_parties(connection, loan_party_table, id_, position, [loan.borrower, loan.bank])


def _loan_values(loan: Loan) -> dict[str, Any]:
    values = asdict(loan)
    debt, watch = values.pop("debt"), values.pop("watch")
    return _plain(values | debt | watch) | {"accrued": str(loan.debt.accrued)}


# ---- prices -------------------------------------------------------------------------------------


def _apply_table(connection: Connection, table: RateTable, log: PlacedLog) -> None:
    key = {"bank": table.bank, "currency": table.currency, "version": table.version}
    terms = asdict(table.contribution)
    row = {**key, "document": hex_of(table.document), **terms, **place_values(log)}
    put(connection, rate_table, row)
    tiers = [key | {"tier": index} | asdict(tier) for index, tier in enumerate(table.tiers)]
    connection.execute(insert(tier_table), tiers)


# ---- within -------------------------------------------------------------------------------------


def _empty(connection: Connection, metadata: MetaData) -> None:
    for table in reversed(metadata.sorted_tables):
        connection.execute(delete(table))


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """As columns keep them: bytes in hex, members of enumerations as numbers."""
    return {
        name: hex_of(value)
        if isinstance(value, bytes)
        else int(value)
        if isinstance(value, int) and not isinstance(value, bool)
        else value
        for name, value in values.items()
    }


def _history(acted: ApplicationActed | LoanActed) -> dict[str, Any]:
    return {
        "id": hex_of(acted.id),
        "act": acted.act,
        "by": acted.by,
        "detail": hex_of(acted.detail),
        "remark": acted.remark,
        "revision": acted.revision,
        "state": acted.state,
    }


def _position(connection: Connection, table: Table, id_: str) -> int | None:
    query = select(table.c.position).where(table.c.id == id_)
    return connection.execute(query).scalar_one_or_none()


def _note(
    connection: Connection, table: Table, parties: Table, id_: Hash32, names: Sequence[str]
) -> None:
    record = str(hex_of(id_))
    position = _position(connection, table, record)
    if position is not None:
        note_parties(connection, parties, record, position, names)
