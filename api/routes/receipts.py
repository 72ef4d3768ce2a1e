"""Warehouse receipts: issue, list, read, and every act that members do with them."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Final

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
from api.acts.receipt_drafts import DraftBody, Merge
from api.acts.receipts import ACTS
from api.auth import Guard
from api.documentation import BEARER, problems
from api.errors import NotFound
from api.formats import bytes_response, json_response
from api.operations import (
    Call,
    Operations,
    Words,
    answer,
    change_extra,
    change_responses,
)
from api.principals import Principal
from api.routes.acting import Acted, Room, act_body, add_act, stored_body
from api.schemas import DoneAnswer
from api.services import Services
from contracts.claims import keys_of
from contracts.instruments import Viewer
from contracts.instruments.pages import LIMIT_DEFAULT, LIMIT_MAX
from contracts.receipts import (
    MACHINE,
    ReceiptAct,
    ReceiptActed,
    ReceiptQuery,
    StoredReceipt,
    decode_log,
    find_receipt,
    issue_calldata,
    keepers_of,
    list_receipts,
    merge_calldata,
    merged_id,
    receipt_history,
    receipt_id,
    receipt_terms,
)
from ledger.projection import read_transaction
from ledger.types import Address, Hash32, Log

READ: Final = "receipts:read"
WRITE: Final = "receipts:write"


def _acted(log: Log) -> Acted | None:
    event = decode_log(log)
    if not isinstance(event, ReceiptActed):
        return None
    return Acted(event.id, event.act, event.receipt)


def _contract_of(connection: Connection, id_: Hash32, viewer: Viewer) -> Address | None:
    stored = find_receipt(connection, id_, viewer)
    return None if stored is None else stored.contract


ROOM: Final = Room("receipts", "receipt", MACHINE, "ReceiptActed", _acted, _contract_of)
_Organisation = Annotated[str | None, Query(pattern=ORGANISATION)]
_Hash = Annotated[str | None, Query(pattern=HASH)]


def router(services: Services, guard: Guard) -> APIRouter:
    """Routes under /receipts; those that change something where this node sends for members."""
    routes = APIRouter(tags=["receipts"])
    _add_lists(routes, services, guard)
    _add_reading(routes, services, guard)
    if services.operations is not None:
        _add_making(routes, services, guard, services.operations)
        for name, model in ACTS.items():
            add_act(routes, services, guard, services.operations, ROOM, name, model)
    return routes


# ---- reading ------------------------------------------------------------------------------------


def _add_lists(routes: APIRouter, services: Services, guard: Guard) -> None:
    def find(query: ReceiptQuery, viewer: Viewer) -> dict[str, Any]:
        with valid(), read_transaction(services.engine) as connection:
            return listing("receipts", list_receipts(connection, query, viewer), receipt_body)

    @routes.get(
        "/receipts",
        operation_id="listReceipts",
        summary="Receipts that your organisation is or was a party to",
        description=(
            "Newest first; with `expiringBefore` in the order of expiry. Regulators and "
            "arbitrators with the scope `supervise` see all."
        ),
        response_class=Response,
        responses={**JSON_ANSWER, **problems(400, 401, 403)},
        openapi_extra=BEARER,
    )
    async def list_all(
        request: Request,
        state: Annotated[list[str] | None, Query(max_length=len(MACHINE.states))] = None,
        warehouse: _Organisation = None,
        holder: _Organisation = None,
        owner: _Organisation = None,
        nominee: _Organisation = None,
        pledgee: _Organisation = None,
        lot: _Hash = None,
        origin: _Hash = None,
        number: Annotated[str | None, Query(pattern="^[!-~]{1,32}$")] = None,
        expiring: Annotated[
            int | None,
            Query(alias="expiringBefore", ge=0, le=UINT48_MAX, description="Unix seconds"),
        ] = None,
        after: Annotated[str | None, Query(max_length=40)] = None,
        limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT,
    ) -> Response:
        principal = guard.principal(request, READ)
        query = ReceiptQuery(
            states=None if state is None else tuple(state),
            warehouse=warehouse,
            holder=holder,
            owner=owner,
            nominee=nominee,
            pledgee=pledgee,
            lot=None if lot is None else hash_of(lot),
            origin=None if origin is None else hash_of(origin),
            number=number,
            expiring_before=expiring,
            after=after,
            limit=limit,
        )
        return page_answer(await run_in_threadpool(find, query, principal.viewer))


def _add_reading(routes: APIRouter, services: Services, guard: Guard) -> None:
    def one(id_: Hash32, viewer: Viewer) -> tuple[dict[str, Any], int]:
        with read_transaction(services.engine) as connection:
            found = find_receipt(connection, id_, viewer)
            stored = here_or_not_found(found, "receipt", f"0x{id_.hex()}")
            lot = stored.receipt.lot
            keeper = keepers_of(connection, [lot]).get(lot, stored.receipt.warehouse)
            keys = [f"0x{key.hex()}" for key in keys_of(connection, id_)]
        body = receipt_body(stored) | {"keeper": keeper, "claims": keys}
        return body, stored.receipt.revision

    def acts(id_: Hash32, viewer: Viewer, after: str | None, limit: int) -> dict[str, Any]:
        with valid(), read_transaction(services.engine) as connection:
            here_or_not_found(find_receipt(connection, id_, viewer), "receipt", f"0x{id_.hex()}")
            page = receipt_history(connection, id_, viewer, after=after, limit=limit)
            return listing("acts", page, receipt_act_body)

    def document(id_: Hash32, viewer: Viewer) -> bytes | None:
        with read_transaction(services.engine) as connection:
            return receipt_terms(connection, id_, viewer)

    @routes.get(
        "/receipts/{id}",
        operation_id="getReceipt",
        summary="A receipt as it is now",
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
        "/receipts/{id}/history",
        operation_id="getReceiptHistory",
        summary="Every act on a receipt, oldest first, each with its proof",
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
        "/receipts/{id}/document",
        operation_id="getReceiptDocument",
        summary="The document that was published with a receipt, byte for byte",
        response_class=Response,
        responses={**JSON_ANSWER, **problems(400, 401, 403, 404)},
        openapi_extra=BEARER,
    )
    async def get_document(request: Request, record: RecordId) -> Response:
        principal = guard.principal(request, READ, instrument=record)
        found = await run_in_threadpool(document, hash_of(record), principal.viewer)
        if found is None:
            raise NotFound(f"no document was published with receipt {record}")
        return bytes_response(found, media_type="application/json")


# ---- acting -------------------------------------------------------------------------------------


def _add_making(
    routes: APIRouter, services: Services, guard: Guard, operations: Operations
) -> None:
    origin, chain_id = services.ledger.origin, services.ledger.chain_id
    timeout_s = services.settings.body_timeout_s

    def issue(principal: Principal, body: DraftBody) -> tuple[Call, Hash32]:
        to = operations.place("receipts")
        with valid():
            draft = body.draft(origin)
            id_ = receipt_id(chain_id, principal.organisation, draft.number, to)
            data = issue_calldata(draft, body.remark)
        words = Words(
            f"issue receipt {draft.number} for {draft.quantity} (thousandths of the unit) of lot "
            f"0x{draft.lot.hex()} to {draft.holder}",
            f"就批次 0x{draft.lot.hex()} 的 {draft.quantity}（单位的千分之一）向 {draft.holder} "
            f"签发仓单 {draft.number}",
        )
        return Call("receipts", to, data, "issue", words), id_

    @routes.post(
        "/receipts",
        operation_id="issueReceipt",
        summary="Issue a receipt for counted goods of a lot; the warehouse",
        response_class=Response,
        responses=change_responses(DoneAnswer, created=True),
        openapi_extra=change_extra(**body_schema(DraftBody)),
    )
    async def post_receipt(request: Request) -> Response:
        principal = guard.principal(request, WRITE)
        body, raw = await read_strict(request, DraftBody, timeout_s=timeout_s)
        call, id_ = await run_in_threadpool(issue, principal, body)
        return await answer(
            request,
            operations,
            principal,
            call,
            raw,
            more=partial(ROOM.told, id_),
            location=lambda _: f"/receipts/0x{id_.hex()}",
        )

    def merge(principal: Principal, body: Merge) -> tuple[Call, Hash32]:
        ids = [hash_of(part.id) for part in body.receipts]
        with read_transaction(services.engine) as connection:
            for id_ in ids:
                stored = here_or_not_found(
                    find_receipt(connection, id_, principal.viewer), "receipt", f"0x{id_.hex()}"
                )
        revisions = [part.revision for part in body.receipts]
        with valid():
            data = merge_calldata(ids, revisions, body.remark)
        shown = ", ".join(part.id for part in body.receipts)
        words = Words(f"merge receipts {shown} into one", f"将仓单 {shown} 合并为一")
        return Call("receipts", stored.contract, data, "merge", words), merged_id(ids, revisions)

    @routes.post(
        "/receipts/merge",
        operation_id="mergeReceipts",
        summary="Make one of receipts for equal goods of one lot; who holds and owns them all",
        response_class=Response,
        responses=change_responses(DoneAnswer, created=True),
        openapi_extra=change_extra(**body_schema(Merge)),
    )
    async def post_merger(request: Request) -> Response:
        principal = guard.principal(request, WRITE)
        body, raw = await read_strict(request, Merge, timeout_s=timeout_s)
        call, id_ = await run_in_threadpool(merge, principal, body)
        return await answer(
            request,
            operations,
            principal,
            call,
            raw,
            more=partial(ROOM.told, id_),
            location=lambda _: f"/receipts/0x{id_.hex()}",
        )


# ---- answers ------------------------------------------------------------------------------------


def receipt_body(stored: StoredReceipt) -> dict[str, Any]:
    """A receipt in JSON."""
    return stored_body(stored.id, stored.contract, stored.receipt, stored.place)


def receipt_act_body(act: ReceiptAct) -> dict[str, Any]:
    """A line of a receipt's history in JSON."""
    return act_body(act, act.place)
