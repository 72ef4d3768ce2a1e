"""Clearing, statements and reconciliation over HTTP, on a whole node with two banks."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from api import ApiSettings
from contracts import consortium
from contracts.consortium import Role
from contracts.governance import Call as Decision
from contracts.settlement import parse_camt053, parse_csv
from tests.api.conftest import Node, open_node
from tests.api.described import Described
from tests.api.members import Member
from tests.contracts.settlement.statement_samples import Line, camt053, csv_text
from tests.ledger.projection.support import empty_database
from tests.traceability.capture.stack import BANK, CARRIER, FARM, OFFICE, Identity

pytestmark = [pytest.mark.feature("A1"), pytest.mark.feature("F10")]
CNY = "CNY"
CSV = {"Content-Type": "text/csv"}
XML = {"Content-Type": "application/xml"}
SLOW = pytest.mark.slow
BOMB = b'<!DOCTYPE a [<!ENTITY b "cccccccc">]><Document>&b;</Document>'


class Market:
    """A bank with the farm's money, a second one (the carrier), and some payments of today."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.numbers = 0
        self.bank, self.farm, self.other, self.office = (
            Described(node, name, "settlement:*", "supervise")
            for name in (BANK, FARM, CARRIER, OFFICE)
        )
        data = consortium.set_role(CARRIER, Role.BANK)
        node.stack.govern(Decision(consortium.CONSORTIUM_ADDRESS, data))
        time.sleep(1.1)  # standing is looked at once a second
        self.account: str = (
            self.bank.send("POST", "/deposits", self.money(500_000, to=FARM))
            .headers["location"]
            .rpartition("/")[2]
        )
        limits: tuple[tuple[Member, str], ...] = ((self.other, BANK), (self.bank, CARRIER))
        for creditor, debtor in limits:
            limit = {"debtor": debtor, "currency": CNY, "limit": 900_000}
            creditor.post("/deposits/interbank/limits", limit)
        for amount in (60_000, 40_000):
            self.farm.post("/deposits/payments", self.money(amount, bank=BANK, payee=CARRIER))
        back = self.money(30_000, bank=CARRIER, payee=FARM, payeeBank=BANK, remark="fee, back")
        self.other.post("/deposits/payments", back)

    def money(self, amount: int, **more: Any) -> dict[str, Any]:
        self.numbers += 1
        return {"currency": CNY, "amount": amount, "number": f"N-{self.numbers}", **more}

    @property
    def moved(self) -> list[dict[str, Any]]:
        query = f"account={self.account}&kind=issued&kind=sent&kind=received"
        lines: list[dict[str, Any]] = self.farm.get(f"/deposits/movements?{query}")["movements"]
        return lines

    def day(self, utc_offset: int = 0) -> str:
        """Of the first movement: the tests may run over midnight."""
        moment = datetime.fromtimestamp(self.moved[0]["time"], UTC)
        return (moment + timedelta(minutes=utc_offset)).date().isoformat()

    def days(self) -> str:
        """All days of the story."""
        last = datetime.fromtimestamp(self.moved[-1]["time"], UTC).date()
        return f"date={self.day()}&to={last + timedelta(days=1)}"

    def lines(self) -> list[Line]:
        """What the bank should have booked."""
        return [
            Line(
                datetime.fromtimestamp(one["time"], UTC).date(),
                int(one["amount"]) * (-1 if one["kind"] == "sent" else 1),
                reference=one["number"],
                counterparty=one["counterparty"] or "",
            )
            for one in self.moved
        ]

    def reconcile(
        self, body: bytes, headers: dict[str, str] = CSV, by: Member | None = None, **more: str
    ) -> httpx.Response:
        query = "&".join(f"{name}={value}" for name, value in more.items())
        account = "" if "account" in more else f"&account={self.account}"
        path = f"/reconciliations?{self.days()}{account}&{query}"
        return (by or self.bank).send("POST", path, content=body, headers=headers)

    def told(self, body: bytes, headers: dict[str, str] = CSV, **more: Any) -> dict[str, Any]:
        answer = self.reconcile(body, headers, **more)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


def open_market(
    exits: ExitStack, folder: Path, identity: Identity, database: str = "sqlite"
) -> Market:
    """A market that is there until `exits` is closed."""
    limits = ApiSettings(rate_per_address_per_s=0, rate_per_key_per_s=0)
    url = exits.enter_context(empty_database(database, folder))
    return Market(open_node(exits, folder, identity, url, limits))


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=[SLOW])])
def market(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    identity: Identity,
) -> Iterator[Market]:
    """One for all tests that only look."""
    with ExitStack() as exits:
        folder = tmp_path_factory.mktemp("market")
        yield open_market(exits, folder, identity, request.param)


