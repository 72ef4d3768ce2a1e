"""Loans: one list and one record of applications and what has come of them.

An application is kept by Applications, the loan by Financing; both have the same id, and their
revisions are one line.
"""

from __future__ import annotations

from collections.abc import Callable
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
    hash_of,
    here_or_not_found,
    listing,
    page_answer,
    valid,
)
from api.auth import Guard
from api.documentation import BEARER, problems
from api.errors import ProblemPart, QueryInvalid
from api.formats import json_response
from api.routes.loan_acting import BEFORE, READ, add_acts, add_application, find_line
from api.routes.loan_answers import (
    Line,
    act_body,
    advice_body,
    line_body,
    payment_body,
    stored_offer_body,
)
from api.services import Services
from contracts.financing import (
    MACHINE,
    ApplicationQuery,
    LoanQuery,
    StoredApplication,
    StoredLoan,
    application_advice,
    application_history,
    application_offers,
    find_application,
    find_loan,
    list_applications,
    list_loans,
    loan_history,
    loan_payments,
)
from contracts.instruments import Page, Viewer
from contracts.instruments.pages import LIMIT_DEFAULT, LIMIT_MAX
from ledger.projection import read_transaction
from ledger.types import Hash32

_STATES: Final = frozenset(state for state in MACHINE.states if state != "none")

_Organisation = Annotated[str | None, Query(pattern=ORGANISATION)]
_Hash = Annotated[str | None, Query(pattern=HASH)]
_After = Annotated[str | None, Query(max_length=40)]
_Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX)]
_Time = Annotated[int | None, Query(ge=0, le=UINT48_MAX, description="Unix seconds")]


def router(services: Services, guard: Guard) -> APIRouter:
    """Routes under /loans; those that change something where this node sends for members."""
    routes = APIRouter(tags=["loans"])
    _add_list(routes, services, guard)
    _add_one(routes, services, guard)
    _add_history(routes, services, guard)
    _add_bids(routes, services, guard)
    if services.operations is not None:
        add_application(routes, services, guard, services.operations)
        add_acts(routes, services, guard, services.operations)
    return routes


# ---- lists --------------------------------------------------------------------------------------


def _add_list(routes: APIRouter, services: Services, guard: Guard) -> None:
    def find(query: ApplicationQuery | LoanQuery, viewer: Viewer) -> dict[str, Any]:
        with valid(), read_transaction(services.engine) as connection:
            lines = _lines(connection, query, viewer)
            return listing("loans", lines, lambda line: line_body(line, viewer))

    @routes.get(
        "/loans",
        operation_id="listLoans",
        summary="Applications and loans that your organisation is a party to, newest first",
        description=(
            "Banks see applications that are open to them; platforms (role Operator) and, with "
            "the scope `supervise`, regulators and arbitrators see all. With states after payout, "
            "`currency`, `dueBefore` or `breached`: loans that were paid out, in the order of "
            "payout. `number` and `openTo` are of applications and do not go with those."
        ),
        response_class=Response,
        responses={**JSON_ANSWER, **problems(400, 401, 403)},
        openapi_extra=BEARER,
    )
    async def list_all(
        request: Request,
        state: Annotated[list[str] | None, Query(max_length=len(_STATES))] = None,
        borrower: _Organisation = None,
        bank: Annotated[
            str | None, Query(pattern=ORGANISATION, description="whose offer was accepted")
        ] = None,
        invited: Annotated[
            str | None, Query(alias="openTo", pattern=ORGANISATION, description="an invited bank")
        ] = None,
        instrument: _Hash = None,
        number: Annotated[str | None, Query(pattern="^[!-~]{1,32}$")] = None,
        currency: Annotated[str | None, Query(pattern="^[A-Z]{3}$")] = None,
        due: Annotated[
            int | None,
            Query(alias="dueBefore", ge=0, le=UINT48_MAX, description="Unix seconds"),
        ] = None,
        breached: Annotated[
            bool | None, Query(description="whether something is amiss with the security")
        ] = None,
        after: _After = None,
        limit: _Limit = LIMIT_DEFAULT,
    ) -> Response:
        principal = guard.principal(request, READ)
        states = None if state is None else tuple(state)
        asset = None if instrument is None else hash_of(instrument)
        query: ApplicationQuery | LoanQuery
        if _is_of_loans(states, currency, due, breached):
            _check_goes_with(states, openTo=invited, number=number)
            query = LoanQuery(
                states, borrower, bank, asset, currency, due, breached, after=after, limit=limit
            )
        else:
            query = ApplicationQuery(
                states, borrower, bank, invited, asset, number, after=after, limit=limit
            )
        return page_answer(await run_in_threadpool(find, query, principal.viewer))


