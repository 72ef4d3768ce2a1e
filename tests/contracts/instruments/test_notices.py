"""Records in the bodies of notices."""

from __future__ import annotations

from dataclasses import dataclass

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.instruments.notices import as_json

pytestmark = pytest.mark.feature("A1")


@dataclass(frozen=True, slots=True)
class Record:
    amount: int
    revision: int
    parts: tuple[int, ...] = ()


def test_amounts_are_text_and_counters_are_numbers() -> None:
    assert as_json(Record(5, 6)) == {"amount": "5", "revision": 6, "parts": []}


@given(number=st.integers(-(1 << 256), 1 << 256))
def test_no_number_is_too_large_for_a_body_and_none_is_rounded(number: int) -> None:
    told = orjson.loads(orjson.dumps(as_json(Record(number, number, (number,)))))
    assert [int(told["amount"]), int(told["revision"]), int(told["parts"][0])] == [number] * 3
    assert isinstance(told["revision"], str) == (abs(number) > (1 << 53) - 1)
