"""Ids and digests of models' records, and words of their codes, as the contracts make them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from eth_abi.abi import encode

from contracts.consortium import organisation_id_word
from contracts.errors import CalldataValueError
from contracts.genesis import MODEL_RELEASES_ADDRESS, MODEL_RUNS_ADDRESS, MODELS_ADDRESS
from contracts.instruments.records import code_word
from contracts.models.types import BP_WHOLE, Party, RecordKind, Terms
from ledger.state.keccak import keccak
from ledger.types import Address, Hash32

NUMBER_SIZE_BYTES: Final = 32
CURRENCY_SIZE_BYTES: Final = 3
_TERMS: Final = "(bytes32,bytes32[],bytes32[],(uint64,uint64),uint128,bytes3,uint16[],uint48)"
_PLACES: Final = {
    RecordKind.PROJECT: MODELS_ADDRESS,
    RecordKind.DATA_SET: MODELS_ADDRESS,
    RecordKind.GRANT: MODELS_ADDRESS,
    RecordKind.RUN: MODEL_RUNS_ADDRESS,
    RecordKind.RELEASE: MODEL_RELEASES_ADDRESS,
    RecordKind.BATCH: MODEL_RELEASES_ADDRESS,
    RecordKind.PAYMENT: MODEL_RELEASES_ADDRESS,
}


def word_of(text: str, what: str) -> bytes:
    """A code or number as bytes32. Raises `CalldataValueError`."""
    try:
        return code_word(text, NUMBER_SIZE_BYTES)
    except ValueError as error:
        raise CalldataValueError(f"{what}: {error}") from error


def currency_word(currency: str) -> bytes:
    """A currency's ISO 4217 code as bytes3. Raises `CalldataValueError`."""
    if len(currency) != CURRENCY_SIZE_BYTES or not all("A" <= c <= "Z" for c in currency):
        raise CalldataValueError(f"currency {currency[:16]!r} is not three capital letters")
    return currency.encode("ascii")


def record_id(
    kind: RecordKind,
    chain_id: int,
    organisation: str,
    number: str,
    contract: Address | None = None,
) -> Hash32:
    """Id of what an organisation makes under a number of its own.

    `contract` is that of genesis where None. Raises `CalldataValueError` or `OrganisationIdError`.
    """
    place = _PLACES[kind] if contract is None else contract
    words = [
        chain_id,
        place,
        int(kind),
        organisation_id_word(organisation),
        word_of(number, "number"),
    ]
    types = ["uint256", "address", "uint8", "bytes32", "bytes32"]
    return Hash32(keccak(encode(types, words)))


def terms_values(terms: Terms) -> dict[str, object]:
    """A struct of terms by the names of the contract. Raises `CalldataValueError`."""
    return {
        "document": terms.document,
        "algorithms": [word_of(one, "algorithm") for one in terms.algorithms],
        "codes": list(terms.codes),
        "budget": (terms.budget.epsilon, terms.budget.delta),
        "price": terms.price,
        "currency": currency_word(terms.currency),
        "shares": list(terms.shares),
        "until": terms.until,
    }


def terms_digest(project: Hash32, version: int, parties: Sequence[Party], terms: Terms) -> Hash32:
    """What a party accepts: terms that would become `version` (1: the project's first).

    Whoever has seen the terms computes it himself, so that he accepts nothing else. Raises
    `CalldataValueError` or `OrganisationIdError`.
    """
    types = ["bytes32", "uint32", "bytes32[]", "uint8[]", _TERMS]
    words = [
        project,
        version,
        [organisation_id_word(party.organisation) for party in parties],
        [int(party.part) for party in parties],
        tuple(terms_values(terms).values()),
    ]
    return Hash32(keccak(encode(types, words)))


def contribution_digest(
    release: Hash32, version: int, shares: Sequence[int], evidence: Hash32
) -> Hash32:
    """What a party approves of a proposed contribution."""
    types = ["bytes32", "uint32", "uint16[]", "bytes32"]
    return Hash32(keccak(encode(types, [release, version, list(shares), evidence])))


def parts_of(amount: int, shares: Sequence[int]) -> tuple[int, ...]:
    """Each party's part of an amount, as the contract shares it out.

    What is lost in rounding down goes to the next one, so that the parts make the amount.
    """
    parts, before, bp = [], 0, 0
    for share in shares:
        bp += share
        up_to = amount * bp // BP_WHOLE
        parts.append(up_to - before)
        before = up_to
    return tuple(parts)
