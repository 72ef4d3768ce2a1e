"""The client's rooms of finance, against whole nodes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from api import ApiSettings
from api.client import Denied, Done, Missing, Refused, Tallystick
from contracts import consortium
from contracts.consortium import Role
from contracts.governance import Call
from tests.api.conftest import Node, open_node
from tests.api.loan_scene import TABLE, LoanScene
from tests.api.test_clearing import Market, open_market
from tests.api.test_client import Node as Script
from tests.api.test_client import answer
from tests.traceability.capture.stack import BANK, CARRIER, FARM, OFFICE, Identity

pytestmark = [pytest.mark.feature("A1"), pytest.mark.feature("A2")]
CNY = "CNY"
ID = f"0x{'2' * 64}"


@contextmanager
def client_of(node: Node, organisation: str, *scopes: str) -> Iterator[Tallystick]:
    secret = node.services.keys.create(organisation, scopes)[0]
    transport = node.client._transport
    with Tallystick("http://testserver", key=secret, transport=transport) as tally:
        yield tally


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory, identity: Identity) -> Iterator[Market]:
    with ExitStack() as exits:
        yield open_market(exits, tmp_path_factory.mktemp("market"), identity)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, identity: Identity) -> Iterator[LoanScene]:
    limits = ApiSettings(rate_per_address_per_s=0, rate_per_key_per_s=0)
    folder = tmp_path_factory.mktemp("loans")
    url = f"sqlite:///{folder / 'tally.sqlite'}"
    with ExitStack() as exits:
        yield LoanScene(open_node(exits, folder, identity, url, limits, signers=identity.accounts))


def test_deposits_are_issued_paid_redeemed_and_told(market: Market) -> None:
    with (
        client_of(market.node, BANK, "settlement:*") as bank,
        client_of(market.node, FARM, "settlement:*") as farm,
    ):
        farm.deposits.choose_home(BANK, CNY)
        assert bank.deposits.home(FARM, CNY) == BANK
        with pytest.raises(Missing):
            bank.deposits.home(FARM, "EUR")
        before = farm.deposits.get(market.account)["balance"]
        done = bank.deposits.issue(market.money(7_000, to=FARM))
        assert isinstance(done, Done)
        with pytest.raises(Refused) as refused:
            farm.deposits.issue(market.money(1, to=CARRIER))
        assert refused.value.refusal == "NotBank"
        farm.deposits.pay(market.money(2_000, bank=BANK, payee=CARRIER))
        asked = farm.deposits.redemptions.create(market.money(1_000, bank=BANK))
        (open_,) = bank.deposits.redemptions.list(state="requested")
        assert open_["id"] == asked.body["payment"]
        bank.deposits.redemptions.act(open_["id"], "confirm", {"remark": "HVPS 1"})
        assert farm.deposits.redemptions.get(open_["id"])["state"] == "confirmed"
        (account,) = farm.deposits.list(bank=BANK, currency=CNY)
        assert int(account["balance"]) == int(before) + 7_000 - 2_000 - 1_000
        kinds = [one["kind"] for one in farm.deposits.movements(account=market.account, page=2)]
        assert kinds[-4:] == ["issued", "sent", "redemption-requested", "redeemed"]


def test_a_day_between_banks_is_cleared_settled_and_reconciled(market: Market) -> None:
    with (
        client_of(market.node, CARRIER, "settlement:*") as other,
        client_of(market.node, BANK, "settlement:read") as bank,
    ):
        (position,) = bank.deposits.positions(bank=BANK, currency=CNY)[:1]
        assert {position["creditor"], position["debtor"]} == {BANK, CARRIER}
        (pair,) = other.clearing(market.day(), currency=CNY)["bilateral"]
        assert pair["net"]["payer"] == BANK
        limit = {"debtor": BANK, "currency": CNY, "limit": 950_000}
        assert other.deposits.set_limit(limit).body["positions"][0]["limit"] == "950000"
        done = other.deposits.confirm_settlement(market.money(5_000, debtor=BANK))
        assert done.body["positions"][0]["kind"] == "settled"
        last = list(bank.deposits.interbank(currency=CNY, page=2))[-1]
        assert (last["kind"], last["amount"]) == ("settled", "5000")
        with pytest.raises(Denied):
            bank.deposits.set_limit(limit)


@pytest.mark.parametrize("form", ["csv", "xml"])
def test_a_statement_is_fetched_and_handed_in_again(market: Market, form: str) -> None:
    with client_of(market.node, FARM, "settlement:read") as farm:
        day, to = market.day(), market.days().rpartition("=")[2]
        file = farm.deposits.statement(market.account, day, to=to, form=form)
        found = farm.reconcile(file, account=market.account, day=day, to=to)
        assert found["agrees"] is True
        assert len(found["matched"]) == found["ledger"]["lines"] >= 4
        told = json.loads(farm.deposits.statement(market.account, day, to=to, form="json"))
        assert len(told["movements"]) == found["ledger"]["lines"]
        with pytest.raises(ValueError, match="pdf"):
            farm.deposits.statement(market.account, day, form="pdf")


def test_a_loan_is_applied_for_decided_drawn_and_repaid(scene: LoanScene) -> None:
    scopes = ("financing:*", "stock:*", "pledges:read", "receipts:*")
    with (
        client_of(scene.node, CARRIER, *scopes) as trader,
        client_of(scene.node, BANK, *scopes) as bank,
        client_of(scene.node, OFFICE, *scopes) as platform,
    ):
        bank.rate_tables.publish(TABLE)
        assert [one["version"] for one in trader.rate_tables.list()] == [2]
        assert trader.rate_tables.get(BANK, CNY, version=1)["version"] == 1
        bank.contribution_points.record(
            {"customer": CARRIER, "change": 1_000, "document": {"why": "salaries"}}
        )
        (points,) = trader.contribution_points.list(bank=BANK)
        assert (points["customer"], points["points"]) == (CARRIER, 1_000)
        (booked,) = trader.contribution_points.bookings(BANK, CARRIER)
        assert booked["change"] == 1_000
        rate = trader.rate_tables.rate(BANK, CNY, kind="receipts", amount=8_000_000, term_days=60)
        assert (rate["rateBp"], rate["contributionRateBp"]) == (450, 440)
        receipt = scene.receipt()
        seen = trader.receipts.get(receipt)["revision"]
        loan = trader.loans.apply(scene.request(receipt), revision=seen).body["loan"]["id"]
        advice = {"score": 7, "limit": 9_000_000, "rateBp": 440, "document": {"why": "grain"}}
        platform.loans.act(loan, "advise", advice)
        assert [one["score"] for one in trader.loans.advice(loan)] == [7]
        offer = {"amount": 8_000_000, "validUntil": int(time.time()) + 9_000, "document": {"a": 1}}
        bank.loans.act(loan, "approve", offer)
        (offered,) = trader.loans.offers(loan)
        trader.loans.act(loan, "accept", {"bank": BANK, "offer": offered["offerHash"]})
        drawn = bank.loans.act(loan, "draw-down").body["loan"]
        assert list(bank.pledges.instruments(drawn["payout"]["pledge"], page=1)) == [receipt]
        trader.loans.act(loan, "repay")
        assert [one["principal"] for one in trader.loans.payments(loan)] == ["8000000"]
        later = trader.loans.get(loan, at=int(time.time()) + 86_400)
        assert (later["state"], later["owed"]["total"]) == ("repaid", "0")
        acts = [act["act"] for act in trader.loans.history(loan, page=2)]
        assert (acts[0], acts[-1]) == ("apply", "close")
        assert [one["id"] for one in bank.loans.list(state="repaid")] == [loan]


def test_goods_are_counted_and_their_receipts_merged(scene: LoanScene) -> None:
    with (
        client_of(scene.node, FARM, "stock:*", "receipts:*") as granary,
        client_of(scene.node, CARRIER, "receipts:*") as trader,
    ):
        count = {
            "lot": scene.lot,
            "quantity": 90_000,
            "countedAt": int(time.time()),
            "sequence": 2,
            "evidence": ID,
        }
        assert len(granary.stock.digest(count)["digest"]) == 66
        granary.stock.count(count)
        with pytest.raises(Refused):
            granary.stock.relay({**count, "sequence": 3, "signature": f"0x{'5e' * 64}1b"})
        (here,) = granary.stock.locations(warehouse=FARM)
        assert here["counted"] == "90000"
        told = [one["kind"] for one in granary.lots.history(scene.lot, kind="counted", page=1)]
        assert told == ["counted", "counted"]
        parts = [trader.receipts.get(scene.receipt()) for _ in range(2)]
        body = {"receipts": [{"id": one["id"], "revision": one["revision"]} for one in parts]}
        whole: dict[str, Any] = trader.receipts.merge(body).body["receipt"]
        assert whole["quantity"] == "20000"
        with pytest.raises(Missing):
            trader.receipts.document(whole["id"])


def test_a_receivable_is_paid_and_goods_change_hands_for_money(scene: LoanScene) -> None:
    scopes = ("settlement:*", "receivables:*", "receipts:*")
    data = consortium.set_role(OFFICE, Role.ARBITRATOR)
    with (
        client_of(scene.node, CARRIER, *scopes) as trader,
        client_of(scene.node, BANK, *scopes) as bank,
        client_of(scene.node, FARM, *scopes) as farm,
    ):
        bank.deposits.issue({"currency": CNY, "amount": 90_000, "number": "D-1", "to": FARM})
        trader.deposits.choose_home(BANK, CNY)
        invoice = {
            "kind": "invoice",
            "number": "I-9",
            "debtor": FARM,
            "amount": 50_000,
            "currency": CNY,
            "due": int(time.time()) + 9_000,
            "document": {"goods": "freight"},
            "publish": True,
            "keys": [f"0x{'ab' * 32}"],
        }
        debt = trader.receivables.create(invoice).body["receivable"]["id"]
        assert json.loads(farm.receivables.document(debt)) == invoice["document"]
        farm.receivables.act(debt, "accept")
        payment = {"receivable": debt, "bank": BANK, "amount": 50_000, "number": "P-1"}
        assert farm.settlements.pay(payment).body["receivable"]["state"] == "paid"
        leg = trader.receipts.get(scene.receipt())
        offer = {
            "number": "S-1",
            "currency": CNY,
            "amount": 40_000,
            "expires": int(time.time()) + 9_000,
            "instruments": [{"kind": "receipt", "id": leg["id"], "revision": leg["revision"]}],
            "buyer": FARM,
        }
        deal = trader.settlements.offer(offer).body["settlement"]["id"]
        farm.settlements.act(deal, "accept", {"bank": BANK})
        assert trader.settlements.get(deal)["state"] == "settled"
        assert farm.receipts.get(leg["id"])["holder"] == FARM
        (account,) = trader.deposits.list()
        assert account["balance"] == "90000"
        scene.node.stack.govern(Call(consortium.CONSORTIUM_ADDRESS, data))
        time.sleep(1.1)
        with client_of(scene.node, OFFICE, "settlement:*", "supervise") as office:
            hold = {"bank": BANK, "owner": CARRIER, "currency": CNY, "amount": 9, "decision": ID}
            office.deposits.holds.create(hold)
            (held,) = office.deposits.get(account["id"])["holds"]
            office.deposits.holds.release(held["id"], {"amount": 9, "decision": ID})
            assert office.deposits.get(account["id"])["held"] == "0"


def test_what_is_left_goes_to_its_place() -> None:
    done = {"transaction": ID, "block": 7, "leaf": 9, "proof": "/log/proof/9"}
    node = Script(answer(200, done), answer(200, done))
    client = node.client()
    client.deposits.holds.collect(ID, {"amount": 1})
    client.settlements.set_aside({"payee": "farm"}, key="k1")
    assert [request.url.path for request in node.asked] == [
        f"/deposits/holds/{ID}/collect",
        "/settlements/conditional",
    ]
    assert node.asked[1].headers["idempotency-key"] == "k1"