# ---- clearing -----------------------------------------------------------------------------------


def test_two_banks_see_what_a_day_leaves_between_them(market: Market) -> None:
    for member in (market.bank, market.other):
        found = member.get(f"/clearing/{market.day()}?currency={CNY}")
        (pair,) = found["bilateral"]
        assert pair["payments"] == 3
        assert pair["net"] == {"payer": BANK, "payee": CARRIER, "amount": "70000"}
        assert pair["dayNet"] == pair["net"]
        assert pair["setOff"] == "30000"
        claims = {one["creditor"]: one for one in pair["claims"]}
        assert (claims[CARRIER]["claimed"], claims[CARRIER]["closing"]) == ("100000", "70000")
        assert (claims[BANK]["claimed"], claims[BANK]["closing"]) == ("30000", "0")
        assert (claims[BANK]["opening"], claims[BANK]["settled"]) == ("0", "0")
        (net,) = found["multilateral"]
        assert net["bank"] == member.name
        assert net["net"] == ("-70000" if member is market.bank else "70000")
        assert (found["complete"], found["transfers"]) == (False, [])
        changes = member.get(found["movements"])["movements"]
        assert sum(one["kind"] == "claimed" for one in changes) == 3
        off = [(one["creditor"], one["amount"]) for one in changes if one["kind"] == "set-off"]
        assert {creditor for creditor, _ in off} == {BANK, CARRIER}
        assert sum(int(amount) for _, amount in off) == 2 * 30_000


def test_who_supervises_sees_all_and_others_nothing(market: Market) -> None:
    empty = market.farm.get(f"/clearing/{market.day()}")
    assert (empty["bilateral"], empty["multilateral"], empty["transfers"]) == ([], [], [])
    data = consortium.set_role(OFFICE, Role.REGULATOR)
    market.node.stack.govern(Decision(consortium.CONSORTIUM_ADDRESS, data))
    time.sleep(1.1)
    seen = market.office.get(f"/clearing/{market.day()}")
    assert seen["complete"] is True
    assert seen["transfers"] == [
        {"currency": CNY, "payer": BANK, "payee": CARRIER, "amount": "70000"}
    ]
    assert [one["bank"] for one in seen["multilateral"]] == sorted((BANK, CARRIER))
    without = Member(market.node, OFFICE, "settlement:read")
    assert without.get(f"/clearing/{market.day()}")["bilateral"] == []


def test_days_begin_where_one_says_and_other_currencies_have_none(market: Market) -> None:
    east, day = 840, market.day(840)
    assert market.bank.get(f"/clearing/{day}?utcOffset={east}")["bilateral"]
    start = datetime.fromisoformat(f"{day}T00:00:00+14:00")
    assert market.bank.get(f"/clearing/{day}?utcOffset={east}")["since"] == start.timestamp()
    assert market.bank.get(f"/clearing/{day}?currency=EUR")["bilateral"] == []
    long_ago = market.bank.get("/clearing/2001-02-03")
    assert (long_ago["bilateral"], long_ago["final"]) == ([], True)
    assert market.bank.get("/clearing/2999-02-03")["final"] is False
    for wrong in ("2026-02-30", "1969-12-31", "9999-12-31", "today", "2026-2-3"):
        answer = market.bank.send("GET", f"/clearing/{wrong}")
        assert answer.status_code == 400, (wrong, answer.text)
    assert market.bank.send("GET", f"/clearing/{day}?utcOffset=841").status_code == 400
    keyless = Member(market.node, BANK, "receipts:read")
    assert keyless.send("GET", f"/clearing/{day}").status_code == 403


# ---- statements ---------------------------------------------------------------------------------


