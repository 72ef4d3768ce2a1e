"""EPCIS query (EPCIS 2.0 section 12.7): events by parameters, by id, by item."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from urllib.parse import quote, urlencode

import anyio
import orjson
from fastapi import APIRouter, Path, Request, Response

from api.documentation import header, problems, query
from api.errors import NotFound, QueryInvalid
from api.formats import json_response, timestamp
from api.schemas import Event, QueryDocument
from api.services import Services
from ledger.projection import read_transaction
from traceability.gs1 import Gs1Error, parse_identifier
from traceability.query import EventQuery, Page, QueryError, StoredEvent, find_events, stored_events

CONTEXT: Final = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
QUERIES_AT_ONCE_MAX: Final = 4
"""Long queries must not take all threads: proofs and look-ups go on beside them."""
CLASS_KINDS: Final = frozenset({"gtin", "lgtin", "itip", "itip-lot", "cpi"})
EXTENSIONS_MAX: Final = 20
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
"""RFC 3986 section 3.1: what is not GS1's own is at least a URI (EPCIS 2.0 section 6.4)."""

_EPC_EXAMPLE: Final = "https://id.gs1.org/01/09506000134352/21/1001"
_STRING: Final = {"type": "string"}
_TIME: Final = {"type": "string", "format": "date-time"}
_PARAMETERS: Final = [
    query("eventType", "types of event, several with `|` between", _STRING),
    query("GE_eventTime", "not before", _TIME),
    query("LT_eventTime", "before", _TIME),
    query("GE_recordTime", "recorded not before", _TIME),
    query("LT_recordTime", "recorded before", _TIME),
    query("EQ_action", "ADD, OBSERVE, DELETE", _STRING),
    query("EQ_bizStep", "business steps", _STRING, example="shipping"),
    query("EQ_disposition", "dispositions", _STRING),
    query("EQ_readPoint", "read points", _STRING),
    query("WD_readPoint", "read points and what lies within them", _STRING),
    query("EQ_bizLocation", "business locations", _STRING),
    query("WD_bizLocation", "business locations and what lies within them", _STRING),
    query(
        "MATCH_epc",
        "instances in epcList or childEPCs: identifiers, or a pattern such as "
        "`urn:epc:idpat:sgtin:9506000.013435.*` (so with all MATCH_ parameters)",
        _STRING,
    ),
    query("MATCH_parentID", "parents", _STRING),
    query("MATCH_inputEPC", "inputs of a transformation", _STRING),
    query("MATCH_outputEPC", "outputs of a transformation", _STRING),
    query("MATCH_anyEPC", "instances anywhere", _STRING),
    query("MATCH_epcClass", "classes in quantity lists", _STRING),
    query("MATCH_anyEPCClass", "classes anywhere", _STRING),
    query("EQ_transformationID", "transformations", _STRING),
    query("EQ_eventID", "event ids", _STRING),
    query("orderBy", "order", {"type": "string", "enum": ["eventTime", "recordTime"]}),
    query("orderDirection", "needs orderBy", {"type": "string", "enum": ["ASC", "DESC"]}),
    query(
        "eventCountLimit",
        "no more than so many in all",
        {"type": "integer", "minimum": 1, "maximum": 1_000_000},
    ),
    query(
        "maxEventCount",
        "an error if more match",
        {"type": "integer", "minimum": 1, "maximum": 1_000_000},
    ),
    query(
        "perPage",
        "events of one page",
        {"type": "integer", "minimum": 1, "maximum": 1000, "default": 30},
    ),
    query("nextPageToken", "from the `Link` of the page before", _STRING),
    header("GS1-Extensions", "prefixes of extensions: `prefix=IRI`, …", _STRING),
]
_PAGE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "model": QueryDocument,
        "description": "A page of events; `Link: rel=next` leads to the next one",
        "content": {"application/json": {}},
    }
}


