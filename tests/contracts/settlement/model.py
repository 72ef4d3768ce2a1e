"""Deposits and deals as plain Python: what the contracts ought to do, said another way."""

from __future__ import annotations

from dataclasses import dataclass, field

BANKS = ("first-bank", "second-bank")
Purse = tuple[str, str]
"""Bank and owner."""


class Refused(Exception):
    """The model does not let this happen; nothing has changed."""


@dataclass
class ModelDeal:
    """A deal: who gives what, and how far it is."""

    seller: str
    seller_bank: str
    amount: int
    buyer: str | None
    buyer_bank: str | None = None
    leg: int | None = None
    conditional: bool = False
    state: str = "offered"


@dataclass
class World:
    """Everything that the contracts keep."""

    balances: dict[Purse, int] = field(default_factory=dict)
    holds: dict[Purse, int] = field(default_factory=dict)
    claims: dict[tuple[str, str], int] = field(default_factory=dict)
    """Creditor and debtor."""
    limits: dict[tuple[str, str], int] = field(default_factory=dict)
    redemptions: list[tuple[Purse, int, str]] = field(default_factory=list)
    deals: list[ModelDeal] = field(default_factory=list)
    holders: list[str] = field(default_factory=list)
    """Of the instruments."""
    debtors: list[str] = field(default_factory=list)
    """Of the instruments: nobody holds what he owes himself."""

    def set_aside(self, purse: Purse) -> int:
        asked = sum(a for p, a, state in self.redemptions if p == purse and state == "requested")
        promised = sum(
            deal.amount
            for deal in self.deals
            if (deal.buyer_bank, deal.buyer) == purse and deal.state in ("open", "met")
        )
        return asked + promised

    def free(self, purse: Purse) -> int:
        held = self.holds.get(purse, 0)
        return max(0, self.balances.get(purse, 0) - self.set_aside(purse) - held)

    def locked(self, leg: int) -> bool:
        live = ("offered", "open", "met")
        return any(deal.leg == leg and deal.state in live for deal in self.deals)

    # ---- money --------------------------------------------------------------------------------

    def issue(self, bank: str, to: str, amount: int) -> None:
        require(amount > 0)
        self.balances[bank, to] = self.balances.get((bank, to), 0) + amount

    def pay(self, payer: Purse, payee: Purse, amount: int, *, promised: bool = False) -> None:
        """`promised`: out of what was set aside."""
        require(amount > 0 and payer != payee)
        require(promised or self.free(payer) >= amount)
        require(payee in self.balances)
        if payer[0] != payee[0]:
            self._claim((payee[0], payer[0]), amount)
        self.balances[payer] -= amount
        self.balances[payee] += amount

    def _claim(self, pair: tuple[str, str], amount: int) -> None:
        """A bank's claim on another, less what it owes that one."""
        net = self.claims.get(pair, 0) - self.claims.get(pair[::-1], 0) + amount
        require(net <= self.limits.get(pair, 0))
        self.claims[pair], self.claims[pair[::-1]] = max(net, 0), max(-net, 0)

    def limit(self, creditor: str, debtor: str, limit: int) -> None:
        require(self.limits.get((creditor, debtor), 0) != limit)
        self.limits[creditor, debtor] = limit

    def settle(self, creditor: str, debtor: str, amount: int) -> None:
        claim = self.claims.get((creditor, debtor), 0)
        require(0 < amount <= claim)
        self.claims[creditor, debtor] = claim - amount

    def request(self, purse: Purse, amount: int) -> None:
        require(0 < amount <= self.free(purse))
        self.redemptions.append((purse, amount, "requested"))

    def redeem(self, index: int, state: str) -> None:
        purse, amount, before = self.redemptions[index]
        require(before == "requested")
        if state == "confirmed":
            others = self.set_aside(purse) - amount
            require(self.balances[purse] - others - self.holds.get(purse, 0) >= amount)
            self.balances[purse] -= amount
        self.redemptions[index] = (purse, amount, state)

    def hold(self, purse: Purse, amount: int) -> None:
        require(amount > 0 and purse in self.balances)
        self.holds[purse] = self.holds.get(purse, 0) + amount

    # ---- deals --------------------------------------------------------------------------------

    def offer(self, deal: ModelDeal) -> None:
        assert deal.leg is not None
        require(deal.amount > 0 and deal.buyer != deal.seller)
        require(self.holders[deal.leg] == deal.seller and not self.locked(deal.leg))
        require(deal.buyer != self.debtors[deal.leg])
        self.deals.append(deal)

    def promise(self, deal: ModelDeal) -> None:
        require(deal.amount > 0 and deal.buyer != deal.seller)
        assert deal.buyer is not None
        assert deal.buyer_bank is not None
        require(self.free((deal.buyer_bank, deal.buyer)) >= deal.amount)
        deal.state = "open"
        self.deals.append(deal)

    def enter(self, deal: ModelDeal, by: str, bank: str) -> None:
        require(deal.state == "offered" and by != deal.seller and deal.buyer in (None, by))
        require(deal.leg is None or by != self.debtors[deal.leg])
        if deal.conditional:
            require(self.free((bank, by)) >= deal.amount)
        else:
            self.pay((bank, by), (deal.seller_bank, deal.seller), deal.amount)
            assert deal.leg is not None
            self.holders[deal.leg] = by
        deal.buyer, deal.buyer_bank = by, bank
        deal.state = "open" if deal.conditional else "settled"

    def attest(self, deal: ModelDeal) -> None:
        require(deal.state == "open")
        deal.state = "met"
        try:
            self.execute(deal)
        except Refused:
            return  # the word stands

    def execute(self, deal: ModelDeal) -> None:
        require(deal.state == "met")
        assert deal.buyer is not None
        assert deal.buyer_bank is not None
        payer = (deal.buyer_bank, deal.buyer)
        self.pay(payer, (deal.seller_bank, deal.seller), deal.amount, promised=True)
        if deal.leg is not None:
            self.holders[deal.leg] = deal.buyer
        deal.state = "settled"

    def end(self, deal: ModelDeal, state: str, *before: str) -> None:
        require(deal.state in before)
        deal.state = state


def require(condition: bool) -> None:
    if not condition:
        raise Refused
