"""Calls and logs of the Claims contract. Instruments alone change claims: all calls here read."""

from __future__ import annotations

from typing import Final

from contracts.abi import Function
from contracts.claims.genesis import CLAIMS_ARTIFACT
from contracts.claims.types import Claim, Claimed, ClaimsEvent, Released
from contracts.events import LogDecoder, Values, address_of
from ledger.types import Hash32, Log

_CLAIM_OF: Final = Function.of(CLAIMS_ARTIFACT, "claimOf")


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


_EVENTS: Final = LogDecoder[ClaimsEvent](CLAIMS_ARTIFACT, Claimed=_claimed, Released=_released)
