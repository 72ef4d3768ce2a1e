"""The words of the EPCIS room."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from ledger.canonical import canonical_json

if TYPE_CHECKING:
    from traceability.epcis.models import EpcisEvent

__all__ = ["Document", "Event", "Problem"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of a document."""

    pointer: str
    """JSON pointer (RFC 6901); empty for the whole document."""
    reason: str

    def __str__(self) -> str:
        return f"{self.pointer or 'document'}: {self.reason}"


@dataclass(frozen=True)
class Event:
    """One accepted event, self-contained."""

    body: dict[str, object]
    """The anchored event of docs/proof-format.md section 1: a bare event with its own `@context`,
    without `recordTime`, in the submitter's own spelling. Not to be changed."""
    model: EpcisEvent
    """The same, typed and validated."""
    event_id: str
    """CBV 2.0 event hash id: `ni:///sha-256;…?ver=CBV2.0`."""
    event_time: datetime
    """UTC, with time zone, rounded to milliseconds."""
    pointer: str = field(compare=False, default="")
    """Where it stood in the document: `/epcisBody/eventList/3`."""

    @property
    def type(self) -> str:
        """'ObjectEvent', 'AggregationEvent', 'TransactionEvent', 'TransformationEvent' or
        'AssociationEvent'."""
        return str(self.body["type"])

    @cached_property
    def canonical_bytes(self) -> bytes:
        """RFC 8785 canonical JSON of the anchored event, UTF-8."""
        return canonical_json(self.body)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of `canonical_bytes`, 64 lower-case hexadecimal digits."""
        return hashlib.sha256(self.canonical_bytes).hexdigest()


@dataclass(frozen=True, slots=True)
class Document:
    """An accepted document: its events and what its envelope says."""

    type: str
    """'EPCISDocument', 'EPCISQueryDocument', an event type (a bare event) or 'array'."""
    events: tuple[Event, ...]
    header: Mapping[str, object]
    """The envelope without context and body: schemaVersion, creationDate, sender, receiver,
    instanceIdentifier, epcisHeader, queryName, …, extensions; empty for bare events."""
    context: tuple[object, ...]
    """The envelope's own `@context` entries."""
    warnings: tuple[Problem, ...]
    """What the standard forbids but the field's documents do: see `parse_document`."""
