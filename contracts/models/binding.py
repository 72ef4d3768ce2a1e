"""Calls of the Models, Runs and Releases contracts.

All builders raise `CalldataValueError` or `OrganisationIdError`. All members see remarks. A
`revision` is that of the record as one has seen it; 0: whichever.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from contracts.abi import Function
from contracts.consortium import organisation_id_word
from contracts.instruments.records import arranged, members_of
from contracts.models.genesis import MODELS_ARTIFACT, RELEASES_ARTIFACT, RUNS_ARTIFACT
from contracts.models.ids import currency_word, terms_values, word_of
from contracts.models.types import (
    Calls,
    DataSet,
    Fault,
    Grant,
    Mark,
    Party,
    Payment,
    ReleaseDraft,
    Round,
    RunDraft,
    Terms,
)
from ledger.types import Hash32

_NONE: Final = bytes(32)

_TERMS_MEMBERS: Final = members_of(MODELS_ARTIFACT, "propose", "terms")
_DATA_MEMBERS: Final = members_of(MODELS_ARTIFACT, "register", "dataSet")
_GRANT_MEMBERS: Final = members_of(MODELS_ARTIFACT, "give", "grant")
_RUN_MEMBERS: Final = members_of(RUNS_ARTIFACT, "open", "draft")
_ROUND_MEMBERS: Final = members_of(RUNS_ARTIFACT, "round", "content")
_FAULT_MEMBERS: Final = members_of(RUNS_ARTIFACT, "fault", "content")
_RELEASE_MEMBERS: Final = members_of(RELEASES_ARTIFACT, "offer", "draft")
_CALLS_MEMBERS: Final = members_of(RELEASES_ARTIFACT, "count", "calls")
_PAYMENT_MEMBERS: Final = members_of(RELEASES_ARTIFACT, "pay", "payment")


def _models(name: str) -> Function:
    return Function.of(MODELS_ARTIFACT, name)


def _runs(name: str) -> Function:
    return Function.of(RUNS_ARTIFACT, name)


def _releases(name: str) -> Function:
    return Function.of(RELEASES_ARTIFACT, name)


_PROPOSE: Final = _models("propose")
_ACCEPT: Final = _models("accept")
_REFUSE: Final = _models("refuse")
_WITHDRAW: Final = _models("withdraw")
_AMEND: Final = _models("amend")
_DECLINE: Final = _models("decline")
_CLOSE: Final = _models("close")
_REGISTER: Final = _models("register")
_REMOVE: Final = _models("remove")
_GIVE: Final = _models("give")
_REVOKE: Final = _models("revoke")
_OPEN: Final = _runs("open")
_JOIN: Final = _runs("join")
_ROUND: Final = _runs("round")
_FAULT: Final = _runs("fault")
_COMPLETE: Final = _runs("complete")
_ABORT: Final = _runs("abort")
_OFFER: Final = _releases("offer")
_APPROVE: Final = _releases("approve")
_REJECT: Final = _releases("reject")
_RETIRE: Final = _releases("retire")
_MARK: Final = _releases("mark")
_ATTRIBUTE: Final = _releases("attribute")
_CONCUR: Final = _releases("concur")
_COUNT: Final = _releases("count")
_DISPUTE: Final = _releases("dispute")
_PAY: Final = _releases("pay")
_TELL: Final = _releases("tell")
_CONFIRM: Final = _releases("confirm")
_DENY: Final = _releases("deny")

# ---- projects -----------------------------------------------------------------------------------


def propose_calldata(
    number: str, parties: Sequence[Party], terms: Terms, remark: str = ""
) -> bytes:
    """Put an agreement to the parties, of which one is the caller."""
    return _PROPOSE.calldata(
        word_of(number, "number"),
        [organisation_id_word(party.organisation) for party in parties],
        [int(party.part) for party in parties],
        _terms(terms),
        remark,
    )


def accept_calldata(id_: Hash32, revision: int, digest: Hash32, remark: str = "") -> bytes:
    """Accept what is proposed (`contracts.models.terms_digest`). A party."""
    return _ACCEPT.calldata(id_, revision, digest, remark)


def refuse_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """Refuse a project that is proposed. A party."""
    return _REFUSE.calldata(id_, revision, remark)


def withdraw_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """Take a proposal back. Its proposer."""
    return _WITHDRAW.calldata(id_, revision, remark)


def amend_calldata(id_: Hash32, revision: int, terms: Terms, remark: str = "") -> bytes:
    """Propose other terms, which hold once every party has accepted them. A party."""
    return _AMEND.calldata(id_, revision, _terms(terms), remark)


def decline_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """No to other terms. A party."""
    return _DECLINE.calldata(id_, revision, remark)


def close_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """The end of training together. A party."""
    return _CLOSE.calldata(id_, revision, remark)


# ---- data ---------------------------------------------------------------------------------------


def register_calldata(data_set: DataSet, remark: str = "") -> bytes:
    """Register a data set. Its owner."""
    values = {
        "owner": organisation_id_word(data_set.owner),
        "number": word_of(data_set.number, "number"),
        "schema": data_set.schema,
        "rows": data_set.rows,
        "commitment": data_set.commitment,
        "quality": data_set.quality,
        "replaces": data_set.replaces or _NONE,
    }
    return _REGISTER.calldata(arranged(_DATA_MEMBERS, values), remark)


def remove_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """Take a data set back. Its owner."""
    return _REMOVE.calldata(id_, revision, remark)


def give_calldata(grant: Grant, remark: str = "") -> bytes:
    """Share fields with a project. Their owner, a party of it."""
    values = {
        "owner": organisation_id_word(grant.owner),
        "number": word_of(grant.number, "number"),
        "dataSet": grant.data_set,
        "project": grant.project,
        "fields": grant.fields,
        "until": grant.until,
    }
    return _GIVE.calldata(arranged(_GRANT_MEMBERS, values), remark)


def revoke_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """Take fields back, at once. Their owner."""
    return _REVOKE.calldata(id_, revision, remark)


# ---- runs ---------------------------------------------------------------------------------------


def open_calldata(draft: RunDraft, remark: str = "") -> bytes:
    """Open a run. A party of the project."""
    values = {
        "project": draft.project,
        "number": word_of(draft.number, "number"),
        "algorithm": word_of(draft.algorithm, "algorithm"),
        "code": draft.code,
        "config": draft.config,
        "seed": draft.seed,
        "budget": (draft.budget.epsilon, draft.budget.delta),
        "participants": [organisation_id_word(one) for one in draft.participants],
        "grants": list(draft.grants),
    }
    return _OPEN.calldata(arranged(_RUN_MEMBERS, values), remark)


def join_calldata(
    id_: Hash32, revision: int, code: Hash32, node: Hash32, remark: str = ""
) -> bytes:
    """Take part, with the hashes of one's own code and node key. A participant."""
    return _JOIN.calldata(id_, revision, code, node, remark)


