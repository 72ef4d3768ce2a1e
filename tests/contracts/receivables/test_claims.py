"""Whose invoice it is: named by one, agreed by two, freed by an authority; and frozen debts."""

from __future__ import annotations

import pytest

from contracts.claims import (
    CLAIMS_ADDRESS,
    Claim,
    annul_claim_calldata,
    claim_of_calldata,
    decode_claim_of,
    reserved_key,
)
from contracts.consortium import CONSORTIUM_ADDRESS, Role, set_role
from contracts.genesis import RECEIVABLES_ADDRESS
from contracts.pledges import Terms, pledge_key, propose_calldata
from contracts.pledges import accept_calldata as bank_accepts
from contracts.receivables import (
    accept_calldata,
    agree_cancel_calldata,
    annul_calldata,
    create_calldata,
    decode_keys_of,
    deliver_calldata,
    freeze_calldata,
    invoice_calldata,
    keys_of_calldata,
    offer_cancel_calldata,
    part_id,
    split_calldata,
    unfreeze_calldata,
)
from contracts.refusals import refusal_name
from ledger.types import Hash32
from tests.contracts.receivables.world import (
    DAY,
    DECISION,
    DOCUMENT,
    KEYS,
    World,
    hash_of,
    invoice,
    order,
)
from tests.contracts.scene import govern

pytestmark = pytest.mark.feature("F5")
KEY = hash_of("the invoice")


@pytest.fixture
def world() -> World:
    return World.founded()


def claim_of(world: World, key: Hash32) -> Hash32 | None:
    claim = decode_claim_of(world.answer(claim_of_calldata(key), CLAIMS_ADDRESS))
    assert claim is None or claim == Claim(RECEIVABLES_ADDRESS, claim.id)
    return claim.id if claim else None


def annul(world: World, key: Hash32) -> str | None:
    """The arbitrator takes the claim; why not, where that is refused."""
    call = annul_claim_calldata(key, DECISION, "not theirs")
    result = world.chain.call(KEYS["court"].address, CLAIMS_ADDRESS, call)
    if result.reverted:
        return refusal_name(result.output)
    assert world.chain.send(KEYS["court"], CLAIMS_ADDRESS, call).status == 1
    return None


def confirmed(world: World, creditor: str = "supplier", debtor: str = "maker") -> Hash32:
    draft = order(world, f"PO-{creditor}", creditor=creditor, debtor=debtor)
    id_ = world.create(draft, by=creditor)
    world.act(debtor, accept_calldata(id_, 1))
    return id_


def pledged(world: World) -> Hash32:
    """A confirmed order of the supplier's, which secures the bank's loan."""
    id_ = confirmed(world)
    terms = Terms(500_00, "CNY", world.now + 40 * DAY, 5, hash_of("loan"))
    draft = (RECEIVABLES_ADDRESS, id_, 2)
    world.pledges("supplier", propose_calldata(*draft, "bank", terms))
    world.pledges("bank", bank_accepts(pledge_key(*draft, "supplier", "bank", terms)))
    return id_


def test_the_creditor_of_an_honest_order_blocks_nobody_elses_invoices(world: World) -> None:
    id_ = confirmed(world, "tier-two", "tier-three")
    victims = [hash_of(f"invoice {number} of the supplier") for number in range(63)]
    rightful = world.create(invoice(world, keys=(victims[0],)))
    world.act("tier-two", invoice_calldata(id_, 0, victims, DOCUMENT))
    assert claim_of(world, victims[0]) is None
    world.act("maker", accept_calldata(rightful, 1))
    another = create_calldata(invoice(world, "INV-2", keys=(victims[1],)))
    assert world.refusal("supplier", another) is None
    world.act("tier-three", deliver_calldata(id_, 0, DOCUMENT))  # which nobody keeps from it
    assert claim_of(world, victims[0]) == rightful
    assert world.get(id_).state == "accepted"


def test_what_one_has_named_is_kept_between_the_same_two_until_delivery(world: World) -> None:
    id_ = confirmed(world)
    second = world.create(invoice(world, "INV-2", keys=(KEY,)))
    world.act("supplier", invoice_calldata(id_, 0, [KEY], DOCUMENT))
    kept = reserved_key("supplier", "maker", KEY)
    assert (claim_of(world, KEY), claim_of(world, kept)) == (None, id_)
    assert world.refusal("maker", accept_calldata(second, 1)) == "AlreadyClaimed"
    world.act("maker", deliver_calldata(id_, 0, DOCUMENT))
    assert (claim_of(world, KEY), claim_of(world, kept)) == (id_, None)
    assert world.refusal("maker", accept_calldata(second, 1)) == "AlreadyClaimed"