def _is_of_loans(states: tuple[str, ...] | None, *filters: object) -> bool:
    """Whether loans that were paid out are meant. Raises `QueryInvalid` for no state."""
    for state in states or ():
        if state not in _STATES:
            raise _no_query("state", f"{state[:40]!r} is none of {', '.join(sorted(_STATES))}")
    paid_out = any(state not in BEFORE for state in states or ())
    return paid_out or any(one is not None for one in filters)


def _check_goes_with(states: tuple[str, ...] | None, **of_applications: object) -> None:
    """Raises `QueryInvalid` where loans and what has not been paid out are asked for at once."""
    for state in states or ():
        if state in BEFORE:
            raise _no_query("state", f"{state} is before payout: ask for it without the others")
    for name, value in of_applications.items():
        if value is not None:
            raise _no_query(name, "is of applications: ask without filters of paid-out loans")


def _no_query(parameter: str, told: str) -> QueryInvalid:
    detail = f"{parameter}: {told}"
    return QueryInvalid(detail, errors=[ProblemPart(detail, parameter=parameter)])


def _lines(
    connection: Connection, query: ApplicationQuery | LoanQuery, viewer: Viewer
) -> Page[Line]:
    def of_application(asked: StoredApplication) -> Line:
        paid_out = asked.state not in BEFORE
        return Line(asked, find_loan(connection, asked.id, viewer) if paid_out else None)

    def of_loan(loan: StoredLoan) -> Line:
        asked = find_application(connection, loan.id, viewer)
        return Line(here_or_not_found(asked, "loan", f"0x{loan.id.hex()}"), loan)

    if isinstance(query, LoanQuery):
        return list_loans(connection, query, viewer).map(of_loan)
    return list_applications(connection, query, viewer).map(of_application)


# ---- one ----------------------------------------------------------------------------------------


def _add_one(routes: APIRouter, services: Services, guard: Guard) -> None:
    def one(id_: Hash32, viewer: Viewer, at: int | None) -> tuple[dict[str, Any], int]:
        with read_transaction(services.engine) as connection:
            line = find_line(connection, id_, viewer)
        return line_body(line, viewer, at), line.revision

    @routes.get(
        "/loans/{id}",
        operation_id="getLoan",
        summary="An application or loan as it is now, and what is owed",
        description="Its revision is the ETag: send it back as If-Match with what you do next.",
        response_class=Response,
        responses={**JSON_ANSWER, **problems(400, 401, 403, 404)},
        openapi_extra=BEARER,
    )
    async def get_one(request: Request, record: RecordId, at: _Time = None) -> Response:
        principal = guard.principal(request, READ, instrument=record)
        body, revision = await run_in_threadpool(one, hash_of(record), principal.viewer, at)
        return json_response(body, cache="no-cache", headers={"ETag": f'"{revision}"'})


