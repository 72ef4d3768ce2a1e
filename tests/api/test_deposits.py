"""Deposits over HTTP, on a whole node with two banks: statements, payments, redemptions, holds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from api import ApiSettings
from contracts import consortium
from contracts.consortium import Role
from contracts.governance import Call as Decision
from tests.api.conftest import Node
from tests.api.members import Member
from tests.traceability.capture.stack import BANK, CARRIER, FARM

pytestmark = [pytest.mark.feature("A1"), pytest.mark.feature("F6"), pytest.mark.feature("S1")]
CNY = "CNY"
DECISION = f"0x{'dc' * 32}"
LATE = f"0x{'dd' * 32}"


class Scene:
    """A bank and its customer, the farm. The carrier takes the roles that others have."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.bank, self.farm, self.other = (
            Member(node, name, "settlement:*", "supervise") for name in (BANK, FARM, CARRIER)
        )
        self.numbers = 0

    def role(self, role: Role) -> None:
        """The members make the carrier a bank, or an authority."""
        data = consortium.set_role(CARRIER, role)
        self.node.stack.govern(Decision(consortium.CONSORTIUM_ADDRESS, data))
        time.sleep(1.1)  # standing is looked at once a second

    def money(self, amount: int | str, **more: Any) -> dict[str, Any]:
        self.numbers += 1
        return {"currency": CNY, "amount": amount, "number": f"N-{self.numbers}", **more}

    def issue(self, amount: int | str, to: str = FARM, by: Member | None = None) -> str:
        """Location of the account."""
        answer = (by or self.bank).send("POST", "/deposits", self.money(amount, to=to))
        assert answer.status_code == 201, answer.text
        return str(answer.headers["location"])

    def request(self, amount: int) -> str:
        """Location of a redemption."""
        body = self.money(amount, bank=BANK)
        answer = self.farm.send("POST", "/deposits/redemptions", body)
        assert answer.status_code == 201, answer.text
        return str(answer.headers["location"])


@pytest.fixture
def scene(make_node: Callable[..., Node]) -> Scene:
    limits = ApiSettings(rate_per_address_per_s=0, rate_per_key_per_s=0)
    return Scene(make_node(limits))


@pytest.fixture(scope="module")
def any_scene(share_node: Callable[..., Node]) -> Scene:
    """One for all tests that look at nothing but what they do themselves."""
    limits = ApiSettings(rate_per_address_per_s=0, rate_per_key_per_s=0)
    return Scene(share_node(limits))


def test_a_bank_issues_a_deposit_and_both_see_the_account(scene: Scene) -> None:
    where = scene.issue(100_000)
    scene.issue("50000")
    for member in (scene.farm, scene.bank):
        (account,) = member.get("/deposits")["accounts"]
        assert where == f"/deposits/{account['id']}"
        assert (account["bank"], account["owner"], account["currency"]) == (BANK, FARM, CNY)
        assert (account["balance"], account["free"]) == ("150000", "150000")
    answer = scene.farm.send("GET", where)
    assert answer.headers["etag"] == '"2"'
    assert answer.json()["holds"] == []
    assert scene.other.get("/deposits") == {"accounts": [], "after": None}
    assert scene.other.send("GET", where).status_code == 404
    assert scene.bank.get(f"/deposits?owner={CARRIER}")["accounts"] == []
    refused = scene.farm.refused("/deposits", scene.money(1, to=CARRIER))
    assert refused[:2] == (403, "NotBank"), refused


