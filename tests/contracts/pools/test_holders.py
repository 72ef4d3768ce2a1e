"""Who holds a tranche: parts that leave everybody room to sell, few enough to be paid at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contracts.consortium import Founder, Profile, Role
from contracts.genesis import POOL_BOOK_ADDRESS
from contracts.pools import binding, logs
from contracts.pools.types import Fee, PaymentDue, TrancheDraft, UnitsMoved
from ledger.types import Hash32
from tests.contracts import scene as chain
from tests.contracts.pools.scene import (
    FIRST,
    PoolScene,
    collection,
    day,
    draft,
    founders,
)
from tests.contracts.scene import OPERATOR, Key, MemoryChain, entries, key, told

pytestmark = pytest.mark.feature("F7")
FUNDS = tuple(f"fund-{number}" for number in range(1, 25))
KEYS = {fund: key(500 + number) for number, fund in enumerate(FUNDS)}
SIXTEENTH = 10_000_00
WHOLE = 16 * SIXTEENTH


class Crowd(PoolScene):
    """With 24 funds more."""

    def key(self, by: str) -> Key:
        return KEYS.get(by) or super().key(by)

    def give(self, by: str, to: str, units: int, id_: Hash32, tranche: int = 0) -> str | None:
        """Units change hands; the error where they do not."""
        data = binding.assign_calldata(id_, tranche, to, units)
        refused = self.refusal(by, POOL_BOOK_ADDRESS, data)
        if refused is None:
            (log,) = told(self.book(by, data), POOL_BOOK_ADDRESS)
            assert isinstance(logs.decode_book_log(log), UnitsMoved)
        return refused


@pytest.fixture(scope="module")
def scene() -> Crowd:
    crowd = [Founder(n, Role.BANK, Profile(n, "", ""), (KEYS[n].address,)) for n in FUNDS]
    genesis = entries([*founders(), *crowd], votes={OPERATOR.id: 1})
    return Crowd(MemoryChain.of(genesis))


def pool(scene: Crowd, number: str, *parts: tuple[str, int], tranches: int = 1) -> Hash32:
    each = [TrancheDraft(f"T{i}", 1 + i, 300, parts) for i in range(tranches)]
    fees = tuple(Fee("trust-house", 1, 1_00) for _ in range(4))
    return scene.active(replace(draft(number), tranches=tuple(each), fees=fees))


def test_nobody_keeps_others_from_selling_a_part_to_somebody_new(scene: Crowd) -> None:
    one, other, *rest = FUNDS
    id_ = pool(scene, "spread", (one, WHOLE // 2), (other, WHOLE // 2))
    for fund in rest[:7]:
        assert scene.give(one, fund, 1, id_) == "TooManyHolders"
        assert scene.give(one, fund, SIXTEENTH - 1, id_) == "TooManyHolders"
        assert scene.give(one, fund, SIXTEENTH, id_) is None
    assert scene.give(one, rest[7], SIXTEENTH - 1, id_) == "TooManyHolders"
    for fund in rest[8:15]:  # as many as there are sixteenths
        assert scene.give(other, fund, SIXTEENTH, id_) is None
    assert scene.give(other, rest[15], SIXTEENTH, id_) is None  # its place goes on


def test_who_stays_keeps_a_sixteenth_and_who_leaves_may_sell_to_anybody(scene: Crowd) -> None:
    one, other, small, new, last = FUNDS[:5]
    id_ = pool(scene, "rest", (one, 8 * SIXTEENTH), (other, 8 * SIXTEENTH - 5), (small, 5))
    assert scene.give(one, new, 7 * SIXTEENTH + 1, id_) == "TooManyHolders"
    assert scene.give(one, other, 7 * SIXTEENTH + 1, id_) == "TooManyHolders"
    assert scene.give(one, other, 3, id_) is None, "to a holder any number"
    assert scene.give(small, last, 4, id_) == "TooManyHolders"
    assert scene.give(small, other, 1, id_) is None
    assert scene.give(small, last, 4, id_) is None, "a small part goes on as a whole"
    assert scene.give(other, last, 8 * SIXTEENTH - 1, id_) is None
    assert scene.give(one, new, 8 * SIXTEENTH - 3, id_) is None


def test_a_tranche_begins_with_eight_small_parts_at_most(scene: Crowd) -> None:
    def plan(number: str, small: int) -> bytes:
        parts = ((FUNDS[0], WHOLE), *((fund, 7) for fund in FUNDS[1 : 1 + small]))
        tranche = TrancheDraft("A", 1, 300, parts)
        return binding.create_calldata(replace(draft(number), tranches=(tranche,)))

    assert scene.refusal("car-bank", POOL_BOOK_ADDRESS, plan("nine", 9)) == "InvalidTranche"
    assert scene.refusal("car-bank", POOL_BOOK_ADDRESS, plan("eight", 8)) is None


def test_the_largest_distribution_fits_into_the_smallest_block(
    scene: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """8 tranches of 24 holders, 4 fees, the rest: 197 payments; members may set 20 million gas."""
    parts = [(fund, 2 * SIXTEENTH) for fund in FUNDS[:8]] + [(fund, 1) for fund in FUNDS[8:16]]
    id_ = pool(scene, "largest", *parts, tranches=8)
    for tranche in range(8):
        for one, new in zip(FUNDS[:8], FUNDS[16:], strict=True):
            assert scene.give(one, new, SIXTEENTH, id_, tranche) is None
    scene.commit(id_, FIRST, day(performing=10**10))
    # One is paid his unit only by all of the principal.
    scene.collect(id_, collection("p1", 8 * (WHOLE + 8), 50_000_00))
    monkeypatch.setattr(chain, "GAS", 20_000_000)
    events, receipt = scene.distribute(id_, 1, FIRST)
    payments = [one for one in events if isinstance(one, PaymentDue)]
    assert len(payments) == 8 * 24 + 4 + 1
    assert receipt.gas_used < 20_000_000, receipt.gas_used
