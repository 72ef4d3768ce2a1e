"""What parties to a pledge are told: each state, and which instruments it covers."""

from __future__ import annotations

from contracts.instruments.notices import Notice, as_json, organisations
from contracts.pledges.binding import decode_log
from contracts.pledges.types import AssetCovered, AssetFreed, PledgeAnnulled, PledgeChanged
from ledger.types import Log


def notices(log: Log) -> tuple[Notice, ...]:
    """`pledge.<state>`, `pledge.covered`, `pledge.freed`, `pledge.decision`. Raises `LogError`."""
    event = decode_log(log)
    key = f"0x{event.key.hex()}"
    match event:
        case PledgeChanged():
            pledge = event.pledge
            return (
                Notice(
                    kind=f"pledge.{pledge.state.word}",
                    id=key,
                    parties=organisations(pledge.pledgor, pledge.pledgee),
                    body={"by": event.by, "remark": event.remark, "record": as_json(pledge)},
                    by=(event.by,),
                ),
            )
        case PledgeAnnulled():
            body = {"by": event.by, "decision": as_json(event.decision), "ids": as_json(event.ids)}
            return (Notice("pledge.decision", key, None, body, by=(event.by,)),)
        case AssetCovered():
            body = {"contract": as_json(event.instrument), "covered": as_json(event.id)}
            return (Notice("pledge.covered", key, None, body),)
        case AssetFreed():
            body = {
                "contract": as_json(event.instrument),
                "freed": as_json(event.id),
                "to": event.to,
            }
            return (Notice("pledge.freed", key, None, body),)
