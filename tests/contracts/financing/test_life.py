"""Loans from payout to repayment, or to the enforcement of the pledge."""

from __future__ import annotations

import pytest

from contracts.financing import (
    ALL,
    FINANCING_ADDRESS,
    Breach,
    LoanActed,
    Paid,
    credit_calldata,
    cure_calldata,
    declare_default_calldata,
    decode_log,
    draw_down_calldata,
    exhaust_calldata,
    fall_overdue_calldata,
    repay_calldata,
    report_calldata,
    warn_calldata,
)
from contracts.genesis import PLEDGES_ADDRESS
from contracts.pledges import (
    State,
    enforce_calldata,
    release_calldata,
)
from contracts.pledges import cure_calldata as cure_pledge
from contracts.pledges import declare_default_calldata as default_pledge
from contracts.receipts import (
    freeze_calldata,
    part_id,
    permit_calldata,
    split_calldata,
    transfer_both_calldata,
    unfreeze_calldata,
)
from ledger.types import Hash32
from tests.contracts.financing.loans import DAY, Loans, hash_of

pytestmark = pytest.mark.feature("F8")


@pytest.fixture
def world() -> Loans:
    return Loans.opened()


def key_of(world: Loans, id_: Hash32) -> Hash32:
    key = world.loan(id_).pledge
    assert key is not None
    return key


def test_payout_pledges_and_pays_in_one_transaction(world: Loans) -> None:
    id_ = world.accepted()
    asset = world.application(id_).request.asset
    assert (world.deposit(), world.get(asset).pledgee) == (0, None)
    (log,) = world.finance("bank", draw_down_calldata(id_, 0))
    acted = decode_log(log)
    assert isinstance(acted, LoanActed)
    assert (acted.act, acted.state, acted.loan) == ("draw-down", "active", world.loan(id_))
    assert acted.revision == 4  # one line with the application: apply, approve, accept, draw
    assert (world.deposit(), world.get(asset).pledgee) == (80_000_00, "bank")
    pledge = world.pledge_of(id_)
    assert (pledge.state, pledge.loan, pledge.pledgor) == (State.ACTIVE, id_, "farm")
    assert pledge.terms.due == acted.loan.debt.due + 3 * DAY
    assert world.no_finance("bank", draw_down_calldata(id_, 0)) == "WrongState"  # once


def test_nothing_is_paid_where_the_pledge_fails(world: Loans) -> None:
    id_ = world.accepted()
    asset = world.application(id_).request.asset
    world.receipts("farm", transfer_both_calldata(asset, 0, "mill", "mill"))
    assert world.no_finance("bank", draw_down_calldata(id_, 0)) == "CheckFailed"
    assert (world.deposit(), world.state(id_)) == (0, "accepted")


def test_an_offer_is_drawn_while_it_stands(world: Loans) -> None:
    id_ = world.accepted()
    world.wait(11 * DAY)
    assert world.no_finance("bank", draw_down_calldata(id_, 0)) == "OutOfTime"


def test_the_last_payment_releases_the_pledge(world: Loans) -> None:
    id_ = world.drawn()
    asset = world.loan(id_).asset
    world.wait(20 * DAY)
    world.repaid(id_, 30_000_00)
    assert world.get(asset).pledgee == "bank"
    assert world.owed(id_) == (50_200_00, 0)  # 80,000 · 4.5 % · 20/360 = 200 of interest first
    world.fund(1_000_00)
    without = repay_calldata(id_, 0, ALL)
    assert world.no_finance("farm", without) == "CollateralLeft"
    wrong = repay_calldata(id_, 0, ALL, [hash_of("another")])
    assert world.no_finance("farm", wrong) == "NotCovered"
    logs = world.finance("farm", repay_calldata(id_, 0, ALL, [asset]))
    acts = [event.act for event in map(decode_log, logs) if isinstance(event, LoanActed)]
    assert acts == ["repay", "close"]
    assert (world.state(id_), world.get(asset).pledgee) == ("repaid", None)
    assert world.pledge_of(id_).state is State.RELEASED
    assert world.deposit() == 50_000_00 + 1_000_00 - 50_200_00
    assert world.no_finance("farm", repay_calldata(id_, 0, ALL, [asset])) == "WrongState"


def test_only_the_borrower_pays_and_only_what_there_is(world: Loans) -> None:
    id_ = world.drawn()
    data = repay_calldata(id_, 0, 1_00)
    assert world.no_finance("bank", data) == "NotEntitled"
    assert world.no_finance("mill", data) == "NotEntitled"
    assert world.no_finance("farm", repay_calldata(id_, 0, 0)) == "InvalidAmount"
    world.wait(30 * DAY)
    before = world.loan(id_)
    # Interest is owed beyond the deposit.
    beyond = repay_calldata(id_, 0, ALL, [before.asset])
    assert world.send("farm", FINANCING_ADDRESS, beyond).status == 0
    assert world.loan(id_) == before


