"""Banks' own statements held against the ledger. Nothing of them is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from api.acts.common import hash_of, here_or_not_found, json_answer, page_answer
from api.auth import Guard
from api.body import read_body
from api.documentation import bearer, problems
from api.errors import (
    BodyTooLarge,
    ProblemPart,
    QueryInvalid,
    Unprocessable,
    UnsupportedMediaType,
    ValidationFailed,
)
from api.limits import Turns
from api.routes.clearing_answers import reconciliation_body
from api.routes.clearing_shapes import RECONCILIATION
from api.routes.days import Day, Days, LastDay, UtcOffset, days_of
from api.routes.deposits import READ
from api.routes.statements import CSV, XML
from api.services import Services
from contracts.instruments import Viewer
from contracts.settlement import (
    Entry,
    LedgerLine,
    PeriodTooLarge,
    Reason,
    Reconciliation,
    Statement,
    StatementInvalid,
    StatementTooLarge,
    account_statement,
    changes,
    compare_balances,
    lines_of,
    names_of,
    parse_camt053,
    parse_csv,
    reconcile,
    settlements,
    settlements_of,
)
from ledger.projection import read_transaction

STATEMENT_TYPES: Final = (CSV, XML, "text/xml")
STATEMENT_BYTES_MAX: Final = 8 << 20
AT_ONCE_MAX: Final = 2
"""Statements that are compared at once, and one of each organisation: a large one takes seconds."""
RETRY_AFTER_S: Final = 5
INTERBANK: Final = "interbank"
"""In place of an account: the bank's own, in which it settles with others."""
DAYS_AROUND: Final = 31
"""In which is looked for what is missing."""
NUMBER_LENGTH_MAX: Final = 66
"""Characters of a number, as SQL has it."""
NUMBERS_MAX: Final = 5_000
"""That are looked for on other days."""
_EXAMPLES: Final = {
    CSV: "date,amount,currency,reference\r\n2027-01-15,-30000.00,CNY,P-1\r\n",
    XML: (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt>'
        "<Id>S-1</Id><Acct><Id><Othr><Id>6200-0001</Id></Othr></Id><Ccy>CNY</Ccy></Acct>"
        "</Stmt></BkToCstmrStmt></Document>"
    ),
}
DESCRIPTION: Final = """\
The statement (CSV, or ISO 20022 camt.053.001.02 to .08) is read, compared and forgotten. `account`
is that of a deposit, or `interbank`: what was settled with other banks beside one's account at the
central bank. Each line of either side stands once in the answer: `matched`, `missingHere`,
`missingThere`, `differingAmount`, `differingDay` or `toldTwice`, with the reason; balances that
differ in `differingBalance`. Entries of other days are left out and counted.
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be compared."""

    account: str
    days: Days
    currency: str | None
    statement: str | None
    """Which one of a message."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """The ledger's side."""

    currency: str
    lines: tuple[LedgerLine, ...]
    around: Callable[[frozenset[str]], tuple[LedgerLine, ...]]
    """Of the days before and after, those with these numbers."""
    balances: tuple[int, int] | None
    """Before and after the days; None: there is none."""


