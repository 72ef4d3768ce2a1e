"""Settlements: delivery versus payment, payments on a condition, and receivables paid."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from api.acts.common import (
    HASH,
    body_schema,
    hash_of,
    here_or_not_found,
    maybe_hash,
    read_strict,
    valid,
)
from api.acts.settlements import (
    ACTS,
    ConditionalBody,
    DealBody,
    LegBody,
    OfferBody,
    PaymentBody,
)
from api.auth import Guard
from api.documentation import bearer
from api.operations import Call, Done, Operations, answer, change_extra
from api.principals import Principal
from api.routes import deposit_answers
from api.routes.acting import act_body, record, stored_body, stored_shape
from api.routes.changing import Changing, changed, who_may
from api.routes.reading import After, Limit, OrganisationQuery, Reading, state_of, states_schema
from api.services import Services
from api.shapes import HASH_TEXT, Schema, line_shape, page_shape, record_shape, told_shape
from contracts import receivables
from contracts.instruments import Viewer
from contracts.instruments.pages import LIMIT_DEFAULT
from contracts.receipts import find_receipt
from contracts.receivables import Receivable, ReceivableActed, find_receivable
from contracts.settlement import (
    MACHINE,
    Deal,
    DealAct,
    DealQuery,
    StoredDeal,
    deal_history,
    deal_id,
    decode_log,
    find_deal,
    list_deals,
)
from ledger.projection import read_transaction
from ledger.types import Address, Hash32

READ: Final = "settlement:read"
WRITE: Final = "settlement:write"
_State = Annotated[str, state_of(MACHINE), states_schema(MACHINE)]


def router(services: Services, guard: Guard) -> APIRouter:
    """Routes under /settlements; those that change something where this node sends for members."""
    routes = APIRouter(tags=["settlements"])
    reading = Reading(
        routes, services, guard, "/settlements", "settlement", "Settlement", READ, find_deal
    )
    _add_list(reading)
    _add_reading(reading)
    if services.operations is not None:
        changes = Changing(
            routes,
            services,
            guard,
            services.operations,
            "/settlements",
            "settlement",
            WRITE,
            told,
            shape=_told_shape(),
        )
        _add_deals(changes)
        _add_payment(routes, services, guard, services.operations)
        for name, model in ACTS.items():
            text = f"{who_may(MACHINE, name)}."
            changes.add_act(name, model, partial(_act, services, name), description=text)
    return routes


# ---- reading ------------------------------------------------------------------------------------


def _add_list(reading: Reading[StoredDeal]) -> None:
    @reading.get_list(
        "listSettlements",
        summary="Deals that your organisation is a party to, and offers that it might accept",
        description=(
            "Newest first. Regulators and arbitrators with the scope `supervise` see all."
        ),
        shape=page_shape("settlements", stored_shape(Deal)),
    )
    async def list_all(
        request: Request,
        state: Annotated[list[_State] | None, Query(max_length=len(MACHINE.states))] = None,
        seller: OrganisationQuery = None,
        buyer: OrganisationQuery = None,
        attestor: OrganisationQuery = None,
        instrument: Annotated[
            str | None, Query(pattern=HASH, description="a receipt or receivable in it")
        ] = None,
        subject: Annotated[
            str | None, Query(pattern=HASH, description="what its condition is about")
        ] = None,
        after: After = None,
        limit: Limit = LIMIT_DEFAULT,
    ) -> Response:
        query = DealQuery(
            states=None if state is None else tuple(state),
            seller=seller,
            buyer=buyer,
            attestor=attestor,
            record=maybe_hash(instrument),
            subject=maybe_hash(subject),
            after=after,
            limit=limit,
        )
        return await reading.listed(request, list_deals, query, deal_body, "settlements")


def _add_reading(reading: Reading[StoredDeal]) -> None:
    reading.add_record(
        lambda seen: deal_body(seen.record),
        revision=lambda stored: stored.deal.revision,
        summary="A deal as it is now",
        shape=stored_shape(Deal),
    )
    reading.add_history(
        deal_history,
        deal_act_body,
        shape=line_shape(DealAct),
        summary="Every act on a deal, oldest first, each with its proof",
    )


# ---- making -------------------------------------------------------------------------------------


def _add_deals(changes: Changing) -> None:
    changes.add_making(
        "offers",
        OfferBody,
        partial(_offered, changes.services, changes.operations),
        operation_id="offerSettlement",
        summary="Promise receipts and receivables against one payment: they are locked",
        description="Up to 16, with the revisions that the seller has seen.",
    )
    changes.add_making(
        "conditional",
        ConditionalBody,
        partial(_set_aside, changes.services, changes.operations),
        operation_id="setAsideConditionally",
        summary="Set money aside for a payee until a condition is met",
    )


def _offered(
    services: Services, operations: Operations, principal: Principal, _: int, body: OfferBody
) -> tuple[Call, Hash32]:
    to = operations.place("settlement")
    with valid():
        with read_transaction(services.engine) as connection:
            kept = {leg.id: _place(connection, leg, principal.viewer) for leg in body.instruments}
        data = body.calldata(kept)
        id_ = deal_id(services.ledger.chain_id, principal.organisation, body.number, to)
    return Call("settlement", to, data, "offer", body.words()), id_


def _set_aside(
    services: Services, operations: Operations, principal: Principal, _: int, body: ConditionalBody
) -> tuple[Call, Hash32]:
    to = operations.place("settlement")
    with valid():
        data = body.calldata()
        id_ = deal_id(services.ledger.chain_id, principal.organisation, body.number, to)
    return Call("settlement", to, data, "set-aside", body.words()), id_


def _place(connection: Connection, leg: LegBody, viewer: Viewer) -> Address:
    id_ = hash_of(leg.id)
    if leg.kind == "receipt":
        return here_or_not_found(find_receipt(connection, id_, viewer), leg.kind, leg.id).contract
    found = find_receivable(connection, id_, viewer)
    return here_or_not_found(found, leg.kind, leg.id).contract


def _add_payment(
    routes: APIRouter, services: Services, guard: Guard, operations: Operations
) -> None:
    chain_id, timeout_s = services.ledger.chain_id, services.settings.body_timeout_s

    def made(principal: Principal, body: PaymentBody) -> tuple[Call, str]:
        to, id_ = operations.place("settlement"), hash_of(body.receivable)
        with read_transaction(services.engine) as connection:
            found = find_receivable(connection, id_, principal.viewer)
        stored = here_or_not_found(found, "receivable", body.receivable)
        with valid():
            data = body.calldata(stored.contract)
            payment = deal_id(chain_id, principal.organisation, body.number, to)
        call = Call("settlement", to, data, "discharge", body.words(), body.receivable)
        return call, f"0x{payment.hex()}"

    @routes.post(
        "/settlements/payments",
        operation_id="payReceivable",
        summary="Pay a receivable out of one's deposit; its debtor",
        description=(
            "All or nothing: the payee's deposit grows in the transaction that lessens the debt. "
            "The payee is its holder; while it is pledged the money is the holder's at the "
            "pledgee, who holds it as his security."
        ),
        response_class=Response,
        responses=changed(_PAID),
        openapi_extra=change_extra(**bearer(WRITE), **body_schema(PaymentBody)),
    )
    async def post_payment(request: Request) -> Response:
        principal = guard.principal(request, WRITE)
        body, raw = await read_strict(request, PaymentBody, timeout_s=timeout_s)
        call, payment = await run_in_threadpool(made, principal, body)

        def more(done: Done) -> Mapping[str, Any]:
            paid = _paid(hash_of(body.receivable), done)
            return {"payment": payment, "receivable": paid, **_moved(principal, done)}

        return await answer(request, operations, principal, call, raw, more=more)


_PAID: Final = told_shape(
    "receivable",
    record_shape(Receivable, {"id": HASH_TEXT, "act": {"type": "string"}}),
    {"payment": HASH_TEXT, **deposit_answers.CHANGED},
)


def _paid(id_: Hash32, done: Done) -> dict[str, Any] | None:
    """The receivable after its payment."""
    for event in done.events:
        if event.contract != "receivables" or event.name != "ReceivableActed":
            continue
        acted = receivables.decode_log(event.placed.log)
        if isinstance(acted, ReceivableActed) and acted.id == id_:
            return {"id": f"0x{id_.hex()}", "act": acted.act, **record(acted.receivable)}
    return None


# ---- acting -------------------------------------------------------------------------------------


def _act(
    services: Services,
    name: str,
    principal: Principal,
    id_: Hash32,
    revision: int,
    body: DealBody,
) -> Call:
    text = f"0x{id_.hex()}"
    with read_transaction(services.engine) as connection:
        found = find_deal(connection, id_, principal.viewer)
    stored = here_or_not_found(found, "settlement", text)
    with valid():
        data = body.calldata(stored, revision)
    return Call("settlement", stored.contract, data, name, body.words(stored), text)


# ---- answers ------------------------------------------------------------------------------------


def told(principal: Principal, id_: Hash32, done: Done) -> Mapping[str, Any]:
    """The deal after the change, and what of the money moved its sender may see."""
    shown: dict[str, Any] | None = None
    for event in done.events:
        if event.contract == "settlement" and event.name == "DealActed":
            acted = decode_log(event.placed.log)
            if acted.id == id_:
                shown = {"id": f"0x{id_.hex()}", "act": acted.act, **record(acted.deal)}
    return {"settlement": shown, **_moved(principal, done)}


def _told_shape() -> Schema:
    """What `told` looks like."""
    shown = record_shape(Deal, {"id": HASH_TEXT, "act": {"type": "string"}})
    return told_shape("settlement", shown, deposit_answers.CHANGED)


def _moved(principal: Principal, done: Done) -> dict[str, Any]:
    return deposit_answers.told(principal, done)


def deal_body(stored: StoredDeal) -> dict[str, Any]:
    """A deal in JSON."""
    return stored_body(stored.id, stored.contract, stored.deal, stored.place)


def deal_act_body(act: DealAct) -> dict[str, Any]:
    """A line of a deal's history in JSON."""
    return act_body(act, act.place)
