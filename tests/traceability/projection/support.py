"""Events by the handful, and a small world in which they are anchored and projected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import eth_abi
from sqlalchemy import Connection, Engine, Table, select

from contracts.provenance import (
    BATCH_ANCHORED_TOPIC,
    PROVENANCE_ADDRESS,
    Batch,
    Visibility,
    anchor_calldata,
    encode_payload,
)
from ledger.canonical import canonical_json
from ledger.projection import Projector, read_transaction
from ledger.types import Address, CommittedBlock, Hash32, Log
from tests.ledger.projection.support import MemoryChain
from traceability.epcis import Event, parse_document
from traceability.projection import PreparedBatches, ProvenanceHandler, metadata

CONTEXT: list[Any] = [
    "https://ref.gs1.org/standards/epcis/epcis-context.jsonld",
    {"cbvmda": "urn:epcglobal:cbv:mda:", "example": "https://ns.example.com/epcis/"},
]
SUBMITTER = Address(b"\x11" * 20)
GTIN = "09521002000016"


def item(serial: object, gtin: str = GTIN) -> str:
    return f"https://id.gs1.org/01/{gtin}/21/{serial}"


def lot(number: object, gtin: str = GTIN) -> str:
    return f"https://id.gs1.org/01/{gtin}/10/{number}"


def at(minute: int) -> str:
    """A time; minutes count from a fixed day."""
    return f"2026-03-{1 + minute // 1440:02}T{minute // 60 % 24:02}:{minute % 60:02}:00.000Z"


def make(kind: str, minute: int = 0, **fields: Any) -> dict[str, Any]:
    """A bare EPCIS event."""
    event = {
        "@context": CONTEXT,
        "type": kind,
        "eventTime": at(minute),
        "eventTimeZoneOffset": "+00:00",
    }
    return event | fields


def object_event(minute: int, *epcs: str, action: str = "OBSERVE", **fields: Any) -> dict[str, Any]:
    return make("ObjectEvent", minute, action=action, epcList=list(epcs), **fields)


def aggregation(
    minute: int, parent: str, *children: str, action: str = "ADD", **fields: Any
) -> dict[str, Any]:
    return make(
        "AggregationEvent",
        minute,
        action=action,
        parentID=parent,
        childEPCs=list(children),
        **fields,
    )


def transformation(
    minute: int, inputs: Sequence[str], outputs: Sequence[str], **fields: Any
) -> dict[str, Any]:
    return make(
        "TransformationEvent",
        minute,
        inputEPCList=list(inputs),
        outputEPCList=list(outputs),
        **fields,
    )


def parsed(*events: dict[str, Any]) -> tuple[Event, ...]:
    return parse_document(canonical_json(list(events))).events


def batch_of(events: Sequence[Event]) -> Batch:
    return Batch.of([(event.event_id, event.digest) for event in events])


def anchored_log(
    root: bytes, organisation: str, count: int, visibility: Visibility = Visibility.PUBLIC
) -> Log:
    """What the contract emits."""
    topics = (
        Hash32(BATCH_ANCHORED_TOPIC),
        Hash32(root),
        Hash32(organisation.encode().ljust(32, b"\0")),
        Hash32(bytes(12) + SUBMITTER),
    )
    data = eth_abi.encode(["uint32", "uint8"], [count, int(visibility)])
    return Log(PROVENANCE_ADDRESS, topics, data)


class World:
    """A chain, a database, and the projector between them."""

    def __init__(self, engine: Engine, prepared: PreparedBatches | None = None) -> None:
        self.engine = engine
        self.chain = MemoryChain()
        self.handler = ProvenanceHandler(prepared)
        self.projector = Projector(engine, self.chain, [self.handler])

    def anchor(self, *events: dict[str, Any], organisation: str = "farm") -> tuple[Event, ...]:
        """Anchor one public batch and project it."""
        found = parsed(*events)
        root = batch_of(found).root
        payload = encode_payload([event.body for event in found])
        self.anchor_raw(root, len(found), payload, organisation=organisation)
        return found

    def anchor_raw(
        self,
        root: bytes,
        count: int,
        payload: bytes,
        *,
        organisation: str = "farm",
        visibility: Visibility = Visibility.PUBLIC,
        to: Address = PROVENANCE_ADDRESS,
    ) -> CommittedBlock:
        """Anchor whatever it is."""
        data = anchor_calldata(root, count, visibility, payload)
        log = anchored_log(root, organisation, count, visibility)
        block = self.chain.add([(to, data, [log])], sender=SUBMITTER)
        self.projector.catch_up()
        return block

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with read_transaction(self.engine) as connection:
            yield connection

    def rows(self, table: Table) -> list[dict[str, Any]]:
        with self.read() as connection:
            found = connection.execute(select(table).order_by(*table.primary_key))
            return [dict(row._mapping) for row in found]

    def dump(self) -> dict[str, list[dict[str, Any]]]:
        """All rows of all tables, comparable."""
        return {table.name: self.rows(table) for table in metadata.sorted_tables}
