"""From creation to payment, default and recourse, on the real EVM."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from contracts.claims import (
    CLAIMS_ADDRESS,
    Claim,
    annul_claim_calldata,
    claim_of_calldata,
    decode_claim_of,
)
from contracts.genesis import RECEIVABLES_ADDRESS
from contracts.pledges import Terms, pledge_key, propose_calldata
from contracts.pledges import accept_calldata as bank_accepts
from contracts.receivables import (
    Endorsement,
    Kind,
    ReceivableActed,
    accept_calldata,
    agree_cancel_calldata,
    annul_calldata,
    award_calldata,
    cancel_calldata,
    concede_calldata,
    confirm_payment_calldata,
    create_calldata,
    declare_default_calldata,
    decode_log,
    deliver_calldata,
    discharge_calldata,
    dispute_calldata,
    endorse_calldata,
    freeze_calldata,
    invoice_calldata,
    lapse_calldata,
    offer_cancel_calldata,
    part_id,
    permit_calldata,
    present_calldata,
    recourse_calldata,
    refuse_calldata,
    reject_calldata,
    split_calldata,
    unfreeze_calldata,
    uphold_calldata,
    withdraw_dispute_calldata,
)
from ledger.types import Hash32
from tests.contracts.receivables.world import (
    DAY,
    DECISION,
    DOCUMENT,
    KEYS,
    World,
    bill,
    hash_of,
    invoice,
    order,
)
from tests.contracts.scene import error_of

pytestmark = pytest.mark.feature("F5")


@pytest.fixture
def world() -> World:
    return World.founded()


def accepted(world: World, **changes: Any) -> Hash32:
    id_ = world.create(invoice(world, **changes))
    world.act("maker", accept_calldata(id_, 1))
    return id_


def test_an_invoice_goes_down_three_tiers_and_is_paid(world: World) -> None:
    id_ = accepted(world)
    world.act("supplier", split_calldata(id_, 2, [600_00, 400_00]))
    kept, passed = part_id(id_, 1), part_id(id_, 2)
    world.act("supplier", endorse_calldata(passed, 1, "tier-two", recourse=True))
    world.act("tier-two", split_calldata(passed, 2, [100_00, 300_00]))
    last = part_id(passed, 1)
    world.act("tier-two", endorse_calldata(last, 1, "tier-three", recourse=False))
    assert world.chain_of(last) == (Endorsement("tier-two", False), Endorsement("supplier", True))
    assert world.get(last).guarantor == "supplier"
    world.act("settlement", discharge_calldata(last, 0, "maker", 30_00))
    world.act("settlement", discharge_calldata(last, 0, "maker", 70_00))
    found = world.get(last)
    assert (found.state, found.outstanding, found.paid) == ("paid", 0, 100_00)
    assert (found.root, world.get(kept).outstanding) == (id_, 600_00)
    assert world.refusal("settlement", discharge_calldata(last, 0, "maker", 1)) == "WrongState"


def test_the_event_carries_the_whole_record(world: World) -> None:
    receipt = world.act("supplier", create_calldata(invoice(world), "for seed"))
    event = decode_log(receipt.logs[0])
    assert isinstance(event, ReceivableActed)
    assert event.receivable == world.get(event.id)
    assert (event.act, event.by, event.remark) == ("create", "supplier", "for seed")


def test_nobody_disposes_before_the_debtor_has_accepted(world: World) -> None:
    id_ = world.create(invoice(world))
    calls = [
        endorse_calldata(id_, 0, "bank", recourse=True),
        split_calldata(id_, 0, [1, 999_99]),
        present_calldata(id_, 0),
        declare_default_calldata(id_, 0),
        confirm_payment_calldata(id_, 0, 1),
    ]
    assert {world.refusal("supplier", call) for call in calls} == {"WrongState"}


def test_the_same_invoice_stands_behind_one_receivable(world: World) -> None:
    keys = (hash_of("one invoice"),)
    accepted(world, keys=keys)
    again = create_calldata(invoice(world, "INV-2", keys=keys))
    assert world.attempt("supplier", again).status == 0


@pytest.mark.parametrize("end", ["refuse", "cancel", "together"])
def test_an_invoice_is_free_again_where_nobody_financed_it(world: World, end: str) -> None:
    keys = (hash_of("one invoice"),)
    id_ = world.create(invoice(world, keys=keys))
    if end == "refuse":
        world.act("maker", refuse_calldata(id_, 1, "never ordered"))
    elif end == "cancel":
        world.act("supplier", cancel_calldata(id_, 1))
    else:
        world.act("maker", accept_calldata(id_, 1))
        world.act("maker", offer_cancel_calldata(id_, 2))
        world.act("supplier", agree_cancel_calldata(id_, 3))
    world.create(invoice(world, "INV-2", keys=keys))


def test_a_freeze_does_not_take_the_recipients_right_to_reject(world: World) -> None:
    """Frozen it waits; afterwards all is as it was. An award or the parties' own acts end it."""
    id_ = accepted(world)
    world.act("supplier", endorse_calldata(id_, 0, "tier-two", recourse=True))
    world.act("court", freeze_calldata(id_, 0, DECISION))
    assert world.get(id_).rejectable
    assert world.refusal("tier-two", reject_calldata(id_, 0)) == "InstrumentFrozen"
    world.act("court", unfreeze_calldata(id_, 0, "court", DECISION))
    world.act("tier-two", reject_calldata(id_, 0))
    assert (world.get(id_).holder, world.get(id_).endorsements) == ("supplier", 0)
    world.act("supplier", endorse_calldata(id_, 0, "tier-two", recourse=True))
    world.act("court", freeze_calldata(id_, 0, DECISION))
    world.act("court", award_calldata(id_, 0, "tier-three", DECISION))
    world.act("court", unfreeze_calldata(id_, 0, "court", DECISION))
    assert world.refusal("tier-three", reject_calldata(id_, 0)) == "NothingToReject"


