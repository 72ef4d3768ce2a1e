"""Banks' rate tables, for all members to read, and their customers' contribution points."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.acts.common import (
    ORGANISATION,
    UINT128_MAX,
    body_schema,
    here_or_not_found,
    json_answer,
    listing,
    page_answer,
    place_body,
    read_strict,
    valid,
)
from api.acts.loan_requests import TERM_DAYS_MAX, VERSION_MAX
from api.acts.prices import PointsBody, PricingBody, TableBody
from api.auth import Guard
from api.documentation import bearer, problems
from api.errors import NotFound
from api.operations import Call, Done, Operations, answer, change_extra
from api.routes.changing import changed
from api.routes.loan_acting import READ, WRITE
from api.routes.loan_answers import plain
from api.routes.reading import After, Limit, OrganisationQuery
from api.services import Services
from api.shapes import COUNT, PLACE, TEXT, Schema, object_shape, page_shape, record_shape
from contracts.financing import (
    NoTierError,
    Points,
    PointsRecorded,
    RateTable,
    StoredTable,
    decode_log,
    discount,
    find_rate_table,
    list_points,
    points_history,
    present_rate_tables,
    tiered_rate,
)
from contracts.instruments import Viewer
from contracts.instruments.pages import LIMIT_DEFAULT
from contracts.instruments.places import ChainPlace
from ledger.projection import read_transaction

CURRENCY: Final = "^[A-Z]{3}$"

_Bank = Annotated[str, Path(pattern=ORGANISATION)]
_Currency = Annotated[str, Path(pattern=CURRENCY, description="ISO 4217")]
_Version = Annotated[
    int | None, Query(ge=1, le=VERSION_MAX, description="by default the present one")
]


# ---- what they look like ------------------------------------------------------------------------

_TABLE: Final = record_shape(RateTable, {"published": PLACE})
_TABLES: Final = object_shape(tables={"type": "array", "items": _TABLE})
_RATE: Final = object_shape(
    bank=TEXT,
    currency=TEXT,
    version=COUNT,
    rateBp=COUNT,
    customer=TEXT,
    points=COUNT,
    discountBp=COUNT,
    contributionRateBp=COUNT,
)
_POINTS: Final = page_shape("points", record_shape(Points, {"last": PLACE}, without=("place",)))
_BOOKINGS: Final = page_shape("bookings", record_shape(PointsRecorded, PLACE["properties"]))


def router(services: Services, guard: Guard) -> APIRouter:
    """Routes under /rate-tables and /contribution-points."""
    routes = APIRouter(tags=["loans"])
    _add_tables(routes, services, guard)
    _add_rate(routes, services, guard)
    _add_points(routes, services, guard)
    if services.operations is not None:
        for change in (PUBLISHING, BOOKING):
            _add_change(routes, services, guard, services.operations, change)
    return routes


# ---- tables -------------------------------------------------------------------------------------


def _add_tables(routes: APIRouter, services: Services, guard: Guard) -> None:
    def present() -> dict[str, Any]:
        with read_transaction(services.engine) as connection:
            return {"tables": [table_body(one) for one in present_rate_tables(connection)]}

    def one(bank: str, currency: str, version: int | None) -> dict[str, Any]:
        return table_body(_table(services, bank, currency, version))

    @routes.get(
        "/rate-tables",
        operation_id="listRateTables",
        summary="The present rate table of each bank and currency",
        response_class=Response,
        responses={**json_answer(_TABLES), **problems(400, 401, 403)},
        openapi_extra=bearer(READ),
    )
    async def list_tables(request: Request) -> Response:
        guard.principal(request, READ)
        return page_answer(await run_in_threadpool(present))

    @routes.get(
        "/rate-tables/{bank}/{currency}",
        operation_id="getRateTable",
        summary="A bank's rate table for a currency, in any version",
        response_class=Response,
        responses={**json_answer(_TABLE), **problems(400, 401, 403, 404)},
        openapi_extra=bearer(READ),
    )
    async def get_table(
        request: Request, bank: _Bank, currency: _Currency, version: _Version = None
    ) -> Response:
        guard.principal(request, READ)
        return page_answer(await run_in_threadpool(one, bank, currency, version))


def _table(services: Services, bank: str, currency: str, version: int | None) -> StoredTable:
    with read_transaction(services.engine) as connection:
        found = find_rate_table(connection, bank, currency, version)
    if found is None:
        which = "" if version is None else f" of version {version}"
        raise NotFound(f"{bank} has published no rate table{which} for {currency}")
    return found


def _add_rate(routes: APIRouter, services: Services, guard: Guard) -> None:
    def rate(
        table: RateTable, kind: str, amount: int, days: int, customer: str, viewer: Viewer
    ) -> dict[str, Any]:
        try:
            tiered = tiered_rate(table, kind, amount, days)
        except NoTierError as error:
            raise NotFound(str(error)) from error
        with read_transaction(services.engine) as connection:
            page = list_points(connection, viewer, bank=table.bank, customer=customer, limit=1)
        points = page.items[0].points if page.items else 0
        off = discount(table, points, tiered)
        return {
            "bank": table.bank,
            "currency": table.currency,
            "version": table.version,
            "rateBp": tiered,
            "customer": customer,
            "points": points,
            "discountBp": off,
            "contributionRateBp": tiered - off,
        }

    @routes.get(
        "/rate-tables/{bank}/{currency}/rate",
        operation_id="getRate",
        summary="The rate that a table gives, and what a customer's points take off it now",
        description=(
            "`rateBp` is that of the mode `tiered`, `contributionRateBp` that of `contribution`. "
            "Points are those that your organisation may see: its own, or its customers'."
        ),
        response_class=Response,
        responses={**json_answer(_RATE), **problems(400, 401, 403, 404)},
        openapi_extra=bearer(READ),
    )
    async def get_rate(
        request: Request,
        bank: _Bank,
        currency: _Currency,
        kind: Literal["receipts", "receivables"],
        amount: Annotated[
            str, Query(pattern="^[1-9][0-9]{0,38}$", description="hundredths of the currency")
        ],
        days: Annotated[int, Query(alias="termDays", ge=1, le=TERM_DAYS_MAX)],
        customer: Annotated[
            str | None,
            Query(pattern=ORGANISATION, description="by default your organisation"),
        ] = None,
        version: _Version = None,
    ) -> Response:
        principal = guard.principal(request, READ)
        asked = min(int(amount), UINT128_MAX)
        table = (await run_in_threadpool(_table, services, bank, currency, version)).table
        for_whom = customer or principal.organisation
        values = (table, kind, asked, days, for_whom, principal.viewer)
        return page_answer(await run_in_threadpool(rate, *values))


def _published(done: Done) -> Mapping[str, Any]:
    for event in done.events:
        if event.contract == "pricing" and event.name == "TablePublished":
            return {"table": plain(decode_log(event.placed.log))}
    return {}


def table_body(stored: StoredTable) -> dict[str, Any]:
    """A version of a table in JSON."""
    return {**plain(stored.table), "published": place_body(stored.place)}


# ---- points -------------------------------------------------------------------------------------


def _add_points(routes: APIRouter, services: Services, guard: Guard) -> None:
    def find(
        viewer: Viewer, bank: str | None, customer: str | None, after: str | None, limit: int
    ) -> dict[str, Any]:
        with valid(), read_transaction(services.engine) as connection:
            page = list_points(
                connection, viewer, bank=bank, customer=customer, after=after, limit=limit
            )
        return listing("points", page, lambda one: _placed(plain(one), one.place))

    def bookings(
        viewer: Viewer, bank: str, customer: str, after: str | None, limit: int
    ) -> dict[str, Any]:
        with valid(), read_transaction(services.engine) as connection:
            known = list_points(connection, viewer, bank=bank, customer=customer, limit=1).items
            here_or_not_found(known or None, "account of points", f"of {customer} with {bank}")
            page = points_history(connection, bank, customer, viewer, after=after, limit=limit)
        return listing("bookings", page, lambda one: {**plain(one.booked), **place_body(one.place)})

    @routes.get(
        "/contribution-points",
        operation_id="listContributionPoints",
        summary="Points of your organisation with banks, or of a bank's customers",
        response_class=Response,
        responses={**json_answer(_POINTS), **problems(400, 401, 403)},
        openapi_extra=bearer(READ),
    )
    async def list_all(
        request: Request,
        bank: OrganisationQuery = None,
        customer: OrganisationQuery = None,
        after: After = None,
        limit: Limit = LIMIT_DEFAULT,
    ) -> Response:
        viewer = guard.principal(request, READ).viewer
        return page_answer(await run_in_threadpool(find, viewer, bank, customer, after, limit))

    @routes.get(
        "/contribution-points/{bank}/{customer}",
        operation_id="getContributionPointsHistory",
        summary="Bookings of a customer's points with a bank, oldest first, each with its proof",
        response_class=Response,
        responses={**json_answer(_BOOKINGS), **problems(400, 401, 403, 404)},
        openapi_extra=bearer(READ),
    )
    async def get_bookings(
        request: Request,
        bank: _Bank,
        customer: _Bank,
        after: After = None,
        limit: Limit = LIMIT_DEFAULT,
    ) -> Response:
        viewer = guard.principal(request, READ).viewer
        values = (viewer, bank, customer, after, limit)
        return page_answer(await run_in_threadpool(bookings, *values))


def _placed(body: dict[str, Any], place: ChainPlace) -> dict[str, Any]:
    del body["place"]
    return {**body, "last": place_body(place)}


def _booked(done: Done) -> Mapping[str, Any]:
    for event in done.events:
        if event.contract == "pricing" and event.name == "PointsRecorded":
            booked = decode_log(event.placed.log)
            if isinstance(booked, PointsRecorded):
                return {"points": plain(booked)}
    return {}


# ---- changes ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """What a bank says of its prices, by a request of its own."""

    path: str
    operation_id: str
    summary: str
    act: str
    model: type[PricingBody]
    told: Callable[[Done], Mapping[str, Any]]
    """What is answered of it."""
    shape: Schema
    """Of that."""


PUBLISHING: Final = Change(
    path="/rate-tables",
    operation_id="publishRateTable",
    summary="Publish the next version of one's rate table for a currency; a bank",
    act="publish",
    model=TableBody,
    told=_published,
    shape=object_shape(table=record_shape(RateTable)),
)
BOOKING: Final = Change(
    path="/contribution-points",
    operation_id="recordContributionPoints",
    summary="Book points of a customer; a bank",
    act="record-points",
    model=PointsBody,
    told=_booked,
    shape=object_shape(points=record_shape(PointsRecorded)),
)


def _add_change(
    routes: APIRouter, services: Services, guard: Guard, operations: Operations, change: Change
) -> None:
    def made(body: PricingBody) -> Call:
        with valid():
            data = body.calldata()
        return Call("pricing", operations.place("pricing"), data, change.act, body.words())

    @routes.post(
        change.path,
        operation_id=change.operation_id,
        summary=change.summary,
        response_class=Response,
        responses=changed(change.shape, created=True),
        openapi_extra=change_extra(**bearer(WRITE), **body_schema(change.model)),
    )
    async def post_change(request: Request) -> Response:
        principal = guard.principal(request, WRITE)
        timeout_s = services.settings.body_timeout_s
        body, raw = await read_strict(request, change.model, timeout_s=timeout_s)
        call = await run_in_threadpool(made, body)
        where = f"{change.path}/{principal.organisation}/{body.about}"
        return await answer(
            request, operations, principal, call, raw, more=change.told, location=lambda _: where
        )