def router(services: Services, guard: Guard) -> APIRouter:
    """`POST /reconciliations`."""
    routes = APIRouter(tags=["deposits"])
    turns = Turns(AT_ONCE_MAX, RETRY_AFTER_S)

    def compared(media: str, raw: bytes, wanted: Wanted, viewer: Viewer) -> dict[str, Any]:
        statement = _chosen(_parsed(media, raw), wanted.statement)
        with read_transaction(services.engine) as connection:
            try:
                ledger = _ledger(connection, wanted, viewer)
                _check_currency(statement, ledger.currency)
                return _compared(statement, ledger, wanted)
            except PeriodTooLarge as error:
                raise Unprocessable(str(error)) from error

    @routes.post(
        "/reconciliations",
        operation_id="reconcile",
        summary="Compare a bank's own statement with the ledger, difference by difference",
        description=DESCRIPTION,
        response_class=Response,
        responses={
            **json_answer(RECONCILIATION),
            **problems(400, 401, 403, 404, 413, 415, 422, 503),
        },
        openapi_extra={**bearer(READ), **_body()},
    )
    async def post_statement(
        request: Request,
        account: Annotated[
            str,
            Query(
                pattern=f"^(0x[0-9a-f]{{64}}|{INTERBANK})$",
                description="of a deposit; or interbank, with `currency`",
            ),
        ],
        day: Day,
        to: LastDay = None,
        currency: Annotated[str | None, Query(pattern="^[A-Z]{3}$")] = None,
        utc_offset: UtcOffset = 0,
        statement: Annotated[
            str | None,
            Query(max_length=64, description="id or account of one in a message of several"),
        ] = None,
    ) -> Response:
        record = None if account == INTERBANK else account
        principal = guard.principal(request, READ, instrument=record)
        wanted = Wanted(account, days_of(day, to, utc_offset), currency, statement)
        media = _media(request)
        raw = await _statement_bytes(request, services.settings.body_timeout_s)
        with turns.taken(principal.organisation):
            body = await run_in_threadpool(compared, media, raw, wanted, principal.viewer)
        return page_answer(body)

    return routes


def _body() -> dict[str, Any]:
    content = {
        media: {"schema": {"type": "string"}, "example": _EXAMPLES.get(media, _EXAMPLES[XML])}
        for media in STATEMENT_TYPES
    }
    return {"requestBody": {"required": True, "content": content}}


# ---- the request --------------------------------------------------------------------------------


def _media(request: Request) -> str:
    """Which format comes. Raises `UnsupportedMediaType`."""
    media, _, parameters = request.headers.get("content-type", "").partition(";")
    media = media.strip().lower()
    if media not in STATEMENT_TYPES:
        raise UnsupportedMediaType(
            f"{media[:100] or 'no Content-Type'} is not read here; send "
            f"{' or '.join(STATEMENT_TYPES)}",
            headers={"Accept-Post": ", ".join(STATEMENT_TYPES)},
        )
    for parameter in parameters.lower().split(";"):
        name, _, value = parameter.strip().partition("=")
        if name == "charset" and value.strip('"') not in ("utf-8", "utf8"):
            raise UnsupportedMediaType(f"charset {value[:40]!r} is not read; send UTF-8")
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise UnsupportedMediaType(f"Content-Encoding {encoding[:40]!r} is not read; send it plain")
    return CSV if media == CSV else XML


async def _statement_bytes(request: Request, timeout_s: float) -> bytes:
    """The body. Raises what `read_body` does."""
    if request.headers.get("content-length") == "0":
        raise ValidationFailed("the body is empty; send a statement as CSV or camt.053")
    try:
        return await read_body(request, size_bytes_max=STATEMENT_BYTES_MAX, timeout_s=timeout_s)
    except BodyTooLarge as error:
        detail = f"the statement is larger than {STATEMENT_BYTES_MAX} bytes; send fewer days"
        raise BodyTooLarge(detail, headers=error.headers) from error


def _parsed(media: str, raw: bytes) -> tuple[Statement, ...]:
    """Raises `BodyTooLarge` or `ValidationFailed`."""
    try:
        return (parse_csv(raw),) if media == CSV else parse_camt053(raw)
    except StatementTooLarge as error:
        raise BodyTooLarge(str(error)) from error
    except StatementInvalid as error:
        raise ValidationFailed(str(error)) from error


def _chosen(statements: tuple[Statement, ...], name: str | None) -> Statement:
    """The one that is meant. Raises `Unprocessable`."""
    if name is None:
        found = statements
    else:
        found = tuple(one for one in statements if name in (one.id, one.account))
    if len(found) == 1:
        return found[0]
    told = "none of that name" if not found else f"{len(found)}"
    raise Unprocessable(
        f"statement: the message has {told}; name one by its id or account (`statement`)"
    )


