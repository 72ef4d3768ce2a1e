"""Several totals in one number, up to the edge of what fits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.sums import SealedInvalid, Slots, TotalsExceeded

pytestmark = pytest.mark.feature("D4")


@given(st.data(), st.integers(2, 90), st.integers(2, 400))
def test_what_is_packed_comes_out(data: st.DataObject, bits: int, capacity: int) -> None:
    if capacity + 1 < bits:
        with pytest.raises(TotalsExceeded):
            Slots.within(capacity, bits)
        return
    slots = Slots.within(capacity, bits)
    limit = 2 ** (bits - 1) - 1
    one = st.sampled_from([-limit, -1, 0, 1, limit]) | st.integers(-limit, limit)
    totals = data.draw(st.lists(one, max_size=3 * slots.each))
    numbers = [slots.pack(totals[n : n + slots.each]) for n in range(0, len(totals), slots.each)]
    assert slots.unpack(numbers, len(totals)) == totals
    assert all(abs(number) < 2**capacity for number in numbers)


@pytest.mark.parametrize("sign", [-1, 1])
def test_full_slots_stay_below_the_capacity_and_one_slot_more_would_not(sign: int) -> None:
    slots = Slots.within(99, 10)
    assert slots.each == 10
    full = sign * slots.pack([511] * 10)
    assert abs(full) < 2**99
    assert slots.unpack([full], 10) == [sign * 511] * 10
    assert 511 * sum(2 ** (10 * n) for n in range(11)) > 2**99


def test_a_total_that_is_too_long_is_refused() -> None:
    slots = Slots.within(99, 10)
    for totals in ([512], [-512], [0] * 11):
        with pytest.raises(TotalsExceeded):
            slots.pack(totals)


def test_a_number_that_holds_more_than_its_slots_is_refused() -> None:
    slots = Slots.within(99, 10)
    with pytest.raises(SealedInvalid, match="more than its slots") as raised:
        slots.unpack([0, 2**99], 20)
    assert raised.value.place == 1
    with pytest.raises(SealedInvalid, match="2 are due"):
        slots.unpack([0], 20)
    with pytest.raises(SealedInvalid, match="more than its slots"):
        slots.unpack([2**30], 3)  # the slots that are not used must be empty
