"""EPCIS 2.0 JSON documents and events, and their CBV 2.0 event hash ids. No network, ever."""

from __future__ import annotations

from traceability.epcis.document import DEPTH_MAX, EVENTS_MAX, PROBLEMS_MAX, parse_document
from traceability.epcis.errors import DocumentRefused, EpcisError
from traceability.epcis.events import event_id, prehash
from traceability.epcis.models import (
    EVENT_MODELS,
    AggregationEvent,
    AssociationEvent,
    EpcisEvent,
    ObjectEvent,
    TransactionEvent,
    TransformationEvent,
)
from traceability.epcis.types import Document, Event, Problem

__all__ = [
    "DEPTH_MAX",
    "EVENTS_MAX",
    "EVENT_MODELS",
    "PROBLEMS_MAX",
    "AggregationEvent",
    "AssociationEvent",
    "Document",
    "DocumentRefused",
    "EpcisError",
    "EpcisEvent",
    "Event",
    "ObjectEvent",
    "Problem",
    "TransactionEvent",
    "TransformationEvent",
    "event_id",
    "parse_document",
    "prehash",
]
