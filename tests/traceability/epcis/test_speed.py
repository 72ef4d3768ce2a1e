"""The budget of one event on its way in: parse, validate, hash id and digest."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from traceability.epcis import parse_document

pytestmark = pytest.mark.feature("T1")

Make = Callable[..., dict[str, Any]]
BUDGET_US = 350
DOCUMENTS = 10


def _mixed(make_event: Make, start: int) -> list[dict[str, Any]]:
    """100 events of five types, no identifier twice."""
    events = []
    for number in range(start, start + 100):
        sgtins = [f"urn:epc:id:sgtin:4012345.011111.{number}{n}" for n in range(4)]
        time_of = f"2026-01-{1 + number % 28:02}T{number % 24:02}:30:00.{number % 1000:03}+01:00"
        event = make_event(**{"@context": ..., "eventTime": time_of, "epcList": sgtins})
        del event["epcList"]
        if number % 5 == 0:
            event |= {"epcList": sgtins, "ex:note": "x", "ex:data": {"ex:a": ["1", "2"]}}
        elif number % 5 == 1:
            sscc = f"urn:epc:id:sscc:4012345.{number:010}"
            event |= {"type": "AggregationEvent", "parentID": sscc, "childEPCs": sgtins}
        elif number % 5 == 2:
            transaction = {"type": "po", "bizTransaction": f"urn:epcglobal:cbv:bt:1:{number}"}
            event |= {"type": "TransactionEvent", "bizTransactionList": [transaction]}
            event |= {"epcList": sgtins, "sourceList": [{"type": "location", "source": "urn:x:1"}]}
        elif number % 5 == 3:
            del event["action"]
            event |= {"type": "TransformationEvent", "inputEPCList": sgtins[:2]}
            event |= {"outputEPCList": sgtins[2:], "ilmd": {"ex:lot": str(number)}}
        else:
            report = {"type": "Temperature", "value": number / 7, "uom": "CEL"}
            metadata = {"time": time_of, "deviceID": f"urn:epc:id:giai:4000001.{number}"}
            sensors = {"sensorMetadata": metadata, "sensorReport": [report, {**report, "value": 1}]}
            event |= {"epcList": sgtins, "sensorElementList": [sensors]}
        events.append(event)
    return events


def test_an_event_is_read_within_the_budget(
    make_document: Make, make_event: Make, encode: Callable[[Any], bytes]
) -> None:
    documents = [encode(make_document(*_mixed(make_event, 1000 * n))) for n in range(DOCUMENTS + 1)]
    parse_document(documents.pop())
    best = float("inf")
    for data in documents:
        begin = time.process_time()
        events = parse_document(data).events
        digests = {event.digest for event in events}
        best = min(best, time.process_time() - begin)
        assert len(digests) == len(events) == 100
    per_event_us = best / 100 * 1e6
    assert per_event_us < BUDGET_US, f"{per_event_us:.0f} µs an event"
