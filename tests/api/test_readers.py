"""Whose the bytes of a leaf are where the feed tells nobody of it, and whose they are not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from api import ApiSettings
from contracts.consortium import Role
from tests.api.conftest import open_node
from tests.api.loan_scene import SCOPES as LOANS
from tests.api.loan_scene import TABLE, LoanScene
from tests.api.members import Member
from tests.traceability.capture.stack import BANK, CARRIER, FARM, OFFICE, ROLES, make_identity

pytestmark = [pytest.mark.feature("A1"), pytest.mark.feature("S1"), pytest.mark.feature("F8")]
HARBOUR, ELSEWHERE, MILL, COURT = "harbour-bank", "elsewhere-bank", "stone-mill", "river-court"
OTHERS = {
    HARBOUR: Role.BANK,
    ELSEWHERE: Role.BANK,
    MILL: Role.MANUFACTURER,
    COURT: Role.ARBITRATOR,
}
SCOPES = (*LOANS, "settlement:*", "notices:read")
DECISION = f"0x{'dc' * 32}"


def soon(days: int) -> int:
    """Unix seconds."""
    return int(time.time()) + days * 86_400


class Town(LoanScene):
    """A granary, a trader and his bank; two more banks, a mill and a court."""

    def __init__(self, exits: ExitStack, folder: Any) -> None:
        identity = make_identity("readers", {**ROLES, **OTHERS})
        limits = ApiSettings(rate_per_address_per_s=0, rate_per_key_per_s=0)
        url = f"sqlite:///{folder}/readers.sqlite"
        super().__init__(open_node(exits, folder, identity, url, limits, signers=identity.accounts))
        self.all = {name: Member(self.node, name, *SCOPES) for name in {**ROLES, **OTHERS}}
        self.court = Member(self.node, COURT, *SCOPES, "supervise")

    def given(self, leaf: int) -> set[str]:
        """Members who are given a leaf's bytes, by keys that may read every room."""
        assert self.court.get(f"/log/proof/{leaf}")["entry"] is not None
        assert self.node.client.get(f"/log/proof/{leaf}").json()["entry"] is None
        found = {name: one.get(f"/log/proof/{leaf}")["entry"] for name, one in self.all.items()}
        return {name for name, entry in found.items() if entry is not None}

    def told(self, kind: str) -> dict[str, list[dict[str, Any]]]:
        """Notices of a kind, by who is told."""
        pages = {
            name: one.get("/notices", params={"kind": kind})["notices"]
            for name, one in self.all.items()
        }
        return {name: page for name, page in pages.items() if page}


EVERYBODY = {*ROLES, *OTHERS}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with ExitStack() as exits:
        yield Town(exits, tmp_path_factory.mktemp("readers"))


def leaf_of(done: dict[str, Any], event: str) -> int:
    """Of the first event of that name."""
    return next(int(one["leaf"]) for one in done["events"] if one["name"] == event)


def issued(town: Town, number: str, **more: Any) -> dict[str, Any]:
    body = {
        "number": number,
        "lot": town.lot,
        "quantity": 1_000,
        "expires": soon(90),
        "holder": CARRIER,
        "document": {"goods": "wheat", "number": number},
        "goodsDescription": {"class": "wheat"},
        "items": [f"urn:epc:id:sgtin:9521141.012345.{number}"],
        **more,
    }
    return town.warehouse.post("/receipts", body)


def test_a_receipts_goods_are_for_who_has_to_do_with_them(town: Town) -> None:
    done = issued(town, "7001", publish=True)
    moved, claimed, terms = (
        leaf_of(done, name) for name in ("StockMoved", "Claimed", "TermsPublished")
    )
    assert town.given(moved) == {FARM, CARRIER}
    assert town.given(claimed) == {FARM, CARRIER}
    assert town.given(terms) == EVERYBODY, "it was published for all members"
    id_ = done["receipt"]["id"]
    terms_of_pledge = {
        "instrument": id_,
        "pledgee": BANK,
        "amount": 500_000,
        "currency": "CNY",
        "due": soon(30),
        "noticeSeconds": 86_400,
        "terms": DECISION,
    }
    pledge = town.trader.post("/pledges", terms_of_pledge)["pledge"]["id"]
    assert town.given(claimed) == {FARM, CARRIER, BANK}, "it is offered the receipt"
    assert town.given(moved) == {FARM, CARRIER}, "and not the lot"
    town.bank.post(f"/pledges/{pledge}/accept")
    assert town.given(moved) == {FARM, CARRIER, BANK}
    adjusted = town.warehouse.post(
        f"/stock/lots/{town.lot}/adjust", {"counted": 999_000, "reason": "dried"}
    )
    assert town.given(leaf_of(adjusted, "Adjusted")) == {FARM, CARRIER, BANK}


