"""Any bytes give a Document or a DocumentRefused with a place; any accepted event has an id, and
the JavaScript of the consumer page computes the same."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.traceability.epcis.mutation import base_document, mutated
from traceability.epcis import Document, DocumentRefused, event_id, parse_document, prehash

pytestmark = pytest.mark.feature("T2")

BASE = base_document()
TWIN = """
import { readFileSync } from "node:fs";
import { eventHashId, loadCrypto, preHash } from "./api/web/static/verify/index.js";
const crypto = await loadCrypto();
const answers = [];
for (const text of JSON.parse(readFileSync(0, "utf8"))) {
  const event = JSON.parse(text);
  answers.push([preHash(event), await eventHashId(crypto, event)]);
}
process.stdout.write(JSON.stringify(answers));
"""


def _parsed(data: bytes) -> Document | None:
    try:
        return parse_document(data)
    except DocumentRefused as error:
        refused = error
    assert refused.problems
    for problem in refused.problems:
        assert problem.pointer == "" or problem.pointer.startswith("/")
        assert problem.reason
    return None


def test_the_document_to_be_spoiled_is_accepted_whole() -> None:
    document = parse_document(json.dumps(BASE).encode())
    assert len(document.events) == 5
    assert document.warnings == ()


@given(st.randoms(use_true_random=False), st.integers(0, 6))
def test_a_spoiled_document_is_read_or_refused_with_a_place(
    chance: random.Random, changes: int
) -> None:
    document = _parsed(mutated(BASE, chance, changes))
    for event in document.events if document is not None else ():
        assert event.event_id == event_id(event) == event_id(json.loads(event.canonical_bytes))


@given(st.binary(max_size=200) | st.text('[]{}",:0123456789-+.eE \\utrfnalsé\x00').map(str.encode))
def test_any_bytes_are_refused_with_a_place(data: bytes) -> None:
    assert _parsed(data) is None or data.strip() == b"[]"


def test_python_and_javascript_agree_on_spoiled_but_accepted_events(
    require: Callable[[str], str], project_root: Path
) -> None:
    chance = random.Random(20260131)
    events = [
        event
        for _ in range(1200)
        if (document := _parsed(mutated(BASE, chance, chance.randrange(1, 4)))) is not None
        for event in document.events
    ]
    assert len(events) > 800
    question = json.dumps([event.canonical_bytes.decode() for event in events])
    done = subprocess.run(
        [require("node"), "--input-type=module", "--eval", TWIN],
        input=question.encode(),
        capture_output=True,
        cwd=project_root,
        timeout=100,
        check=True,
    )
    answers = json.loads(done.stdout)
    for event, (text, identifier) in zip(events, answers, strict=True):
        assert text == prehash(event), event.canonical_bytes
        assert identifier == event.event_id
