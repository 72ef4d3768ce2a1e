"""Loans and their prices over HTTP, on a whole node that is alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from api import ApiSettings
from contracts import consortium
from contracts.consortium import Role
from contracts.financing import MACHINE
from contracts.governance import Call
from tests.api.conftest import Clock, Node
from tests.api.loan_scene import DAY, EVIDENCE, SALT, TABLE, LoanScene
from tests.api.members import Member
from tests.contracts.scene import key
from tests.traceability.capture.stack import BANK, CARRIER, FARM, Identity

pytestmark = [pytest.mark.feature("A1"), pytest.mark.feature("F8"), pytest.mark.feature("S1")]
LIMITS = ApiSettings(rate_per_address_per_s=0, rate_per_key_per_s=0)


@pytest.fixture(scope="module")
def scene(share_node: Callable[..., Node], identity: Identity) -> LoanScene:
    """Of all tests here: each has loans and receipts of its own."""
    return LoanScene(share_node(LIMITS, signers=identity.accounts))


@pytest.fixture
def alone(make_node: Callable[..., Node], identity: Identity) -> LoanScene:
    """Of one test, which looks at all there is, or changes what the others rely on."""
    return LoanScene(make_node(LIMITS, signers=identity.accounts))


def test_a_loan_goes_from_application_to_repayment(scene: LoanScene) -> None:
    receipt = scene.receipt()
    id_ = scene.applied(receipt)
    checked = scene.bank.post(f"/loans/{id_}/check", revision=1)["loan"]["application"]["check"]
    assert checked["passed"] == ["title", "pledge", "stock", "duplicate"]
    assert checked["failed"] == []
    advice = {"score": 710, "limit": 9_000_000, "rateBp": 440, "document": {"why": "grain"}}
    told = scene.platform.post(f"/loans/{id_}/advise", advice, revision=2)
    assert told["advice"][0]["limit"] == "9000000"
    offer = scene.approved(id_, revision=3)
    (shown,) = scene.trader.get(f"/loans/{id_}/offers")["offers"]
    assert (shown["bank"], shown["rateBp"], shown["amount"]) == (BANK, 450, "8000000")
    assert shown["offerHash"] == offer
    accepted = scene.trader.post(f"/loans/{id_}/accept", {"bank": BANK, "offer": offer}, revision=4)
    assert (accepted["loan"]["state"], accepted["loan"]["application"]["bank"]) == (
        "accepted",
        BANK,
    )
    once = {"revision": 5, "headers": {"Idempotency-Key": "payout"}}
    paid_out = scene.bank.post(f"/loans/{id_}/draw-down", **once)
    drawn = paid_out["loan"]
    repeated = scene.bank.send("POST", f"/loans/{id_}/draw-down", **once)
    assert (repeated.status_code, repeated.json()) == (200, paid_out), "not a second time"
    assert repeated.headers["idempotency-replayed"] == "true"
    other = {"revision": 6, "headers": {"Idempotency-Key": "payout"}}
    told = scene.bank.send("POST", f"/loans/{id_}/draw-down", **other).json()
    assert told["type"] == "urn:tallystick:problem:idempotency-key-reused"
    assert (drawn["state"], drawn["revision"]) == ("active", 6)
    pledge = drawn["payout"]["pledge"]
    assert scene.trader.get(f"/pledges/{pledge}")["state"] == "active"
    part = scene.trader.post(f"/loans/{id_}/repay", {"amount": "3000000"}, revision=6)
    assert part["payments"] == [
        {"id": id_, "by": CARRIER, "interest": "0", "principal": "3000000", "ref": None}
    ]
    stored = scene.trader.send("GET", f"/loans/{id_}")
    assert stored.headers["etag"] == '"7"'
    assert stored.json()["owed"]["total"] == "5000000"
    paid = scene.trader.post(f"/loans/{id_}/repay", revision=7)
    assert (paid["loan"]["state"], paid["loan"]["revision"]) == ("repaid", 9)
    assert scene.trader.get(f"/pledges/{pledge}")["state"] == "released"
    assert scene.trader.get(f"/receipts/{receipt}")["pledgee"] is None


def test_a_receivable_is_security_as_well(scene: LoanScene) -> None:
    body = {
        "kind": "invoice",
        "number": "I-1",
        "debtor": FARM,
        "amount": 9_000_000,
        "currency": "CNY",
        "due": int(time.time()) + 90 * DAY,
        "document": {"goods": "freight"},
        "keys": [EVIDENCE],
    }
    invoice = scene.trader.post("/receivables", body)["receivable"]["id"]
    stale = scene.request(invoice)
    scene.warehouse.post(f"/receivables/{invoice}/accept")
    assert scene.trader.refused("/loans", stale, revision=1)[:2] == (422, "InvalidRequest")
    id_ = scene.applied(invoice)
    offer = scene.approved(id_)
    (shown,) = scene.bank.get(f"/loans/{id_}/offers")["offers"]
    assert shown["rateBp"] == 700  # the row for both kinds
    scene.trader.post(f"/loans/{id_}/accept", {"bank": BANK, "offer": offer})
    scene.bank.post(f"/loans/{id_}/draw-down")
    assert scene.trader.get(f"/receivables/{invoice}")["pledgee"] == BANK
    scene.trader.post(f"/loans/{id_}/repay")
    assert scene.trader.get(f"/receivables/{invoice}")["pledgee"] is None


def test_one_history_runs_through_both_contracts_whatever_the_page(scene: LoanScene) -> None:
    id_ = scene.drawn()
    scene.trader.post(f"/loans/{id_}/repay")
    path = f"/loans/{id_}/history"
    acts = scene.trader.get(path)["acts"]
    assert [(act["act"], act["revision"]) for act in acts] == [
        ("apply", 1),
        ("approve", 2),
        ("accept", 3),
        ("draw-down", 4),
        ("draw-down", 4),
        ("repay", 5),
        ("close", 6),
    ]
    assert [act["contract"] for act in acts] == ["applications"] * 4 + ["financing"] * 3
    for act in acts:
        assert scene.node.client.get(act["proof"]).json()["leaf"] == act["leaf"]
    for limit in range(1, 8):
        found: list[dict[str, Any]] = []
        after: dict[str, str] = {}
        while True:
            page = scene.trader.get(path, params={"limit": str(limit), **after})
            assert len(page["acts"]) <= limit
            found += page["acts"]
            if page["after"] is None:
                break
            after = {"after": page["after"]}
        assert found == acts
    (payment,) = scene.bank.get(f"/loans/{id_}/payments")["payments"]
    assert (payment["principal"], payment["interest"]) == ("8000000", "0")


def test_interest_is_told_for_any_day_to_come(scene: LoanScene) -> None:
    id_ = scene.drawn()
    drawn = scene.bank.get(f"/loans/{id_}")["payout"]["debt"]["drawn"]
    owed = scene.bank.get(f"/loans/{id_}", params={"at": drawn + 20 * DAY})["owed"]
    assert owed == {
        "at": drawn + 20 * DAY,
        "principal": "8000000",
        "interest": "20000",  # 80,000 · 4.5 % · 20/360
        "total": "8020000",
    }
    before = scene.bank.get(f"/loans/{id_}", params={"at": 0})["owed"]
    assert (before["at"], before["interest"]) == (drawn, "0")


def test_loans_are_listed_by_whoever_sees_them(alone: LoanScene) -> None:
    asked, lent = alone.applied(), alone.drawn()
    every: list[tuple[Member, dict[str, str], list[str]]] = [
        (alone.trader, {}, [lent, asked]),
        (alone.platform, {}, [lent, asked]),
        (alone.warehouse, {}, []),
        (alone.bank, {"openTo": BANK}, [lent, asked]),
        (alone.bank, {"bank": BANK}, [lent]),
        (alone.bank, {"state": "applied"}, [asked]),
        (alone.bank, {"state": "active"}, [lent]),
        (alone.bank, {"state": "repaid"}, []),
        (alone.bank, {"currency": "CNY", "breached": "false"}, [lent]),
        (alone.bank, {"dueBefore": "1000"}, []),
        (alone.bank, {"number": "none"}, []),
    ]
    for member, params, expected in every:
        found = member.get("/loans", params=params)
        assert [one["id"] for one in found["loans"]] == expected, (member.name, params)
        assert found["after"] is None
    first = alone.bank.get("/loans", params={"limit": "1"})
    second = alone.bank.get("/loans", params={"limit": "1", "after": first["after"]})
    assert [one["id"] for one in (*first["loans"], *second["loans"])] == [lent, asked]
    for wrong in ("state=gone", "state=active&state=applied", "state=active&openTo=town-bank"):
        assert alone.bank.send("GET", f"/loans?{wrong}").status_code == 400, wrong


def test_what_others_may_not_see_is_not_there(scene: LoanScene) -> None:
    id_ = scene.drawn()
    for path in ("", "/history", "/offers", "/advice", "/payments"):
        assert scene.warehouse.send("GET", f"/loans/{id_}{path}").status_code == 404
        assert scene.node.client.get(f"/loans/{id_}{path}").status_code == 401
    assert scene.warehouse.refused(f"/loans/{id_}/repay")[0] == 404
    assert scene.platform.get(f"/loans/{id_}/offers") == {"offers": []}
    assert "best" in scene.trader.get(f"/loans/{id_}")["application"]
    assert "best" not in scene.platform.get(f"/loans/{id_}")["application"]
    reader = Member(scene.node, CARRIER, "financing:read")
    assert reader.get(f"/loans/{id_}")["id"] == id_
    assert reader.refused(f"/loans/{id_}/repay")[0] == 403


def test_acts_are_refused_on_the_wrong_side_of_payout_and_when_late(scene: LoanScene) -> None:
    id_ = scene.applied()
    status, refusal, words = scene.trader.refused(f"/loans/{id_}/repay")
    assert (status, refusal) == (409, "WrongState")
    assert "repay is not possible" in words
    assert "applied" in words
    scene.approved(id_)
    status, refusal, _ = scene.trader.refused(f"/loans/{id_}/withdraw", revision=1)
    assert (status, refusal) == (412, "StaleRevision")
    assert scene.bank.refused(f"/loans/{id_}/withdraw") == (
        403,
        "NotEntitled",
        f"withdraw of {id_} is not for {BANK}: it is for the borrower",
    )
    assert scene.trader.refused(f"/loans/{id_}/sign", {"agreement": EVIDENCE}) == (
        409,
        "WrongState",
        f"sign is not possible while {id_} is applied: it is while accepted",
    )
    lent = scene.drawn()
    for act in ("draw-down", "withdraw"):
        status, refusal, words = scene.bank.refused(f"/loans/{lent}/{act}")
        assert (status, refusal) == (409, "WrongState"), act
        assert "active" in words


def test_a_pledged_receipt_is_not_financed_twice(scene: LoanScene) -> None:
    receipt = scene.receipt()
    one, two = scene.applied(receipt), scene.applied(receipt)
    first, second = scene.approved(one), scene.approved(two)
    scene.trader.post(f"/loans/{one}/accept", {"bank": BANK, "offer": first})
    status, refusal, _ = scene.trader.refused(
        f"/loans/{two}/accept", {"bank": BANK, "offer": second}
    )
    assert (status, refusal) == (409, "CheckFailed")


def test_an_agreement_is_signed_by_both_before_payout(scene: LoanScene) -> None:
    id_ = scene.applied(agreement=True)
    offer = scene.approved(id_)
    scene.trader.post(f"/loans/{id_}/accept", {"bank": BANK, "offer": offer})
    scene.trader.post(f"/loans/{id_}/sign", {"document": {"agreement": 1}})
    assert scene.bank.refused(f"/loans/{id_}/draw-down")[:2] == (409, "NotSigned")
    signed = scene.bank.post(f"/loans/{id_}/sign", {"document": {"agreement": 1}})
    application = signed["loan"]["application"]
    assert application["signedByBank"] == application["signedByBorrower"]
    drawn = scene.bank.post(f"/loans/{id_}/draw-down")["loan"]["payout"]
    assert drawn["terms"] == application["signedByBank"]


def test_money_from_outside_and_warnings_are_booked(scene: LoanScene) -> None:
    id_ = scene.drawn()
    warned = scene.platform.post(
        f"/loans/{id_}/warn", {"severity": 2, "document": {"why": "prices fall"}}
    )
    assert warned["loan"]["payout"]["watch"] == {
        "breachAsset": None,
        "breachSince": 0,
        "warnings": 1,
        "severity": 2,
        "breach": [],
    }
    assert scene.trader.refused(f"/loans/{id_}/report")[:2] == (409, "NothingToReport")
    assert scene.bank.refused(f"/loans/{id_}/fall-overdue")[:2] == (409, "NotYet")
    scene.bank.post(f"/loans/{id_}/credit", {"amount": 1_000_000, "ref": EVIDENCE})
    twice = {"amount": 1_000_000, "ref": EVIDENCE}
    assert scene.bank.refused(f"/loans/{id_}/credit", twice)[:2] == (409, "ReferenceUsed")
    done = scene.bank.post(f"/loans/{id_}/credit", {"document": {"statement": 7}})
    assert (done["loan"]["state"], done["payments"][0]["principal"]) == ("repaid", "7000000")


def test_sealed_quotes_are_opened_and_the_best_is_taken(alone: LoanScene, clock: Clock) -> None:
    now = int(time.time())
    market: dict[str, Any] = {
        "mode": "market",
        "quotesUntil": now + 600,
        "revealUntil": now + 1_200,
        "rateBpMax": 900,
    }
    id_ = alone.applied(**market)
    quote = {"amount": 8_000_000, "rateBp": 430, "document": {"terms": 1}, "salt": SALT}
    sealed = alone.bank.post(f"/loans/{id_}/commit", quote)
    (offer,) = sealed["offers"]
    assert (offer["stance"], offer["rateBp"], offer["offerHash"]) == ("committed", 0, None)
    clock.reach(now + 600)
    assert alone.bank.refused(f"/loans/{id_}/reveal", {**quote, "rateBp": 431})[1] == (
        "CommitmentDiffers"
    )
    (offer,) = alone.bank.post(f"/loans/{id_}/reveal", quote)["offers"]
    assert (offer["stance"], offer["rateBp"]) == ("revealed", 430)
    assert alone.trader.get(f"/loans/{id_}")["application"]["best"] == BANK
    clock.reach(now + 1_200)
    choice = {"bank": BANK, "offer": offer["offerHash"]}
    assert alone.trader.post(f"/loans/{id_}/accept", choice)["loan"]["state"] == "accepted"


def test_points_lower_the_rate_as_the_table_allows(scene: LoanScene) -> None:
    body = {"customer": CARRIER, "change": 2_500, "document": {"harvest": 2026}}
    answer = scene.bank.send("POST", "/contribution-points", body)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/contribution-points/{BANK}/{CARRIER}"
    assert scene.bank.refused("/contribution-points", body)[:2] == (409, "ReferenceUsed")
    path = f"/rate-tables/{BANK}/CNY/rate"
    asked = {"kind": "receipts", "amount": "8000000", "termDays": "60"}
    shown = scene.trader.get(path, params=asked)
    told = (shown["rateBp"], shown["points"], shown["discountBp"], shown["contributionRateBp"])
    assert told == (450, 2_500, 25, 425)
    id_ = scene.applied(mode="contribution")
    scene.approved(id_)
    (offer,) = scene.trader.get(f"/loans/{id_}/offers")["offers"]
    assert (offer["rateBp"], offer["discountBp"]) == (425, 25)
    (points,) = scene.trader.get("/contribution-points")["points"]
    assert (points["bank"], points["points"]) == (BANK, 2_500)
    (booking,) = scene.bank.get(f"/contribution-points/{BANK}/{CARRIER}")["bookings"]
    assert booking["change"] == 2_500
    assert scene.node.client.get(booking["proof"]).status_code == 200
    hidden = f"/contribution-points/{BANK}/{CARRIER}"
    assert scene.warehouse.send("GET", hidden).status_code == 404
    assert scene.trader.send("GET", path, params={**asked, "termDays": "800"}).status_code == 404


def test_tables_are_for_all_members_in_every_version(alone: LoanScene) -> None:
    alone.bank.post("/rate-tables", {**TABLE, "tiers": TABLE["tiers"][1:]})
    (present,) = alone.warehouse.get("/rate-tables")["tables"]
    assert (present["version"], len(present["tiers"])) == (2, 1)
    assert present["tiers"][0]["amountMax"] == "50000000000"
    first = alone.warehouse.get(f"/rate-tables/{BANK}/CNY", params={"version": 1})
    assert [tier["rateBp"] for tier in first["tiers"]] == [450, 700]
    assert alone.warehouse.send("GET", f"/rate-tables/{BANK}/EUR").status_code == 404
    assert alone.trader.refused("/rate-tables", TABLE)[:2] == (403, "NotBank")
    other = alone.request(alone.receipt(), currency="EUR")
    assert alone.trader.refused("/loans", other)[0] == 422


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"mode": "gift"}, "/mode"),
        ({"yearDays": 364}, "/yearDays"),
        ({"banks": []}, "/banks"),
        ({"document": None}, "/purpose"),
        ({"purpose": EVIDENCE}, "/purpose"),
        ({"amount": -1}, "/amount"),
        ({"more": 1}, "/more"),
    ],
)
def test_a_body_that_means_nothing_is_refused_at_its_place(
    scene: LoanScene, change: dict[str, Any], place: str
) -> None:
    answer = scene.trader.send("POST", "/loans", scene.request(scene.receipt()) | change)
    assert answer.status_code == 400, answer.text
    assert place in answer.json()["detail"]


def test_a_quote_is_sealed_of_all_or_nothing(scene: LoanScene) -> None:
    id_ = scene.applied()
    for body in ({}, {"amount": 1}, {"sealed": SALT, "rateBp": 3, "amount": 5, "salt": SALT}):
        assert scene.bank.refused(f"/loans/{id_}/commit", body)[0] == 400
    body = {"sealed": SALT, "amount": 1, "rateBp": 3, "salt": SALT, "text": EVIDENCE}
    status, _, words = scene.bank.refused(f"/loans/{id_}/commit", body)
    assert (status, "not that of what is sent" in words) == (400, True)


def test_acts_can_be_prepared_in_words(scene: LoanScene) -> None:
    id_ = scene.drawn()
    bodies: list[tuple[Member, str, dict[str, Any]]] = [
        (scene.trader, "repay", {"amount": 5}),
        (scene.trader, "repay", {}),
        (scene.bank, "credit", {"amount": 5, "ref": EVIDENCE}),
        (scene.bank, "warn", {"severity": 1, "text": EVIDENCE}),
    ]
    for member, act, body in bodies:
        prepared = member.post(f"/loans/{id_}/{act}?prepare=true", body, revision=4)
        assert prepared["act"] == act
        assert id_ in prepared["does"]["en"]
        assert id_ in prepared["does"]["zh"]
    assert scene.bank.get(f"/loans/{id_}")["revision"] == 4


def test_every_act_of_members_stands_in_the_openapi_document(node: Node) -> None:
    paths = node.client.get("/openapi.json").json()["paths"]
    of_instruments = {"encumber", "disencumber", "seize", "lock", "unlock", "settle", "award"}
    of_instruments |= {"freeze", "unfreeze", "permit"}
    expected = {act.name for act in MACHINE.acts} - of_instruments - {"apply", "close"}
    prefix = "/loans/{id}/"
    found = {path.removeprefix(prefix) for path in paths if path.startswith(prefix)}
    assert found - {"history", "offers", "advice", "payments"} == expected


def test_a_bank_sees_the_security_of_what_it_is_asked_for_and_a_strange_bank_nothing(
    scene: LoanScene,
) -> None:
    admit = consortium.add_organisation(
        "strange-bank", Role.BANK, consortium.Profile("Strange Bank"), key(5_151).address
    )
    scene.node.stack.govern(Call(consortium.CONSORTIUM_ADDRESS, admit))
    stranger = Member(scene.node, "strange-bank", "receipts:read")
    receipt = scene.receipt()
    assert not _shown(scene.bank, receipt)
    loan = scene.applied(receipt)
    assert _shown(scene.bank, receipt)
    assert not _shown(stranger, receipt)
    scene.trader.post(f"/loans/{loan}/withdraw")
    assert not _shown(scene.bank, receipt)


def _shown(member: Member, receipt: str) -> bool:
    """Whether a receipt is found by its id, in the list and with its history; or nowhere."""
    status = member.send("GET", f"/receipts/{receipt}").status_code
    listed = member.get("/receipts")["receipts"]
    history = member.send("GET", f"/receipts/{receipt}/history").status_code
    assert (status, history) in ((200, 200), (404, 404))
    assert (receipt in [one["id"] for one in listed]) == (status == 200)
    return status == 200
