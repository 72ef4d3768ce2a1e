"""The same operations over HTTP and in a plain model: random stories of eight organisations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.api.model.endings import check_all
from tests.api.model.instruments import Call, Instrument, Receipt
from tests.api.model.money import Deal
from tests.api.model.stage import DAY, EVIDENCE, Stage, judge_refusal, open_stage
from tests.api.model.tables import BANK, BANKS, COURT, HARBOUR, ORGANISATIONS, TRADERS
from tests.api.model.world import Pledge

pytestmark = [pytest.mark.feature("A1"), pytest.mark.feature("F1"), pytest.mark.feature("F2")]

PICK = st.integers(0, 23)
WHO = st.sampled_from((None,) * 12 + ORGANISATIONS)
"""None: who may."""
TO = st.sampled_from(TRADERS)
SEEN = st.sampled_from(("any", "any", "now", "now", "now", "before", "later"))
QUANTITY = st.sampled_from((0, 1, 4_000, 10_000, 30_000, 60_000))
AMOUNT = st.sampled_from((0, 1, 5_000, 20_000, 45_000, 70_000))
CHANCE = st.integers(0, 5).map(lambda drawn: drawn == 5)
HOLDERS = ("reject-ownership", "reject-holding", "reject-both", "recall", "expire")
STORES = ("restore", "shred", "shred", "deliver", "deliver", "cancel")
DEBTORS = ("accept", "accept", "accept", "refuse", "dispute", "withdraw-dispute")
CREDITORS = ("cancel", "endorse", "endorse", "reject", "undertake", "present", "declare-default")
GOODS = st.sampled_from(("wheat", "wheat", "wheat", "maize"))


class Finance(RuleBasedStateMachine):
    """Whatever a member may ask for, in whatever order.

    No rule has a precondition: who wins a race differs from run to run, and what is drawn must not.
    """

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.story = stage.begin()
        self.story.prepare()
        self.world = self.story.world

    # ---- goods ----------------------------------------------------------------------------------

    @rule(pick=PICK, who=WHO, quantity=QUANTITY, again=CHANCE)
    def count(self, pick: int, who: str | None, quantity: int, again: bool) -> None:
        lot = one_of(self.world.lots, pick)
        self.story.count(who or lot.keeper, lot, quantity, lot.sequence + (not again))

    @rule(pick=PICK, who=WHO, quantity=QUANTITY, holder=TO, goods=GOODS, twice=CHANCE)
    def issue(
        self, pick: int, who: str | None, quantity: int, holder: str, goods: str, twice: bool
    ) -> None:
        lot = one_of(self.world.lots, pick)
        self.story.issue(who or lot.keeper, lot, quantity, holder, goods, twice=twice)

    @rule(
        pick=PICK,
        who=WHO,
        act=st.sampled_from(("nominate", "endorse", "transfer-holding", "transfer-both")),
        owner=TO,
        holder=TO,
        seen=SEEN,
        twice=CHANCE,
    )
    def title(
        self,
        pick: int,
        who: str | None,
        act: str,
        owner: str,
        holder: str,
        seen: str,
        twice: bool,
    ) -> None:
        bodies = {
            "nominate": {"nominee": owner},
            "endorse": {"owner": owner},
            "transfer-holding": {"holder": holder},
            "transfer-both": {"owner": owner, "holder": holder},
        }
        self.on_receipt(pick, who, act, bodies[act], seen, twice=twice)

    @rule(
        pick=PICK,
        who=WHO,
        act=st.sampled_from(
            (
                "reject-ownership",
                "reject-holding",
                "reject-both",
                "recall",
                "restore",
                "shred",
                "shred",
                "deliver",
                "deliver",
                "cancel",
                "expire",
            )
        ),
        seen=SEEN,
    )
    def plain(self, pick: int, who: str | None, act: str, seen: str) -> None:
        self.on_receipt(pick, who, act, {}, seen)

    @rule(
        pick=PICK, who=WHO, purpose=st.sampled_from(("delivery", "delivery", "correction")),
        seen=SEEN,
    )  # fmt: skip
    def surrender(self, pick: int, who: str | None, purpose: str, seen: str) -> None:
        self.on_receipt(pick, who, "surrender", {"purpose": purpose}, seen)

    @rule(pick=PICK, who=WHO, quantity=QUANTITY, seen=SEEN, twice=CHANCE)
    def ask(self, pick: int, who: str | None, quantity: int, seen: str, twice: bool) -> None:
        self.on_receipt(pick, who, "request-delivery", {"quantity": quantity}, seen, twice=twice)

    @rule(pick=PICK, who=WHO, first=QUANTITY, wrong=CHANCE, seen=SEEN)
    def split(self, pick: int, who: str | None, first: int, wrong: bool, seen: str) -> None:
        one = one_of(self.world.receipts, pick)
        parts = parts_of(one.quantity, first, wrong)
        self.on_receipt(pick, who, "split", {"quantities": parts}, seen)

    @rule(first=PICK, second=PICK, who=WHO)
    def merge(self, first: int, second: int, who: str | None) -> None:
        all_ = self.world.receipts
        if len(all_) < 2:
            return
        one = one_of(all_, first)
        other = one_of([each for each in all_ if each is not one], second)
        who = who or one.holder
        body = {"receipts": [{"id": each.id, "revision": each.revision} for each in (one, other)]}
        said = self.world.merge(who, [one, other])
        if told := self.story.tell(who, "/receipts/merge", body, said):
            made = one.lot.receipts[-1]
            made.id = told["receipt"]["id"]
            self.story.look(made)
        self.story.look(one, other, one.lot)

    def on_receipt(
        self,
        pick: int,
        who: str | None,
        act: str,
        body: dict[str, Any],
        seen: str,
        *,
        twice: bool = False,
    ) -> None:
        one = one_of(self.world.receipts, pick)
        call = Call(act, who or natural(one, act), body, revision(one, seen))
        self.story.act(call, one, twice=twice)

    # ---- the court ------------------------------------------------------------------------------

    @rule(
        pick=PICK, who=WHO, act=st.sampled_from(("freeze", "unfreeze", "unfreeze", "award")), to=TO,
        debt=st.booleans(),
    )  # fmt: skip
    def decide(self, pick: int, who: str | None, act: str, to: str, debt: bool) -> None:
        some: list[Any] = list(self.world.receivables if debt else self.world.receipts)
        one = one_of(some, pick)
        act = "freeze" if debt and act == "award" else act
        self.story.act(Call(act, who or COURT, {"to": to} if act == "award" else {}), one)

    # ---- security -------------------------------------------------------------------------------

    @rule(pick=PICK, who=WHO, bank=st.sampled_from((*BANKS, *BANKS, "stone-mill")), seen=SEEN)
    def pledge(self, pick: int, who: str | None, bank: str, seen: str) -> None:
        one = one_of(self.world.instruments, pick)
        told = revision(one, seen)
        pledgor = who or one.holder
        pledge = Pledge("", one, told or one.revision, pledgor, bank, 1_000 + self.story.names)
        body = {
            "instrument": one.id,
            "pledgee": bank,
            "amount": pledge.amount,
            "currency": "CNY",
            "due": self.story.later,
            "noticeSeconds": DAY,
            "terms": EVIDENCE,
        }
        self.story.names += 1
        if done := self.story.tell(pledgor, "/pledges", body, self.world.propose(pledge), told):
            pledge.key = done["pledge"]["id"]
            self.story.look(pledge)
        self.story.look(one)

    @rule(
        pick=PICK, who=WHO, part=CHANCE, wrong=PICK,
        act=st.sampled_from(
            ("accept",) * 5 + ("release", "release", "decline", "withdraw", "declare-default")
        ),
    )  # fmt: skip
    def pledged(self, pick: int, who: str | None, act: str, part: bool, wrong: int) -> None:
        if not self.world.pledges:
            return
        pledge = one_of(self.world.pledges, pick)
        who = who or (pledge.pledgor if act == "withdraw" else pledge.pledgee)
        body: dict[str, Any] = {}
        if act == "release" and part:
            body["ids"] = [one_of([*pledge.covers, *self.world.instruments], wrong).id]
        touched = list(pledge.covers) or [pledge.instrument]
        said = self.world.pledge_act(who, pledge, act, body.get("ids"))
        self.story.tell(who, f"/pledges/{pledge.key}/{act}", body, said)
        self.story.look(pledge, *touched)

    @rule(pick=PICK, first=QUANTITY, to=TO, spoil=CHANCE, act=st.sampled_from(("split", "both")))
    def permitted(self, pick: int, first: int, to: str, spoil: bool, act: str) -> None:
        """The pledgee allows one very act, which is done, or another one."""
        some = [one for one in self.world.receipts if one.pledgee]
        if not some:
            return
        one = one_of(some, pick)
        name, body = "transfer-both", {"owner": to, "holder": to}
        if act == "split":
            name, body = "split", {"quantities": parts_of(one.quantity, max(1, first), False)}
        now = one.revision
        permit = {"act": name, "arguments": body}
        if not self.story.act(Call("permit", str(one.pledgee), permit, now), one):
            return
        if spoil:
            body = {"quantities": [1, 1]} if act == "split" else {"owner": to, "holder": TRADERS[0]}
        self.story.act(Call(name, one.holder, body, one.revision), one)

    # ---- debts ----------------------------------------------------------------------------------

    @rule(who=TO, debtor=TO, amount=AMOUNT, pick=PICK, again=CHANCE)
    def create(self, who: str, debtor: str, amount: int, pick: int, again: bool) -> None:
        roots = [one for one in self.world.receivables if one.origin is None]
        key = one_of(roots, pick).key if again else None
        self.story.create(who, debtor, amount, key)

    @rule(
        pick=PICK,
        who=WHO,
        act=st.sampled_from(
            (
                "accept",
                "accept",
                "accept",
                "refuse",
                "cancel",
                "endorse",
                "endorse",
                "reject",
                "undertake",
                "dispute",
                "withdraw-dispute",
                "present",
                "declare-default",
            )
        ),
        to=TO,
        yes=st.booleans(),
        seen=SEEN,
    )
    def owe(self, pick: int, who: str | None, act: str, to: str, yes: bool, seen: str) -> None:
        bodies: dict[str, dict[str, Any]] = {
            "accept": {"disputable": yes},
            "endorse": {"to": to, "recourse": yes},
            "undertake": {"recourse": yes},
        }
        self.on_receivable(pick, who, act, bodies.get(act, {}), seen)

    @rule(
        pick=PICK, who=WHO, amount=AMOUNT, wrong=CHANCE, seen=SEEN, rest=st.booleans(),
        act=st.sampled_from(("split", "split", "confirm-payment", "concede")),
    )  # fmt: skip
    def part(
        self,
        pick: int,
        who: str | None,
        act: str,
        amount: int,
        wrong: bool,
        seen: str,
        rest: bool,
    ) -> None:
        one = one_of(self.world.receivables, pick)
        if rest and act == "confirm-payment":
            amount = one.outstanding
        bodies: dict[str, dict[str, Any]] = {
            "split": {"amounts": parts_of(one.outstanding, amount, wrong)},
            "confirm-payment": {"amount": amount},
            "concede": {"outstanding": amount},
        }
        self.on_receivable(pick, who, act, bodies[act], seen)

    def on_receivable(
        self, pick: int, who: str | None, act: str, body: dict[str, Any], seen: str
    ) -> None:
        one = one_of(self.world.receivables, pick)
        call = Call(act, who or natural(one, act), body, revision(one, seen))
        self.story.act(call, one)

    @rule(pick=PICK, who=WHO, amount=AMOUNT, bank=st.sampled_from(BANKS), seen=SEEN)
    def discharge(self, pick: int, who: str | None, amount: int, bank: str, seen: str) -> None:
        one = one_of(self.world.receivables, pick)
        who, told, number = who or one.debtor, revision(one, seen), self.story.name()
        body: dict[str, Any] = {
            "receivable": one.id,
            "bank": bank,
            "amount": amount,
            "number": number,
        }
        if told:
            body["revision"] = told
        said = self.world.discharge(who, one, bank, amount, told, number)
        self.story.tell(who, "/settlements/payments", body, said)
        self.story.look(one)
        self.story.look_money(who, one.holder)

    # ---- money ----------------------------------------------------------------------------------

    @rule(bank=st.sampled_from((*BANKS, *BANKS, "stone-mill")), to=TO, amount=AMOUNT)
    def issue_money(self, bank: str, to: str, amount: int) -> None:
        if bank != to:
            self.story.issue_money(bank, to, amount)

    @rule(who=TO, bank=st.sampled_from(BANKS), to=TO, amount=AMOUNT, again=CHANCE, pick=PICK)
    def pay(self, who: str, bank: str, to: str, amount: int, again: bool, pick: int) -> None:
        used = sorted(number for name, number in self.world.money.numbers if name == who)
        number = one_of(used, pick) if used and again else self.story.name()
        if who == to:
            return
        body = {
            "bank": bank,
            "payee": to,
            "currency": self.story.currency,
            "amount": amount,
            "number": number,
        }
        said = self.world.money.pay(who, bank, to, amount, number)
        self.story.tell(who, "/deposits/payments", body, said)
        self.story.look_money(who, to, bank)

    @rule(who=TO, bank=st.sampled_from(BANKS), amount=AMOUNT)
    def request(self, who: str, bank: str, amount: int) -> None:
        number = self.story.name()
        body = {
            "bank": bank,
            "currency": self.story.currency,
            "amount": amount,
            "number": number,
        }
        said = self.world.money.request(who, bank, amount, number)
        if told := self.story.tell(who, "/deposits/redemptions", body, said):
            self.world.money.redemptions[-1].id = told["location"].rpartition("/")[2]
        self.story.look_money(who)

    @rule(pick=PICK, who=WHO, act=st.sampled_from(("confirm", "refuse", "withdraw")))
    def redeem(self, pick: int, who: str | None, act: str) -> None:
        if not self.world.money.redemptions:
            return
        one = one_of(self.world.money.redemptions, pick)
        who = who or (one.owner if act == "withdraw" else one.bank)
        said = self.world.redeem(who, one, act)
        self.story.tell(who, f"/deposits/redemptions/{one.id}/{act}", {}, said)
        self.story.look_money(one.owner)

    # ---- instruments against payment ------------------------------------------------------------

    @rule(pick=PICK, who=WHO, buyer=st.sampled_from((*BANKS, *TRADERS)), amount=AMOUNT, seen=SEEN)
    def offer(self, pick: int, who: str | None, buyer: str, amount: int, seen: str) -> None:
        one = one_of(self.world.instruments, pick)
        seller, told = who or one.holder, revision(one, seen) or one.revision
        if seller == buyer:
            return
        kind = "receipt" if isinstance(one, Receipt) else "receivable"
        body = {
            "number": self.story.name(),
            "instruments": [{"kind": kind, "id": one.id, "revision": told}],
            "currency": self.story.currency,
            "amount": amount,
            "expires": self.story.later,
            "buyer": buyer,
        }
        deal = Deal("", seller, buyer, [one], amount)
        said = self.world.offer(deal, [told])
        if done := self.story.tell(seller, "/settlements/offers", body, said):
            deal.id = done["settlement"]["id"]
            self.story.look(deal)
        self.story.look(one)

    @rule(
        pick=PICK, who=WHO, bank=st.sampled_from(BANKS),
        act=st.sampled_from(("accept", "accept", "accept", "decline", "withdraw")),
    )  # fmt: skip
    def deal(self, pick: int, who: str | None, act: str, bank: str) -> None:
        if not self.world.deals:
            return
        deal = one_of(self.world.deals, pick)
        who = who or (deal.seller if act == "withdraw" else deal.buyer)
        bank = who if who in BANKS else bank
        said = self.world.deal_act(who, deal, act, bank)
        body = {"bank": bank} if act == "accept" else {}
        self.story.tell(who, f"/settlements/{deal.id}/{act}", body, said)
        self.story.look(deal, *deal.legs)
        self.story.look_money(deal.seller, deal.buyer)

    # ---- at the same moment ---------------------------------------------------------------------

    @rule(pick=PICK, to=TO)
    def two_acts_at_one_revision(self, pick: int, to: str) -> None:
        one = one_of(self.world.receipts, pick)
        who, now = one.holder, one.revision
        calls = [
            Call("transfer-holding", who, {"holder": to}, now),
            Call("request-delivery", who, {"quantity": 1}, now),
        ]
        if any(one.barred(call) or one.wrong(call) for call in calls):
            return
        answers = self.story.race(
            *((who, f"/receipts/{one.id}/{call.act}", dict(call.body), now) for call in calls)
        )
        (won,) = [n for n, answer in enumerate(answers) if answer.status_code == 200]
        assert not self.world.act(calls[won], one)
        late = one.barred(calls[1 - won])
        assert late
        judge_refusal(answers[1 - won], frozenset({late}), "the second of two acts")
        self.story.look(one)

    @rule(pick=PICK)
    def two_banks_at_one_receipt(self, pick: int) -> None:
        one = one_of(self.world.receipts, pick)
        now = [
            pledge
            for pledge in self.world.pledges
            if pledge.instrument is one
            and pledge.state == "proposed"
            and not self.world.encumbered(one, pledge.pledgor, pledge.revision)
        ]
        two = [next((each for each in now if each.pledgee == bank), None) for bank in BANKS]
        first, second = two
        if first is None or second is None:
            return
        answers = self.story.race(
            *((each.pledgee, f"/pledges/{each.key}/accept", {}, 0) for each in (first, second))
        )
        (won,) = [n for n, answer in enumerate(answers) if answer.status_code == 200]
        late = frozenset({"AlreadyPledged", "StaleRevision"})
        judge_refusal(answers[1 - won], late, "the second of two banks")
        winner = (first, second)[won]
        assert not self.world.pledge_act((BANK, HARBOUR)[won], winner, "accept", None)
        self.story.look(one, first, second)

    # ---- what must always hold ------------------------------------------------------------------

    @invariant()
    def what_stands_on_the_goods_is_there(self) -> None:
        for lot in self.world.lots:
            told = self.story.stage.members[COURT].get(f"/stock/lots/{lot.key}")
            assert int(told["live"]) <= int(told["counted"]) or told["short"]

    def teardown(self) -> None:
        if self.story.sound:
            check_all(self.story)


def one_of(some: Any, pick: int) -> Any:
    """The last ones first: a story goes on where it was."""
    return some[-1 - pick % len(some)]


def natural(one: Instrument, act: str) -> str:
    """Somebody who may do it, as far as there is one."""
    meant = one.table()[act].by
    for name in ORGANISATIONS:
        if one.roles(name) & set(meant):
            return name
    return one.holder


def revision(one: Instrument, seen: str) -> int:
    """As If-Match tells it: whichever, the one of now, one that has passed or is to come."""
    if seen == "any":
        return 0
    if seen == "before" and one.revision > 1:
        return one.revision - 1
    return one.revision + (seen == "later")


def parts_of(whole: int, first: int, wrong: bool) -> list[int]:
    """Two parts, which make the whole or not."""
    if not 0 < first < whole:
        first = whole // 2
    return [first, whole - first + wrong]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with open_stage(tmp_path_factory.mktemp("model")) as opened:
        yield opened


def play(stage: Stage, stories: int, steps: int, *, derandomize: bool) -> None:
    run_state_machine_as_test(
        lambda: Finance(stage),
        settings=settings(
            max_examples=stories,
            stateful_step_count=steps,
            derandomize=derandomize,
            # To shorten a story takes minutes: it is shown as it was played.
            phases=(Phase.generate,),
            report_multiple_bugs=False,
            database=None,
            deadline=None,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_short_stories_go_over_http_as_in_the_model(stage: Stage) -> None:
    play(stage, 4, 20, derandomize=True)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_long_stories_go_over_http_as_in_the_model(stage: Stage) -> None:
    play(stage, 20, 60, derandomize=False)
