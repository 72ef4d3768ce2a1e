"""Changing records over HTTP: making one, and every act on it.

Each room describes its changes once (`Changing`) and says which call a request makes, and what is
told of it afterwards. The rest is the same everywhere: who asks, the body, If-Match, sending,
waiting until it shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from api.acts.common import Body, RecordId, body_schema, hash_of, read_strict, revision_of
from api.auth import Guard
from api.documentation import bearer, header
from api.errors import Refusal
from api.operations import (
    Call,
    Done,
    Operations,
    answer,
    answer_again,
    change_extra,
    change_responses,
)
from api.principals import Principal
from api.schemas import DoneAnswer
from api.services import Services
from api.shapes import Schema
from contracts.instruments import Machine
from ledger.types import Hash32

IF_MATCH: Final = header(
    "If-Match",
    "the revision that you have seen, in quotes; none or *: act on whichever it is",
    {"type": "string", "pattern": '^("[0-9]{1,20}"|\\*)$'},
)

Told = Callable[[Principal, Hash32, Done], Mapping[str, Any]]
"""What is answered of a record after its change."""


@dataclass(frozen=True, slots=True)
class Changing:
    """Routes that change one kind of record, under `<path>/{id}`."""

    routes: APIRouter
    services: Services
    guard: Guard
    operations: Operations
    path: str
    """`/receipts`."""
    noun: str
    """In operation ids: `receipt`, for `receiptSplit`."""
    scope: str | None
    """Of changing: `receipts:write`; None: the call finds out which one, and checks it."""
    told: Told
    revised: bool = True
    """Whether records have revisions, so that acts may come with If-Match."""
    shape: Schema = field(default_factory=dict)
    """Of what `told` adds to the answer: an object."""

    def add_act(
        self,
        name: str,
        model: type[Body],
        call: Callable[[Principal, Hash32, int, Body], Call],
        *,
        description: str | None = None,
    ) -> None:
        """`POST <path>/{id}/<act>`.

        `call` says what to send, of who asks, the record, the revision in If-Match (0: whichever)
        and the body. It runs outside the event loop and raises `NotFound`, `ValidationFailed`.
        """

        async def post_act(request: Request, record: RecordId) -> Response:
            principal = self.guard.principal(request, self.scope, instrument=record)
            revision = revision_of(request) if self.revised else 0
            body, raw = await self._read(request, model)
            id_ = hash_of(record)
            more = partial(self.told, principal, id_)
            try:
                made = await run_in_threadpool(call, principal, id_, revision, body)
            except Refusal as refusal:
                engine, operations = self.services.engine, self.operations
                return await answer_again(
                    request, engine, operations, principal, refusal, raw, more=more
                )
            return await answer(request, self.operations, principal, made, raw, more=more)

        self.routes.add_api_route(
            f"{self.path}/{{id}}/{name}",
            post_act,
            methods=["POST"],
            name=name,
            operation_id=self.noun + "".join(part.capitalize() for part in name.split("-")),
            summary=str(model.__doc__).partition("\n")[0].rstrip("."),
            description=description,
            response_class=Response,
            responses=changed(self.shape),
            openapi_extra=_extra(model, self.revised, self.scope),
        )

    def add_making(
        self,
        part: str,
        model: type[Body],
        call: Callable[[Principal, int, Body], tuple[Call, Hash32]],
        *,
        operation_id: str,
        summary: str,
        description: str | None = None,
        revised: bool = False,
    ) -> None:
        """`POST <path>`, or `<path>/<part>`: makes a record, and says where it is.

        `call` says what to send and the id of what comes of it, of who asks, the revision in
        If-Match (of what the record is about; 0: whichever, or where it is not `revised`) and the
        body. It runs outside the event loop and raises `NotFound`, `ValidationFailed`.
        """

        async def post_one(request: Request) -> Response:
            principal = self.guard.principal(request, self.scope)
            revision = revision_of(request) if revised else 0
            body, raw = await self._read(request, model)
            made, id_ = await run_in_threadpool(call, principal, revision, body)
            return await answer(
                request,
                self.operations,
                principal,
                made,
                raw,
                more=partial(self.told, principal, id_),
                location=lambda _: f"{self.path}/0x{id_.hex()}",
            )

        self.routes.add_api_route(
            f"{self.path}/{part}".rstrip("/"),
            post_one,
            methods=["POST"],
            name=operation_id,
            operation_id=operation_id,
            summary=summary,
            description=description,
            response_class=Response,
            responses=changed(self.shape, created=True),
            openapi_extra=_extra(model, revised, self.scope),
        )

    async def _read(self, request: Request, model: type[Body]) -> tuple[Body, bytes]:
        return await read_strict(request, model, timeout_s=self.services.settings.body_timeout_s)


def changed(shape: Schema, *, created: bool = False) -> dict[int | str, dict[str, Any]]:
    """What a change answers: how it was done, with what `shape` says of the record; or what is to
    be signed."""
    found: dict[int | str, dict[str, Any]] = change_responses(DoneAnswer, created=created)
    done: Schema = {"$ref": "#/components/schemas/DoneAnswer"}
    if shape:
        done = {"allOf": [done, shape]}
    prepared = {"$ref": "#/components/schemas/PreparedAnswer"}
    for status, schema in ((200, {"anyOf": [done, prepared]}), (201, done)):
        if status in found:
            told = {k: v for k, v in found[status].items() if k != "model"}
            found[status] = {**told, "content": {"application/json": {"schema": schema}}}
    return found


def _extra(model: type[Body], revised: bool, scope: str | None) -> dict[str, Any]:
    """A body is needed where one of its fields is; If-Match where there are revisions."""
    needed = any(field.is_required() for field in model.model_fields.values())
    parameters = [IF_MATCH] if revised else []
    body = body_schema(model, required=needed)
    return change_extra(parameters=parameters, **bearer(scope), **body)


def who_may(machine: Machine, name: str) -> str:
    """Who may do an act, in which states, as the table has it."""
    act = machine.act(name)
    states = ", ".join(state for state in machine.states if state in act.states)
    return f"{act.text} For: {', '.join(act.by)}. While: {states}"
