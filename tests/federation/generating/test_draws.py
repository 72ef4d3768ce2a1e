"""Random numbers and credit codes."""

from __future__ import annotations

import numpy as np
import pytest

from federation.generating import (
    CreditCodeInvalid,
    SettingsInvalid,
    invented_codes,
    is_invented,
    require_credit_code,
)
from federation.generating.credit_codes import ALPHABET, CODES_MAX
from federation.generating.draws import Draws, exponential, largest, rounded, squash

pytestmark = pytest.mark.feature("D3")

EXAMPLE = "91350100M000100Y43"
"""The example that GB 32100-2015 is explained by; a code whose check characters are known."""


def test_the_example_of_the_standard_is_right_and_each_changed_character_is_noticed() -> None:
    require_credit_code(EXAMPLE)
    assert not is_invented(EXAMPLE)
    for place in range(18):
        for letter in ALPHABET:
            if letter != EXAMPLE[place]:
                with pytest.raises(CreditCodeInvalid):
                    require_credit_code(EXAMPLE[:place] + letter + EXAMPLE[place + 1 :])


@pytest.mark.parametrize("text", ["", EXAMPLE[:-1], EXAMPLE + "0", EXAMPLE.lower(), "I" * 18])
def test_other_texts_are_no_codes(text: str) -> None:
    with pytest.raises(CreditCodeInvalid, match="18 characters"):
        require_credit_code(text)


def test_codes_are_all_different_also_where_the_numbering_begins_again() -> None:
    divisions = np.full(20_000, 101, dtype=np.int64)
    for start in (0, CODES_MAX - 10_000):
        codes = invented_codes(divisions, start=start)
        assert len(set(codes)) == 20_000
        for code in codes[::500]:
            require_credit_code(code)
            assert code.startswith("91990101MA")
    with pytest.raises(SettingsInvalid):
        invented_codes(np.array([10_000]), start=0)


def test_a_name_gives_the_same_numbers_whatever_else_was_drawn() -> None:
    one, other = Draws(5, 100), Draws(5, 100)
    one.normal("first")
    assert np.array_equal(one.uniform("x"), other.uniform("x"))
    assert not np.array_equal(one.uniform("x"), one.uniform("y"))
    assert not np.array_equal(one.uniform("x"), Draws(6, 100).uniform("x"))
    assert not np.array_equal(one.normal("x")[:50], Draws(5, 50).normal("y"))


def test_numbers_are_spread_as_they_should_be() -> None:
    draws = Draws(1, 200_000)
    even, bell = draws.uniform("u"), draws.normal("n")
    assert (even.min() >= 0, even.max() < 1) == (True, True)
    assert np.histogram(even, 10, (0, 1))[0] == pytest.approx(np.full(10, 20_000), rel=0.03)
    assert (bell.mean(), bell.std()) == pytest.approx((0, 1), abs=0.01)
    within = [(np.abs(bell) < z).mean() for z in (1, 2)]
    assert within == pytest.approx([0.683, 0.954], abs=0.01)


def test_elementary_operations_come_near_enough_to_the_real_functions() -> None:
    x = np.linspace(-30, 30, 10_001)
    assert exponential(x) == pytest.approx(np.exp(x), rel=1e-13)
    assert (np.diff(squash(x)) > 0).all()
    assert squash(np.zeros(1))[0] == 0.5
    assert rounded(np.array([0.12345]), 3)[0] == 0.123
    assert largest(np.array([1.0, 3.0, 3.0, 2.0]), 2).tolist() == [False, True, True, False]
    assert largest(np.array([3.0, 3.0, 3.0]), 2).tolist() == [True, True, False]
