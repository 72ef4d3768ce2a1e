"""Calls and logs of the Receivables contract.

All builders of calldata raise `CalldataValueError` or `OrganisationIdError`.
`revision` is the receivable's as the caller has seen it; 0: whichever. All members see remarks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from contracts.abi import Function
from contracts.consortium import organisation_id_text, organisation_id_word
from contracts.errors import CalldataError, OrganisationIdError
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
from contracts.receivables.genesis import RECEIVABLES_ARTIFACT
from contracts.receivables.ids import currency_word, number_word
from contracts.receivables.types import (
    Draft,
    Endorsement,
    Kind,
    Receivable,
    ReceivableActed,
    ReceivableEvent,
    TermsPublished,
)
from ledger.types import Hash32, Log

MACHINE: Final = load_machine("contracts.receivables")
STATES: Final = MACHINE.states
ACTS: Final = tuple(act.name for act in MACHINE.acts)
NO_HASH: Final = Hash32(bytes(32))

_COMMON: Final = InstrumentCalls(RECEIVABLES_ARTIFACT)
freeze_calldata = _COMMON.freeze
unfreeze_calldata = _COMMON.unfreeze
award_calldata = _COMMON.award
permit_calldata = _COMMON.permit
permit_hash_calldata = _COMMON.permit_hash
control_calldata = _COMMON.control_calldata
decode_control = _COMMON.decode_control


def _function(name: str) -> Function:
    return Function.of(RECEIVABLES_ARTIFACT, name)


_CREATE: Final = _function("create")
_ACCEPT: Final = _function("accept")
_REFUSE: Final = _function("refuse")
_CANCEL: Final = _function("cancel")
_OFFER_CANCEL: Final = _function("offerCancel")
_AGREE_CANCEL: Final = _function("agreeCancel")
_INVOICE: Final = _function("invoice")
_DELIVER: Final = _function("deliver")
_LAPSE: Final = _function("lapse")
_UNDERTAKE: Final = _function("undertake")
_ENDORSE: Final = _function("endorse")
_REJECT: Final = _function("reject")
_SPLIT: Final = _function("split")
_PRESENT: Final = _function("present")
_DISCHARGE: Final = _function("discharge")
_CONFIRM_PAYMENT: Final = _function("confirmPayment")
_DISPUTE: Final = _function("dispute")
_WITHDRAW_DISPUTE: Final = _function("withdrawDispute")
_CONCEDE: Final = _function("concede")
_UPHOLD: Final = _function("uphold")
_ANNUL: Final = _function("annul")
_DECLARE_DEFAULT: Final = _function("declareDefault")
_RECOURSE: Final = _function("recourse")
_RECEIVABLE: Final = _function("receivable")
_PAYEE_OF: Final = _function("payeeOf")
_ENDORSEMENTS_OF: Final = _function("endorsementsOf")
_KEYS_OF: Final = _function("keysOf")
_DRAFT_MEMBERS: Final = members_of(RECEIVABLES_ARTIFACT, "create", "draft")
_RECEIVABLE_MEMBERS: Final = members_of(RECEIVABLES_ARTIFACT, "ReceivableActed", "receivable")

# ---- coming into being, and the debtor's word ---------------------------------------------------


def create_calldata(draft: Draft, remark: str = "") -> bytes:
    """Write a receivable down. The creditor, or the drawer of a bill."""
    return _CREATE.calldata(_draft(draft), remark)


def accept_calldata(
    id_: Hash32,
    revision: int,
    *,
    disputable: bool = False,
    document: Hash32 = NO_HASH,
    remark: str = "",
) -> bytes:
    """Owe it; of an order: owe it once delivered (the act is then `confirm`). The debtor."""
    return _ACCEPT.calldata(id_, revision, disputable, document, remark)


def refuse_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """Do not owe it. The debtor."""
    return _REFUSE.calldata(id_, revision, remark)


def cancel_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """Take it back before it was accepted. The issuer."""
    return _CANCEL.calldata(id_, revision, remark)


def offer_cancel_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """Propose to end it. The creditor who still holds it, or the debtor."""
    return _OFFER_CANCEL.calldata(id_, revision, remark)


def agree_cancel_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """Agree to end it, as the very next act. The other of the two."""
    return _AGREE_CANCEL.calldata(id_, revision, remark)


# ---- orders -------------------------------------------------------------------------------------


def invoice_calldata(
    id_: Hash32,
    revision: int,
    keys: Sequence[Hash32],
    document: Hash32,
    payload: bytes = b"",
    remark: str = "",
) -> bytes:
    """Name an order's invoice by its SHA-256, and claim it. The creditor."""
    return _INVOICE.calldata(id_, revision, list(keys), document, payload, remark)


