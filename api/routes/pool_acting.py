"""Proposing pools, and every act on them: the act says which contract is called."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Final

from fastapi import APIRouter
from sqlalchemy import Connection

from api.acts.common import (
    here_or_not_found,
    valid,
)
from api.acts.pool_base import PoolAct, PoolTarget
from api.acts.pool_book import Admit, Correct, Dismiss
from api.acts.pool_cash import Collect, Distribute
from api.acts.pool_drafts import PoolBody
from api.acts.pools import ACTS
from api.auth import Guard
from api.errors import Unprocessable
from api.operations import Call, Operations
from api.operations.refusing import refused_as
from api.principals import Principal
from api.routes.changing import Changing
from api.routes.pool_answers import revision_of_pool, told
from api.routes.pool_shapes import CHANGED
from api.services import Services
from contracts.directory import contract_versions
from contracts.instruments import Viewer
from contracts.pools import pool_id
from contracts.pools.binding import create_calldata
from contracts.pools.queries import StoredPool, find_day, find_pool
from contracts.pools.standing import instrument_places, open_of
from contracts.receipts import find_receipt
from contracts.receivables import find_receivable
from ledger.projection import read_transaction
from ledger.types import Address, Hash32

READ: Final = "pools:read"
WRITE: Final = "pools:write"
_REVISION_OF: Final = {
    "pool": "the pool (its ETag)",
    "day": "the date's state (its ETag)",
    "period": "the period's collections (its ETag)",
}


# ---- proposing ----------------------------------------------------------------------------------


def add_changes(
    routes: APIRouter, services: Services, guard: Guard, operations: Operations
) -> None:
    """`POST /pools` and `POST /pools/{id}/<act>`."""
    changes = Changing(
        routes,
        services,
        guard,
        operations,
        "/pools",
        "pool",
        WRITE,
        lambda _, id_, done: told(id_, done),
        shape=CHANGED,
    )
    _add_proposal(changes)
    for name, model in ACTS.items():
        changes.add_act(
            name,
            model,
            partial(_act, services, operations, name),
            description=f"{model.who} If-Match is the revision of {_REVISION_OF[model.seen]}.",
        )


def _add_proposal(changes: Changing) -> None:
    services, operations = changes.services, changes.operations

    def made(principal: Principal, _: int, body: PoolBody) -> tuple[Call, Hash32]:
        to = operations.place("pool-book")
        with valid():
            data = create_calldata(body.draft(), body.remark)
            id_ = pool_id(services.ledger.chain_id, to, principal.organisation, body.number)
        return Call("pool-book", to, data, "create", body.words()), id_

    changes.add_making(
        "",
        PoolBody,
        made,
        operation_id="proposePool",
        summary="Propose an asset pool; a bank or an operator",
        description="It lives once its trustee and its servicer have accepted.",
    )


# ---- acting -------------------------------------------------------------------------------------


def _act(
    services: Services,
    operations: Operations,
    name: str,
    principal: Principal,
    id_: Hash32,
    revision: int,
    body: PoolAct,
) -> Call:
    viewer, text = principal.viewer, f"0x{id_.hex()}"
    with read_transaction(services.engine) as connection:
        stored = here_or_not_found(find_pool(connection, id_, viewer), "pool", text)
        seen = _checked(revision, _newest(connection, stored, body, viewer), body, text)
        to = place_of(connection, operations, services.ledger.chain_id, stored, body.contract)
        on = PoolTarget(
            principal.organisation,
            id_,
            seen,
            services.ledger.origin,
            stored.pool.number,
            stored.pool.terms.currency,
            _instrument(connection, operations, id_, body, viewer),
        )
    with valid():
        data = body.calldata(on)
    return Call(body.contract, to, data, name, body.words(on), text)


def _newest(connection: Connection, stored: StoredPool, body: PoolAct, viewer: Viewer) -> int:
    """Revision of what the act changes, as this node has it; 0 where there is nothing yet."""
    if isinstance(body, Correct):
        found = find_day(connection, stored.id, date.fromisoformat(body.date), viewer)
        return 0 if found is None else found.revision
    if isinstance(body, Collect | Distribute):
        return open_of(connection, stored.id, body.period, viewer).revision
    return revision_of_pool(stored)


def _checked(wanted: int, newest: int, body: PoolAct, text: str) -> int:
    """The revision to act on. Raises `RefusedStale` where another one is wanted."""
    if wanted and wanted != newest:
        what = {"pool": text, "day": f"that date of {text}", "period": f"that period of {text}"}
        words = f"{what[body.seen]} is at revision {newest}, not {wanted}"
        raise refused_as("StaleRevision", words)
    return newest


def place_of(
    connection: Connection, operations: Operations, chain_id: int, stored: StoredPool, name: str
) -> Address:
    """The contract of that name which keeps the pool: it lives on in the version that made it.

    The id says which version of PoolBook that is; Pools has come with it. Today's where the
    Directory does not tell.
    """
    arranger, number = stored.pool.arranger, stored.pool.number
    for book in contract_versions(connection, "pool-book"):
        if pool_id(chain_id, book.address, arranger, number) != stored.id:
            continue
        if name == "pool-book":
            return book.address
        for cash in contract_versions(connection, name):
            if cash.index == book.index:
                return cash.address
    return operations.place(name)


def _instrument(
    connection: Connection, operations: Operations, id_: Hash32, body: PoolAct, viewer: Viewer
) -> Address | None:
    """The one contract of the instruments that come in or go. Raises `Unprocessable`."""
    if isinstance(body, Admit):
        places = {_kept(connection, operations, one, body.kind) for one in body.ids()}
    elif isinstance(body, Dismiss):
        found = instrument_places(connection, id_, body.ids(), viewer)
        for one in body.ids():
            if one not in found:
                raise refused_as("AssetInPool", f"0x{one.hex()} is not in pool 0x{id_.hex()}")
        places = set(found.values())
    else:
        return None
    if len(places) != 1:
        raise Unprocessable("they are kept by different contracts: send them in calls of their own")
    return places.pop()


def _kept(connection: Connection, operations: Operations, id_: Hash32, kind: str) -> Address:
    """Where an instrument is kept; an unknown one the contract of today refuses.

    Which version keeps it is no secret of its parties, and a servicer need be none.
    """
    everybody = Viewer.everything()
    if kind == "receipt":
        receipt = find_receipt(connection, id_, everybody)
        return operations.place("receipts") if receipt is None else receipt.contract
    receivable = find_receivable(connection, id_, everybody)
    return operations.place("receivables") if receivable is None else receivable.contract
