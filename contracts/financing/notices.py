"""What parties to applications, offers, loans and points are told.

An application and the loan that comes of it are one record, of the borrower and the bank whose
offer was accepted. What stands between the borrower and each bank before that is a record of its
own: no bank is told of another one's offer. It lives on the application (its topic), so that
whoever is asked for an offer is told what the platform advises.
"""

from __future__ import annotations

from typing import Final

from contracts.consortium import organisation_id_word
from contracts.financing.decoding import decode_log
from contracts.financing.types import (
    Advised,
    ApplicationActed,
    LoanActed,
    OfferChanged,
    Paid,
    PointsRecorded,
    Stance,
)
from contracts.instruments.notices import Json, Notice, as_json, organisations
from ledger.state.keccak import keccak
from ledger.types import Hash32, Log

ENDED: Final = frozenset({"repaid", "withdrawn", "lapsed"})
_TOLD_AS_OFFERS: Final = frozenset({"approve", "decline", "commit", "reveal"})


def offer_record(id_: Hash32, bank: str) -> Hash32:
    """Id of what stands between an application's borrower and a bank, in notices."""
    return Hash32(keccak(id_ + organisation_id_word(bank)))


def application_notices(log: Log) -> tuple[Notice, ...]:
    """`application.<act>`, `application.advised` and `offer.<stance>`. Raises `LogError`."""
    match decode_log(log):
        case ApplicationActed() as event if event.act not in _TOLD_AS_OFFERS:
            application = event.application
            return (_acted("application", event, application.borrower, application.bank),)
        case OfferChanged() as event:
            return (_offer(event),)
        case Advised(id_, by, advice):
            told: dict[str, Json] = {"by": by, "advice": as_json(advice)}
            kind = "application.advised"
            return (Notice(kind, f"0x{id_.hex()}", None, told, by=(by,), alarm=True),)
    return ()


def loan_notices(log: Log) -> tuple[Notice, ...]:
    """`loan.<act>` and `loan.payment`. Raises `LogError`."""
    match decode_log(log):
        case LoanActed() as event:
            return (_acted("loan", event, event.loan.borrower, event.loan.bank),)
        case Paid() as event:
            body: dict[str, Json] = {"by": event.by, "record": as_json(event)}
            return (Notice("loan.payment", f"0x{event.id.hex()}", None, body, by=(event.by,)),)
    return ()


def pricing_notices(log: Log) -> tuple[Notice, ...]:
    """`points.recorded`; tables are for all to read, nobody is told. Raises `LogError`."""
    event = decode_log(log)
    if not isinstance(event, PointsRecorded):
        return ()
    between = f"{event.bank}/{event.customer}"
    return (
        Notice(
            kind="points.recorded",
            id=f"0x{keccak(between.encode()).hex()}",
            parties=organisations(event.bank, event.customer),
            body={"record": as_json(event)},
            by=(event.bank,),
        ),
    )


def _acted(
    kind: str, event: ApplicationActed | LoanActed, borrower: str, bank: str | None
) -> Notice:
    record = event.application if isinstance(event, ApplicationActed) else event.loan
    body: dict[str, Json] = {
        "act": event.act,
        "by": event.by,
        "state": event.state,
        "revision": event.revision,
        "detail": as_json(event.detail),
        "remark": event.remark,
        "record": as_json(record),
    }
    return Notice(
        kind=f"{kind}.{event.act}",
        id=f"0x{event.id.hex()}",
        parties=organisations(borrower, bank),
        body=body,
        by=(event.by,),
        final=event.state in ENDED,
    )


def _offer(event: OfferChanged) -> Notice:
    word = "invited" if event.offer.stance is Stance.NONE else event.offer.stance.word
    body: dict[str, Json] = {
        "loan": as_json(event.id),
        "bank": event.bank,
        "offerHash": as_json(event.offer_hash),
        "record": as_json(event.offer),
    }
    return Notice(
        kind=f"offer.{word}",
        id=f"0x{offer_record(event.id, event.bank).hex()}",
        parties=organisations(event.borrower, event.bank),
        body=body,
        topic=f"0x{event.id.hex()}",
        final=event.offer.stance is Stance.DECLINED,
    )
