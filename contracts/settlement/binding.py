"""Calls of the contracts Deposits and Settlement, and what they answer.

All builders of calldata raise `CalldataValueError` or `OrganisationIdError`. `revision` is the
deal's as the caller has seen it; 0: whichever. All members see remarks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from contracts.abi import Function
from contracts.consortium import organisation_id_word
from contracts.errors import CalldataError, ContractError
from contracts.instruments.records import arranged, members_of, organisation_of
from contracts.settlement.decoding import account_of, deal_of, hold_of, redemption_of
from contracts.settlement.genesis import DEPOSITS_ARTIFACT, SETTLEMENT_ARTIFACT
from contracts.settlement.ids import currency_word, number_word
from contracts.settlement.types import (
    Account,
    Book,
    Condition,
    ConditionalDraft,
    Deal,
    Discharge,
    Hold,
    Leg,
    OfferDraft,
    Payment,
    Position,
    Redemption,
)
from ledger.types import Hash32

NO_WORD: Final = bytes(32)


def _deposits(name: str) -> Function:
    return Function.of(DEPOSITS_ARTIFACT, name)


def _settlement(name: str) -> Function:
    return Function.of(SETTLEMENT_ARTIFACT, name)


_CHOOSE_HOME: Final = _deposits("chooseHome")
_ISSUE: Final = _deposits("issue")
_REQUEST_REDEMPTION: Final = _deposits("requestRedemption")
_CONFIRM_REDEMPTION: Final = _deposits("confirmRedemption")
_REFUSE_REDEMPTION: Final = _deposits("refuseRedemption")
_WITHDRAW_REDEMPTION: Final = _deposits("withdrawRedemption")
_PAY: Final = _deposits("pay")
_SET_LIMIT: Final = _deposits("setLimit")
_CONFIRM_SETTLEMENT: Final = _deposits("confirmSettlement")
_HOLD: Final = _deposits("hold")
_RELEASE: Final = _deposits("release")
_COLLECT: Final = _deposits("collect")
_ACCOUNT: Final = _deposits("account")
_BOOK: Final = _deposits("book")
_POSITION: Final = _deposits("position")
_REDEMPTION: Final = _deposits("redemption")
_HOLD_OF: Final = _deposits("holdOf")
_HOME_OF: Final = _deposits("homeOf")
_PAYMENT_MEMBERS: Final = members_of(DEPOSITS_ARTIFACT, "pay", "payment")

_OFFER: Final = _settlement("offer")
_ACCEPT: Final = _settlement("accept")
_COMMIT: Final = _settlement("commit")
_SET_ASIDE: Final = _settlement("setAside")
_DECLINE: Final = _settlement("decline")
_WITHDRAW: Final = _settlement("withdraw")
_EXPIRE: Final = _settlement("expire")
_ATTEST: Final = _settlement("attest")
_DENY: Final = _settlement("deny")
_EXECUTE: Final = _settlement("execute")
_GIVE_BACK: Final = _settlement("giveBack")
_AFFIRM: Final = _settlement("affirm")
_RESCIND: Final = _settlement("rescind")
_ASK_CANCEL: Final = _settlement("askCancel")
_AGREE_CANCEL: Final = _settlement("agreeCancel")
_QUASH: Final = _settlement("quash")
_DISCHARGE: Final = _settlement("discharge")
_DEAL: Final = _settlement("deal")
_DRAFT_MEMBERS: Final = members_of(SETTLEMENT_ARTIFACT, "offer", "draft")
_DISCHARGE_MEMBERS: Final = members_of(SETTLEMENT_ARTIFACT, "discharge", "debt")

# ---- deposits -----------------------------------------------------------------------------------


def choose_home_calldata(bank: str, currency: str) -> bytes:
    """Say where to be paid in a currency; opens the account."""
    return _CHOOSE_HOME.calldata(organisation_id_word(bank), currency_word(currency))


def issue_calldata(to: str, currency: str, amount: int, number: str, remark: str = "") -> bytes:
    """Owe an organisation a deposit. Banks."""
    words = organisation_id_word(to), currency_word(currency)
    return _ISSUE.calldata(*words, amount, number_word(number), remark)


def request_redemption_calldata(
    bank: str, currency: str, amount: int, number: str, remark: str = ""
) -> bytes:
    """Ask one's bank to pay a deposit out: the amount is set aside."""
    words = organisation_id_word(bank), currency_word(currency)
    return _REQUEST_REDEMPTION.calldata(*words, amount, number_word(number), remark)


