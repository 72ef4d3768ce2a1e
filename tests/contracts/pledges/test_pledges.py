"""Pledges: keys, the whole life, one live pledge for an instrument, and who sees them."""

from __future__ import annotations

import pytest

from contracts import receipts
from contracts.errors import CalldataValueError
from contracts.genesis import PLEDGES_ADDRESS, RECEIPTS_ADDRESS
from contracts.instruments import Viewer
from contracts.pledges import (
    PledgeChanged,
    PledgeQuery,
    State,
    Terms,
    accept_calldata,
    decline_calldata,
    decode_log,
    decode_pledge,
    decode_pledge_of,
    find_pledge,
    list_pledges,
    pledge_assets,
    pledge_calldata,
    pledge_history,
    pledge_key,
    pledge_of_calldata,
    propose_calldata,
    release_calldata,
    withdraw_calldata,
)
from contracts.receipts import part_id, permit_calldata, split_calldata, transfer_holding_calldata
from contracts.refusals import explain, record_named
from ledger.types import Hash32
from tests.contracts.receipts.story import tell
from tests.contracts.receipts.world import KEYS, MEMBERS, World, hash_of

pytestmark = pytest.mark.feature("F2")
ALL = Viewer.everything()


@pytest.fixture
def world() -> World:
    return World.founded()


def state(world: World, key: Hash32) -> State:
    with world.connect() as connection:
        found = find_pledge(connection, key, ALL)
    assert found is not None
    return found.pledge.state


def test_every_stored_pledge_is_what_the_contract_says(world: World) -> None:
    tell(world)
    with world.connect() as connection:
        stored = list_pledges(connection, PledgeQuery(), ALL).items
    assert len(stored) == 4
    for one in stored:
        answer = world.read(PLEDGES_ADDRESS, pledge_calldata(one.key))
        assert decode_pledge(answer) == one.pledge
        p = one.pledge
        key = pledge_key(
            p.instrument, p.id, p.instrument_revision, p.pledgor, p.pledgee, p.terms, p.loan
        )
        assert key == one.key
    states = {one.pledge.state for one in stored}
    assert states == {State.RELEASED, State.ENFORCED, State.ANNULLED, State.PROPOSED}


def test_the_event_tells_the_pledge_as_it_is(world: World) -> None:
    id_ = world.issue()
    data = propose_calldata(RECEIPTS_ADDRESS, id_, 1, "bank", world.terms(), "for seed")
    event = decode_log(world.pledges("farm", data)[-1])
    assert isinstance(event, PledgeChanged)
    answer = world.read(PLEDGES_ADDRESS, pledge_calldata(event.key))
    assert decode_pledge(answer) == event.pledge
    assert (event.by, event.remark) == ("farm", "for seed")


def test_a_second_bank_learns_that_it_was_late(world: World) -> None:
    id_ = world.issue()
    terms = world.terms()
    for bank in ("bank", "other-bank"):
        world.pledges("farm", propose_calldata(RECEIPTS_ADDRESS, id_, 1, bank, terms))
    first, second = (
        pledge_key(RECEIPTS_ADDRESS, id_, 1, "farm", bank, terms) for bank in ("bank", "other-bank")
    )
    world.pledges("bank", accept_calldata(first))
    data = accept_calldata(second)
    assert world.refused("other-bank", PLEDGES_ADDRESS, data) == "AlreadyPledged"
    assert "pledged to bank" in world.words("other-bank", PLEDGES_ADDRESS, data)
    assert state(world, second) is State.PROPOSED
    answer = world.read(PLEDGES_ADDRESS, pledge_of_calldata(RECEIPTS_ADDRESS, id_))
    assert decode_pledge_of(answer) == first


def test_a_pledge_goes_on_with_the_parts(world: World) -> None:
    id_ = world.issue(10_000)
    key = world.pledged(id_)
    call = split_calldata(id_, 3, [6_000, 4_000])
    world.receipts("bank", permit_calldata(id_, 2, call))
    world.receipts("farm", call)
    parts = [part_id(id_, 1), part_id(id_, 2)]
    with world.connect() as connection:
        assert set(pledge_assets(connection, key, ALL)) == set(parts)
        (covering,) = list_pledges(connection, PledgeQuery(covers=parts[0]), ALL).items
        assert list_pledges(connection, PledgeQuery(covers=id_), ALL).items == ()
        one, two = sorted(parts)
        assert pledge_assets(connection, key, ALL, after=one) == (two,)
    assert covering.key == key
    world.pledges("bank", release_calldata(key, parts[:1]))
    assert state(world, key) is State.ACTIVE
    with world.connect() as connection:
        assert pledge_assets(connection, key, ALL) == (parts[1],)
    world.pledges("bank", release_calldata(key, parts[1:]))
    assert state(world, key) is State.RELEASED


