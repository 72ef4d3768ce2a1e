"""A node keeps to the core with the least other work."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.cores import GIVEN
from nodes import one_core
from nodes.one_core import BETTER_BY, BUSY_FROM, Ticks, better_core, on_one_core, read_ticks

pytestmark = pytest.mark.feature("N3")
several = pytest.mark.skipif(len(GIVEN) < 2, reason="this machine gives one core")

STAT = """\
cpu  30 0 10 160 0 0 0 0 0 0
cpu0 10 2 3 80 5 1 1 4 9 9
cpu1 20 0 5 75 0
cpu2 1 1 1
cpu13 7 0 0 93 0 0 0 0
intr 12345
"""


def test_what_the_system_counted_is_read_for_the_cores_given() -> None:
    assert read_ticks(STAT, frozenset({0, 1, 2})) == {0: (21, 106), 1: (25, 100)}
    assert read_ticks(STAT, frozenset({13})) == {13: (7, 100)}
    assert read_ticks("", frozenset({0})) == {}


def _after(*busy: float) -> dict[int, tuple[int, int]]:
    return {core: (int(share * 1000), 1000) for core, share in enumerate(busy)}


BEFORE = dict.fromkeys(range(4), (0, 0))


def test_it_goes_where_others_do_less() -> None:
    # 0.4 of core 0 is others': core 2 has the most room.
    assert better_core(0, BEFORE, _after(1.0, 0.3, 0.05, 0.1), own=0.6) == 2


def test_it_stays_where_it_is_alone() -> None:
    assert better_core(0, BEFORE, _after(1.0, 0.3, 0.0), own=1.0) is None


def test_it_stays_where_others_are_as_busy_elsewhere() -> None:
    assert better_core(1, BEFORE, _after(0.45, 1.0), own=0.4) is None


def test_it_stays_while_it_does_hardly_anything() -> None:
    assert better_core(0, BEFORE, _after(1.0, 0.0), own=BUSY_FROM / 2) is None


def test_it_stays_where_nothing_is_known() -> None:
    assert better_core(0, {}, {}, own=1.0) is None
    assert better_core(0, BEFORE, BEFORE, own=1.0) is None


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6), st.integers(0, 7), st.floats(0, 1.5))
def test_wherever_it_goes_others_do_clearly_less(busy: list[float], here: int, own: float) -> None:
    before, after = dict.fromkeys(range(len(busy)), (0, 0)), _after(*busy)
    there = better_core(here, before, after, own)
    if there is not None:
        assert there != here
        assert after[here][0] / 1000 - own - after[there][0] / 1000 > BETTER_BY - 1e-9


@several
def test_every_core_is_given_back_at_the_end() -> None:
    with on_one_core():
        assert len(os.sched_getaffinity(0)) == 1
    assert os.sched_getaffinity(0) == GIVEN
    with on_one_core(wanted=False):
        assert os.sched_getaffinity(0) == GIVEN


@several
def test_it_looks_again_and_again_and_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def always_the_next(here: int, before: Ticks, after: Ticks, own: float) -> int:
        assert set(before) == set(after) == GIVEN
        assert own >= 0
        asked.append(here)
        return min(GIVEN - {here})

    monkeypatch.setattr(one_core, "LOOK_EVERY_S", (0.01, 0.02))
    monkeypatch.setattr(one_core, "better_core", always_the_next)
    with on_one_core():
        until = time.monotonic() + 30
        while len(set(asked)) < 2 and time.monotonic() < until:
            time.sleep(0.01)
        assert len(os.sched_getaffinity(0)) == 1
    assert len(set(asked)) == 2
    assert os.sched_getaffinity(0) == GIVEN


@several
def test_a_system_that_shows_nothing_keeps_it_where_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(one_core, "LOOK_EVERY_S", (0.01, 0.02))
    monkeypatch.setattr(one_core, "_STAT", tmp_path / "none")
    with on_one_core():
        here = os.sched_getaffinity(0)
        time.sleep(0.2)
        assert os.sched_getaffinity(0) == here
