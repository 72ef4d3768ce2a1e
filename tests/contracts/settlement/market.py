"""Two banks and their customers on the node's own engine, with the tables that nodes fill."""

from __future__ import annotations

from dataclasses import dataclass, field

from contracts.consortium import Founder, Profile, Role
from contracts.genesis import RECEIVABLES_ADDRESS, AllocEntry
from contracts.instruments.viewer import Viewer
from contracts.receivables import Kind
from contracts.receivables.binding import accept_calldata, create_calldata
from contracts.receivables.ids import receivable_id
from contracts.receivables.types import Draft
from contracts.refusals import explain
from contracts.settlement import (
    DEPOSITS_ADDRESS,
    MACHINE,
    SETTLEMENT_ADDRESS,
    Account,
    Book,
    Deal,
    Position,
    account_calldata,
    book_calldata,
    deal_calldata,
    decode_account,
    decode_book,
    decode_deal,
    decode_position,
    issue_calldata,
    position_calldata,
    set_limit_calldata,
)
from ledger.types import Address, Hash32, Receipt
from tests.contracts.scene import CHAIN_ID, Key, MemoryChain, entries, error_of, key
from tests.contracts.tables import Tables

ROLES = {
    "operator": Role.OPERATOR,
    "first-bank": Role.BANK,
    "second-bank": Role.BANK,
    "trader": Role.RETAILER,
    "mill": Role.MANUFACTURER,
    "farm": Role.MANUFACTURER,
    "weighers": Role.CARRIER,
    "regulator": Role.REGULATOR,
    "court": Role.ARBITRATOR,
}
KEYS = {name: key(number) for number, name in enumerate(ROLES, 1)}
BANKS = ("first-bank", "second-bank")
CNY = "CNY"
DECISION = Hash32(b"\x0d" * 32)
EVIDENCE = Hash32(b"\x0e" * 32)
EVERYTHING = Viewer.everything()


def founder(name: str) -> Founder:
    return Founder(name, ROLES[name], Profile(name, "", ""), (KEYS[name].address,))


def genesis() -> dict[Address, AllocEntry]:
    return entries(tuple(founder(name) for name in ROLES), votes={"operator": 1})


@dataclass
class Market:
    """A chain, its tables, and calls by name."""

    chain: MemoryChain = field(default_factory=lambda: MemoryChain.of(genesis()))
    tables: Tables = field(default_factory=lambda: Tables.of(genesis()))
    receipts: list[tuple[Receipt, int, int]] = field(default_factory=list)
    numbers: int = 0

    def number(self) -> str:
        """One that nobody has used."""
        self.numbers += 1
        return f"N-{self.numbers}"

    def send(self, by: str | Key, to: Address, data: bytes) -> Receipt:
        receipt = self.chain.send(KEYS[by] if isinstance(by, str) else by, to, data)
        self.tables.take(receipt, self.chain.number, self.chain.time)
        self.receipts.append((receipt, self.chain.number, self.chain.time))
        return receipt

    def deposits(self, by: str, data: bytes) -> Receipt:
        """A call of Deposits that is meant to go well."""
        why = self.refusal(by, data, DEPOSITS_ADDRESS)
        assert why is None, why
        return self.send(by, DEPOSITS_ADDRESS, data)

    def deals(self, by: str, data: bytes) -> Receipt:
        """A call of Settlement that is meant to go well."""
        why = self.refusal(by, data, SETTLEMENT_ADDRESS)
        assert why is None, why
        return self.send(by, SETTLEMENT_ADDRESS, data)

    def answer(self, to: Address, data: bytes) -> bytes:
        result = self.chain.call(KEYS["operator"].address, to, data)
        assert not result.reverted, explain(result.output)
        return result.output

    def refusal(self, by: str, data: bytes, to: Address = SETTLEMENT_ADDRESS) -> str | None:
        """Name of the error with which the call would be refused now; None: it would not."""
        return error_of(self.chain.call(KEYS[by].address, to, data))

    def words(self, by: str, data: bytes, to: Address = SETTLEMENT_ADDRESS) -> str:
        """Why the call would be refused, as people read it."""
        return explain(self.chain.call(KEYS[by].address, to, data).output, MACHINE)

    def issue(self, bank: str, to: str, amount: int) -> None:
        self.deposits(bank, issue_calldata(to, CNY, amount, self.number()))

    def limit(self, creditor: str, debtor: str, limit: int) -> None:
        self.deposits(creditor, set_limit_calldata(debtor, CNY, limit))

    def account(self, bank: str, owner: str) -> Account | None:
        return decode_account(self.answer(DEPOSITS_ADDRESS, account_calldata(bank, CNY, owner)))

    def balance(self, bank: str, owner: str) -> int:
        account = self.account(bank, owner)
        return 0 if account is None else account.balance

    def book(self, bank: str) -> Book:
        return decode_book(self.answer(DEPOSITS_ADDRESS, book_calldata(bank, CNY)))

    def position(self, creditor: str, debtor: str) -> Position:
        data = position_calldata(creditor, debtor, CNY)
        return decode_position(self.answer(DEPOSITS_ADDRESS, data))

    def deal(self, id_: Hash32) -> Deal | None:
        return decode_deal(self.answer(SETTLEMENT_ADDRESS, deal_calldata(id_)))

    def receivable(self, creditor: str, debtor: str, amount: int) -> Hash32:
        """An invoice that its debtor has accepted (revision 2)."""
        number = self.number()
        word = Hash32(number.encode().ljust(32, b"\1"))
        draft = Draft(
            kind=Kind.INVOICE,
            number=number,
            creditor=creditor,
            debtor=debtor,
            terms=word,
            amount=amount,
            currency=CNY,
            due=self.chain.time + 86_400,
            keys=(word,),
        )
        assert self.send(creditor, RECEIVABLES_ADDRESS, create_calldata(draft)).status == 1
        id_ = receivable_id(CHAIN_ID, creditor, number)
        data = accept_calldata(id_, 0, disputable=False)
        assert self.send(debtor, RECEIVABLES_ADDRESS, data).status == 1
        return id_


def opened() -> Market:
    """The trader and the farm have money at the first bank, the mill at the second."""
    market = Market()
    market.issue("first-bank", "trader", 100_000)
    market.issue("first-bank", "farm", 10_000)
    market.issue("second-bank", "mill", 50_000)
    return market
