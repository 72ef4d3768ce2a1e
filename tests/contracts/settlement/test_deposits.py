"""Deposits on the real EVM, and the tables that say the same."""

from __future__ import annotations

import pytest

from contracts.consortium import Status, set_organisation_status
from contracts.errors import CalldataValueError, LogError
from contracts.genesis import CONSORTIUM_ADDRESS
from contracts.instruments.viewer import Viewer
from contracts.settlement import (
    DEPOSITS_ADDRESS,
    AccountQuery,
    MovementKind,
    MovementQuery,
    Payment,
    Position,
    PositionKind,
    RedemptionState,
    account_key,
    choose_home_calldata,
    collect_calldata,
    confirm_redemption_calldata,
    confirm_settlement_calldata,
    decode_deposits_log,
    decode_hold_of,
    decode_home_of,
    decode_log,
    decode_redemption,
    find_account,
    find_home,
    hold_calldata,
    hold_id,
    hold_of_calldata,
    home_of_calldata,
    issue_calldata,
    list_accounts,
    list_holds,
    list_interbank,
    list_movements,
    list_positions,
    list_redemptions,
    pay_calldata,
    payment_id,
    redemption_calldata,
    refuse_redemption_calldata,
    release_calldata,
    request_redemption_calldata,
    set_limit_calldata,
    withdraw_redemption_calldata,
)
from tests.contracts.scene import CHAIN_ID, govern
from tests.contracts.settlement.market import CNY, DECISION, EVERYTHING, KEYS, Market, opened
from tests.contracts.tables import Tables

pytestmark = pytest.mark.feature("F6")
FARM = account_key("first-bank", CNY, "farm")
TRADER = account_key("first-bank", CNY, "trader")


@pytest.fixture
def market() -> Market:
    return opened()


def pay(market: Market, amount: int, payee: str, bank: str | None = None) -> bytes:
    return pay_calldata(Payment("first-bank", payee, CNY, amount, market.number(), bank), "wheat")


def test_a_statement_has_every_line_with_its_counterparty(market: Market) -> None:
    number = market.number()
    payment = Payment("first-bank", "farm", CNY, 2_500, number, "first-bank")
    market.deposits("trader", pay_calldata(payment, "wheat, lot 7"))
    with market.tables.engine.connect() as connection:
        page = list_movements(connection, MovementQuery(account=FARM), EVERYTHING)
        account = find_account(connection, FARM, EVERYTHING)
    issued, received = page.items
    assert issued.kind is MovementKind.ISSUED
    assert issued.movement.counterparty == "first-bank"
    assert received.kind is MovementKind.RECEIVED
    assert received.kind.sign == 1
    assert received.id == payment_id(CHAIN_ID, "trader", number)
    assert received.movement.number == number
    assert (received.movement.counterparty, received.movement.by) == ("trader", "trader")
    assert (received.movement.amount, received.balance) == (2_500, 12_500)
    assert received.remark == "wheat, lot 7"
    assert account is not None
    assert account.account == market.account("first-bank", "farm")


def test_the_same_number_is_paid_once(market: Market) -> None:
    data = pay(market, 1, "farm", "first-bank")
    market.deposits("trader", data)
    assert market.refusal("trader", data, DEPOSITS_ADDRESS) == "NumberUsed"
    assert "N-4" in market.words("trader", data, DEPOSITS_ADDRESS)


def test_redemption_in_two_steps(market: Market) -> None:
    numbers = [market.number() for _ in range(3)]
    ids = [payment_id(CHAIN_ID, "farm", number) for number in numbers]
    for number in numbers:
        data = request_redemption_calldata("first-bank", CNY, 3_000, number)
        market.deposits("farm", data)
    account = market.account("first-bank", "farm")
    assert account is not None
    assert (account.balance, account.set_aside, account.free) == (10_000, 9_000, 1_000)
    market.deposits("first-bank", confirm_redemption_calldata(ids[0], "wire 4711"))
    market.deposits("first-bank", refuse_redemption_calldata(ids[1], "papers missing"))
    market.deposits("farm", withdraw_redemption_calldata(ids[2]))
    assert market.balance("first-bank", "farm") == 7_000
    assert market.book("first-bank").owed == 107_000
    states = [RedemptionState.CONFIRMED, RedemptionState.REFUSED, RedemptionState.WITHDRAWN]
    with market.tables.engine.connect() as connection:
        page = list_redemptions(connection, Viewer.of("farm"), account=FARM)
        few = list_redemptions(connection, Viewer.of("farm"), states=(RedemptionState.REFUSED,))
        foreign = list_redemptions(connection, Viewer.of("trader"))
    assert [one.redemption.state for one in reversed(page.items)] == states
    assert [one.remark for one in few.items] == ["papers missing"]
    assert foreign.items == ()
    for stored in page.items:
        answer = market.answer(DEPOSITS_ADDRESS, redemption_calldata(stored.id))
        assert decode_redemption(answer) == stored.redemption


