"""Receivables: write down, list, read, and every act that members do with them."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from api.acts.common import (
    HASH,
    JSON_ANSWER,
    ORGANISATION,
    UINT48_MAX,
    RecordId,
    body_schema,
    hash_of,
    here_or_not_found,
    listing,
    page_answer,
    read_strict,
    valid,
)
from api.acts.receivables import ACTS, DraftBody
from api.auth import Guard
from api.documentation import BEARER, problems
from api.errors import NotFound
from api.formats import bytes_response, json_response
from api.operations import Call, Operations, Words, answer, change_extra, change_responses
from api.principals import Principal
from api.routes.acting import Acted, Room, act_body, add_act, stored_body
from api.schemas import DoneAnswer
from api.services import Services
from contracts.instruments import Viewer
from contracts.instruments.notices import as_json
from contracts.instruments.pages import LIMIT_DEFAULT, LIMIT_MAX
from contracts.receivables import (
    MACHINE,
    Kind,
    ReceivableAct,
    ReceivableActed,
    ReceivableQuery,
    StoredReceivable,
    create_calldata,
    decode_log,
    find_receivable,
    list_receivables,
    receivable_endorsements,
    receivable_history,
    receivable_id,
    receivable_terms,
)
from ledger.projection import read_transaction
from ledger.types import Address, Hash32, Log

READ: Final = "receivables:read"
WRITE: Final = "receivables:write"


def _acted(log: Log) -> Acted | None:
    event = decode_log(log)
    if not isinstance(event, ReceivableActed):
        return None
    return Acted(event.id, event.act, event.receivable)


def _contract_of(connection: Connection, id_: Hash32, viewer: Viewer) -> Address | None:
    stored = find_receivable(connection, id_, viewer)
    return None if stored is None else stored.contract


ROOM: Final = Room("receivables", "receivable", MACHINE, "ReceivableActed", _acted, _contract_of)
_Organisation = Annotated[str | None, Query(pattern=ORGANISATION)]
_Hash = Annotated[str | None, Query(pattern=HASH)]
_KindWord = Literal["invoice", "bill", "bank-bill", "order"]


def router(services: Services, guard: Guard) -> APIRouter:
    """Routes under /receivables; those that change something where this node sends for members."""
    routes = APIRouter(tags=["receivables"])
    _add_list(routes, services, guard)
    _add_reading(routes, services, guard)
    if services.operations is not None:
        _add_making(routes, services, guard, services.operations)
        for name, model in ACTS.items():
            add_act(routes, services, guard, services.operations, ROOM, name, model)
    return routes


# ---- reading ------------------------------------------------------------------------------------


def _add_list(routes: APIRouter, services: Services, guard: Guard) -> None:
    def find(query: ReceivableQuery, viewer: Viewer) -> dict[str, Any]:
        with valid(), read_transaction(services.engine) as connection:
            page = list_receivables(connection, query, viewer)
            return listing("receivables", page, receivable_body)

    @routes.get(
        "/receivables",
        operation_id="listReceivables",
        summary="Receivables that your organisation is or was a party to",
        description=(
            "Newest first; with `dueBefore` in the order of due dates. Regulators and arbitrators "
            "with the scope `supervise` see all."
        ),
        response_class=Response,
        responses={**JSON_ANSWER, **problems(400, 401, 403)},
        openapi_extra=BEARER,
    )
    async def list_all(
        request: Request,
        state: Annotated[list[str] | None, Query(max_length=len(MACHINE.states))] = None,
        kind: Annotated[list[_KindWord] | None, Query(max_length=len(Kind))] = None,
        issuer: _Organisation = None,
        creditor: _Organisation = None,
        debtor: _Organisation = None,
        holder: _Organisation = None,
        pledgee: _Organisation = None,
        attestor: _Organisation = None,
        guarantor: _Organisation = None,
        origin: _Hash = None,
        root: _Hash = None,
        number: Annotated[str | None, Query(pattern="^[!-~]{1,32}$")] = None,
        currency: Annotated[str | None, Query(pattern="^[A-Z]{3}$")] = None,
        due: Annotated[
            int | None,
            Query(alias="dueBefore", ge=0, le=UINT48_MAX, description="Unix seconds"),
        ] = None,
        after: Annotated[str | None, Query(max_length=40)] = None,
        limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT,
    ) -> Response:
        principal = guard.principal(request, READ)
        query = ReceivableQuery(
            states=None if state is None else tuple(state),
            kinds=None if kind is None else tuple(_kind(one) for one in kind),
            issuer=issuer,
            creditor=creditor,
            debtor=debtor,
            holder=holder,
            pledgee=pledgee,
            attestor=attestor,
            guarantor=guarantor,
            origin=None if origin is None else hash_of(origin),
            root=None if root is None else hash_of(root),
            number=number,
            currency=currency,
            due_before=due,
            after=after,
            limit=limit,
        )
        return page_answer(await run_in_threadpool(find, query, principal.viewer))


def _kind(word: str) -> Kind:
    return Kind[word.upper().replace("-", "_")]


def _add_reading(routes: APIRouter, services: Services, guard: Guard) -> None:
    def one(id_: Hash32, viewer: Viewer) -> tuple[dict[str, Any], int]:
        with read_transaction(services.engine) as connection:
            found = find_receivable(connection, id_, viewer)
            stored = here_or_not_found(found, "receivable", f"0x{id_.hex()}")
            chain = receivable_endorsements(connection, id_, viewer)
        body = receivable_body(stored) | {"endorsers": [as_json(one) for one in chain]}
        return body, stored.receivable.revision

    def acts(id_: Hash32, viewer: Viewer, after: str | None, limit: int) -> dict[str, Any]:
        with valid(), read_transaction(services.engine) as connection:
            here_or_not_found(
                find_receivable(connection, id_, viewer), "receivable", f"0x{id_.hex()}"
            )
            page = receivable_history(connection, id_, viewer, after=after, limit=limit)
            return listing("acts", page, receivable_act_body)

    def document(id_: Hash32, wanted: Hash32 | None, viewer: Viewer) -> bytes | None:
        with read_transaction(services.engine) as connection:
            stored = here_or_not_found(
                find_receivable(connection, id_, viewer), "receivable", f"0x{id_.hex()}"
            )
            published = dict(receivable_terms(connection, id_, viewer))
        return published.get(wanted or stored.receivable.terms)

    @routes.get(
        "/receivables/{id}",
        operation_id="getReceivable",
        summary="A receivable as it is now, with who has passed it on",
        description="Its revision is the ETag: send it back as If-Match with what you do next.",
        response_class=Response,
        responses={**JSON_ANSWER, **problems(400, 401, 403, 404)},
        openapi_extra=BEARER,
    )
    async def get_one(request: Request, record: RecordId) -> Response:
        principal = guard.principal(request, READ, instrument=record)
        body, revision = await run_in_threadpool(one, hash_of(record), principal.viewer)
        return json_response(body, cache="no-cache", headers={"ETag": f'"{revision}"'})

    @routes.get(
        "/receivables/{id}/history",
        operation_id="getReceivableHistory",
        summary="Every act on a receivable, oldest first, each with its proof",
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

    @routes.get(
        "/receivables/{id}/document",
        operation_id="getReceivableDocument",
        summary="A document that was published with a receivable, byte for byte",
        description="Its terms, or (`terms`: its hash) the invoice of an order.",
        response_class=Response,
        responses={**JSON_ANSWER, **problems(400, 401, 403, 404)},
        openapi_extra=BEARER,
    )
    async def get_document(request: Request, record: RecordId, terms: _Hash = None) -> Response:
        principal = guard.principal(request, READ, instrument=record)
        wanted = None if terms is None else hash_of(terms)
        found = await run_in_threadpool(document, hash_of(record), wanted, principal.viewer)
        if found is None:
            raise NotFound(f"no such document was published with receivable {record}")
        return bytes_response(found, media_type="application/json")


# ---- acting -------------------------------------------------------------------------------------


def _add_making(
    routes: APIRouter, services: Services, guard: Guard, operations: Operations
) -> None:
    origin, chain_id = services.ledger.origin, services.ledger.chain_id
    timeout_s = services.settings.body_timeout_s

    def create(principal: Principal, body: DraftBody) -> tuple[Call, Hash32]:
        to, issuer = operations.place("receivables"), principal.organisation
        with valid():
            draft = body.draft(issuer, origin)
            id_ = receivable_id(chain_id, issuer, draft.number, to)
            data = create_calldata(draft, body.remark)
        words = Words(
            f"write down {draft.kind.word} {draft.number}: {draft.debtor} owes {draft.creditor} "
            f"{draft.amount} (hundredths of {draft.currency})",
            f"登记 {draft.kind.word} {draft.number}：{draft.debtor} 应付 {draft.creditor} "
            f"{draft.amount}（{draft.currency} 的百分之一）",
        )
        return Call("receivables", to, data, "create", words), id_

    @routes.post(
        "/receivables",
        operation_id="createReceivable",
        summary="Write down an invoice, a bill or an order; its creditor, or a bill's drawer",
        response_class=Response,
        responses=change_responses(DoneAnswer, created=True),
        openapi_extra=change_extra(**body_schema(DraftBody)),
    )
    async def post_receivable(request: Request) -> Response:
        principal = guard.principal(request, WRITE)
        body, raw = await read_strict(request, DraftBody, timeout_s=timeout_s)
        call, id_ = await run_in_threadpool(create, principal, body)
        return await answer(
            request,
            operations,
            principal,
            call,
            raw,
            more=partial(ROOM.told, id_),
            location=lambda _: f"/receivables/0x{id_.hex()}",
        )


# ---- answers ------------------------------------------------------------------------------------


def receivable_body(stored: StoredReceivable) -> dict[str, Any]:
    """A receivable in JSON."""
    return stored_body(stored.id, stored.contract, stored.receivable, stored.place)


def receivable_act_body(act: ReceivableAct) -> dict[str, Any]:
    """A line of a receivable's history in JSON."""
    return act_body(act, act.place)
