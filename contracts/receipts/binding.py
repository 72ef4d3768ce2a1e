"""Calls and logs of the Receipts contract.

All builders of calldata raise `CalldataValueError` or `OrganisationIdError`.
`revision` is the receipt's as the caller has seen it; 0: whichever. All members see remarks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from contracts.abi import Function
from contracts.consortium import organisation_id_text, organisation_id_word
from contracts.events import LogDecoder, Values
from contracts.instruments import load_machine
from contracts.instruments.binding import InstrumentCalls
from contracts.instruments.records import (
    arranged,
    code_text,
    hash_of,
    members_of,
    named,
    organisation_of,
    struct,
)
from contracts.receipts.genesis import RECEIPTS_ARTIFACT
from contracts.receipts.ids import number_word
from contracts.receipts.types import (
    Draft,
    Purpose,
    Receipt,
    ReceiptActed,
    ReceiptEvent,
    Rejectable,
    TermsPublished,
)
from ledger.types import Hash32, Log

MACHINE: Final = load_machine("contracts.receipts")
STATES: Final = MACHINE.states
ACTS: Final = tuple(act.name for act in MACHINE.acts)

_COMMON: Final = InstrumentCalls(RECEIPTS_ARTIFACT)
freeze_calldata = _COMMON.freeze
unfreeze_calldata = _COMMON.unfreeze
award_calldata = _COMMON.award
permit_calldata = _COMMON.permit
permit_hash_calldata = _COMMON.permit_hash


def _function(name: str) -> Function:
    return Function.of(RECEIPTS_ARTIFACT, name)


_ISSUE: Final = _function("issue")
_NOMINATE: Final = _function("nominate")
_ENDORSE: Final = _function("endorse")
_TRANSFER_HOLDING: Final = _function("transferHolding")
_TRANSFER_BOTH: Final = _function("transferBoth")
_REJECT_OWNERSHIP: Final = _function("rejectOwnership")
_REJECT_HOLDING: Final = _function("rejectHolding")
_REJECT_BOTH: Final = _function("rejectBoth")
_SURRENDER: Final = _function("surrender")
_RECALL: Final = _function("recall")
_RESTORE: Final = _function("restore")
_SHRED: Final = _function("shred")
_SPLIT: Final = _function("split")
_MERGE: Final = _function("merge")
_REQUEST_DELIVERY: Final = _function("requestDelivery")
_DELIVER: Final = _function("deliver")
_EXPIRE: Final = _function("expire")
_EXTEND: Final = _function("extend")
_CANCEL: Final = _function("cancel")
_REPLACE: Final = _function("replace")
_TO_PAPER: Final = _function("toPaper")
_TO_ELECTRONIC: Final = _function("toElectronic")
_RECEIPT: Final = _function("receipt")
_KEYS_OF: Final = _function("keysOf")
_DRAFT_MEMBERS: Final = members_of(RECEIPTS_ARTIFACT, "issue", "draft")
_RECEIPT_MEMBERS: Final = members_of(RECEIPTS_ARTIFACT, "ReceiptActed", "receipt")

# ---- coming into being --------------------------------------------------------------------------


def issue_calldata(draft: Draft, remark: str = "") -> bytes:
    """Issue a receipt for goods in store. The warehouse."""
    return _ISSUE.calldata(_draft(draft), remark)


def split_calldata(
    id_: Hash32,
    revision: int,
    quantities: Sequence[int],
    keys: Sequence[Sequence[Hash32]] = (),
    remark: str = "",
) -> bytes:
    """Split into 2 to 16 parts that together are the whole, each with its claims."""
    lists = [list(part) for part in keys] or [[] for _ in quantities]
    return _SPLIT.calldata(id_, revision, list(quantities), lists, remark)


def merge_calldata(ids: Sequence[Hash32], revisions: Sequence[int], remark: str = "") -> bytes:
    """Make one of 2 to 16 receipts for equal goods of one lot."""
    return _MERGE.calldata(list(ids), list(revisions), remark)


def replace_calldata(id_: Hash32, revision: int, draft: Draft, remark: str = "") -> bytes:
    """Issue a correct receipt in the place of a wrong one; holder and owner stay."""
    return _REPLACE.calldata(id_, revision, _draft(draft), remark)


# ---- title --------------------------------------------------------------------------------------


def nominate_calldata(id_: Hash32, revision: int, nominee: str | None, remark: str = "") -> bytes:
    """Say whom the holder may make owner; None: nobody. The owner."""
    return _NOMINATE.calldata(id_, revision, _organisation(nominee), remark)


def endorse_calldata(id_: Hash32, revision: int, owner: str, remark: str = "") -> bytes:
    """Make the nominee the owner. The holder."""
    return _ENDORSE.calldata(id_, revision, organisation_id_word(owner), remark)


def transfer_holding_calldata(id_: Hash32, revision: int, holder: str, remark: str = "") -> bytes:
    """Hand over control. The holder."""
    return _TRANSFER_HOLDING.calldata(id_, revision, organisation_id_word(holder), remark)


def transfer_both_calldata(
    id_: Hash32, revision: int, owner: str, holder: str, remark: str = ""
) -> bytes:
    """Hand over ownership and control. The holder."""
    words = organisation_id_word(owner), organisation_id_word(holder)
    return _TRANSFER_BOTH.calldata(id_, revision, *words, remark)


def reject_ownership_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """Undo the endorsement just made. Its recipient."""
    return _REJECT_OWNERSHIP.calldata(id_, revision, remark)


def reject_holding_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """Undo the transfer of holding just made. Its recipient."""
    return _REJECT_HOLDING.calldata(id_, revision, remark)


def reject_both_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """Undo the transfer of both just made. Its recipient."""
    return _REJECT_BOTH.calldata(id_, revision, remark)


# ---- back to the warehouse ----------------------------------------------------------------------


def surrender_calldata(id_: Hash32, revision: int, purpose: Purpose, remark: str = "") -> bytes:
    """Give the receipt back to the warehouse. Who holds and owns it."""
    return _SURRENDER.calldata(id_, revision, int(purpose), remark)


def recall_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """Take a surrender back. Who holds and owns it."""
    return _RECALL.calldata(id_, revision, remark)


def restore_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """Refuse a surrender. The warehouse."""
    return _RESTORE.calldata(id_, revision, remark)


def shred_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """All goods were handed out: the receipt ends. The warehouse."""
    return _SHRED.calldata(id_, revision, remark)


def request_delivery_calldata(
    id_: Hash32, revision: int, quantity: int, keys: Sequence[Hash32] = (), remark: str = ""
) -> bytes:
    """Ask for a part of the goods and name the claims that go with it. Who holds and owns it.

    0 takes the request back.
    """
    return _REQUEST_DELIVERY.calldata(id_, revision, quantity, list(keys), remark)


def deliver_calldata(
    id_: Hash32, revision: int, keys: Sequence[Hash32] = (), remark: str = ""
) -> bytes:
    """The requested part was handed out, and the claims that the request names. The warehouse."""
    return _DELIVER.calldata(id_, revision, list(keys), remark)


def expire_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """The storage period is over. Anybody, once it is."""
    return _EXPIRE.calldata(id_, revision, remark)


def extend_calldata(id_: Hash32, revision: int, expires: int, remark: str = "") -> bytes:
    """Prolong the storage period. The warehouse."""
    return _EXTEND.calldata(id_, revision, expires, remark)


def cancel_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """End a receipt that was issued by mistake. The warehouse."""
    return _CANCEL.calldata(id_, revision, remark)


def to_paper_calldata(id_: Hash32, revision: int, paper: Hash32, remark: str = "") -> bytes:
    """Change to paper, which says what has this SHA-256. The warehouse."""
    return _TO_PAPER.calldata(id_, revision, paper, remark)


def to_electronic_calldata(
    id_: Hash32, revision: int, owner: str, holder: str, remark: str = ""
) -> bytes:
    """Change back: the paper was taken in. The warehouse."""
    words = organisation_id_word(owner), organisation_id_word(holder)
    return _TO_ELECTRONIC.calldata(id_, revision, *words, remark)


# ---- reading ------------------------------------------------------------------------------------


def receipt_calldata(id_: Hash32) -> bytes:
    """Calldata of `receipt`, to be called, not sent."""
    return _RECEIPT.calldata(id_)


def decode_receipt(output: bytes) -> Receipt | None:
    """The receipt, or None where the id is unknown. Raises `CalldataError`."""
    (found,) = _RECEIPT.result(output)
    values = struct(_RECEIPT_MEMBERS, found)
    return _receipt(values) if any(values["warehouse"]) else None


def keys_of_calldata(id_: Hash32) -> bytes:
    """Calldata of `keysOf`, to be called, not sent."""
    return _KEYS_OF.calldata(id_)


def decode_keys_of(output: bytes) -> tuple[Hash32, ...]:
    """Claims on the goods of a receipt. Raises `CalldataError`."""
    return tuple(Hash32(key) for key in _KEYS_OF.result(output)[0])


def decode_log(log: Log) -> ReceiptEvent:
    """The event in a log of the contract. Raises `LogError` where it is none of its events."""
    return _EVENTS.decode(log)


# ---- within -------------------------------------------------------------------------------------


def _draft(draft: Draft) -> tuple[object, ...]:
    values = {
        "number": number_word(draft.number),
        "lot": draft.lot,
        "goods": draft.goods,
        "terms": draft.terms,
        "holder": organisation_id_word(draft.holder),
        "owner": organisation_id_word(draft.owner),
        "quantity": draft.quantity,
        "expires": draft.expires,
        "keys": list(draft.keys),
        "payload": draft.payload,
    }
    return arranged(_DRAFT_MEMBERS, values)


def _organisation(organisation: str | None) -> bytes:
    return bytes(32) if organisation is None else organisation_id_word(organisation)


def _receipt(values: Values) -> Receipt:
    number = values["number"]
    return Receipt(
        warehouse=organisation_id_text(values["warehouse"]),
        number=code_text(number) if any(number) else None,
        lot=Hash32(values["lot"]),
        goods=Hash32(values["goods"]),
        terms=Hash32(values["terms"]),
        holder=organisation_id_text(values["holder"]),
        owner=organisation_id_text(values["owner"]),
        nominee=organisation_of(values["nominee"]),
        pledgee=organisation_of(values["pledgee"]),
        origin=hash_of(values["origin"]),
        successor=hash_of(values["successor"]),
        quantity=values["quantity"],
        requested=values["requested"],
        issued=values["issued"],
        expires=values["expires"],
        revision=values["revision"],
        part=values["part"],
        state=named(STATES, values["state"], "state"),
        freezes=values["freezes"],
        locked=values["locked"],
        rejectable=Rejectable(values["rejectable"]),
        purpose=Purpose(values["purpose"]),
    )


def _acted(values: Values) -> ReceiptEvent:
    return ReceiptActed(
        id=Hash32(values["id"]),
        by=organisation_id_text(values["by"]),
        act=named(ACTS, values["act"], "act"),
        receipt=_receipt(struct(_RECEIPT_MEMBERS, values["receipt"])),
        detail=hash_of(values["detail"]),
        remark=values["remark"],
    )


def _terms(values: Values) -> ReceiptEvent:
    return TermsPublished(Hash32(values["id"]), Hash32(values["terms"]), bytes(values["payload"]))


_EVENTS: Final = LogDecoder[ReceiptEvent](
    RECEIPTS_ARTIFACT, ReceiptActed=_acted, TermsPublished=_terms
)
