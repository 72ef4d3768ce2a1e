"""The words of the Receivables contract.

Amounts are in hundredths of the currency (ISO 4217), times in unix seconds. States and acts are
told by their names in `machine.toml`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from ledger.types import Hash32


class Kind(IntEnum):
    """What a receivable is; the numbers are the contract's."""

    INVOICE = 1
    BILL = 2
    """An acceptance bill that a trader accepts."""
    BANK_BILL = 3
    """An acceptance bill that a bank accepts."""
    ORDER = 4
    """Owed once its goods are delivered."""

    @property
    def word(self) -> str:
        """As JSON says it."""
        return self.name.lower().replace("_", "-")

    @property
    def is_bill(self) -> bool:
        """Owed without condition, and presented before it can be declared defaulted."""
        return self in (Kind.BILL, Kind.BANK_BILL)


@dataclass(frozen=True, slots=True)
class Draft:
    """What an issuer says of a receivable that it writes down."""

    kind: Kind
    number: str
    """The issuer's own: 1 to 32 printable ASCII characters without spaces."""
    creditor: str
    """The issuer, but for a bill that is drawn for somebody else."""
    debtor: str
    terms: Hash32
    """SHA-256 of the canonical JSON document with all terms."""
    amount: int
    currency: str
    """ISO 4217 code."""
    due: int
    grace_seconds: int = 0
    """From the due date until it may be declared defaulted; at most a year."""
    deliver_by: int = 0
    """Of an order: until when its goods are to be delivered."""
    attestor: str | None = None
    """Of an order: whose word on delivery counts beside the debtor's."""
    keys: tuple[Hash32, ...] = ()
    """Claims on the invoices (or the order) behind it: at most 64, at least one but for bills."""
    payload: bytes = b""
    """That document, where it is for all members; at most 64 KiB."""


@dataclass(frozen=True, slots=True)
class Receivable:
    """A receivable as the contract keeps it."""

    kind: Kind
    issuer: str
    """Who wrote it down: the creditor, or a bill's drawer."""
    number: str | None
    """None for parts."""
    creditor: str
    """To whom it was owed first."""
    debtor: str
    attestor: str | None
    terms: Hash32
    invoice: Hash32 | None
    """Of an order: SHA-256 of its invoice."""
    holder: str
    pledgee: str | None
    guarantor: str | None
    """The nearest endorser who stands behind it."""
    origin: Hash32 | None
    """The receivable it is a part of."""
    root: Hash32
    """The receivable that was created, of which it is a part; itself where it is none."""
    amount: int
    """What was owed in the beginning."""
    outstanding: int
    """What is owed now; 0 where its parts have taken its place."""
    paid: int
    currency: str
    issued: int
    due: int
    deliver_by: int
    presented: int
    """When it was presented for payment; 0 where it was not."""
    grace_seconds: int
    revision: int
    """Acts so far."""
    part: int
    """Which part of the origin it is, from 1; 0 where it is no part."""
    endorsements: int
    """Endorsers before the holder."""
    state: str
    freezes: int
    """How many authorities hold it frozen."""
    locked: bool
    """Promised in a settlement that is under way."""
    disputable: bool
    """Whether the debtor may contest it before it is due."""
    undertaken: bool
    """Whether the holder stands behind it once settlement hands it over."""
    rejectable: bool
    """Whether the next act may reject an endorsement: nobody but others has acted since."""
    financed: bool
    """Whether it was ever pledged or passed on."""

    @property
    def payee(self) -> str:
        """Whom a payment goes to now."""
        return self.pledgee or self.holder

    def overdue(self, now: int) -> bool:
        """Whether it is owed, due and not paid at that time."""
        return self.state in ("accepted", "presented", "defaulted") and self.due <= now


@dataclass(frozen=True, slots=True)
class Endorsement:
    """One who passed it on."""

    endorser: str
    recourse: bool
    """Whether he stands behind it."""


@dataclass(frozen=True, slots=True)
class ReceivableActed:
    """An act, with the receivable as it is afterwards."""

    id: Hash32
    by: str | None
    """None where another contract acted for nobody in particular."""
    act: str
    receivable: Receivable
    detail: Hash32 | None
    """What the act names: a decision, a document, a party, an amount."""
    remark: str


@dataclass(frozen=True, slots=True)
class TermsPublished:
    """The document behind a receivable's terms or an order's invoice, for all members to read."""

    id: Hash32
    terms: Hash32
    payload: bytes


ReceivableEvent: TypeAlias = ReceivableActed | TermsPublished
