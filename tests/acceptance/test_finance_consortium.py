"""Acts at the same moment through different nodes of a consortium of four: one succeeds.

Each member speaks to its own node, with HTTP and `tally` alone.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.client.signing import Prepared
from ledger.consensus.cometbft import EngineMissing, EngineVersionWrong, find_engine
from ledger.crypto import AccountKey
from tests.acceptance.consortium.hosts import LoopbackHosts
from tests.acceptance.consortium.network import UNLIMITED, Network
from tests.acceptance.running import run_tally
from tests.conftest import skip_or_fail

pytestmark = [
    pytest.mark.slow,
    pytest.mark.consortium,
    pytest.mark.feature("F2"),
    pytest.mark.timeout(300),
]

STORE, TRADER, BANK, OTHER_BANK = "harbour-store", "heye-grain", "harvest-bank", "river-bank"
CAST = (
    f"{STORE}:warehouse:Harbour Store:港湾粮库",
    f"{TRADER}:manufacturer:Heye Grain Trading:禾野粮贸",
    f"{BANK}:bank:Harvest Bank:丰收银行",
    f"{OTHER_BANK}:bank:River Bank:江河银行",
)
SCOPES = ("stock:*", "receipts:*", "pledges:*", "receivables:*", "settlement:*")
DAY = 86_400
EVIDENCE = f"0x{'e5' * 32}"
ROUNDS = 5
AGREE_S = 30.0


@dataclass
class Member:
    """One organisation, through its own node."""

    name: str
    index: int
    network: Network
    secret: str
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.connect()

    def connect(self) -> None:
        """To the node as it runs now."""
        self.http = httpx.Client(
            base_url=self.network.members[self.index].ready["url"],
            headers={"Authorization": f"Bearer {self.secret}"},
            timeout=60,
            trust_env=False,
        )

    def post(self, path: str, body: object = None) -> dict[str, Any]:
        answer = self.http.post(path, json={} if body is None else body)
        assert answer.status_code in (200, 201), f"{self.name} {path}: {answer.text}"
        found: dict[str, Any] = answer.json()
        return found

    def get(self, path: str) -> dict[str, Any]:
        answer = self.http.get(path)
        assert answer.status_code == 200, f"{self.name} {path}: {answer.text}"
        found: dict[str, Any] = answer.json()
        return found

    def sees(self, path: str) -> None:
        """Wait until its node has followed."""
        deadline = time.monotonic() + AGREE_S
        while (answer := self.http.get(path)).status_code == 404:
            assert time.monotonic() < deadline, f"{self.name} does not see {path}"
            time.sleep(0.05)
        assert answer.status_code == 200, answer.text


@dataclass
class Stage:
    """Four members, each with its node."""

    network: Network
    members: dict[str, Member]
    numbers: int = 0
    guests: dict[tuple[str, str], Member] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.store, self.trader, self.bank, self.other = (
            self.members[name] for name in (STORE, TRADER, BANK, OTHER_BANK)
        )

    def number(self) -> str:
        self.numbers += 1
        return f"N-{self.numbers}"

    def counted(self, name: str, quantity: int) -> str:
        """Key of a new lot."""
        agreement = {"nature": "fixed", "unit": "TNE", "countAgeMaxSeconds": 30 * DAY}
        lot: str = self.store.post(
            "/stock/lots",
            {"placeId": "silo 1", "lotId": name, "agreement": agreement, "counters": [STORE]},
        )["lot"]
        count = {
            "lot": lot,
            "quantity": quantity,
            "countedAt": int(time.time()) - 5,
            "sequence": 1,
            "evidence": EVIDENCE,
        }
        self.store.post("/stock/counts", count)
        return lot

    def draft(self, lot: str, quantity: int) -> dict[str, Any]:
        return {
            "number": self.number(),
            "lot": lot,
            "quantity": quantity,
            "expires": int(time.time()) + 90 * DAY,
            "holder": TRADER,
            "document": {"goods": "maize"},
            "goodsDescription": {"class": "maize", "unit": "TNE"},
        }

    def receipt(self, lot: str) -> str:
        id_: str = self.store.post("/receipts", self.draft(lot, 1_000))["receipt"]["id"]
        self.trader.sees(f"/receipts/{id_}")
        return id_

    def offered(self, receipt: str, bank: Member) -> str:
        """Key of a pledge that the trader has proposed, once its bank can see it."""
        body = {
            "instrument": receipt,
            "pledgee": bank.name,
            "amount": 500_000,
            "currency": "CNY",
            "due": int(time.time()) + 30 * DAY,
            "noticeSeconds": DAY,
            "terms": EVIDENCE,
        }
        key: str = self.trader.post("/pledges", body)["pledge"]["id"]
        bank.sees(f"/pledges/{key}")
        return key

    def elsewhere(self, name: str, host: Member) -> Member:
        """An organisation's access to another member's node, which has no account of it."""
        if (name, host.name) not in self.guests:
            secret = new_key(self.network, host.index, name)
            self.guests[name, host.name] = Member(name, host.index, self.network, secret)
        return self.guests[name, host.name]

    def own_key(self, name: str) -> AccountKey:
        """The second account of an organisation, whose key is the user's."""
        told = self.network.members[self.members[name].index].ready["account"]
        return AccountKey(bytes.fromhex(told["privateKey"].removeprefix("0x")))

    def agree(self) -> None:
        """Wait until all four logs have one size and root."""
        deadline = time.monotonic() + AGREE_S
        while True:
            told = {
                tuple(member.http.get("/log/checkpoint").text.splitlines()[1:3])
                for member in self.members.values()
            }
            if len(told) == 1:
                return
            assert time.monotonic() < deadline, f"the nodes have different logs: {told}"
            time.sleep(0.1)


