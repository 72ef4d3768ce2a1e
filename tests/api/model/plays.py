"""What may happen in a story: each thing is asked for over HTTP and judged by the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from tests.api.model.drawing import (
    AMOUNT,
    CHANCE,
    GOODS,
    PICK,
    QUANTITY,
    SEEN,
    TO,
    WHO,
    Body,
    aimed,
    natural,
    one_of,
    parts_of,
    play,
    revision,
    sound,
)
from tests.api.model.instruments import Call
from tests.api.model.money import Account
from tests.api.model.stage import Story, judge_refusal
from tests.api.model.tables import BANK, BANKS, COURT, HARBOUR, TRADERS
from tests.api.model.world import Pledge


class Plays:
    """All of them; `PLAYS` says with what they are drawn."""

    def __init__(self, story: Story) -> None:
        self.story, self.world = story, story.world

    # ---- goods ----------------------------------------------------------------------------------

    @play(pick=PICK, who=WHO, quantity=QUANTITY, again=CHANCE, late=CHANCE)
    def count(self, pick: int, who: str | None, quantity: int, again: bool, late: bool) -> None:
        lot = one_of(self.world.lots, pick)
        sequence = lot.sequence + (not again)
        self.story.count(who or lot.keeper, lot, quantity, sequence, late=late)

    @play(pick=PICK, who=WHO, quantity=QUANTITY, holder=TO, goods=GOODS, twice=CHANCE)
    def issue(
        self, pick: int, who: str | None, quantity: int, holder: str, goods: str, twice: bool
    ) -> None:
        lot = one_of(self.world.lots, pick)
        self.story.issue(who or lot.keeper, lot, quantity, holder, goods, twice=twice)

    @play(
        3,
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

    @play(
        3,
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

    @play(
        2,
        pick=PICK, who=WHO, purpose=st.sampled_from(("delivery", "delivery", "correction")),
        seen=SEEN,
    )  # fmt: skip
    def surrender(self, pick: int, who: str | None, purpose: str, seen: str) -> None:
        self.on_receipt(pick, who, "surrender", {"purpose": purpose}, seen)

    @play(pick=PICK, who=WHO, quantity=QUANTITY, seen=SEEN, twice=CHANCE)
    def ask(self, pick: int, who: str | None, quantity: int, seen: str, twice: bool) -> None:
        self.on_receipt(pick, who, "request-delivery", {"quantity": quantity}, seen, twice=twice)

    @play(pick=PICK, who=WHO, first=QUANTITY, wrong=CHANCE, seen=SEEN)
    def split(self, pick: int, who: str | None, first: int, wrong: bool, seen: str) -> None:
        def body(one: Any) -> dict[str, Any]:
            return {"quantities": parts_of(one.quantity, first, wrong)}

        self.on_receipt(pick, who, "split", body, seen)

    @play(first=PICK, second=PICK, who=WHO)
    def merge(self, first: int, second: int, who: str | None) -> None:
        all_ = self.world.receipts
        if len(all_) < 2:
            return
        free = [each for each in all_ if not each.by_contract("merge", "sole")]
        one = aimed(all_, first, lambda each: each in free)
        like = [each for each in free if each.lot is one.lot and each.holder == one.holder]
        rest = [each for each in all_ if each is not one]
        other = aimed(rest, second, lambda each: each in like)
        who = who or one.holder
        body = {"receipts": [{"id": each.id, "revision": each.revision} for each in (one, other)]}
        said = self.world.merge(who, [one, other])
        if told := self.story.tell(who, "/receipts/merge", body, said):
            made = one.lot.receipts[-1]
            made.id = told["receipt"]["id"]
            self.story.look(made)
        self.story.look(one, other, one.lot)

    def on_receipt(
        self, pick: int, who: str | None, act: str, body: Body, seen: str, *, twice: bool = False
    ) -> None:
        self.on(self.world.receipts, pick, who, act, body, seen, twice=twice)

    def on(
        self,
        some: Sequence[Any],
        pick: int,
        who: str | None,
        act: str,
        body: Body,
        seen: str = "any",
        *,
        twice: bool = False,
    ) -> None:
        """An act on one of some receipts or receivables."""

        def call_of(one: Any) -> Call:
            made = body(one) if callable(body) else body
            return Call(act, who or natural(one, act), made)

        def fits(one: Any) -> bool:
            call = Call(act, natural(one, act), call_of(one).body)
            return not one.barred(call) and not one.wrong(call)

        one = aimed(some, pick, fits)
        call = call_of(one)
        call.revision = revision(one, seen)
        self.story.act(call, one, twice=twice)

    # ---- the court ------------------------------------------------------------------------------

    @play(
        pick=PICK, who=WHO, act=st.sampled_from(("freeze", "unfreeze", "unfreeze", "award")), to=TO,
        debt=st.booleans(),
    )  # fmt: skip
    def decide(self, pick: int, who: str | None, act: str, to: str, debt: bool) -> None:
        some: list[Any] = list(self.world.receivables if debt else self.world.receipts)
        act = "freeze" if debt and act == "award" else act
        one = aimed(some, pick, lambda one: one.frozen == (act != "freeze"))
        self.story.act(Call(act, who or COURT, {"to": to} if act == "award" else {}), one)

    # ---- security -------------------------------------------------------------------------------

    @play(2, pick=PICK, who=WHO, bank=st.sampled_from((*BANKS * 4, "stone-mill")), seen=SEEN)
    def pledge(self, pick: int, who: str | None, bank: str, seen: str) -> None:
        one = aimed(self.world.instruments, pick, sound)
        self.story.propose(who or one.holder, one, bank, revision(one, seen))

    @play(
        3,
        pick=PICK, who=WHO, part=CHANCE, wrong=PICK,
        act=st.sampled_from(
            ("accept",) * 5 + ("release", "release", "decline", "withdraw", "declare-default")
        ),
    )  # fmt: skip
    def pledged(self, pick: int, who: str | None, act: str, part: bool, wrong: int) -> None:
        if not self.world.pledges:
            return
        state = "active" if act in ("release", "declare-default") else "proposed"

        def fits(pledge: Pledge) -> bool:
            late = pledge.revision != pledge.instrument.revision
            return pledge.state == state and not (late and act == "accept")

        pledge = aimed(self.world.pledges, pick, fits)
        who = who or (pledge.pledgor if act == "withdraw" else pledge.pledgee)
        body: dict[str, Any] = {}
        if act == "release" and part:
            body["ids"] = [one_of([*pledge.covers, *self.world.instruments], wrong).id]
        self.story.pledge_act(who, pledge, act, body)

    @play(pick=PICK, first=QUANTITY, to=TO, spoil=CHANCE, act=st.sampled_from(("split", "both")))
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

    @play(who=TO, debtor=TO, amount=AMOUNT, pick=PICK, again=CHANCE)
    def create(self, who: str, debtor: str, amount: int, pick: int, again: bool) -> None:
        roots = [one for one in self.world.receivables if one.origin is None]
        key = one_of(roots, pick).key if again else None
        self.story.create(who, debtor, amount, key)

    @play(
        3,
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
        self.on(self.world.receivables, pick, who, act, bodies.get(act, {}), seen)

    @play(
        2,
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
        def body(one: Any) -> dict[str, Any]:
            if act == "split":
                return {"amounts": parts_of(one.outstanding, amount, wrong)}
            if act == "concede":
                return {"outstanding": amount}
            return {"amount": one.outstanding if rest else amount}

        self.on(self.world.receivables, pick, who, act, body, seen)

    @play(2, pick=PICK, who=WHO, amount=AMOUNT, bank=st.sampled_from(BANKS), seen=SEEN)
    def discharge(self, pick: int, who: str | None, amount: int, bank: str, seen: str) -> None:
        one = aimed(
            self.world.receivables, pick, lambda one: not one.by_contract("discharge", "settlement")
        )
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

    @play(bank=st.sampled_from((*BANKS * 4, "stone-mill")), to=TO, amount=AMOUNT)
    def issue_money(self, bank: str, to: str, amount: int) -> None:
        if bank != to:
            self.story.issue_money(bank, to, amount)

    @play(2, who=TO, bank=st.sampled_from(BANKS), to=TO, amount=AMOUNT, again=CHANCE, pick=PICK)
    def pay(self, who: str, bank: str, to: str, amount: int, again: bool, pick: int) -> None:
        used = sorted(number for name, number in self.world.money.numbers if name == who)
        number = one_of(used, pick) if used and again else self.story.name()
        bank, who = self.rich(pick, bank, who, amount)
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

    def rich(self, pick: int, bank: str, who: str, amount: int) -> tuple[str, str]:
        """A bank and its customer who has that much, if there is one."""
        accounts = [*self.world.money.accounts.values(), Account(bank, who)]
        found = aimed(accounts, pick, lambda one: one.free >= amount)
        return found.bank, found.owner

    @play(who=TO, bank=st.sampled_from(BANKS), amount=AMOUNT, pick=PICK)
    def request(self, who: str, bank: str, amount: int, pick: int) -> None:
        number = self.story.name()
        bank, who = self.rich(pick, bank, who, amount)
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

    @play(2, pick=PICK, who=WHO, act=st.sampled_from(("confirm", "refuse", "withdraw")))
    def redeem(self, pick: int, who: str | None, act: str) -> None:
        if not self.world.money.redemptions:
            return
        one = aimed(self.world.money.redemptions, pick, lambda one: one.state == "requested")
        who = who or (one.owner if act == "withdraw" else one.bank)
        said = self.world.redeem(who, one, act)
        self.story.tell(who, f"/deposits/redemptions/{one.id}/{act}", {}, said)
        self.story.look_money(one.owner)

    # ---- instruments against payment ------------------------------------------------------------

    @play(
        2, pick=PICK, who=WHO, buyer=st.sampled_from((*BANKS, *TRADERS)), amount=AMOUNT, seen=SEEN
    )
    def offer(self, pick: int, who: str | None, buyer: str, amount: int, seen: str) -> None:
        one = aimed(self.world.instruments, pick, sound)
        seller, told = who or one.holder, revision(one, seen) or one.revision
        if seller != buyer:
            self.story.offer(seller, one, buyer, amount, told)

    @play(
        3,
        pick=PICK, who=WHO, bank=st.sampled_from(BANKS), now=st.booleans(),
        act=st.sampled_from(("accept", "accept", "accept", "decline", "withdraw")),
    )  # fmt: skip
    def deal(self, pick: int, who: str | None, act: str, bank: str, now: bool) -> None:
        if not self.world.deals:
            return
        deal = aimed(self.world.deals, pick, lambda deal: deal.state == "offered")
        who = who or (deal.seller if act == "withdraw" else deal.buyer)
        bank = who if who in BANKS else bank
        body: dict[str, Any] = {"bank": bank} if act == "accept" else {}
        if now and act == "accept":
            body["revisions"] = [leg.revision for leg in deal.legs]
        said = self.world.deal_act(who, deal, act, bank, body.get("revisions"))
        self.story.tell(who, f"/settlements/{deal.id}/{act}", body, said)
        self.story.look(deal, *deal.legs)
        self.story.look_money(deal.seller, deal.buyer)

    # ---- at the same moment ---------------------------------------------------------------------

    @play(pick=PICK, to=TO)
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

    @play(pick=PICK)
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
