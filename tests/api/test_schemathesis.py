"""The OpenAPI document, and the application held against it."""

from __future__ import annotations

from collections.abc import Callable

import orjson
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api import ApiSettings
from tests.api.conftest import Node
from tests.traceability.capture.stack import document, event

pytestmark = pytest.mark.feature("A1")

EXAMPLES = 40
ANSWER_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture
def open_node(make_node: Callable[..., Node]) -> Node:
    node = make_node(
        ApiSettings(rate_per_address_per_s=0, rate_per_key_per_s=0, anchor_timeout_s=5)
    )
    node.captured(document(event(1001), event(2)))
    return node


def test_every_operation_has_an_id_examples_and_problems(open_node: Node) -> None:
    described = open_node.client.get("/openapi.json").json()
    ids = []
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            ids.append(operation["operationId"])
            assert operation["summary"], where
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    assert "application/problem+json" in response["content"], (where, status)
            if method == "post":
                media = operation["requestBody"]["content"]["application/ld+json"]
                assert media["example"], where
                assert operation["security"] == [{"bearer": []}], where
    assert len(set(ids)) == len(ids) > 15


def test_examples_are_accepted_as_they_stand(open_node: Node) -> None:
    described = open_node.client.get("/openapi.json").json()
    for path, status in (("/capture", 202), ("/events", 201)):
        media = described["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        headers = {"Content-Type": "application/json", **open_node.auth()}
        answer = open_node.client.post(
            path, content=orjson.dumps(media["example"]), headers=headers
        )
        assert answer.status_code == status, answer.text


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_whatever_is_sent_the_answers_are_those_documented(
    open_node: Node, mode: GenerationMode
) -> None:
    schema = schemathesis.openapi.from_asgi("/openapi.json", open_node.app)
    failures: list[str] = []
    checked = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        try:
            cases = operation.as_strategy(generation_mode=mode)
            checked += probe(cases, open_node)
        except Unsatisfiable:
            continue  # nothing about this operation can be wrong
        except Exception as error:
            failures.append(f"{operation.label}: {error}")
    assert not failures, "\n\n".join(failures)
    assert checked > 200


def probe(cases: SearchStrategy[Case], node: Node) -> int:
    """Send examples of one operation, with a good key, and hold the answers against the checks."""
    checked = 0

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases)
    def send(case: Case) -> None:
        nonlocal checked
        checked += 1
        response = case.call(headers=node.auth())
        case.validate_response(response, checks=ANSWER_CHECKS)

    send()
    return checked
