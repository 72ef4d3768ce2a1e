"""What parties to deposits and deals are told: each change, with the record after it."""

from __future__ import annotations

from typing import Final

from contracts.instruments.notices import Json, Notice, as_json, organisations
from contracts.settlement.decoding import decode_deposits_log, decode_log
from contracts.settlement.types import AccountChanged, DealActed, PositionChanged
from ledger.state.keccak import keccak
from ledger.types import Log

ENDED: Final = frozenset({"settled", "declined", "withdrawn", "expired", "returned", "cancelled"})
"""States of a deal after which nothing happens to it any more."""


def deposit_notices(log: Log) -> tuple[Notice, ...]:
    """`deposit.<what happened>` and `interbank.<what happened>`.

    The id is the account's key, or for two banks the hash of who owes whom in which currency.
    Raises `LogError` where the log is none of the contract's events.
    """
    event = decode_deposits_log(log)
    if isinstance(event, AccountChanged):
        return (_account(event),)
    if isinstance(event, PositionChanged):
        return (_position(event),)
    return ()


def notices(log: Log) -> tuple[Notice, ...]:
    """`deal.<act>`. Raises `LogError` where the log is none of the contract's events."""
    event = decode_log(log)
    return (_deal(event),)


def _account(event: AccountChanged) -> Notice:
    body: dict[str, Json] = {
        "payment": as_json(event.id),
        "movement": as_json(event.movement),
        "remark": event.remark,
        "record": as_json(event.content),
    }
    return Notice(
        kind=f"deposit.{event.kind.word}",
        id=f"0x{event.account.hex()}",
        parties=organisations(event.content.bank, event.content.owner),
        body=body,
        by=(event.movement.by,),
    )


def _position(event: PositionChanged) -> Notice:
    between = f"{event.creditor}/{event.debtor}/{event.currency}"
    return Notice(
        kind=f"interbank.{event.kind.word}",
        id=f"0x{keccak(between.encode()).hex()}",
        parties=organisations(event.creditor, event.debtor),
        body={
            "creditor": event.creditor,
            "debtor": event.debtor,
            "currency": event.currency,
            "payment": as_json(event.id),
            "amount": str(event.amount),
            "number": event.number,
            "remark": event.remark,
            "record": as_json(event.content),
        },
    )


def _deal(event: DealActed) -> Notice:
    deal = event.deal
    return Notice(
        kind=f"deal.{event.act}",
        id=f"0x{event.id.hex()}",
        parties=organisations(
            deal.seller, deal.buyer, deal.seller_bank, deal.buyer_bank, deal.condition.attestor
        ),
        body={
            "act": event.act,
            "by": event.by,
            "detail": as_json(event.detail),
            "remark": event.remark,
            "record": as_json(deal),
        },
        by=(event.by,),
        final=deal.state in ENDED,
    )