def deliver_calldata(id_: Hash32, revision: int, document: Hash32, remark: str = "") -> bytes:
    """An order's goods were delivered, as what has this SHA-256 shows. Debtor or attestor."""
    return _DELIVER.calldata(id_, revision, document, remark)


def lapse_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """An order's goods were not delivered in time. Debtor, holder or pledgee."""
    return _LAPSE.calldata(id_, revision, remark)


# ---- title --------------------------------------------------------------------------------------


def undertake_calldata(id_: Hash32, revision: int, *, recourse: bool, remark: str = "") -> bytes:
    """Whether the holder stands behind it once settlement hands it over. The holder."""
    return _UNDERTAKE.calldata(id_, revision, recourse, remark)


def endorse_calldata(
    id_: Hash32, revision: int, to: str, *, recourse: bool, remark: str = ""
) -> bytes:
    """Pass it on. The holder."""
    return _ENDORSE.calldata(id_, revision, organisation_id_word(to), recourse, remark)


def reject_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """Undo the endorsement just made. Its recipient."""
    return _REJECT.calldata(id_, revision, remark)


def split_calldata(id_: Hash32, revision: int, amounts: Sequence[int], remark: str = "") -> bytes:
    """Divide what is outstanding into 2 to 16 parts. The holder."""
    return _SPLIT.calldata(id_, revision, list(amounts), remark)


def recourse_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """Give it back to the nearest active endorser who stands behind it. The holder."""
    return _RECOURSE.calldata(id_, revision, remark)


# ---- payment ------------------------------------------------------------------------------------


def present_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """Present for payment, once due. Holder or pledgee."""
    return _PRESENT.calldata(id_, revision, remark)


def discharge_calldata(id_: Hash32, revision: int, payer: str, amount: int) -> bytes:
    """The debtor paid in deposits. Settlement calls it, within its own payment."""
    return _DISCHARGE.calldata(id_, revision, organisation_id_word(payer), amount)


def confirm_payment_calldata(
    id_: Hash32, revision: int, amount: int, document: Hash32 = NO_HASH, remark: str = ""
) -> bytes:
    """An amount was received outside the ledger. The holder."""
    return _CONFIRM_PAYMENT.calldata(id_, revision, amount, document, remark)


def declare_default_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """It was due and not paid, and the days of grace are over. Holder or pledgee."""
    return _DECLARE_DEFAULT.calldata(id_, revision, remark)


# ---- disputes -----------------------------------------------------------------------------------


def dispute_calldata(id_: Hash32, revision: int, document: Hash32, remark: str) -> bytes:
    """Contest it before it is due, with a reason and what shows it. The debtor."""
    return _DISPUTE.calldata(id_, revision, document, remark)


def withdraw_dispute_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """Take the dispute back. The debtor."""
    return _WITHDRAW_DISPUTE.calldata(id_, revision, remark)


def concede_calldata(id_: Hash32, revision: int, outstanding: int, remark: str = "") -> bytes:
    """Waive a part, so that this remains. The holder."""
    return _CONCEDE.calldata(id_, revision, outstanding, remark)


def uphold_calldata(
    id_: Hash32, revision: int, outstanding: int, decision: Hash32, remark: str = ""
) -> bytes:
    """Decide that so much is owed. Arbitrators and regulators."""
    return _UPHOLD.calldata(id_, revision, outstanding, decision, remark)


def annul_calldata(id_: Hash32, revision: int, decision: Hash32, remark: str = "") -> bytes:
    """Decide that nothing is owed. Arbitrators and regulators."""
    return _ANNUL.calldata(id_, revision, decision, remark)


# ---- reading ------------------------------------------------------------------------------------


def receivable_calldata(id_: Hash32) -> bytes:
    """Calldata of `receivable`, to be called, not sent."""
    return _RECEIVABLE.calldata(id_)


def decode_receivable(output: bytes) -> Receivable | None:
    """The receivable, or None where the id is unknown. Raises `CalldataError`."""
    (found,) = _RECEIVABLE.result(output)
    values = struct(_RECEIVABLE_MEMBERS, found)
    if not values["kind"]:
        return None
    try:
        return _receivable(values)
    except (OrganisationIdError, ValueError) as error:
        raise CalldataError(f"result of receivable: {error}") from error


