"""Receipts, stock and pledges over HTTP, on a whole node that is alone."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Any

import pytest
from eth_account import Account

from api import ApiSettings
from contracts import consortium
from contracts.consortium import Profile, Role, add_device, add_organisation
from contracts.governance import Call
from contracts.stock import Count, count_digest, count_typed_data
from ledger.canonical import canonical_json
from ledger.state.keccak import keccak
from ledger.types import Address, Hash32
from tests.api.acting import make_warehouse
from tests.api.conftest import Node
from tests.api.members import Member
from tests.traceability.capture.stack import BANK, CARRIER, FARM

pytestmark = [pytest.mark.feature("A1"), pytest.mark.feature("F1"), pytest.mark.feature("S1")]
SCOPES = ("stock:*", "receipts:*", "pledges:*")
SCALE = Account.from_key(b"\x07" * 32)
DAY = 86_400
EVIDENCE = f"0x{'e5' * 32}"
AGREEMENT = {
    "nature": "living",
    "unit": "TNE",
    "shortfallBp": 100,
    "adjustmentBp": 500,
    "countAgeMaxSeconds": 30 * DAY,
}


class Scene:
    """A warehouse (the farm), a trader (the carrier), a bank; a lot of 100 tonnes."""

    def __init__(self, node: Node) -> None:
        self.node = node
        make_warehouse(node.stack)
        self.warehouse = Member(node, FARM, *SCOPES)
        self.trader = Member(node, CARRIER, *SCOPES)
        self.bank = Member(node, BANK, *SCOPES)
        device = Address(bytes.fromhex(SCALE.address[2:]))
        node.stack.send(FARM, consortium.CONSORTIUM_ADDRESS, add_device(device))
        lot = {"placeId": "silo 1", "lotId": "wheat", "agreement": AGREEMENT, "counters": [FARM]}
        self.lot: str = self.warehouse.post("/stock/lots", lot)["lot"]
        self.sequence = 0
        self.count(100_000)

    def a_count(self, quantity: int) -> dict[str, Any]:
        self.sequence += 1
        return {
            "lot": self.lot,
            "quantity": quantity,
            "countedAt": int(time.time()) - 5 + self.sequence,
            "sequence": self.sequence,
            "evidence": EVIDENCE,
        }

    def count(self, quantity: int) -> None:
        self.warehouse.post("/stock/counts", self.a_count(quantity))

    def issue(self, number: str = "R-1", quantity: int = 10_000, **more: Any) -> str:
        body = {
            "number": number,
            "lot": self.lot,
            "quantity": quantity,
            "expires": int(time.time()) + 90 * DAY,
            "holder": CARRIER,
            "document": {"goods": "wheat", "grade": 2},
            "goodsDescription": {"class": "wheat", "grade": 2, "unit": "TNE"},
            **more,
        }
        answer = self.warehouse.send("POST", "/receipts", body)
        assert answer.status_code == 201, answer.text
        id_: str = answer.json()["receipt"]["id"]
        assert answer.headers["location"] == f"/receipts/{id_}"
        return id_

    def offer(self, id_: str, **more: Any) -> dict[str, Any]:
        return {
            "instrument": id_,
            "pledgee": BANK,
            "amount": 500_000,
            "currency": "CNY",
            "due": int(time.time()) + 30 * DAY,
            "noticeSeconds": DAY,
            "terms": EVIDENCE,
            **more,
        }


@pytest.fixture
def scene(make_node: Callable[..., Node]) -> Scene:
    limits = ApiSettings(rate_per_address_per_s=0, rate_per_key_per_s=0)
    return Scene(make_node(limits))


@pytest.fixture(scope="module")
def any_scene(share_node: Callable[..., Node]) -> Scene:
    """One for all tests that look at nothing but what they do themselves."""
    limits = ApiSettings(rate_per_address_per_s=0, rate_per_key_per_s=0)
    return Scene(share_node(limits))


def test_a_lot_is_counted_pledged_released_and_partly_delivered(scene: Scene) -> None:
    id_ = scene.issue()
    lot = scene.warehouse.get(f"/stock/lots/{scene.lot}")
    assert (lot["counted"], lot["live"], lot["free"]) == ("100000", "10000", "90000")
    assert (lot["receipts"], lot["short"]) == (1, False)
    listed = scene.trader.get("/receipts", params={"state": "live"})
    assert [one["id"] for one in listed["receipts"]] == [id_]
    assert listed["after"] is None
    pledge = scene.trader.post("/pledges", scene.offer(id_), revision=1)["pledge"]
    assert (pledge["state"], pledge["pledgor"], pledge["amount"]) == ("proposed", CARRIER, "500000")
    accepted = scene.bank.post(f"/pledges/{pledge['id']}/accept", {"remark": "agreed"})
    assert accepted["pledge"]["state"] == "active"
    status, refusal, words = scene.trader.refused("/pledges", scene.offer(id_, amount=1))
    assert (status, refusal) == (409, "AlreadyPledged")
    assert f"pledged to {BANK} already" in words
    status, refusal, words = scene.trader.refused(
        f"/receipts/{id_}/transfer-holding", {"holder": FARM}
    )
    assert (status, refusal) == (409, "InstrumentPledged")
    assert BANK in words
    released = scene.bank.post(f"/pledges/{pledge['id']}/release", {"remark": "paid"})
    assert released["pledge"]["state"] == "released"
    assert scene.trader.refused(f"/pledges/{pledge['id']}/cure") == (
        403,
        "NotParty",
        f"cure of pledge {pledge['id']} is not for {CARRIER}: it is for the pledgee",
    )
    assert scene.bank.refused(f"/pledges/{pledge['id']}/cure") == (
        409,
        "WrongState",
        f"cure is not possible while pledge {pledge['id']} is released: it is while defaulted",
    )
    scene.trader.post(f"/receipts/{id_}/request-delivery", {"quantity": 4_000})
    done = scene.warehouse.post(f"/receipts/{id_}/deliver", {"remark": "truck 4"})
    assert (done["receipt"]["quantity"], done["receipt"]["state"]) == ("6000", "live")
    acts = scene.trader.get(f"/receipts/{id_}/history")["acts"]
    assert [act["act"] for act in acts] == [
        "issue",
        "encumber",
        "disencumber",
        "request-delivery",
        "deliver",
    ]
    assert acts[-1]["remark"] == "truck 4"
    assert acts[-1]["transaction"] == done["transaction"]
    lot = scene.warehouse.get(f"/stock/lots/{scene.lot}")
    assert (lot["counted"], lot["live"], lot["free"]) == ("96000", "6000", "90000")


def test_every_answer_leads_to_its_proof(scene: Scene) -> None:
    id_ = scene.issue()
    stored = scene.trader.get(f"/receipts/{id_}")
    for place in (stored["last"], *scene.trader.get(f"/receipts/{id_}/history")["acts"]):
        proof = scene.trader.get(place["proof"])
        assert proof["leaf"] == place["leaf"]
        assert id_[2:].encode().hex() in proof["entry"]


def test_what_others_may_not_see_is_not_there(scene: Scene) -> None:
    id_ = scene.issue()
    paths = [f"/receipts/{id_}", f"/receipts/{id_}/history", f"/receipts/{id_}/document"]
    for path in (*paths, f"/stock/lots/{scene.lot}", f"/stock/lots/{scene.lot}/history"):
        assert scene.bank.send("GET", path).status_code == 404
        assert scene.node.client.get(path).status_code == 401
    assert scene.bank.get("/receipts") == {"receipts": [], "after": None}
    assert scene.bank.get("/stock/lots") == {"lots": [], "after": None}
    assert scene.bank.get("/stock/locations") == {"locations": []}
    status, _, _ = scene.bank.refused(f"/receipts/{id_}/expire")
    assert status == 404
    scene.trader.post("/pledges", scene.offer(id_))
    assert scene.bank.get(f"/receipts/{id_}")["id"] == id_
    assert scene.warehouse.get("/pledges")["pledges"] == []


def test_scopes_and_bound_keys_hold(scene: Scene) -> None:
    id_ = scene.issue()
    other = scene.issue("R-2")
    reader = Member(scene.node, CARRIER, "receipts:read")
    assert reader.get(f"/receipts/{id_}")["id"] == id_
    assert reader.refused(f"/receipts/{id_}/nominate", {"nominee": BANK})[0] == 403
    assert reader.send("GET", "/pledges").status_code == 403
    bound = Member.__new__(Member)
    bound.node, bound.name = scene.node, CARRIER
    bound.secret = scene.node.services.keys.create(CARRIER, SCOPES, instruments=(id_,))[0]
    assert bound.get(f"/receipts/{id_}")["id"] == id_
    assert bound.send("GET", f"/receipts/{other}").status_code == 403
    assert bound.send("GET", "/receipts").status_code == 403


def test_whoever_was_late_learns_it(scene: Scene) -> None:
    id_ = scene.issue()
    first = scene.trader.send("GET", f"/receipts/{id_}")
    assert first.headers["etag"] == '"1"'
    scene.trader.post(f"/receipts/{id_}/nominate", {"nominee": BANK}, revision=1)
    status, refusal, words = scene.trader.refused(
        f"/receipts/{id_}/nominate", {"nominee": FARM}, revision=1
    )
    assert (status, refusal) == (412, "StaleRevision")
    assert "revision 1 was seen, it is at 2" in words
    for wrong in ("1", '"x"', '"0"', 'W/"1"', '"99999999999999999999"'):
        answer = scene.trader.send(
            "POST", f"/receipts/{id_}/nominate", {"nominee": FARM}, headers={"If-Match": wrong}
        )
        assert answer.status_code == 400, wrong


def test_the_same_request_under_a_key_happens_once(scene: Scene) -> None:
    id_ = scene.issue()
    body, headers = {"quantity": 1_000}, {"Idempotency-Key": "once"}
    path = f"/receipts/{id_}/request-delivery"
    first = scene.trader.post(path, body, headers=headers)
    again = scene.trader.send("POST", path, body, headers=headers)
    assert again.json()["transaction"] == first["transaction"]
    assert again.headers["idempotency-replayed"] == "true"
    assert scene.trader.get(f"/receipts/{id_}")["revision"] == 2


def test_a_prepared_transaction_says_what_it_does(scene: Scene) -> None:
    id_ = scene.issue()
    answer = scene.trader.post(
        f"/receipts/{id_}/transfer-holding", {"holder": BANK}, params={"prepare": "true"}
    )
    assert answer["does"]["en"] == f"hand receipt {id_} over to {BANK}"
    assert BANK in answer["does"]["zh"]
    assert answer["act"] == "transfer-holding"
    assert scene.trader.get(f"/receipts/{id_}")["revision"] == 1


def test_a_permit_lets_the_very_act_go_on(scene: Scene) -> None:
    id_ = scene.issue()
    pledge = scene.trader.post("/pledges", scene.offer(id_))["pledge"]["id"]
    scene.bank.post(f"/pledges/{pledge}/accept")
    parts = {"quantities": [7_000, 3_000], "remark": "for the mill"}
    permit = {"act": "split", "arguments": parts, "remark": "as agreed"}
    assert scene.bank.refused(f"/receipts/{id_}/permit", permit)[0] == 400  # for which revision?
    scene.bank.post(f"/receipts/{id_}/permit", permit, revision=2)
    other = {**parts, "quantities": [6_000, 4_000]}
    refused = scene.trader.refused(f"/receipts/{id_}/split", other, revision=3)
    assert refused[:2] == (409, "InstrumentPledged")
    done = scene.trader.post(f"/receipts/{id_}/split", parts, revision=3)
    children = [one for one in done["receipts"] if one["id"] != id_]
    assert [one["quantity"] for one in children] == ["7000", "3000"]
    assert all(one["pledgee"] == BANK for one in children)
    covers = scene.bank.get(f"/pledges/{pledge}")["covers"]
    assert set(covers) == {one["id"] for one in children}
    shown = scene.bank.get(f"/pledges/{pledge}/instruments", params={"limit": 1})
    assert shown == {"instruments": [min(covers)], "after": min(covers)}
    scene.bank.post(f"/pledges/{pledge}/release", {"ids": covers})
    merged = scene.trader.post(
        "/receipts/merge",
        {"receipts": [{"id": one["id"], "revision": 0} for one in children]},
    )
    assert merged["receipt"]["quantity"] == "10000"


def test_a_device_signs_and_anybody_brings_the_count(scene: Scene) -> None:
    scene.issue(quantity=50_000)
    told = scene.a_count(40_000)
    count = Count(
        Hash32(bytes.fromhex(scene.lot[2:])),
        told["quantity"],
        told["countedAt"],
        told["sequence"],
        Hash32(bytes.fromhex(EVIDENCE[2:])),
    )
    chain_id = scene.node.stack.ledger.chain_id
    asked = scene.trader.post("/stock/counts/digest", told)
    digest = count_digest(count, chain_id)
    assert asked["digest"] == f"0x{digest.hex()}"
    assert asked["typedData"]["message"] == count_typed_data(count, chain_id)["message"]
    signature = SCALE.unsafe_sign_hash(digest).signature.hex().removeprefix("0x")
    signed = {**told, "signature": f"0x{signature}"}
    scene.trader.post("/stock/counts/signed", signed)
    assert scene.trader.refused("/stock/counts/signed", signed)[:2] == (409, "CountReplayed")
    changed = {**signed, "quantity": 50_000, "sequence": told["sequence"] + 1}
    assert scene.trader.refused("/stock/counts/signed", changed)[0] in (403, 409)
    lot = scene.trader.get(f"/stock/lots/{scene.lot}")
    assert (lot["short"], lot["missing"], lot["free"]) == (True, "10000", "0")
    short = scene.trader.get("/stock/lots", params={"short": "true"})["lots"]
    assert [one["key"] for one in short] == [scene.lot]
    counts = scene.trader.get(f"/stock/lots/{scene.lot}/history", params={"kind": "counted"})
    assert counts["entries"][0]["counter"] == SCALE.address.lower()
    status, refusal, words = scene.warehouse.refused(
        "/receipts",
        {
            "number": "R-9",
            "lot": scene.lot,
            "quantity": 1,
            "expires": int(time.time()) + DAY,
            "holder": CARRIER,
            "document": {},
            "goods": EVIDENCE,
        },
    )
    assert (status, refusal) == (409, "StockShort")
    assert "40000 was counted, receipts stand for 50000" in words
    places = scene.warehouse.get("/stock/locations")["locations"]
    assert [(one["counted"], one["live"], one["missing"]) for one in places] == [
        ("40000", "50000", "10000")
    ]


def test_a_published_document_comes_back_byte_for_byte(scene: Scene) -> None:
    document = {"b": 1, "a": "é"}
    id_ = scene.issue(document=document, publish=True)
    answer = scene.trader.send("GET", f"/receipts/{id_}/document")
    assert answer.content == canonical_json(document)
    digest = hashlib.sha256(answer.content).hexdigest()
    assert scene.trader.get(f"/receipts/{id_}")["terms"] == f"0x{digest}"
    hidden = scene.issue("R-2")
    assert scene.trader.send("GET", f"/receipts/{hidden}/document").status_code == 404


@pytest.mark.feature("F2")
def test_a_part_leaves_with_the_claims_that_its_holder_has_named(scene: Scene) -> None:
    items = [f"urn:epc:id:sgtin:9521141.012345.{number}" for number in (500, 501)]
    id_ = scene.issue(items=items)
    gone, stays = scene.trader.get(f"/receipts/{id_}")["claims"]
    path = f"/receipts/{id_}/request-delivery"
    both = {"quantity": 4_000, "keys": [gone, stays]}
    assert scene.trader.refused(path, both)[:2] == (422, "KeysDiffer")
    scene.trader.post(path, {"quantity": 4_000, "keys": [gone]})
    out = f"/receipts/{id_}/deliver"
    for keys in ([stays], []):
        assert scene.warehouse.refused(out, {"keys": keys})[:2] == (422, "KeysDiffer")
    scene.warehouse.post(out, {"keys": [gone]})
    assert scene.trader.get(f"/receipts/{id_}")["claims"] == [stays]


@pytest.mark.feature("F2")
def test_the_same_goods_do_not_stand_behind_two_receipts(scene: Scene) -> None:
    item = "urn:epc:id:sgtin:9521141.012345.400"
    prints = [{"store": 9, "bags": 40}]
    id_ = scene.issue(items=[item], fingerprints=prints)
    assert len(scene.trader.get(f"/receipts/{id_}")["claims"]) == 2
    for more in ({"items": [item]}, {"fingerprints": [{"bags": 40, "store": 9}]}):
        body = {
            "number": "R-2",
            "lot": scene.lot,
            "quantity": 1,
            "expires": int(time.time()) + DAY,
            "holder": CARRIER,
            "document": {},
            "goods": EVIDENCE,
            **more,
        }
        assert scene.warehouse.refused("/receipts", body)[:2] == (409, "AlreadyClaimed")


@pytest.mark.feature("F4")
def test_an_authority_freezes_by_a_decision(scene: Scene) -> None:
    account = scene.node.stack.identity.accounts[BANK].address
    court = add_organisation("court", Role.ARBITRATOR, Profile("Court"), Address(b"\x01" * 20))
    scene.node.stack.govern(Call(consortium.CONSORTIUM_ADDRESS, court))
    assert account
    id_ = scene.issue()
    key = Member(scene.node, "court", "receipts:*", "supervise")
    assert key.get(f"/receipts/{id_}")["id"] == id_
    seen = Member(scene.node, "court", "receipts:*")
    assert seen.send("GET", f"/receipts/{id_}").status_code == 404
    body = {"decision": EVIDENCE}
    # Its account is elsewhere: this node signs nothing for it, and says so.
    assert key.refused(f"/receipts/{id_}/freeze", body)[0] == 403
    assert scene.trader.refused(f"/receipts/{id_}/freeze", body) == (
        403,
        "NotEntitled",
        f"freeze of {id_} is not for {CARRIER}: it is for an arbitrator or a regulator",
    )
    assert scene.warehouse.refused(f"/receipts/{id_}/restore") == (
        409,
        "WrongState",
        f"restore is not possible while {id_} is live: it is while surrendered",
    )


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/receipts", {}, "/number"),
        ("/receipts", {"number": "a b"}, "/number"),
        (
            "/stock/lots",
            {"placeId": "p", "counters": [], "agreement": {}},
            "/counters",
        ),
        ("/stock/counts", {"lot": "0x12"}, "/lot"),
        ("/pledges", {"instrument": EVIDENCE, "currency": "euro"}, "/currency"),
    ],
)
def test_a_body_that_makes_no_sense_is_told_where(
    any_scene: Scene, path: str, body: dict[str, Any], pointer: str
) -> None:
    answer = any_scene.warehouse.send("POST", path, body)
    assert answer.status_code == 400
    assert pointer in {part["pointer"] for part in answer.json()["errors"]}


def test_odd_requests_are_problems(any_scene: Scene) -> None:
    id_ = any_scene.issue()
    assert any_scene.trader.refused(f"/receipts/{id_}/endorse", {"owner": BANK, "x": 1})[0] == 400
    assert any_scene.trader.refused(f"/receipts/{id_}/endorse", {"owner": 7})[0] == 400
    assert any_scene.trader.refused(f"/receipts/{id_}/split", {"quantities": [2**128, 1]})[0] == 400
    assert any_scene.trader.refused(f"/receipts/{id_}/nominate", {"nominee": "no-such"})[:2] == (
        409,
        "PartyNotActive",
    )
    remark = {"nominee": BANK, "remark": "字" * 86}
    assert any_scene.trader.refused(f"/receipts/{id_}/nominate", remark)[0] == 400
    for query in ("after=x", "limit=0", "limit=1001", "holder=A", "lot=0x1", "expiringBefore=-1"):
        assert any_scene.trader.send("GET", f"/receipts?{query}").status_code == 400, query
    assert any_scene.trader.send("GET", "/receipts/0x12").status_code == 400
    assert any_scene.trader.send("POST", f"/receipts/{id_}/fly").status_code in (404, 405)
    permit = {"act": "split", "arguments": {"quantities": "x"}}
    assert any_scene.trader.refused(f"/receipts/{id_}/permit", permit, revision=1)[0] == 400
    assert keccak(b"") != b""


def test_all_of_it_stands_in_the_openapi_document(any_scene: Scene) -> None:
    document = any_scene.node.client.get("/openapi.json").json()
    assert not [key for key in str(document).split("'") if key.startswith("#/$defs")]
    for path in ("/receipts", "/stock/counts/signed", "/pledges/{id}/enforce"):
        assert path in document["paths"]
    body = document["paths"]["/receipts/{id}/split"]["post"]["requestBody"]
    assert "quantities" in body["content"]["application/json"]["schema"]["properties"]
    assert body["required"]
    assert not document["paths"]["/receipts/{id}/recall"]["post"]["requestBody"]["required"]
    words = document["paths"]["/receipts/{id}/split"]["post"]["description"]
    assert "sole" in words
    assert "live" in words
