"""Calls of the PoolBook and Pools contracts.

All builders raise `CalldataValueError` or `OrganisationIdError`. All members see remarks, reasons
and the rules document.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from contracts.abi import Function
from contracts.artifact import Artifact
from contracts.consortium import organisation_id_word
from contracts.errors import CalldataValueError
from contracts.instruments.records import arranged, code_word, members_of
from contracts.pools.genesis import POOL_BOOK_ARTIFACT, POOLS_ARTIFACT
from contracts.pools.leaf import Asset
from contracts.pools.types import (
    Collection,
    Day,
    Fee,
    Office,
    PoolDraft,
    Terms,
    TrancheDraft,
    days_of,
)
from ledger.state.keccak import keccak
from ledger.types import Address, Hash32


def _book(name: str) -> Function:
    return Function.of(POOL_BOOK_ARTIFACT, name)


def _cash(name: str) -> Function:
    return Function.of(POOLS_ARTIFACT, name)


def _members(artifact: Artifact, entry: str, *path: str) -> tuple[str, ...]:
    """Members of a struct within structs."""
    if len(path) == 1:
        return members_of(artifact, entry, path[0])
    found: Any = next(e for e in artifact.abi if e.get("name") == entry and e["type"] != "error")
    parts = found["inputs"]
    for name in path:
        parts = next(part for part in parts if part["name"] == name)["components"]
    return tuple(part["name"] for part in parts)


_CREATE: Final = _book("create")
_ACCEPT: Final = _book("accept")
_WITHDRAW: Final = _book("withdraw")
_APPOINT: Final = _book("appoint")
_ASSIGN: Final = _book("assign")
_CLOSE: Final = _book("close")
_COMMIT: Final = _book("commit")
_CORRECT: Final = _book("correct")
_ADMIT: Final = _book("admit")
_DISMISS: Final = _book("dismiss")
_VERIFY: Final = _book("verify")
_COLLECT: Final = _cash("collect")
_VOID: Final = _cash("voidCollection")
_DISTRIBUTE: Final = _cash("distribute")
_PAY: Final = _cash("pay")
_CONFIRM: Final = _cash("confirm")

_TERMS_MEMBERS: Final = members_of(POOL_BOOK_ARTIFACT, "create", "terms")
_LIMITS_MEMBERS: Final = _members(POOL_BOOK_ARTIFACT, "create", "terms", "limits")
_FEE_MEMBERS: Final = members_of(POOL_BOOK_ARTIFACT, "create", "fees")
_TRANCHE_MEMBERS: Final = members_of(POOL_BOOK_ARTIFACT, "create", "tranches")
_DAY_MEMBERS: Final = members_of(POOL_BOOK_ARTIFACT, "commit", "day")
_ASSET_MEMBERS: Final = members_of(POOL_BOOK_ARTIFACT, "verify", "asset")
_COLLECTION_MEMBERS: Final = members_of(POOLS_ARTIFACT, "collect", "content")

# ---- the pool -----------------------------------------------------------------------------------


def pool_id(chain_id: int, book: Address, arranger: str, number: str) -> Hash32:
    """The id that a pool has, or will have."""
    words = chain_id.to_bytes(32, "big") + book.rjust(32, b"\0")
    return Hash32(keccak(words + organisation_id_word(arranger) + _word(number)))


def create_calldata(draft: PoolDraft, remark: str = "") -> bytes:
    """Propose a pool. A bank or an operator."""
    return _CREATE.calldata(
        _word(draft.number),
        _terms(draft.terms),
        [_fee(fee) for fee in draft.fees],
        [_tranche(tranche) for tranche in draft.tranches],
        draft.rules_document,
        remark,
    )


def accept_calldata(id_: Hash32, office: Office, remark: str = "") -> bytes:
    """Take the office for which one is named. Trustee or servicer to be."""
    return _ACCEPT.calldata(id_, int(office), remark)


def withdraw_calldata(id_: Hash32, remark: str = "") -> bytes:
    """Take a proposal back. The arranger."""
    return _WITHDRAW.calldata(id_, remark)


def appoint_calldata(id_: Hash32, office: Office, organisation: str, remark: str = "") -> bytes:
    """Name the next holder of an office, who then accepts. The trustee (see the contract)."""
    word = organisation_id_word(organisation)
    return _APPOINT.calldata(id_, int(office), word, remark)


def assign_calldata(id_: Hash32, tranche: int, to: str, units: int) -> bytes:
    """Give a part of a tranche to another organisation. Its holder."""
    return _ASSIGN.calldata(id_, tranche, organisation_id_word(to), units)


def close_calldata(id_: Hash32, remark: str = "") -> bytes:
    """The end: everything is distributed and confirmed, or it never began. The trustee."""
    return _CLOSE.calldata(id_, remark)


# ---- its assets ---------------------------------------------------------------------------------


def commit_calldata(id_: Hash32, day: date, state: Day) -> bytes:
    """The state of a date. The servicer."""
    return _COMMIT.calldata(id_, days_of(day), _day(state))


def correct_calldata(id_: Hash32, day: date, state: Day, reason: str) -> bytes:
    """A state in place of one that was wrong. The servicer."""
    return _CORRECT.calldata(id_, days_of(day), _day(state), reason)


def admit_calldata(id_: Hash32, instrument: Address, assets: Sequence[Hash32]) -> bytes:
    """Bring instruments that the trustee holds into the pool. The servicer."""
    return _ADMIT.calldata(id_, instrument, list(assets))


def dismiss_calldata(
    id_: Hash32, instrument: Address, assets: Sequence[Hash32], reason: str
) -> bytes:
    """Let instruments go. The servicer."""
    return _DISMISS.calldata(id_, instrument, list(assets), reason)


def verify_calldata(
    id_: Hash32, day: date, revision: int, asset: Asset, index: int, path: Sequence[bytes]
) -> bytes:
    """Calldata of `verify`, to be called, not sent. Revision 0: the newest."""
    values = {
        "id": asset.id,
        "kind": int(asset.kind),
        "balance": asset.balance,
        "state": int(asset.state),
        "daysPastDue": asset.days_past_due,
        "terms": asset.terms,
    }
    leaf = arranged(_ASSET_MEMBERS, values)
    return _VERIFY.calldata(id_, days_of(day), revision, leaf, index, list(path))


def decode_verify(output: bytes) -> bool:
    """Answer of `verify`. Raises `CalldataError`."""
    return bool(_VERIFY.result(output)[0])


# ---- its money ----------------------------------------------------------------------------------


def collect_calldata(id_: Hash32, collection: Collection) -> bytes:
    """Money has come in. The servicer."""
    values = {
        "payment": collection.payment,
        "root": collection.root or bytes(32),
        "count": collection.count,
        "date": days_of(collection.date),
        "period": collection.period,
        "voided": collection.voided,
        "principal": collection.principal,
        "income": collection.income,
    }
    return _COLLECT.calldata(id_, arranged(_COLLECTION_MEMBERS, values))


def void_collection_calldata(id_: Hash32, number: int, reason: str) -> bytes:
    """Take back a collection that was told wrongly. Servicer or trustee."""
    return _VOID.calldata(id_, number, reason)


def distribute_calldata(id_: Hash32, period: int, end: date, revision: int) -> bytes:
    """Share out what was collected for a period, as seen (`Open.revision`). The trustee."""
    return _DISTRIBUTE.calldata(id_, period, days_of(end), revision)


def pay_calldata(id_: Hash32, numbers: Sequence[int], payer_bank: str) -> bytes:
    """Make payments out of one's deposit at a bank, all or none. The trustee."""
    return _PAY.calldata(id_, list(numbers), organisation_id_word(payer_bank))


