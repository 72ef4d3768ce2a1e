"""A small valid document to bend."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

CONTEXT = [
    "https://ref.gs1.org/standards/epcis/epcis-context.jsonld",
    {"ex": "https://ns.example.com/epcis/"},
]

OBJECT_EVENT: dict[str, Any] = {
    "type": "ObjectEvent",
    "eventTime": "2026-01-31T09:30:00.000+01:00",
    "eventTimeZoneOffset": "+01:00",
    "epcList": ["urn:epc:id:sgtin:4012345.011111.9876", "urn:epc:id:sscc:4012345.0000000333"],
    "action": "OBSERVE",
    "bizStep": "shipping",
    "disposition": "in_transit",
    "readPoint": {"id": "urn:epc:id:sgln:4012345.00011.987"},
}


def bare(**changes: Any) -> dict[str, Any]:
    """A valid bare ObjectEvent with some fields changed; `...` removes one."""
    event = {"@context": copy.deepcopy(CONTEXT), **copy.deepcopy(OBJECT_EVENT), **changes}
    return {key: value for key, value in event.items() if value is not ...}


def enveloped(*events: Any, **changes: Any) -> dict[str, Any]:
    """A valid EPCISDocument around events."""
    document = {
        "@context": copy.deepcopy(CONTEXT),
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-01-31T10:00:00Z",
        "epcisBody": {"eventList": list(events)},
        **changes,
    }
    return {key: value for key, value in document.items() if value is not ...}


def encoded(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


@pytest.fixture(scope="session")
def make_event() -> Callable[..., dict[str, Any]]:
    return bare


@pytest.fixture(scope="session")
def make_document() -> Callable[..., dict[str, Any]]:
    return enveloped


@pytest.fixture(scope="session")
def encode() -> Callable[[Any], bytes]:
    return encoded
