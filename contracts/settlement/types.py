"""The words of deposits and deals.

Amounts are in hundredths of the currency (ISO 4217), times in unix seconds. States and acts of
deals are told by their names in `machine.toml`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from contracts.consortium import Role
from ledger.types import Address, Hash32


class _Word(IntEnum):
    @property
    def word(self) -> str:
        """As JSON says it: lower case with hyphens."""
        return self.name.lower().replace("_", "-")


class MovementKind(_Word):
    """What has happened to an account; the numbers are the contract's."""

    OPENED = 1
    ISSUED = 2
    REDEMPTION_REQUESTED = 3
    REDEEMED = 4
    REDEMPTION_REFUSED = 5
    REDEMPTION_WITHDRAWN = 6
    SENT = 7
    RECEIVED = 8
    SET_ASIDE = 9
    GIVEN_BACK = 10
    HELD = 11
    RELEASED = 12
    COLLECTED = 13

    @property
    def sign(self) -> int:
        """What the amount does to the balance: 1, -1, or 0 where it only binds or frees it."""
        if self in (MovementKind.ISSUED, MovementKind.RECEIVED):
            return 1
        out = (MovementKind.REDEEMED, MovementKind.SENT, MovementKind.COLLECTED)
        return -1 if self in out else 0


class RedemptionState(_Word):
    """How far the paying out of a deposit is; the numbers are the contract's."""

    REQUESTED = 1
    CONFIRMED = 2
    REFUSED = 3
    WITHDRAWN = 4


class PositionKind(_Word):
    """What has happened between two banks; the numbers are the contract's."""

    LIMITED = 1
    CLAIMED = 2
    SETTLED = 3
    SET_OFF = 4
    """Claimed both ways: goes out against the claim of a payment."""


class ConditionKind(_Word):
    """What a deal waits for; the numbers are the contract's."""

    NONE = 0
    DATE = 1
    DELIVERY = 2
    INSPECTION = 3


@dataclass(frozen=True, slots=True)
class Account:
    """What a bank owes one organisation in one currency."""

    bank: str
    owner: str
    currency: str
    balance: int
    set_aside: int
    """Part of the balance that is promised."""
    held: int
    """What may not go out; more than the balance where more is to come, at most 2^128 - 1."""
    revision: int

    @property
    def free(self) -> int:
        """What may go out now."""
        return max(0, self.balance - self.set_aside - self.held)


@dataclass(frozen=True, slots=True)
class Movement:
    """One line of an account's statement."""

    by: str
    amount: int
    counterparty: str | None
    """Who gave or got it; None where nobody else did."""
    counterparty_bank: str | None
    number: str | None
    """Of the organisation that acted."""
    cause: Hash32 | None
    """The deal, loan, pool or receivable that it was for, or a decision's hash."""
    rest: int
    """What is left of the redemption or hold that it belongs to."""


@dataclass(frozen=True, slots=True)
class Book:
    """A bank's books in one currency: issued - redeemed + received - sent = sum of balances."""

    issued: int
    redeemed: int
    received: int
    sent: int

    @property
    def owed(self) -> int:
        """What the bank owes all its customers together."""
        return self.issued - self.redeemed + self.received - self.sent


@dataclass(frozen=True, slots=True)
class Position:
    """What one bank owes another, and up to which amount that bank lets it."""

    claim: int
    limit: int


@dataclass(frozen=True, slots=True)
class Redemption:
    """A deposit that the owner wants paid out."""

    account: Hash32
    number: str | None
    amount: int
    state: RedemptionState


@dataclass(frozen=True, slots=True)
class Hold:
    """An amount that does not go out of an account."""

    account: Hash32
    by: str
    """An authority, or the pledgee of a receivable that was paid."""
    cause: Hash32 | None
    amount: int
    """Still held."""