def test_what_a_pledgee_let_pass_is_rejected_with_its_permit(world: World) -> None:
    id_ = accepted(world)
    pledged(world, id_)
    endorse = endorse_calldata(id_, 0, "tier-two", recourse=False)
    world.act("bank", permit_calldata(id_, 0, endorse))
    world.act("supplier", endorse)
    reject = reject_calldata(id_, 0)
    assert world.refusal("tier-two", reject) == "InstrumentPledged"
    world.act("bank", permit_calldata(id_, 0, reject))
    world.act("tier-two", reject)
    assert (world.get(id_).holder, world.get(id_).pledgee) == ("supplier", "bank")


def test_an_invoice_that_was_financed_is_never_free_again(world: World) -> None:
    keys = (hash_of("one invoice"),)
    id_ = accepted(world, keys=keys)
    world.act("supplier", endorse_calldata(id_, 2, "bank", recourse=True))
    world.act("bank", reject_calldata(id_, 3))
    world.act("supplier", offer_cancel_calldata(id_, 4))
    world.act("maker", agree_cancel_calldata(id_, 5))
    assert world.get(id_).state == "cancelled"
    again = create_calldata(invoice(world, "INV-2", keys=keys))
    assert world.attempt("supplier", again).status == 0


def test_only_the_other_side_agrees_and_only_at_once(world: World) -> None:
    id_ = accepted(world)
    assert world.refusal("maker", agree_cancel_calldata(id_, 0)) == "NotOffered"
    world.act("supplier", offer_cancel_calldata(id_, 0))
    assert world.refusal("supplier", agree_cancel_calldata(id_, 0)) == "NotOffered"
    world.act("supplier", endorse_calldata(id_, 0, "tier-two", recourse=True))
    assert world.refusal("maker", agree_cancel_calldata(id_, 0)) == "NotOffered"
    assert world.refusal("maker", offer_cancel_calldata(id_, 0)) == "InvalidParty"


