"""The Governance contract in genesis: code, founders' votes and the default threshold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from contracts.artifact import load_artifact
from contracts.consortium.ids import organisation_id_text, organisation_id_word
from contracts.errors import GenesisError
from contracts.genesis import (
    NETWORK_ADDRESS,
    AllocEntry,
    constructed,
    enumerable_set,
    listed,
    read_back,
)
from contracts.governance.types import TWO_THIRDS
from contracts.storage import Layout, Words
from ledger.types import Address

GOVERNANCE_ARTIFACT: Final = load_artifact("contracts.governance", "Governance")
_LAYOUT: Final = Layout.of(GOVERNANCE_ARTIFACT)

VOTERS_MAX: Final = 128
VOTES_MAX: Final = 1_000_000


def genesis_account(votes: Mapping[str, int], network: Address = NETWORK_ADDRESS) -> AllocEntry:
    """The `alloc` entry of the contract; `votes` are weights by organisation, 0 for none.

    The organisations are founders (`consortium_alloc` checks). Raises `GenesisError`.
    """
    voters = {organisation: weight for organisation, weight in votes.items() if weight}
    if not 1 <= len(voters) <= VOTERS_MAX:
        raise GenesisError(f"genesis: {len(voters)} organisations vote; 1 to {VOTERS_MAX} can")
    for organisation, weight in voters.items():
        if not 1 <= weight <= VOTES_MAX:
            raise GenesisError(f"genesis: {weight} votes of {organisation}: 0 to {VOTES_MAX} go")
    weights = {organisation_id_word(name): weight for name, weight in voters.items()}
    threshold = {"numerator": TWO_THIRDS.numerator, "denominator": TWO_THIRDS.denominator}
    variables = {
        "_votes": weights,
        "_voters": enumerable_set(list(weights)),
        "_defaultThreshold": threshold,
    }
    return constructed(GOVERNANCE_ARTIFACT, network, variables)


def founding_votes_of(account: AllocEntry) -> dict[str, int]:
    """Weights by organisation in an `alloc` entry, without those of 0.

    Raises `GenesisError` for anything that `genesis_account` would not have written.
    """
    return read_back("Governance", "voters", account, _votes, genesis_account)


def _votes(words: Words) -> dict[str, int]:
    voters = listed(_LAYOUT, words, VOTERS_MAX, "_voters", "_inner", "_values")
    return {organisation_id_text(voter): _LAYOUT.number(words, "_votes", voter) for voter in voters}
