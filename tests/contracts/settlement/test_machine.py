"""The contracts and the tables against the plain model, in random stories."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from contracts.genesis import RECEIVABLES_ADDRESS
from contracts.receivables.binding import control_calldata, decode_control
from contracts.settlement import (
    DEPOSITS_ADDRESS,
    SETTLEMENT_ADDRESS,
    AccountQuery,
    Condition,
    ConditionalDraft,
    ConditionKind,
    DealQuery,
    Leg,
    OfferDraft,
    Payment,
    accept_calldata,
    attest_calldata,
    commit_calldata,
    confirm_redemption_calldata,
    confirm_settlement_calldata,
    deal_id,
    deny_calldata,
    execute_calldata,
    hold_calldata,
    issue_calldata,
    list_accounts,
    list_deals,
    list_positions,
    offer_calldata,
    pay_calldata,
    payment_id,
    quash_calldata,
    refuse_redemption_calldata,
    request_redemption_calldata,
    set_aside_calldata,
    set_limit_calldata,
    withdraw_calldata,
    withdraw_redemption_calldata,
)
from ledger.types import Address, Hash32
from tests.contracts.scene import CHAIN_ID
from tests.contracts.settlement.market import CNY, DECISION, EVERYTHING, EVIDENCE, opened
from tests.contracts.settlement.model import BANKS, ModelDeal, Refused, World

PARTIES = ("trader", "farm", "mill")
parties = st.sampled_from(PARTIES)
banks = st.sampled_from(BANKS)
amounts = st.sampled_from((0, 1, 700, 6_000, 45_000))
LIVE = ("offered", "open", "met")
SUBJECT = Hash32(b"\x05" * 32)


class SettlementMachine(RuleBasedStateMachine):
    """Banks, their customers, a court and an inspector do as they like."""

    def __init__(self) -> None:
        super().__init__()
        self.market = opened()
        self.world = World(
            balances={
                ("first-bank", "trader"): 100_000,
                ("first-bank", "farm"): 10_000,
                ("second-bank", "mill"): 50_000,
            }
        )
        for bank in BANKS:
            other = BANKS[1 - BANKS.index(bank)]
            self.market.limit(bank, other, 40_000)
            self.world.limit(bank, other, 40_000)
            for party in PARTIES:
                self.market.issue(bank, party, 20_000)
                self.world.issue(bank, party, 20_000)
        self.legs = [self.market.receivable("farm", "mill", 5_000) for _ in range(2)]
        self.world.holders = ["farm"] * 2
        self.world.debtors = ["mill"] * 2
        self.deal_ids: list[Hash32] = []
        self.redemption_ids: list[Hash32] = []
        self.decisions = 0

    def both(self, by: str, to: Address, data: bytes, change: Callable[[], None]) -> bool:
        """The contract does it exactly when the model does."""
        try:
            change()
            expected = True
        except Refused:
            expected = False
        receipt = self.market.send(by, to, data)
        assert (receipt.status == 1) == expected, self.market.words(by, data, to)
        return expected

    # ---- deposits -----------------------------------------------------------------------------

    @rule(bank=banks, to=parties, amount=amounts)
    def issue(self, bank: str, to: str, amount: int) -> None:
        data = issue_calldata(to, CNY, amount, self.market.number())
        self.both(bank, DEPOSITS_ADDRESS, data, lambda: self.world.issue(bank, to, amount))

    @rule(payer=parties, payer_bank=banks, payee=parties, payee_bank=banks, amount=amounts)
    def pay(self, payer: str, payer_bank: str, payee: str, payee_bank: str, amount: int) -> None:
        number = self.market.number()
        data = pay_calldata(Payment(payer_bank, payee, CNY, amount, number, payee_bank))

        def change() -> None:
            self.world.pay((payer_bank, payer), (payee_bank, payee), amount)

        if self.both(payer, DEPOSITS_ADDRESS, data, change):
            assert self.market.send(payer, DEPOSITS_ADDRESS, data).status == 0  # never twice

    @rule(creditor=banks, limit=amounts)
    def limit(self, creditor: str, limit: int) -> None:
        debtor = BANKS[1 - BANKS.index(creditor)]
        data = set_limit_calldata(debtor, CNY, limit)
        self.both(
            creditor, DEPOSITS_ADDRESS, data, lambda: self.world.limit(creditor, debtor, limit)
        )

    @rule(creditor=banks, amount=amounts)
    def settle(self, creditor: str, amount: int) -> None:
        debtor = BANKS[1 - BANKS.index(creditor)]
        data = confirm_settlement_calldata(debtor, CNY, amount, self.market.number())
        self.both(
            creditor, DEPOSITS_ADDRESS, data, lambda: self.world.settle(creditor, debtor, amount)
        )

    @rule(owner=parties, bank=banks, amount=amounts)
    def request(self, owner: str, bank: str, amount: int) -> None:
        number = self.market.number()
        data = request_redemption_calldata(bank, CNY, amount, number)
        if self.both(
            owner, DEPOSITS_ADDRESS, data, lambda: self.world.request((bank, owner), amount)
        ):
            self.redemption_ids.append(payment_id(CHAIN_ID, owner, number))

    @precondition(lambda self: bool(self.redemption_ids))
    @rule(data=st.data(), state=st.sampled_from(("confirmed", "refused", "withdrawn")))
    def redeem(self, data: st.DataObject, state: str) -> None:
        index = data.draw(st.integers(0, len(self.redemption_ids) - 1))
        (bank, owner), _, _ = self.world.redemptions[index]
        make = {
            "confirmed": confirm_redemption_calldata,
            "refused": refuse_redemption_calldata,
            "withdrawn": withdraw_redemption_calldata,
        }[state]
        by = owner if state == "withdrawn" else bank
        call = make(self.redemption_ids[index])
        self.both(by, DEPOSITS_ADDRESS, call, lambda: self.world.redeem(index, state))

    @rule(owner=parties, bank=banks, amount=amounts)
    def hold(self, owner: str, bank: str, amount: int) -> None:
        self.decisions += 1
        decision = Hash32(self.decisions.to_bytes(32, "big"))
        data = hold_calldata(bank, CNY, owner, amount, decision)
        self.both("court", DEPOSITS_ADDRESS, data, lambda: self.world.hold((bank, owner), amount))

    # ---- deals --------------------------------------------------------------------------------

    def condition(self) -> Condition:
        deadline = self.market.chain.time + 86_400
        return Condition(ConditionKind.INSPECTION, 0, deadline, "weighers", SUBJECT)

    def revision(self, leg: int) -> int:
        data = control_calldata(self.legs[leg])
        found = decode_control(self.market.answer(RECEIVABLES_ADDRESS, data))
        assert found is not None
        return found.revision

    @rule(
        leg=st.integers(0, 1),
        seller=parties,
        bank=banks,
        buyer=st.sampled_from((*PARTIES, None)),
        amount=amounts,
        conditional=st.booleans(),
    )
    def offer(
        self,
        leg: int,
        seller: str,
        bank: str,
        buyer: str | None,
        amount: int,
        conditional: bool,
    ) -> None:
        number = self.market.number()
        draft = OfferDraft(
            number=number,
            currency=CNY,
            amount=amount,
            expires=self.market.chain.time + 86_400,
            legs=(Leg(RECEIVABLES_ADDRESS, self.legs[leg], self.revision(leg)),),
            buyer=buyer,
            seller_bank=bank,
            condition=self.condition() if conditional else Condition(),
        )
        deal = ModelDeal(seller, bank, amount, buyer, leg=leg, conditional=conditional)
        data = offer_calldata(draft)
        if self.both(seller, SETTLEMENT_ADDRESS, data, lambda: self.world.offer(deal)):
            self.deal_ids.append(deal_id(CHAIN_ID, seller, number))

    @rule(payer=parties, bank=banks, payee=parties, payee_bank=banks, amount=amounts)
    def promise(self, payer: str, bank: str, payee: str, payee_bank: str, amount: int) -> None:
        number = self.market.number()
        draft = ConditionalDraft(number, payee, bank, CNY, amount, self.condition(), payee_bank)
        deal = ModelDeal(payee, payee_bank, amount, payer, bank, conditional=True)
        data = set_aside_calldata(draft)
        if self.both(payer, SETTLEMENT_ADDRESS, data, lambda: self.world.promise(deal)):
            self.deal_ids.append(deal_id(CHAIN_ID, payer, number))

    @precondition(lambda self: bool(self.deal_ids))
    @rule(data=st.data(), by=parties, bank=banks)
    def enter(self, data: st.DataObject, by: str, bank: str) -> None:
        index = data.draw(st.integers(0, len(self.deal_ids) - 1))
        deal = self.world.deals[index]
        revisions = [] if deal.leg is None else [self.revision(deal.leg)]
        make = commit_calldata if deal.conditional else accept_calldata
        call = make(self.deal_ids[index], 0, bank, revisions)
        self.both(by, SETTLEMENT_ADDRESS, call, lambda: self.world.enter(deal, by, bank))

    @precondition(lambda self: bool(self.deal_ids))
    @rule(data=st.data(), how=st.sampled_from(("attest", "deny", "execute", "withdraw", "quash")))
    def go_on(self, data: st.DataObject, how: str) -> None:
        live = [n for n, deal in enumerate(self.world.deals) if deal.state in LIVE]
        index = data.draw(st.sampled_from(live or range(len(self.deal_ids))))
        deal, id_ = self.world.deals[index], self.deal_ids[index]
        by, call, change = {
            "attest": ("weighers", attest_calldata(id_, 0, EVIDENCE), self.world.attest),
            "deny": (
                "weighers",
                deny_calldata(id_, 0, EVIDENCE),
                lambda deal: self.world.end(deal, "returned", "open"),
            ),
            "execute": ("trader", execute_calldata(id_, 0), self.world.execute),
            "withdraw": (
                deal.seller,
                withdraw_calldata(id_, 0),
                lambda deal: self.world.end(deal, "withdrawn", "offered"),
            ),
            "quash": (
                "court",
                quash_calldata(id_, 0, DECISION),
                lambda deal: self.world.end(deal, "cancelled", "offered", "open", "met"),
            ),
        }[how]
        self.both(by, SETTLEMENT_ADDRESS, call, lambda: change(deal))

    # ---- what ought to hold -------------------------------------------------------------------

    @invariant()
    def the_tables_say_what_the_model_says(self) -> None:
        world = self.world
        with self.market.tables.engine.connect() as connection:
            accounts = list_accounts(connection, AccountQuery(limit=100), EVERYTHING).items
            positions = list_positions(connection, EVERYTHING)
            deals = list_deals(connection, DealQuery(limit=100), EVERYTHING).items
        shown = {
            (one.account.bank, one.account.owner): (
                one.account.balance,
                one.account.set_aside,
                one.account.held,
            )
            for one in accounts
        }
        assert shown == {
            purse: (balance, world.set_aside(purse), world.holds.get(purse, 0))
            for purse, balance in world.balances.items()
        }
        assert {(one.creditor, one.debtor): one.position.claim for one in positions} == {
            pair: world.claims.get(pair, 0) for pair in world.limits
        }
        states = {one.id: (one.deal.state, one.deal.buyer) for one in deals}
        assert states == {
            id_: (deal.state, deal.buyer)
            for id_, deal in zip(self.deal_ids, world.deals, strict=True)
        }

    @invariant()
    def the_books_and_the_instruments_agree(self) -> None:
        for bank in BANKS:
            balances = [b for (at, _), b in self.world.balances.items() if at == bank]
            assert self.market.book(bank).owed == sum(balances)
        for leg, id_ in enumerate(self.legs):
            answer = self.market.answer(RECEIVABLES_ADDRESS, control_calldata(id_))
            control = decode_control(answer)
            assert control is not None
            assert (control.holder, control.locked) == (
                self.world.holders[leg],
                self.world.locked(leg),
            )


_checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
TestSettlement = pytest.mark.feature("F6")(SettlementMachine.TestCase)
TestSettlement.settings = settings(
    max_examples=5, stateful_step_count=40, deadline=None, suppress_health_check=_checks
)


@pytest.mark.slow
@pytest.mark.timeout(900)
class TestSettlementLong(SettlementMachine.TestCase):
    """As above, more of it."""

    settings = settings(
        max_examples=40, stateful_step_count=50, deadline=None, suppress_health_check=_checks
    )