def test_a_default_goes_back_step_by_step(world: World) -> None:
    id_ = accepted(world)
    for by, to, recourse in (
        ("supplier", "tier-two", True),
        ("tier-two", "tier-three", False),
        ("tier-three", "bank", True),
    ):
        world.act(by, endorse_calldata(id_, 0, to, recourse=recourse))
    due = world.get(id_).due
    world.wait_until(due + 3 * DAY)
    assert world.refusal("bank", declare_default_calldata(id_, 0)) == "TooEarly"
    world.wait_until(due + 3 * DAY + 1)
    world.act("bank", declare_default_calldata(id_, 0))
    world.act("bank", recourse_calldata(id_, 0))
    assert world.get(id_).holder == "tier-three"
    world.act("tier-three", recourse_calldata(id_, 0))
    assert world.get(id_).holder == "supplier"  # tier two promised nothing
    assert world.refusal("supplier", recourse_calldata(id_, 0)) == "NobodyStandsBehind"
    world.act("settlement", discharge_calldata(id_, 0, "maker", 1_000_00))
    assert world.get(id_).state == "paid"


def test_whoever_gets_it_back_is_where_he_was(world: World) -> None:
    id_ = accepted(world)
    path = ["supplier", "tier-two", "tier-three", "tier-two"]
    for by, to in pairwise(path):
        world.act(by, endorse_calldata(id_, 0, to, recourse=True))
    assert world.chain_of(id_) == (Endorsement("supplier", True),)


def test_a_bill_is_owed_without_condition_and_presented(world: World) -> None:
    id_ = world.create(bill(world), by="tier-two")
    assert world.chain_of(id_) == (Endorsement("tier-two", True),)  # the drawer
    assert world.refusal("maker", accept_calldata(id_, 1, disputable=True)) == "Unconditional"
    world.act("maker", accept_calldata(id_, 1))
    assert world.refusal("maker", dispute_calldata(id_, 0, DOCUMENT, "bad")) == "Unconditional"
    due = world.get(id_).due
    assert world.refusal("supplier", present_calldata(id_, 0)) == "TooEarly"
    world.wait_until(due + 4 * DAY)
    assert world.refusal("supplier", declare_default_calldata(id_, 0)) == "NotPresented"
    world.act("supplier", present_calldata(id_, 0))
    world.act("supplier", declare_default_calldata(id_, 0))
    world.act("supplier", recourse_calldata(id_, 0))
    assert world.get(id_).holder == "tier-two"


def test_only_a_bank_accepts_a_bank_bill(world: World) -> None:
    draft = bill(world, kind=Kind.BANK_BILL)
    assert world.refusal("maker", create_calldata(draft)) == "InvalidParty"
    id_ = world.create(bill(world, kind=Kind.BANK_BILL, debtor="bank"), by="maker")
    world.act("bank", accept_calldata(id_, 1))
    assert world.get(id_).guarantor == "maker"


def test_an_order_is_owed_once_delivered(world: World) -> None:
    id_ = world.create(order(world))
    world.act("maker", accept_calldata(id_, 1))
    assert world.get(id_).state == "confirmed"
    refused = endorse_calldata(id_, 0, "bank", recourse=True)
    assert world.refusal("supplier", refused) == "WrongState"
    assert world.refusal("carrier", deliver_calldata(id_, 0, DOCUMENT)) == "NotInvoiced"
    world.act("supplier", invoice_calldata(id_, 0, [hash_of("its invoice")], hash_of("document")))
    assert world.refusal("supplier", deliver_calldata(id_, 0, DOCUMENT)) == "NotEntitled"
    before = world.get(id_)
    world.wait_until(before.deliver_by + DAY)
    world.act("carrier", deliver_calldata(id_, 0, DOCUMENT))
    found = world.get(id_)
    assert found.state == "accepted"
    assert found.due == before.due + world.now - before.deliver_by  # as long after delivery
    again = create_calldata(invoice(world, keys=(hash_of("its invoice"),)))
    assert world.attempt("supplier", again).status == 0


