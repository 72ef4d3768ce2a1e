"""Calls of Pledges that only other contracts make."""

from __future__ import annotations

from functools import partial
from typing import Final

from contracts.consortium import organisation_id_word
from contracts.pledges import PLEDGES_ARTIFACT, Terms
from ledger.types import Address, Hash32
from tests.contracts.receipts.world import hash_of
from tests.contracts.scene import call_of

DECISION: Final = hash_of("decision 7 of 2027")


made = partial(call_of, PLEDGES_ARTIFACT)


def secure_calldata(
    instrument: Address, id_: Hash32, revision: int, terms: Terms, loan: Hash32
) -> bytes:
    """What Financing calls for a loan of the bank's to the farm."""
    parties = (organisation_id_word("farm"), organisation_id_word("bank"))
    told = (terms.amount, terms.currency.encode(), terms.due, terms.notice_seconds, terms.terms)
    return made("secure", instrument, id_, revision, *parties, told, loan)