Act = tuple[Member, str, dict[str, Any]]


def at_once(*acts: Act) -> list[httpx.Response]:
    """Answers to requests that leave together."""
    start = threading.Barrier(len(acts))

    def send(act: Act) -> httpx.Response:
        member, path, body = act
        start.wait(30)
        return member.http.post(path, json=body)

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(send, acts))


def signed(member: Member, path: str, body: dict[str, Any], key: AccountKey) -> Act:
    """The same act with the member's own key, ready to be sent."""
    query = f"?prepare=true&account=0x{key.address.hex()}"
    prepared = Prepared.parse(member.post(f"{path}{query}", body))
    return member, "/transactions", {"raw": prepared.sign(key)}


def one_winner(answers: list[httpx.Response]) -> tuple[int, dict[str, Any]]:
    """Who has won, and the problem that the other was told."""
    good = [number for number, one in enumerate(answers) if one.status_code in (200, 201)]
    assert len(good) == 1, [(one.status_code, one.text) for one in answers]
    (bad,) = (one for number, one in enumerate(answers) if number not in good)
    assert bad.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = bad.json()
    assert bad.status_code == problem["status"] == 409, problem
    return good[0], problem


def new_key(network: Network, index: int, organisation: str) -> str:
    """A bearer key of an organisation at a node, as its operator makes it."""
    one = network.members[index]
    scopes = [word for scope in SCOPES for word in ("--scope", scope)]
    directory = ("--dir", str(one.directory), "--json")
    done = run_tally(one.home, "key", "create", organisation, *scopes, *directory)
    assert done.returncode == 0, done.stderr
    secret: str = json.loads(done.stdout)["key"]
    return secret


def raced(problems: list[dict[str, Any]]) -> None:
    """At least once both acts were good as each node stood, and the block decided."""
    assert any("transaction" in one for one in problems), "nothing was at the same moment"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    try:
        find_engine()
    except (EngineMissing, EngineVersionWrong) as missing:
        skip_or_fail(str(missing))
    base: Path = tmp_path_factory.mktemp("finance")
    cast = [word for one in CAST for word in ("--organisation", one)]
    done = run_tally(base / "home", "network", "new", str(base / "net"), *cast)
    assert done.returncode == 0, done.stderr
    with ExitStack() as exits:
        network = exits.enter_context(
            Network(base / "net", exits.enter_context(LoopbackHosts(len(CAST))))
        )
        for one in network.members:
            network.settings(one.index, api__requests_per_minute=UNLIMITED)
        network.start()
        members = {}
        for one in network.members:
            secret = new_key(network, one.index, one.organisation)
            members[one.organisation] = Member(one.organisation, one.index, network, secret)
        made = Stage(network, members)
        yield made
        for member in (*members.values(), *made.guests.values()):
            member.http.close()


def test_of_two_banks_that_take_one_receipt_at_once_one_gets_it(stage: Stage) -> None:
    lot = stage.counted("maize", 100_000)
    banks = (stage.bank, stage.other)
    problems = []
    for _ in range(ROUNDS):
        receipt = stage.receipt(lot)
        keys = [stage.offered(receipt, bank) for bank in banks]
        won, problem = one_winner(
            at_once(
                *(
                    (bank, f"/pledges/{key}/accept", {})
                    for bank, key in zip(banks, keys, strict=True)
                )
            )
        )
        winner, loser = banks[won], banks[1 - won]
        assert problem["refusal"] == "AlreadyPledged", problem
        assert f"is pledged to {winner.name} already" in problem["detail"]
        problems.append(problem)
        stage.agree()
        for member, state in ((winner, "active"), (loser, "proposed")):
            shown = member.get(f"/pledges/{keys[banks.index(member)]}")
            assert shown["state"] == state
        for member in (stage.store, stage.trader, winner, loser):
            found = member.get(f"/receipts/{receipt}")
            assert (found["pledgee"], found["revision"]) == (winner.name, 2), member.name
        live = stage.trader.get(f"/pledges?instrument={receipt}&state=active")["pledges"]
        assert [one["pledgee"] for one in live] == [winner.name]
    raced(problems)


