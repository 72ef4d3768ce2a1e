"""Reading records over HTTP: one as it is now, its history in pages, its document.

Each room describes its records once (`Reading`) and says what it shows of them. Whatever is asked
for, a record that the asking organisation may not see is not found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final, Generic, Protocol, TypeVar

from fastapi import APIRouter, Query, Request, Response
from pydantic import AfterValidator, WithJsonSchema
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from api.acts.common import (
    HASH,
    ORGANISATION,
    UINT48_MAX,
    RecordId,
    hash_of,
    here_or_not_found,
    json_answer,
    listing,
    page_answer,
    valid,
)
from api.auth import Guard
from api.documentation import bearer, problems
from api.errors import NotFound
from api.formats import bytes_response, json_response
from api.services import Services
from api.shapes import Schema, page_shape
from contracts.instruments import Machine, Page, Viewer
from contracts.instruments.pages import LIMIT_DEFAULT, LIMIT_MAX
from ledger.projection import read_transaction
from ledger.types import Hash32

After = Annotated[str | None, Query(max_length=40)]
"""Where the page before has said that the next one begins."""
Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX)]
OrganisationQuery = Annotated[str | None, Query(pattern=ORGANISATION)]
HashQuery = Annotated[str | None, Query(pattern=HASH)]
CurrencyQuery = Annotated[str | None, Query(pattern="^[A-Z]{3}$")]
NumberQuery = Annotated[str | None, Query(pattern="^[!-~]{1,32}$")]
TimeQuery = Annotated[int | None, Query(ge=0, le=UINT48_MAX, description="Unix seconds")]


def state_of(machine: Machine) -> AfterValidator:
    """A state of the table, by its name: another one is not, and no record is in it."""
    known = [state for state in machine.states if state != "none"]

    def check(value: str) -> str:
        if value not in known:
            raise ValueError(f"{value[:40]!r} is none of {', '.join(known)}")
        return value

    return AfterValidator(check)


def states_schema(machine: Machine) -> WithJsonSchema:
    """The same for the interface's description."""
    return WithJsonSchema(
        {"type": "string", "enum": [one for one in machine.states if one != "none"]}
    )


REVISION_TEXT: Final = "Its revision is the ETag: send it back as If-Match with what you do next."
"""Description of a record that is read with its revision."""

Record = TypeVar("Record")
Item = TypeVar("Item")
Answer = TypeVar("Answer")
Wanted = TypeVar("Wanted")
Route = TypeVar("Route", bound=Callable[..., Any])


class History(Protocol[Item]):
    """A list of what belongs to a record. Raises `CursorInvalid`."""

    def __call__(
        self,
        connection: Connection,
        id_: Hash32,
        viewer: Viewer,
        /,
        *,
        after: str | None,
        limit: int,
    ) -> Page[Item]: ...


@dataclass(frozen=True, slots=True)
class Seen(Generic[Record]):
    """A record that whoever asks may see, and the view of the projection that it is from."""

    connection: Connection
    id: Hash32
    viewer: Viewer
    record: Record

    def page(
        self,
        history: History[Item],
        item: Callable[[Item], dict[str, Any]],
        member: str,
        after: str | None,
        limit: int,
    ) -> dict[str, Any]:
        """A page of a list of the record in JSON. Raises `QueryInvalid` for a wrong `after`."""
        with valid():
            page = history(self.connection, self.id, self.viewer, after=after, limit=limit)
        return listing(member, page, item)


