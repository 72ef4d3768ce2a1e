"""Queries of finance: what is not understood is refused, and nothing is done or shown instead."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema_rs import ValidationError, validate

from api import ApiSettings
from contracts import consortium
from contracts.consortium import Role
from contracts.governance import Call
from tests.api.conftest import Node
from tests.api.members import Member
from tests.api.test_receipts import Scene as Goods
from tests.api.test_receivables import Scene
from tests.traceability.capture.stack import BANK, CARRIER, FARM, Identity

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
        assert problem["detail"].startswith("state: "), "what is wrong stands in the detail"
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


def test_answers_have_the_shape_that_is_told(scene: Scene) -> None:
    """Of a receipt and a receivable that much happens to, whatever is read of them."""
    node = scene.node
    document = node.client.get("/openapi.json").json()
    goods, paths, done = Goods(node), document["paths"], {}
    id_ = goods.issue(items=["urn:epc:id:sgtin:9521141.012345.800"])
    done["/pledges"] = goods.trader.post("/pledges", goods.offer(id_), revision=1)
    pledge = done["/pledges"]["pledge"]["id"]
    done["/pledges/{id}/accept"] = goods.bank.post(f"/pledges/{pledge}/accept")
    owed = scene.accepted()
    parts = {"amounts": [400_000, 600_000]}
    prepared = scene.supplier.post(f"/receivables/{owed}/split?prepare=true", parts)
    assert "signingHash" in prepared
    split = scene.supplier.post(f"/receivables/{owed}/split", parts)
    done["/receivables/{id}/split"] = split
    assert len(split["receivables"]) == 3
    seller = Member(node, FARM, "receivables:*", "settlement:*")
    part = seller.get(f"/receivables?origin={owed}")["receivables"][0]
    seller.post("/deposits/homes", {"bank": BANK, "currency": "CNY"})
    leg = {"kind": "receivable", "id": part["id"], "revision": part["revision"]}
    offer = {
        "number": "D-1",
        "instruments": [leg],
        "currency": "CNY",
        "amount": 300_000,
        "expires": int(time.time()) + 86_400,
        "buyer": BANK,
    }
    done["/settlements/offers"] = seller.post("/settlements/offers", offer)
    deal = done["/settlements/offers"]["settlement"]["id"]
    bank = Member(node, BANK, "settlement:*")
    money = {"to": FARM, "currency": "CNY", "amount": 900_000, "number": "M-1"}
    account = bank.send("POST", "/deposits", money).headers["location"].rpartition("/")[2]
    redeem = {"bank": BANK, "currency": "CNY", "amount": 1_000, "number": "M-2"}
    seller.post("/deposits/redemptions", redeem)
    second = consortium.set_role(CARRIER, Role.BANK)
    node.stack.govern(Call(consortium.CONSORTIUM_ADDRESS, second))
    limit = {"debtor": CARRIER, "currency": "CNY", "limit": 10**12}
    bank.post("/deposits/interbank/limits", limit)
    records = {"receipts": id_, "receivables": owed, "pledges": pledge, "settlements": deal}
    wanted = [f"/{room}{part}" for room in records for part in ("", "/{id}", "/{id}/history")]
    records["stock"] = goods.lot
    lots = ("/stock/lots", "/stock/lots/{id}", "/stock/lots/{id}/history", "/stock/locations")
    reader = Member(node, FARM, *(f"{one}:read" for one in ROOMS))
    records["deposits"] = account
    money_paths = ("", "/{id}", "/movements", "/redemptions", "/interbank", "/interbank/movements")
    for path in (*wanted, *lots, *(f"/deposits{one}" for one in money_paths)):
        room = path.split("/")[1]
        content = paths[path]["get"]["responses"]["200"]["content"]["application/json"]
        member = {"pledges": goods.trader, "deposits": bank}.get(room, reader)
        told = member.get(path.replace("{id}", records[room]))
        validate(content["schema"], told)
        assert any(told.values()), path
    _check_changes(document, {**done, "/receivables/{id}/accept": prepared})


def _check_changes(document: dict[str, Any], done: dict[str, Any]) -> None:
    """Answers of changes, and of one that was only prepared; without its record it is no answer."""
    for path, told in done.items():
        responses = document["paths"][path]["post"]["responses"]
        answer = responses.get("201") or responses["200"]
        schema = answer["content"]["application/json"]["schema"]
        whole = {**schema, "components": document["components"]}
        validate(whole, told)
        left_out = ("does", path.split("/")[1].removesuffix("s"))
        without = {name: value for name, value in told.items() if name not in left_out}
        with pytest.raises(ValidationError):
            validate(whole, without)


def test_every_answer_in_json_has_a_told_shape(scene: Scene) -> None:
    """But for what was published by somebody, byte for byte."""
    document = scene.node.client.get("/openapi.json").json()
    done = {"$ref": "#/components/schemas/DoneAnswer"}
    bare = (None, {}, done, {"anyOf": [done, {"$ref": "#/components/schemas/PreparedAnswer"}]})
    untold = [
        f"{method} {path}"
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        for status, answer in operation["responses"].items()
        if status.startswith("2") and "application/json" in answer.get("content", {})
        if answer["content"]["application/json"].get("schema") in bare
    ]
    as_published = ["get /receipts/{id}/document", "get /receivables/{id}/document"]
    any_change = ["post /oauth/revoke", "post /transactions"]
    assert sorted(untold) == sorted([*as_published, *any_change, "get /pools/{id}/document"])