def test_a_statement_comes_as_json_csv_and_camt053_and_agrees_with_itself(market: Market) -> None:
    path = f"/deposits/{market.account}/statement?{market.days()}"
    told = market.farm.get(path)
    assert (told["opening"], told["closing"]) == ("0", "430000")
    assert [one["leaf"] for one in told["movements"]] == [one["leaf"] for one in market.moved]
    written = market.farm.send("GET", path, headers={"Accept": "text/csv"})
    assert written.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(written.text)))
    assert [row["amount"] for row in rows] == ["5000.00", "-600.00", "-400.00", "300.00"]
    assert (rows[3]["reference"], rows[3]["text"]) == (market.moved[3]["number"], "fee, back")
    assert [entry.amount for entry in parse_csv(written.content).entries] == [
        500_000,
        -60_000,
        -40_000,
        30_000,
    ]
    message = market.farm.send("GET", path, headers={"Accept": "application/xml"})
    assert message.headers["content-type"] == "application/xml"
    (parsed,) = parse_camt053(message.content)
    assert (parsed.opening, parsed.closing, parsed.adds_up) == (0, 430_000, True)
    assert [one.counterparty for one in parsed.entries] == [BANK, CARRIER, CARRIER, CARRIER]
    for answer, headers in ((written, CSV), (message, XML)):
        found = market.told(answer.content, headers, by=market.farm)
        assert found["agrees"] is True, found
        assert len(found["matched"]) == 4
        assert all(one["byReference"] for one in found["matched"])


def test_only_owner_and_bank_have_the_statement_and_in_known_formats(market: Market) -> None:
    path = f"/deposits/{market.account}/statement?{market.days()}"
    assert market.bank.send("GET", path).status_code == 200
    assert market.other.send("GET", path).status_code == 404
    assert market.bank.send("GET", f"{path}&format=xml").content.startswith(b"<?xml")
    assert market.bank.send("GET", path, headers={"Accept": "image/png"}).status_code == 406
    assert market.bank.send("GET", f"{path}&format=pdf").status_code == 400
    base = f"/deposits/{market.account}/statement"
    assert market.bank.send("GET", base).status_code == 400
    backwards = market.bank.send("GET", f"{base}?date=2027-01-02&to=2027-01-01")
    assert backwards.status_code == 400
    assert backwards.json()["errors"][0]["parameter"] == "to"
    assert market.bank.send("GET", f"{base}?date=2027-01-02&to=2028-01-03").status_code == 400
    later = market.bank.get(f"{base}?date=2999-01-01")
    assert (later["opening"], later["closing"], later["movements"]) == ("430000", "430000", [])


# ---- reconciliation -----------------------------------------------------------------------------


def test_a_statement_that_agrees_matches_line_by_line_with_proofs(market: Market) -> None:
    for body, headers in ((csv_text(market.lines()), CSV), (camt053(market.lines(), 8), XML)):
        found = market.told(body, headers)
        assert found["agrees"] is True, found
        assert [one["line"]["leaf"] for one in found["matched"]] == [
            one["leaf"] for one in market.moved
        ]
        line = found["matched"][1]["line"]
        assert (line["amount"], line["counterparty"]) == ("-60000", CARRIER)
        proof = market.node.client.get(line["proof"]).json()
        assert proof["leaf"] == line["leaf"]


def test_each_difference_stands_once_with_its_reason(market: Market) -> None:
    issued, first, second, back = market.lines()
    stranger = Line(first.day, -7_777, reference="X-1")
    wrong = replace(second, amount=-40_001)
    found = market.told(csv_text([issued, issued, wrong, back, stranger]))
    assert found["agrees"] is False
    counts = {
        name: len(found[name])
        for name in (
            *("matched", "missingHere", "missingThere", "differingAmount"),
            *("differingDay", "toldTwice", "differingBalance"),
        )
    }
    assert counts == {
        "matched": 2,
        "missingHere": 1,
        "missingThere": 1,
        "differingAmount": 1,
        "differingDay": 0,
        "toldTwice": 1,
        "differingBalance": 0,
    }
    assert found["missingHere"][0]["entry"]["references"] == ["X-1"]
    assert found["missingThere"][0]["line"]["number"] == first.reference
    assert found["differingAmount"][0]["detail"] == "-40000 here, -40001 there"
    assert found["toldTwice"][0]["reason"] == "duplicate-there"


def test_what_was_booked_on_another_day_differs_by_its_day(market: Market) -> None:
    issued, first, *rest = market.lines()
    early = replace(first, day=first.day - timedelta(days=10))
    found = market.told(csv_text([issued, early, *rest]))
    (one,) = found["differingDay"]
    assert (one["line"]["number"], one["entry"]["booked"]) == (first.reference, str(early.day))
    assert (found["missingThere"], found["statement"]["leftOut"]) == ([], 1)
    day = first.day + timedelta(days=9)
    late = market.bank.send(
        "POST",
        f"/reconciliations?account={market.account}&date={day}",
        content=csv_text([replace(first, day=day)]),
        headers=CSV,
    ).json()
    (one,) = late["differingDay"]
    assert one["detail"] == f"{first.day} here, {day} there"
    assert (late["missingHere"], late["ledger"]["lines"]) == ([], 0)


