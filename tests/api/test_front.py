"""Routes found by their path's shape are those that asking all of them finds."""

from __future__ import annotations

import re
from itertools import product

import pytest
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

from api.front import Front
from tests.api.conftest import Node

pytestmark = pytest.mark.feature("A1")

FILLINGS = ("x", "0x" + "ab" * 32, "history", "split", "a b", "小麦", "a/b", "a/history", "")
"""What stands for a parameter: also words of routes, and slashes (for `{…:path}`)."""
TEMPLATES = (
    "/receipts",
    "/receipts/{id}",
    "/receipts/merge",
    "/receipts/{id}/split",
    "/receipts/{id}/{part}",
    "/events/{id:path}",
    "/epcs/{epc:path}/events",
    "/01/{rest:path}",
    "/{room}/all",
    "/",
)


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError("only matched here")


async def endpoint(_: object) -> None:
    raise AssertionError("only matched here")


def first(routes: object, path: str, method: str = "GET") -> Route | None:
    """Whoever takes the request first."""
    assert isinstance(routes, list | tuple)
    scope = {"type": "http", "path": path, "method": method, "root_path": "", "path_params": {}}
    return next((one for one in routes if one.matches(scope)[0] is Match.FULL), None)


def paths(templates: list[str]) -> list[str]:
    """Paths of those templates, and some that are beside them."""
    found = [re.sub(r"\{[^}]*\}", filling, one) for one, filling in product(templates, FILLINGS)]
    return [*found, *(f"{one}/" for one in templates), *(f"{one}/more" for one in templates), "//"]


@pytest.mark.parametrize("turned", [False, True])
def test_the_first_route_that_takes_a_path_is_found_in_either_order(turned: bool) -> None:
    templates = list(reversed(TEMPLATES)) if turned else list(TEMPLATES)
    routes = [Route(one, endpoint) for one in templates]
    front = Front(_nothing, routes)
    for path in paths(templates):
        assert first(front.fitting(path), path) is first(routes, path), path


def test_every_route_of_the_application_is_found_among_few(any_node: Node) -> None:
    front = any_node.app.router.middleware_stack
    assert isinstance(front, Front)
    assert {"/receipts/{id}/split", "/openapi.json"} <= {one.path for one in front.routes}
    told = set(any_node.client.get("/openapi.json").json()["paths"])
    plain = {re.sub(r":\w+\}", "}", one.path) for one in front.routes}
    assert told <= plain
    for route in front.routes:
        for path in paths([route.path])[:4]:
            for method in route.methods or ():
                found = first(front.fitting(path), path, method)
                assert found is first(front.routes, path, method), path
                assert found is not None
    assert max(len(front.fitting(one.path)) for one in front.routes) < len(front.routes) / 4


def test_what_no_route_takes_is_refused_as_ever(any_node: Node) -> None:
    client = any_node.client
    assert client.get("/nowhere/at/all").status_code == 404
    wrong = client.delete("/receipts")
    assert wrong.status_code == 405
    assert {"GET", "POST"} <= set(wrong.headers["allow"].split(", "))
