"""Statements of deposits: JSON, CSV, camt.053."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.acts.common import RecordId, hash_of, here_or_not_found, page_answer
from api.auth import Guard
from api.documentation import bearer, problems
from api.errors import Unprocessable
from api.formats import bytes_response
from api.negotiation import choose
from api.routes.clearing_answers import statement_body
from api.routes.clearing_shapes import STATEMENT
from api.routes.days import Day, Days, LastDay, UtcOffset, days_of
from api.routes.deposits import READ
from api.services import Services
from contracts.instruments import Viewer
from contracts.settlement import (
    AccountStatement,
    PeriodTooLarge,
    StatementTooLarge,
    account_statement,
    write_camt053,
    write_csv,
)
from ledger.projection import read_transaction

CSV: Final = "text/csv"
XML: Final = "application/xml"


def router(services: Services, guard: Guard) -> APIRouter:
    """`GET /deposits/{id}/statement`."""
    routes = APIRouter(tags=["deposits"])

    def find(record: str, days: Days, viewer: Viewer) -> AccountStatement:
        with read_transaction(services.engine) as connection:
            found = account_statement(
                connection, hash_of(record), viewer, days.first, days.last, zone=days.zone
            )
        return here_or_not_found(found, "account", record)

    def made(media: str, record: str, days: Days, viewer: Viewer) -> Response:
        try:
            statement = find(record, days, viewer)
            if media == CSV:
                return _file(write_csv(statement), f"{CSV}; charset=utf-8; header=present")
            if media == XML:
                return _file(write_camt053(statement), XML)
        except (PeriodTooLarge, StatementTooLarge) as error:
            raise Unprocessable(str(error)) from error
        return page_answer(statement_body(statement))

    @routes.get(
        "/deposits/{id}/statement",
        operation_id="getDepositStatement",
        summary="An account's statement of some days: JSON, CSV, or ISO 20022 camt.053.001.08",
        description=(
            "What changed the balance, between the balances before and after. By `Accept`, or by "
            "`format` (json, csv, xml). CSV is for programs: fields stand as they are."
        ),
        response_class=Response,
        responses={
            200: {
                "description": "As of now",
                "content": {
                    "application/json": {"schema": STATEMENT},
                    CSV: {"schema": {"type": "string"}},
                    XML: {"schema": {"type": "string"}},
                },
            },
            **problems(400, 401, 403, 404, 406, 422),
        },
        openapi_extra=bearer(READ),
    )
    async def get_statement(
        request: Request,
        record: RecordId,
        day: Day,
        to: LastDay = None,
        utc_offset: UtcOffset = 0,
        format_: Annotated[str | None, Query(alias="format", pattern="^(json|csv|xml)$")] = None,
    ) -> Response:
        del format_  # `choose` reads it
        principal = guard.principal(request, READ, instrument=record)
        days = days_of(day, to, utc_offset)
        media = choose(request, ("application/json", CSV, XML))
        return await run_in_threadpool(made, media, record, days, principal.viewer)

    return routes


def _file(body: bytes, media_type: str) -> Response:
    return bytes_response(body, media_type=media_type, cache="no-cache", headers={"Vary": "Accept"})
