"""Queries of finance: what is not understood is refused, and nothing is done or shown instead."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from api import ApiSettings
from tests.api.conftest import Node
from tests.api.members import Member
from tests.api.test_receivables import Scene
from tests.traceability.capture.stack import FARM, Identity

pytestmark = [pytest.mark.feature("A1"), pytest.mark.feature("F5")]
LIMITS = ApiSettings(rate_per_address_per_s=0, rate_per_key_per_s=0)
ROOMS = ("receipts", "stock", "pledges", "receivables", "settlement", "financing", "pools")


@pytest.fixture(scope="module")
def scene(share_node: Callable[..., Node], identity: Identity) -> Scene:
    return Scene(share_node(LIMITS, signers=identity.accounts))


@pytest.fixture(scope="module")
def reader(scene: Scene) -> Member:
    return Member(scene.node, FARM, "notices:read", "capture", *(f"{room}:read" for room in ROOMS))


@pytest.mark.parametrize(
    "path",
    [
        "/receipts",
        "/receivables",
        "/stock/lots",
        "/stock/locations",
        "/pledges",
        "/loans",
        "/rate-tables",
        "/contribution-points",
        "/deposits",
        "/deposits/movements",
        "/deposits/interbank",
        "/deposits/redemptions",
        "/settlements",
        "/pools",
        "/notices",
        "/notices/stream",
        "/clearing/2026-11-22",
        "/capture",
    ],
)
def test_a_filter_that_there_is_not_is_refused(reader: Member, path: str) -> None:
    answer = reader.send("GET", f"{path}?hodler={FARM}")
    assert answer.status_code == 400, answer.text
    problem = answer.json()
    assert problem["errors"][0]["parameter"] == "hodler"
    assert problem["detail"].startswith("hodler: there is no such parameter here")
    if path == "/receipts":
        assert "expiringBefore, holder, limit" in problem["detail"]


def test_pages_are_asked_for_as_ever(reader: Member) -> None:
    assert reader.get("/receivables?state=accepted&state=paid&limit=5") == {
        "receivables": [],
        "after": None,
    }
    assert reader.send("GET", "/capture?perPage=3").status_code == 200
    assert reader.send("GET", f"/receivables/0x{'77' * 32}?x=1").status_code == 400


@pytest.mark.parametrize("path", ["/receipts", "/receivables", "/settlements", "/loans"])
def test_a_state_that_there_is_not_is_refused(reader: Member, path: str) -> None:
    for state in ("alive", "none", "LIVE", ""):
        answer = reader.send("GET", f"{path}?state={state}")
        assert answer.status_code == 400, answer.text
        problem = answer.json()
        assert problem["detail"].startswith("state.0: "), "what is wrong stands in the detail"
        assert f"{state!r} is none of " in problem["detail"]
    document = reader.node.client.get("/openapi.json").json()
    parameters = document["paths"][path]["get"]["parameters"]
    (told,) = (one["schema"] for one in parameters if one["name"] == "state")
    states = told["anyOf"][0]["items"]["enum"] if "anyOf" in told else told["items"]["enum"]
    assert len(states) > 5
    assert "none" not in states


def test_a_change_with_a_parameter_that_there_is_not_is_not_made(
    scene: Scene, reader: Member
) -> None:
    before = scene.node.stack.head()
    status, _, words = scene.supplier.refused("/receivables?prepar=true", scene.body())
    assert status == 400
    assert words == "prepar: there is no such parameter here; there are: account, prepare"
    assert scene.node.stack.head() == before
    assert reader.get("/receivables")["receivables"] == []


def test_every_change_reads_the_example_that_it_shows(scene: Scene) -> None:
    """Who copies it is told what its records are, not that it is no body."""
    rooms = (f"{room}:*" for room in ROOMS)
    member = Member(scene.node, FARM, *rooms)
    paths = scene.node.client.get("/openapi.json").json()["paths"]
    tried = 0
    for path, methods in paths.items():
        named = {one.get("name") for one in methods.get("post", {}).get("parameters", ())}
        if "prepare" not in named:
            continue
        media = methods["post"]["requestBody"]["content"]["application/json"]
        where = path.replace("{id}", f"0x{'11' * 32}")
        answer = member.send("POST", f"{where}?prepare=true", media["example"])
        assert answer.status_code in (200, 403, 404, 409, 422), (path, answer.text)
        tried += 1
    assert tried > 100
