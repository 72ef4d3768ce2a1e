"""The words of the Receipts contract.

Quantities are in thousandths of the lot's unit, times in unix seconds. States and acts are told by
their names in `machine.toml`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from ledger.types import Hash32


class Purpose(IntEnum):
    """What the holder gives a receipt back for; the numbers are the contract's."""

    NONE = 0
    DELIVERY = 1
    CORRECTION = 2
    PAPER = 3

    @property
    def word(self) -> str:
        """As JSON says it."""
        return self.name.lower()


class Rejectable(IntEnum):
    """What the very next act may reject; the numbers are the contract's."""

    NOTHING = 0
    OWNERSHIP = 1
    HOLDING = 2
    BOTH = 3

    @property
    def word(self) -> str:
        """As JSON says it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Draft:
    """What a warehouse says of a receipt that it issues."""

    number: str
    """The warehouse's own: 1 to 32 printable ASCII characters without spaces."""
    lot: Hash32
    """Key of the goods in Stock."""
    goods: Hash32
    """SHA-256 of what makes goods equal: class, grade, unit."""
    terms: Hash32
    """SHA-256 of the canonical JSON document with all elements of the receipt."""
    holder: str
    owner: str
    quantity: int
    expires: int
    keys: tuple[Hash32, ...] = ()
    """Claims on these very goods: items, fingerprints; at most 256."""
    payload: bytes = b""
    """That document, where it is for all members; at most 64 KiB."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt as the contract keeps it."""

    warehouse: str
    number: str | None
    """None for receipts that came out of others."""
    lot: Hash32
    goods: Hash32
    terms: Hash32
    holder: str
    """Who controls it (MLETR article 11)."""
    owner: str
    nominee: str | None
    """Whom the holder may make owner."""
    pledgee: str | None
    origin: Hash32 | None
    """The receipt that it came out of."""
    successor: Hash32 | None
    """The receipt that stands in its place."""
    quantity: int
    requested: int
    """What the holder wants handed out of it."""
    issued: int
    expires: int
    revision: int
    """Acts so far."""
    part: int
    """Which part of the origin it is, from 1; 0 where it is no part."""
    state: str
    freezes: int
    """How many authorities hold it frozen."""
    locked: bool
    """Promised in a settlement that is under way."""
    rejectable: Rejectable
    purpose: Purpose


@dataclass(frozen=True, slots=True)
class ReceiptActed:
    """An act, with the receipt as it is afterwards."""

    id: Hash32
    by: str
    act: str
    receipt: Receipt
    detail: Hash32 | None
    """What the act names: a decision, a permitted call, a party, a paper's hash, a quantity."""
    remark: str


@dataclass(frozen=True, slots=True)
class TermsPublished:
    """The document behind a receipt's terms, for all members to read."""

    id: Hash32
    terms: Hash32
    payload: bytes


ReceiptEvent: TypeAlias = ReceiptActed | TermsPublished
