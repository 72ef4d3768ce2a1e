"""Deposits and deals of the model: what each bank owes, and instruments against payment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.api.model.debts import Receivable
from tests.api.model.instruments import ACCEPTED, Instrument, Refusals
from tests.api.model.tables import BANKS, COURT


@dataclass(eq=False)
class Account:
    """What a bank owes a customer."""

    bank: str
    owner: str
    balance: int = 0
    set_aside: int = 0
    held: int = 0

    @property
    def free(self) -> int:
        return self.balance - self.set_aside - self.held

    def shown(self) -> dict[str, Any]:
        return {
            "balance": str(self.balance),
            "setAside": str(self.set_aside),
            "held": str(self.held),
            "free": str(self.free),
        }


@dataclass(eq=False)
class Redemption:
    """A deposit that its owner wants paid out."""

    id: str
    bank: str
    owner: str
    amount: int
    state: str = "requested"

    def shown(self) -> dict[str, Any]:
        return {"state": self.state, "amount": str(self.amount)}


@dataclass(eq=False)
class Deal:
    """Instruments against one payment."""

    id: str
    seller: str
    buyer: str
    legs: list[Instrument]
    amount: int
    state: str = "offered"
    revision: int = 1
    seen: list[int] = field(default_factory=list)
    """Revisions of the legs, as they were promised."""
    banks: set[str] = field(default_factory=set)
    """Through which the money goes."""
    acts: list[tuple[str, str, int]] = field(default_factory=list)
    """What was done with it, by whom, and its revision then."""

    def shown(self) -> dict[str, Any]:
        return {
            "state": self.state,
            "seller": self.seller,
            "buyer": self.buyer,
            "amount": str(self.amount),
            "revision": self.revision,
        }

    def sees(self, who: str) -> bool:
        return who in (self.seller, self.buyer, COURT) or who in self.banks


@dataclass
class Money:
    """Accounts, where everybody is paid, and what banks owe each other."""

    accounts: dict[tuple[str, str], Account] = field(default_factory=dict)
    homes: dict[str, str] = field(default_factory=dict)
    limits: dict[tuple[str, str], int] = field(default_factory=dict)
    """Of what the second bank may owe the first."""
    claims: dict[tuple[str, str], int] = field(default_factory=dict)
    issued: dict[str, int] = field(default_factory=dict)
    """What each bank has put into circulation, less what it has taken out of it."""
    redemptions: list[Redemption] = field(default_factory=list)
    numbers: set[tuple[str, str]] = field(default_factory=set)

    def account(self, bank: str, owner: str) -> Account:
        return self.accounts.setdefault((bank, owner), Account(bank, owner))

    def choose_home(self, who: str, bank: str) -> Refusals:
        self.homes[who] = bank
        self.account(bank, who)
        return ACCEPTED

    def _order(self, who: str, number: str, amount: int) -> set[str]:
        wrong = {"InvalidAmount"} if amount == 0 else set()
        return wrong | ({"NumberUsed"} if (who, number) in self.numbers else set())

    def issue(self, bank: str, to: str, amount: int, number: str) -> Refusals:
        wrong = self._order(bank, number, amount)
        if bank not in BANKS:
            wrong.add("NotBank")
        if not wrong:
            self.numbers.add((bank, number))
            self.account(bank, to).balance += amount
            self.issued[bank] = self.issued.get(bank, 0) + amount
        return frozenset(wrong)

    def out(self, bank: str, payer: str, amount: int) -> set[str]:
        """Why that much cannot leave the payer's account."""
        if payer == bank:
            return set()
        account = self.accounts.get((bank, payer))
        if account is None:
            return {"NoAccount", "Insufficient"}
        return {"Insufficient"} if account.free < amount else set()

    def over(self, creditor: str, debtor: str, amount: int) -> set[str]:
        """Why one bank cannot owe another that much more."""
        if creditor == debtor:
            return set()
        opposite = self.claims.get((debtor, creditor), 0)
        owed = self.claims.get((creditor, debtor), 0) - opposite + amount
        return {"LimitExceeded"} if owed > self.limits.get((creditor, debtor), 0) else set()

    def move(self, bank: str, payer: str, payee_bank: str, payee: str, amount: int) -> Account:
        """The payer's money becomes the payee's; a bank's own is made, or taken back."""
        if payer == bank:
            self.issued[bank] = self.issued.get(bank, 0) + amount
        else:
            self.accounts[bank, payer].balance -= amount
        if bank != payee_bank:
            pair = (payee_bank, bank)
            net = self.claims.get(pair, 0) - self.claims.get(pair[::-1], 0) + amount
            self.claims[pair], self.claims[pair[::-1]] = max(net, 0), max(-net, 0)
        if payee == payee_bank:
            self.issued[payee_bank] = self.issued.get(payee_bank, 0) - amount
            return Account(payee_bank, payee)
        account = self.account(payee_bank, payee)
        account.balance += amount
        return account

    def pay(self, payer: str, bank: str, payee: str, amount: int, number: str) -> Refusals:
        wrong = self._order(payer, number, amount) | self.out(bank, payer, amount)
        home = self.homes.get(payee)
        if home is None:
            wrong.add("NoAccount")
        else:
            wrong |= self.over(home, bank, amount)
        if home is not None and not wrong:
            self.numbers.add((payer, number))
            self.move(bank, payer, home, payee, amount)
        return frozenset(wrong)

    def request(self, who: str, bank: str, amount: int, number: str) -> Refusals:
        wrong = self._order(who, number, amount) | self.out(bank, who, amount)
        if not wrong:
            self.numbers.add((who, number))
            self.accounts[bank, who].set_aside += amount
            self.redemptions.append(Redemption("", bank, who, amount))
        return frozenset(wrong)

    def decide(self, who: str, one: Redemption, act: str) -> Refusals:
        wrong = set() if one.state == "requested" else {"RedemptionDecided"}
        if who != (one.owner if act == "withdraw" else one.bank):
            wrong.add("NotParty")
        if not wrong:
            account = self.accounts[one.bank, one.owner]
            account.set_aside -= one.amount
            if act == "confirm":
                account.balance -= one.amount
                self.issued[one.bank] -= one.amount
            done = {"confirm": "confirmed", "refuse": "refused", "withdraw": "withdrawn"}
            one.state = done[act]
        return frozenset(wrong)

    def _paid_at(self, who: str) -> str:
        return who if who in BANKS else self.homes[who]

    # ---- with instruments -----------------------------------------------------------------------

    def discharge(
        self, who: str, one: Receivable, bank: str, amount: int, revision: int, number: str
    ) -> Refusals:
        """A debtor pays; while it is pledged the pledgee holds what comes in."""
        wrong = self._order(who, number, amount) | self.out(bank, who, amount)
        bar = one.by_contract("discharge", "settlement", revision)
        if bar:
            wrong.add(bar)
        if who != one.debtor:
            wrong.add("NotDebtor")
        if amount > one.outstanding:
            wrong.add("InvalidAmount")
        payee_bank = one.pledgee or (
            one.holder if one.holder in BANKS else self.homes.get(one.holder)
        )
        if payee_bank is None:
            wrong.add("NoAccount")
        else:
            wrong |= self.over(payee_bank, bank, amount)
        if payee_bank is None or wrong:
            return frozenset(wrong)
        self.numbers.add((who, number))
        account = self.move(bank, who, payee_bank, one.holder, amount)
        if one.pledgee:
            account.held += amount
        one.done("discharge", who)
        one.pay(amount)
        return ACCEPTED

    def offer(self, deal: Deal, revisions: list[int]) -> Refusals:
        """Promise instruments: they are locked."""
        wrong = {"InvalidAmount"} if deal.amount == 0 else set()
        for leg, revision in zip(deal.legs, revisions, strict=True):
            bar = leg.by_contract("lock", "settlement", revision)
            if bar:
                wrong.add(bar)
            if not leg.disposes(deal.seller):
                wrong.add("NotEntitled")
            if isinstance(leg, Receivable) and leg.debtor == deal.buyer:
                wrong.add("InvalidParty")
        if deal.seller not in BANKS and deal.seller not in self.homes:
            wrong.add("NoAccount")
        if not wrong:
            deal.banks = {self._paid_at(deal.seller)}
            deal.acts.append(("offer", deal.seller, deal.revision))
            for leg in deal.legs:
                leg.done("lock", deal.seller)
                leg.locked = True
                leg.promised()
            deal.seen = [leg.revision for leg in deal.legs]
        return frozenset(wrong)

    def accept(
        self, who: str, deal: Deal, bank: str, revisions: list[int] | None = None
    ) -> Refusals:
        """Pay and take, or neither; as they were promised, or as the buyer has seen them since."""
        wrong = self._deal(who, deal, deal.buyer) | self.out(bank, who, deal.amount)
        for leg, revision in zip(deal.legs, revisions or deal.seen, strict=True):
            if leg.locked and (bar := leg.by_contract("settle", "settlement", revision)):
                wrong.add(bar)
        (home,) = deal.banks if deal.state == "offered" else (bank,)
        wrong |= self.over(home, bank, deal.amount)
        if not wrong:
            self.move(bank, who, home, deal.seller, deal.amount)
            for leg in deal.legs:
                leg.done("settle", deal.seller)
                leg.locked = False
                leg.hand_over(who)
                leg.see()
            deal.state, deal.revision = "settled", deal.revision + 1
            deal.acts.append(("accept", who, deal.revision))
            deal.banks |= {bank}
        return frozenset(wrong)

    def end(self, who: str, deal: Deal, act: str) -> Refusals:
        """The buyer declines it, or the seller withdraws it: everything is free again."""
        wrong = self._deal(who, deal, deal.buyer if act == "decline" else deal.seller)
        if not wrong:
            for leg in deal.legs:
                leg.done("unlock", leg.holder)
                leg.locked = False
            deal.state = "declined" if act == "decline" else "withdrawn"
            deal.revision += 1
            deal.acts.append((act, who, deal.revision))
        return frozenset(wrong)

    def _deal(self, who: str, deal: Deal, meant: str) -> set[str]:
        wrong = set() if deal.state == "offered" else {"DealState"}
        return wrong if who == meant else wrong | {"DealNotEntitled"}