def test_collateral_that_was_split_goes_free_as_a_whole(world: Loans) -> None:
    id_ = world.drawn()
    asset = world.loan(id_).asset
    revision = world.get(asset).revision
    call = split_calldata(asset, revision + 1, [4_000, 6_000])
    world.receipts("bank", permit_calldata(asset, revision, call))
    world.receipts("farm", call)
    parts = [part_id(asset, 1), part_id(asset, 2)]
    assert world.no_finance("farm", repay_calldata(id_, 0, ALL, parts[:1])) == "CollateralLeft"
    world.repaid(id_, ALL, parts)
    assert [world.get(part).pledgee for part in parts] == [None, None]


def test_who_does_not_pay_in_time_is_overdue_and_bears_the_penalty(world: Loans) -> None:
    id_ = world.drawn()
    due = world.loan(id_).debt.due
    overdue = fall_overdue_calldata(id_, 0)
    world.wait_until(due + 3 * DAY)
    world.finance("operator", warn_calldata(id_, 0, 1, hash_of("due")))
    assert world.no_finance("mill", overdue) == "NotYet"
    world.wait(1)
    world.finance("mill", overdue)
    assert world.state(id_) == "overdue"
    # 60 days at 4.5 %, then three at 7.5 %.
    assert world.owed(id_, due + 3 * DAY) == (80_000_00, 600_00 + 50_00)
    world.fund(2_000_00)
    world.repaid(id_, ALL, [world.loan(id_).asset])
    assert world.state(id_) == "repaid"


def in_default(world: Loans) -> Hash32:
    id_ = world.drawn()
    world.wait_until(world.loan(id_).debt.due + 4 * DAY)
    world.finance("mill", fall_overdue_calldata(id_, 0))
    assert world.no_finance("bank", declare_default_calldata(id_, 0)) == "PledgeDiffers"
    world.pledges("bank", default_pledge(key_of(world, id_)))
    world.finance("bank", declare_default_calldata(id_, 0))
    assert world.state(id_) == "defaulted"
    return id_


def test_default_notice_enforcement_and_what_is_left(world: Loans) -> None:
    id_ = in_default(world)
    loan = world.loan(id_)
    key = key_of(world, id_)
    enforce = enforce_calldata(key, [loan.asset], "mill")
    assert world.refused("bank", PLEDGES_ADDRESS, enforce) == "TooEarly"
    assert world.no_finance("mill", exhaust_calldata(id_, 0)) == "PledgeDiffers"
    world.wait(11 * DAY)
    world.pledges("bank", enforce)
    assert (world.get(loan.asset).holder, world.get(loan.asset).pledgee) == ("mill", None)
    world.finance("mill", exhaust_calldata(id_, 0))
    assert world.state(id_) == "enforced"
    # The buyer has paid the bank outside the ledger; what that does not cover stays owed.
    proceeds = credit_calldata(id_, 0, 70_000_00, hash_of("statement 7"))
    assert world.no_finance("farm", proceeds) == "NotEntitled"
    logs = world.finance("bank", proceeds)
    paid = decode_log(logs[0])
    assert isinstance(paid, Paid)
    assert paid.ref == hash_of("statement 7")
    assert paid.interest + paid.principal == 70_000_00
    assert world.no_finance("bank", proceeds) == "ReferenceUsed"
    principal, interest = world.owed(id_)
    assert (principal + interest, interest) == (
        loan.debt.principal + paid.interest - 70_000_00 + interest,
        interest,
    )
    world.repaid(id_, ALL)
    assert world.state(id_) == "repaid"


def test_a_default_is_cured_where_the_pledge_is(world: Loans) -> None:
    id_ = in_default(world)
    assert world.no_finance("bank", cure_calldata(id_, 0)) == "PledgeDiffers"
    world.pledges("bank", cure_pledge(key_of(world, id_)))
    assert world.no_finance("farm", cure_calldata(id_, 0)) == "NotEntitled"
    world.finance("bank", cure_calldata(id_, 0))
    assert world.state(id_) == "overdue"


def test_who_pays_in_default_gets_the_collateral_back(world: Loans) -> None:
    id_ = in_default(world)
    world.fund(2_000_00)
    world.repaid(id_, ALL, [world.loan(id_).asset])
    assert world.pledge_of(id_).state is State.RELEASED


