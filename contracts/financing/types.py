"""The words of Applications, Financing and Pricing.

Amounts are in hundredths of the currency, rates in hundredths of a percent a year (bp), times in
unix seconds. States and acts are told by their names in `machine.toml`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import TypeAlias

from ledger.types import Address, Hash32


class Mode(IntEnum):
    """How the rate is found; the numbers are the contract's."""

    TIERED = 1
    CONTRIBUTION = 2
    MARKET = 3

    @property
    def word(self) -> str:
        """As JSON says it."""
        return self.name.lower()


class Stance(IntEnum):
    """How a bank stands to an application; the numbers are the contract's."""

    NONE = 0
    APPROVED = 1
    DECLINED = 2
    COMMITTED = 3
    REVEALED = 4

    @property
    def word(self) -> str:
        """As JSON says it."""
        return self.name.lower()


class Fact(IntFlag):
    """What the ledger says of a collateral before a loan."""

    NONE = 0
    TITLE = 1
    PLEDGE = 2
    STOCK = 4
    DUPLICATE = 8


class Breach(IntFlag):
    """What is amiss with a collateral during a loan."""

    NONE = 0
    SHORTFALL = 1
    FREEZE = 2
    OLD_COUNT = 4
    STORAGE_OVER = 8


# ---- prices -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tier:
    """One row of a bank's table."""

    amount_max: int
    term_days_max: int
    rate_bp: int
    kind: str | None = None
    """`receipts` or `receivables`; None: for both."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """What customers' points do to rates."""

    points_per_bp: int = 0
    """0: points count for nothing."""
    discount_bp_max: int = 0
    floor_bp: int = 0


@dataclass(frozen=True, slots=True)
class RateTable:
    """A version of a bank's table for a currency."""

    bank: str
    currency: str
    version: int
    """From 1."""
    tiers: tuple[Tier, ...]
    contribution: Contribution
    document: Hash32
    """SHA-256 of the conditions in words."""


@dataclass(frozen=True, slots=True)
class PointsRecorded:
    """A customer's points with a bank have changed."""

    bank: str
    customer: str
    ref: Hash32
    change: int
    points: int
    """After the change."""


@dataclass(frozen=True, slots=True)
class SealedQuote:
    """A quote that was opened."""

    bank: str
    rate_bp: int
    order: int
    """In which it was handed in, from 1."""


# ---- applications -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Request:
    """What a borrower asks for, with all conditions; never changed."""

    number: str
    """The borrower's own: 1 to 32 printable ASCII characters without spaces."""
    instrument: Address
    """Contract of the collateral."""
    asset: Hash32
    asset_revision: int
    amount: int
    amount_min: int
    """The least that an offer may be for."""
    currency: str
    term_days: int
    """From payout to the due date."""
    year_days: int
    """360 or 365."""
    mode: Mode
    purpose: Hash32
    """SHA-256 of what the money is for."""
    expires: int
    """Until when offers can be accepted and drawn."""
    agreement: bool = False
    """Whether both sign an agreement before payout."""
    quotes_until: int = 0
    """Sealed quotes are taken before it and opened from it on (market)."""
    reveal_until: int = 0
    rate_bp_max: int = 0
    """The highest rate that a quote may have (market)."""
    penalty_bp: int = 0
    """On top of the rate after the due date."""
    grace_seconds: int = 0
    """After the due date, before the loan is overdue."""
    notice_seconds: int = 0
    """From default to enforcement."""


@dataclass(frozen=True, slots=True)
class Check:
    """What the ledger said of the collateral."""

    applicable: Fact
    passed: Fact
    block_number: int
    time: int

    @property
    def failed(self) -> Fact:
        """What applied and did not pass."""
        return self.applicable & ~self.passed


@dataclass(frozen=True, slots=True)
class Application:
    """An application as the contract keeps it."""

    borrower: str
    bank: str | None
    """Whose offer was accepted."""
    offer_hash: Hash32 | None
    signed_by_borrower: Hash32 | None
    signed_by_bank: Hash32 | None
    best: str | None
    """The bank with the best quote so far."""
    valid_until: int
    """Until when the accepted offer can be drawn; 0 before."""
    open: int
    """Banks that have not declined."""
    quotes: int
    check: Check | None
    """None where it was not checked."""
    request: Request

    @property
    def is_sealed(self) -> bool:
        """Whether quotes are sealed, and none is accepted yet: events then have zeros for `best`,
        `open` and `quotes`, since whoever knows the rest would find them by the leaf's hash."""
        return self.request.mode is Mode.MARKET and self.bank is None


@dataclass(frozen=True, slots=True)
class Offer:
    """How a bank stands to an application."""

    stance: Stance
    table_version: int
    rate_bp: int
    discount_bp: int
    valid_until: int
    decided: int
    order: int
    amount: int
    commitment: Hash32 | None
    text: Hash32 | None
    """SHA-256 of the offer's terms, or of the reasons for declining."""


@dataclass(frozen=True, slots=True)
class Advice:
    """The platform's advice."""

    by: str
    text: Hash32
    limit: int
    rate_bp: int
    score: int
    given: int


@dataclass(frozen=True, slots=True)
class ApplicationActed:
    """An act, with the application as it is afterwards."""

    id: Hash32
    by: str
    act: str
    revision: int
    state: str
    application: Application
    detail: Hash32 | None
    remark: str


@dataclass(frozen=True, slots=True)
class OfferChanged:
    """How a bank stands to an application, after the invitation or an act of its own."""

    id: Hash32
    bank: str
    borrower: str
    offer: Offer
    offer_hash: Hash32 | None


@dataclass(frozen=True, slots=True)
class Advised:
    """The platform has given its advice."""

    id: Hash32
    by: str
    advice: Advice


# ---- loans --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Debt:
    """What was lent and what of it is unpaid."""

    lent: int
    principal: int
    interest_paid: int
    accrued: int
    """Interest unpaid at `accrued_at`: sum of principal · bp · days."""
    drawn: int
    due: int
    accrued_at: int


@dataclass(frozen=True, slots=True)
class Watch:
    """Warnings after payout."""

    breach_asset: Hash32 | None
    breach_since: int
    warnings: int
    severity: int
    """Of the last warning, 1 to 3; 0 where there was none."""
    breach: Breach


@dataclass(frozen=True, slots=True)
class Loan:
    """A loan as the contract keeps it."""

    borrower: str
    bank: str
    terms: Hash32
    """The signed agreement, or the accepted offer where none was signed."""
    pledge: Hash32 | None
    instrument: Address
    asset: Hash32
    currency: str
    year_days: int
    rate_bp: int
    penalty_bp: int
    grace_seconds: int
    debt: Debt
    watch: Watch


@dataclass(frozen=True, slots=True)
class LoanActed:
    """An act, with the loan as it is afterwards."""

    id: Hash32
    by: str
    act: str
    revision: int
    state: str
    loan: Loan
    detail: Hash32 | None
    remark: str


@dataclass(frozen=True, slots=True)
class Paid:
    """Money came in."""

    id: Hash32
    by: str
    interest: int
    principal: int
    ref: Hash32 | None
    """Of money that came in outside the ledger."""


FinancingEvent: TypeAlias = (
    ApplicationActed | OfferChanged | Advised | LoanActed | Paid | RateTable | PointsRecorded
)
"""`RateTable`: a version of a table was published."""