def confirm_redemption_calldata(id_: Hash32, remark: str = "") -> bytes:
    """It was paid out; the remark says how. The bank."""
    return _CONFIRM_REDEMPTION.calldata(id_, remark)


def refuse_redemption_calldata(id_: Hash32, remark: str = "") -> bytes:
    """It is not paid out; the remark says why. The bank."""
    return _REFUSE_REDEMPTION.calldata(id_, remark)


def withdraw_redemption_calldata(id_: Hash32, remark: str = "") -> bytes:
    """Take a request back. The owner."""
    return _WITHDRAW_REDEMPTION.calldata(id_, remark)


def pay_calldata(payment: Payment, remark: str = "") -> bytes:
    """Pay an organisation, at the same bank or, within its limit, at another one."""
    values = {
        "payerBank": organisation_id_word(payment.payer_bank),
        "payee": organisation_id_word(payment.payee),
        "payeeBank": _organisation(payment.payee_bank),
        "currency": currency_word(payment.currency),
        "amount": payment.amount,
        "number": number_word(payment.number),
    }
    return _PAY.calldata(arranged(_PAYMENT_MEMBERS, values), remark)


def set_limit_calldata(debtor: str, currency: str, limit: int, remark: str = "") -> bytes:
    """Up to which amount another bank may owe the caller. Banks."""
    words = organisation_id_word(debtor), currency_word(currency)
    return _SET_LIMIT.calldata(*words, limit, remark)


def confirm_settlement_calldata(
    debtor: str, currency: str, amount: int, number: str, remark: str = ""
) -> bytes:
    """The debtor bank has paid, in central-bank money or set off. The creditor bank."""
    words = organisation_id_word(debtor), currency_word(currency)
    return _CONFIRM_SETTLEMENT.calldata(*words, amount, number_word(number), remark)


def hold_calldata(
    bank: str, currency: str, owner: str, amount: int, decision: Hash32, remark: str = ""
) -> bytes:
    """Nothing below this amount goes out of the account. Arbitrators and regulators."""
    words = organisation_id_word(bank), currency_word(currency), organisation_id_word(owner)
    return _HOLD.calldata(*words, amount, decision, remark)


def release_calldata(
    id_: Hash32, amount: int, decision: Hash32 | None = None, remark: str = ""
) -> bytes:
    """Give some of a hold free. Who holds it; an authority, which names its decision; the owner of
    the account what a pledgee holds and its pledge does not secure."""
    return _RELEASE.calldata(id_, amount, decision or NO_WORD, remark)


def collect_calldata(id_: Hash32, amount: int, remark: str = "") -> bytes:
    """Take what was paid on one's security, up to what the pledge is for. The pledgee."""
    return _COLLECT.calldata(id_, amount, remark)


# ---- deals --------------------------------------------------------------------------------------


def offer_calldata(draft: OfferDraft, remark: str = "") -> bytes:
    """Promise instruments against a payment: they are locked. Their holder."""
    values = _draft(draft.number, draft.buyer, draft.currency, draft.amount, draft.condition)
    values["role"] = 0 if draft.role is None else int(draft.role)
    values["sellerBank"] = _organisation(draft.seller_bank)
    values["expires"] = draft.expires
    values["terms"] = draft.terms or NO_WORD
    return _OFFER.calldata(arranged(_DRAFT_MEMBERS, values), _legs(draft.legs), remark)


