"""Applications and loans in JSON: one record, from what is asked for to the last payment."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntFlag
from typing import Any, Final

from api.acts.common import place_body
from api.operations import Done
from api.sight import SEALED, is_open
from contracts.financing import (
    ActOfLoan,
    Advice,
    Advised,
    Application,
    ApplicationActed,
    Check,
    Loan,
    LoanActed,
    Offer,
    OfferChanged,
    Paid,
    Payment,
    Request,
    StoredAdvice,
    StoredApplication,
    StoredLoan,
    StoredOffer,
    decode_log,
)
from contracts.instruments import Viewer
from contracts.instruments.notices import as_json
from ledger.types import Hash32

_EVENTS: Final = frozenset({"ApplicationActed", "OfferChanged", "Advised", "LoanActed", "Paid"})


@dataclass(frozen=True, slots=True)
class Line:
    """An application, and the loan that has come of it."""

    asked: StoredApplication
    loan: StoredLoan | None

    @property
    def revision(self) -> int:
        """Of the one line that both go through."""
        return self.asked.revision if self.loan is None else self.loan.revision


def plain(value: object) -> dict[str, Any]:
    """A record in JSON, amounts as decimal text."""
    body = as_json(value)
    assert isinstance(body, dict)
    return body


def line_body(line: Line, viewer: Viewer, at: int | None = None) -> dict[str, Any]:
    """The record as it is now, and what is owed `at` that time (Unix seconds)."""
    asked, loan = line.asked, line.loan
    last = asked if loan is None else loan
    body: dict[str, Any] = {
        "id": f"0x{asked.id.hex()}",
        "state": last.state,
        "revision": last.revision,
        "application": {
            "contract": f"0x{asked.contract.hex()}",
            **application_body(asked.application, viewer),
        },
        "payout": None,
        "owed": None,
        "last": place_body(last.place),
    }
    if loan is not None:
        body["payout"] = {"contract": f"0x{loan.contract.hex()}", **loan_body(loan.loan)}
        body["owed"] = _owed(loan, int(time.time()) if at is None else at)
    return body


def _owed(loan: StoredLoan, at: int) -> dict[str, Any]:
    moment = max(at, loan.loan.debt.accrued_at)  # what was paid since is not undone
    balance = loan.balance.at(moment)
    return {
        "at": moment,
        "principal": str(balance.principal),
        "interest": str(balance.interest),
        "total": str(balance.outstanding),
    }


def application_body(application: Application, viewer: Viewer) -> dict[str, Any]:
    """An application. Which quote is the best so far, the borrower sees, and who sees all; so they
    do with how many there are, until the reveal is over."""
    body = plain(application)
    others = not (viewer.sees_all or viewer.organisation == application.borrower)
    if others and not is_open(body) and time.time() < application.request.reveal_until:
        del body["quotes"], body["open"]
    body["request"] = _request(application.request)
    body["check"] = None if application.check is None else _check(application.check)
    if others:
        del body["best"]
    return body


def _request(request: Request) -> dict[str, Any]:
    body = plain(request)
    contract, revision = body.pop("instrument"), body.pop("assetRevision")
    collateral = {"contract": contract, "instrument": body.pop("asset"), "revision": revision}
    return {**body, "collateral": collateral}


def _check(check: Check) -> dict[str, Any]:
    return {
        "applicable": _words(check.applicable),
        "passed": _words(check.passed),
        "failed": _words(check.failed),
        "block": check.block_number,
        "time": check.time,
    }


def _words(flags: IntFlag) -> list[str]:
    return [str(one.name).lower().replace("_", "-") for one in flags]


def loan_body(loan: Loan) -> dict[str, Any]:
    """A loan that was paid out."""
    body = plain(loan)
    body["watch"]["breach"] = _words(loan.watch.breach)
    collateral = {"contract": body.pop("instrument"), "instrument": body.pop("asset")}
    return {**body, "collateral": collateral}


def offer_body(bank: str, offer: Offer, hash_: Hash32 | None) -> dict[str, Any]:
    """How a bank stands to an application."""
    return {"bank": bank, "offerHash": as_json(hash_), **plain(offer)}


def stored_offer_body(stored: StoredOffer) -> dict[str, Any]:
    """The same, with its last act."""
    body = offer_body(stored.bank, stored.offer, stored.offer_hash)
    return body | {"last": place_body(stored.place)}


def advice_body(stored: StoredAdvice) -> dict[str, Any]:
    """The platform's advice."""
    return {**plain(stored.advice), **place_body(stored.place)}


def payment_body(payment: Payment) -> dict[str, Any]:
    """Money that came in."""
    return _placed(payment)


def act_body(act: ActOfLoan, contract: str) -> dict[str, Any]:
    """A line of the history; payout is told by both contracts."""
    return {"contract": contract, **_placed(act)}


def _placed(value: ActOfLoan | Payment) -> dict[str, Any]:
    body = plain(value)
    del body["place"]
    return {**body, **place_body(value.place)}


def told(id_: Hash32, viewer: Viewer, done: Done) -> Mapping[str, Any]:
    """What an act has changed: the record, offers, advice, payments."""
    loan: dict[str, Any] = {"id": f"0x{id_.hex()}"}
    more: dict[str, list[dict[str, Any]]] = {}
    for event in done.events:
        if event.contract not in ("applications", "financing") or event.name not in _EVENTS:
            continue
        match decode_log(event.placed.log):
            case ApplicationActed() as acted if acted.id == id_:
                loan |= _acted(acted)
                body = application_body(acted.application, viewer)
                hidden = SEALED if acted.application.is_sealed else ()
                loan["application"] = {k: v for k, v in body.items() if k not in hidden}
            case LoanActed() as acted if acted.id == id_:
                loan |= _acted(acted)
                loan["payout"] = loan_body(acted.loan)
            case OfferChanged(id=found) as one if found == id_ and _sees_offer(viewer, one):
                body = offer_body(one.bank, one.offer, one.offer_hash)
                more.setdefault("offers", []).append(body)
            case Advised(id=found, advice=Advice() as advice) if found == id_:
                more.setdefault("advice", []).append(plain(advice))
            case Paid(id=found) as paid if found == id_:
                more.setdefault("payments", []).append(plain(paid))
    return {"loan": loan, **more}


def _sees_offer(viewer: Viewer, event: OfferChanged) -> bool:
    return viewer.sees_all or viewer.organisation in (event.borrower, event.bank)


def _acted(event: ApplicationActed | LoanActed) -> dict[str, Any]:
    return {"act": event.act, "state": event.state, "revision": event.revision}