def test_the_statement_is_filtered_paged_and_proved(scene: Scene) -> None:
    where = scene.issue(100_000)
    id_ = where.rpartition("/")[2]
    scene.farm.post("/deposits/homes", {"bank": BANK, "currency": "EUR"})
    scene.request(30_000)
    lines = scene.farm.get("/deposits/movements", params={"account": id_})["movements"]
    assert [one["kind"] for one in lines] == ["issued", "redemption-requested"]
    assert [(one["amount"], one["balance"], one["setAside"]) for one in lines] == [
        ("100000", "100000", "0"),
        ("30000", "100000", "30000"),
    ]
    assert scene.node.client.get(lines[1]["proof"]).json()["leaf"] == lines[1]["leaf"]
    opened = scene.farm.get("/deposits/movements?kind=opened")["movements"]
    assert [one["currency"] for one in opened] == ["EUR"]
    one = scene.bank.get("/deposits/movements", params={"payment": lines[0]["payment"]})
    assert [line["leaf"] for line in one["movements"]] == [lines[0]["leaf"]]
    first = scene.bank.get("/deposits/movements?limit=2")
    rest = scene.bank.get(f"/deposits/movements?limit=2&after={first['after']}")
    assert (len(first["movements"]), len(rest["movements"]), rest["after"]) == (2, 1, None)
    later = scene.bank.get(f"/deposits/movements?since={lines[1]['time'] + 1}")
    assert later["movements"] == []
    assert scene.other.get("/deposits/movements")["movements"] == []
    assert scene.farm.send("GET", "/deposits/movements?after=x").status_code == 400
    assert scene.farm.send("GET", "/deposits/movements?kind=stolen").status_code == 400


def test_a_redemption_is_set_aside_and_confirmed_or_given_back(scene: Scene) -> None:
    where = scene.issue(100_000)
    confirmed, refused, withdrawn = (scene.request(amount) for amount in (10_000, 20_000, 5_000))
    account = scene.farm.get(where)
    assert (account["balance"], account["setAside"], account["free"]) == (
        "100000",
        "35000",
        "65000",
    )
    assert scene.farm.refused(f"{confirmed}/confirm")[:2] == (403, "NotParty")
    assert scene.other.refused(f"{confirmed}/confirm")[0] == 404
    assert scene.other.send("GET", confirmed).status_code == 404
    done = scene.bank.post(f"{confirmed}/confirm", {"remark": "HVPS 4711"})
    assert [(one["kind"], one["balance"]) for one in done["movements"]] == [("redeemed", "90000")]
    scene.bank.post(f"{refused}/refuse", {"remark": "account closed"})
    scene.farm.post(f"{withdrawn}/withdraw")
    assert scene.bank.refused(f"{withdrawn}/confirm")[:2] == (409, "RedemptionDecided")
    shown = scene.farm.get(confirmed)
    assert (shown["state"], shown["amount"], shown["remark"]) == ("confirmed", "10000", "HVPS 4711")
    listed = scene.bank.get("/deposits/redemptions")["redemptions"]
    assert [one["state"] for one in listed] == ["withdrawn", "refused", "confirmed"]
    only = scene.bank.get("/deposits/redemptions?state=refused")["redemptions"]
    assert [one["remark"] for one in only] == ["account closed"]
    account = scene.farm.get(where)
    assert (account["balance"], account["free"]) == ("90000", "90000")
    too_much = scene.farm.refused("/deposits/redemptions", scene.money(90_001, bank=BANK))
    assert too_much[:2] == (409, "Insufficient"), too_much


def test_a_customer_pays_another_at_the_same_bank(scene: Scene) -> None:
    scene.issue(100_000)
    body = scene.money(40_000, bank=BANK, payee=CARRIER, remark="freight")
    status, refusal, _ = scene.farm.refused("/deposits/payments", body)
    assert (status, refusal) == (409, "NoAccount")
    scene.other.post("/deposits/homes", {"bank": BANK, "currency": CNY})
    assert scene.farm.get(f"/deposits/homes/{CARRIER}/{CNY}")["bank"] == BANK
    assert scene.farm.send("GET", f"/deposits/homes/{CARRIER}/EUR").status_code == 404
    paid = scene.farm.post("/deposits/payments", body)
    (sent,) = paid["movements"]
    assert (sent["kind"], sent["balance"], sent["counterparty"]) == ("sent", "60000", CARRIER)
    assert (sent["payment"], sent["remark"]) == (paid["payment"], "freight")
    (received,) = scene.other.get("/deposits/movements?kind=received")["movements"]
    assert (received["amount"], received["balance"]) == ("40000", "40000")
    assert received["payment"] == paid["payment"]
    again = scene.farm.refused("/deposits/payments", body)
    assert again[:2] == (409, "NumberUsed"), again


