"""The feed of notices: pages by key, and server-sent events."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final
from urllib.parse import urlencode

import anyio
from fastapi import APIRouter, Query, Request, Response

from api.auth import Guard
from api.documentation import bearer, header, problems
from api.errors import QueryInvalid
from api.formats import json_response
from api.principals import Principal
from api.schemas import Schema
from api.services import Services
from api.sight import ROOM_OF_KIND, narrowed, unveiled
from api.stream import Connections, EventStream, StreamSettings, Tail, notice_body
from contracts.consortium import find_organisation
from contracts.notices import (
    BEGINNING,
    NoticeFilter,
    Place,
    PlaceMalformed,
    find_notices,
    position_before,
)
from ledger.projection import read_transaction

READERS_MAX: Final = 4
LIMIT_MAX: Final = 1_000
KINDS_MAX: Final = 50
SCOPE: Final = "notices:read"

OF_HOOKS: Final = "webhook"
"""What kinds of messages about webhooks begin with."""
_FAMILIES: Final = (*ROOM_OF_KIND, OF_HOOKS)
_KIND: Final = re.compile(r"(?=.{3,64}\Z)[a-z0-9-]+\.([a-z0-9-]+|\*)")

Kinds = Annotated[
    str | None,
    Query(
        description="kinds, with commas between; `receipt.*` for all about receipts",
        max_length=2_000,
        examples=["receipt.*,stock.shortfall-began"],
    ),
]
Instrument = Annotated[
    str | None, Query(description="id of the record", pattern="^0x[0-9a-f]{64}$")
]
Since = Annotated[
    int | None, Query(description="not before this block time, Unix seconds", ge=0, le=1 << 48)
]
After = Annotated[str | None, Query(description="id of the last notice that is known")]


class NoticeSummary(Schema):
    """What happened to a record."""

    id: str
    """Its place on the chain, `<block>-<log>-<n>`: the same on every node."""
    kind: str
    instrument: str
    """Id of the record: a receipt, a pledge, a lot, …"""
    time: int
    """Block time, Unix seconds."""
    transaction: str
    block: int
    leaf: int
    """Index in the transparency log of the event that says it."""
    proof: str
    """Where the proof of the leaf is had."""
    body: dict[str, Any]
    """The record after the act."""


class NoticePage(Schema):
    """Notices in the chain's order."""

    notices: list[NoticeSummary]
    after: str | None
    """Where to go on, now or later; null where nothing was ever told."""
    more: bool
    """Whether there is more at once."""


def router(
    services: Services, guard: Guard, tail: Tail, settings: StreamSettings | None = None
) -> APIRouter:
    """Routes under /notices."""
    routes = APIRouter(tags=["notices"])
    connections = Connections(tail, settings or StreamSettings())
    _add_page(routes, services, guard)
    _add_stream(routes, services, guard, connections)
    return routes


def _add_page(routes: APIRouter, services: Services, guard: Guard) -> None:
    limiter = anyio.CapacityLimiter(READERS_MAX)

    def find(
        principal: Principal, wanted: NoticeFilter, place: int, since: int | None, limit: int
    ) -> dict[str, Any]:
        with read_transaction(services.engine) as connection:
            if since is not None:
                place = max(place, position_before(connection, since))
            found = find_notices(
                connection, principal.viewer, wanted=wanted, after=place, count=limit + 1
            )
        shown, more = found[:limit], len(found) > limit
        last = shown[-1].place.position if shown else place
        return {
            "notices": [notice_body(unveiled(one, principal.viewer)) for one in shown],
            "after": str(Place.of(last)) if last >= 0 else None,
            "more": more,
        }

    @routes.get(
        "/notices",
        operation_id="listNotices",
        summary="What happened to one's records, in the chain's order",
        description=(
            "Parties are told of each act on their records, and of a lot that runs short while "
            "they have receipts for it. Ask again with `after` for what has happened since. Told "
            "are the kinds of the rooms that the key may read (`receipts:read`: `receipt.*`)."
        ),
        response_class=Response,
        responses={
            200: {
                "model": NoticePage,
                "description": "One page; `Link: rel=next` leads to the next one",
                "content": {"application/json": {}},
            },
            **problems(400, 401, 403),
        },
        openapi_extra=bearer(SCOPE),
    )
    async def list_notices(
        request: Request,
        kind: Kinds = None,
        instrument: Instrument = None,
        since: Since = None,
        after: After = None,
        limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = 100,
    ) -> Response:
        principal = guard.principal(request, SCOPE, instrument=instrument)
        wanted, place = narrowed(filter_of(kind, instrument), principal), place_of(after)
        body = await anyio.to_thread.run_sync(
            find, principal, wanted, place, since, limit, limiter=limiter
        )
        headers = _link(request, body["after"]) if body["more"] else {}
        return json_response(body, headers=headers)


