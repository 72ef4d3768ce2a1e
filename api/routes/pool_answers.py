"""Pools in JSON: what they are, their dates, instruments and money, and what a change answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from api.acts.common import place_body
from api.operations import Done
from contracts.instruments import Viewer
from contracts.instruments.notices import as_json
from contracts.pools import Account, Fee, Open, Pool, Tranche, decode_book_log, decode_log
from contracts.pools.notices import pool_body
from contracts.pools.queries import (
    StoredCollection,
    StoredDay,
    StoredDistribution,
    StoredFee,
    StoredPayment,
    StoredPool,
    StoredTranche,
    pool_fees,
    pool_tranches,
)
from contracts.pools.standing import Control, PoolInstrument, StoredAct, pool_account
from contracts.pools.tracing import Source
from contracts.pools.types import (
    AssetsAdmitted,
    AssetsDismissed,
    Collected,
    CollectionVoided,
    DayCommitted,
    Distributed,
    PaymentConfirmed,
    PaymentDue,
    PoolChanged,
    UnitsMoved,
    date_of,
)
from ledger.types import Hash32


def revision_of_pool(stored: StoredPool) -> int:
    """What If-Match is compared with: the index of the leaf of its last act."""
    return stored.place.leaf_index


def plain(value: object) -> dict[str, Any]:
    """A record in JSON, amounts as decimal text."""
    body = as_json(value)
    assert isinstance(body, dict)
    return body


def listed_body(stored: StoredPool) -> dict[str, Any]:
    """A pool as a list has it."""
    return {
        "id": f"0x{stored.id.hex()}",
        "revision": revision_of_pool(stored),
        **pool_body(stored.pool),
        "last": place_body(stored.place),
    }


def one_body(connection: Connection, stored: StoredPool, viewer: Viewer) -> dict[str, Any]:
    """A pool with its tranches, fees and money."""
    account = pool_account(connection, stored.id, viewer)
    return {
        **listed_body(stored),
        "tranches": [tranche_body(one) for one in pool_tranches(connection, stored.id, viewer)],
        "fees": [fee_body(one) for one in pool_fees(connection, stored.id, viewer)],
        "account": account_body(account),
    }


def tranche_body(stored: StoredTranche) -> dict[str, Any]:
    """A tranche: what it was, what it has had, who holds it."""
    tranche: Tranche = stored.tranche
    return {
        "index": stored.index,
        **plain(tranche),
        "outstanding": str(tranche.principal - stored.owed.repaid),
        **plain(stored.owed),
        "holders": [{"organisation": name, "units": str(units)} for name, units in stored.holders],
    }


def fee_body(stored: StoredFee) -> dict[str, Any]:
    """A fee and what is carried over of it."""
    fee: Fee = stored.fee
    return {"index": stored.index, **plain(fee), "carried": str(stored.owed.carried)}


def account_body(account: Account) -> dict[str, Any]:
    """Where a pool's money stands."""
    end = date_of(account.period_end).isoformat() if account.period_end else None
    return {**plain(account), "periodEnd": end}


def day_body(pool: Pool, id_: Hash32, stored: StoredDay) -> dict[str, Any]:
    """A state of a date, with what the pool's id is made of."""
    return {
        "pool": f"0x{id_.hex()}",
        "arranger": pool.arranger,
        "number": pool.number,
        **day_line(stored),
    }


def day_line(stored: StoredDay) -> dict[str, Any]:
    """A state of a date, as a list has it."""
    return {
        "date": stored.date.isoformat(),
        "revision": stored.revision,
        **plain(stored.day),
        "by": stored.by,
        "reason": stored.reason,
        **place_body(stored.place),
    }


def act_body(act: StoredAct) -> dict[str, Any]:
    """A line of the history."""
    return {"act": act.act, "by": act.by, "detail": act.detail, **place_body(act.place)}


