"""Figures are computed and printed as they should be."""

from __future__ import annotations

import json

import pytest

from benchmarks.events import EVENTS_PER_ROUND, Story, check_digit
from benchmarks.measure import percentile, print_table, row
from traceability.epcis import parse_document

pytestmark = pytest.mark.feature("L3")


def test_percentiles_are_nearest_rank() -> None:
    values = [float(one) for one in range(1, 101)]
    assert [percentile(values, share) for share in (0.5, 0.95, 0.99, 1.0)] == [50, 95, 99, 100]
    assert percentile([7.0], 0.5) == 7.0


def test_throughput_and_latency_stand_in_one_row(capsys: pytest.CaptureFixture[str]) -> None:
    one = row("case", 200, 4.0, [0.010, 0.030, 0.020], peak_mib=12.0)
    assert (one.per_second, one.p50_ms, one.p99_ms) == (50.0, 20.0, 30.0)
    print_table("Title", [one])
    line = capsys.readouterr().out.splitlines()[-2]
    assert "50" in line
    assert "20.0 | 30.0 | 30.0 | 12.0" in line
    print_table("Title", [one], as_json=True)
    assert json.loads(capsys.readouterr().out)["rows"][0]["p95_ms"] == 30.0


def test_load_is_made_of_valid_events_of_all_kinds_but_one() -> None:
    document = parse_document(next(Story("t").documents(EVENTS_PER_ROUND)))
    assert {event.type for event in document.events} == {
        "ObjectEvent",
        "AggregationEvent",
        "TransactionEvent",
        "TransformationEvent",
    }
    assert len({event.event_id for event in document.events}) == EVENTS_PER_ROUND


def test_check_digit_of_the_standard_example() -> None:
    assert check_digit("629104150021") == "3"  # GS1 General Specifications, section 7.9