def _check_currency(statement: Statement, currency: str) -> None:
    if statement.currency not in (None, currency):
        raise Unprocessable(
            f"statement: it is in {statement.currency}, the ledger's account in {currency}"
        )


# ---- the ledger's side --------------------------------------------------------------------------


def _ledger(connection: Connection, wanted: Wanted, viewer: Viewer) -> Ledger:
    """Raises `NotFound`, `QueryInvalid` or `PeriodTooLarge`."""
    if wanted.account == INTERBANK:
        return _interbank(connection, wanted, viewer)
    key, days = hash_of(wanted.account), wanted.days
    found = account_statement(connection, key, viewer, days.first, days.last, zone=days.zone)
    statement = here_or_not_found(found, "account", wanted.account)

    def around(numbers: frozenset[str]) -> tuple[LedgerLine, ...]:
        return tuple(
            line
            for bounds in days.around(DAYS_AROUND)
            for line in lines_of(changes(connection, key, viewer, *bounds, numbers), days.zone)
        )

    balances = (statement.opening, statement.closing)
    lines = lines_of(statement.lines, days.zone)
    return Ledger(statement.account.account.currency, lines, around, balances)


def _interbank(connection: Connection, wanted: Wanted, viewer: Viewer) -> Ledger:
    if wanted.currency is None:
        detail = f"currency: with the account {INTERBANK} it says which one is meant"
        raise QueryInvalid(detail, errors=[ProblemPart(detail, parameter="currency")])
    currency, bank, days = wanted.currency, viewer.organisation or "", wanted.days

    def settled(bounds: tuple[int, int]) -> tuple[LedgerLine, ...]:
        found = settlements(connection, viewer, currency, *bounds)
        return settlements_of(found, bank, days.zone)

    def around(numbers: frozenset[str]) -> tuple[LedgerLine, ...]:
        return tuple(
            line
            for bounds in days.around(DAYS_AROUND)
            for line in settled(bounds)
            if line.number in numbers
        )

    return Ledger(currency, settled(days.bounds), around, None)


# ---- both ---------------------------------------------------------------------------------------


def _compared(statement: Statement, ledger: Ledger, wanted: Wanted) -> dict[str, Any]:
    days = wanted.days
    entries, others = _of_days(statement, days)
    part = statement
    if others:  # its balances are not of these days
        part = replace(statement, entries=entries, opening=None, closing=None)
    found = reconcile(part, ledger.lines, entries_around=others)
    if numbers := _missing(found):
        around = ledger.around(numbers)
        found = reconcile(part, ledger.lines, lines_around=around, entries_around=others)
    if ledger.balances is not None:
        more = compare_balances(part, *ledger.balances)
        found = Reconciliation(found.matches, (*found.differences, *more))
    return reconciliation_body(
        found,
        account=wanted.account,
        currency=ledger.currency,
        days=days,
        statement=statement,
        lines=len(ledger.lines),
        left_out=len(others),
    )


def _missing(found: Reconciliation) -> frozenset[str]:
    """By what the ledger may have called entries that are not among its lines of these days.

    Of a statement from which more is missing than that, other days are not asked for.
    """
    names = (
        name
        for one in found.differences
        if one.reason is Reason.MISSING_HERE and one.entry is not None
        for name in names_of(one.entry)
        if len(name) <= NUMBER_LENGTH_MAX and name.isascii()
    )
    return frozenset(islice(names, NUMBERS_MAX))


def _of_days(statement: Statement, days: Days) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """Its entries of these days, and those of others."""
    within: list[Entry] = []
    others: list[Entry] = []
    for entry in statement.entries:
        (within if days.first <= entry.booked <= days.last else others).append(entry)
    return tuple(within), tuple(others)
