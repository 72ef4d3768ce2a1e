"""Calls and logs of the Claims contract. Instruments make claims, authorities annul them."""

from __future__ import annotations

from typing import Final

from contracts.abi import Function
from contracts.claims.genesis import CLAIMS_ARTIFACT
from contracts.claims.types import Annulled, Claim, Claimed, ClaimsEvent, Released
from contracts.consortium import organisation_id_text, organisation_id_word
from contracts.events import LogDecoder, Values, address_of
from ledger.state.keccak import keccak
from ledger.types import Hash32, Log

_CLAIM_OF: Final = Function.of(CLAIMS_ARTIFACT, "claimOf")
_ANNUL: Final = Function.of(CLAIMS_ARTIFACT, "annul")


def annul_claim_calldata(key: Hash32, decision: Hash32, remark: str = "") -> bytes:
    """Take a key from a record that has ended, or what an order only keeps (`reserved_key`).

    Arbitrators and regulators.

    `decision` is the SHA-256 of the decision's document. Raises `CalldataValueError`.
    """
    return _ANNUL.calldata(key, decision, remark)


def reserved_key(creditor: str, debtor: str, key: Hash32) -> Hash32:
    """Under what an order's invoice is kept between these two until the order is delivered.

    Raises `OrganisationIdError`.
    """
    words = organisation_id_word(creditor) + organisation_id_word(debtor)
    return Hash32(keccak(words + key))


def claim_of_calldata(key: Hash32) -> bytes:
    """Calldata of `claimOf`, to be called, not sent. Raises `CalldataValueError`."""
    return _CLAIM_OF.calldata(key)


def decode_claim_of(output: bytes) -> Claim | None:
    """Who has the key, or None where nobody has. Raises `CalldataError`."""
    ((instrument, id_),) = _CLAIM_OF.result(output)
    address = address_of(instrument)
    return Claim(address, Hash32(id_)) if any(address) else None


def decode_log(log: Log) -> ClaimsEvent:
    """The event in a log of the contract. Raises `LogError` where it is none of its events."""
    return _EVENTS.decode(log)


def _claimed(values: Values) -> ClaimsEvent:
    return Claimed(Hash32(values["key"]), address_of(values["instrument"]), Hash32(values["id"]))


def _released(values: Values) -> ClaimsEvent:
    return Released(Hash32(values["key"]), address_of(values["instrument"]), Hash32(values["id"]))


def _annulled(values: Values) -> ClaimsEvent:
    return Annulled(
        key=Hash32(values["key"]),
        by=organisation_id_text(values["by"]),
        decision=Hash32(values["decision"]),
        remark=values["remark"],
    )


_EVENTS: Final = LogDecoder[ClaimsEvent](
    CLAIMS_ARTIFACT, Claimed=_claimed, Released=_released, Annulled=_annulled
)
