"""Calls and logs of the Pledges contract.

All builders of calldata raise `CalldataValueError` or `OrganisationIdError` for what does not fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from eth_abi.abi import encode

from contracts.abi import Function, canonical_type
from contracts.consortium import organisation_id_text, organisation_id_word
from contracts.errors import ArtifactError, CalldataError, CalldataValueError
from contracts.events import LogDecoder, Values, address_of
from contracts.instruments.machine import load_machine
from contracts.instruments.records import (
    arranged,
    code_text,
    code_word,
    hash_of,
    members_of,
    organisation_of,
    struct,
)
from contracts.pledges.genesis import PLEDGES_ARTIFACT
from contracts.pledges.types import (
    AssetCovered,
    AssetFreed,
    Pledge,
    PledgeAnnulled,
    PledgeChanged,
    PledgesEvent,
    State,
    Terms,
)
from ledger.state.keccak import keccak
from ledger.types import Address, Hash32, Log

MACHINE: Final = load_machine("contracts.pledges")
STATES: Final = MACHINE.states
"""By number, as `State`."""

CURRENCY_SIZE_BYTES: Final = 3


def _function(name: str) -> Function:
    return Function.of(PLEDGES_ARTIFACT, name)


_PROPOSE: Final = _function("propose")
_ACCEPT: Final = _function("accept")
_DECLINE: Final = _function("decline")
_WITHDRAW: Final = _function("withdraw")
_RELEASE: Final = _function("release")
_DECLARE_DEFAULT: Final = _function("declareDefault")
_CURE: Final = _function("cure")
_ENFORCE: Final = _function("enforce")
_ANNUL: Final = _function("annul")
_PLEDGE: Final = _function("pledge")
_PLEDGE_OF: Final = _function("pledgeOf")
_TERMS_MEMBERS: Final = members_of(PLEDGES_ARTIFACT, "propose", "terms")
_PLEDGE_MEMBERS: Final = members_of(PLEDGES_ARTIFACT, "PledgeChanged", "content")


def _terms_type() -> str:
    entry = next(e for e in PLEDGES_ARTIFACT.abi if e.get("name") == "propose")
    for value in entry["inputs"]:
        if value["name"] == "terms":
            return canonical_type(value)
    raise ArtifactError("Pledges: propose has no terms")


_TERMS_TYPE: Final = _terms_type()

# ---- calldata -----------------------------------------------------------------------------------


def propose_calldata(
    instrument: Address,
    id_: Hash32,
    revision: int,
    pledgee: str,
    terms: Terms,
    remark: str = "",
) -> bytes:
    """Offer an instrument, as it is at this revision, as security to a bank. Its holder."""
    word = organisation_id_word(pledgee)
    return _PROPOSE.calldata(instrument, id_, revision, word, _terms_tuple(terms), remark)


def accept_calldata(key: Hash32, remark: str = "") -> bytes:
    """Consent: from now on the instrument is pledged. The pledgee."""
    return _ACCEPT.calldata(key, remark)


def decline_calldata(key: Hash32, remark: str = "") -> bytes:
    """Refuse a proposal. The pledgee."""
    return _DECLINE.calldata(key, remark)


def withdraw_calldata(key: Hash32, remark: str = "") -> bytes:
    """Take a proposal back. The pledgor."""
    return _WITHDRAW.calldata(key, remark)


def release_calldata(key: Hash32, ids: Sequence[Hash32], remark: str = "") -> bytes:
    """Free some of the covered instruments; all: the pledge ends. The pledgee."""
    return _RELEASE.calldata(key, list(ids), remark)


def declare_default_calldata(key: Hash32, remark: str = "") -> bytes:
    """The debt was due and not paid: the time of notice begins. The pledgee."""
    return _DECLARE_DEFAULT.calldata(key, remark)


def cure_calldata(key: Hash32, remark: str = "") -> bytes:
    """The debt was paid after all. The pledgee."""
    return _CURE.calldata(key, remark)


def enforce_calldata(key: Hash32, ids: Sequence[Hash32], to: str, remark: str = "") -> bytes:
    """After the time of notice, take covered instruments for oneself or a buyer. The pledgee."""
    return _ENFORCE.calldata(key, list(ids), organisation_id_word(to), remark)


def annul_calldata(key: Hash32, ids: Sequence[Hash32], decision: Hash32, remark: str = "") -> bytes:
    """Free covered instruments by a decision. The authority that has frozen them."""
    return _ANNUL.calldata(key, list(ids), decision, remark)


def pledge_calldata(key: Hash32) -> bytes:
    """Calldata of `pledge`, to be called, not sent."""
    return _PLEDGE.calldata(key)


def decode_pledge(output: bytes) -> Pledge | None:
    """The pledge, or None where the key is unknown. Raises `CalldataError`."""
    (found,) = _PLEDGE.result(output)
    values = struct(_PLEDGE_MEMBERS, found)
    if not values["state"]:
        return None
    try:
        return _pledge(values)
    except ValueError as error:
        raise CalldataError(f"result of pledge: {error}") from error


def pledge_of_calldata(instrument: Address, id_: Hash32) -> bytes:
    """Calldata of `pledgeOf`, to be called, not sent."""
    return _PLEDGE_OF.calldata(instrument, id_)


def decode_pledge_of(output: bytes) -> Hash32 | None:
    """Key of the live pledge that covers an instrument, or None. Raises `CalldataError`."""
    return hash_of(_PLEDGE_OF.result(output)[0])


def pledge_key(
    instrument: Address,
    id_: Hash32,
    revision: int,
    pledgor: str,
    pledgee: str,
    terms: Terms,
    loan: Hash32 | None = None,
) -> Hash32:
    """Key of the pledge that `propose` (or, with a loan, Financing) makes of the same values."""
    types = ["address", "bytes32", "uint64", "bytes32", "bytes32", _TERMS_TYPE, "bytes32"]
    values = [
        instrument,
        id_,
        revision,
        organisation_id_word(pledgor),
        organisation_id_word(pledgee),
        _terms_tuple(terms),
        loan or bytes(32),
    ]
    return Hash32(keccak(encode(types, values)))


def _terms_tuple(terms: Terms) -> tuple[object, ...]:
    try:
        currency = code_word(terms.currency, CURRENCY_SIZE_BYTES)
    except ValueError as error:
        raise CalldataValueError(f"currency: {error}") from error
    values = {
        "amount": terms.amount,
        "currency": currency,
        "due": terms.due,
        "noticeSeconds": terms.notice_seconds,
        "terms": terms.terms,
    }
    return arranged(_TERMS_MEMBERS, values)


# ---- logs ---------------------------------------------------------------------------------------


def decode_log(log: Log) -> PledgesEvent:
    """The event in a log of the contract. Raises `LogError` where it is none of its events."""
    return _EVENTS.decode(log)


def _pledge(values: Values) -> Pledge:
    terms = struct(_TERMS_MEMBERS, values["terms"])
    return Pledge(
        instrument=address_of(values["instrument"]),
        id=Hash32(values["id"]),
        instrument_revision=values["instrumentRevision"],
        pledgor=organisation_id_text(values["pledgor"]),
        pledgee=organisation_id_text(values["pledgee"]),
        terms=Terms(
            amount=terms["amount"],
            currency=code_text(terms["currency"]),
            due=terms["due"],
            notice_seconds=terms["noticeSeconds"],
            terms=Hash32(terms["terms"]),
        ),
        state=State(values["state"]),
        assets=values["assets"],
        since=values["since"],
        loan=hash_of(values["loan"]),
    )


def _changed(values: Values) -> PledgesEvent:
    return PledgeChanged(
        key=Hash32(values["key"]),
        by=organisation_id_text(values["by"]),
        pledge=_pledge(struct(_PLEDGE_MEMBERS, values["content"])),
        remark=values["remark"],
    )


def _annulled(values: Values) -> PledgesEvent:
    return PledgeAnnulled(
        key=Hash32(values["key"]),
        by=organisation_id_text(values["by"]),
        decision=Hash32(values["decision"]),
        ids=tuple(Hash32(one) for one in values["ids"]),
    )


def _covered(values: Values) -> PledgesEvent:
    return AssetCovered(
        Hash32(values["key"]), address_of(values["instrument"]), Hash32(values["id"])
    )


def _freed(values: Values) -> PledgesEvent:
    return AssetFreed(
        Hash32(values["key"]),
        address_of(values["instrument"]),
        Hash32(values["id"]),
        organisation_of(values["to"]),
    )


_EVENTS: Final = LogDecoder[PledgesEvent](
    PLEDGES_ARTIFACT,
    PledgeChanged=_changed,
    PledgeAnnulled=_annulled,
    AssetCovered=_covered,
    AssetFreed=_freed,
)
