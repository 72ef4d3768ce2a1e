"""Texts that no database can hold: answered or refused, on each database, never a fault."""

from __future__ import annotations

import re

import pytest

from tests.api.conftest import Node
from tests.traceability.capture.stack import document, event

pytestmark = [pytest.mark.feature("A1"), pytest.mark.feature("N4")]

ODD = ("%00", "a%00b", "%ED%A0%80", "%F4%90%80%80", "x" * 2500, "%E2%80%AE", "'%3B--", "%25")
QUERIES = (
    "EQ_bizStep", "EQ_disposition", "EQ_readPoint", "EQ_bizLocation", "MATCH_epc", "MATCH_anyEPC",
    "EQ_transformationID", "EQ_eventID", "EQ_INNER_ILMD_x", "GE_eventTime", "orderBy",
    "nextPageToken", "perPage", "EQ_bizTransaction_po", "EQ_https://x.example/a",
)  # fmt: skip


@pytest.mark.parametrize("odd", ODD)
def test_odd_texts_in_addresses_and_queries_are_never_a_fault(any_node: Node, odd: str) -> None:
    node = any_node
    paths = [
        re.sub(r"\{[^}]+\}", odd, path)
        for path, operations in node.app.openapi()["paths"].items()
        if "get" in operations and "{" in path
    ]
    paths += [f"/events?{name}={odd}" for name in QUERIES]
    paths += [f"/events?{odd}=1", f"/01/09506000134352/21/{odd}", f"/capture?nextPageToken={odd}"]
    assert len(paths) > 20
    for path in paths:
        answer = node.client.get(path, headers=node.auth())
        assert answer.status_code < 500, f"{path}: {answer.status_code} {answer.text[:300]}"


def test_odd_texts_in_events_are_kept_or_refused(node: Node) -> None:
    """What JSON can say and PostgreSQL's text cannot: NUL, in every place that is free text."""
    bodies = [
        event(1, **{"https://x.example/a": "n\0ul"}),
        event(2, **{"https://x.example/\0": "b"}),
        event(3, bizStep="https://x.example/\0"),
        event(4, readPoint={"id": "https://x.example/\0"}),
        event(5, bizTransactionList=[{"type": "po", "bizTransaction": "urn:x:\0"}]),
        event(6, ilmd={"https://x.example/i": "\0"}),
        event("7\0"),
        event(8, errorDeclaration={"declarationTime": "2026-01-02T00:00:00Z", "reason": "x:\0"}),
    ]
    for body in bodies:
        answer = node.capture(document(body))
        assert answer.status_code < 500, answer.text
    assert node.captured(document(event("after")))["success"] is True
    assert node.client.get("/health").status_code == 200
    found = node.client.get("/events?perPage=100").json()
    for one in found["epcisBody"]["queryResults"]["resultsBody"]["eventList"]:
        assert node.client.get(f"/events/{one['eventID']}").status_code == 200