def test_balances_are_compared_with_the_ledgers(market: Market) -> None:
    found = market.told(camt053(market.lines(), opening=5), XML)
    assert [one["detail"] for one in found["differingBalance"]] == [
        "opening balance: 0 here, 5 there",
        "closing balance: 430000 here, 430005 there",
    ]
    assert len(found["matched"]) == 4
    old = Line(market.lines()[0].day - timedelta(days=5), 9_900, reference="X-5")
    part = market.told(camt053([old, *market.lines()], opening=5), XML)
    assert (part["differingBalance"], part["agrees"]) == ([], True)
    assert (part["statement"]["leftOut"], part["statement"]["opening"]) == (1, "5")


@pytest.mark.parametrize(
    ("body", "headers", "query", "status"),
    [
        (b"date,amount\n", CSV, {}, 400),
        (b"\xff\xfe", CSV, {}, 400),
        (b"", CSV, {}, 400),
        (BOMB, XML, {}, 400),
        (b"<Document/>", XML, {}, 400),
        (b"{}", {"Content-Type": "application/json"}, {}, 415),
        (b"x", {"Content-Type": "text/csv; charset=gb18030"}, {}, 415),
        (b"x", {**CSV, "Content-Encoding": "gzip"}, {}, 415),
        (b"x" * (8 * 1024 * 1024 + 1), CSV, {}, 413),
        (b"date,amount,currency,text\n2027-01-01,1,CNY," + b"x" * 1_001, CSV, {}, 413),
        (b"date,amount,currency\n2027-01-01,1,EUR\n", CSV, {}, 422),
        (camt053([], currency="EUR"), XML, {}, 422),
        (camt053([]), XML, {"statement": "another"}, 422),
        (csv_text([]), CSV, {"account": "interbank"}, 400),
        (csv_text([]), CSV, {"account": "all"}, 400),
        (csv_text([]), CSV, {"account": f"0x{'77' * 32}"}, 404),
    ],
)
def test_what_is_no_statement_is_refused_as_a_problem(
    market: Market, body: bytes, headers: dict[str, str], query: dict[str, str], status: int
) -> None:
    answer = market.reconcile(body, headers, **query)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]
    assert "EPCIS" not in answer.json()["detail"]


def test_one_statement_of_several_is_named_and_others_may_not_look(market: Market) -> None:
    one = camt053(market.lines())
    head, _, rest = one.partition(b"<Stmt>")
    body, _, tail = rest.partition(b"</Stmt>")
    other = body.replace(b"S-2027-15", b"S-2027-16").replace(b"6200-0001", b"6200-0002")
    both = head + b"<Stmt>" + body + b"</Stmt><Stmt>" + other + b"</Stmt>" + tail
    assert market.reconcile(both, XML).status_code == 422
    for name in ("S-2027-16", "6200-0002"):
        assert market.told(both, XML, statement=name)["statement"]["id"] == "S-2027-16"
    assert market.reconcile(one, XML, by=market.other).status_code == 404


def test_settled_claims_are_held_against_the_account_at_the_central_bank(
    tmp_path: Path, identity: Identity
) -> None:
    with ExitStack() as exits:
        market = open_market(exits, tmp_path, identity)
        settle = "/deposits/interbank/settlements"
        over = market.bank.refused(settle, market.money(30_000, debtor=CARRIER))
        assert over[:2] == (409, "ClaimExceeded"), "it is set off already"
        number = market.money(70_000, debtor=BANK)
        market.other.post(settle, number)
        (pair,) = market.other.get(f"/clearing/{market.day()}")["bilateral"]
        assert (pair["net"], pair["setOff"]) == (None, "30000")
        assert pair["dayNet"]["amount"] == "70000"
        today = market.lines()[-1].day
        statement = [Line(today, 70_000, reference=number["number"])]
        found = market.told(csv_text(statement), account="interbank", currency=CNY, by=market.other)
        assert found["agrees"] is True, found
        assert [one["line"]["counterparty"] for one in found["matched"]] == [BANK]
        theirs = market.told(csv_text([]), account="interbank", currency=CNY, by=market.farm)
        assert theirs["ledger"]["lines"] == 0