def round_calldata(id_: Hash32, revision: int, content: Round) -> bytes:
    """Record a round. The opener."""
    values = {
        "number": content.number,
        "record": content.record,
        "spent": (content.spent.epsilon, content.spent.delta),
        "delivered": [organisation_id_word(one) for one in content.delivered],
    }
    return _ROUND.calldata(id_, revision, arranged(_ROUND_MEMBERS, values))


def fault_calldata(id_: Hash32, revision: int, content: Fault, remark: str = "") -> bytes:
    """Name a participant that failed. A participant."""
    values = {
        "party": organisation_id_word(content.party),
        "kind": int(content.kind),
        "round": content.round,
        "evidence": content.evidence,
    }
    return _FAULT.calldata(id_, revision, arranged(_FAULT_MEMBERS, values), remark)


def complete_calldata(id_: Hash32, revision: int, record: Hash32, remark: str = "") -> bytes:
    """The run is done; `record` is the hash of its record. The opener."""
    return _COMPLETE.calldata(id_, revision, record, remark)


def abort_calldata(id_: Hash32, revision: int, reason: Hash32, remark: str = "") -> bytes:
    """Stop a run, with the hash of the reason. A participant."""
    return _ABORT.calldata(id_, revision, reason, remark)


# ---- releases -----------------------------------------------------------------------------------