def _add_history(routes: APIRouter, services: Services, guard: Guard) -> None:
    def acts(id_: Hash32, viewer: Viewer, after: str | None, limit: int) -> dict[str, Any]:
        with valid(), read_transaction(services.engine) as connection:
            find_line(connection, id_, viewer)
            return _history(connection, id_, viewer, after, limit)

    def payments(id_: Hash32, viewer: Viewer, after: str | None, limit: int) -> dict[str, Any]:
        with valid(), read_transaction(services.engine) as connection:
            find_line(connection, id_, viewer)
            page = loan_payments(connection, id_, viewer, after=after, limit=limit)
            return listing("payments", page, payment_body)

    _add_pages(routes, guard, "history", acts, "Every act from the application on, oldest first")
    _add_pages(routes, guard, "payments", payments, "Money that came in, oldest first")


def _add_pages(
    routes: APIRouter,
    guard: Guard,
    name: str,
    find: Callable[[Hash32, Viewer, str | None, int], dict[str, Any]],
    summary: str,
) -> None:
    @routes.get(
        f"/loans/{{id}}/{name}",
        operation_id=f"getLoan{name.capitalize()}",
        summary=f"{summary}, each with its proof",
        response_class=Response,
        responses={**JSON_ANSWER, **problems(400, 401, 403, 404)},
        openapi_extra=BEARER,
    )
    async def get_page(
        request: Request, record: RecordId, after: _After = None, limit: _Limit = LIMIT_DEFAULT
    ) -> Response:
        principal = guard.principal(request, READ, instrument=record)
        found = await run_in_threadpool(find, hash_of(record), principal.viewer, after, limit)
        return page_answer(found)


def _history(
    connection: Connection, id_: Hash32, viewer: Viewer, after: str | None, limit: int
) -> dict[str, Any]:
    """Acts before payout, then those from it on: their places on the chain are in this order."""
    first = application_history(connection, id_, viewer, after=after, limit=limit)
    acts = [act_body(act, "applications") for act in first.items]
    if first.after is not None:
        return {"acts": acts, "after": first.after}
    left = limit - len(acts)
    then = loan_history(connection, id_, viewer, after=after, limit=max(left, 1))
    if left > 0:
        acts += [act_body(act, "financing") for act in then.items]
        return {"acts": acts, "after": then.after}
    place = first.items[-1].place
    more = f"{place.block_number}-{place.log_index}" if then.items else None
    return {"acts": acts, "after": more}


def _add_bids(routes: APIRouter, services: Services, guard: Guard) -> None:
    def offers(id_: Hash32, viewer: Viewer) -> dict[str, Any]:
        with read_transaction(services.engine) as connection:
            find_line(connection, id_, viewer)
            found = application_offers(connection, id_, viewer)
        return {"offers": [stored_offer_body(one) for one in found]}

    def advice(id_: Hash32, viewer: Viewer) -> dict[str, Any]:
        with read_transaction(services.engine) as connection:
            find_line(connection, id_, viewer)
            found = application_advice(connection, id_, viewer)
        return {"advice": [advice_body(one) for one in found]}

    @routes.get(
        "/loans/{id}/offers",
        operation_id="getLoanOffers",
        summary="How banks stand to an application; a bank is shown its own offer alone",
        response_class=Response,
        responses={**JSON_ANSWER, **problems(400, 401, 403, 404)},
        openapi_extra=BEARER,
    )
    async def get_offers(request: Request, record: RecordId) -> Response:
        principal = guard.principal(request, READ, instrument=record)
        return page_answer(await run_in_threadpool(offers, hash_of(record), principal.viewer))

    @routes.get(
        "/loans/{id}/advice",
        operation_id="getLoanAdvice",
        summary="The platform's advice, the latest first",
        response_class=Response,
        responses={**JSON_ANSWER, **problems(400, 401, 403, 404)},
        openapi_extra=BEARER,
    )
    async def get_advice(request: Request, record: RecordId) -> Response:
        principal = guard.principal(request, READ, instrument=record)
        return page_answer(await run_in_threadpool(advice, hash_of(record), principal.viewer))