def test_a_payer_does_not_learn_what_the_payee_has(scene: Scene) -> None:
    scene.issue(100_000)
    scene.issue(777_777, to=CARRIER)
    body = scene.money(1, bank=BANK, payee=CARRIER, payeeBank=BANK)
    answer = scene.farm.send("POST", "/deposits/payments", body)
    assert answer.status_code == 200, answer.text
    assert "777778" not in answer.text
    names = [one["name"] for one in answer.json()["events"]]
    assert names == ["AccountChanged", "AccountChanged"]
    standing = scene.farm.send("GET", f"/transactions/{answer.json()['transaction']}")
    assert standing.status_code == 200
    assert "777778" not in standing.text
    reader = Member(scene.node, FARM, "notices:read", "settlement:read")
    notices = reader.get("/notices", params={"kind": "deposit.received"})
    assert "777778" not in str(notices)
    assert [one["body"]["movement"]["amount"] for one in notices["notices"]] == ["1"]
    for event in answer.json()["events"]:
        proof = scene.farm.get(f"/log/proof/{event['leaf']}")
        assert (proof["entry"] is None) == ("content" not in event["values"])
    assert scene.bank.get(f"/deposits?owner={CARRIER}")["accounts"][0]["balance"] == "777778"


def test_money_goes_to_another_bank_within_its_limit_and_banks_settle(scene: Scene) -> None:
    scene.role(Role.BANK)
    scene.issue(100_000)
    pay = "/deposits/payments"
    body = scene.money(60_000, bank=BANK, payee=CARRIER)
    status, refusal, words = scene.farm.refused(pay, body)
    assert (status, refusal) == (409, "LimitExceeded")
    assert not any(character.isdigit() for character in words), "what banks owe is not his"
    limit = {"debtor": BANK, "currency": CNY, "limit": 80_000}
    set_ = scene.other.post("/deposits/interbank/limits", limit)
    assert [(one["claim"], one["limit"]) for one in set_["positions"]] == [("0", "80000")]
    paid = scene.farm.post(pay, body)
    assert (paid["positions"], len(paid["movements"])) == ([], 1)
    assert scene.farm.refused(pay, scene.money(20_001, bank=BANK, payee=CARRIER))[1] == (
        "LimitExceeded"
    )
    (position,) = scene.bank.get("/deposits/interbank")["positions"]
    assert (position["creditor"], position["debtor"]) == (CARRIER, BANK)
    assert (position["claim"], position["limit"]) == ("60000", "80000")
    settle = "/deposits/interbank/settlements"
    too_much = scene.other.refused(settle, scene.money(60_001, debtor=BANK))
    assert too_much[:2] == (409, "ClaimExceeded"), too_much
    scene.other.post(settle, scene.money(60_000, debtor=BANK, remark="HVPS 12"))
    (position,) = scene.other.get(f"/deposits/interbank?bank={BANK}&currency=CNY")["positions"]
    assert position["claim"] == "0"
    changes = scene.bank.get("/deposits/interbank/movements")["movements"]
    assert [(one["kind"], one["amount"], one["claim"]) for one in changes] == [
        ("limited", "0", "0"),
        ("claimed", "60000", "60000"),
        ("settled", "60000", "0"),
    ]
    assert changes[1]["payment"] == paid["payment"]
    assert scene.farm.get("/deposits/interbank") == {"positions": []}
    assert scene.farm.get("/deposits/interbank/movements")["movements"] == []


def test_a_court_holds_a_deposit_and_gives_it_free_by_decision(scene: Scene) -> None:
    where = scene.issue(100_000)
    hold = {"bank": BANK, "owner": FARM, "currency": CNY, "amount": 70_000, "decision": DECISION}
    assert scene.other.refused("/deposits/holds", hold)[:2] == (403, "NotAuthority")
    scene.role(Role.ARBITRATOR)
    done = scene.other.post("/deposits/holds", hold)
    assert [(one["kind"], one["free"]) for one in done["movements"]] == [("held", "30000")]
    account = scene.farm.get(where)
    assert (account["held"], account["free"]) == ("70000", "30000")
    (found,) = account["holds"]
    assert (found["by"], found["cause"], found["amount"]) == (CARRIER, DECISION, "70000")
    request = scene.farm.refused("/deposits/redemptions", scene.money(30_001, bank=BANK))
    assert request[:2] == (409, "Insufficient"), request
    path = f"/deposits/holds/{found['id']}/release"
    assert scene.farm.refused(path, {"amount": 1, "decision": LATE})[:2] == (403, "NotParty")
    assert scene.other.refused(path, {"amount": 1})[:2] == (422, "DecisionMissing")
    scene.other.post(path, {"amount": "70000", "decision": LATE})
    assert scene.farm.get(where)["free"] == "100000"