def _add_stream(
    routes: APIRouter, services: Services, guard: Guard, connections: Connections
) -> None:
    @routes.get(
        "/notices/stream",
        operation_id="streamNotices",
        summary="The same as they happen: server-sent events",
        description=(
            "Each event's `id` is the notice's, `event` its kind, `data` the notice in JSON. Who "
            "connects again with `Last-Event-ID` goes on where he was: nothing is lost or comes "
            "twice. Without it, and without `after` and `since`, only what is new comes. The "
            "stream ends when the key is revoked, and with the token that began it."
        ),
        response_class=Response,
        responses={
            200: {
                "description": "Events without end",
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
            },
            **problems(400, 401, 403),
        },
        openapi_extra={
            **bearer(SCOPE),
            "parameters": [
                header("Last-Event-ID", "id of the last event that came", {"type": "string"})
            ],
        },
    )
    async def stream_notices(
        request: Request,
        kind: Kinds = None,
        instrument: Instrument = None,
        since: Since = None,
        after: After = None,
    ) -> Response:
        principal = guard.principal(request, SCOPE, instrument=instrument)
        wanted = narrowed(filter_of(kind, instrument), principal)
        known = request.headers.get("last-event-id", "") or after
        place = None if known is None else place_of(known, "Last-Event-ID or after")
        if since is not None and place is None:
            place = await anyio.to_thread.run_sync(_before, services, since)
        connections.check(principal.organisation)
        return EventStream(
            connections,
            principal.viewer,
            principal.organisation,
            wanted,
            place,
            lambda: guard.still_good(principal) and _same_sight(services, principal),
            principal.until_ms,
        )


def _same_sight(services: Services, principal: Principal) -> bool:
    """Whether who saw all when the stream began may do so still."""
    if not principal.viewer.sees_all:
        return True
    with read_transaction(services.engine) as connection:
        found = find_organisation(connection, principal.organisation)
    return found is not None and found.role is principal.role


def _link(request: Request, after: str) -> dict[str, str]:
    kept = [(k, v) for k, v in request.query_params.multi_items() if k != "after"]
    target = urlencode([*kept, ("after", after)])
    return {"Link": f'<{request.url.path}?{target}>; rel="next"'}


def _before(services: Services, since: int) -> int:
    with read_transaction(services.engine) as connection:
        return position_before(connection, since)


def filter_of(kind: str | None, instrument: str | None) -> NoticeFilter:
    """The filter that the parameters mean. Raises `QueryInvalid`."""
    kinds = tuple(filter(None, (one.strip() for one in (kind or "").split(","))))
    return NoticeFilter(check_kinds(kinds), instrument or "")


def check_kinds(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Raises `QueryInvalid` for what can be no kind, or is about what there is no record of."""
    if len(kinds) > KINDS_MAX:
        raise QueryInvalid(f"kind: {len(kinds)} kinds; at most {KINDS_MAX} can be asked for")
    for one in kinds:
        if not _KIND.fullmatch(one):
            raise QueryInvalid(
                f"kind: {one[:70]!r} is none, such as receipt.issue, or receipt.* for all"
            )
        if one.partition(".")[0] not in _FAMILIES:
            told = ", ".join(f"{family}.*" for family in _FAMILIES)
            raise QueryInvalid(f"kind: {one!r}: nothing is told so; there are {told}")
    return kinds


def place_of(text: str | None, parameter: str = "after") -> int:
    """The position of a notice's id. Raises `QueryInvalid`."""
    if not text:
        return BEGINNING
    try:
        return Place.parse(text).position
    except PlaceMalformed as error:
        raise QueryInvalid(f"{parameter}: {error}") from error
