"""Answers from the tables of events: event queries, single events, journeys."""

from traceability.query.errors import (
    PageTokenInvalid,
    QueryError,
    QueryParameterUnknown,
    QueryParameterUnsupported,
    QueryTooLarge,
    QueryValueInvalid,
)
from traceability.query.find import (
    anchorings,
    find_events,
    names_something_within,
    stored_event,
    stored_events,
)
from traceability.query.journey import journey
from traceability.query.query import EventQuery
from traceability.query.types import (
    Anchoring,
    Journey,
    JourneyEvent,
    Page,
    Relation,
    StoredEvent,
)

__all__ = [
    "Anchoring",
    "EventQuery",
    "Journey",
    "JourneyEvent",
    "Page",
    "PageTokenInvalid",
    "QueryError",
    "QueryParameterUnknown",
    "QueryParameterUnsupported",
    "QueryTooLarge",
    "QueryValueInvalid",
    "Relation",
    "StoredEvent",
    "anchorings",
    "find_events",
    "journey",
    "names_something_within",
    "stored_event",
    "stored_events",
]