@dataclass(frozen=True, slots=True)
class Reading(Generic[Record]):
    """Routes that read one kind of record: lists under `<path>`, one under `<path>/{id}`."""

    routes: APIRouter
    services: Services
    guard: Guard
    path: str
    """`/receipts`."""
    noun: str
    """In words, as problems name it: `receipt`."""
    name: str
    """In operation ids: `Receipt`, for `getReceipt` and `getReceiptHistory`."""
    scope: str
    """Of reading: `receipts:read`."""
    find: Callable[[Connection, Hash32, Viewer], Record | None]

    # ---- what a room adds ------------------------------------------------------------------------

    def add_record(
        self,
        body: Callable[[Seen[Record]], dict[str, Any]],
        *,
        summary: str,
        revision: Callable[[Record], int] | None = None,
        shape: Schema | None = None,
    ) -> None:
        """`GET <path>/{id}`: the record as it is now, its revision as ETag where it has one."""
        description = None if revision is None else REVISION_TEXT

        @self.get("", summary=summary, description=description, shape=shape)
        async def get_one(request: Request, record: RecordId) -> Response:
            return await self.record(request, record, body, revision)

    def add_history(
        self,
        history: History[Item],
        item: Callable[[Item], dict[str, Any]],
        *,
        summary: str,
        part: str = "history",
        member: str = "acts",
        shape: Schema | None = None,
    ) -> None:
        """`GET <path>/{id}/<part>`: a list of the record in pages, as `member` of the answer.

        `shape` is that of a line."""

        @self.get(part, summary=summary, shape=shape and page_shape(member, shape))
        async def get_history(
            request: Request, record: RecordId, after: After = None, limit: Limit = LIMIT_DEFAULT
        ) -> Response:
            return await self.part(
                request, record, lambda seen: seen.page(history, item, member, after, limit)
            )

    def add_part(
        self,
        part: str,
        body: Callable[[Seen[Record]], dict[str, Any]],
        *,
        summary: str,
        shape: Schema | None = None,
    ) -> None:
        """`GET <path>/{id}/<part>`: something of the record that needs no pages."""

        @self.get(part, summary=summary, shape=shape)
        async def get_part(request: Request, record: RecordId) -> Response:
            return await self.part(request, record, body)

    def add_document(
        self, document: Callable[[Seen[Record]], bytes | None], *, summary: str
    ) -> None:
        """`GET <path>/{id}/document`: what was published with it, byte for byte."""

        @self.get("document", summary=summary)
        async def get_document(request: Request, record: RecordId) -> Response:
            return await self.document(request, record, document)

    # ---- for routes with parameters of their own -------------------------------------------------

    def get_list(
        self,
        operation_id: str,
        *,
        summary: str,
        description: str | None = None,
        part: str = "",
        shape: Schema | None = None,
    ) -> Callable[[Route], Route]:
        """Decorator of the route `GET <path>`, or of another list, `GET <path>/<part>`.

        The route answers with `listed` or `ask`.
        """
        return self.routes.get(
            f"{self.path}/{part}".rstrip("/"),
            operation_id=operation_id,
            summary=summary,
            description=description,
            response_class=Response,
            responses={**json_answer(shape), **problems(400, 401, 403)},
            openapi_extra=bearer(self.scope),
        )

    def get(
        self,
        part: str,
        *,
        summary: str,
        description: str | None = None,
        operation_id: str | None = None,
        shape: Schema | None = None,
    ) -> Callable[[Route], Route]:
        """Decorator of the route `GET <path>/{id}/<part>`; of the record itself for no part.

        The route answers with `record`, `part` or `document`.
        """
        return self.routes.get(
            f"{self.path}/{{id}}/{part}".rstrip("/"),
            operation_id=operation_id or f"get{self.name}{part.capitalize()}",
            summary=summary,
            description=description,
            response_class=Response,
            responses={**json_answer(shape), **problems(400, 401, 403, 404)},
            openapi_extra=bearer(self.scope),
        )

    async def listed(
        self,
        request: Request,
        records: Callable[[Connection, Wanted, Viewer], Page[Item]],
        query: Wanted,
        item: Callable[[Item], dict[str, Any]],
        member: str,
    ) -> Response:
        """Answer with a page of records, as `member`. Raises `QueryInvalid` for a wrong `after`."""

        return await self.ask(
            request,
            lambda connection, viewer: listing(member, records(connection, query, viewer), item),
        )

    async def ask(
        self, request: Request, body: Callable[[Connection, Viewer], dict[str, Any]]
    ) -> Response:
        """Answer with what `body` finds for whoever asks. Raises `QueryInvalid` as it refuses."""

        def found(viewer: Viewer) -> dict[str, Any]:
            with valid(), read_transaction(self.services.engine) as connection:
                return body(connection, viewer)

        principal = self.guard.principal(request, self.scope)
        return page_answer(await run_in_threadpool(found, principal.viewer))

    async def record(
        self,
        request: Request,
        record: str,
        body: Callable[[Seen[Record]], dict[str, Any]],
        revision: Callable[[Record], int] | None = None,
    ) -> Response:
        """Answer with a record, and with its revision as ETag where it has one."""

        def found(seen: Seen[Record]) -> tuple[dict[str, Any], dict[str, str]]:
            etag = {} if revision is None else {"ETag": f'"{revision(seen.record)}"'}
            return body(seen), etag

        shown, headers = await self.look(request, record, found)
        return json_response(shown, cache="no-cache", headers=headers)

    async def part(
        self, request: Request, record: str, body: Callable[[Seen[Record]], dict[str, Any]]
    ) -> Response:
        """Answer with something of a record."""
        return page_answer(await self.look(request, record, body))

    async def document(
        self, request: Request, record: str, document: Callable[[Seen[Record]], bytes | None]
    ) -> Response:
        """Answer with a document of a record. Raises `NotFound` where there is none."""
        found = await self.look(request, record, document)
        if found is None:
            raise NotFound(f"no such document was published with {self.noun} {record}")
        return bytes_response(found, media_type="application/json")

    async def look(
        self, request: Request, record: str, body: Callable[[Seen[Record]], Answer]
    ) -> Answer:
        """What `body` says of a record, all in one view of the projection.

        Raises `NotFound` where there is none that may be seen, and what the guard raises.
        """
        principal = self.guard.principal(request, self.scope, instrument=record)
        return await run_in_threadpool(self._look, record, principal.viewer, body)

    def _look(self, record: str, viewer: Viewer, body: Callable[[Seen[Record]], Answer]) -> Answer:
        id_ = hash_of(record)
        with read_transaction(self.services.engine) as connection:
            found = here_or_not_found(self.find(connection, id_, viewer), self.noun, record)
            return body(Seen(connection, id_, viewer, found))
