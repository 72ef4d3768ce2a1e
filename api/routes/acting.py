"""Acts on instruments as routes, one for each act of a room's table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from fastapi import APIRouter
from sqlalchemy import Connection

from api.acts.common import Target, here_or_not_found, place_body, valid
from api.acts.control import InstrumentAct
from api.auth import Guard
from api.operations import Call, Done, Operations
from api.principals import Principal
from api.routes.changing import Changing, who_may
from api.services import Services
from api.shapes import ADDRESS_TEXT, HASH_TEXT, PLACE, Schema, record_shape, told_shape
from contracts.instruments import Machine, Viewer
from contracts.instruments.notices import as_json
from contracts.instruments.places import ChainPlace
from contracts.receipts import find_receipt
from contracts.receivables import find_receivable
from ledger.projection import read_transaction
from ledger.types import Address, Hash32, Log


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
    kind: type
    """The dataclass of its records."""

    @property
    def write(self) -> str:
        """The scope of acting."""
        return f"{self.name}:write"

    @property
    def shape(self) -> Schema:
        """Of what `told` tells."""
        shown = record_shape(self.kind, {"id": HASH_TEXT, "act": {"type": "string"}})
        return told_shape(self.noun, shown, {self.name: {"type": "array", "items": shown}})

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


def changing(
    routes: APIRouter, services: Services, guard: Guard, operations: Operations, room: Room
) -> Changing:
    """How records of a kind of instrument are changed."""
    return Changing(
        routes,
        services,
        guard,
        operations,
        f"/{room.name}",
        room.noun,
        room.write,
        lambda _, id_, done: room.told(id_, done),
        shape=room.shape,
    )


def add_acts(changes: Changing, room: Room, acts: Mapping[str, type[InstrumentAct]]) -> None:
    """`POST /<room>/{id}/<act>`, one for each."""
    for name, model in acts.items():
        changes.add_act(
            name, model, partial(_call, changes.services, room, name), description=_who(room, name)
        )


def _call(
    services: Services,
    room: Room,
    name: str,
    principal: Principal,
    id_: Hash32,
    revision: int,
    body: InstrumentAct,
) -> Call:
    with read_transaction(services.engine) as connection:
        found = room.contract_of(connection, id_, principal.viewer)
    contract = here_or_not_found(found, room.noun, f"0x{id_.hex()}")
    on = Target(principal.organisation, id_, revision, services.ledger.origin)
    with valid():
        data = body.calldata(on)
    return Call(room.name, contract, data, name, body.words(on), on.text)


def _who(room: Room, name: str) -> str:
    """Who may, in which states, as the table has it."""
    pledged = {
        "NO": "not while pledged",
        "PERMIT": "while pledged by permit of the pledgee",
        "FREE": "also while pledged",
    }[room.machine.act(name).while_pledged.name]
    return f"{who_may(room.machine, name)}; {pledged}."


def stored_body(id_: Hash32, contract: Address, value: object, place: ChainPlace) -> dict[str, Any]:
    """A record as it is now, in JSON."""
    return {
        "id": f"0x{id_.hex()}",
        "contract": f"0x{contract.hex()}",
        **record(value),
        "last": place_body(place),
    }


def stored_shape(kind: type, more: Mapping[str, Schema] | None = None) -> Schema:
    """What `stored_body` looks like, with `more` members."""
    own = {"id": HASH_TEXT, "contract": ADDRESS_TEXT, "last": PLACE}
    return record_shape(kind, {**own, **(more or {})})


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


def find_instrument(connection: Connection, id_: Hash32, viewer: Viewer) -> tuple[Address, int]:
    """The contract that keeps a receipt or receivable, and its revision. Raises `NotFound`."""
    receipt = find_receipt(connection, id_, viewer)
    if receipt is not None:
        return receipt.contract, receipt.receipt.revision
    found = find_receivable(connection, id_, viewer)
    other = here_or_not_found(found, "receipt or receivable", f"0x{id_.hex()}")
    return other.contract, other.receivable.revision