def test_an_order_that_is_not_delivered_lapses(world: World) -> None:
    id_ = world.create(order(world))
    world.act("maker", accept_calldata(id_, 1))
    assert world.refusal("maker", lapse_calldata(id_, 0)) == "TooEarly"
    world.wait_until(world.get(id_).deliver_by + 1)
    world.act("maker", lapse_calldata(id_, 0))
    found = world.get(id_)
    assert (found.state, found.outstanding) == ("lapsed", 0)


def test_parts_of_an_order_are_delivered_one_by_one(world: World) -> None:
    id_ = world.create(order(world))
    world.act("maker", accept_calldata(id_, 1))
    world.act("supplier", split_calldata(id_, 0, [300_00, 700_00]))
    part = part_id(id_, 1)
    world.act("supplier", invoice_calldata(part, 0, [hash_of("one")], hash_of("document")))
    assert world.refusal("supplier", split_calldata(part, 0, [1, 299_99])) == "InvoiceUnchanged"
    world.act("maker", deliver_calldata(part, 0, DOCUMENT))
    assert world.get(part).state == "accepted"
    assert world.get(part_id(id_, 2)).state == "confirmed"


def test_a_dispute_is_withdrawn_settled_or_decided(world: World) -> None:
    id_ = world.create(invoice(world))
    world.act("maker", accept_calldata(id_, 1, disputable=True))
    contest = dispute_calldata(id_, 0, DOCUMENT, "half was mouldy")
    world.act("maker", contest)
    moved = endorse_calldata(id_, 0, "bank", recourse=True)
    assert world.refusal("supplier", moved) == "WrongState"
    world.act("maker", withdraw_dispute_calldata(id_, 0))
    world.act("maker", contest)
    assert world.refusal("supplier", concede_calldata(id_, 0, 1_000_00)) == "InvalidAmount"
    world.act("supplier", concede_calldata(id_, 0, 900_00))
    world.act("maker", contest)
    assert world.refusal("court", uphold_calldata(id_, 0, 900_01, DECISION)) == "InvalidAmount"
    world.act("court", uphold_calldata(id_, 0, 500_00, DECISION))
    assert world.get(id_).outstanding == 500_00
    world.act("maker", contest)
    world.act("court", annul_calldata(id_, 0, DECISION))
    found = world.get(id_)
    assert (found.state, found.outstanding, found.paid) == ("annulled", 0, 0)


def test_a_dispute_comes_before_the_due_date_with_a_reason(world: World) -> None:
    id_ = world.create(invoice(world))
    world.act("maker", accept_calldata(id_, 1, disputable=True))
    assert world.refusal("maker", dispute_calldata(id_, 0, DOCUMENT, "")) == "ReasonMissing"
    nothing = dispute_calldata(id_, 0, Hash32(bytes(32)), "bad")
    assert world.refusal("maker", nothing) == "HashMissing"
    world.wait_until(world.get(id_).due)
    assert world.refusal("maker", dispute_calldata(id_, 0, DOCUMENT, "bad")) == "PastDue"


def test_only_settlement_and_the_holder_say_what_was_paid(world: World) -> None:
    id_ = accepted(world)
    for by in ("maker", "supplier", "bank", "regulator"):
        call = discharge_calldata(id_, 0, "maker", 1)
        assert world.refusal(by, call) == "NotEntitled"
    assert world.refusal("settlement", discharge_calldata(id_, 0, "bank", 1)) == "NotDebtor"
    too_much = discharge_calldata(id_, 0, "maker", 1_000_01)
    assert world.refusal("settlement", too_much) == "InvalidAmount"
    assert world.refusal("maker", confirm_payment_calldata(id_, 0, 1)) == "NotEntitled"
    world.act("supplier", confirm_payment_calldata(id_, 0, 400_00, DOCUMENT))
    world.act("supplier", confirm_payment_calldata(id_, 0, 600_00, DOCUMENT))
    found = world.get(id_)
    assert (found.state, found.paid) == ("paid", 1_000_00)


