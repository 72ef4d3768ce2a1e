"""The words of asset pools.

Amounts are hundredths of the pool's currency, rates hundredths of a percent a year (bp).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import IntEnum
from typing import Final, TypeAlias

from ledger.types import Address, Hash32

_EPOCH: Final = date(1970, 1, 1)
TRANCHES_MAX: Final = 8
HOLDERS_MAX: Final = 16
"""Of a tranche when it is agreed; afterwards at most 24."""
FEES_MAX: Final = 4
ASSETS_MAX: Final = 1 << 24
AMOUNT_MAX: Final = 1 << 100
INSTRUMENTS_MAX: Final = 64
"""Instruments in one call of `admit` or `dismiss`."""
PAYMENTS_MAX: Final = 32
"""Payments in one call of `pay`."""
RULES_BYTES_MAX: Final = 65_536


def days_of(day: date) -> int:
    """The date as the contracts have it: days since 1970-01-01."""
    return (day - _EPOCH).days


def date_of(days: int) -> date:
    """The date of a number of days. Raises `ValueError` beyond the year 9999."""
    try:
        return _EPOCH + timedelta(days=days)
    except OverflowError as error:
        raise ValueError(f"{days} days since 1970-01-01 are beyond the year 9999") from error


class PoolState(IntEnum):
    """Where a pool stands."""

    NONE = 0
    PROPOSED = 1
    ACTIVE = 2
    CLOSED = 3
    WITHDRAWN = 4


class PoolAct(IntEnum):
    """What has changed a pool."""

    CREATE = 0
    ACCEPT = 1
    WITHDRAW = 2
    APPOINT = 3
    REPLACE = 4
    CLOSE = 5


class Office(IntEnum):
    """Offices in a pool."""

    TRUSTEE = 0
    SERVICER = 1


class PaymentKind(IntEnum):
    """What a payment to somebody is for."""

    NONE = 0
    FEE = 1
    TRANCHE = 2
    RESIDUAL = 3


class AssetKind(IntEnum):
    """What the id of an asset stands for."""

    OUTSIDE = 1
    """The salted hash of a reference outside this ledger."""
    RECEIVABLE = 2
    RECEIPT = 3


class AssetState(IntEnum):
    """How an asset does."""

    PERFORMING = 1
    OVERDUE = 2
    DEFAULTED = 3
    REPAID = 4
    REMOVED = 5
    """Sold, exchanged, bought back."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a state of the pool may not exceed."""

    assets_max: int
    admit_until: date
    """Last date of the revolving period: later states have no more assets than that one."""
    balance_max: int
    """Of performing and overdue assets together."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed about a pool."""

    trustee: str
    servicer: str
    residual: str
    """Who gets what is left after fees, interest and principal."""
    currency: str
    basis: int
    """Days of a year for interest: 360 or 365."""
    start: date
    """Interest runs after this date."""
    sequential_bp: int
    """Share of overdue and defaulted balance from which on principal goes to the most senior
    tranche first instead of pro rata; 0: always, above 10,000: never."""
    turbo_bp: int
    """The share from which on nothing is left to the residual while a tranche is owed."""
    rules: Hash32
    """SHA-256 of the eligibility rules, canonical JSON."""
    terms: Hash32
    """SHA-256 of the agreement."""
    limits: Limits


@dataclass(frozen=True, slots=True)
class Fee:
    """What somebody gets before the investors."""

    payee: str
    rate_bp: int
    """A year, of the tranches' outstanding principal."""
    fixed_amount: int
    """A year, by days as the rate."""


@dataclass(frozen=True, slots=True)
class Tranche:
    """A rank of investors."""

    name: str
    seniority: int
    """1 is paid first; tranches of the same rank share in proportion."""
    rate_bp: int
    principal: int
    """At the beginning."""


@dataclass(frozen=True, slots=True)
class TrancheDraft:
    """A tranche with its first holders and the principal that each has."""

    name: str
    seniority: int
    rate_bp: int
    holders: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class PoolDraft:
    """A pool as its arranger proposes it."""

    number: str
    """The arranger's own; 1 to 32 printable ASCII characters."""
    terms: Terms
    fees: tuple[Fee, ...]
    tranches: tuple[TrancheDraft, ...]
    """By seniority."""
    rules_document: bytes = b""
    """The eligibility rules, for all members to read; empty: only their hash."""


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool as the contract has it."""

    arranger: str
    number: str
    terms: Terms
    """With those who hold the offices now."""
    state: PoolState
    trustee_accepted: bool
    servicer_accepted: bool
    last_date: date | None
    """Newest date with a state; changes with every state, which is told apart."""
    nominated_trustee: str | None
    nominated_servicer: str | None


@dataclass(frozen=True, slots=True)
class Day:
    """The state of a pool's assets on a date."""

    root: Hash32
    """Of the RFC 6962 tree over all assets."""
    delta: Hash32 | None
    """Root of the tree over the changes since the last state; None: nothing has changed."""
    performing: int
    """Balance of the assets that pay, and so on."""
    overdue: int
    defaulted: int
    count: int
    """Assets; an asset keeps its index for ever."""
    changed: int
    """How many assets are new or different."""


