"""A new node replays where it may, and waits for a snapshot where nothing else will do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from nodes.network import choosing
from nodes.network.beginning import Beginning
from nodes.network.choosing import by_replay
from nodes.network.errors import JoinRefused
from nodes.network.source import MemberSource
from tests.nodes.network.test_beginning import GENESIS, begun_alone, handed_over

pytestmark = pytest.mark.feature("N1")

FOUNDED = Beginning(GENESIS, None, "tally-x")


@dataclass
class Worth:
    """Whether a member's snapshot can be used, each time it is asked."""

    answers: Iterator[bool]
    said: list[str] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def __call__(self, _source: MemberSource) -> bool:
        return next(self.answers)


def choose(worth: Worth, beginning: Beginning, *, asked: bool, timeout_s: float = 60) -> bool:
    source = MemberSource("http://127.0.0.1:1")
    return by_replay(source, beginning, asked, timeout_s, worth.said.append, worth.slept.append)


@pytest.fixture
def promoted() -> Beginning:
    alone = begun_alone()
    return Beginning(alone, handed_over(alone), "tally-x")


@pytest.fixture
def worth(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Worth:
    found = Worth(iter(request.param))
    monkeypatch.setattr(choosing, "worth_state_sync", found)
    return found


@pytest.mark.parametrize("worth", [[True]], indirect=True)
def test_a_snapshot_is_taken_where_there_is_one(worth: Worth, promoted: Beginning) -> None:
    assert choose(worth, promoted, asked=False) is False


@pytest.mark.parametrize(
    ("worth", "asked", "replays"),
    [([True], False, False), ([False], False, True), ([True], True, True)],
    indirect=["worth"],
)
def test_a_founded_ledger_can_be_replayed(worth: Worth, asked: bool, replays: bool) -> None:
    assert choose(worth, FOUNDED, asked=asked) is replays


@pytest.mark.parametrize("worth", [[True]], indirect=True)
def test_what_was_made_alone_cannot_be_replayed(worth: Worth, promoted: Beginning) -> None:
    with pytest.raises(JoinRefused, match=r"blocks 1 to 7 .* without --replay"):
        choose(worth, promoted, asked=True)


@pytest.mark.parametrize("worth", [[False, False, True]], indirect=True)
def test_a_promoted_ledgers_snapshot_is_waited_for(worth: Worth, promoted: Beginning) -> None:
    assert choose(worth, promoted, asked=False) is False
    assert len(worth.said) == 1
    assert len(worth.slept) == 2


@pytest.mark.parametrize("worth", [[False, False]], indirect=True)
def test_not_for_ever(worth: Worth, promoted: Beginning) -> None:
    with pytest.raises(JoinRefused, match="tally node snapshot"):
        choose(worth, promoted, asked=False, timeout_s=-1)