def accept_calldata(
    id_: Hash32, revision: int, buyer_bank: str, revisions: Sequence[int], remark: str = ""
) -> bytes:
    """Pay and take, in one transaction. A buyer, who names the instruments' revisions."""
    words = organisation_id_word(buyer_bank), list(revisions)
    return _ACCEPT.calldata(id_, revision, *words, remark)


def commit_calldata(
    id_: Hash32, revision: int, buyer_bank: str, revisions: Sequence[int], remark: str = ""
) -> bytes:
    """Set the money aside until the condition is met. A buyer."""
    words = organisation_id_word(buyer_bank), list(revisions)
    return _COMMIT.calldata(id_, revision, *words, remark)


def set_aside_calldata(draft: ConditionalDraft, remark: str = "") -> bytes:
    """Set money aside for a payee under a condition. The payer."""
    values = _draft(draft.number, draft.payee, draft.currency, draft.amount, draft.condition)
    values["sellerBank"] = _organisation(draft.payee_bank)
    values["buyerBank"] = organisation_id_word(draft.payer_bank)
    values["terms"] = draft.terms or NO_WORD
    return _SET_ASIDE.calldata(arranged(_DRAFT_MEMBERS, values), remark)


def decline_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """Not want it. The named buyer."""
    return _DECLINE.calldata(id_, revision, remark)


def withdraw_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """Take an offer back. The seller."""
    return _WITHDRAW.calldata(id_, revision, remark)


def expire_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """End an offer that has expired. Anybody."""
    return _EXPIRE.calldata(id_, revision, remark)


def attest_calldata(id_: Hash32, revision: int, evidence: Hash32, remark: str = "") -> bytes:
    """The condition is met. The attestor."""
    return _ATTEST.calldata(id_, revision, evidence, remark)


def deny_calldata(id_: Hash32, revision: int, evidence: Hash32, remark: str = "") -> bytes:
    """The condition is not met: all goes back. The attestor."""
    return _DENY.calldata(id_, revision, evidence, remark)


def execute_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """Pay what is due. Anybody."""
    return _EXECUTE.calldata(id_, revision, remark)


def give_back_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """The deadline has passed, or a week after the date or the attestation an instrument still is
    not as agreed: all goes back. Anybody."""
    return _GIVE_BACK.calldata(id_, revision, remark)


def ask_cancel_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """Want to end a deal under way. Buyer or seller."""
    return _ASK_CANCEL.calldata(id_, revision, remark)


def agree_cancel_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """Agree to end it. The other one."""
    return _AGREE_CANCEL.calldata(id_, revision, remark)


def affirm_calldata(
    id_: Hash32, revision: int, revisions: Sequence[int], remark: str = ""
) -> bytes:
    """Bind oneself to the instruments as they are now, at these revisions; what is due is paid.
    The buyer."""
    return _AFFIRM.calldata(id_, revision, list(revisions), remark)


def rescind_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """End a deal whose instruments are not what one has bound oneself to. The buyer."""
    return _RESCIND.calldata(id_, revision, remark)


def quash_calldata(id_: Hash32, revision: int, decision: Hash32, remark: str = "") -> bytes:
    """End a deal by decision. Arbitrators and regulators."""
    return _QUASH.calldata(id_, revision, decision, remark)


def discharge_calldata(debt: Discharge, remark: str = "") -> bytes:
    """Pay a receivable. The debtor."""
    values = {
        "receivables": debt.receivables,
        "receivable": debt.receivable,
        "revision": debt.revision,
        "payerBank": organisation_id_word(debt.payer_bank),
        "amount": debt.amount,
        "number": number_word(debt.number),
    }
    return _DISCHARGE.calldata(arranged(_DISCHARGE_MEMBERS, values), remark)


# ---- answers ------------------------------------------------------------------------------------


