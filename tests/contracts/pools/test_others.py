"""What the offices of one pool do is in no other pool's way."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_abi.abi import encode

from contracts.genesis import (
    POOL_BOOK_ADDRESS,
    POOLS_ADDRESS,
    RECEIVABLES_ADDRESS,
    SETTLEMENT_ADDRESS,
)
from contracts.pools import binding
from contracts.pools.genesis import POOL_BOOK_ARTIFACT, POOLS_ARTIFACT
from contracts.pools.types import Office, PoolDraft
from ledger.state.keccak import keccak
from ledger.types import Hash32
from tests.contracts.pools.scene import (
    FIRST,
    PoolScene,
    collection,
    day,
    digest,
    draft,
    receivable,
)
from tests.contracts.pools.test_settlement import BANKS, TRUSTEE, allow, due
from tests.contracts.scene import CHAIN_ID
from tests.contracts.test_former_versions import voted

pytestmark = pytest.mark.feature("F7")
HOSTILE, HELPER = "south-fund", "east-fund"


def hostile(scene: PoolScene) -> Hash32:
    """A pool of others, who have collected and shared out."""
    plan = draft("OTHERS")
    plan = replace(plan, terms=replace(plan.terms, trustee=HOSTILE, servicer=HELPER))
    id_ = scene.active(plan)
    assert scene.book(HELPER, binding.commit_calldata(id_, FIRST, day())).status == 1
    content = collection("theirs", 100_00, 100_00)
    assert scene.cash(HELPER, binding.collect_calldata(id_, content)).status == 1
    shared = binding.distribute_calldata(id_, 1, FIRST, 1)
    assert scene.cash(HOSTILE, shared).status == 1
    return id_


def next_payment(id_: Hash32, count: int) -> Hash32:
    """The id that Settlement gives to a payment of Pools: anybody can compute it before."""
    types = ["uint256", "address", "address", "bytes32", "uint64"]
    places = [f"0x{place.hex()}" for place in (SETTLEMENT_ADDRESS, POOLS_ADDRESS)]
    return Hash32(keccak(encode(types, [CHAIN_ID, *places, bytes(id_), count])))


def test_no_trustee_stops_the_payments_of_another_pool() -> None:
    scene = PoolScene()
    id_, payments = due(scene)
    allow(scene, BANKS)
    theirs = hostile(scene)
    first = next_payment(id_, 1)
    assert scene.cash(HOSTILE, binding.confirm_calldata(theirs, 1, first)).status == 1
    numbers = list(range(1, len(payments) + 1))
    assert scene.cash(TRUSTEE, binding.pay_calldata(id_, numbers, TRUSTEE)).status == 1
    settled = {scene.payment(id_, number).settled for number in numbers}
    assert first in settled
    assert len(settled) == len(payments)
    assert scene.account(id_).unconfirmed == 0


def test_not_even_an_id_that_the_trustee_has_named_itself_stops_a_payment() -> None:
    scene = PoolScene()
    id_, _ = due(scene)
    allow(scene, BANKS)
    assert scene.cash(TRUSTEE, binding.confirm_calldata(id_, 3, next_payment(id_, 1))).status == 1
    assert scene.cash(TRUSTEE, binding.pay_calldata(id_, [2], TRUSTEE)).status == 1


def test_what_settlement_has_paid_confirms_nothing_else() -> None:
    scene = PoolScene()
    id_, _ = due(scene)
    allow(scene, BANKS)
    assert scene.cash(TRUSTEE, binding.pay_calldata(id_, [2], TRUSTEE)).status == 1
    again = binding.confirm_calldata(id_, 3, next_payment(id_, 1))
    assert scene.refusal(TRUSTEE, POOLS_ADDRESS, again) == "PaymentUsed"


def test_one_entry_confirms_one_payment_of_all_pools_of_a_trustee() -> None:
    scene = PoolScene()
    pools = [scene.active(), scene.active(draft("CAR-2"))]
    for id_ in pools:
        scene.commit(id_, FIRST, day())
        scene.collect(id_, collection(f"p {id_.hex()}", 100_00, 0))
        scene.distribute(id_, 1, FIRST)
    entry = digest("an entry of the bank")
    assert scene.cash(TRUSTEE, binding.confirm_calldata(pools[0], 1, entry)).status == 1
    again = binding.confirm_calldata(pools[1], 1, entry)
    assert scene.refusal(TRUSTEE, POOLS_ADDRESS, again) == "PaymentUsed"


def test_no_servicer_takes_a_payment_from_another_trustees_pool() -> None:
    scene = PoolScene()
    id_, theirs = scene.active(), hostile(scene)
    stolen = collection("our payment", 1, 0, period=2)
    assert scene.cash(HELPER, binding.collect_calldata(theirs, stolen)).status == 1
    ours = collection("our payment", 5_000_00, 0)
    assert scene.collect(id_, ours).status == 1
    again = binding.collect_calldata(id_, ours)
    assert scene.refusal("loan-service", POOLS_ADDRESS, again) == "PaymentUsed"


def test_a_payment_stays_counted_when_the_trustee_changes() -> None:
    scene = PoolScene()
    id_, second = scene.active(), scene.active(draft("CAR-2"))
    assert scene.collect(id_, collection("p", 5_00, 0)).status == 1
    appoint = binding.appoint_calldata(id_, Office.TRUSTEE, HOSTILE)
    assert scene.book(TRUSTEE, appoint).status == 1
    assert scene.book(HOSTILE, binding.accept_calldata(id_, Office.TRUSTEE)).status == 1
    for pool in (id_, second):
        again = binding.collect_calldata(pool, collection("p", 5_00, 0))
        assert scene.refusal("loan-service", POOLS_ADDRESS, again) == "PaymentUsed"
    void = binding.void_collection_calldata(id_, 1, "the other pool's")
    assert scene.cash(HOSTILE, void).status == 1
    assert scene.collect(second, collection("p", 5_00, 0)).status == 1


def begun(scene: PoolScene, plan: PoolDraft) -> tuple[Hash32, bytes]:
    """A pool in a second version of PoolBook, and where that is."""
    second = voted(scene.chain, "pool-book", POOL_BOOK_ARTIFACT)
    assert scene.send("car-bank", second, binding.create_calldata(plan)).status == 1
    id_ = binding.pool_id(CHAIN_ID, second, "car-bank", plan.number)
    for office, by in ((Office.TRUSTEE, TRUSTEE), (Office.SERVICER, "loan-service")):
        assert scene.send(by, second, binding.accept_calldata(id_, office)).status == 1
    return id_, second


def test_an_instrument_stands_in_one_pool_of_all_versions() -> None:
    scene = PoolScene()
    one, debt = scene.active(), receivable(scene)
    two, second = begun(scene, draft("CAR-2"))
    places = {one: POOL_BOOK_ADDRESS, two: second}
    for first, other in ((one, two), (two, one)):
        admit = binding.admit_calldata(first, RECEIVABLES_ADDRESS, [debt])
        assert scene.send("loan-service", places[first], admit).status == 1
        twice = binding.admit_calldata(other, RECEIVABLES_ADDRESS, [debt])
        assert scene.refusal("loan-service", places[other], twice) == "AssetInPool"
        foreign = binding.dismiss_calldata(other, RECEIVABLES_ADDRESS, [debt], "sold")
        assert scene.refusal("loan-service", places[other], foreign) == "AssetInPool"
        dismiss = binding.dismiss_calldata(first, RECEIVABLES_ADDRESS, [debt], "sold")
        assert scene.send("loan-service", places[first], dismiss).status == 1
    both = binding.admit_calldata(one, RECEIVABLES_ADDRESS, [debt, debt])
    assert scene.refusal("loan-service", POOL_BOOK_ADDRESS, both) == "AlreadyClaimed"


def test_a_payment_is_counted_in_one_version_of_pools() -> None:
    """The second version has the same book: the pool is the same, what it has counted as well."""
    scene = PoolScene()
    one, two = scene.active(), scene.active(draft("CAR-2"))
    assert scene.collect(one, collection("p", 5_00, 0)).status == 1
    second = voted(scene.chain, "pools", POOLS_ARTIFACT)
    for pool in (one, two):
        again = binding.collect_calldata(pool, collection("p", 5_00, 0))
        assert scene.refusal("loan-service", second, again) == "PaymentUsed"
    void = binding.void_collection_calldata(one, 1, "the other pool's")
    assert scene.cash("loan-service", void).status == 1
    again = binding.collect_calldata(two, collection("p", 5_00, 0))
    assert scene.send("loan-service", second, again).status == 1
