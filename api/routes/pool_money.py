"""The money of pools over HTTP: periods, collections, payments, and the way between the two."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Path, Query, Request, Response

from api.acts.common import RecordId, listing, valid
from api.errors import NotFound
from api.formats import json_response
from api.routes import pool_shapes as shapes
from api.routes.pool_answers import (
    collection_body,
    open_body,
    payment_body,
    period_body,
    source_body,
)
from api.routes.reading import After, Limit, OrganisationQuery, Reading, Seen
from api.shapes import page_shape
from contracts.instruments import Page
from contracts.instruments.pages import LIMIT_DEFAULT, parse_cursor
from contracts.pools import Flow
from contracts.pools.queries import (
    StoredCollection,
    StoredPool,
    Trace,
    pool_collections,
    pool_distributions,
    pool_payments,
    trace_period,
)
from contracts.pools.standing import open_of, pool_account, pool_periods
from contracts.pools.tracing import sources

NUMBER_MAX: Final = (1 << 32) - 1
PERIODS_OPEN: Final = 2
"""Periods ahead for which money may come in."""

_Period = Annotated[int, Path(ge=1, le=NUMBER_MAX)]
_NumberQuery = Annotated[int | None, Query(ge=1, le=NUMBER_MAX)]


def add_money(pools: Reading[StoredPool]) -> None:
    """`GET /pools/{id}/periods`, `…/collections`, `…/payments`, `…/periods/{period}/trace`."""
    _add_periods(pools)
    _add_trace(pools)
    _add_lists(pools)


def _add_periods(pools: Reading[StoredPool]) -> None:
    def one(seen: Seen[StoredPool], period: int) -> tuple[dict[str, Any], int]:
        open_ = open_of(seen.connection, seen.id, period, seen.viewer)
        account = pool_account(seen.connection, seen.id, seen.viewer)
        if account.periods < period <= account.periods + PERIODS_OPEN:
            return open_body(period, open_), open_.revision
        known = pool_distributions(seen.connection, seen.id, seen.viewer)
        for found in known:
            if found.period == period:
                return {**period_body(found), "open": open_body(period, open_)}, open_.revision
        raise NotFound(f"pool 0x{seen.id.hex()} has no period {period} (yet)")

    pools.add_history(
        pool_periods,
        period_body,
        part="periods",
        member="periods",
        summary="Periods that were distributed, oldest first, each with what the waterfall gave",
        shape=shapes.PERIOD,
    )

    @pools.get(
        "periods/{period}",
        operation_id="getPoolPeriod",
        summary="A period: what was collected for it, and what the waterfall made of it",
        description=(
            "The revision of what was collected is the ETag: send it back as If-Match with "
            "`distribute`, so that nothing is shared out that you have not seen."
        ),
        shape=shapes.ONE_PERIOD,
    )
    async def get_period(request: Request, record: RecordId, period: _Period) -> Response:
        body, revision = await pools.look(request, record, lambda seen: one(seen, period))
        etag = {"ETag": f'"{revision}"'} if revision else {}
        return json_response(body, cache="no-cache", headers=etag)


def _add_trace(pools: Reading[StoredPool]) -> None:
    @pools.get(
        "periods/{period}/trace",
        operation_id="tracePoolPeriod",
        summary="Which hundredth of which debtor's payment has gone to whom",
        description=(
            "First in, first out within the period, fees before interest before principal. "
            "Collections name the payment, and where it was one of this ledger's to the trustee, "
            "who paid it and for which receivable. Narrow it by the number of a collection or of a "
            "payment."
        ),
        shape=shapes.TRACE,
    )
    async def get_trace(
        request: Request,
        record: RecordId,
        period: _Period,
        collection: _NumberQuery = None,
        payment: _NumberQuery = None,
        after: After = None,
        limit: Limit = LIMIT_DEFAULT,
    ) -> Response:
        def found(seen: Seen[StoredPool]) -> dict[str, Any]:
            trace = trace_period(seen.connection, seen.id, period, seen.viewer)
            if trace is None:
                raise NotFound(f"period {period} of pool {record} is not distributed")
            with valid():
                page = _flows(trace, collection, payment, after, limit)
            return _traced(seen, period, trace, page)

        return await pools.part(request, record, found)


def _flows(
    trace: Trace, collection: int | None, payment: int | None, after: str | None, limit: int
) -> Page[Flow]:
    """Those that are asked for. Raises `CursorInvalid`."""
    since = (parse_cursor(after, 1) or (0,))[0]
    wanted = [
        flow
        for flow in trace.flows
        if collection in (None, flow.collection) and payment in (None, flow.payment)
    ]
    shown = tuple(wanted[since : since + limit])
    return Page(shown, str(since + limit) if len(wanted) > since + limit else None)


def _traced(seen: Seen[StoredPool], period: int, trace: Trace, page: Page[Flow]) -> dict[str, Any]:
    """Flows with the collections and payments that they are between."""
    collections = {flow.collection for flow in page.items}
    payments = {flow.payment for flow in page.items}
    came = [one for one in trace.collections if one.number in collections]
    return {
        "period": period,
        "flows": [
            {"collection": one.collection, "payment": one.payment, "amount": str(one.amount)}
            for one in page.items
        ],
        "collections": _with_sources(seen, came),
        "payments": [payment_body(one) for one in trace.payments if one.number in payments],
        "after": page.after,
    }


def _with_sources(
    seen: Seen[StoredPool], collections: list[StoredCollection]
) -> list[dict[str, Any]]:
    """Collections, with the payment of this ledger that each names, where the trustee got it."""
    trustee = seen.record.pool.terms.trustee
    known = sources(seen.connection, trustee, [one.collection.payment for one in collections])
    return [
        {**collection_body(one), "source": source_body(known.get(one.collection.payment))}
        for one in collections
    ]


def _add_lists(pools: Reading[StoredPool]) -> None:
    @pools.get(
        "collections",
        summary="Money that came in, by number, with what was taken back",
        shape=shapes.COLLECTIONS,
    )
    async def get_collections(
        request: Request,
        record: RecordId,
        period: _NumberQuery = None,
        after: After = None,
        limit: Limit = LIMIT_DEFAULT,
    ) -> Response:
        def found(seen: Seen[StoredPool]) -> dict[str, Any]:
            with valid():
                page = pool_collections(
                    seen.connection, seen.id, seen.viewer, period=period, after=after, limit=limit
                )
            return {"collections": _with_sources(seen, list(page.items)), "after": page.after}

        return await pools.part(request, record, found)

    @pools.get(
        "payments",
        summary="Payments to holders and others, by number: due, and made",
        shape=page_shape("payments", shapes.PAYMENT),
    )
    async def get_payments(
        request: Request,
        record: RecordId,
        period: _NumberQuery = None,
        payee: OrganisationQuery = None,
        after: After = None,
        limit: Limit = LIMIT_DEFAULT,
    ) -> Response:
        def found(seen: Seen[StoredPool]) -> dict[str, Any]:
            with valid():
                page = pool_payments(
                    seen.connection,
                    seen.id,
                    seen.viewer,
                    period=period,
                    payee=payee,
                    after=after,
                    limit=limit,
                )
            return listing("payments", page, payment_body)

        return await pools.part(request, record, found)
