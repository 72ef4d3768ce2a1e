"""What is told of a lot: to its warehouse and counters, at worst to all who rely on it.

That receipts move what is live or there (`StockMoved`) is told by the receipts themselves.
"""

from __future__ import annotations

from contracts.instruments.notices import Json, Notice, as_json, organisations
from contracts.stock.binding import decode_log
from contracts.stock.types import (
    Adjusted,
    AgreementChanged,
    Counted,
    CounterChanged,
    LotEntrusted,
    LotRegistered,
    ShortfallBegan,
    ShortfallEnded,
    StockEvent,
    StockMoved,
)
from ledger.types import Log


def notices(log: Log) -> tuple[Notice, ...]:
    """`stock.registered`, `stock.counted`, `stock.shortfall-began`, … Raises `LogError`.

    A lot's shortfall, its end, and another keeper concern the parties of all its live receipts.
    """
    event = decode_log(log)
    key = f"0x{event.key.hex()}"
    match event:
        case StockMoved():
            return ()
        case LotRegistered():
            parties = organisations(event.warehouse, *event.counters)
            return (Notice("stock.registered", key, parties, _body(event)),)
        case CounterChanged():
            own = frozenset({event.organisation})
            if event.may:
                return (Notice("stock.counter-added", key, None, _body(event), joining=own),)
            return (Notice("stock.counter-removed", key, None, _body(event), leaving=own),)
        case LotEntrusted():
            return (
                Notice(
                    kind="stock.entrusted",
                    id=key,
                    parties=None,
                    body=_body(event),
                    by=(event.by,),
                    joining=frozenset({event.warehouse}),
                    leaving=frozenset({event.former}),
                    alarm=True,
                ),
            )
        case AgreementChanged():
            return (Notice("stock.agreement", key, None, _body(event)),)
        case Counted():
            return (Notice("stock.counted", key, None, _body(event), by=(event.organisation,)),)
        case Adjusted():
            return (Notice("stock.adjusted", key, None, _body(event), by=(event.by,)),)
        case ShortfallBegan():
            return (Notice("stock.shortfall-began", key, None, _body(event), alarm=True),)
        case ShortfallEnded():
            return (Notice("stock.shortfall-ended", key, None, _body(event), alarm=True),)


def _body(event: StockEvent) -> dict[str, Json]:
    """What the event says, without the lot's key, which is the notice's id."""
    told = as_json(event)
    assert isinstance(told, dict)
    del told["key"]
    return told
