"""Who is given events that the feed tells nobody, or tells each only what is his of them.

The same as over HTTP: whoever sees the record there sees what was told of it. What was published is
for all members.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from contracts.abi import EventKind
from contracts.artifact import Artifact
from contracts.claimants import sees_claimant
from contracts.claims import CLAIMS_ARTIFACT
from contracts.financing import find_application
from contracts.financing.genesis import APPLICATIONS_ARTIFACT, PRICING_ARTIFACT
from contracts.instruments import Viewer
from contracts.pools.genesis import POOL_BOOK_ARTIFACT
from contracts.pools.queries import find_pool
from contracts.receipts.genesis import RECEIPTS_ARTIFACT
from contracts.receivables.genesis import RECEIVABLES_ARTIFACT
from contracts.settlement.genesis import DEPOSITS_ARTIFACT
from contracts.stock import find_lot
from contracts.stock.genesis import STOCK_ARTIFACT
from ledger.chain import Ledger
from ledger.tlog import EventLeaf, LargeEventLeaf
from ledger.types import Hash32

Told = EventLeaf | LargeEventLeaf
Sees = Callable[[Connection, Hash32, Viewer], bool]


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads an event."""

    sees: Sees
    """Whether he sees the record that it is about."""
    topic: int = 1
    """Which topic names that record."""


def _topic(artifact: Artifact, event: str) -> Hash32:
    return EventKind.of(artifact, event).topic


def _lot(connection: Connection, key: Hash32, viewer: Viewer) -> bool:
    return find_lot(connection, key, viewer) is not None


def _pool(connection: Connection, id_: Hash32, viewer: Viewer) -> bool:
    return find_pool(connection, id_, viewer) is not None


def _borrower(connection: Connection, id_: Hash32, viewer: Viewer) -> bool:
    """What a bank has decided is told the borrower as an offer; other banks not at all."""
    found = find_application(connection, id_, viewer)
    if found is None or viewer.sees_all:
        return found is not None
    return found.application.borrower == viewer.organisation


_ANNULLED: Final = _topic(CLAIMS_ARTIFACT, "Annulled")
_RELEASED: Final = _topic(CLAIMS_ARTIFACT, "Released")

FOR_MEMBERS: Final = frozenset(
    {
        _topic(PRICING_ARTIFACT, "TablePublished"),
        _topic(RECEIPTS_ARTIFACT, "TermsPublished"),
        _topic(RECEIVABLES_ARTIFACT, "TermsPublished"),
        _topic(POOL_BOOK_ARTIFACT, "RulesPublished"),
        _topic(DEPOSITS_ARTIFACT, "HomeChosen"),
    }
)
"""What all members read: banks' rates, documents and rules that were published, where somebody
wants to be paid."""

READERS: Final[Mapping[Hash32, Reader]] = {
    _topic(STOCK_ARTIFACT, "StockMoved"): Reader(_lot),
    _topic(APPLICATIONS_ARTIFACT, "ApplicationActed"): Reader(_borrower),
    _topic(CLAIMS_ARTIFACT, "Claimed"): Reader(sees_claimant, 3),
    _RELEASED: Reader(sees_claimant, 3),
    _ANNULLED: Reader(sees_claimant, 3),
    _topic(POOL_BOOK_ARTIFACT, "FeesAgreed"): Reader(_pool),
    _topic(POOL_BOOK_ARTIFACT, "TrancheAgreed"): Reader(_pool),
    _topic(POOL_BOOK_ARTIFACT, "UnitsMoved"): Reader(_pool),
}


def is_read_by(
    connection: Connection,
    ledger: Ledger,
    leaf: Told,
    viewer: Viewer,
    instruments: frozenset[str] | None,
) -> bool:
    """Whether a leaf that the feed tells nobody is for this viewer. `instruments`: ids (0x…) of the
    only records that his key is for; None: no such bound."""
    kind = leaf.topics[0] if leaf.topics else None
    reader = None if kind is None else READERS.get(kind)
    record = _record(ledger, leaf, 1 if reader is None else reader.topic)
    if instruments is not None and (record is None or f"0x{record.hex()}" not in instruments):
        return False
    if kind in FOR_MEMBERS:
        return True
    return reader is not None and record is not None and reader.sees(connection, record, viewer)


def _record(ledger: Ledger, leaf: Told, topic: int) -> Hash32 | None:
    if leaf.topics[:1] == (_ANNULLED,):
        return _annulled_of(ledger, leaf)
    return leaf.topics[topic] if len(leaf.topics) > topic else None


def _annulled_of(ledger: Ledger, leaf: Told) -> Hash32 | None:
    """The record from which a claim was taken: told right before as released."""
    for placed in reversed(ledger.logs(leaf.block_number)):
        log = placed.log
        before = placed.log_index < leaf.log_index and log.address == leaf.address
        if before and len(log.topics) == 4 and log.topics[:2] == (_RELEASED, leaf.topics[1]):
            return log.topics[3]
    return None