@dataclass(frozen=True, slots=True)
class Open:
    """What was collected for a period that is not distributed."""

    principal: int
    income: int
    revision: int


@dataclass(frozen=True, slots=True)
class Collection:
    """Money that has come in from debtors."""

    payment: Hash32
    """A payment of Settlement, or the hash of a bank's entry."""
    root: Hash32 | None
    """Of the tree over the debtors' single payments; None where it is one debtor's."""
    count: int
    date: date
    period: int
    principal: int
    income: int
    """Interest, charges, and recoveries of what has defaulted."""
    voided: bool = False


@dataclass(frozen=True, slots=True)
class Distribution:
    """What a period's money was shared out into."""

    end: date
    revision: int
    """Of that date's state."""
    sequential: bool
    turbo: bool
    first_payment: int
    payments: int
    collected: int
    fees: int
    interest: int
    principal: int
    residual: int


@dataclass(frozen=True, slots=True)
class Owed:
    """What a tranche, or the payee of a fee, has had and is still owed."""

    repaid: int = 0
    carried: int = 0
    remainder: int = 0
    """Of the last accrual, in 1 / (10,000 x basis) of a hundredth."""


@dataclass(frozen=True, slots=True)
class Account:
    """Where a pool's money stands."""

    periods: int = 0
    period_end: int = 0
    """Days since 1970-01-01; 0: nothing was distributed yet."""
    collections: int = 0
    payments: int = 0
    unconfirmed: int = 0
    shortfall: int = 0
    """Principal due in former periods and not paid."""
    defaulted_peak: int = 0


@dataclass(frozen=True, slots=True)
class Payment:
    """What somebody is paid."""

    payee: str
    period: int
    kind: PaymentKind
    index: int
    """Of the tranche or fee."""
    amount: int
    principal: int
    """How much of the amount repays principal."""
    settled: Hash32 | None = None


@dataclass(frozen=True, slots=True)
class PoolChanged:
    """The pool as it is after an act."""

    id: Hash32
    by: str
    act: PoolAct
    pool: Pool
    remark: str


@dataclass(frozen=True, slots=True)
class FeesAgreed:
    """Fees of a new pool."""

    id: Hash32
    fees: tuple[Fee, ...]


@dataclass(frozen=True, slots=True)
class TrancheAgreed:
    """A tranche of a new pool."""

    id: Hash32
    index: int
    tranche: Tranche
    holders: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class RulesPublished:
    """The eligibility rules of a new pool."""

    id: Hash32
    rules: Hash32
    document: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class UnitsMoved:
    """A part of a tranche has another holder."""

    id: Hash32
    sender: str
    recipient: str
    index: int
    units: int
    sender_units: int
    """After the move."""
    recipient_units: int


@dataclass(frozen=True, slots=True)
class DayCommitted:
    """The state of a date; revision 1 is the first, later ones are corrections."""

    id: Hash32
    date: date
    by: str
    revision: int
    day: Day
    reason: str


@dataclass(frozen=True, slots=True)
class AssetsAdmitted:
    """Instruments of this ledger have come into the pool."""

    id: Hash32
    instrument: Address
    assets: tuple[Hash32, ...]


@dataclass(frozen=True, slots=True)
class AssetsDismissed:
    """Instruments of this ledger have left the pool."""

    id: Hash32
    instrument: Address
    assets: tuple[Hash32, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Collected:
    """Money has come in."""

    id: Hash32
    by: str
    number: int
    collection: Collection
    open: Open


@dataclass(frozen=True, slots=True)
class CollectionVoided:
    """A collection was taken back."""

    id: Hash32
    payment: Hash32
    by: str
    number: int
    open: Open
    reason: str


@dataclass(frozen=True, slots=True)
class Distributed:
    """A period's money is shared out."""

    id: Hash32
    period: int
    by: str
    distribution: Distribution
    tranches: tuple[Owed, ...]
    fees: tuple[Owed, ...]
    account: Account


@dataclass(frozen=True, slots=True)
class PaymentDue:
    """Somebody is to be paid."""

    id: Hash32
    number: int
    payment: Payment


@dataclass(frozen=True, slots=True)
class PaymentConfirmed:
    """Somebody was paid."""

    id: Hash32
    payee: str
    by: str
    number: int
    settled: Hash32


BookEvent: TypeAlias = (
    PoolChanged
    | FeesAgreed
    | TrancheAgreed
    | RulesPublished
    | UnitsMoved
    | DayCommitted
    | AssetsAdmitted
    | AssetsDismissed
)
"""Events of PoolBook."""
CashEvent: TypeAlias = Collected | CollectionVoided | Distributed | PaymentDue | PaymentConfirmed
"""Events of Pools."""