def confirm_calldata(id_: Hash32, number: int, settled: Hash32) -> bytes:
    """A payment was made in another way. The trustee."""
    return _CONFIRM.calldata(id_, number, settled)


# ---- within -------------------------------------------------------------------------------------


def _word(text: str, size_bytes: int = 32) -> bytes:
    try:
        return code_word(text, size_bytes)
    except ValueError as error:
        raise CalldataValueError(str(error)) from error


def _terms(terms: Terms) -> tuple[object, ...]:
    limits = {
        "assetsMax": terms.limits.assets_max,
        "admitUntil": days_of(terms.limits.admit_until),
        "balanceMax": terms.limits.balance_max,
    }
    values = {
        "trustee": organisation_id_word(terms.trustee),
        "servicer": organisation_id_word(terms.servicer),
        "residual": organisation_id_word(terms.residual),
        "currency": _word(terms.currency, 3),
        "basis": terms.basis,
        "start": days_of(terms.start),
        "sequentialBp": terms.sequential_bp,
        "turboBp": terms.turbo_bp,
        "rules": terms.rules,
        "terms": terms.terms,
        "limits": arranged(_LIMITS_MEMBERS, limits),
    }
    return arranged(_TERMS_MEMBERS, values)


def _fee(fee: Fee) -> tuple[object, ...]:
    values = {
        "payee": organisation_id_word(fee.payee),
        "rateBp": fee.rate_bp,
        "fixedAmount": fee.fixed_amount,
    }
    return arranged(_FEE_MEMBERS, values)


def _tranche(draft: TrancheDraft) -> tuple[object, ...]:
    values = {
        "name": _word(draft.name),
        "seniority": draft.seniority,
        "rateBp": draft.rate_bp,
        "holders": [organisation_id_word(holder) for holder, _ in draft.holders],
        "units": [units for _, units in draft.holders],
    }
    return arranged(_TRANCHE_MEMBERS, values)


def _day(day: Day) -> tuple[object, ...]:
    values = {
        "root": day.root,
        "delta": day.delta or bytes(32),
        "performing": day.performing,
        "overdue": day.overdue,
        "defaulted": day.defaulted,
        "count": day.count,
        "changed": day.changed,
    }
    return arranged(_DAY_MEMBERS, values)
