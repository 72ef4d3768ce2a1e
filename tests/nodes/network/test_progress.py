"""A join that comes no further ends, and says what to do."""

from __future__ import annotations

import pytest

from nodes.network.errors import JoinRefused, JoinStalled
from nodes.network.progress import Pace, Progress, Watch

pytestmark = pytest.mark.feature("N1")

NOTHING = Progress(0, 0, 0, 0)


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def watch(clock: Clock, *, waits_for_snapshot: bool = False) -> Watch:
    return Watch(Pace(300, 60), waits_for_snapshot=waits_for_snapshot, clock=clock)


def passes(watching: Watch, clock: Clock, seconds: float, progress: Progress) -> None:
    clock.now += seconds
    watching.saw(progress, lambda: "no node is connected")


def test_whatever_goes_further_counts(clock: Clock) -> None:
    watching = watch(clock)
    for further in (
        Progress(0, 0, 0, 9),
        Progress(0, 0, 1, 9),
        Progress(0, 1, 0, 0),
        Progress(0, 2, 0, 0),
        Progress(1, 2, 0, 0),
    ):
        passes(watching, clock, 299, further)


def test_without_progress_it_ends_with_what_is_wrong_and_what_to_do(clock: Clock) -> None:
    watching = watch(clock)
    passes(watching, clock, 250, Progress(5, 5, 0, 0))
    passes(watching, clock, 299, Progress(5, 5, 0, 0))
    with pytest.raises(
        JoinStalled, match=r"300 s: no node is connected\. .*same command again"
    ) as at:
        passes(watching, clock, 1, Progress(5, 5, 0, 0))
    assert not at.value.before_anything
    assert isinstance(at.value, JoinRefused)


def test_a_snapshot_that_does_not_show_up_is_waited_for_less_long(clock: Clock) -> None:
    watching = watch(clock, waits_for_snapshot=True)
    passes(watching, clock, 59, NOTHING)
    with pytest.raises(JoinStalled) as at:
        passes(watching, clock, 1, NOTHING)
    assert at.value.before_anything


def test_the_last_chunk_may_take_its_time(clock: Clock) -> None:
    watching = watch(clock, waits_for_snapshot=True)
    passes(watching, clock, 50, Progress(0, 0, 7, 7))
    passes(watching, clock, 299, Progress(0, 0, 7, 7))
    with pytest.raises(JoinStalled) as at:
        passes(watching, clock, 1, Progress(0, 0, 7, 7))
    assert not at.value.before_anything


def test_snapshots_that_are_begun_and_refused_in_turn_are_no_progress(clock: Clock) -> None:
    watching = watch(clock, waits_for_snapshot=True)
    passes(watching, clock, 10, Progress(0, 0, 3, 7))
    for chunks in range(59):
        passes(watching, clock, 5, Progress(0, 0, chunks % 4, 7))
    with pytest.raises(JoinStalled):
        passes(watching, clock, 5, Progress(0, 0, 3, 7))


def test_replay_waits_its_whole_time_before_anything_has_come(clock: Clock) -> None:
    watching = watch(clock)
    passes(watching, clock, 299, NOTHING)
    with pytest.raises(JoinStalled) as at:
        passes(watching, clock, 1, NOTHING)
    assert not at.value.before_anything
