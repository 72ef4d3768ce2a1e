"""Clearing: what banks owe each other out of a day's payments."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.acts.common import json_answer, page_answer
from api.auth import Guard
from api.documentation import bearer, problems
from api.routes.clearing_answers import clearing_body
from api.routes.clearing_shapes import CLEARING
from api.routes.days import DayPath, Days, UtcOffset, days_of
from api.routes.deposits import READ
from api.services import Services
from contracts.instruments import Viewer
from contracts.settlement import clear_day
from ledger.projection import read_transaction

DESCRIPTION = """\
Two by two (`bilateral`) and all together (`multilateral`). A bank sees its own pairs and its own
net; regulators and arbitrators with the scope `supervise` see all, and few payments that would
settle everything (`transfers`); nobody else sees any. What is claimed both ways is set off at once,
payment by payment: `setOff` is how much of both claims went out so on that day, `net` what is left
to be paid. What is settled, the creditor confirms with `POST /deposits/interbank/settlements`. A
function of the ledger alone: once `final`, every node answers the same for ever.
"""


def router(services: Services, guard: Guard) -> APIRouter:
    """Routes under /clearing."""
    routes = APIRouter(tags=["deposits"])

    def find(days: Days, currency: str | None, viewer: Viewer) -> dict[str, Any]:
        applied = services.projector.block_number
        with read_transaction(services.engine) as connection:
            found = clear_day(connection, viewer, days.first, zone=days.zone, currency=currency)
        # Looked at before the tables: they may be further, and then say the same of the day.
        header = services.ledger.header(max(0, applied))
        final = header is not None and header.timestamp >= found.until
        return {"date": days.first.isoformat(), **clearing_body(found, viewer, final=final)}

    @routes.get(
        "/clearing/{date}",
        operation_id="getClearing",
        summary="What banks owe each other out of a day's payments, set off",
        description=DESCRIPTION,
        response_class=Response,
        responses={**json_answer(CLEARING), **problems(400, 401, 403)},
        openapi_extra=bearer(READ),
    )
    async def get_clearing(
        request: Request,
        day: DayPath,
        currency: Annotated[str | None, Query(pattern="^[A-Z]{3}$")] = None,
        utc_offset: UtcOffset = 0,
    ) -> Response:
        principal = guard.principal(request, READ)
        days = days_of(day, None, utc_offset)
        return page_answer(await run_in_threadpool(find, days, currency, principal.viewer))

    return routes
