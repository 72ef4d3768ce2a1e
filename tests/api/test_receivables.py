"""Receivables over HTTP, on a whole node that is alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from api import ApiSettings
from contracts.receivables import MACHINE
from tests.api.conftest import Node
from tests.api.members import Member
from tests.traceability.capture.stack import BANK, CARRIER, FARM

pytestmark = [pytest.mark.feature("A1"), pytest.mark.feature("F5"), pytest.mark.feature("S1")]
DAY = 86_400
EVIDENCE = f"0x{'e5' * 32}"


class Scene:
    """A supplier (the farm), its customer (the carrier), a bank."""

    def __init__(self, node: Node) -> None:
        self.supplier, self.customer, self.bank = (
            Member(node, name, "receivables:*") for name in (FARM, CARRIER, BANK)
        )
        self.node = node

    def body(self, number: str = "I-1", invoice: str = "25112000000012345678") -> dict[str, Any]:
        return {
            "kind": "invoice",
            "number": number,
            "debtor": CARRIER,
            "amount": 1_000_000,
            "currency": "CNY",
            "due": int(time.time()) + 90 * DAY,
            "document": {"goods": "jam", "jars": 400},
            "publish": True,
            "invoices": [
                {
                    "sellerTaxNumber": "91230100MA0000000X",
                    "number": invoice,
                    "date": "2026-11-02",
                    "total": 1_000_000,
                }
            ],
        }

    def create(self) -> str:
        answer = self.supplier.send("POST", "/receivables", self.body())
        assert answer.status_code == 201, answer.text
        id_: str = answer.json()["receivable"]["id"]
        assert answer.headers["location"] == f"/receivables/{id_}"
        return id_

    def accepted(self) -> str:
        id_ = self.create()
        done = self.customer.post(f"/receivables/{id_}/accept", revision=1)
        assert done["receivable"]["state"] == "accepted"
        return id_


@pytest.fixture
def scene(node: Node) -> Scene:
    return Scene(node)


@pytest.fixture(scope="module")
def any_scene(share_node: Callable[..., Node]) -> Scene:
    """One for all tests that look at nothing but what they do themselves."""
    limits = ApiSettings(rate_per_address_per_s=0, rate_per_key_per_s=0)
    return Scene(share_node(limits))


def test_an_invoice_goes_down_the_tiers_and_each_part_is_owed_on_its_own(scene: Scene) -> None:
    id_ = scene.accepted()
    split = scene.supplier.post(
        f"/receivables/{id_}/split", {"amounts": [600_000, "400000"]}, revision=2
    )
    assert split["receivable"]["state"] == "split"
    first, second = (one["id"] for one in split["receivables"] if one["id"] != id_)
    passed = scene.supplier.post(
        f"/receivables/{first}/endorse", {"to": BANK, "recourse": True}, revision=1
    )
    assert (passed["receivable"]["holder"], passed["receivable"]["guarantor"]) == (BANK, FARM)
    shown = scene.bank.get(f"/receivables/{first}")
    assert shown["endorsers"] == [{"endorser": FARM, "recourse": True}]
    paid = scene.bank.post(f"/receivables/{first}/confirm-payment", {"amount": 600_000})
    assert (paid["receivable"]["state"], paid["receivable"]["outstanding"]) == ("paid", "0")
    listed = scene.supplier.get(f"/receivables?root={id_}")["receivables"]
    assert {one["id"]: one["state"] for one in listed} == {
        id_: "split",
        first: "paid",
        second: "accepted",
    }
    history = scene.bank.get(f"/receivables/{first}/history")["acts"]
    assert [act["act"] for act in history] == ["arise", "endorse", "confirm-payment"]
    assert scene.node.client.get(history[0]["proof"]).status_code == 200


def test_the_same_invoice_is_not_written_down_twice(scene: Scene) -> None:
    id_ = scene.accepted()
    assert len(scene.customer.get(f"/receivables/{id_}")["claims"]) == 1
    status, refusal, detail = scene.supplier.refused("/receivables", scene.body("I-2"))
    assert (status, refusal) == (409, "AlreadyClaimed"), detail
    for path in ("/receivables", "/receivables?prepare=true"):
        stranger = scene.bank.refused(path, scene.body("X-1") | {"debtor": FARM})
        assert stranger[1] == "AlreadyClaimed"
        assert id_ not in stranger[2], "the words name a record that he may not see"
    other = scene.supplier.send("POST", "/receivables", scene.body("I-3", "25112000000099999999"))
    assert other.status_code == 201


def test_whoever_is_no_party_sees_nothing(scene: Scene) -> None:
    id_ = scene.accepted()
    assert scene.bank.get("/receivables") == {"receivables": [], "after": None}
    for path in ("", "/history", "/document"):
        assert scene.bank.send("GET", f"/receivables/{id_}{path}").status_code == 404
    assert scene.bank.refused(f"/receivables/{id_}/present")[0] == 404
    assert scene.customer.get(f"/receivables/{id_}/document") == {"goods": "jam", "jars": 400}


def test_an_act_on_what_has_changed_since_is_refused(scene: Scene) -> None:
    id_ = scene.accepted()
    status, refusal, detail = scene.supplier.refused(
        f"/receivables/{id_}/endorse", {"to": BANK}, revision=1
    )
    assert (status, refusal) == (412, "StaleRevision"), detail
    status, refusal, detail = scene.supplier.refused(f"/receivables/{id_}/accept")
    assert (status, refusal) == (403, "NotEntitled"), detail
    assert detail == f"accept of {id_} is not for {FARM}: it is for the debtor"
    status, refusal, detail = scene.customer.refused(f"/receivables/{id_}/accept")
    assert (status, refusal) == (409, "WrongState")
    assert detail == f"accept is not possible while {id_} is accepted: it is while proposed"


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"kind": "gift"}, "/kind"),
        ({"currency": "yuan"}, "/currency"),
        ({"amount": -1}, "/amount"),
        ({"document": None}, "/terms"),
        ({"terms": EVIDENCE}, "/terms"),
        ({"keys": ["0x12"]}, "/keys/0"),
        ({"more": 1}, "/more"),
    ],
)
def test_a_body_that_means_nothing_is_refused_at_its_place(
    any_scene: Scene, change: dict[str, Any], place: str
) -> None:
    answer = any_scene.supplier.send("POST", "/receivables", any_scene.body() | change)
    assert answer.status_code == 400, answer.text
    assert place in answer.json()["detail"]


def test_an_invoice_without_a_day_is_refused(any_scene: Scene) -> None:
    body = any_scene.body()
    body["invoices"][0]["date"] = "2026-02-31"
    answer = any_scene.supplier.send("POST", "/receivables", body)
    assert answer.status_code == 400
    assert "2026-02-31" in answer.json()["detail"]


def test_every_act_of_members_can_be_prepared_in_words(any_scene: Scene) -> None:
    id_ = any_scene.accepted()
    bodies: dict[str, object] = {
        "undertake": {"recourse": True},
        "endorse": {"to": BANK},
        "split": {"amounts": [400_000, 600_000]},
        "confirm-payment": {"amount": 5},
    }
    for act, body in bodies.items():
        path = f"/receivables/{id_}/{act}?prepare=true"
        prepared = any_scene.supplier.post(path, body, revision=2)
        assert prepared["act"] == act
        assert id_ in prepared["does"]["en"]
        assert id_ in prepared["does"]["zh"]
    assert any_scene.supplier.get(f"/receivables/{id_}")["revision"] == 2


def test_every_act_of_members_stands_in_the_openapi_document(any_scene: Scene) -> None:
    paths = any_scene.node.client.get("/openapi.json").json()["paths"]
    by_contracts = {"encumber", "disencumber", "seize", "lock", "unlock", "settle", "discharge"}
    made_otherwise = {"create", "arise", "arise-order", "discharge-part"}
    as_another = {"confirm", "confirm-part"}  # what accept and confirm-payment become
    expected = {act.name for act in MACHINE.acts} - by_contracts - made_otherwise - as_another
    prefix = "/receivables/{id}/"
    found = {path.removeprefix(prefix) for path in paths if path.startswith(prefix)}
    assert found - {"history", "document"} == expected
