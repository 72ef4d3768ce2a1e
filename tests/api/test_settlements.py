"""Delivery versus payment, conditional payment and paid receivables over HTTP, on a whole node."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from api import ApiSettings
from contracts import consortium
from contracts.consortium import Role
from contracts.governance import Call as Decision
from contracts.settlement import MACHINE
from tests.api.conftest import Node
from tests.api.members import Member
from tests.api.settlement_scene import DAY, EVIDENCE, SUBJECT, SettlementScene
from tests.traceability.capture.stack import BANK, CARRIER, FARM

pytestmark = [pytest.mark.feature("A1"), pytest.mark.feature("F6"), pytest.mark.feature("S1")]


@pytest.fixture
def scene(make_node: Callable[..., Node]) -> SettlementScene:
    limits = ApiSettings(rate_per_address_per_s=0, rate_per_key_per_s=0)
    return SettlementScene(make_node(limits))


@pytest.fixture(scope="module")
def any_scene(share_node: Callable[..., Node]) -> SettlementScene:
    """One for all tests that look at nothing but what they do themselves."""
    limits = ApiSettings(rate_per_address_per_s=0, rate_per_key_per_s=0)
    return SettlementScene(share_node(limits))


# ---- receivables paid ---------------------------------------------------------------------------


def test_a_debtor_pays_a_receivable_in_parts_out_of_its_deposit(scene: SettlementScene) -> None:
    scene.issue(CARRIER, 1_500_000)
    id_ = scene.receivable()
    body = scene.payment(id_, 400_000, revision=2)
    first = scene.customer.post("/settlements/payments", body)
    assert first["receivable"]["outstanding"] == "600000"
    (sent,) = first["movements"]
    assert (sent["owner"], sent["kind"], sent["balance"]) == (CARRIER, "sent", "1100000")
    assert sent["cause"] == id_
    paid = scene.customer.post("/settlements/payments", scene.payment(id_, "600000"))
    assert (paid["receivable"]["state"], paid["receivable"]["outstanding"]) == ("paid", "0")
    assert (scene.balance(scene.customer), scene.balance(scene.supplier)) == ("500000", "1000000")
    lines = scene.supplier.get(f"/deposits/movements?cause={id_}")["movements"]
    assert [(one["kind"], one["amount"]) for one in lines] == [
        ("received", "400000"),
        ("received", "600000"),
    ]
    assert [one["payment"] for one in lines] == [first["payment"], paid["payment"]]


def test_a_payment_that_does_not_suffice_or_is_late_changes_nothing(scene: SettlementScene) -> None:
    scene.issue(CARRIER, 100_000)
    id_ = scene.receivable()
    path = "/settlements/payments"
    refused = scene.customer.refused(path, scene.payment(id_, 100_001))
    assert refused[:2] == (409, "Insufficient"), refused
    refused = scene.customer.refused(path, scene.payment(id_, 100_000, revision=1))
    assert refused[:2] == (412, "StaleRevision"), refused
    refused = scene.supplier.refused(path, scene.payment(id_, 1))
    assert refused[:2] == (403, "NotDebtor"), refused
    assert scene.bank.refused(path, scene.payment(id_, 1))[0] == 404
    assert scene.customer.get(f"/receivables/{id_}")["outstanding"] == "1000000"
    assert scene.balance(scene.customer) == "100000"


def test_the_same_payment_order_counts_once(scene: SettlementScene) -> None:
    scene.issue(CARRIER, 1_000_000)
    id_ = scene.receivable()
    body = scene.payment(id_, 300_000)
    scene.customer.post("/settlements/payments", body)
    refused = scene.customer.refused("/settlements/payments", body)
    assert refused[:2] == (409, "NumberUsed"), refused
    assert scene.customer.get(f"/receivables/{id_}")["outstanding"] == "700000"


def test_what_was_paid_on_a_pledged_receivable_stays_with_the_pledgee(
    scene: SettlementScene,
) -> None:
    scene.issue(CARRIER, 1_000_000)
    id_ = scene.receivable()
    pledge = {
        "instrument": id_,
        "pledgee": BANK,
        "amount": 800_000,
        "currency": "CNY",
        "due": int(time.time()) + 30 * DAY,
        "noticeSeconds": DAY,
        "terms": EVIDENCE,
    }
    key = scene.supplier.post("/pledges", pledge)["pledge"]["id"]
    scene.bank.post(f"/pledges/{key}/accept")
    scene.customer.post("/settlements/payments", scene.payment(id_, 1_000_000))
    account = scene.account(scene.supplier)
    assert (account["balance"], account["held"], account["free"]) == ("1000000", "1000000", "0")
    shown = scene.supplier.get(f"/deposits/{account['id']}")
    (hold,) = shown["holds"]
    assert (hold["by"], hold["amount"], hold["cause"]) == (BANK, "1000000", id_)
    path = f"/deposits/holds/{hold['id']}"
    assert scene.supplier.refused(f"{path}/collect", {"amount": 1})[:2] == (403, "NotParty")
    assert scene.customer.refused(f"{path}/collect", {"amount": 1})[0] == 404
    assert scene.bank.refused(f"{path}/collect", {"amount": 800_001})[:2] == (409, "NotSecured")
    scene.bank.post(f"{path}/collect", {"amount": 800_000, "remark": "loan 7"})
    done = scene.supplier.post(f"{path}/release", {"amount": 200_000})
    assert [(one["kind"], one["free"]) for one in done["movements"]] == [("released", "200000")]
    (hold,) = scene.supplier.get(f"/deposits/{account['id']}")["holds"]
    assert (hold["initial"], hold["amount"]) == ("1000000", "0")


# ---- delivery versus payment --------------------------------------------------------------------


def test_a_receivable_and_its_price_change_hands_in_one_transaction(scene: SettlementScene) -> None:
    id_ = scene.receivable()
    deal = scene.offered(id_)
    assert (deal["state"], deal["amount"], deal["seller"]) == ("offered", "970000", FARM)
    status, refusal, _ = scene.supplier.refused(f"/receivables/{id_}/endorse", {"to": CARRIER})
    assert (status, refusal) == (409, "InstrumentLocked")
    seen = scene.bank.send("GET", f"/settlements/{deal['id']}")
    assert seen.headers["etag"] == '"1"'
    assert seen.json()["legs"][0]["id"] == id_
    done = scene.bank.post(f"/settlements/{deal['id']}/accept", {"bank": BANK}, revision=1)
    assert (done["settlement"]["state"], done["settlement"]["buyer"]) == ("settled", BANK)
    assert scene.bank.get(f"/receivables/{id_}")["holder"] == BANK
    assert scene.balance(scene.supplier) == "970000"
    acts = scene.supplier.get(f"/settlements/{deal['id']}/history")["acts"]
    assert [act["act"] for act in acts] == ["offer", "accept"]
    assert acts[1]["transaction"] == done["transaction"]
    assert scene.node.client.get(acts[1]["proof"]).status_code == 200
    listed = scene.bank.get("/settlements", params={"instrument": id_, "state": "settled"})
    assert [one["id"] for one in listed["settlements"]] == [deal["id"]]


def test_neither_changes_hands_where_the_buyer_cannot_pay(scene: SettlementScene) -> None:
    scene.issue(CARRIER, 969_999)
    id_ = scene.receivable(scene.bank)
    deal = scene.offered(id_, buyer=CARRIER)
    path = f"/settlements/{deal['id']}/accept"
    assert scene.customer.refused(path, {"bank": BANK})[:2] == (409, "Insufficient")
    assert scene.supplier.get(f"/receivables/{id_}")["holder"] == FARM
    assert scene.customer.get(f"/settlements/{deal['id']}")["state"] == "offered"


def test_nobody_is_offered_what_it_owes_itself(any_scene: SettlementScene) -> None:
    id_ = any_scene.receivable()
    answer = any_scene.supplier.refused("/settlements/offers", any_scene.offer(id_, buyer=CARRIER))
    assert answer[:2] == (422, "InvalidParty")
    assert any_scene.supplier.get(f"/receivables/{id_}")["locked"] is False


@pytest.mark.parametrize(
    ("who", "act", "state"),
    [("bank", "decline", "declined"), ("supplier", "withdraw", "withdrawn")],
)
def test_an_offer_that_comes_to_nothing_sets_its_instrument_free(
    any_scene: SettlementScene, who: str, act: str, state: str
) -> None:
    id_ = any_scene.receivable()
    assert any_scene.bank.send("GET", f"/receivables/{id_}").status_code == 404
    deal = any_scene.offered(id_)
    assert any_scene.bank.get(f"/receivables/{id_}")["holder"] == FARM, "its buyer looks at it"
    other = any_scene.supplier if who == "bank" else any_scene.bank
    status, refusal, words = other.refused(f"/settlements/{deal['id']}/{act}")
    assert (status, refusal) == (403, "DealNotEntitled")
    meant = {"bank": "the named buyer", "supplier": "the seller"}[who]
    assert words == f"{act} of deal {deal['id']} is not for {other.name}: it is for {meant}"
    member: Member = getattr(any_scene, who)
    done = member.post(f"/settlements/{deal['id']}/{act}", {"remark": "too dear"})
    assert done["settlement"]["state"] == state
    assert member.refused(f"/settlements/{deal['id']}/{act}") == (
        409,
        "DealState",
        f"{act} is not possible while deal {deal['id']} is {state}: it is while offered",
    )
    assert any_scene.bank.send("GET", f"/receivables/{id_}").status_code == 404
    any_scene.supplier.post(f"/receivables/{id_}/endorse", {"to": BANK})
    assert any_scene.bank.get(f"/receivables/{id_}")["holder"] == BANK


def test_an_offer_expires_not_before_its_time(any_scene: SettlementScene) -> None:
    id_ = any_scene.receivable()
    deal = any_scene.offered(id_, expires=int(time.time()) + 3)
    path = f"/settlements/{deal['id']}"
    assert any_scene.bank.refused(f"{path}/expire")[:2] == (409, "TooEarly")
    assert any_scene.bank.send("GET", f"/receivables/{id_}").status_code == 200
    time.sleep(max(0.0, deal["expires"] + 1.2 - time.time()))
    assert any_scene.bank.send("GET", f"/receivables/{id_}").status_code == 404
    assert any_scene.bank.refused(f"{path}/accept", {"bank": BANK})[:2] == (409, "TooLate")
    assert any_scene.bank.post(f"{path}/expire")["settlement"]["state"] == "expired"


def test_an_offer_to_a_role_is_seen_by_who_has_it(scene: SettlementScene) -> None:
    deal = scene.offered(scene.receivable(), buyer=None, role="bank")
    assert (deal["buyer"], deal["role"]) == (None, "bank")
    assert [one["id"] for one in scene.bank.get("/settlements")["settlements"]] == [deal["id"]]
    assert scene.customer.get("/settlements") == {"settlements": [], "after": None}
    for path in ("", "/history"):
        assert scene.customer.send("GET", f"/settlements/{deal['id']}{path}").status_code == 404
    assert scene.customer.refused(f"/settlements/{deal['id']}/accept", {"bank": BANK})[0] == 404


def test_a_deal_that_has_changed_since_is_refused(any_scene: SettlementScene) -> None:
    deal = any_scene.offered(any_scene.receivable())
    path = f"/settlements/{deal['id']}/accept"
    refused = any_scene.bank.refused(path, {"bank": BANK, "revisions": [2]})
    assert refused[:2] == (412, "StaleRevision"), refused
    assert any_scene.bank.refused(path, {"bank": BANK}, revision=2)[:2] == (412, "StaleDeal")


# ---- conditions ---------------------------------------------------------------------------------


def test_money_waits_for_an_inspection_and_is_paid_when_it_is_attested(
    scene: SettlementScene,
) -> None:
    scene.issue(CARRIER, 100_000)
    id_ = scene.inspection()
    assert scene.account(scene.customer)["free"] == "60000"
    path = f"/settlements/{id_}"
    assert scene.customer.refused(f"{path}/attest", {"evidence": EVIDENCE})[:2] == (
        403,
        "DealNotEntitled",
    )
    done = scene.bank.post(f"{path}/attest", {"evidence": EVIDENCE}, revision=1)
    assert done["settlement"]["state"] == "settled"
    assert done["settlement"]["evidence"] == EVIDENCE
    assert (scene.balance(scene.customer), scene.balance(scene.supplier)) == ("60000", "40000")


def test_money_comes_back_where_the_attestor_denies(scene: SettlementScene) -> None:
    scene.issue(CARRIER, 100_000)
    id_ = scene.inspection()
    done = scene.bank.post(f"/settlements/{id_}/deny", {"evidence": EVIDENCE})
    assert done["settlement"]["state"] == "returned"
    account = scene.account(scene.customer)
    assert (account["balance"], account["free"]) == ("100000", "100000")


def test_a_date_is_waited_for_and_anybody_executes(scene: SettlementScene) -> None:
    scene.issue(CARRIER, 100_000)
    body = scene.conditional(kind="date", due=int(time.time()) + 3)
    deal = scene.customer.post("/settlements/conditional", body)["settlement"]
    path = f"/settlements/{deal['id']}/execute"
    assert scene.supplier.refused(path)[:2] == (409, "TooEarly")
    time.sleep(max(0.0, deal["condition"]["due"] + 0.2 - time.time()))
    assert scene.supplier.post(path)["settlement"]["state"] == "settled"
    assert scene.balance(scene.supplier) == "40000"


def test_both_parties_end_a_deal_together(scene: SettlementScene) -> None:
    scene.issue(CARRIER, 100_000)
    path = f"/settlements/{scene.inspection()}"
    assert scene.supplier.refused(f"{path}/agree-cancel")[:2] == (409, "AskTheOther")
    asked = scene.customer.post(f"{path}/ask-cancel")
    assert asked["settlement"]["cancelAskedBy"] == CARRIER
    assert scene.supplier.post(f"{path}/agree-cancel")["settlement"]["state"] == "cancelled"
    assert scene.account(scene.customer)["free"] == "100000"


def test_an_offer_with_a_condition_is_committed_to_and_settles_when_it_is_met(
    scene: SettlementScene,
) -> None:
    id_ = scene.receivable()
    condition = {
        "kind": "delivery",
        "attestor": CARRIER,
        "subject": SUBJECT,
        "deadline": int(time.time()) + DAY,
    }
    path = f"/settlements/{scene.offered(id_, condition=condition)['id']}"
    assert scene.bank.refused(f"{path}/accept", {"bank": BANK})[:2] == (409, "WrongCondition")
    committed = scene.bank.post(f"{path}/commit", {"bank": BANK})
    assert committed["settlement"]["state"] == "open"
    assert scene.customer.get(f"/receivables/{id_}")["holder"] == FARM
    done = scene.customer.post(f"{path}/attest", {"evidence": EVIDENCE})
    assert done["settlement"]["state"] == "settled"
    assert scene.customer.get(f"/receivables/{id_}")["holder"] == BANK
    assert scene.balance(scene.supplier) == "970000"


def test_what_was_paid_since_is_nobodys_bargain(scene: SettlementScene) -> None:
    """The bank has committed to a receivable of which the carrier then pays a part."""
    scene.issue(CARRIER, 500_000)
    id_ = scene.receivable()
    condition = {"kind": "date", "due": int(time.time()) + 3}
    path = f"/settlements/{scene.offered(id_, condition=condition)['id']}"
    committed = scene.bank.post(f"{path}/commit", {"bank": BANK})["settlement"]
    assert scene.bank.refused(f"{path}/rescind")[:2] == (409, "AsAgreed")
    assert scene.supplier.refused(f"{path}/rescind")[:2] == (403, "DealNotEntitled")
    scene.customer.post("/settlements/payments", scene.payment(id_, 400_000))
    assert scene.bank.refused(f"{path}/affirm", {"revisions": [3]})[:2] == (412, "StaleRevision")
    assert scene.bank.refused(f"{path}/affirm", {"revisions": []})[0] == 400
    stands = scene.bank.post(f"{path}/affirm", {"revisions": [4]})["settlement"]
    assert (stands["state"], stands["legs"][0]["revision"]) == ("open", 4)
    scene.customer.post("/settlements/payments", scene.payment(id_, 100_000))
    time.sleep(max(0.0, committed["condition"]["due"] + 0.2 - time.time()))
    assert scene.supplier.refused(f"{path}/execute")[:2] == (412, "StaleRevision")
    done = scene.bank.post(f"{path}/rescind", {"remark": "too little of it is left"})
    assert done["settlement"]["state"] == "returned"
    assert scene.supplier.get(f"/receivables/{id_}")["locked"] is False
    acts = scene.bank.get(f"{path}/history")["acts"]
    assert [one["act"] for one in acts] == ["offer", "commit", "affirm", "rescind"]


def test_what_is_due_is_paid_when_the_buyer_stands_by_it(scene: SettlementScene) -> None:
    """No debtor holds a sale up by paying a hundredth before each try."""
    scene.issue(CARRIER, 500_000)
    id_ = scene.receivable()
    condition = {"kind": "date", "due": int(time.time()) + 2}
    path = f"/settlements/{scene.offered(id_, condition=condition)['id']}"
    committed = scene.bank.post(f"{path}/commit", {"bank": BANK})["settlement"]
    scene.customer.post("/settlements/payments", scene.payment(id_, 1))
    time.sleep(max(0.0, committed["condition"]["due"] + 0.2 - time.time()))
    assert scene.supplier.refused(f"{path}/give-back")[:2] == (409, "TooEarly")
    done = scene.bank.post(f"{path}/affirm", {"revisions": [4]})
    assert done["settlement"]["state"] == "settled"
    assert scene.supplier.get(f"/receivables/{id_}")["holder"] == BANK
    acts = scene.bank.get(f"{path}/history")["acts"]
    assert [one["act"] for one in acts] == ["offer", "commit", "affirm", "execute"]


def test_who_is_paid_on_a_word_does_not_say_it(any_scene: SettlementScene) -> None:
    deadline = int(time.time()) + DAY
    told = {"kind": "delivery", "attestor": FARM, "subject": SUBJECT, "deadline": deadline}
    body = any_scene.offer(any_scene.receivable(), condition=told)
    assert any_scene.supplier.refused("/settlements/offers", body)[:2] == (422, "InvalidAttestor")


def test_an_authority_ends_a_deal_by_decision(scene: SettlementScene) -> None:
    scene.issue(CARRIER, 100_000)
    id_ = scene.inspection()
    data = consortium.set_role(BANK, Role.ARBITRATOR)
    path = f"/settlements/{id_}/quash"
    body = {"decision": EVIDENCE}
    assert scene.bank.refused(path, body)[:2] == (403, "DealNotEntitled")
    scene.node.stack.govern(Decision(consortium.CONSORTIUM_ADDRESS, data))
    time.sleep(1.1)
    assert scene.bank.post(path, body)["settlement"]["state"] == "cancelled"
    assert scene.account(scene.customer)["free"] == "100000"


# ---- bodies, words, documentation ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "place"),
    [
        ({"kind": "date"}, "/condition/due"),
        ({"kind": "date", "due": 1_900_000_000, "attestor": BANK}, "/condition/attestor"),
        ({"kind": "delivery", "attestor": BANK, "deadline": 1_900_000_000}, "/condition/subject"),
        ({"kind": "weather"}, "/condition/kind"),
    ],
)
def test_a_condition_that_means_nothing_is_refused_at_its_place(
    any_scene: SettlementScene, condition: dict[str, Any], place: str
) -> None:
    answer = any_scene.customer.send(
        "POST", "/settlements/conditional", any_scene.conditional(**condition)
    )
    assert answer.status_code == 400, answer.text
    assert place in answer.json()["detail"]


def test_nobody_offers_what_he_may_not_see(any_scene: SettlementScene) -> None:
    unknown = f"0x{'77' * 32}"
    assert any_scene.supplier.refused("/settlements/offers", any_scene.offer(unknown))[0] == 404
    none: dict[str, Any] = any_scene.offer(unknown, instruments=[])
    assert any_scene.supplier.refused("/settlements/offers", none)[0] == 400


def test_what_another_contract_refuses_is_told_in_the_words_of_its_table(
    scene: SettlementScene,
) -> None:
    scene.customer.post("/deposits/homes", {"bank": BANK, "currency": "CNY"})
    id_ = scene.receivable()
    assert scene.customer.refused("/settlements/offers", scene.offer(id_)) == (
        403,
        "NotEntitled",
        f"lock of {id_} is not for {CARRIER}: it is for the holder",
    )


def test_what_is_to_be_signed_stands_in_words(any_scene: SettlementScene) -> None:
    id_ = any_scene.receivable()
    deal = any_scene.offered(id_)
    path = f"/settlements/{deal['id']}/accept?prepare=true"
    prepared = any_scene.bank.post(path, {"bank": BANK})
    for text in (deal["id"], FARM, "970000", BANK):
        assert text in prepared["does"]["en"]
        assert text in prepared["does"]["zh"]
    assert (prepared["contract"], prepared["act"]) == ("settlement", "accept")
    assert any_scene.bank.get(f"/settlements/{deal['id']}")["revision"] == 1


def test_reading_and_acting_need_their_scopes(scene: SettlementScene) -> None:
    reader = Member(scene.node, FARM, "settlement:read")
    other = Member(scene.node, FARM, "receivables:*")
    assert reader.get("/settlements")["settlements"] == []
    assert reader.refused("/settlements/offers", {})[0] == 403
    assert other.send("GET", "/settlements").status_code == 403
    assert scene.node.client.get("/settlements").status_code == 401


def test_every_act_of_members_stands_in_the_openapi_document(any_scene: SettlementScene) -> None:
    paths = any_scene.node.client.get("/openapi.json").json()["paths"]
    prefix = "/settlements/{id}/"
    found = {path.removeprefix(prefix) for path in paths if path.startswith(prefix)}
    by_members = {act.name for act in MACHINE.acts if act.states}
    made_otherwise = {"offer", "set-aside"}
    assert found - {"history"} == by_members - made_otherwise