def test_an_authority_without_the_scope_to_supervise_acts_on_its_own_hold(scene: Scene) -> None:
    scene.issue(100_000)
    scene.role(Role.ARBITRATOR)
    court = Member(scene.node, CARRIER, "settlement:*")
    hold = {"bank": BANK, "owner": FARM, "currency": CNY, "amount": 70_000, "decision": DECISION}
    assert court.post("/deposits/holds", hold)["movements"] == []
    (account,) = scene.bank.get("/deposits")["accounts"]
    (found,) = scene.bank.get(f"/deposits/{account['id']}")["holds"]
    assert court.send("GET", f"/deposits/{account['id']}").status_code == 404
    court.post(f"/deposits/holds/{found['id']}/release", {"amount": 70_000, "decision": LATE})
    assert scene.bank.get(f"/deposits/{account['id']}")["free"] == "100000"


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"amount": -1}, "/amount"),
        ({"amount": "1.5"}, "/amount"),
        ({"currency": "yuan"}, "/currency"),
        ({"number": "two words"}, "/number"),
        ({"to": "The Farm"}, "/to"),
        ({"more": 1}, "/more"),
    ],
)
def test_a_body_that_means_nothing_is_refused_at_its_place(
    any_scene: Scene, change: dict[str, Any], place: str
) -> None:
    answer = any_scene.bank.send("POST", "/deposits", any_scene.money(1, to=FARM) | change)
    assert answer.status_code == 400, answer.text
    assert place in answer.json()["detail"]


def test_what_is_to_be_signed_stands_in_words(scene: Scene) -> None:
    scene.issue(100_000)
    scene.other.post("/deposits/homes", {"bank": BANK, "currency": CNY})
    body = scene.money(4_321, bank=BANK, payee=CARRIER, payeeBank=BANK)
    prepared = scene.farm.post("/deposits/payments?prepare=true", body)
    for text in (CARRIER, "4321", CNY, BANK):
        assert text in prepared["does"]["en"]
        assert text in prepared["does"]["zh"]
    assert (prepared["contract"], prepared["act"]) == ("deposits", "pay")
    assert scene.farm.get("/deposits")["accounts"][0]["balance"] == "100000"


def test_the_same_request_under_a_key_happens_once(scene: Scene) -> None:
    body, headers = scene.money(100, to=FARM), {"Idempotency-Key": "once"}
    first = scene.bank.send("POST", "/deposits", body, headers=headers)
    again = scene.bank.send("POST", "/deposits", body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert scene.farm.get("/deposits")["accounts"][0]["balance"] == "100"


def test_scopes_and_bound_keys_hold(scene: Scene) -> None:
    id_ = scene.issue(100).rpartition("/")[2]
    reader = Member(scene.node, FARM, "settlement:read")
    assert len(reader.get("/deposits")["accounts"]) == 1
    assert reader.refused("/deposits/homes", {"bank": BANK, "currency": CNY})[0] == 403
    assert Member(scene.node, FARM, "receipts:*").send("GET", "/deposits").status_code == 403
    assert scene.node.client.get("/deposits").status_code == 401
    bound = Member.__new__(Member)
    bound.node, bound.name = scene.node, FARM
    bound.secret = scene.node.services.keys.create(FARM, ("settlement:*",), instruments=(id_,))[0]
    assert bound.get(f"/deposits/{id_}")["id"] == id_
    for path in ("/deposits", "/deposits/movements", "/deposits/interbank"):
        assert bound.send("GET", path).status_code == 403
