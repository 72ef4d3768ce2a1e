"""Logs of Applications, Financing and Pricing, and the records in them."""

from __future__ import annotations

from typing import Final

from contracts.abi import EventKind, Function
from contracts.artifact import Artifact
from contracts.consortium import organisation_id_text
from contracts.errors import CalldataError, LogError
from contracts.events import LogDecoder, Values, address_of
from contracts.financing.genesis import (
    APPLICATIONS_ARTIFACT,
    FINANCING_ARTIFACT,
    PRICING_ARTIFACT,
)
from contracts.financing.types import (
    Advice,
    Advised,
    Application,
    ApplicationActed,
    Breach,
    Check,
    Contribution,
    Debt,
    Fact,
    FinancingEvent,
    Loan,
    LoanActed,
    Mode,
    Offer,
    OfferChanged,
    Paid,
    PointsRecorded,
    RateTable,
    Request,
    Stance,
    Tier,
    Watch,
)
from contracts.instruments import load_machine
from contracts.instruments.records import (
    code_text,
    hash_of,
    members_of,
    named,
    organisation_of,
    struct,
)
from ledger.types import Hash32, Log

MACHINE: Final = load_machine("contracts.financing")
STATES: Final = MACHINE.states
ACTS: Final = tuple(act.name for act in MACHINE.acts)


def _components(artifact: Artifact, event: str, *path: str) -> tuple[str, ...]:
    """Members of a struct within a struct of an event."""
    (entry,) = (e for e in artifact.abi if e["type"] == "event" and e["name"] == event)
    parts = entry["inputs"]
    for name in path:
        (parts,) = (part["components"] for part in parts if part["name"] == name)
    return tuple(part["name"] for part in parts)


_APPLICATION: Final = members_of(APPLICATIONS_ARTIFACT, "ApplicationActed", "application")
_REQUEST: Final = _components(APPLICATIONS_ARTIFACT, "ApplicationActed", "application", "request")
_CHECK: Final = _components(APPLICATIONS_ARTIFACT, "ApplicationActed", "application", "check")
_OFFER: Final = members_of(APPLICATIONS_ARTIFACT, "OfferChanged", "offer")
_ADVICE: Final = members_of(APPLICATIONS_ARTIFACT, "Advised", "advice")
_LOAN: Final = members_of(FINANCING_ARTIFACT, "LoanActed", "loan")
_DEBT: Final = _components(FINANCING_ARTIFACT, "LoanActed", "loan", "debt")
_WATCH: Final = _components(FINANCING_ARTIFACT, "LoanActed", "loan", "watch")
_GET_APPLICATION: Final = Function.of(APPLICATIONS_ARTIFACT, "application")
_GET_OFFER: Final = Function.of(APPLICATIONS_ARTIFACT, "offerOf")
_GET_LOAN: Final = Function.of(FINANCING_ARTIFACT, "loan")
_STANDING_OF: Final = Function.of(FINANCING_ARTIFACT, "standingOf")


def decode_log(log: Log) -> FinancingEvent:
    """The event in a log of one of the three contracts. Raises `LogError` where it is none."""
    decoder = _BY_TOPIC.get(log.topics[0]) if log.topics else None
    if decoder is None:
        raise LogError("log is none of the events of Applications, Financing and Pricing")
    return decoder.decode(log)


# ---- answers ------------------------------------------------------------------------------------


def application_calldata(id_: Hash32) -> bytes:
    """Calldata of `application`, to be called, not sent."""
    return _GET_APPLICATION.calldata(id_)


def decode_application(output: bytes) -> Application | None:
    """The application, None where the id is unknown. Raises `CalldataError`."""
    (found,) = _GET_APPLICATION.result(output)
    values = struct(_APPLICATION, found)
    return _application(values) if any(values["borrower"]) else None


def offer_calldata(id_: Hash32, bank: bytes) -> bytes:
    """Calldata of `offerOf` for a bank's id as bytes32, to be called, not sent."""
    return _GET_OFFER.calldata(id_, bank)