def test_an_authority_strikes_what_a_pledgee_names_while_the_order_lives(world: World) -> None:
    id_ = pledged(world)
    blocked = world.create(invoice(world, "INV-2", keys=(KEY,)))
    world.act("bank", invoice_calldata(id_, 0, [KEY], DOCUMENT))
    assert world.refusal("maker", accept_calldata(blocked, 1)) == "AlreadyClaimed"
    assert annul(world, reserved_key("supplier", "maker", KEY)) is None
    world.act("maker", accept_calldata(blocked, 1))
    world.act("maker", deliver_calldata(id_, 0, DOCUMENT))
    assert claim_of(world, KEY) == blocked
    assert annul(world, KEY) == "StillLive"


def test_an_order_has_at_most_64_claims_and_as_many_of_whom_it_secures(world: World) -> None:
    id_ = pledged(world)
    many = [hash_of(f"invoice {number}") for number in range(64)]
    assert world.refusal("supplier", invoice_calldata(id_, 0, many, DOCUMENT)) == "WrongKeys"
    world.act("supplier", invoice_calldata(id_, 0, many[:63], DOCUMENT))
    others = [hash_of(f"paper {number}") for number in range(64)]
    world.act("bank", invoice_calldata(id_, 0, others, DOCUMENT))
    assert world.refusal("bank", invoice_calldata(id_, 0, others[:1], DOCUMENT)) == "WrongKeys"
    assert len(decode_keys_of(world.answer(keys_of_calldata(id_)))) == 128


def test_parts_of_one_order_are_delivered_under_its_one_invoice(world: World) -> None:
    id_ = confirmed(world)
    world.act("supplier", split_calldata(id_, 0, [300_00, 300_00, 400_00]))
    parts = [part_id(id_, number) for number in (1, 2, 3)]
    for part in parts[:2]:
        world.act("supplier", invoice_calldata(part, 0, [KEY], DOCUMENT))
        world.act("maker", deliver_calldata(part, 0, DOCUMENT))
    assert claim_of(world, KEY) == id_
    world.act("supplier", offer_cancel_calldata(parts[0], 0))
    world.act("maker", agree_cancel_calldata(parts[0], 0))
    assert claim_of(world, KEY) == id_  # for which another part still stands
    foreign = confirmed(world, "tier-two", "tier-three")
    named = invoice_calldata(foreign, 0, [KEY], DOCUMENT)
    assert world.refusal("tier-two", named) == "AlreadyClaimed"
    assert annul(world, KEY) == "StillLive"
    for part in parts[1:]:
        world.act("court", annul_calldata(part, 0, DECISION))
    assert annul(world, KEY) is None


def test_creditor_and_debtor_who_end_an_order_free_what_it_names(world: World) -> None:
    id_ = confirmed(world)
    world.act("supplier", invoice_calldata(id_, 0, [KEY], DOCUMENT))
    world.act("maker", offer_cancel_calldata(id_, 0))
    world.act("supplier", agree_cancel_calldata(id_, 0))
    again = world.create(invoice(world, "INV-2", keys=(KEY, hash_of("key PO-supplier"))))
    world.act("maker", accept_calldata(again, 1))
    assert claim_of(world, KEY) == again


def test_however_often_it_was_split_an_authority_frees_its_invoice(world: World) -> None:
    """Whoever wants to keep another's invoice splits until no block has the gas to look at all."""
    gas = []
    for number, splits in enumerate((1, 6)):
        key = hash_of(f"invoice {number}")
        draft = invoice(world, f"SQ-{number}", amount=1_000, keys=(key,))
        whole = world.create(draft)
        world.act("maker", accept_calldata(whole, 1))
        parts, rest, left = [], whole, 1_000
        for _ in range(splits):
            left -= 15
            world.act("supplier", split_calldata(rest, 0, [1] * 15 + [left]))
            parts += [part_id(rest, place) for place in range(1, 16)]
            rest = part_id(rest, 16)
        for part in (*parts, rest):
            assert annul(world, key) == "StillLive"
            world.act("court", annul_calldata(part, 0, DECISION))
        call = annul_claim_calldata(key, DECISION, "not theirs")
        gas.append(world.chain.call(KEYS["court"].address, CLAIMS_ADDRESS, call).gas_used)
        assert annul(world, key) is None
    assert gas[0] == gas[1]


def test_a_freeze_by_who_is_no_authority_any_more_is_lifted_by_another(world: World) -> None:
    id_ = confirmed(world)
    world.act("regulator", freeze_calldata(id_, 0, DECISION))
    thaw = unfreeze_calldata(id_, 0, "regulator", DECISION)
    assert world.refusal("court", thaw) == "NotEntitled"
    changed = CONSORTIUM_ADDRESS, set_role("regulator", Role.OPERATOR)
    assert govern(world.chain, changed, by=KEYS["operator"]).status == 1
    assert world.refusal("regulator", thaw) == "NotEntitled"
    world.act("court", thaw)
    assert world.get(id_).freezes == 0