def payee_of_calldata(id_: Hash32) -> bytes:
    """Calldata of `payeeOf`, to be called, not sent."""
    return _PAYEE_OF.calldata(id_)


def decode_payee_of(output: bytes) -> str | None:
    """Whom a payment goes to now, or None where the id is unknown. Raises `CalldataError`."""
    try:
        return organisation_of(_PAYEE_OF.result(output)[0])
    except OrganisationIdError as error:
        raise CalldataError(f"result of payeeOf: {error}") from error


def endorsements_of_calldata(id_: Hash32) -> bytes:
    """Calldata of `endorsementsOf`, to be called, not sent."""
    return _ENDORSEMENTS_OF.calldata(id_)


def decode_endorsements_of(output: bytes) -> tuple[Endorsement, ...]:
    """Endorsers before the holder, the nearest first. Raises `CalldataError`."""
    (found,) = _ENDORSEMENTS_OF.result(output)
    try:
        return tuple(Endorsement(organisation_id_text(who), recourse) for who, recourse in found)
    except OrganisationIdError as error:
        raise CalldataError(f"result of endorsementsOf: {error}") from error


def keys_of_calldata(id_: Hash32) -> bytes:
    """Calldata of `keysOf`, to be called, not sent."""
    return _KEYS_OF.calldata(id_)


def decode_keys_of(output: bytes) -> tuple[Hash32, ...]:
    """Claims on the invoices behind it. Raises `CalldataError`."""
    return tuple(Hash32(key) for key in _KEYS_OF.result(output)[0])


def decode_log(log: Log) -> ReceivableEvent:
    """The event in a log of the contract. Raises `LogError` where it is none of its events."""
    return _EVENTS.decode(log)


# ---- within -------------------------------------------------------------------------------------


def _draft(draft: Draft) -> tuple[object, ...]:
    values = {
        "kind": int(draft.kind),
        "number": number_word(draft.number),
        "creditor": organisation_id_word(draft.creditor),
        "debtor": organisation_id_word(draft.debtor),
        "attestor": organisation_id_word(draft.attestor) if draft.attestor else bytes(32),
        "terms": draft.terms,
        "amount": draft.amount,
        "currency": currency_word(draft.currency),
        "due": draft.due,
        "deliverBy": draft.deliver_by,
        "graceSeconds": draft.grace_seconds,
        "keys": list(draft.keys),
        "payload": draft.payload,
    }
    return arranged(_DRAFT_MEMBERS, values)


def _receivable(values: Values) -> Receivable:
    number = values["number"]
    return Receivable(
        kind=Kind(values["kind"]),
        issuer=organisation_id_text(values["issuer"]),
        number=code_text(number) if any(number) else None,
        creditor=organisation_id_text(values["creditor"]),
        debtor=organisation_id_text(values["debtor"]),
        attestor=organisation_of(values["attestor"]),
        terms=Hash32(values["terms"]),
        invoice=hash_of(values["invoice"]),
        holder=organisation_id_text(values["holder"]),
        pledgee=organisation_of(values["pledgee"]),
        guarantor=organisation_of(values["guarantor"]),
        origin=hash_of(values["origin"]),
        root=Hash32(values["root"]),
        amount=values["amount"],
        outstanding=values["outstanding"],
        paid=values["paid"],
        currency=code_text(values["currency"]),
        issued=values["issued"],
        due=values["due"],
        deliver_by=values["deliverBy"],
        presented=values["presented"],
        grace_seconds=values["graceSeconds"],
        revision=values["revision"],
        part=values["part"],
        endorsements=values["endorsements"],
        state=named(STATES, values["state"], "state"),
        freezes=values["freezes"],
        locked=values["locked"],
        disputable=values["disputable"],
        undertaken=values["undertaken"],
        rejectable=values["rejectable"],
        financed=values["financed"],
    )


def _acted(values: Values) -> ReceivableEvent:
    return ReceivableActed(
        id=Hash32(values["id"]),
        by=organisation_of(values["by"]),
        act=named(ACTS, values["act"], "act"),
        receivable=_receivable(struct(_RECEIVABLE_MEMBERS, values["receivable"])),
        detail=hash_of(values["detail"]),
        remark=values["remark"],
    )


def _terms(values: Values) -> ReceivableEvent:
    return TermsPublished(Hash32(values["id"]), Hash32(values["terms"]), bytes(values["payload"]))


_EVENTS: Final = LogDecoder[ReceivableEvent](
    RECEIVABLES_ARTIFACT, ReceivableActed=_acted, TermsPublished=_terms
)
