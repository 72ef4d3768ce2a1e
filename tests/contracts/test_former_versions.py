"""A former version of a contract goes on with what it has, and takes on nothing new."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contracts.artifact import Artifact
from contracts.directory import add_version
from contracts.financing.binding import apply_calldata, draw_down_calldata, withdraw_calldata
from contracts.financing.decoding import decode_loan, loan_calldata
from contracts.financing.genesis import APPLICATIONS_ARTIFACT, FINANCING_ARTIFACT
from contracts.genesis import (
    APPLICATIONS_ADDRESS,
    DIRECTORY_ADDRESS,
    FINANCING_ADDRESS,
    POOL_BOOK_ADDRESS,
    RECEIPTS_ADDRESS,
    RECEIVABLES_ADDRESS,
    SETTLEMENT_ADDRESS,
)
from contracts.pools import binding as pools
from contracts.pools.genesis import POOL_BOOK_ARTIFACT
from contracts.pools.types import Office
from contracts.receipts import (
    Purpose,
    issue_calldata,
    merge_calldata,
    merged_id,
    part_id,
    replace_calldata,
    split_calldata,
    surrender_calldata,
    transfer_both_calldata,
)
from contracts.receipts.genesis import RECEIPTS_ARTIFACT
from contracts.receivables import Kind
from contracts.receivables.binding import create_calldata
from contracts.receivables.binding import split_calldata as split_receivable
from contracts.receivables.genesis import RECEIVABLES_ARTIFACT
from contracts.receivables.types import Draft
from contracts.settlement import (
    Condition,
    ConditionalDraft,
    ConditionKind,
    Discharge,
    Leg,
    OfferDraft,
    accept_calldata,
    choose_home_calldata,
    deal_id,
    discharge_calldata,
    offer_calldata,
    set_aside_calldata,
)
from contracts.settlement.genesis import SETTLEMENT_ARTIFACT
from ledger.types import Address, Hash32
from tests.contracts.financing.loans import Loans
from tests.contracts.pools.scene import PoolScene, draft
from tests.contracts.receipts.world import KEYS as WORLD_KEYS
from tests.contracts.receipts.world import World, hash_of
from tests.contracts.scene import CHAIN_ID, Key, MemoryChain, error_of, govern, key
from tests.contracts.settlement.market import CNY, KEYS, Market, opened

FORMER = "NotCurrentVersion"


def voted(chain: MemoryChain, name: str, artifact: Artifact) -> Address:
    """The members name a second version of a contract: the same code at another place."""
    made = chain.send(key(1), None, artifact.bytecode).contract_address
    assert made is not None
    name_again(chain, name, made)
    return made


def name_again(chain: MemoryChain, name: str, place: Address) -> None:
    assert govern(chain, (DIRECTORY_ADDRESS, add_version(name, place))).status == 1


def refusal(chain: MemoryChain, by: Key, to: Address, data: bytes) -> str | None:
    """Name of the error that a call meets now; None where it meets none."""
    answer = chain.call(by.address, to, data)
    return error_of(answer)


@pytest.mark.feature("F1")
def test_receipts_are_issued_by_the_current_version_alone() -> None:
    world = World.founded()
    data = issue_calldata(world.draft())
    second = voted(world.chain, "receipts", RECEIPTS_ARTIFACT)
    assert world.refused("granary", RECEIPTS_ADDRESS, data) == FORMER
    said = world.words("granary", RECEIPTS_ADDRESS, data)
    assert said.startswith(f"the members have named another version of receipts, 0x{second.hex()}")
    assert world.act("granary", second, data)
    name_again(world.chain, "receipts", RECEIPTS_ADDRESS)
    later = issue_calldata(world.draft())
    assert world.refused("granary", second, later) == FORMER
    assert world.act("granary", RECEIPTS_ADDRESS, later)


@pytest.mark.feature("F1")
def test_receipts_of_a_former_version_live_on() -> None:
    world = World.founded()
    whole, pledged = world.issue(5_000), world.issue(10_000)
    voted(world.chain, "receipts", RECEIPTS_ARTIFACT)
    world.pledged(pledged)
    world.receipts("farm", split_calldata(whole, 0, [2_000, 3_000]))
    parts = [part_id(whole, 1), part_id(whole, 2)]
    revisions = [world.get(one).revision for one in parts]
    world.receipts("farm", merge_calldata(parts, revisions))
    merged = merged_id(parts, revisions)
    world.receipts("farm", transfer_both_calldata(merged, 0, "mill", "mill"))
    assert (world.get(merged).owner, world.get(merged).quantity) == ("mill", 5_000)


@pytest.mark.feature("F1")
def test_a_former_version_corrects_but_takes_no_goods_more() -> None:
    world = World.founded()
    receipt = world.issue(5_000, keys=(hash_of("bag 1"), hash_of("bag 2")))
    barley = world.register("granary", "silo 2", "barley")
    world.count(barley, 1_000_000)
    voted(world.chain, "receipts", RECEIPTS_ARTIFACT)
    world.receipts("farm", surrender_calldata(receipt, 0, Purpose.CORRECTION))
    more = replace_calldata(receipt, 0, world.draft(5_001))
    assert world.refused("granary", RECEIPTS_ADDRESS, more) == FORMER
    others = replace_calldata(receipt, 0, world.draft(5_000, lot=barley))
    assert world.refused("granary", RECEIPTS_ADDRESS, others) == FORMER
    fewer = world.draft(4_999, keys=(hash_of("bag 1"),))
    for other in (
        replace(fewer, goods=hash_of("barley")),
        replace(fewer, keys=(hash_of("bag 3"),)),
        replace(fewer, keys=(*fewer.keys, hash_of("bag 3"))),
    ):
        wrong = replace_calldata(receipt, 0, other)
        assert world.refused("granary", RECEIPTS_ADDRESS, wrong) == FORMER
    world.receipts("granary", replace_calldata(receipt, 0, fewer))
    assert world.get(receipt).state == "replaced"


def bill(market: Market, number: str) -> bytes:
    draft = Draft(
        kind=Kind.BILL,
        number=number,
        creditor="farm",
        debtor="mill",
        terms=hash_of("bill"),
        amount=100,
        currency=CNY,
        due=market.chain.time + 86_400,
    )
    return create_calldata(draft)


@pytest.mark.feature("F4")
def test_receivables_are_created_by_the_current_version_alone() -> None:
    market = opened()
    invoice = market.receivable("farm", "mill", 4_000)
    second = voted(market.chain, "receivables", RECEIVABLES_ARTIFACT)
    data = bill(market, "B-1")  # which claims nothing: no other contract would refuse it
    assert refusal(market.chain, KEYS["farm"], RECEIVABLES_ADDRESS, data) == FORMER
    assert market.chain.send(KEYS["farm"], second, data).status == 1
    parts = split_receivable(invoice, 0, [1_000, 3_000])
    assert market.chain.send(KEYS["farm"], RECEIVABLES_ADDRESS, parts).status == 1


def offer(market: Market, leg: Leg, number: str) -> bytes:
    terms = OfferDraft(
        number=number,
        currency=CNY,
        amount=900,
        expires=market.chain.time + 500,
        legs=(leg,),
        buyer="trader",
        seller_bank="first-bank",
    )
    return offer_calldata(terms)


@pytest.mark.feature("F6")
def test_deals_and_payments_begin_in_the_current_settlement_alone() -> None:
    market = opened()
    sold, owed = (market.receivable("farm", "mill", 4_000) for _ in range(2))
    begun = Leg(RECEIVABLES_ADDRESS, sold, 2)
    market.deals("farm", offer(market, begun, "D-1"))
    market.limit("first-bank", "second-bank", 50_000)
    market.deposits("farm", choose_home_calldata("first-bank", CNY))
    second = voted(market.chain, "settlement", SETTLEMENT_ARTIFACT)
    date = Condition(ConditionKind.DATE, market.chain.time + 100)
    promised = ConditionalDraft("P-1", "farm", "first-bank", CNY, 900, date, "first-bank")
    debt = Discharge(RECEIVABLES_ADDRESS, owed, 0, "second-bank", 1_000, "Z-1")
    beginnings = {
        "farm": offer(market, Leg(RECEIVABLES_ADDRESS, owed, 2), "D-2"),
        "trader": set_aside_calldata(promised),
        "mill": discharge_calldata(debt),
    }
    for by, data in beginnings.items():
        assert market.refusal(by, data, SETTLEMENT_ADDRESS) == FORMER, by
        assert market.refusal(by, data, second) is None, by
    entering = (deal_id(CHAIN_ID, "farm", "D-1"), 0, "first-bank", [0])
    market.deals("trader", accept_calldata(*entering))


@pytest.mark.feature("F8")
def test_applications_and_loans_begin_in_the_current_versions_alone() -> None:
    world = Loans.opened()
    made, agreed = world.applied(), world.accepted()
    data = apply_calldata(world.request(), [("bank", 1)])
    applications = voted(world.chain, "applications", APPLICATIONS_ARTIFACT)
    assert world.refused("farm", APPLICATIONS_ADDRESS, data) == FORMER
    assert refusal(world.chain, WORLD_KEYS["farm"], applications, data) is None
    # What was agreed before is paid out, as long as Financing itself stays.
    assert refusal(world.chain, WORLD_KEYS["bank"], FINANCING_ADDRESS, draw(agreed)) is None
    voted(world.chain, "financing", FINANCING_ARTIFACT)
    assert world.refused("bank", FINANCING_ADDRESS, draw(agreed)) == FORMER
    world.apply_("farm", withdraw_calldata(made, 0))


@pytest.mark.feature("F8")
def test_what_was_accepted_is_paid_out_when_applications_and_financing_are_replaced() -> None:
    world = Loans.opened()
    agreed, other = world.accepted(), world.accepted()
    voted(world.chain, "applications", APPLICATIONS_ARTIFACT)
    second = voted(world.chain, "financing", FINANCING_ARTIFACT)
    bank = WORLD_KEYS["bank"]
    assert refusal(world.chain, bank, FINANCING_ADDRESS, draw(agreed)) == FORMER
    assert refusal(world.chain, WORLD_KEYS["farm"], second, draw(agreed)) == "NotEntitled"
    assert refusal(world.chain, bank, second, draw(hash_of("no loan"))) == "UnknownLoan"
    assert world.chain.send(bank, second, draw(agreed)).status == 1
    answer = world.read(second, loan_calldata(agreed))
    lent = decode_loan(answer)
    assert lent is not None
    assert (lent.bank, lent.borrower) == ("bank", "farm")
    assert world.get(lent.asset).pledgee == "bank"
    assert refusal(world.chain, bank, second, draw(agreed)) == "WrongState"
    # Once more: what is older than two versions is paid out as well, and once.
    voted(world.chain, "applications", APPLICATIONS_ARTIFACT)
    third = voted(world.chain, "financing", FINANCING_ARTIFACT)
    assert refusal(world.chain, bank, second, draw(other)) == FORMER
    assert refusal(world.chain, bank, third, draw(agreed)) == "WrongState"
    assert world.chain.send(bank, third, draw(other)).status == 1


def draw(loan: Hash32) -> bytes:
    return draw_down_calldata(loan, 0)


@pytest.mark.feature("F8")
def test_a_loan_of_a_former_financing_is_paid_back_and_its_security_goes_free() -> None:
    world = Loans.opened()
    loan = world.drawn()
    world.fund(10_000_00)
    voted(world.chain, "financing", FINANCING_ARTIFACT)
    world.repaid(loan, assets=[world.loan(loan).asset])
    assert world.state(loan) == "repaid"
    assert world.get(world.loan(loan).asset).pledgee is None


@pytest.mark.feature("F7")
def test_pools_begin_in_the_current_version_alone() -> None:
    scene = PoolScene()
    begun = scene.create()
    second = voted(scene.chain, "pool-book", POOL_BOOK_ARTIFACT)
    data = pools.create_calldata(draft("CAR-2027-2"))
    assert scene.refusal("car-bank", POOL_BOOK_ADDRESS, data) == FORMER
    assert scene.refusal("car-bank", second, data) is None
    assert scene.book("trust-house", pools.accept_calldata(begun, Office.TRUSTEE)).status == 1