def decode_offer(output: bytes) -> Offer:
    """How a bank stands to an application. Raises `CalldataError`."""
    (found,) = _GET_OFFER.result(output)
    return _offer(struct(_OFFER, found))


def loan_calldata(id_: Hash32) -> bytes:
    """Calldata of `loan`, to be called, not sent."""
    return _GET_LOAN.calldata(id_)


def decode_loan(output: bytes) -> Loan | None:
    """The loan, None where it was not paid out. Raises `CalldataError`."""
    (found,) = _GET_LOAN.result(output)
    values = struct(_LOAN, found)
    return _loan(values) if any(values["borrower"]) else None


def standing_calldata(id_: Hash32) -> bytes:
    """Calldata of `standingOf` of Applications or Financing, to be called, not sent."""
    return _STANDING_OF.calldata(id_)


def decode_standing(output: bytes) -> tuple[int, str]:
    """Revision and state. Raises `CalldataError`."""
    revision, state = _STANDING_OF.result(output)
    if state >= len(STATES):
        raise CalldataError(f"result of standingOf: state {state} is none of the table's")
    return revision, STATES[state]


# ---- records ------------------------------------------------------------------------------------


def _application(values: Values) -> Application:
    check = Check(*_flags(struct(_CHECK, values["check"])))
    return Application(
        borrower=organisation_id_text(values["borrower"]),
        bank=organisation_of(values["bank"]),
        offer_hash=hash_of(values["offerHash"]),
        signed_by_borrower=hash_of(values["signedByBorrower"]),
        signed_by_bank=hash_of(values["signedByBank"]),
        best=organisation_of(values["best"]),
        valid_until=values["validUntil"],
        open=values["open"],
        quotes=values["quotes"],
        check=check if check.applicable else None,
        request=_request(struct(_REQUEST, values["request"])),
    )


def _flags(values: Values) -> tuple[Fact, Fact, int, int]:
    applicable, passed = Fact(values["applicable"]), Fact(values["passed"])
    return applicable, passed, values["blockNumber"], values["time"]


def _request(values: Values) -> Request:
    return Request(
        number=code_text(values["number"]),
        instrument=address_of(values["instrument"]),
        asset=Hash32(values["asset"]),
        asset_revision=values["assetRevision"],
        amount=values["amount"],
        amount_min=values["amountMin"],
        currency=code_text(values["currency"]),
        term_days=values["termDays"],
        year_days=values["yearDays"],
        mode=Mode(values["mode"]),
        purpose=Hash32(values["purpose"]),
        expires=values["expires"],
        agreement=values["agreement"],
        quotes_until=values["quotesUntil"],
        reveal_until=values["revealUntil"],
        rate_bp_max=values["rateBpMax"],
        penalty_bp=values["penaltyBp"],
        grace_seconds=values["graceSeconds"],
        notice_seconds=values["noticeSeconds"],
    )


def _offer(values: Values) -> Offer:
    return Offer(
        stance=Stance(values["stance"]),
        table_version=values["tableVersion"],
        rate_bp=values["rateBp"],
        discount_bp=values["discountBp"],
        valid_until=values["validUntil"],
        decided=values["decided"],
        order=values["order"],
        amount=values["amount"],
        commitment=hash_of(values["commitment"]),
        text=hash_of(values["text"]),
    )


def _loan(values: Values) -> Loan:
    debt, watch = struct(_DEBT, values["debt"]), struct(_WATCH, values["watch"])
    return Loan(
        borrower=organisation_id_text(values["borrower"]),
        bank=organisation_id_text(values["bank"]),
        terms=Hash32(values["terms"]),
        pledge=hash_of(values["pledge"]),
        instrument=address_of(values["instrument"]),
        asset=Hash32(values["asset"]),
        currency=code_text(values["currency"]),
        year_days=values["yearDays"],
        rate_bp=values["rateBp"],
        penalty_bp=values["penaltyBp"],
        grace_seconds=values["graceSeconds"],
        debt=Debt(
            lent=debt["lent"],
            principal=debt["principal"],
            interest_paid=debt["interestPaid"],
            accrued=debt["accrued"],
            drawn=debt["drawn"],
            due=debt["due"],
            accrued_at=debt["accruedAt"],
        ),
        watch=Watch(
            breach_asset=hash_of(watch["breachAsset"]),
            breach_since=watch["breachSince"],
            warnings=watch["warnings"],
            severity=watch["severity"],
            breach=Breach(watch["breach"]),
        ),
    )