def instrument_body(one: PoolInstrument) -> dict[str, Any]:
    """An instrument in the pool, and whether the trustee still holds it."""
    return {
        "id": f"0x{one.id.hex()}",
        "contract": f"0x{one.contract.hex()}",
        "kind": one.kind,
        "held": one.control is not None,
        "control": None if one.control is None else _control(one.control),
        "admitted": place_body(one.place),
    }


def _control(control: Control) -> dict[str, Any]:
    return {
        "state": control.state,
        "pledged": control.pledged,
        "frozen": control.frozen,
        "locked": control.locked,
        "amount": str(control.amount),
        "leaf": control.leaf_index,
        "proof": f"/log/proof/{control.leaf_index}",
    }


def collection_body(stored: StoredCollection) -> dict[str, Any]:
    """Money that came in."""
    return {
        "number": stored.number,
        **plain(stored.collection),
        "by": stored.by,
        "voidedBy": stored.voided_by,
        "voidReason": stored.void_reason,
        **place_body(stored.place),
    }


def source_body(source: Source | None) -> dict[str, Any] | None:
    """The payment of this ledger that a collection names; None: it came in elsewhere."""
    if source is None:
        return None
    return {
        "payer": source.payer,
        "amount": str(source.amount),
        "currency": source.currency,
        "cause": as_json(source.cause),
        "leaf": source.leaf_index,
        "proof": f"/log/proof/{source.leaf_index}",
    }


def payment_body(stored: StoredPayment) -> dict[str, Any]:
    """What somebody is paid; `confirmed` where it was made."""
    leaf = stored.settled_leaf
    confirmed = None if leaf is None else {"leaf": leaf, "proof": f"/log/proof/{leaf}"}
    return {
        "number": stored.number,
        **plain(stored.payment),
        "confirmed": confirmed,
        **place_body(stored.place),
    }


def period_body(stored: StoredDistribution) -> dict[str, Any]:
    """A period that was distributed."""
    return {
        "period": stored.period,
        "state": "distributed",
        **plain(stored.distribution),
        "by": stored.by,
        **place_body(stored.place),
    }


def open_body(period: int, open_: Open) -> dict[str, Any]:
    """A period that is not distributed: what was collected for it."""
    return {"period": period, "state": "open", **plain(open_)}


# ---- what a change answers ----------------------------------------------------------------------


def told(id_: Hash32, done: Done) -> Mapping[str, Any]:
    """What an act has changed, each under its name."""
    body: dict[str, Any] = {}
    for event in done.events:
        if event.contract not in ("pool-book", "pools") or not event.name:
            continue
        decode = decode_book_log if event.contract == "pool-book" else decode_log
        found = decode(event.placed.log)
        if found.id != id_:
            continue
        match found:
            case PoolChanged():
                shown = {"id": f"0x{id_.hex()}", "revision": event.leaf, **pool_body(found.pool)}
                body["pool"] = {**shown, "act": found.act.name.lower()}
            case UnitsMoved():
                body["moved"] = plain(found)
            case DayCommitted():
                body["day"] = {
                    "date": found.date.isoformat(),
                    "revision": found.revision,
                    **plain(found.day),
                }
            case AssetsAdmitted() | AssetsDismissed():
                body["instruments"] = as_json(found.assets)
            case Collected():
                body["collection"] = {"number": found.number, **plain(found.collection)}
                body["open"] = open_body(found.collection.period, found.open)
            case CollectionVoided():
                body["voided"] = {"number": found.number, "payment": as_json(found.payment)}
            case Distributed():
                body["period"] = {"period": found.period, **plain(found.distribution)}
            case PaymentDue():
                shown = {"number": found.number, **plain(found.payment)}
                body.setdefault("payments", []).append(shown)
            case PaymentConfirmed():
                shown = {"number": found.number, "settled": as_json(found.settled)}
                body.setdefault("confirmed", []).append({**shown, "payee": found.payee})
    return body
