"""Loans: one list and one record of applications and what has come of them.

An application is kept by Applications, the loan by Financing; both have the same id, and their
revisions are one line.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from api.acts.common import (
    ORGANISATION,
    UINT48_MAX,
    RecordId,
    here_or_not_found,
    listing,
    maybe_hash,
)
from api.auth import Guard
from api.errors import ProblemPart, QueryInvalid
from api.routes import loan_shapes as shapes
from api.routes.loan_acting import BEFORE, READ, add_changes, look_up_line
from api.routes.loan_answers import (
    Line,
    act_body,
    advice_body,
    line_body,
    payment_body,
    stored_offer_body,
)
from api.routes.reading import (
    REVISION_TEXT,
    After,
    CurrencyQuery,
    HashQuery,
    Limit,
    NumberQuery,
    OrganisationQuery,
    Reading,
    Seen,
    TimeQuery,
    state_of,
    states_schema,
)
from api.services import Services
from api.shapes import page_shape
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
from contracts.instruments.pages import LIMIT_DEFAULT
from ledger.types import Hash32

_State = Annotated[str, state_of(MACHINE), states_schema(MACHINE)]


def router(services: Services, guard: Guard) -> APIRouter:
    """Routes under /loans; those that change something where this node sends for members."""
    routes = APIRouter(tags=["loans"])
    reading = Reading(routes, services, guard, "/loans", "loan", "Loan", READ, look_up_line)
    _add_list(reading)
    _add_reading(reading)
    if services.operations is not None:
        add_changes(routes, services, guard, services.operations)
    return routes


# ---- lists --------------------------------------------------------------------------------------


def _add_list(reading: Reading[Line]) -> None:
    @reading.get_list(
        "listLoans",
        summary="Applications and loans that your organisation is a party to, newest first",
        description=(
            "Banks see applications that are open to them; platforms (role Operator) and, with "
            "the scope `supervise`, regulators and arbitrators see all. With states after payout, "
            "`currency`, `dueBefore` or `breached`: loans that were paid out, in the order of "
            "payout. `number` and `openTo` are of applications and do not go with those."
        ),
        shape=page_shape("loans", shapes.LOAN),
    )
    async def list_all(
        request: Request,
        state: Annotated[list[_State] | None, Query(max_length=len(MACHINE.states))] = None,
        borrower: OrganisationQuery = None,
        bank: Annotated[
            str | None, Query(pattern=ORGANISATION, description="whose offer was accepted")
        ] = None,
        invited: Annotated[
            str | None, Query(alias="openTo", pattern=ORGANISATION, description="an invited bank")
        ] = None,
        instrument: HashQuery = None,
        number: NumberQuery = None,
        currency: CurrencyQuery = None,
        due: Annotated[
            int | None,
            Query(alias="dueBefore", ge=0, le=UINT48_MAX, description="Unix seconds"),
        ] = None,
        breached: Annotated[
            bool | None, Query(description="whether something is amiss with the security")
        ] = None,
        after: After = None,
        limit: Limit = LIMIT_DEFAULT,
    ) -> Response:
        states = None if state is None else tuple(state)
        asset = maybe_hash(instrument)
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
        return await reading.ask(request, partial(_found, query))


def _found(
    query: ApplicationQuery | LoanQuery, connection: Connection, viewer: Viewer
) -> dict[str, Any]:
    lines = _lines(connection, query, viewer)
    return listing("loans", lines, lambda line: line_body(line, viewer))


def _is_of_loans(states: tuple[str, ...] | None, *filters: object) -> bool:
    """Whether loans that were paid out are meant."""
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


def _add_reading(reading: Reading[Line]) -> None:
    @reading.get(
        "",
        summary="An application or loan as it is now, and what is owed",
        description=REVISION_TEXT,
        shape=shapes.LOAN,
    )
    async def get_one(request: Request, record: RecordId, at: TimeQuery = None) -> Response:
        return await reading.record(
            request,
            record,
            lambda seen: line_body(seen.record, seen.viewer, at),
            lambda line: line.revision,
        )

    reading.add_history(
        _history,
        lambda shown: shown,
        summary="Every act from the application on, oldest first, each with its proof",
        shape=shapes.ACT,
    )
    reading.add_history(
        loan_payments,
        payment_body,
        summary="Money that came in, oldest first, each with its proof",
        part="payments",
        member="payments",
        shape=shapes.PAYMENT,
    )
    reading.add_part(
        "offers",
        _offers,
        summary="How banks stand to an application; a bank is shown its own offer alone",
        shape=shapes.OFFERS,
    )
    reading.add_part(
        "advice",
        _advice,
        summary="The platform's advice, the latest first",
        shape=shapes.ADVICE,
    )


def _history(
    connection: Connection, id_: Hash32, viewer: Viewer, /, *, after: str | None, limit: int
) -> Page[dict[str, Any]]:
    """Acts before payout, then those from it on: their places on the chain are in this order."""
    first = application_history(connection, id_, viewer, after=after, limit=limit)
    acts = tuple(act_body(act, "applications") for act in first.items)
    if first.after is not None:
        return Page(acts, first.after)
    left = limit - len(acts)
    then = loan_history(connection, id_, viewer, after=after, limit=max(left, 1))
    if left > 0:
        return Page(acts + tuple(act_body(act, "financing") for act in then.items), then.after)
    place = first.items[-1].place
    return Page(acts, f"{place.block_number}-{place.log_index}" if then.items else None)


def _offers(seen: Seen[Line]) -> dict[str, Any]:
    found = application_offers(seen.connection, seen.id, seen.viewer)
    return {"offers": [stored_offer_body(one) for one in found]}


def _advice(seen: Seen[Line]) -> dict[str, Any]:
    found = application_advice(seen.connection, seen.id, seen.viewer)
    return {"advice": [advice_body(one) for one in found]}