def test_the_history_says_who_did_what(world: World) -> None:
    id_ = world.issue()
    key = world.pledged(id_)
    world.pledges("bank", release_calldata(key, [id_], "paid"))
    with world.connect() as connection:
        acts = pledge_history(connection, key, ALL).items
    assert [(a.kind, a.by, a.state, a.record) for a in acts] == [
        ("changed", "farm", State.PROPOSED, None),
        ("changed", "bank", State.ACTIVE, None),
        ("covered", None, None, id_),
        ("freed", None, None, id_),
        ("changed", "bank", State.RELEASED, None),
    ]
    assert acts[-1].remark == "paid"


def test_who_does_not_hold_it_is_told_so_of_the_instrument(world: World) -> None:
    id_ = world.issue()
    data = propose_calldata(RECEIPTS_ADDRESS, id_, 1, "bank", world.terms())
    refused = world.chain.call(KEYS["mill"].address, PLEDGES_ADDRESS, data).output
    said = explain(refused, receipts.MACHINE, data)
    assert said == f"encumber of 0x{id_.hex()} is not for mill: it is for who holds and owns it"
    assert record_named(refused) == id_
    data = propose_calldata(RECEIPTS_ADDRESS, hash_of("r"), 1, "bank", world.terms())
    assert "there is no record" in world.words("farm", PLEDGES_ADDRESS, data)


def test_what_was_declined_or_withdrawn_may_be_proposed_again(world: World) -> None:
    id_ = world.issue()
    terms = world.terms()
    data = propose_calldata(RECEIPTS_ADDRESS, id_, 1, "bank", terms)
    key = pledge_key(RECEIPTS_ADDRESS, id_, 1, "farm", "bank", terms)
    world.pledges("farm", data)
    world.pledges("bank", decline_calldata(key))
    assert state(world, key) is State.DECLINED
    world.pledges("farm", data)
    world.pledges("farm", withdraw_calldata(key))
    assert state(world, key) is State.WITHDRAWN
    with world.connect() as connection:
        assert len(pledge_history(connection, key, ALL).items) == 4
        assert len(list_pledges(connection, PledgeQuery(), ALL).items) == 1


@pytest.fixture(scope="module")
def told() -> World:
    """A story that is only looked at."""
    world = World.founded()
    tell(world)
    return world


@pytest.mark.feature("S1")
@pytest.mark.parametrize("organisation", MEMBERS)
def test_a_pledge_is_seen_by_pledgor_and_pledgee(organisation: str, told: World) -> None:
    viewer = Viewer.of(organisation, MEMBERS[organisation])
    with told.connect() as connection:
        every = list_pledges(connection, PledgeQuery(), ALL).items
        seen = list_pledges(connection, PledgeQuery(), viewer).items
        visible = {
            one.key
            for one in every
            if organisation in ("office", "court", one.pledge.pledgor, one.pledge.pledgee)
        }
        assert {one.key for one in seen} == visible
        for one in every:
            may = one.key in visible
            assert (find_pledge(connection, one.key, viewer) is not None) == may
            assert bool(pledge_history(connection, one.key, viewer).items) == may


def test_lists_are_filtered(world: World) -> None:
    ids = tell(world)
    queries = {
        PledgeQuery(states=(State.PROPOSED, State.ANNULLED)): 2,
        PledgeQuery(pledgee="other-bank"): 2,
        PledgeQuery(pledgor="farm"): 4,
        PledgeQuery(pledgor="bank"): 0,
        PledgeQuery(record=ids["lost"]): 1,
        PledgeQuery(loan=hash_of("none")): 0,
    }
    for query, count in queries.items():
        with world.connect() as connection:
            assert len(list_pledges(connection, query, ALL).items) == count, query


def test_a_pledged_receipt_goes_nowhere_without_the_bank(world: World) -> None:
    id_ = world.issue()
    world.pledged(id_)
    data = transfer_holding_calldata(id_, 0, "mill")
    assert world.refused("farm", RECEIPTS_ADDRESS, data) == "InstrumentPledged"
    assert "pledged to bank" in world.words("farm", RECEIPTS_ADDRESS, data)


@pytest.mark.parametrize("currency", ["", "EURO", "€", "a b"])
def test_a_currency_that_does_not_fit_is_refused(currency: str) -> None:
    terms = Terms(1, currency, 1, 1, hash_of("t"))
    with pytest.raises(CalldataValueError, match="currency"):
        propose_calldata(RECEIPTS_ADDRESS, hash_of("r"), 1, "bank", terms)
