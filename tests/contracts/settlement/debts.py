"""A debt of the mill's to the farm on the market: pledged, paid, looked at."""

from __future__ import annotations

from contracts.genesis import PLEDGES_ADDRESS, RECEIVABLES_ADDRESS
from contracts.pledges import (
    Terms,
    accept_calldata,
    decode_pledge_of,
    pledge_key,
    pledge_of_calldata,
    propose_calldata,
)
from contracts.receivables.binding import decode_receivable, receivable_calldata
from contracts.settlement import (
    SETTLEMENT_ADDRESS,
    Account,
    AccountQuery,
    Discharge,
    discharge_calldata,
    list_accounts,
    payment_id,
)
from ledger.types import Hash32
from tests.contracts.scene import CHAIN_ID
from tests.contracts.settlement.market import CNY, EVERYTHING, EVIDENCE, Market


def pledged(
    market: Market, amount: int = 3_000, *, debtor: str = "mill", currency: str = CNY
) -> Hash32:
    """The debtor owes the farm 4,000, and the first bank has it as its security for so much."""
    what = (RECEIVABLES_ADDRESS, market.receivable("farm", debtor, 4_000), 2)
    terms = Terms(amount, currency, market.chain.time + 900_000, 5, EVIDENCE)
    data = propose_calldata(*what, "first-bank", terms)
    assert market.send("farm", PLEDGES_ADDRESS, data).status == 1
    key = pledge_key(*what, "farm", "first-bank", terms)
    assert market.send("first-bank", PLEDGES_ADDRESS, accept_calldata(key)).status == 1
    return what[1]


def pledge_on(market: Market, receivable: Hash32) -> Hash32:
    data = pledge_of_calldata(RECEIVABLES_ADDRESS, receivable)
    found = decode_pledge_of(market.answer(PLEDGES_ADDRESS, data))
    assert found is not None
    return found


def paying(
    market: Market, receivable: Hash32, amount: int = 4_000, bank: str = "second-bank"
) -> bytes:
    debt = Discharge(RECEIVABLES_ADDRESS, receivable, 0, bank, amount, market.number())
    return discharge_calldata(debt)


def paid_into_hold(
    market: Market, receivable: Hash32, amount: int = 4_000, by: str = "mill"
) -> Hash32:
    """The debtor has paid; the hold of the pledgee."""
    bank = by if by.endswith("bank") else "second-bank"
    market.deals(by, paying(market, receivable, amount, bank))
    return payment_id(CHAIN_ID, by, f"N-{market.numbers}", SETTLEMENT_ADDRESS)


def outstanding(market: Market, id_: Hash32) -> int:
    output = market.answer(RECEIVABLES_ADDRESS, receivable_calldata(id_))
    found = decode_receivable(output)
    assert found is not None
    return found.outstanding


def account(market: Market, bank: str, owner: str) -> Account:
    """As the contract and the tables have it."""
    found = market.account(bank, owner)
    assert found is not None
    with market.tables.engine.connect() as connection:
        query = AccountQuery(bank=bank, owner=owner)
        (stored,) = list_accounts(connection, query, EVERYTHING).items
    assert stored.account == found
    return found