def test_a_key_without_the_room_or_for_another_record_is_given_nothing(town: Town) -> None:
    one, other = issued(town, "7002", publish=True), issued(town, "7003", publish=True)
    id_ = one["receipt"]["id"]
    leaves = [leaf_of(one, name) for name in ("StockMoved", "Claimed", "TermsPublished")]
    weak = Member(town.node, CARRIER, "notices:read", "financing:*", "capture")
    assert [weak.get(f"/log/proof/{leaf}")["entry"] for leaf in leaves] == [None] * 3
    bound = Member(town.node, CARRIER, "receipts:read")
    keys = town.node.services.keys
    scopes = ["receipts:read", "stock:read"]
    bound.secret = keys.create(CARRIER, scopes, instruments=[id_])[0]
    given = [bound.get(f"/log/proof/{leaf}")["entry"] is not None for leaf in leaves]
    assert given == [False, True, True], "the lot is another record"
    foreign = [leaf_of(other, name) for name in ("Claimed", "TermsPublished")]
    assert [bound.get(f"/log/proof/{leaf}")["entry"] for leaf in foreign] == [None] * 2


def test_advice_is_told_to_the_borrower_and_to_the_banks_that_are_asked(town: Town) -> None:
    asked_for = {"mode": "market", "quotesUntil": soon(1), "revealUntil": soon(2)}
    banks = [{"bank": BANK}, {"bank": HARBOUR}]
    id_ = town.applied(banks=banks, rateBpMax=900, **asked_for)
    advice = {"score": 710, "limit": 9_000_000, "rateBp": 440, "document": {"why": "grain"}}
    done = town.platform.post(f"/loans/{id_}/advise", advice)
    asked = {OFFICE, CARRIER, BANK, HARBOUR}
    assert town.given(leaf_of(done, "Advised")) == asked
    told = town.told("application.advised")
    assert set(told) == asked
    (one,) = told[HARBOUR]
    assert one["instrument"] == id_
    assert one["body"]["by"] == OFFICE
    assert (one["body"]["advice"]["score"], one["body"]["advice"]["limit"]) == (710, "9000000")
    assert town.told("application.advise").keys() == {OFFICE, CARRIER}, "with what is sealed"
    town.all[HARBOUR].post(f"/loans/{id_}/decline", {"document": {"reasons": "too far"}})
    town.platform.post(f"/loans/{id_}/advise", {**advice, "score": 720})
    counts = {name: len(page) for name, page in town.told("application.advised").items()}
    assert counts == {OFFICE: 2, CARRIER: 2, BANK: 2, HARBOUR: 1}, "who has declined is done"


def test_a_banks_decision_is_for_the_borrower_and_itself(town: Town) -> None:
    town.all[HARBOUR].post("/rate-tables", TABLE)
    id_ = town.applied(banks=[{"bank": BANK}, {"bank": HARBOUR}])
    body = {"amount": 8_000_000, "validUntil": soon(9), "document": {"terms": "of the offer"}}
    done = town.bank.post(f"/loans/{id_}/approve", body)
    assert town.given(leaf_of(done, "ApplicationActed")) == {BANK, CARRIER}
    assert town.given(leaf_of(done, "OfferChanged")) == {BANK, CARRIER}


def test_where_somebody_is_paid_is_for_all_who_pay(town: Town) -> None:
    home = {"bank": BANK, "currency": "CNY"}
    done = town.all[MILL].post("/deposits/homes", home)
    assert town.given(leaf_of(done, "HomeChosen")) == EVERYBODY


def test_a_claim_and_what_became_of_it_are_for_the_parties_of_its_record(town: Town) -> None:
    key = f"0x{'c1' * 32}"
    body = {
        "kind": "invoice",
        "number": "I-1",
        "debtor": CARRIER,
        "amount": 1_000_000,
        "currency": "CNY",
        "due": soon(90),
        "terms": DECISION,
        "keys": [key],
    }
    id_ = town.all[MILL].post("/receivables", body)["receivable"]["id"]
    accepted = town.trader.post(f"/receivables/{id_}/accept")
    claimed = leaf_of(accepted, "Claimed")
    assert town.given(claimed) == {MILL, CARRIER}
    split = town.all[MILL].post(f"/receivables/{id_}/split", {"amounts": [400_000, 600_000]})
    parts = [one["id"] for one in split["receivables"] if one["part"]]
    town.all[MILL].post(f"/receivables/{parts[0]}/endorse", {"to": HARBOUR})
    assert town.given(claimed) == {MILL, CARRIER, HARBOUR}, "a part's holder relies on it"
    for holder, part, amount in ((HARBOUR, parts[0], 400_000), (MILL, parts[1], 600_000)):
        town.all[holder].post(f"/receivables/{part}/confirm-payment", {"amount": amount})
    done = town.court.post(f"/claims/{key}/annul", {"decision": DECISION})
    parties = {MILL, CARRIER, HARBOUR}
    assert town.given(leaf_of(done, "Released")) == {*parties, COURT}
    assert town.given(leaf_of(done, "Annulled")) == {*parties, COURT}, "COURT has sent it"
