"""What a node does about the pauses of garbage collection."""

from __future__ import annotations

import gc
import weakref

import pytest

from nodes import __main__ as entry
from nodes.pauses import STARTING, THRESHOLDS, few_pauses, short_pauses

pytestmark = pytest.mark.feature("N3")


class _Ring:
    """Refers to itself."""

    def __init__(self) -> None:
        self.itself = self


def test_what_was_there_is_not_looked_through_and_new_garbage_still_goes() -> None:
    before = gc.get_threshold()
    with short_pauses():
        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold() == THRESHOLDS
        ring = _Ring()
        gone = weakref.ref(ring)
        del ring
        gc.collect()
        assert gone() is None
    assert gc.get_freeze_count() == 0
    assert gc.get_threshold() == before


def test_a_command_seldom_looks_for_garbage_until_it_serves() -> None:
    before = gc.get_threshold()
    with few_pauses():
        assert gc.isenabled()
        assert gc.get_threshold() == STARTING
        with short_pauses():
            assert gc.get_threshold() == THRESHOLDS
    assert gc.get_threshold() == before


def test_a_process_that_ends_looks_through_nothing_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def ends() -> None:
        raise SystemExit(3)

    monkeypatch.setattr(entry, "main", ends)
    gc.unfreeze()
    with pytest.raises(SystemExit, match="3"):
        entry.program()
    assert gc.get_freeze_count() > 10_000