def test_who_watches_over_the_trade_takes_no_part_in_it(world: World) -> None:
    wrong = [
        ("court", invoice(world, creditor="court")),
        ("supplier", invoice(world, debtor="regulator")),
        ("supplier", invoice(world, debtor="supplier")),
        ("supplier", invoice(world, creditor="tier-two")),
        ("supplier", order(world, attestor="supplier")),
        ("supplier", invoice(world, attestor="carrier")),
    ]
    for by, draft in wrong:
        assert world.refusal(by, create_calldata(draft)) == "InvalidParty"
    id_ = accepted(world)
    for to in ("regulator", "maker"):
        call = endorse_calldata(id_, 0, to, recourse=True)
        assert world.refusal("supplier", call) == "InvalidParty"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"amount": 0}, "InvalidAmount"),
        ({"terms": b"\0" * 32}, "HashMissing"),
        ({"due": 1_800_000_000}, "InvalidDue"),
        ({"due": 1_800_000_000 + 3_660 * DAY}, "InvalidDue"),
        ({"grace_seconds": 366 * DAY}, "InvalidGrace"),
        ({"deliver_by": 1_800_000_000 + DAY}, "InvalidDelivery"),
        ({"keys": ()}, "WrongKeys"),
        ({"keys": tuple(bytes([n]) * 32 for n in range(1, 66))}, "WrongKeys"),
        ({"payload": b"{}"}, "PayloadDiffers"),
        ({"debtor": "nobody"}, "PartyNotActive"),
    ],
)
def test_a_draft_has_bounds(world: World, changes: dict[str, Any], error: str) -> None:
    assert world.refusal("supplier", create_calldata(invoice(world, **changes))) == error


def test_a_number_is_used_once(world: World) -> None:
    world.create(invoice(world))
    again = create_calldata(invoice(world, keys=(hash_of("another"),)))
    assert world.refusal("supplier", again) == "InstrumentExists"
    world.create(invoice(world, creditor="tier-two", keys=(hash_of("theirs"),)), by="tier-two")


def test_who_signs_acts_on_what_he_has_seen(world: World) -> None:
    id_ = accepted(world)
    stale = endorse_calldata(id_, 1, "bank", recourse=True)
    assert world.refusal("supplier", stale) == "StaleRevision"


def test_parts_make_up_the_whole(world: World) -> None:
    id_ = accepted(world)
    assert world.refusal("supplier", split_calldata(id_, 0, [1, 2])) == "PartsDiffer"
    assert world.refusal("supplier", split_calldata(id_, 0, [0, 1_000_00])) == "InvalidAmount"
    assert world.refusal("supplier", split_calldata(id_, 0, [1_000_00])) == "WrongCount"
    assert world.refusal("supplier", split_calldata(id_, 0, [1] * 17)) == "WrongCount"


# ---- what others would take ---------------------------------------------------------------------


def pledged_order(world: World) -> Hash32:
    """A confirmed order, which secures the bank's loan to the supplier."""
    id_ = world.create(order(world))
    world.act("maker", accept_calldata(id_, 1))
    pledged(world, id_)
    return id_


def pledged(world: World, id_: Hash32) -> None:
    """The supplier's, at revision 2."""
    terms = Terms(500_00, "CNY", world.now + 40 * DAY, 5, hash_of("loan"))
    draft = (RECEIVABLES_ADDRESS, id_, 2)
    world.pledges("supplier", propose_calldata(*draft, "bank", terms))
    world.pledges("bank", bank_accepts(pledge_key(*draft, "supplier", "bank", terms)))


def test_a_pledged_order_is_not_lapsed_and_sold_once_more_as_an_invoice(world: World) -> None:
    """Supplier and maker write the same sale down again, beside the bank's security."""
    id_, key = pledged_order(world), hash_of("its invoice")
    second = world.create(invoice(world, "INV-9", keys=(key,)))
    world.act("bank", invoice_calldata(id_, 0, [key], DOCUMENT))  # which its creditor never named
    assert world.refusal("maker", accept_calldata(second, 0)) == "AlreadyClaimed"
    third = create_calldata(invoice(world, "INV-10", keys=(key,)))
    assert world.refusal("supplier", third) == "AlreadyClaimed"
    world.wait_until(world.get(id_).deliver_by + DAY)
    for by in ("maker", "supplier"):
        assert world.refusal(by, lapse_calldata(id_, 0)) == "TooEarly"
    world.act("carrier", deliver_calldata(id_, 0, DOCUMENT))
    assert (world.get(id_).state, world.get(id_).pledgee) == ("accepted", "bank")


