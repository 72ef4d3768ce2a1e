"""Stock: lots, counts, and what was counted beside what live receipts stand for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import partial
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic.alias_generators import to_camel
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from api.acts.common import (
    RecordId,
    Target,
    body_schema,
    hash_of,
    here_or_not_found,
    json_answer,
    maybe_hash,
    place_body,
    read_strict,
    valid,
)
from api.acts.stock import ACTS, CountBody, LotAct, LotBody, SignedCountBody
from api.auth import Guard
from api.documentation import bearer, problems
from api.formats import json_response
from api.operations import Call, Done, Operations, Words, answer, change_extra
from api.principals import Principal
from api.routes.changing import Changing, changed
from api.routes.reading import After, HashQuery, Limit, OrganisationQuery, Reading
from api.services import Services
from api.shapes import (
    AMOUNT_TEXT,
    HASH_TEXT,
    PLACE,
    Schema,
    line_shape,
    object_shape,
    page_shape,
    record_shape,
)
from contracts.genesis import STOCK_ADDRESS
from contracts.instruments import Viewer
from contracts.instruments.notices import as_json
from contracts.instruments.pages import LIMIT_DEFAULT
from contracts.stock import (
    Location,
    Lot,
    LotEntry,
    LotQuery,
    StoredLot,
    count_calldata,
    count_digest,
    count_signed_calldata,
    count_typed_data,
    find_lot,
    list_lots,
    locations,
    lot_history,
    lot_key,
    register_lot_calldata,
)
from ledger.projection import read_transaction
from ledger.types import Hash32

READ: Final = "stock:read"
WRITE: Final = "stock:write"

_NAMES: Final = {to_camel(one.name): one.name for one in fields(LotEntry)}
_Kind = Literal[
    "registered",
    "agreement",
    "counter-added",
    "counter-removed",
    "entrusted",
    "counted",
    "adjusted",
    "moved",
    "shortfall-began",
    "shortfall-ended",
]


_LOT: Final = object_shape(lot=HASH_TEXT)
_DIGEST: Final = object_shape(digest=HASH_TEXT, typedData={"type": "object"})


def router(services: Services, guard: Guard) -> APIRouter:
    """Routes under /stock; those that change something where this node sends for members."""
    routes = APIRouter(tags=["stock"])
    reading = Reading(routes, services, guard, "/stock/lots", "lot", "StockLot", READ, find_lot)
    _add_lots(reading)
    _add_locations(routes, reading)
    _add_reading(reading)
    _add_digest(routes, services, guard)
    if services.operations is not None:
        changes = Changing(
            routes,
            services,
            guard,
            services.operations,
            "/stock/lots",
            "lot",
            WRITE,
            lambda _, key, __: {"lot": f"0x{key.hex()}"},
            revised=False,
            shape=_LOT,
        )
        changes.add_making(
            "",
            LotBody,
            _register,
            operation_id="registerLot",
            summary="Register goods that can stand behind receipts; the role Warehouse",
        )
        _add_counts(routes, services, guard, services.operations)
        for name, model in ACTS.items():
            changes.add_act(name, model, partial(_act, services, name))
    return routes


# ---- reading ------------------------------------------------------------------------------------


def _add_lots(reading: Reading[StoredLot]) -> None:
    @reading.get_list(
        "listStockLots",
        summary="Lots that you keep or count, or have or had receipts for, newest first",
        description="Each with what was counted, what live receipts stand for, and what is free.",
        shape=page_shape("lots", _lot_shape()),
    )
    async def list_all(
        request: Request,
        warehouse: OrganisationQuery = None,
        place: HashQuery = None,
        short: Annotated[bool | None, Query(description="true: where goods are missing")] = None,
        after: After = None,
        limit: Limit = LIMIT_DEFAULT,
    ) -> Response:
        query = LotQuery(warehouse, maybe_hash(place), short, after, limit)
        return await reading.listed(request, list_lots, query, lot_body, "lots")


def _add_locations(routes: APIRouter, reading: Reading[StoredLot]) -> None:
    @routes.get(
        "/stock/locations",
        operation_id="listLocations",
        summary="Counted stock beside live receipts, by warehouse, place and unit",
        response_class=Response,
        responses={**json_answer(_locations_shape()), **problems(400, 401, 403)},
        openapi_extra=bearer(READ),
    )
    async def list_locations(request: Request, warehouse: OrganisationQuery = None) -> Response:
        def found(connection: Connection, viewer: Viewer) -> dict[str, Any]:
            places = locations(connection, viewer, warehouse=warehouse)
            return {"locations": [_json(one) for one in places]}

        return await reading.ask(request, found)


def _add_reading(reading: Reading[StoredLot]) -> None:
    reading.add_record(
        lambda seen: lot_body(seen.record), summary="A lot as it is now", shape=_lot_shape()
    )

    @reading.get(
        "history",
        summary="Counts, adjustments, shortfalls and movements of a lot, newest first",
        shape=page_shape("entries", _entry_shape()),
    )
    async def get_history(
        request: Request,
        record: RecordId,
        kind: Annotated[_Kind | None, Query()] = None,
        after: After = None,
        limit: Limit = LIMIT_DEFAULT,
    ) -> Response:
        entries = partial(lot_history, kind=kind)
        return await reading.part(
            request, record, lambda seen: seen.page(entries, entry_body, "entries", after, limit)
        )


def _add_digest(routes: APIRouter, services: Services, guard: Guard) -> None:
    @routes.post(
        "/stock/counts/digest",
        operation_id="getCountDigest",
        summary="What a device is to sign for a count (EIP-712); changes nothing",
        response_class=Response,
        responses={**json_answer(_DIGEST), **problems(400, 401, 403, 413, 415)},
        openapi_extra={**bearer(READ), **body_schema(CountBody)},
    )
    async def post_digest(request: Request) -> Response:
        guard.principal(request, READ)
        timeout_s = services.settings.body_timeout_s
        body, _ = await read_strict(request, CountBody, timeout_s=timeout_s)
        chain_id = services.ledger.chain_id
        with valid():
            digest = count_digest(body.count, chain_id)
        typed = count_typed_data(body.count, chain_id)
        return json_response({"digest": f"0x{digest.hex()}", "typedData": _safe(typed)})


# ---- acting -------------------------------------------------------------------------------------


def _register(principal: Principal, _: int, body: LotBody) -> tuple[Call, Hash32]:
    place, lot = body.place_hash(), body.lot_hash()
    with valid():
        data = register_lot_calldata(place, lot, body.agreement.agreement, body.counters)
    key = lot_key(principal.organisation, place, lot)
    counters = ", ".join(body.counters)
    words = Words(
        f"register lot 0x{key.hex()} in {body.agreement.unit}, counted by {counters}",
        f"登记批次 0x{key.hex()}，单位 {body.agreement.unit}，由 {counters} 盘点",
    )
    return Call("stock", STOCK_ADDRESS, data, "register", words), key


def _add_counts(
    routes: APIRouter, services: Services, guard: Guard, operations: Operations
) -> None:
    timeout_s = services.settings.body_timeout_s

    @routes.post(
        "/stock/counts",
        operation_id="tellCount",
        summary="Tell a count with the organisation's own account",
        response_class=Response,
        responses=changed(_LOT),
        openapi_extra=change_extra(**bearer(WRITE), **body_schema(CountBody)),
    )
    async def post_count(request: Request) -> Response:
        principal = guard.principal(request, WRITE)
        body, raw = await read_strict(request, CountBody, timeout_s=timeout_s)
        await run_in_threadpool(_check_lot, services, principal, body)
        with valid():
            data = count_calldata(body.count)
        call = _count_call(data, "count", body, "", "")
        return await answer(request, operations, principal, call, raw, more=_about(body.lot))

    @routes.post(
        "/stock/counts/signed",
        operation_id="relayCount",
        summary="Bring a count that a registered device has signed; anybody, once",
        response_class=Response,
        responses=changed(_LOT),
        openapi_extra=change_extra(**bearer(WRITE), **body_schema(SignedCountBody)),
    )
    async def post_signed(request: Request) -> Response:
        principal = guard.principal(request, WRITE)
        body, raw = await read_strict(request, SignedCountBody, timeout_s=timeout_s)
        with valid():
            data = count_signed_calldata(body.count, bytes.fromhex(body.signature[2:]))
        call = _count_call(
            data, "count-signed", body, ", as its counter has signed it", "（已签名）"
        )
        return await answer(request, operations, principal, call, raw, more=_about(body.lot))


def _count_call(data: bytes, act: str, body: CountBody, en: str, zh: str) -> Call:
    words = Words(
        f"tell that {body.quantity} (thousandths of the unit) of lot {body.lot} were counted{en}",
        f"报告批次 {body.lot} 盘点数量 {body.quantity}（单位的千分之一）{zh}",
    )
    return Call("stock", STOCK_ADDRESS, data, act, words, body.lot)


def _check_lot(services: Services, principal: Principal, body: CountBody) -> None:
    """Raises `NotFound`: who counts a lot sees it."""
    with read_transaction(services.engine) as connection:
        found = find_lot(connection, hash_of(body.lot), principal.viewer)
    here_or_not_found(found, "lot", body.lot)


def _about(key: str) -> Callable[[Done], dict[str, Any]]:
    return lambda _: {"lot": key}


def _act(
    services: Services, name: str, principal: Principal, key: Hash32, _: int, body: LotAct
) -> Call:
    with read_transaction(services.engine) as connection:
        found = find_lot(connection, key, principal.viewer)
    here_or_not_found(found, "lot", f"0x{key.hex()}")
    on = Target(principal.organisation, key, 0, services.ledger.origin)
    with valid():
        data = body.calldata(on)
    return Call("stock", STOCK_ADDRESS, data, name, body.words(on), on.text)


# ---- answers ------------------------------------------------------------------------------------


def lot_body(stored: StoredLot) -> dict[str, Any]:
    """A lot in JSON."""
    return {
        "key": f"0x{stored.key.hex()}",
        **_json(stored.lot),
        "free": str(stored.free),
        "missing": str(stored.missing),
        "counters": list(stored.counters),
        "receipts": stored.receipts,
        "last": place_body(stored.place),
    }


def _lot_shape() -> Schema:
    more = {
        "key": HASH_TEXT,
        "free": AMOUNT_TEXT,
        "missing": AMOUNT_TEXT,
        "counters": {"type": "array", "items": {"type": "string"}},
        "receipts": {"type": ["integer", "null"]},
        "last": PLACE,
    }
    return record_shape(Lot, more)


def _entry_shape() -> Schema:
    """What a line does not tell is not there."""
    return {**line_shape(LotEntry), "required": ["kind", "text", *PLACE["required"]]}


def _locations_shape() -> Schema:
    items = {"type": "array", "items": record_shape(Location)}
    return {"type": "object", "required": ["locations"], "properties": {"locations": items}}


def entry_body(entry: LotEntry) -> dict[str, Any]:
    """A line of a lot's history in JSON: what it tells, and where its proof is."""
    told = _json(entry)
    body = {name: told[name] for name in told if getattr(entry, _NAMES[name]) is not None}
    del body["place"]
    return {**body, **place_body(entry.place)}


def _json(value: Lot | LotEntry | Location) -> dict[str, Any]:
    body = as_json(value)
    assert isinstance(body, dict)
    return body


def _safe(value: Any) -> Any:
    """Numbers that not every reader keeps (RFC 8259 section 6), as text."""
    if isinstance(value, dict):
        return {name: _safe(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_safe(one) for one in value]
    return str(value) if isinstance(value, int) and abs(value) >= 1 << 53 else value
