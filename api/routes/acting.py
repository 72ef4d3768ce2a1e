"""Acts on instruments as routes, one for each act of a room's table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from api.acts.common import (
    RecordId,
    Target,
    body_schema,
    hash_of,
    here_or_not_found,
    place_body,
    read_strict,
    revision_of,
    valid,
)
from api.acts.control import InstrumentAct
from api.auth import Guard
from api.documentation import header
from api.operations import Call, Done, Operations, answer, change_extra, change_responses
from api.principals import Principal
from api.schemas import DoneAnswer
from api.services import Services
from contracts.instruments import Machine, Viewer
from contracts.instruments.notices import as_json
from contracts.instruments.places import ChainPlace
from ledger.projection import read_transaction
from ledger.types import Address, Hash32, Log

IF_MATCH: Final = header(
    "If-Match",
    "the revision that you have seen, in quotes; none or *: act on whichever it is",
    {"type": "string", "pattern": '^("[0-9]{1,20}"|\\*)$'},
)


@dataclass(frozen=True, slots=True)
class Acted:
    """An act as an instrument's event tells it."""

    id: Hash32
    act: str
    record: object
    """The instrument afterwards."""


@dataclass(frozen=True, slots=True)
class Room:
    """What the routes of one kind of instrument differ in."""

    name: str
    """Of the contract in the Directory, and of the path: `receipts`."""
    noun: str
    machine: Machine
    event: str
    """Name of the event that tells an act."""
    acted: Callable[[Log], Acted | None]
    contract_of: Callable[[Connection, Hash32, Viewer], Address | None]
    """The version that keeps a record; None where there is none that may be seen."""

    @property
    def write(self) -> str:
        """The scope of acting."""
        return f"{self.name}:write"

    def told(self, id_: Hash32, done: Done) -> Mapping[str, Any]:
        """The record after the change, and all that the change touched."""
        found: dict[Hash32, dict[str, Any]] = {}
        for event in done.events:
            if event.contract != self.name or event.name != self.event:
                continue
            if (acted := self.acted(event.placed.log)) is not None:
                shown = {"id": f"0x{acted.id.hex()}", "act": acted.act, **record(acted.record)}
                found[acted.id] = shown
        return {self.noun: found.get(id_), self.name: list(found.values())}


def add_act(
    routes: APIRouter,
    services: Services,
    guard: Guard,
    operations: Operations,
    room: Room,
    name: str,
    model: type[InstrumentAct],
) -> None:
    """`POST /<room>/{id}/<act>`."""

    def made(principal: Principal, id_: Hash32, revision: int, body: InstrumentAct) -> Call:
        with read_transaction(services.engine) as connection:
            found = room.contract_of(connection, id_, principal.viewer)
        contract = here_or_not_found(found, room.noun, f"0x{id_.hex()}")
        on = Target(principal.organisation, id_, revision, services.ledger.origin)
        with valid():
            data = body.calldata(on)
        return Call(room.name, contract, data, name, body.words(on), on.text)

    async def post_act(request: Request, record: RecordId) -> Response:
        principal = guard.principal(request, room.write, instrument=record)
        revision = revision_of(request)
        body, raw = await read_strict(request, model, timeout_s=services.settings.body_timeout_s)
        id_ = hash_of(record)
        call = await run_in_threadpool(made, principal, id_, revision, body)
        more = partial(room.told, id_)
        return await answer(request, operations, principal, call, raw, more=more)

    routes.add_api_route(
        f"/{room.name}/{{id}}/{name}",
        post_act,
        methods=["POST"],
        name=name,
        operation_id=room.noun + "".join(part.capitalize() for part in name.split("-")),
        summary=str(model.__doc__).partition("\n")[0].rstrip("."),
        description=_who(room.machine, name),
        response_class=Response,
        responses=change_responses(DoneAnswer),
        openapi_extra=change_extra(parameters=[IF_MATCH], **body_schema(model, required=False)),
    )


def _who(machine: Machine, name: str) -> str:
    """Who may, in which states, as the table has it."""
    act = machine.act(name)
    states = ", ".join(state for state in machine.states if state in act.states)
    pledged = {
        "NO": "not while pledged",
        "PERMIT": "while pledged by permit of the pledgee",
        "FREE": "also while pledged",
    }[act.while_pledged.name]
    return f"{act.text} For: {', '.join(act.by)}. While: {states}; {pledged}.".strip()


def stored_body(id_: Hash32, contract: Address, value: object, place: ChainPlace) -> dict[str, Any]:
    """A record as it is now, in JSON."""
    return {
        "id": f"0x{id_.hex()}",
        "contract": f"0x{contract.hex()}",
        **record(value),
        "last": place_body(place),
    }


def act_body(act: object, place: ChainPlace) -> dict[str, Any]:
    """A line of a history in JSON."""
    body = record(act)
    del body["place"]
    return {**body, **place_body(place)}


def record(value: object) -> dict[str, Any]:
    """A dataclass in JSON."""
    body = as_json(value)
    assert isinstance(body, dict)
    return body
