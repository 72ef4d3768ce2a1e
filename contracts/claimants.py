"""Who has a claim: the record behind a key, for whoever sees that record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection

from contracts.claims import find_claim
from contracts.instruments import Viewer
from contracts.instruments.places import ChainPlace
from contracts.receipts import find_receipt
from contracts.receivables import ReceivableQuery, find_receivable, list_receivables
from ledger.types import Address, Hash32

Noun = Literal["receipt", "receivable"]


@dataclass(frozen=True, slots=True)
class Claimant:
    """A record that has a claim."""

    key: Hash32
    noun: Noun
    id: Hash32
    contract: Address
    """The version that keeps the record."""
    state: str
    revision: int
    place: ChainPlace
    """Of the record's last act."""

    @property
    def room(self) -> str:
        """Whose scopes count for it."""
        return f"{self.noun}s"


def find_claimant(connection: Connection, key: Hash32, viewer: Viewer) -> Claimant | None:
    """The record that has the key; None where nobody has it, or he may not see the record.

    What is claimed stays with the whole of a receivable that was split: who sees a part is told.
    """
    claim = find_claim(connection, key)
    if claim is None:
        return None
    receipt = find_receipt(connection, claim.id, viewer)
    if receipt is not None:
        title = receipt.receipt
        return Claimant(
            key, "receipt", claim.id, receipt.contract, title.state, title.revision, receipt.place
        )
    whole = find_receivable(connection, claim.id, Viewer.everything())
    if whole is None or not _sees_receivable(connection, claim.id, viewer):
        return None
    debt = whole.receivable
    return Claimant(
        key, "receivable", claim.id, whole.contract, debt.state, debt.revision, whole.place
    )


def room_of_claimant(connection: Connection, id_: Hash32, viewer: Viewer) -> str | None:
    """Whose scopes count for the claims of a record, now or as it was; None: he sees no such."""
    if find_receipt(connection, id_, viewer) is not None:
        return "receipts"
    return "receivables" if _sees_receivable(connection, id_, viewer) else None


def sees_claimant(connection: Connection, id_: Hash32, viewer: Viewer) -> bool:
    """Whether he is told of the claims of a record, now or as it was."""
    return room_of_claimant(connection, id_, viewer) is not None


def _sees_receivable(connection: Connection, id_: Hash32, viewer: Viewer) -> bool:
    """It or a part of it: what is claimed stays with the whole."""
    return bool(list_receivables(connection, ReceivableQuery(root=id_, limit=1), viewer).items)
