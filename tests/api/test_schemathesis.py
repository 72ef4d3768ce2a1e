"""The OpenAPI document, and the application held against it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import orjson
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api import ApiSettings
from tests.api.conftest import Node
from tests.api.conftest import open_node as open_node_on
from tests.postgresql import fresh_postgresql
from tests.traceability.capture.stack import Identity, document, event

pytestmark = pytest.mark.feature("A1")

EXAMPLES = 12
ANSWER_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


SETTINGS = ApiSettings(rate_per_address_per_s=0, rate_per_key_per_s=0, anchor_timeout_s=5)


@pytest.fixture
def open_node(make_node: Callable[..., Node]) -> Node:
    node = make_node(SETTINGS)
    node.captured(document(event(1001), event(2)))
    return node


@pytest.fixture
def nodes(tmp_path: Path, identity: Identity) -> Iterator[dict[str, Node]]:
    """One on each database."""
    with ExitStack() as exits:
        urls = {
            "sqlite": f"sqlite:///{tmp_path / 'tally.sqlite'}",
            "postgresql": exits.enter_context(fresh_postgresql()),
        }
        opened = {}
        for name, url in urls.items():
            (tmp_path / name).mkdir()
            opened[name] = open_node_on(exits, tmp_path / name, identity, url, SETTINGS)
            opened[name].captured(document(event(1001), event(2)))
        yield opened


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
            if method == "post" and not path.startswith("/oauth/"):  # forms, by RFC 6749
                content = operation["requestBody"]["content"]
                media = content["text/csv" if path == "/reconciliations" else "application/ld+json"]
                assert media["example"], where
                (needed,) = operation["security"]
                _check_scope(operation, needed["bearer"], where)
    assert len(set(ids)) == len(ids) > 15


def _check_scope(operation: dict[str, Any], scopes: list[str], where: str) -> None:
    """Named in words as well; where the request says which scope it needs, none is."""
    if where == "post /transactions" or "/claims/" in where:
        assert scopes == [], where
    else:
        (scope,) = scopes
        assert scope == "capture" or scope.partition(":")[2] in ("read", "write"), where
        assert operation["description"].endswith(f"Needs the scope `{scope}`."), where


def test_examples_are_accepted_as_they_stand(open_node: Node) -> None:
    described = open_node.client.get("/openapi.json").json()
    for path, status in (("/capture", 202), ("/events", 201)):
        media = described["paths"][path]["post"]["requestBody"]["content"]["application/json"]
        headers = {"Content-Type": "application/json", **open_node.auth()}
        answer = open_node.client.post(
            path, content=orjson.dumps(media["example"]), headers=headers
        )
        assert answer.status_code == status, answer.text


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_whatever_is_sent_the_answers_are_those_documented(
    nodes: dict[str, Node], mode: GenerationMode
) -> None:
    schema = schemathesis.openapi.from_asgi("/openapi.json", nodes["sqlite"].app)
    failures: list[str] = []
    checked = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        try:
            cases = operation.as_strategy(generation_mode=mode)
            checked += probe(cases, nodes)
        except Unsatisfiable:
            continue  # nothing about this operation can be wrong
        except (Exception, FailureGroup) as error:
            where = " ".join([operation.label, *getattr(error, "__notes__", [])])
            failures.append(f"{where}: {error}")
    assert not failures, "\n\n".join(failures)
    assert checked > 200


def probe(cases: SearchStrategy[Case], nodes: dict[str, Node]) -> int:
    """Send examples of one operation to each node, with a good key, and check the answers.

    To make an example costs many times what it costs to answer it.
    """
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
        for name, node in nodes.items():
            response = case.call(headers=node.auth(), app=node.app)
            try:
                case.validate_response(response, checks=ANSWER_CHECKS)
            except (Exception, FailureGroup) as error:
                error.add_note(f"on {name}")
                raise

    send()
    return checked
