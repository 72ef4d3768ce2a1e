"""Rows of the tables as records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Row

from contracts.financing.interest import Balance
from contracts.financing.types import (
    Advice,
    Application,
    Breach,
    Check,
    Debt,
    Fact,
    Loan,
    Mode,
    Offer,
    Request,
    Stance,
    Watch,
)
from contracts.instruments.places import ChainPlace, place_of
from ledger.types import Address, Hash32


@dataclass(frozen=True, slots=True)
class StoredApplication:
    """An application as it is now."""

    id: Hash32
    contract: Address
    state: str
    revision: int
    application: Application
    place: ChainPlace
    """Of its last act."""


@dataclass(frozen=True, slots=True)
class StoredOffer:
    """How a bank stands to an application now."""

    bank: str
    offer: Offer
    offer_hash: Hash32 | None
    place: ChainPlace


@dataclass(frozen=True, slots=True)
class StoredAdvice:
    """The platform's advice."""

    advice: Advice
    place: ChainPlace


@dataclass(frozen=True, slots=True)
class StoredLoan:
    """A loan as it is now."""

    id: Hash32
    contract: Address
    state: str
    revision: int
    loan: Loan
    place: ChainPlace
    """Of its last act."""

    @property
    def balance(self) -> Balance:
        """What is unpaid, as of the last payment; `.at(time)` says what is owed."""
        loan, debt = self.loan, self.loan.debt
        return Balance(
            principal=debt.principal,
            accrued=debt.accrued,
            accrued_at=debt.accrued_at,
            due=debt.due,
            rate_bp=loan.rate_bp,
            penalty_bp=loan.penalty_bp,
            year_days=loan.year_days,
        )


@dataclass(frozen=True, slots=True)
class ActOfLoan:
    """One act, before payout or after."""

    act: str
    by: str
    detail: Hash32 | None
    remark: str
    revision: int
    state: str
    place: ChainPlace


@dataclass(frozen=True, slots=True)
class Payment:
    """Money that came in."""

    by: str
    interest: int
    principal: int
    ref: Hash32 | None
    """Of money that came in outside the ledger."""
    place: ChainPlace


def application_of(row: Row[Any]) -> StoredApplication:
    """The application in a row."""
    check = Check(
        Fact(row.checks_applicable), Fact(row.checks_passed), row.checked_block, row.checked_at
    )
    application = Application(
        borrower=row.borrower,
        bank=row.bank,
        offer_hash=_hash(row.offer_hash),
        signed_by_borrower=_hash(row.signed_by_borrower),
        signed_by_bank=_hash(row.signed_by_bank),
        best=row.best,
        valid_until=row.valid_until,
        open=row.open,
        quotes=row.quotes,
        check=check if check.applicable else None,
        request=_request(row),
    )
    return StoredApplication(
        _bytes32(row.id),
        _address(row.contract),
        row.state,
        row.revision,
        application,
        place_of(row),
    )


def _request(row: Row[Any]) -> Request:
    return Request(
        number=row.number,
        instrument=_address(row.instrument),
        asset=_bytes32(row.asset),
        asset_revision=row.asset_revision,
        amount=row.amount,
        amount_min=row.amount_min,
        currency=row.currency,
        term_days=row.term_days,
        year_days=row.year_days,
        mode=Mode(row.mode),
        purpose=_bytes32(row.purpose),
        expires=row.expires,
        agreement=row.agreement,
        quotes_until=row.quotes_until,
        reveal_until=row.reveal_until,
        rate_bp_max=row.rate_bp_max,
        penalty_bp=row.penalty_bp,
        grace_seconds=row.grace_seconds,
        notice_seconds=row.notice_seconds,
    )


def offer_of(row: Row[Any]) -> StoredOffer:
    """The offer in a row."""
    offer = Offer(
        stance=Stance(row.stance),
        table_version=row.table_version,
        rate_bp=row.rate_bp,
        discount_bp=row.discount_bp,
        valid_until=row.valid_until,
        decided=row.decided,
        order=row.order,
        amount=row.amount,
        commitment=_hash(row.commitment),
        text=_hash(row.text),
    )
    return StoredOffer(row.bank, offer, _hash(row.offer_hash), place_of(row))


def advice_of(row: Row[Any]) -> StoredAdvice:
    """The advice in a row."""
    # `row.limit` and the like are columns, whatever methods a row may have of those names.
    values = row._mapping
    advice = Advice(
        by=values["by"],
        text=_bytes32(values["text"]),
        limit=values["limit"],
        rate_bp=values["rate_bp"],
        score=values["score"],
        given=values["given"],
    )
    return StoredAdvice(advice, place_of(row))


def loan_of(row: Row[Any]) -> StoredLoan:
    """The loan in a row."""
    debt = Debt(
        lent=row.lent,
        principal=row.principal,
        interest_paid=row.interest_paid,
        accrued=int(row.accrued),
        drawn=row.drawn,
        due=row.due,
        accrued_at=row.accrued_at,
    )
    watch = Watch(
        breach_asset=_hash(row.breach_asset),
        breach_since=row.breach_since,
        warnings=row.warnings,
        severity=row.severity,
        breach=Breach(row.breach),
    )
    loan = Loan(
        borrower=row.borrower,
        bank=row.bank,
        terms=_bytes32(row.terms),
        pledge=_hash(row.pledge),
        instrument=_address(row.instrument),
        asset=_bytes32(row.asset),
        currency=row.currency,
        year_days=row.year_days,
        rate_bp=row.rate_bp,
        penalty_bp=row.penalty_bp,
        grace_seconds=row.grace_seconds,
        debt=debt,
        watch=watch,
    )
    return StoredLoan(
        _bytes32(row.id), _address(row.contract), row.state, row.revision, loan, place_of(row)
    )


def act_of(row: Row[Any]) -> ActOfLoan:
    """The act in a row."""
    return ActOfLoan(
        act=row.act,
        by=row.by,
        detail=_hash(row.detail),
        remark=row.remark,
        revision=row.revision,
        state=row.state,
        place=place_of(row),
    )


def payment_of(row: Row[Any]) -> Payment:
    """The payment in a row."""
    return Payment(row.by, row.interest, row.principal, _hash(row.ref), place_of(row))


def _bytes32(text: str) -> Hash32:
    return Hash32(bytes.fromhex(text[2:]))


def _hash(text: str | None) -> Hash32 | None:
    return None if text is None else _bytes32(text)


def _address(text: str) -> Address:
    return Address(bytes.fromhex(text[2:]))