def test_the_last_of_the_stock_is_issued_once(stage: Stage) -> None:
    problems = []
    for number in range(ROUNDS):
        lot = stage.counted(f"last-{number}", 1_000)
        elsewhere = stage.elsewhere(STORE, stage.bank)
        elsewhere.sees(f"/stock/lots/{lot}")
        _, problem = one_winner(
            at_once(
                (stage.store, "/receipts", stage.draft(lot, 1_000)),
                signed(elsewhere, "/receipts", stage.draft(lot, 1_000), stage.own_key(STORE)),
            )
        )
        problems.append(problem)
        assert problem["refusal"] == "NotEnoughStock", problem
        assert "0 free, 1000 are asked for" in problem["detail"]
        stage.agree()
        found = stage.store.get(f"/stock/lots/{lot}")
        assert (found["counted"], found["live"], found["receipts"]) == ("1000", "1000", 1)
    raced(problems)


@pytest.mark.feature("F5")
def test_one_invoice_is_accepted_once_through_two_nodes(stage: Stage) -> None:
    """Two have written it down; of the two debtors who accept at once one is too late."""
    sellers, debtors = (stage.trader, stage.store), (stage.store, stage.trader)
    problems = []
    for number in range(ROUNDS):
        invoice = {
            "sellerTaxNumber": "91230100MA0000000X",
            "number": f"2511200000001234{number}",
            "date": "2026-11-02",
            "total": 1_000_000,
        }
        body = {
            "kind": "invoice",
            "amount": 1_000_000,
            "currency": "CNY",
            "due": int(time.time()) + 90 * DAY,
            "terms": EVIDENCE,
            "invoices": [invoice],
        }
        paths = []
        for seller, debtor in zip(sellers, debtors, strict=True):
            draft = body | {"number": stage.number(), "debtor": debtor.name}
            made = seller.post("/receivables", draft)["receivable"]["id"]
            debtor.sees(f"/receivables/{made}")
            paths.append(f"/receivables/{made}")
        won, problem = one_winner(
            at_once(
                *((one, f"{path}/accept", {}) for one, path in zip(debtors, paths, strict=True))
            )
        )
        problems.append(problem)
        assert problem["refusal"] == "AlreadyClaimed", problem
        stage.agree()
        for index, (seller, path) in enumerate(zip(sellers, paths, strict=True)):
            state = seller.get(path)["state"]
            assert state == ("accepted" if index == won else "proposed"), "one is owed"
    raced(problems)


@pytest.mark.feature("F6")
def test_one_deposit_is_not_spent_twice_through_two_nodes(stage: Stage) -> None:
    """The trader's own node signs one payment, he himself the other one at the other bank's."""
    elsewhere = stage.elsewhere(TRADER, stage.other)
    stage.store.post("/deposits/homes", {"bank": BANK, "currency": "CNY"})
    problems = []
    for number in range(1, ROUNDS + 1):
        money = {"currency": "CNY", "amount": 70_000}
        stage.bank.post("/deposits", {**money, "to": TRADER, "number": stage.number()})
        stage.agree()
        pay = {**money, "bank": BANK, "payee": STORE}
        _, problem = one_winner(
            at_once(
                (stage.trader, "/deposits/payments", {**pay, "number": stage.number()}),
                signed(
                    elsewhere,
                    "/deposits/payments",
                    {**pay, "number": stage.number()},
                    stage.own_key(TRADER),
                ),
            )
        )
        problems.append(problem)
        assert problem["refusal"] == "Insufficient", problem
        assert "0 hundredths are free" in problem["detail"]
        stage.agree()
        for member, balance in ((stage.trader, 0), (elsewhere, 0), (stage.store, 70_000 * number)):
            (account,) = member.get(f"/deposits?owner={member.name}")["accounts"]
            assert account["balance"] == str(balance), member.name
    raced(problems)


@pytest.mark.feature("L1")
def test_a_pledge_stands_though_the_banks_node_is_killed_once_it_has_answered(
    stage: Stage,
) -> None:
    receipt = stage.receipt(stage.counted("barley", 1_000))
    key = stage.offered(receipt, stage.bank)
    body, headers = {"remark": "agreed"}, {"Idempotency-Key": "accept-barley"}
    path = f"/pledges/{key}/accept"
    done = stage.bank.http.post(path, json=body, headers=headers)
    stage.network.kill(stage.bank.index)
    assert done.status_code == 200, done.text
    assert done.json()["pledge"]["state"] == "active"
    stage.network.start(stage.bank.index)
    stage.bank.connect()
    assert stage.bank.get(f"/pledges/{key}")["state"] == "active"
    again = stage.bank.http.post(path, json=body, headers=headers)
    assert again.json()["transaction"] == done.json()["transaction"]
    assert again.headers["idempotency-replayed"] == "true"
    late = stage.trader.http.post(f"/receipts/{receipt}/transfer-holding", json={"holder": STORE})
    assert (late.status_code, late.json()["refusal"]) == (409, "InstrumentPledged")
    stage.agree()