@dataclass(frozen=True, slots=True)
class Payment:
    """An order to pay."""

    payer_bank: str
    """Where the payer's money is; the payer itself where it is a bank."""
    payee: str
    currency: str
    amount: int
    number: str
    """The payer's own, used once: 1 to 32 printable ASCII characters without spaces."""
    payee_bank: str | None = None
    """None: where the payee wants to be paid."""


@dataclass(frozen=True, slots=True)
class Discharge:
    """An order to pay a receivable."""

    receivables: Address
    """The version of the contract that keeps it."""
    receivable: Hash32
    revision: int
    """0: whichever."""
    payer_bank: str
    amount: int
    number: str


@dataclass(frozen=True, slots=True)
class Condition:
    """What a deal waits for once both have agreed."""

    kind: ConditionKind = ConditionKind.NONE
    due: int = 0
    """Of a date."""
    deadline: int = 0
    """Until when the attestor speaks."""
    attestor: str | None = None
    subject: Hash32 | None = None
    """What is delivered or inspected: an EPCIS event's hash, a batch's root, a terms hash."""


NO_CONDITION = Condition()


@dataclass(frozen=True, slots=True)
class Leg:
    """An instrument in a deal."""

    instrument: Address
    id: Hash32
    revision: int
    """As it is (in a draft), or was when it was locked (in a record), and from the buyer's
    commitment on as he has bound himself to it."""


@dataclass(frozen=True, slots=True)
class OfferDraft:
    """Instruments against one payment."""

    number: str
    """The seller's own number of the deal, used once."""
    currency: str
    amount: int
    expires: int
    legs: tuple[Leg, ...]
    """1 to 16."""
    buyer: str | None = None
    """None: anybody, of `role` where that is given."""
    role: Role | None = None
    seller_bank: str | None = None
    """None: where the seller wants to be paid."""
    terms: Hash32 | None = None
    """SHA-256 of the contract's document."""
    condition: Condition = NO_CONDITION


@dataclass(frozen=True, slots=True)
class ConditionalDraft:
    """A payment on a condition, without instruments."""

    number: str
    payee: str
    payer_bank: str
    currency: str
    amount: int
    condition: Condition
    payee_bank: str | None = None
    terms: Hash32 | None = None


@dataclass(frozen=True, slots=True)
class Deal:
    """Delivery versus payment, or a payment on a condition, as the contract keeps it."""

    number: str
    seller: str
    """Gets the money."""
    buyer: str | None
    """Pays; None while anybody may."""
    seller_bank: str
    buyer_bank: str | None
    terms: Hash32 | None
    evidence: Hash32 | None
    """SHA-256 of what the attestor has seen."""
    cancel_asked_by: str | None
    amount: int
    currency: str
    role: Role | None
    state: str
    expires: int
    """Until when the offer can be accepted; 0 where there was none."""
    revision: int
    condition: Condition
    legs: tuple[Leg, ...]


@dataclass(frozen=True, slots=True)
class AccountChanged:
    """A change, with the account as it is afterwards."""

    account: Hash32
    id: Hash32 | None
    """Of the payment, redemption, hold or deal."""
    kind: MovementKind
    content: Account
    movement: Movement
    remark: str


@dataclass(frozen=True, slots=True)
class PositionChanged:
    """What stands between two banks, as it is afterwards."""

    creditor: str
    debtor: str
    id: Hash32 | None
    kind: PositionKind
    currency: str
    content: Position
    amount: int
    number: str | None
    remark: str


@dataclass(frozen=True, slots=True)
class HomeChosen:
    """Where an organisation wants to be paid."""

    organisation: str
    currency: str
    bank: str


DepositEvent: TypeAlias = AccountChanged | PositionChanged | HomeChosen


@dataclass(frozen=True, slots=True)
class DealActed:
    """An act, with the deal as it is afterwards."""

    id: Hash32
    by: str
    act: str
    deal: Deal
    detail: Hash32 | None
    """Evidence or decision."""
    remark: str