def test_a_loan_whose_collateral_the_bank_has_released_ends_without_it(world: Loans) -> None:
    id_ = world.drawn()
    asset = world.loan(id_).asset
    world.pledges("bank", release_calldata(key_of(world, id_), [asset]))
    world.repaid(id_, ALL)
    assert world.state(id_) == "repaid"


def test_warnings_are_the_banks_and_the_operators(world: Loans) -> None:
    id_ = world.drawn()
    data = warn_calldata(id_, 0, 2, hash_of("harvest is late"))
    for who in ("farm", "mill", "other-bank"):
        assert world.no_finance(who, data) == "NotEntitled"
    world.finance("bank", data)
    world.finance("operator", warn_calldata(id_, 0, 3, hash_of("prices fell")))
    watch = world.loan(id_).watch
    assert (watch.warnings, watch.severity) == (2, 3)
    for severity in (0, 4):
        wrong = warn_calldata(id_, 0, severity, hash_of("x"))
        assert world.no_finance("bank", wrong) == "InvalidSeverity"


def test_anybody_records_what_the_ledger_shows_of_the_collateral(world: Loans) -> None:
    id_ = world.drawn()
    asset = world.loan(id_).asset
    report = report_calldata(id_, 0, asset)
    assert world.no_finance("mill", report) == "NothingToReport"
    assert world.no_finance("mill", report_calldata(id_, 0, hash_of("x"))) == "NotCollateral"
    world.count(world.lot, 1_000)
    world.finance("mill", report)
    watch = world.loan(id_).watch
    assert (watch.breach, watch.breach_asset) == (Breach.SHORTFALL, asset)
    since = watch.breach_since
    assert since == world.chain.time
    assert world.no_finance("mill", report) == "NothingToReport"
    world.receipts("court", freeze_calldata(asset, 0, hash_of("decision")))
    world.finance("mill", report)
    watch = world.loan(id_).watch
    assert watch.breach == Breach.SHORTFALL | Breach.FREEZE
    assert watch.breach_since == since
    world.count(world.lot, 1_000_000)
    world.receipts("court", unfreeze_calldata(asset, 0, "court", hash_of("over")))
    world.finance("mill", report)
    watch = world.loan(id_).watch
    assert (watch.breach, watch.breach_asset, watch.breach_since) == (Breach(0), None, 0)


def test_a_shortfall_of_one_part_is_not_over_since_another_part_is_well(world: Loans) -> None:
    id_ = world.drawn()
    asset = world.loan(id_).asset
    revision = world.get(asset).revision
    call = split_calldata(asset, revision + 1, [4_000, 6_000])
    world.receipts("bank", permit_calldata(asset, revision, call))
    world.receipts("farm", call)
    first, second = part_id(asset, 1), part_id(asset, 2)
    world.receipts("court", freeze_calldata(first, 0, hash_of("decision")))
    world.finance("mill", report_calldata(id_, 0, first))
    assert world.no_finance("farm", report_calldata(id_, 0, second)) == "NothingToReport"
    assert world.loan(id_).watch.breach == Breach.FREEZE


def test_the_same_collateral_is_not_lent_on_twice(world: Loans) -> None:
    asset = world.issue()
    first = world.drawn(world.request(asset))
    revision = world.get(asset).revision
    request = world.request(asset, asset_revision=revision)
    second = world.applied(request)
    from contracts.financing import accept_calldata

    hash_ = world.approved(second, "other-bank")
    accept = accept_calldata(second, 0, "other-bank", hash_)
    assert world.no_application("farm", accept) == "CheckFailed"
    assert world.state(first) == "active"


def test_the_record_on_the_chain_is_what_events_tell(world: Loans) -> None:
    id_ = world.drawn()
    logs = world.finance("farm", repay_calldata(id_, 0, 1_000_00))
    acted = [event for event in map(decode_log, logs) if isinstance(event, LoanActed)]
    assert acted[-1].loan == world.loan(id_)


def test_a_borrower_repays_a_bank_that_is_suspended_and_has_his_receipt_back(world: Loans) -> None:
    id_ = world.drawn()
    asset = world.application(id_).request.asset
    world.fund(10_000_00)
    world.suspend("bank")
    world.wait(10 * DAY)
    interest, principal = world.owed(id_)
    world.repaid(id_, 1_00)
    world.repaid(id_, assets=[asset])
    assert (world.state(id_), sum(world.owed(id_))) == ("repaid", 0)
    assert world.deposit() == 90_000_00 - interest - principal
    assert world.get(asset).pledgee is None
