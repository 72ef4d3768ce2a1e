"""The first look at a document."""

from __future__ import annotations

import contextlib
import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceability.capture import CaptureSettings, DocumentMalformed, DocumentTooLarge
from traceability.capture.intake import check_document, nesting_depth

pytestmark = pytest.mark.feature("T1")
SETTINGS = CaptureSettings(document_size_bytes_max=10_000, event_count_max=3, depth_max=8)


def document(events: int) -> bytes:
    body = {"eventList": [{"type": "ObjectEvent"}] * events}
    return orjson.dumps({"type": "EPCISDocument", "epcisBody": body})


def test_counts_events_of_every_kind_of_document() -> None:
    assert check_document(document(3), SETTINGS) == 3
    assert check_document(b'{"type":"AggregationEvent"}', SETTINGS) == 1
    assert check_document(b'[{"type":"AggregationEvent"},{}]', SETTINGS) == 2
    results = {"queryResults": {"resultsBody": {"eventList": [{}]}}}
    query = {"type": "EPCISQueryDocument", "epcisBody": results}
    assert check_document(orjson.dumps(query), SETTINGS) == 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (document(1)[:-1], "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b'{"type": NaN}', "not JSON"),
        (b'"text"', "object or array"),
        (b"{}", "type is"),
        (b'{"type":7}', "type is 'int'"),
        (b'{"type":{}}', "type is 'dict'"),
        (b'{"type":"EPCISDocument"}', "/epcisBody/eventList"),
        (b'{"type":"EPCISDocument","epcisBody":[]}', "/epcisBody/eventList"),
        (b"[" * 9 + b"]" * 9, "nested 9 levels"),
        (b"[" * 5000, "nested 5000 levels"),
    ],
)
def test_says_what_is_wrong_with_what_is_no_document(data: bytes, reason: str) -> None:
    with pytest.raises(DocumentMalformed, match=reason):
        check_document(data, SETTINGS)


def test_refuses_more_bytes_or_events_than_allowed() -> None:
    with pytest.raises(DocumentTooLarge, match="4 events; 3 are allowed"):
        check_document(document(4), SETTINGS)
    with pytest.raises(DocumentTooLarge, match="10001 bytes"):
        check_document(b" " * 10_001, SETTINGS)


JSON = st.recursive(
    st.none() | st.booleans() | st.text() | st.integers(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
def test_depth_is_that_of_the_value_whatever_its_texts_hold(value: object) -> None:
    def depth(part: object) -> int:
        if isinstance(part, dict):
            return 1 + max(map(depth, part.values()), default=0)
        if isinstance(part, list):
            return 1 + max(map(depth, part), default=0)
        return 0

    # One level is not told from none: nothing is bounded that tightly.
    assert max(nesting_depth(json.dumps(value).encode()), 1) == max(depth(value), 1)


@given(st.binary(max_size=200))
def test_any_bytes_give_an_answer_or_a_refusal(data: bytes) -> None:
    with contextlib.suppress(DocumentMalformed, DocumentTooLarge):
        check_document(data, SETTINGS)
