"""What parties to a receipt are told: each act, with the receipt after it."""

from __future__ import annotations

from typing import Final

from contracts.instruments.notices import Notice, as_json, organisations
from contracts.receipts.binding import decode_log
from contracts.receipts.types import ReceiptActed
from ledger.types import Log

GONE: Final = frozenset({"delivered", "split", "merged", "replaced", "cancelled"})
"""States in which a receipt stands for no goods any more: shortfalls of the lot no longer concern
who had it."""


def notices(log: Log) -> tuple[Notice, ...]:
    """`receipt.<act>`. Raises `LogError` where the log is none of the contract's events."""
    event = decode_log(log)
    if not isinstance(event, ReceiptActed):
        return ()
    receipt = event.receipt
    return (
        Notice(
            kind=f"receipt.{event.act}",
            id=f"0x{event.id.hex()}",
            parties=organisations(
                receipt.warehouse, receipt.holder, receipt.owner, receipt.nominee, receipt.pledgee
            ),
            body={
                "act": event.act,
                "by": event.by,
                "detail": as_json(event.detail),
                "remark": event.remark,
                "record": as_json(receipt),
            },
            by=(event.by,),
            topic=f"0x{receipt.lot.hex()}",
            final=receipt.state in GONE,
        ),
    )