# ---- events -------------------------------------------------------------------------------------


def _application_acted(values: Values) -> FinancingEvent:
    return ApplicationActed(
        id=Hash32(values["id"]),
        by=organisation_id_text(values["by"]),
        act=named(ACTS, values["act"], "act"),
        revision=values["revision"],
        state=named(STATES, values["state"], "state"),
        application=_application(struct(_APPLICATION, values["application"])),
        detail=hash_of(values["detail"]),
        remark=values["remark"],
    )


def _offer_changed(values: Values) -> FinancingEvent:
    return OfferChanged(
        id=Hash32(values["id"]),
        bank=organisation_id_text(values["bank"]),
        borrower=organisation_id_text(values["borrower"]),
        offer=_offer(struct(_OFFER, values["offer"])),
        offer_hash=hash_of(values["offerHash"]),
    )


def _advised(values: Values) -> FinancingEvent:
    told = struct(_ADVICE, values["advice"])
    by = organisation_id_text(values["by"])
    advice = Advice(
        by, Hash32(told["text"]), told["limit"], told["rateBp"], told["score"], told["given"]
    )
    return Advised(Hash32(values["id"]), by, advice)


def _loan_acted(values: Values) -> FinancingEvent:
    return LoanActed(
        id=Hash32(values["id"]),
        by=organisation_id_text(values["by"]),
        act=named(ACTS, values["act"], "act"),
        revision=values["revision"],
        state=named(STATES, values["state"], "state"),
        loan=_loan(struct(_LOAN, values["loan"])),
        detail=hash_of(values["detail"]),
        remark=values["remark"],
    )


def _paid(values: Values) -> FinancingEvent:
    return Paid(
        id=Hash32(values["id"]),
        by=organisation_id_text(values["by"]),
        interest=values["interest"],
        principal=values["principal"],
        ref=hash_of(values["ref"]),
    )


def _table_published(values: Values) -> FinancingEvent:
    tiers = tuple(
        Tier(amount, days, rate, kind=code_text(kind) if any(kind) else None)
        for kind, amount, days, rate in values["tiers"]
    )
    return RateTable(
        bank=organisation_id_text(values["bank"]),
        currency=code_text(values["currency"]),
        version=values["version"],
        tiers=tiers,
        contribution=Contribution(*values["contribution"]),
        document=Hash32(values["document"]),
    )


def _points_recorded(values: Values) -> FinancingEvent:
    return PointsRecorded(
        bank=organisation_id_text(values["bank"]),
        customer=organisation_id_text(values["customer"]),
        ref=Hash32(values["ref"]),
        change=values["change"],
        points=values["points"],
    )


def _by_topic() -> dict[Hash32, LogDecoder[FinancingEvent]]:
    found: dict[Hash32, LogDecoder[FinancingEvent]] = {}
    for artifact, builders in (
        (
            APPLICATIONS_ARTIFACT,
            {
                "ApplicationActed": _application_acted,
                "OfferChanged": _offer_changed,
                "Advised": _advised,
            },
        ),
        (FINANCING_ARTIFACT, {"LoanActed": _loan_acted, "Paid": _paid}),
        (
            PRICING_ARTIFACT,
            {"TablePublished": _table_published, "PointsRecorded": _points_recorded},
        ),
    ):
        decoder = LogDecoder[FinancingEvent](artifact, **builders)
        found |= {EventKind.of(artifact, name).topic: decoder for name in builders}
    return found


_BY_TOPIC: Final = _by_topic()