def test_between_banks_claims_rise_within_limits_and_are_settled(market: Market) -> None:
    data = pay(market, 4_000, "mill", "second-bank")
    assert market.refusal("trader", data, DEPOSITS_ADDRESS) == "LimitExceeded"
    market.limit("second-bank", "first-bank", 5_000)
    market.deposits("trader", data)
    assert market.position("second-bank", "first-bank") == Position(4_000, 5_000)
    number = market.number()
    data = confirm_settlement_calldata("first-bank", CNY, 4_000, number, "HVPS 20270115-88")
    market.deposits("second-bank", data)
    with market.tables.engine.connect() as connection:
        changes = list_interbank(connection, Viewer.of("first-bank")).items
        (position,) = list_positions(connection, Viewer.of("second-bank"), currency=CNY)
        nothing = list_positions(connection, Viewer.of("trader"))
    assert [change.kind for change in changes] == [
        PositionKind.LIMITED,
        PositionKind.CLAIMED,
        PositionKind.SETTLED,
    ]
    assert changes[2].number == number
    assert changes[2].remark == "HVPS 20270115-88"
    assert position.position == market.position("second-bank", "first-bank") == Position(0, 5_000)
    assert nothing == ()


def test_money_that_goes_to_and_fro_uses_up_nobodys_limit(market: Market) -> None:
    """A customer of both banks sends himself his money: one bank owes the other, or it the one."""
    for creditor, debtor in (("first-bank", "second-bank"), ("second-bank", "first-bank")):
        market.limit(creditor, debtor, 5_000)
    market.deposits("trader", choose_home_calldata("second-bank", CNY))
    there, back = ("second-bank", "first-bank"), ("first-bank", "second-bank")
    for amount, way in ((5_000, there), (5_000, back), (3_000, there), (5_000, back)):
        order = Payment(way[1], "trader", CNY, amount, market.number(), way[0])
        if amount == 5_000 and way == back and market.balance("second-bank", "trader") < amount:
            market.issue("second-bank", "trader", amount)
        market.deposits("trader", pay_calldata(order))
    assert market.position("first-bank", "second-bank") == Position(2_000, 5_000)
    assert market.position("second-bank", "first-bank") == Position(0, 5_000)
    more = Payment("second-bank", "trader", CNY, 3_001, market.number(), "first-bank")
    market.issue("second-bank", "trader", 3_001)
    assert market.refusal("trader", pay_calldata(more), DEPOSITS_ADDRESS) == "LimitExceeded"
    with market.tables.engine.connect() as connection:
        changes = list_interbank(connection, Viewer.of("first-bank")).items
        shown = {one.creditor: one.position.claim for one in list_positions(connection, EVERYTHING)}
    assert shown == {"first-bank": 2_000, "second-bank": 0}
    off = [one for one in changes if one.kind is PositionKind.SET_OFF]
    assert [(one.creditor, one.amount, one.position.claim) for one in off] == [
        ("first-bank", 5_000, 0),
        ("second-bank", 5_000, 0),
        ("first-bank", 3_000, 2_000),
        ("second-bank", 3_000, 0),
    ]
    claimed = [one for one in changes if one.kind is PositionKind.CLAIMED]
    assert [(one.amount, one.position.claim) for one in claimed] == [
        (5_000, 5_000),
        (5_000, 5_000),
        (3_000, 3_000),
        (5_000, 5_000),
    ]


def test_home_is_where_one_is_paid(market: Market) -> None:
    data = pay(market, 100, "mill")
    assert market.refusal("trader", data, DEPOSITS_ADDRESS) == "NoAccount"
    market.deposits("mill", choose_home_calldata("first-bank", CNY))
    market.deposits("trader", data)
    assert market.balance("first-bank", "mill") == 100
    answer = market.answer(DEPOSITS_ADDRESS, home_of_calldata("mill", CNY))
    assert decode_home_of(answer) == "first-bank"
    with market.tables.engine.connect() as connection:
        assert find_home(connection, "mill", CNY, Viewer.of("trader")) == "first-bank"
        assert find_home(connection, "mill", CNY, Viewer.nobody()) is None