def test_what_its_creditor_has_named_does_not_bind_whom_the_order_secures(world: World) -> None:
    id_ = pledged_order(world)
    world.act("supplier", invoice_calldata(id_, 0, [hash_of("some paper")], DOCUMENT))
    again = invoice_calldata(id_, 0, [hash_of("its invoice")], DOCUMENT)
    assert world.refusal("supplier", again) == "InvoiceUnchanged"
    assert world.refusal("maker", again) == "NotEntitled"
    world.act("bank", again)
    refused = create_calldata(invoice(world, keys=(hash_of("its invoice"),)))
    assert world.refusal("supplier", refused) == "AlreadyClaimed"


def test_nobody_is_bound_for_ever_by_an_order_that_is_not_delivered(world: World) -> None:
    id_ = pledged_order(world)
    record = world.get(id_)
    world.wait_until(record.deliver_by + 1)
    assert world.refusal("bank", lapse_calldata(id_, 0)) is None
    world.wait_until(record.due + record.grace_seconds - 1)
    assert world.refusal("maker", lapse_calldata(id_, 0)) == "TooEarly"
    world.wait_until(record.due + record.grace_seconds + 1)
    world.act("maker", lapse_calldata(id_, 0))


def test_nobody_blocks_an_invoice_alone(world: World) -> None:
    """Whoever writes another's invoice down first, naming any debtor, has not claimed it."""
    key = hash_of("the supplier's invoice")
    squat = invoice(world, "SQ-1", creditor="tier-two", debtor="tier-three", keys=(key,))
    blocked = world.create(squat, by="tier-two")
    rightful = world.create(invoice(world, keys=(key,)))
    world.act("maker", accept_calldata(rightful, 1))
    assert world.refusal("tier-three", accept_calldata(blocked, 1)) == "AlreadyClaimed"
    world.act("tier-two", cancel_calldata(blocked, 1))
    claim = decode_claim_of(world.answer(claim_of_calldata(key), CLAIMS_ADDRESS))
    assert claim == Claim(RECEIVABLES_ADDRESS, rightful)


@pytest.mark.parametrize("how", ["annulled", "paid", "split"])
def test_an_authority_frees_an_invoice_that_two_have_blocked(world: World, how: str) -> None:
    key = hash_of("the supplier's invoice")
    squat = invoice(world, "SQ-1", creditor="tier-two", debtor="tier-three", keys=(key,))
    blocked = world.create(squat, by="tier-two")
    world.act("tier-three", accept_calldata(blocked, 1))
    rightful = create_calldata(invoice(world, keys=(key,)))
    assert world.refusal("supplier", rightful) == "AlreadyClaimed"
    free = annul_claim_calldata(key, DECISION, "the supplier's")
    assert claims_refusal(world, "court", free) == "StillLive"
    if how == "paid":
        world.act("tier-two", confirm_payment_calldata(blocked, 0, 1_000_00))
    elif how == "annulled":
        world.act("court", annul_calldata(blocked, 0, DECISION))
    else:
        world.act("tier-two", split_calldata(blocked, 0, [300_00, 700_00]))
        for number in (1, 2):
            assert claims_refusal(world, "court", free) == "StillLive"
            world.act("court", annul_calldata(part_id(blocked, number), 0, DECISION))
    assert claims_refusal(world, "tier-two", free) == "NotAuthority"
    assert world.chain.send(KEYS["court"], CLAIMS_ADDRESS, free).status == 1
    world.act("supplier", rightful)


def claims_refusal(world: World, by: str, calldata: bytes) -> str | None:
    result = world.chain.call(KEYS[by].address, CLAIMS_ADDRESS, calldata)
    return error_of(result)
