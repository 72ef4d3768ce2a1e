"""Calls of Applications, Financing and Pricing.

All builders of calldata raise `CalldataValueError` or `OrganisationIdError`.
`revision` is the loan's as the caller has seen it; 0: whichever. All members see remarks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from contracts.abi import Function
from contracts.consortium import organisation_id_word
from contracts.financing.genesis import (
    APPLICATIONS_ARTIFACT,
    FINANCING_ARTIFACT,
    PRICING_ARTIFACT,
)
from contracts.financing.ids import currency_word, number_word
from contracts.financing.types import Contribution, Request, Tier
from contracts.instruments.records import arranged, members_of
from ledger.types import Hash32

ALL: Final = (1 << 128) - 1
"""As an amount of a payment: whatever is owed."""


def _application(name: str) -> Function:
    return Function.of(APPLICATIONS_ARTIFACT, name)


def _financing(name: str) -> Function:
    return Function.of(FINANCING_ARTIFACT, name)


def _pricing(name: str) -> Function:
    return Function.of(PRICING_ARTIFACT, name)


_APPLY: Final = _application("applyFor")
_CHECK: Final = _application("check")
_ADVISE: Final = _application("advise")
_APPROVE: Final = _application("approve")
_DECLINE: Final = _application("decline")
_COMMIT: Final = _application("commit")
_REVEAL: Final = _application("reveal")
_ACCEPT: Final = _application("accept")
_WITHDRAW: Final = _application("withdraw")
_LAPSE: Final = _application("lapse")
_SIGN: Final = _application("sign")
_DRAW_DOWN: Final = _financing("drawDown")
_REPAY: Final = _financing("repay")
_CREDIT: Final = _financing("credit")
_FALL_OVERDUE: Final = _financing("fallOverdue")
_WARN: Final = _financing("warn")
_REPORT: Final = _financing("report")
_DECLARE_DEFAULT: Final = _financing("declareDefault")
_CURE: Final = _financing("cure")
_EXHAUST: Final = _financing("exhaust")
_OWED: Final = _financing("owed")
_EXAMINE: Final = _financing("examine")
_PUBLISH: Final = _pricing("publish")
_RECORD_POINTS: Final = _pricing("recordPoints")
_TIERED: Final = _pricing("tiered")
_CONTRIBUTED: Final = _pricing("contributed")
_REQUEST_MEMBERS: Final = members_of(APPLICATIONS_ARTIFACT, "applyFor", "request")

# ---- prices: to the Pricing contract ------------------------------------------------------------


def publish_calldata(
    currency: str, tiers: Sequence[Tier], contribution: Contribution, document: Hash32
) -> bytes:
    """Publish the next version of one's table, 1 to 64 tiers. A bank."""
    rows = [
        (_kind_word(tier.kind), tier.amount_max, tier.term_days_max, tier.rate_bp) for tier in tiers
    ]
    terms = (contribution.points_per_bp, contribution.discount_bp_max, contribution.floor_bp)
    return _PUBLISH.calldata(currency_word(currency), rows, terms, document)


def record_points_calldata(customer: str, change: int, ref: Hash32) -> bytes:
    """Book points of a customer, each reference once. A bank."""
    return _RECORD_POINTS.calldata(organisation_id_word(customer), change, ref)


def tiered_calldata(
    bank: str, currency: str, version: int, kind: str, amount: int, term_days: int
) -> bytes:
    """Calldata of `tiered`, to be called, not sent."""
    words = organisation_id_word(bank), currency_word(currency)
    return _TIERED.calldata(*words, version, _kind_word(kind), amount, term_days)


def decode_tiered(output: bytes) -> int:
    """The table's rate (bp). Raises `CalldataError`."""
    return int(_TIERED.result(output)[0])


def contributed_calldata(
    bank: str, currency: str, version: int, customer: str, rate_bp: int
) -> bytes:
    """Calldata of `contributed`, to be called, not sent."""
    words = organisation_id_word(bank), currency_word(currency)
    return _CONTRIBUTED.calldata(*words, version, organisation_id_word(customer), rate_bp)


def decode_contributed(output: bytes) -> int:
    """What points take off (bp). Raises `CalldataError`."""
    return int(_CONTRIBUTED.result(output)[0])


# ---- applications: to the Applications contract -------------------------------------------------


def apply_calldata(request: Request, banks: Sequence[tuple[str, int]], remark: str = "") -> bytes:
    """Apply to 1 to 16 banks, each with the version of its table (0 in the market mode)."""
    invited = [(organisation_id_word(bank), version) for bank, version in banks]
    return _APPLY.calldata(_request(request), invited, remark)


def check_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """Record what the ledger says of the collateral. Borrower, invited banks, operator."""
    return _CHECK.calldata(id_, revision, remark)


def advise_calldata(
    id_: Hash32,
    revision: int,
    *,
    score: int,
    limit: int,
    rate_bp: int,
    text: Hash32,
    remark: str = "",
) -> bytes:
    """The platform's advice, `text` being the SHA-256 of its reasons. The operator."""
    return _ADVISE.calldata(id_, revision, score, limit, rate_bp, text, remark)


def approve_calldata(
    id_: Hash32, revision: int, amount: int, valid_until: int, text: Hash32, remark: str = ""
) -> bytes:
    """Offer a loan at the rate of one's table, binding until then. An invited bank."""
    return _APPROVE.calldata(id_, revision, amount, valid_until, text, remark)


