"""What those concerned with a pool are told.

Arranger, trustee, servicer and whoever gets what is left are parties to the pool's own record;
holders are told of it as long as they hold: each part of a tranche is a record that lives on the
pool (its topic). Fees are records of their own, and payments are told to the offices and the payee.
"""

from __future__ import annotations

from typing import Final

from contracts.consortium import organisation_id_word
from contracts.instruments.notices import Json, Notice, as_json, organisations
from contracts.pools.logs import decode_book_log, decode_log
from contracts.pools.types import (
    AssetsAdmitted,
    AssetsDismissed,
    Collected,
    CollectionVoided,
    DayCommitted,
    Distributed,
    FeesAgreed,
    PaymentConfirmed,
    PaymentDue,
    Pool,
    PoolChanged,
    PoolState,
    TrancheAgreed,
    UnitsMoved,
)
from ledger.state.keccak import keccak
from ledger.types import Hash32, Log

ENDED: Final = frozenset({PoolState.CLOSED, PoolState.WITHDRAWN})


def holding_record(pool: Hash32, tranche: int, holder: str) -> Hash32:
    """Id of what an organisation has of a tranche, in notices."""
    return Hash32(keccak(pool + tranche.to_bytes(32, "big") + organisation_id_word(holder)))


def fee_record(pool: Hash32, index: int) -> Hash32:
    """Id of a fee, in notices."""
    return Hash32(keccak(pool + b"fee" + index.to_bytes(32, "big")))


def book_notices(log: Log) -> tuple[Notice, ...]:
    """`pool.<act>`, `pool.day`, `pool-holding.…`, `pool-fee.agreed`. Raises `LogError`."""
    match decode_book_log(log):
        case PoolChanged() as event:
            return (_changed(event),)
        case FeesAgreed(id_, fees):
            return tuple(
                Notice(
                    "pool-fee.agreed",
                    _hex(fee_record(id_, index)),
                    organisations(fee.payee),
                    {"pool": _hex(id_), "index": index, "record": as_json(fee)},
                )
                for index, fee in enumerate(fees)
            )
        case TrancheAgreed() as event:
            return tuple(
                _holding(
                    "agreed",
                    event.id,
                    event.index,
                    holder,
                    units,
                    {"record": as_json(event.tranche)},
                )
                for holder, units in event.holders
            )
        case UnitsMoved() as event:
            sides = (
                (event.sender, event.sender_units),
                (event.recipient, event.recipient_units),
            )
            return tuple(
                _holding(
                    "moved",
                    event.id,
                    event.index,
                    one,
                    units,
                    {"from": event.sender, "to": event.recipient, "moved": str(event.units)},
                )
                for one, units in sides
            )
        case DayCommitted() as event:
            kind = "pool.day" if event.revision == 1 else "pool.day-corrected"
            body: dict[str, Json] = {
                "by": event.by,
                "date": event.date.isoformat(),
                "revision": event.revision,
                "reason": event.reason,
                "record": as_json(event.day),
            }
            return (_to_all(kind, event.id, body, event.by),)
        case AssetsAdmitted(id_, instrument, assets):
            body = {"contract": as_json(instrument), "instruments": as_json(assets)}
            return (_to_all("pool.admit", id_, body),)
        case AssetsDismissed(id_, instrument, assets, reason):
            body = {"contract": as_json(instrument), "instruments": as_json(assets)}
            return (_to_all("pool.dismiss", id_, {**body, "reason": reason}),)
    return ()


def notices(log: Log) -> tuple[Notice, ...]:
    """`pool.collected`, `pool.distributed`, `pool.payment-due` … Raises `LogError`."""
    match decode_log(log):
        case Collected() as event:
            body: dict[str, Json] = {
                "by": event.by,
                "number": event.number,
                "record": as_json(event.collection),
                "open": as_json(event.open),
            }
            return (_to_all("pool.collected", event.id, body, event.by),)
        case CollectionVoided(id_, payment, by, number, open_, reason):
            body = {
                "by": by,
                "number": number,
                "payment": as_json(payment),
                "reason": reason,
                "open": as_json(open_),
            }
            return (_to_all("pool.collection-voided", id_, body, by),)
        case Distributed() as event:
            body = {
                "by": event.by,
                "period": event.period,
                "record": as_json(event.distribution),
                "tranches": as_json(event.tranches),
                "fees": as_json(event.fees),
            }
            return (_to_all("pool.distributed", event.id, body, event.by),)
        case PaymentDue(id_, number, payment):
            body = {"number": number, "record": as_json(payment)}
            return (Notice("pool.payment-due", _hex(id_), None, body, by=(payment.payee,)),)
        case PaymentConfirmed(id_, payee, by, number, settled):
            body = {"by": by, "number": number, "payee": payee, "settled": as_json(settled)}
            return (Notice("pool.payment-confirmed", _hex(id_), None, body, by=(by, payee)),)


def pool_body(pool: Pool) -> dict[str, Json]:
    """A pool in JSON."""
    return {
        "arranger": pool.arranger,
        "number": pool.number,
        "state": as_json(pool.state),
        "terms": as_json(pool.terms),
        "trusteeAccepted": pool.trustee_accepted,
        "servicerAccepted": pool.servicer_accepted,
        "lastDate": None if pool.last_date is None else pool.last_date.isoformat(),
        "nominatedTrustee": pool.nominated_trustee,
        "nominatedServicer": pool.nominated_servicer,
    }


# ---- within -------------------------------------------------------------------------------------


def _changed(event: PoolChanged) -> Notice:
    pool, terms = event.pool, event.pool.terms
    offices = organisations(
        pool.arranger,
        terms.trustee,
        terms.servicer,
        terms.residual,
        pool.nominated_trustee,
        pool.nominated_servicer,
    )
    return Notice(
        kind=f"pool.{event.act.name.lower()}",
        id=_hex(event.id),
        parties=offices,
        body={
            "act": event.act.name.lower(),
            "by": event.by,
            "remark": event.remark,
            "record": pool_body(pool),
        },
        by=(event.by,),
        final=pool.state in ENDED,
        alarm=True,
    )


def _holding(
    what: str, pool: Hash32, index: int, holder: str, units: int, more: dict[str, Json]
) -> Notice:
    return Notice(
        kind=f"pool-holding.{what}",
        id=_hex(holding_record(pool, index, holder)),
        parties=organisations(holder),
        body={
            "pool": _hex(pool),
            "tranche": index,
            "holder": holder,
            "units": str(units),
            **more,
        },
        topic=_hex(pool),
        final=units == 0,
    )


def _to_all(kind: str, pool: Hash32, body: dict[str, Json], *by: str) -> Notice:
    """To the offices and all who hold a part."""
    return Notice(kind, _hex(pool), None, body, by=by, alarm=True)


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"
