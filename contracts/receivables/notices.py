"""What parties to a receivable are told: each act, with the receivable after it."""

from __future__ import annotations

from typing import Final

from contracts.instruments.notices import Notice, as_json, organisations
from contracts.receivables.binding import decode_log
from contracts.receivables.types import ReceivableActed
from ledger.types import Log

ENDED: Final = frozenset({"paid", "split", "refused", "cancelled"})
"""States after which nothing happens to it any more."""


def notices(log: Log) -> tuple[Notice, ...]:
    """`receivable.<act>`. Raises `LogError` where the log is none of the contract's events."""
    event = decode_log(log)
    if not isinstance(event, ReceivableActed):
        return ()
    receivable = event.receivable
    return (
        Notice(
            kind=f"receivable.{event.act}",
            id=f"0x{event.id.hex()}",
            parties=organisations(
                receivable.issuer,
                receivable.creditor,
                receivable.debtor,
                receivable.attestor,
                receivable.holder,
                receivable.pledgee,
                receivable.guarantor,
            ),
            body={
                "act": event.act,
                "by": event.by,
                "detail": as_json(event.detail),
                "remark": event.remark,
                "record": as_json(receivable),
            },
            by=() if event.by is None else (event.by,),
            final=receivable.state in ENDED,
        ),
    )