def router(services: Services) -> APIRouter:
    """Routes under /events and /epcs that read."""
    routes = APIRouter(tags=["query"])
    limiter = anyio.CapacityLimiter(QUERIES_AT_ONCE_MAX)

    def find(parsed: EventQuery) -> Page:
        with read_transaction(services.engine) as connection:
            return find_events(connection, parsed)

    async def answer(request: Request, extra: Sequence[tuple[str, str]] = ()) -> Response:
        given = request.query_params.multi_items()
        try:
            parsed = EventQuery.parse([*given, *extra], _namespaces(request))
            page = await anyio.to_thread.run_sync(find, parsed, limiter=limiter)
        except QueryError as error:
            raise QueryInvalid(str(error)) from error
        headers = {"GS1-EPCIS-Version": "2.0.0", "GS1-CBV-Version": "2.0.0"}
        if page.next_token is not None:
            again = [(name, value) for name, value in given if name != "nextPageToken"]
            target = urlencode([*again, ("nextPageToken", page.next_token)])
            path = quote(request.url.path, safe="/:;%")
            if request.scope.get("raw_path"):
                path = request.scope["raw_path"].decode("ascii", "replace").partition("?")[0]
            headers["Link"] = f'<{path}?{target}>; rel="next"'
        return json_response(_query_document(page), headers=headers)

    @routes.get(
        "/events",
        operation_id="queryEvents",
        summary="Events that satisfy all conditions",
        description=(
            "Parameters as in EPCIS 2.0 section 8.2.7.1; those not listed here (`EQ_bizTransaction_"
            "…`, `EQ_ILMD_…`, extensions) work by the same rules."
        ),
        response_class=Response,
        responses={**_PAGE, **problems(400)},
        openapi_extra={"parameters": _PARAMETERS},
    )
    async def query_events(request: Request) -> Response:
        return await answer(request)

    @routes.get(
        "/events/{eventID:path}",
        operation_id="getEvent",
        summary="One event by its CBV event hash id",
        response_class=Response,
        responses={
            200: {
                "model": Event,
                "description": "The event",
                "content": {"application/json": {}},
            },
            **problems(400, 404),
        },
    )
    async def get_event(request: Request, eventID: str) -> Response:  # noqa: N803
        wanted = event_id_of(request, eventID)
        with read_transaction(services.engine) as connection:
            found = stored_events(connection, wanted)
        if not found:
            raise NotFound(f"no event {wanted[:120]} is on the ledger")
        return json_response(_event_body(found[-1]), cache="no-cache")

    @routes.get(
        "/epcs/{epc:path}/events",
        operation_id="getItemEvents",
        summary="Events that name an item or class (EPC URN or GS1 Digital Link, percent-encoded)",
        response_class=Response,
        responses={**_PAGE, **problems(400, 404)},
        openapi_extra={"parameters": _PARAMETERS},
    )
    async def get_item_events(
        request: Request, epc: Annotated[str, Path(examples=[_EPC_EXAMPLE])]
    ) -> Response:
        return await answer(request, [(_parameter(epc), epc)])

    return routes


def event_id_of(request: Request, text: str) -> str:
    """The event id in a path; its `?ver=CBV2.0` may have come unescaped, as the query."""
    version = request.query_params.get("ver")
    if version is not None and "?" not in text:
        return f"{text}?ver={version}"
    return text


def _parameter(epc: str) -> str:
    if "*" in epc or "|" in epc:
        raise QueryInvalid("epc: one identifier is meant, without pattern or list")
    try:
        kind = parse_identifier(epc).kind
    except Gs1Error as error:
        if epc.startswith("urn:epc:") or "://id.gs1.org/" in epc:
            raise QueryInvalid(f"epc: {error}") from error
        if not _URI.fullmatch(epc):
            raise QueryInvalid(
                f"epc: {epc[:120]!r} is no identifier; write an EPC URN (urn:epc:id:sgtin:…), a "
                "GS1 Digital Link (https://id.gs1.org/01/…/21/…) or another URI, percent-encoded"
            ) from error
        return "MATCH_anyEPC"
    return "MATCH_anyEPCClass" if kind in CLASS_KINDS else "MATCH_anyEPC"


def _namespaces(request: Request) -> dict[str, str]:
    """`GS1-Extensions: ex=http://ns.example.com/epcis/, other=…` (EPCIS 2.0 section 12.3)."""
    found: dict[str, str] = {}
    for item in request.headers.get("gs1-extensions", "").split(",")[:EXTENSIONS_MAX]:
        prefix, separator, iri = item.strip().partition("=")
        if separator:
            found[prefix.strip()] = iri.strip()
    return found


def _query_document(page: Page) -> dict[str, Any]:
    results = {
        "queryName": "SimpleEventQuery",
        "resultsBody": {"eventList": [_event_body(event) for event in page.events]},
    }
    return {
        "@context": [CONTEXT],
        "type": "EPCISQueryDocument",
        "schemaVersion": "2.0",
        "creationDate": timestamp(datetime.now(UTC)),
        "epcisBody": {"queryResults": results},
    }


def _event_body(stored: StoredEvent) -> dict[str, Any]:
    """The event as it was anchored, with the two fields that the server adds."""
    body: dict[str, Any] = orjson.loads(stored.body)
    body.setdefault("eventID", stored.event_id)
    body["recordTime"] = timestamp(stored.record_time)
    return body