def account_calldata(bank: str, currency: str, owner: str) -> bytes:
    """Calldata of `account`, to be called, not sent."""
    words = organisation_id_word(bank), currency_word(currency), organisation_id_word(owner)
    return _ACCOUNT.calldata(*words)


def decode_account(output: bytes) -> Account | None:
    """The account, or None where there is none. Raises `CalldataError`."""
    (found,) = _ACCOUNT.result(output)
    return account_of(found) if any(found[0]) else None


def book_calldata(bank: str, currency: str) -> bytes:
    """Calldata of `book`, to be called, not sent."""
    return _BOOK.calldata(organisation_id_word(bank), currency_word(currency))


def decode_book(output: bytes) -> Book:
    """A bank's books. Raises `CalldataError`."""
    return Book(*_BOOK.result(output)[0])


def position_calldata(creditor: str, debtor: str, currency: str) -> bytes:
    """Calldata of `position`, to be called, not sent."""
    words = organisation_id_word(creditor), organisation_id_word(debtor)
    return _POSITION.calldata(*words, currency_word(currency))


def decode_position(output: bytes) -> Position:
    """What stands between two banks. Raises `CalldataError`."""
    return Position(*_POSITION.result(output)[0])


def redemption_calldata(id_: Hash32) -> bytes:
    """Calldata of `redemption`, to be called, not sent."""
    return _REDEMPTION.calldata(id_)


def decode_redemption(output: bytes) -> Redemption | None:
    """The redemption, or None where the id is unknown. Raises `CalldataError`."""
    (found,) = _REDEMPTION.result(output)
    return redemption_of(found) if any(found[0]) else None


def hold_of_calldata(id_: Hash32) -> bytes:
    """Calldata of `holdOf`, to be called, not sent."""
    return _HOLD_OF.calldata(id_)


def decode_hold_of(output: bytes) -> Hold | None:
    """The hold, or None where the id is unknown. Raises `CalldataError`."""
    (found,) = _HOLD_OF.result(output)
    return hold_of(found) if any(found[0]) else None


def home_of_calldata(organisation: str, currency: str) -> bytes:
    """Calldata of `homeOf`, to be called, not sent."""
    return _HOME_OF.calldata(organisation_id_word(organisation), currency_word(currency))


def decode_home_of(output: bytes) -> str | None:
    """The bank where an organisation wants to be paid. Raises `CalldataError`."""
    try:
        return organisation_of(_HOME_OF.result(output)[0])
    except ContractError as error:
        raise CalldataError(f"result of homeOf: {error}") from error


def deal_calldata(id_: Hash32) -> bytes:
    """Calldata of `deal`, to be called, not sent."""
    return _DEAL.calldata(id_)


def decode_deal(output: bytes) -> Deal | None:
    """The deal, or None where the id is unknown. Raises `CalldataError`."""
    (found,) = _DEAL.result(output)
    try:
        return deal_of(found) if any(found[0]) else None
    except (ContractError, ValueError) as error:
        raise CalldataError(f"result of deal: {error}") from error


# ---- within -------------------------------------------------------------------------------------


def _organisation(organisation: str | None) -> bytes:
    return NO_WORD if organisation is None else organisation_id_word(organisation)


def _draft(
    number: str, counterparty: str | None, currency: str, amount: int, condition: Condition
) -> dict[str, object]:
    return {
        "number": number_word(number),
        "counterparty": _organisation(counterparty),
        "role": 0,
        "sellerBank": NO_WORD,
        "buyerBank": NO_WORD,
        "currency": currency_word(currency),
        "amount": amount,
        "expires": 0,
        "terms": NO_WORD,
        "condition": _condition(condition),
    }


def _condition(condition: Condition) -> tuple[object, ...]:
    return (
        int(condition.kind),
        condition.due,
        condition.deadline,
        _organisation(condition.attestor),
        condition.subject or NO_WORD,
    )


def _legs(legs: Sequence[Leg]) -> list[tuple[object, ...]]:
    return [(leg.instrument, leg.revision, leg.id) for leg in legs]