def decline_calldata(id_: Hash32, revision: int, reason: Hash32, remark: str = "") -> bytes:
    """Decline, for reasons of that SHA-256. An invited bank."""
    return _DECLINE.calldata(id_, revision, reason, remark)


def commit_calldata(id_: Hash32, revision: int, sealed: Hash32, remark: str = "") -> bytes:
    """Hand in a sealed quote (`commitment`). An invited bank."""
    return _COMMIT.calldata(id_, revision, sealed, remark)


def reveal_calldata(
    id_: Hash32,
    revision: int,
    *,
    amount: int,
    rate_bp: int,
    text: Hash32,
    salt: Hash32,
    remark: str = "",
) -> bytes:
    """Open one's sealed quote."""
    return _REVEAL.calldata(id_, revision, amount, rate_bp, text, salt, remark)


def accept_calldata(
    id_: Hash32, revision: int, bank: str, offer: Hash32, remark: str = ""
) -> bytes:
    """Accept the offer of that hash. The borrower."""
    return _ACCEPT.calldata(id_, revision, organisation_id_word(bank), offer, remark)


def withdraw_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """Take the application back before payout. The borrower."""
    return _WITHDRAW.calldata(id_, revision, remark)


def lapse_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """End what nobody can accept or draw any more. Anybody."""
    return _LAPSE.calldata(id_, revision, remark)


def sign_calldata(id_: Hash32, revision: int, agreement: Hash32, remark: str = "") -> bytes:
    """Record the hash of the agreement that one has signed. Borrower and bank."""
    return _SIGN.calldata(id_, revision, agreement, remark)


# ---- loans: to the Financing contract -----------------------------------------------------------


def draw_down_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """Pledge and pay out, or neither. The bank."""
    return _DRAW_DOWN.calldata(id_, revision, remark)


def repay_calldata(
    id_: Hash32,
    revision: int,
    amount: int = ALL,
    assets: Sequence[Hash32] = (),
    remark: str = "",
) -> bytes:
    """Pay out of the deposit at the bank. The borrower.

    With the last payment `assets` are all instruments that the pledge covers; they go free.
    """
    return _REPAY.calldata(id_, revision, amount, list(assets), remark)


def credit_calldata(
    id_: Hash32,
    revision: int,
    amount: int,
    ref: Hash32,
    assets: Sequence[Hash32] = (),
    remark: str = "",
) -> bytes:
    """Book money that came in outside the ledger, `ref` once for each loan. The bank."""
    return _CREDIT.calldata(id_, revision, amount, ref, list(assets), remark)


def fall_overdue_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """It was not paid in time. Anybody."""
    return _FALL_OVERDUE.calldata(id_, revision, remark)


def warn_calldata(
    id_: Hash32, revision: int, severity: int, text: Hash32, remark: str = ""
) -> bytes:
    """Warn, with severity 1 to 3. The bank or the operator."""
    return _WARN.calldata(id_, revision, severity, text, remark)


def report_calldata(id_: Hash32, revision: int, asset: Hash32, remark: str = "") -> bytes:
    """Record what the ledger shows of a piece of the collateral. Anybody."""
    return _REPORT.calldata(id_, revision, asset, remark)


def declare_default_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """The loan is in default, as its pledge is. The bank."""
    return _DECLARE_DEFAULT.calldata(id_, revision, remark)


def cure_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """Take a default back. The bank."""
    return _CURE.calldata(id_, revision, remark)


def exhaust_calldata(id_: Hash32, revision: int, remark: str = "") -> bytes:
    """The pledge was enforced. Anybody."""
    return _EXHAUST.calldata(id_, revision, remark)


def owed_calldata(id_: Hash32, time: int) -> bytes:
    """Calldata of `owed`, to be called, not sent."""
    return _OWED.calldata(id_, time)


def decode_owed(output: bytes) -> tuple[int, int]:
    """Principal and interest. Raises `CalldataError`."""
    principal, interest = _OWED.result(output)
    return principal, interest


def examine_calldata(instrument: bytes, asset: Hash32, revision: int, organisation: str) -> bytes:
    """Calldata of `examine`, to be called, not sent."""
    return _EXAMINE.calldata(instrument, asset, revision, organisation_id_word(organisation))


# ---- within -------------------------------------------------------------------------------------


def _kind_word(kind: str | None) -> bytes:
    return (kind or "").encode("ascii").ljust(32, b"\0")


def _request(request: Request) -> tuple[object, ...]:
    values = {
        "number": number_word(request.number),
        "instrument": request.instrument,
        "asset": request.asset,
        "assetRevision": request.asset_revision,
        "amount": request.amount,
        "amountMin": request.amount_min,
        "currency": currency_word(request.currency),
        "termDays": request.term_days,
        "yearDays": request.year_days,
        "mode": int(request.mode),
        "agreement": request.agreement,
        "purpose": request.purpose,
        "expires": request.expires,
        "quotesUntil": request.quotes_until,
        "revealUntil": request.reveal_until,
        "rateBpMax": request.rate_bp_max,
        "penaltyBp": request.penalty_bp,
        "graceSeconds": request.grace_seconds,
        "noticeSeconds": request.notice_seconds,
    }
    return arranged(_REQUEST_MEMBERS, values)
