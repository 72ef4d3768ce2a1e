"""Pledges: propose, consent, release, enforce, and what they cover."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.acts.common import (
    HASH,
    JSON_ANSWER,
    ORGANISATION,
    RecordId,
    Target,
    body_schema,
    hash_of,
    here_or_not_found,
    listing,
    page_answer,
    place_body,
    read_strict,
    revision_of,
    valid,
)
from api.acts.pledges import ACTS, ASSETS_MAX, PledgeAct, PledgeBody
from api.auth import Guard
from api.documentation import BEARER, problems
from api.operations import Call, Done, Operations, Words, answer, change_extra, change_responses
from api.principals import Principal
from api.routes.acting import IF_MATCH
from api.schemas import DoneAnswer
from api.services import Services
from contracts.genesis import PLEDGES_ADDRESS
from contracts.instruments import Viewer
from contracts.instruments.notices import as_json
from contracts.instruments.pages import LIMIT_DEFAULT, LIMIT_MAX
from contracts.pledges import (
    Pledge,
    PledgeChanged,
    PledgeQuery,
    State,
    StoredPledge,
    decode_log,
    find_pledge,
    list_pledges,
    pledge_assets,
    pledge_history,
    pledge_key,
    propose_calldata,
)
from contracts.pledges import PledgeAct as ActDone
from contracts.receipts import find_receipt
from contracts.receivables import find_receivable
from ledger.projection import read_transaction
from ledger.types import Address, Hash32

READ: Final = "pledges:read"
WRITE: Final = "pledges:write"

_State = Literal[
    "proposed",
    "active",
    "defaulted",
    "released",
    "enforced",
    "declined",
    "withdrawn",
    "annulled",
]
_Organisation = Annotated[str | None, Query(pattern=ORGANISATION)]
_Hash = Annotated[str | None, Query(pattern=HASH)]


def router(services: Services, guard: Guard) -> APIRouter:
    """Routes under /pledges; those that change something where this node sends for members."""
    routes = APIRouter(tags=["pledges"])
    _add_list(routes, services, guard)
    _add_reading(routes, services, guard)
    if services.operations is not None:
        _add_proposal(routes, services, guard, services.operations)
        for name, model in ACTS.items():
            _add_act(routes, services, guard, services.operations, name, model)
    return routes


# ---- reading ------------------------------------------------------------------------------------


def _add_list(routes: APIRouter, services: Services, guard: Guard) -> None:
    def find(query: PledgeQuery, viewer: Viewer) -> dict[str, Any]:
        with valid(), read_transaction(services.engine) as connection:
            return listing("pledges", list_pledges(connection, query, viewer), pledge_body)

    @routes.get(
        "/pledges",
        operation_id="listPledges",
        summary="Pledges that your organisation is a party to, newest first",
        response_class=Response,
        responses={**JSON_ANSWER, **problems(400, 401, 403)},
        openapi_extra=BEARER,
    )
    async def list_all(
        request: Request,
        state: Annotated[list[_State] | None, Query(max_length=8)] = None,
        pledgor: _Organisation = None,
        pledgee: _Organisation = None,
        instrument: _Hash = None,
        covers: _Hash = None,
        loan: _Hash = None,
        after: Annotated[str | None, Query(max_length=40)] = None,
        limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT,
    ) -> Response:
        principal = guard.principal(request, READ)
        query = PledgeQuery(
            states=None if state is None else tuple(State.of(word) for word in state),
            pledgor=pledgor,
            pledgee=pledgee,
            record=None if instrument is None else hash_of(instrument),
            covers=None if covers is None else hash_of(covers),
            loan=None if loan is None else hash_of(loan),
            after=after,
            limit=limit,
        )
        return page_answer(await run_in_threadpool(find, query, principal.viewer))


def _add_reading(routes: APIRouter, services: Services, guard: Guard) -> None:
    def one(key: Hash32, viewer: Viewer) -> dict[str, Any]:
        with read_transaction(services.engine) as connection:
            found = find_pledge(connection, key, viewer)
            stored = here_or_not_found(found, "pledge", f"0x{key.hex()}")
            covered = pledge_assets(connection, key, viewer, limit=ASSETS_MAX)
        return pledge_body(stored) | {"covers": [f"0x{id_.hex()}" for id_ in covered]}

    def assets(key: Hash32, viewer: Viewer, after: str | None, limit: int) -> dict[str, Any]:
        since = None if after is None else hash_of(after)
        with read_transaction(services.engine) as connection:
            here_or_not_found(find_pledge(connection, key, viewer), "pledge", f"0x{key.hex()}")
            found = pledge_assets(connection, key, viewer, after=since, limit=limit + 1)
        shown = [f"0x{id_.hex()}" for id_ in found[:limit]]
        return {"instruments": shown, "after": shown[-1] if len(found) > limit else None}

    def acts(key: Hash32, viewer: Viewer, after: str | None, limit: int) -> dict[str, Any]:
        with valid(), read_transaction(services.engine) as connection:
            here_or_not_found(find_pledge(connection, key, viewer), "pledge", f"0x{key.hex()}")
            page = pledge_history(connection, key, viewer, after=after, limit=limit)
            return listing("acts", page, act_body)

    @routes.get(
        "/pledges/{id}",
        operation_id="getPledge",
        summary="A pledge as it is now, with the first 100 instruments that it covers",
        response_class=Response,
        responses={**JSON_ANSWER, **problems(400, 401, 403, 404)},
        openapi_extra=BEARER,
    )
    async def get_one(request: Request, record: RecordId) -> Response:
        principal = guard.principal(request, READ, instrument=record)
        return page_answer(await run_in_threadpool(one, hash_of(record), principal.viewer))

    @routes.get(
        "/pledges/{id}/instruments",
        operation_id="listPledgedInstruments",
        summary="Instruments that a pledge covers now, by id",
        response_class=Response,
        responses={**JSON_ANSWER, **problems(400, 401, 403, 404)},
        openapi_extra=BEARER,
    )
    async def get_instruments(
        request: Request,
        record: RecordId,
        after: _Hash = None,
        limit: Annotated[int, Query(ge=1, lt=LIMIT_MAX)] = LIMIT_DEFAULT,
    ) -> Response:
        principal = guard.principal(request, READ, instrument=record)
        found = await run_in_threadpool(assets, hash_of(record), principal.viewer, after, limit)
        return page_answer(found)

    @routes.get(
        "/pledges/{id}/history",
        operation_id="getPledgeHistory",
        summary="Everything that happened to a pledge, oldest first, each with its proof",
        response_class=Response,
        responses={**JSON_ANSWER, **problems(400, 401, 403, 404)},
        openapi_extra=BEARER,
    )
    async def get_history(
        request: Request,
        record: RecordId,
        after: Annotated[str | None, Query(max_length=40)] = None,
        limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT,
    ) -> Response:
        principal = guard.principal(request, READ, instrument=record)
        found = await run_in_threadpool(acts, hash_of(record), principal.viewer, after, limit)
        return page_answer(found)


# ---- acting -------------------------------------------------------------------------------------


def _add_proposal(
    routes: APIRouter, services: Services, guard: Guard, operations: Operations
) -> None:
    def instrument(id_: Hash32, viewer: Viewer) -> tuple[Address, int]:
        """The contract that keeps it, and its revision. Raises `NotFound`."""
        with read_transaction(services.engine) as connection:
            receipt = find_receipt(connection, id_, viewer)
            if receipt is not None:
                return receipt.contract, receipt.receipt.revision
            found = find_receivable(connection, id_, viewer)
        other = here_or_not_found(found, "receipt or receivable", f"0x{id_.hex()}")
        return other.contract, other.receivable.revision

    def propose(principal: Principal, revision: int, body: PledgeBody) -> tuple[Call, Hash32]:
        id_ = hash_of(body.instrument)
        contract, seen = instrument(id_, principal.viewer)
        values = (contract, id_, revision or seen)
        with valid():
            data = propose_calldata(*values, body.pledgee, body.agreed, body.remark)
            key = pledge_key(*values, principal.organisation, body.pledgee, body.agreed)
        words = Words(
            f"offer {body.instrument} to {body.pledgee} as security for {body.amount} hundredths "
            f"of {body.currency}",
            f"将 {body.instrument} 质押给 {body.pledgee}，"
            f"担保 {body.currency} 金额 {body.amount}（分）",
        )
        call = Call("pledges", PLEDGES_ADDRESS, data, "propose", words, body.instrument)
        return call, key

    @routes.post(
        "/pledges",
        operation_id="proposePledge",
        summary="Offer an instrument as security to a bank; its holder",
        response_class=Response,
        responses=change_responses(DoneAnswer, 404, created=True),
        openapi_extra=change_extra(parameters=[IF_MATCH], **body_schema(PledgeBody)),
    )
    async def post_pledge(request: Request) -> Response:
        principal = guard.principal(request, WRITE)
        revision = revision_of(request)
        timeout_s = services.settings.body_timeout_s
        body, raw = await read_strict(request, PledgeBody, timeout_s=timeout_s)
        call, key = await run_in_threadpool(propose, principal, revision, body)
        return await answer(
            request,
            operations,
            principal,
            call,
            raw,
            more=partial(_told, key),
            location=lambda _: f"/pledges/0x{key.hex()}",
        )


def _add_act(
    routes: APIRouter,
    services: Services,
    guard: Guard,
    operations: Operations,
    name: str,
    model: type[PledgeAct],
) -> None:
    def made(principal: Principal, key: Hash32, body: PledgeAct) -> Call:
        viewer = principal.viewer
        with read_transaction(services.engine) as connection:
            found = find_pledge(connection, key, viewer)
            here_or_not_found(found, "pledge", f"0x{key.hex()}")
            covered = pledge_assets(connection, key, viewer, limit=ASSETS_MAX)
        on = Target(principal.organisation, key, 0, services.ledger.origin)
        with valid():
            data = body.calldata(on, covered)
        return Call("pledges", PLEDGES_ADDRESS, data, name, body.words(on), on.text)

    async def post_act(request: Request, record: RecordId) -> Response:
        principal = guard.principal(request, WRITE, instrument=record)
        timeout_s = services.settings.body_timeout_s
        body, raw = await read_strict(request, model, timeout_s=timeout_s)
        key = hash_of(record)
        call = await run_in_threadpool(made, principal, key, body)
        more = partial(_told, key)
        return await answer(request, operations, principal, call, raw, more=more)

    routes.add_api_route(
        f"/pledges/{{id}}/{name}",
        post_act,
        methods=["POST"],
        name=name,
        operation_id="pledge" + "".join(part.capitalize() for part in name.split("-")),
        summary=str(model.__doc__).partition("\n")[0].rstrip("."),
        response_class=Response,
        responses=change_responses(DoneAnswer),
        openapi_extra=change_extra(**body_schema(model, required=False)),
    )


# ---- answers ------------------------------------------------------------------------------------


def _told(key: Hash32, done: Done) -> dict[str, Any]:
    """The pledge after the change."""
    shown: dict[str, Any] | None = None
    for event in done.events:
        if event.contract == "pledges" and event.name == "PledgeChanged":
            changed = decode_log(event.placed.log)
            if isinstance(changed, PledgeChanged) and changed.key == key:
                shown = _pledge(key, changed.pledge)
    return {"pledge": shown}


def pledge_body(stored: StoredPledge) -> dict[str, Any]:
    """A pledge in JSON."""
    return {**_pledge(stored.key, stored.pledge), "last": place_body(stored.place)}


def _pledge(key: Hash32, pledge: Pledge) -> dict[str, Any]:
    body = _json(pledge)
    terms = body.pop("terms")
    contract, instrument = body.pop("instrument"), body.pop("id")
    return {
        "id": f"0x{key.hex()}",
        "contract": contract,
        "instrument": instrument,
        **body,
        **terms,
    }


def act_body(act: ActDone) -> dict[str, Any]:
    """A line of a history in JSON: what it tells, and where its proof is."""
    body = {name: value for name, value in _json(act).items() if value is not None}
    del body["place"]
    if "record" in body:
        body["instrument"] = body.pop("record")
    return {**body, **place_body(act.place)}


def _json(value: object) -> dict[str, Any]:
    body = as_json(value)
    assert isinstance(body, dict)
    return body
