"""The whole model: what the ledger is to answer, from what docs/finance.md says alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.api.model.debts import Receivable
from tests.api.model.instruments import ACCEPTED, Instrument, Lot, Receipt, Refusals
from tests.api.model.money import Account, Deal, Money, Redemption
from tests.api.model.tables import BANKS, COURT, UNSEEN

INVISIBLE: Refusals = frozenset({UNSEEN})


@dataclass(eq=False)
class Pledge:
    """A security right: proposed, then perhaps active."""

    key: str
    instrument: Instrument
    revision: int
    """Of the instrument, as the pledgor has seen it."""
    pledgor: str
    pledgee: str
    amount: int
    state: str = "proposed"
    covers: list[Instrument] = field(default_factory=list)
    acts: list[tuple[str, str]] = field(default_factory=list)
    """Who has done something with it, and its state then."""

    def shown(self) -> dict[str, Any]:
        return {
            "state": self.state,
            "pledgor": self.pledgor,
            "pledgee": self.pledgee,
            "amount": str(self.amount),
            "instrument": self.instrument.id,
        }

    def sees(self, who: str) -> bool:
        return who in (self.pledgor, self.pledgee, COURT)


@dataclass
class World:
    """All records of one story."""

    lots: list[Lot] = field(default_factory=list)
    receivables: list[Receivable] = field(default_factory=list)
    pledges: list[Pledge] = field(default_factory=list)
    deals: list[Deal] = field(default_factory=list)
    money: Money = field(default_factory=Money)
    numbers: set[tuple[str, str]] = field(default_factory=set)

    @property
    def receipts(self) -> list[Receipt]:
        return [one for lot in self.lots for one in lot.receipts]

    @property
    def instruments(self) -> list[Instrument]:
        return [*self.receipts, *self.receivables]

    def parts(self, one: Instrument) -> list[Any]:
        """What it was split into."""
        return [other for other in self.instruments if other.origin is one and other.part]

    # ---- goods ----------------------------------------------------------------------------------

    def count(self, who: str, lot: Lot, quantity: int, sequence: int, at: int) -> Refusals:
        if not self.sees_lot(who, lot):
            return INVISIBLE
        wrong = set() if who == lot.keeper else {"NotCounter"}
        if sequence <= lot.sequence:
            wrong.add("CountReplayed")
        if at < lot.since:
            wrong.add("CountTimeRefused")
        if not wrong:
            lot.counted, lot.sequence, lot.since = quantity, sequence, at
        return frozenset(wrong)

    def issue(self, who: str, lot: Lot, quantity: int, holder: str, goods: str) -> Refusals:
        wrong = set() if who == lot.keeper else {"NotWarehouse"}
        if quantity == 0:
            wrong.add("InvalidQuantity")
        if lot.short:
            wrong.add("StockShort")
        elif lot.live + quantity > lot.counted:
            wrong.add("NotEnoughStock")
        if not wrong:
            made = Receipt(
                "", "live", holder, lot=lot, warehouse=who, owner=holder, quantity=quantity
            )
            made.goods = goods
            made.begun("issue", who)
            made.see()
            lot.receipts.append(made)
        return frozenset(wrong)

    def merge(self, who: str, parts: list[Receipt]) -> Refusals:
        if not all(self.sees(who, one) for one in parts):
            return INVISIBLE
        wrong = set()
        for one in parts:
            roles = one.roles(who)
            if bar := one.by_contract("merge", next(iter(roles & {"sole"}), "anybody")):
                wrong.add(bar)
        if len({(one.lot.key, one.goods) for one in parts}) > 1:
            wrong.add("GoodsDiffer")
        if not wrong:
            for one in parts:
                one.done("merge", who)
                one.close()
            first = parts[0]
            whole = sum(one.quantity for one in parts)
            made = Receipt(
                "", "live", who, lot=first.lot, warehouse=first.warehouse, owner=who, quantity=whole
            )
            made.goods, made.origin = first.goods, first
            made.begun("arise", who)
            made.see()
            first.lot.receipts.append(made)
        return frozenset(wrong)

    # ---- debts ----------------------------------------------------------------------------------

    def create(self, who: str, debtor: str, amount: int, key: str) -> Refusals:
        wrong = {"InvalidParty"} if who == debtor else set()
        if amount == 0:
            wrong.add("InvalidAmount")
        if self.claimed(key):
            wrong.add("AlreadyClaimed")
        if not wrong:
            made = Receivable(
                "", "proposed", who, issuer=who, debtor=debtor, amount=amount,
                outstanding=amount, key=key,
            )  # fmt: skip
            made.begun("create", who)
            made.see()
            self.receivables.append(made)
        return frozenset(wrong)

    def claimed(self, key: str) -> bool:
        """Whether a debtor has accepted this invoice."""
        return any(one.key == key and one.claims for one in self.receivables if not one.origin)

    # ---- any instrument -------------------------------------------------------------------------

    def sees(self, who: str, one: Instrument) -> bool:
        """Parties of now and before; banks what they were offered; its buyer; the court all."""
        offered = {pledge.pledgee for pledge in self.pledges if pledge.instrument is one}
        buyers = {deal.buyer for deal in self.deals if deal.state == "offered" and one in deal.legs}
        return who == COURT or who in one.parties | offered | buyers

    def sees_lot(self, who: str, lot: Lot) -> bool:
        """A bank that a receipt was only offered to does not."""
        return who == COURT or who in lot.parties

    def sees_account(self, who: str, account: Account) -> bool:
        return who in (COURT, account.bank, account.owner)

    def act(self, call: Any, one: Receipt | Receivable) -> Refusals:
        """An act on a receipt or receivable; the pledge of what is split covers the parts."""
        if not self.sees(call.who, one):
            return INVISIBLE
        if isinstance(one, Receivable):
            one.taken = self.claimed(one.key)
        said = one.judge(call)
        if not said and call.act == "split":
            if isinstance(one, Receivable):
                parts: list[Any] = one.parts
                self.receivables += one.parts
            else:
                parts = self.parts(one)
            for pledge in self.pledges:
                if one in pledge.covers:
                    pledge.covers.remove(one)
                    pledge.covers += parts
                    one.pledgee = None
        return said

    # ---- pledges --------------------------------------------------------------------------------

    def propose(self, pledge: Pledge) -> Refusals:
        one, who = pledge.instrument, pledge.pledgor
        if not self.sees(who, one):
            return INVISIBLE
        # A proposal is words: whether it can be pledged is asked when the bank consents.
        wrong = set() if who == one.holder else {"NotEntitled"}
        if one.pledgee:
            wrong.add("AlreadyPledged")
        if pledge.revision != one.revision:
            wrong.add("StaleRevision")
        if pledge.pledgee not in BANKS:
            wrong.add("NotBank")
        if pledge.pledgee == who:
            wrong.add("InvalidPledgee")
        if not wrong:
            pledge.acts.append((who, pledge.state))
            self.pledges.append(pledge)
        return frozenset(wrong)

    def encumbered(self, one: Instrument, pledgor: str, revision: int) -> set[str]:
        bar = one.by_contract("encumber", "pledges", revision)
        wrong = {bar} if bar else set()
        if one.pledgee:
            wrong |= {"AlreadyPledged"}
        if not one.disposes(pledgor):
            wrong.add("NotEntitled")
        return wrong

    def pledge_act(self, who: str, pledge: Pledge, act: str, ids: list[str] | None) -> Refusals:
        if not pledge.sees(who):
            return INVISIBLE
        meant = pledge.pledgor if act == "withdraw" else pledge.pledgee
        wrong = set() if who == meant else {"NotParty"}
        states = ("active", "defaulted") if act == "release" else ("proposed",)
        if act == "declare-default":
            states = ("active",)
            wrong.add("TooEarly")
        if pledge.state not in states:
            wrong.add("WrongState")
        elif act == "accept":
            wrong |= self.encumbered(pledge.instrument, pledge.pledgor, pledge.revision)
        chosen = [one for one in pledge.covers if ids is None or one.id in ids]
        if act == "release" and ids is not None and len(chosen) != len(ids):
            wrong.add("NotCovered")
        if wrong:
            return frozenset(wrong)
        if act == "accept":
            self._begin(pledge)
        elif act == "release":
            self._release(pledge, chosen)
        else:
            pledge.state = {"decline": "declined", "withdraw": "withdrawn"}[act]
        pledge.acts.append((who, pledge.state))
        return ACCEPTED

    def _begin(self, pledge: Pledge) -> None:
        one = pledge.instrument
        one.done("encumber", pledge.pledgor)
        one.pledgee, pledge.state, pledge.covers = pledge.pledgee, "active", [one]
        one.close()
        one.see()

    def _release(self, pledge: Pledge, chosen: list[Instrument]) -> None:
        for one in chosen:
            one.done("disencumber", pledge.pledgee)
            one.pledgee = None
            pledge.covers.remove(one)
        if not pledge.covers:
            pledge.state = "released"

    # ---- money and deals ------------------------------------------------------------------------

    def discharge(
        self, who: str, one: Receivable, bank: str, amount: int, revision: int, number: str
    ) -> Refusals:
        if not self.sees(who, one):
            return INVISIBLE
        return self.money.discharge(who, one, bank, amount, revision, number)

    def redeem(self, who: str, one: Redemption, act: str) -> Refusals:
        if who not in (one.bank, one.owner, COURT):
            return INVISIBLE
        return self.money.decide(who, one, act)

    def offer(self, deal: Deal, revisions: list[int]) -> Refusals:
        if not all(self.sees(deal.seller, leg) for leg in deal.legs):
            return INVISIBLE
        said = self.money.offer(deal, revisions)
        if not said:
            self.deals.append(deal)
        return said

    def deal_act(
        self, who: str, deal: Deal, act: str, bank: str, revisions: list[int] | None
    ) -> Refusals:
        if not deal.sees(who):
            return INVISIBLE
        if act == "accept":
            return self.money.accept(who, deal, bank, revisions)
        return self.money.end(who, deal, act)
