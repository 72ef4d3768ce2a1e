"""A whole node for the model's eight organisations, and one story told over its HTTP interface."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from api import ApiSettings
from contracts.consortium import Role
from tests.api.conftest import open_node
from tests.api.described import Described
from tests.api.members import Member
from tests.api.model.instruments import Call, Instrument, Lot, Receipt, Refusals
from tests.api.model.money import Deal
from tests.api.model.tables import (
    BANK,
    BANKS,
    BARN,
    COURT,
    HARBOUR,
    MILL,
    ORGANISATIONS,
    STORE,
    STRANGER,
    TRADER,
    UNSEEN,
    WAREHOUSES,
    status_of,
)
from tests.api.model.world import Pledge, World
from tests.traceability.capture.stack import OFFICE, make_identity

ROLES = {
    OFFICE: Role.OPERATOR,
    STORE: Role.WAREHOUSE,
    BARN: Role.WAREHOUSE,
    TRADER: Role.MANUFACTURER,
    MILL: Role.MANUFACTURER,
    BANK: Role.BANK,
    HARBOUR: Role.BANK,
    COURT: Role.ARBITRATOR,
    STRANGER: Role.RETAILER,
}
SCOPES = ("stock:*", "receipts:*", "pledges:*", "receivables:*", "settlement:*")
DAY = 86_400
EVIDENCE = f"0x{'e5' * 32}"
DECISION = f"0x{'dc' * 32}"
LIMIT = 500


@dataclass
class Stage:
    """A running node, and a client of it for everybody."""

    members: Mapping[str, Member]
    stories: int = 0
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    """What came of each act: `done`, or the refusal."""

    def begin(self) -> Story:
        """A story with lots, numbers and a currency of its own."""
        self.stories += 1
        first, second = divmod(self.stories, 26)
        return Story(self, self.stories, f"X{chr(65 + first)}{chr(65 + second)}")


@contextmanager
def open_stage(folder: Path) -> Iterator[Stage]:
    """Runs until the block ends."""
    with ExitStack() as exits:
        limits = ApiSettings(rate_per_address_per_s=0, rate_per_key_per_s=0)
        identity = make_identity("model", ROLES)
        node = open_node(exits, folder, identity, f"sqlite:///{folder}/model.sqlite", limits)
        members = {
            name: Described(node, name, *SCOPES, *(("supervise",) if name == COURT else ()))
            for name in ORGANISATIONS
        }
        yield Stage(members)


@dataclass
class Story:
    """What the model expects beside what the node says."""

    stage: Stage
    number: int
    currency: str
    world: World = field(default_factory=World)
    names: int = 0
    turn: int = 0
    quick: bool = True
    sound: bool = True
    """False once node and model have parted: there is nothing more to compare."""

    def name(self) -> str:
        """A number that was not used before."""
        self.names += 1
        return f"S{self.number}-{self.names}"

    @property
    def later(self) -> int:
        """Unix seconds, a month from now."""
        return int(time.time()) + 30 * DAY

    # ---- saying ---------------------------------------------------------------------------------

    def send(
        self, who: str, path: str, body: object, revision: int = 0, **headers: str
    ) -> httpx.Response:
        if revision:
            headers["If-Match"] = f'"{revision}"'
        return self.stage.members[who].send("POST", path, body, headers=headers)

    def tell(
        self,
        who: str,
        path: str,
        body: object,
        said: Refusals,
        revision: int = 0,
        *,
        twice: bool = False,
    ) -> dict[str, Any] | None:
        """Ask for a change; the answer must be what the model says. None where it is refused."""
        self.sound = False
        headers = {"Idempotency-Key": self.name()} if twice else {}
        answer = self.send(who, path, body, revision, **headers)
        told = f"{who} POST {path} {body} at {revision}: expected {sorted(said) or 'accepted'}"
        if said:
            self.stage.seen[_act(path), judge_refusal(answer, said, told)] += 1
            self.sound = True
            return None
        assert answer.status_code in (200, 201), f"{told}, got {answer.text}"
        if twice:
            again = self.send(who, path, body, revision, **headers)
            assert again.headers.get("idempotency-replayed") == "true", f"{told}: not the same"
            assert again.json() == answer.json(), told
        found: dict[str, Any] = answer.json()
        found["location"] = answer.headers.get("location")
        self.stage.seen[_act(path), "done"] += 1
        self.sound = True
        return found

    def race(self, *requests: tuple[str, str, object, int]) -> list[httpx.Response]:
        """Answers to requests that are sent at the same moment."""
        self.sound = False
        with ThreadPoolExecutor(len(requests)) as pool:
            return list(pool.map(lambda one: self.send(*one), requests))

    # ---- the beginning --------------------------------------------------------------------------

    def prepare(self) -> None:
        """Two warehouses with counted goods, customers with money, some paper."""
        for keeper in WAREHOUSES:
            self.register(keeper)
        money = self.world.money
        for who, bank in ((TRADER, BANK), (MILL, HARBOUR), (STORE, BANK)):
            said = money.choose_home(who, bank)
            self.tell(who, "/deposits/homes", {"bank": bank, "currency": self.currency}, said)
        for creditor, debtor in ((HARBOUR, BANK), (BANK, HARBOUR)):
            limit = {"debtor": debtor, "currency": self.currency, "limit": 40_000}
            self.tell(creditor, "/deposits/interbank/limits", limit, frozenset())
            money.limits[creditor, debtor] = 40_000
        for bank, to in ((BANK, TRADER), (HARBOUR, MILL)):
            self.issue_money(bank, to, 60_000)
        for lot in self.world.lots:
            self.count(lot.keeper, lot, 50_000, lot.sequence + 1)
            for _ in range(2):
                self.issue(lot.keeper, lot, 10_000, TRADER)
        self.create(TRADER, MILL, 30_000)
        (one,) = self.world.receivables
        self.act(Call("accept", MILL, {"disputable": True}), one)
        first, second, third, _ = self.world.receipts
        for bank in BANKS:
            self.propose(TRADER, first, bank)
        self.propose(TRADER, second, BANK)
        self.pledge_act(BANK, self.world.pledges[-1], "accept", {})
        self.offer(TRADER, third, HARBOUR, 9_000, third.revision)

    def register(self, keeper: str) -> None:
        agreement = {"nature": "fixed", "unit": "TNE", "countAgeMaxSeconds": 30 * DAY}
        lot = {
            "placeId": f"{keeper} 1",
            "lotId": self.name(),
            "agreement": agreement,
            "counters": [keeper],
        }
        told = self.tell(keeper, "/stock/lots", lot, frozenset())
        assert told is not None
        self.world.lots.append(Lot(told["lot"], keeper))

    # ---- acts with their bodies -----------------------------------------------------------------

    def count(
        self, who: str, lot: Lot, quantity: int, sequence: int, *, late: bool = False
    ) -> None:
        """At once, or told so late that another count or a delivery was meanwhile."""
        told = max(int(time.time()), lot.since) - (600 if late else 0)
        body = {
            "lot": lot.key,
            "quantity": quantity,
            "countedAt": told,
            "sequence": sequence,
            "evidence": EVIDENCE,
        }
        said = self.world.count(who, lot, quantity, sequence, told)
        self.tell(who, "/stock/counts", body, said)
        self.look(lot)

    def draft(self, lot: Lot, quantity: int, holder: str, goods: str = "wheat") -> dict[str, Any]:
        return {
            "number": self.name(),
            "lot": lot.key,
            "quantity": quantity,
            "expires": int(time.time()) + 90 * DAY,
            "holder": holder,
            "document": {"goods": goods},
            "goodsDescription": {"class": goods},
        }

    def issue(
        self,
        who: str,
        lot: Lot,
        quantity: int,
        holder: str,
        goods: str = "wheat",
        *,
        twice: bool = False,
    ) -> None:
        said = self.world.issue(who, lot, quantity, holder, goods)
        body = self.draft(lot, quantity, holder, goods)
        if told := self.tell(who, "/receipts", body, said, twice=twice):
            lot.receipts[-1].id = told["receipt"]["id"]
            self.look(lot.receipts[-1], lot)
        else:
            self.look(lot)

    def create(self, who: str, debtor: str, amount: int, key: str | None = None) -> None:
        key = key or f"0x{self.number:032x}{len(self.world.receivables):032x}"
        body = {
            "kind": "invoice",
            "number": self.name(),
            "debtor": debtor,
            "amount": amount,
            "currency": self.currency,
            "due": int(time.time()) + 90 * DAY,
            "terms": EVIDENCE,
            "keys": [key],
        }
        said = self.world.create(who, debtor, amount, key)
        if told := self.tell(who, "/receivables", body, said):
            one = self.world.receivables[-1]
            one.id = told["receivable"]["id"]
            self.look(one)

    def act(self, call: Call, one: Any, *, twice: bool = False) -> bool:
        """An act on a receipt or receivable; whether it has happened."""
        room = "receipts" if isinstance(one, Receipt) else "receivables"
        body = dict(call.body)
        if call.act in ("freeze", "unfreeze", "award"):
            body["decision"] = DECISION
        elif call.act == "dispute":
            body |= {"evidence": EVIDENCE, "remark": "wet"}
        said = self.world.act(call, one)
        path = f"/{room}/{one.id}/{call.act}"
        told = self.tell(call.who, path, body, said, call.revision, twice=twice)
        if told and call.act == "split":
            children = {child["part"]: child["id"] for child in told[room] if child["part"]}
            for part in self.parts(one):
                part.id = children[part.part]
        if told and call.act in ("deliver", "shred"):
            # A count of the very second may have been made before the goods went.
            one.lot.since = int(time.time()) + 1
        self.look(one, *self.parts(one), *([one.lot] if isinstance(one, Receipt) else []))
        return told is not None

    def parts(self, one: Instrument) -> list[Instrument]:
        return self.world.parts(one)

    def propose(self, who: str, one: Instrument, bank: str, revision: int = 0) -> None:
        """Offer it as security."""
        self.names += 1
        amount = 1_000 + self.names
        pledge = Pledge("", one, revision or one.revision, who, bank, amount)
        body = {
            "instrument": one.id,
            "pledgee": bank,
            "amount": amount,
            "currency": "CNY",
            "due": self.later,
            "noticeSeconds": DAY,
            "terms": EVIDENCE,
        }
        if done := self.tell(who, "/pledges", body, self.world.propose(pledge), revision):
            pledge.key = done["pledge"]["id"]
            self.look(pledge)
        self.look(one)

    def pledge_act(self, who: str, pledge: Pledge, act: str, body: Mapping[str, Any]) -> None:
        touched = list(pledge.covers) or [pledge.instrument]
        said = self.world.pledge_act(who, pledge, act, body.get("ids"))
        self.tell(who, f"/pledges/{pledge.key}/{act}", body, said)
        self.look(pledge, *touched)

    def offer(self, who: str, one: Instrument, buyer: str, amount: int, revision: int) -> None:
        """Promise it against a payment."""
        kind = "receipt" if isinstance(one, Receipt) else "receivable"
        body = {
            "number": self.name(),
            "instruments": [{"kind": kind, "id": one.id, "revision": revision}],
            "currency": self.currency,
            "amount": amount,
            "expires": self.later,
            "buyer": buyer,
        }
        deal = Deal("", who, buyer, [one], amount)
        said = self.world.offer(deal, [revision])
        if done := self.tell(who, "/settlements/offers", body, said):
            deal.id = done["settlement"]["id"]
            self.look(deal)
        self.look(one)

    def issue_money(self, who: str, to: str, amount: int) -> None:
        number = self.name()
        said = self.world.money.issue(who, to, amount, number)
        body = {"to": to, "currency": self.currency, "amount": amount, "number": number}
        self.tell(who, "/deposits", body, said)
        self.look_money(to)

    # ---- looking --------------------------------------------------------------------------------

    def viewers(self) -> Iterable[str]:
        """The court and two others, by turns; each in the end."""
        if not self.quick:
            return ORGANISATIONS
        self.turn += 2
        others = [name for name in ORGANISATIONS if name != COURT]
        return COURT, others[self.turn % len(others)], others[(self.turn + 1) % len(others)]

    def look(self, *records: Any) -> None:
        """Each record, as whoever may see it sees it, and as nothing to all others."""
        for one in records:
            for who in self.viewers():
                if isinstance(one, Lot):
                    path, seen = f"/stock/lots/{one.key}", self.world.sees_lot(who, one)
                elif isinstance(one, Instrument):
                    room = "receipts" if isinstance(one, Receipt) else "receivables"
                    path, seen = f"/{room}/{one.id}", self.world.sees(who, one)
                else:
                    room = "pledges" if hasattr(one, "key") else "settlements"
                    path, seen = f"/{room}/{getattr(one, 'key', '') or one.id}", one.sees(who)
                self._compare(who, path, one.shown() if seen else None)

    def _compare(self, who: str, path: str, expected: Mapping[str, Any] | None) -> None:
        self.sound = False
        answer = self.stage.members[who].send("GET", path)
        if expected is None:
            assert answer.status_code == 404, f"{who} sees {path}: {answer.text}"
        else:
            assert answer.status_code == 200, f"{who} does not see {path}: {answer.text}"
            same(answer.json(), expected, f"{path} for {who}")
        self.sound = True

    def look_money(self, *owners: str) -> None:
        """Accounts, as their owners and banks see them."""
        for who in {*owners, *self.viewers()}:
            self.compare_accounts(who)

    def compare_accounts(self, who: str) -> None:
        path = f"/deposits?currency={self.currency}&limit={LIMIT}"
        told = self.stage.members[who].get(path)["accounts"]
        found = {(one["bank"], one["owner"]): one for one in told}
        mine = {
            pair: one
            for pair, one in self.world.money.accounts.items()
            if self.world.sees_account(who, one)
        }
        assert found.keys() == mine.keys(), f"accounts that {who} sees"
        for pair, account in mine.items():
            same(found[pair], account.shown(), f"account {pair} for {who}")


def same(found: Mapping[str, Any], expected: Mapping[str, Any], where: str) -> None:
    """Every member that the model knows is as it says."""
    wrong = {
        name: f"expected {value!r}, found {found.get(name, 'nothing')!r}"
        for name, value in expected.items()
        if name not in found or found[name] != value
    }
    assert not wrong, f"{where}: {wrong}"


def _act(path: str) -> str:
    """Without the record: `/receipts/split`."""
    return "/".join(part for part in path.split("/") if not part.startswith("0x"))


def judge_refusal(answer: httpx.Response, said: Refusals, told: str) -> str:
    """It was refused as the model says: by status and name, in words."""
    assert answer.status_code >= 400, f"{told}, but it happened: {answer.text}"
    problem = answer.json()
    refusal = problem.get("refusal", UNSEEN if answer.status_code == 404 else None)
    assert refusal in said, f"{told}, got {answer.status_code} {problem}"
    assert answer.status_code == problem["status"] == status_of(refusal), f"{told}: {problem}"
    assert problem["detail"], told
    return str(refusal)