def offer_calldata(draft: ReleaseDraft, remark: str = "") -> bytes:
    """Put the model of a completed run to the parties. A participant."""
    values = {
        "run": draft.run,
        "number": word_of(draft.number, "number"),
        "card": draft.card,
        "metrics": draft.metrics,
        "shares": [(organisation_id_word(one.party), one.model, one.data) for one in draft.shares],
    }
    return _OFFER.calldata(arranged(_RELEASE_MEMBERS, values), remark)


def approve_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """Approve a release. A party; with the last one it is live."""
    return _APPROVE.calldata(id_, revision, remark)


def reject_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """Reject a release. A party."""
    return _REJECT.calldata(id_, revision, remark)


def retire_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """Use a release no longer. A party."""
    return _RETIRE.calldata(id_, revision, remark)


def mark_calldata(id_: Hash32, revision: int, content: Mark, remark: str = "") -> bytes:
    """Make a live release champion, challenger or neither. A guest or a bank of equals."""
    return _MARK.calldata(id_, revision, int(content), remark)


def attribute_calldata(
    id_: Hash32, revision: int, shares: Sequence[int], evidence: Hash32, remark: str = ""
) -> bytes:
    """Propose what each party has contributed (bp, in the project's order). A party."""
    return _ATTRIBUTE.calldata(id_, revision, list(shares), evidence, remark)


def concur_calldata(id_: Hash32, revision: int, digest: Hash32, remark: str = "") -> bytes:
    """Approve a contribution (`contracts.models.contribution_digest`). A party."""
    return _CONCUR.calldata(id_, revision, digest, remark)


# ---- use and payment ----------------------------------------------------------------------------


def count_calldata(calls: Calls, remark: str = "") -> bytes:
    """Count calls of one's own. A party."""
    values = {
        "release": calls.release,
        "number": word_of(calls.number, "number"),
        "mode": int(calls.mode),
        "first": calls.first,
        "count": calls.count,
        "root": calls.root,
        "since": calls.since,
        "until": calls.until,
    }
    return _COUNT.calldata(arranged(_CALLS_MEMBERS, values), remark)


def dispute_calldata(
    id_: Hash32, revision: int, count: int, evidence: Hash32, remark: str = ""
) -> bytes:
    """Put one's own count beside a batch. A party other than who asked, once."""
    return _DISPUTE.calldata(id_, revision, count, evidence, remark)


def pay_calldata(payment: Payment, payer_bank: str, remark: str = "") -> bytes:
    """Pay out of a deposit at a bank. The payer; the payment's `settled` is None."""
    return _PAY.calldata(_payment(payment), organisation_id_word(payer_bank), remark)


def tell_calldata(payment: Payment, remark: str = "") -> bytes:
    """Say that something owed was paid outside; `settled` is the hash of what shows it."""
    return _TELL.calldata(_payment(payment), remark)


def confirm_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """A payment outside has come in. The payee."""
    return _CONFIRM.calldata(id_, revision, remark)


def deny_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """A payment outside has not come in. The payee."""
    return _DENY.calldata(id_, revision, remark)


# ---- within -------------------------------------------------------------------------------------


def _terms(terms: Terms) -> tuple[object, ...]:
    return arranged(_TERMS_MEMBERS, terms_values(terms))


def _payment(payment: Payment) -> tuple[object, ...]:
    values = {
        "payer": organisation_id_word(payment.payer),
        "number": word_of(payment.number, "number"),
        "project": payment.project,
        "payee": organisation_id_word(payment.payee),
        "currency": currency_word(payment.currency),
        "amount": payment.amount,
        "settled": payment.settled or _NONE,
    }
    return arranged(_PAYMENT_MEMBERS, values)