@pytest.mark.feature("F4")
def test_a_hold_stays_until_it_is_released(market: Market) -> None:
    data = hold_calldata("first-bank", CNY, "trader", 99_999, DECISION, "case 12")
    assert market.refusal("first-bank", data, DEPOSITS_ADDRESS) == "NotAuthority"
    market.deposits("court", data)
    id_ = hold_id(TRADER, "court", DECISION)
    order = pay(market, 2, "farm", "first-bank")
    assert market.refusal("trader", order, DEPOSITS_ADDRESS) == "Insufficient"
    assert market.refusal("court", collect_calldata(id_, 1), DEPOSITS_ADDRESS) == "NotParty"
    market.deposits("court", release_calldata(id_, 9_999, DECISION))
    market.deposits("trader", order)
    with market.tables.engine.connect() as connection:
        (stored,) = list_holds(connection, TRADER, Viewer.of("first-bank"))
        assert list_holds(connection, TRADER, Viewer.of("farm")) == ()
    assert (stored.amount, stored.hold.amount, stored.hold.by) == (99_999, 90_000, "court")
    assert decode_hold_of(market.answer(DEPOSITS_ADDRESS, hold_of_calldata(id_))) == stored.hold


@pytest.mark.feature("S1")
def test_accounts_are_seen_by_their_owner_and_their_bank(market: Market) -> None:
    def seen(viewer: Viewer) -> set[tuple[str, str]]:
        with market.tables.engine.connect() as connection:
            page = list_accounts(connection, AccountQuery(), viewer)
            return {(one.account.bank, one.account.owner) for one in page.items}

    assert seen(Viewer.of("farm")) == {("first-bank", "farm")}
    assert seen(Viewer.of("first-bank")) == {("first-bank", "farm"), ("first-bank", "trader")}
    assert len(seen(EVERYTHING)) == 3
    assert seen(Viewer.nobody()) == set()
    with market.tables.engine.connect() as connection:
        assert find_account(connection, TRADER, Viewer.of("farm")) is None
        lines = list_movements(connection, MovementQuery(owner="trader"), Viewer.of("farm"))
    assert lines.items == ()


def test_lists_come_in_pages(market: Market) -> None:
    for _ in range(5):
        market.deposits("trader", pay(market, 1, "farm", "first-bank"))
    found = []
    after: str | None = None
    with market.tables.engine.connect() as connection:
        for _ in range(3):
            query = MovementQuery(account=TRADER, after=after, limit=2)
            page = list_movements(connection, query, EVERYTHING)
            found += [one.balance for one in page.items]
            after = page.after
    assert found == [100_000, 99_999, 99_998, 99_997, 99_996, 99_995]
    assert after is None


def test_a_suspended_bank_pays_nobody(market: Market) -> None:
    data = set_organisation_status("first-bank", Status.SUSPENDED)
    receipt = govern(market.chain, (CONSORTIUM_ADDRESS, data), by=KEYS["operator"])
    assert receipt.status == 1
    order = pay(market, 2, "farm", "first-bank")
    assert market.refusal("trader", order, DEPOSITS_ADDRESS) == "PartyNotActive"


def test_a_rebuild_gives_the_same_rows(market: Market) -> None:
    market.limit("second-bank", "first-bank", 5_000)
    market.deposits("trader", pay(market, 4_000, "mill", "second-bank"))
    market.deposits("court", hold_calldata("first-bank", CNY, "trader", 5, DECISION))
    again = market.tables
    fresh = Market(market.chain)
    for receipt, number, time in market.receipts:
        fresh.tables.take(receipt, number, time)
    assert rows(fresh.tables) == rows(again)
    handler = next(one for one in again.handlers if one.name == "deposits")
    with again.engine.begin() as connection:
        handler.reset(connection)
        assert list_accounts(connection, AccountQuery(), EVERYTHING).items == ()


def rows(tables: Tables) -> dict[str, list[tuple[object, ...]]]:
    found: dict[str, list[tuple[object, ...]]] = {}
    with tables.engine.connect() as connection:
        for handler in tables.handlers:
            if handler.name in ("deposits", "settlement"):
                for name, table in handler.metadata.tables.items():
                    found[name] = sorted(map(tuple, connection.execute(table.select())), key=str)
    return found


def test_what_does_not_fit_is_refused_before_it_is_sent() -> None:
    for wrong in (
        lambda: issue_calldata("farm", "cny", 1, "1"),
        lambda: issue_calldata("farm", "CNYX", 1, "1"),
        lambda: issue_calldata("farm", CNY, -1, "1"),
        lambda: issue_calldata("farm", CNY, 1 << 128, "1"),
        lambda: issue_calldata("farm", CNY, 1, ""),
        lambda: issue_calldata("farm", CNY, 1, "x" * 33),
        lambda: set_limit_calldata("Bank!", CNY, 1),
    ):
        with pytest.raises(ValueError, match=r".+"):
            wrong()
    with pytest.raises(CalldataValueError, match="three capital letters"):
        account_key("first-bank", "C", "farm")


def test_a_log_of_the_other_contract_is_told(market: Market) -> None:
    (log,) = market.receipts[0][0].logs
    assert decode_deposits_log(log).content.owner == "trader"  # type: ignore[union-attr]
    with pytest.raises(LogError):
        decode_log(log)
