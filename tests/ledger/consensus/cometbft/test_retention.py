"""Old heights of the engine go, and nothing that is still needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from ledger.consensus.cometbft import EngineRefused, Mark, driver, genesis, settings
from ledger.consensus.cometbft.home import Home
from ledger.consensus.cometbft.protocol import ChunkVerdict, OfferedSnapshot, OfferResult
from ledger.consensus.cometbft.retention import SAMPLES_MAX, Age, Retention
from tests.ledger.chain.support import sender
from tests.ledger.consensus.cometbft.network import Member, network, until

pytestmark = pytest.mark.feature("L2")

AGE = Age(heights=20, seconds=100, step=10)


def marks(first: int, last: int, seconds_each: int) -> list[Mark]:
    return [Mark("c", height, height * seconds_each * 10**9) for height in range(first, last + 1)]


def told(keeper: Retention, heights: list[Mark]) -> dict[int, int]:
    """What each height moved."""
    answers = {mark.height: keeper.committed(mark) for mark in heights}
    return {height: kept for height, kept in answers.items() if kept}


def test_a_height_goes_when_enough_later_ones_are_there(tmp_path: Path) -> None:
    keeper = Retention(tmp_path / "heights", 30, AGE)
    assert told(keeper, marks(1, 70, 60)) == {40: 10, 50: 20, 60: 30, 70: 40}


def test_a_height_at_which_a_double_vote_can_be_shown_stays(tmp_path: Path) -> None:
    slow = Retention(tmp_path / "slow", 5, AGE)
    assert told(slow, marks(1, 50, 60)) == {30: 10, 40: 20, 50: 30}, "20 heights at least"
    fast = Retention(tmp_path / "fast", 5, AGE)
    # A height a second: that of 100 seconds ago is the 100th before.
    assert told(fast, marks(1, 130, 1)) == {120: 10, 130: 20}


def test_nothing_goes_where_all_is_to_be_kept(tmp_path: Path) -> None:
    keeper = Retention(tmp_path / "heights", 0, AGE)
    assert told(keeper, marks(1, 300, 60)) == {}
    assert not (tmp_path / "heights").exists()


def test_ages_are_known_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "heights"
    told(Retention(path, 30, AGE), marks(1, 65, 60))
    assert told(Retention(path, 30, AGE), marks(66, 90, 60)) == {70: 40, 80: 50, 90: 60}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b'{"format":"tallystick-engine-heights/1","keptFrom":-1,"heights":[]}',
        b'{"format":"tallystick-engine-heights/1","keptFrom":0,"heights":[[20,1],[10,1]]}',
        b'{"format":"tallystick-engine-heights/1","keptFrom":0,"heights":[[10]]}',
        b'{"format":"tallystick-engine-heights/1","keptFrom":0,"heights":[[true,1]]}',
    ],
)
def test_what_is_damaged_gives_up_nothing_too_early(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "heights"
    path.write_bytes(data)
    keeper = Retention(path, 30, AGE)
    assert told(keeper, marks(1_001, 1_040, 60)) == {1_040: 20}


def test_a_long_history_goes_in_portions(tmp_path: Path) -> None:
    keeper = Retention(tmp_path / "heights", 30, AGE)
    kept = list(told(keeper, marks(1_001, 1_100, 60)).values())
    assert kept == [20, 40, 60, 80, 100, 120, 140]


def test_what_is_written_down_is_bounded(tmp_path: Path) -> None:
    endless = replace(AGE, seconds=10**9, step=1)
    path = tmp_path / "heights"
    keeper = Retention(path, 30, endless)
    keeper._samples = [(height, height) for height in range(1, SAMPLES_MAX + 1)]
    keeper.committed(Mark("c", SAMPLES_MAX + 1, 10**9))
    assert len(keeper._samples) == SAMPLES_MAX // 2 + 1
    assert path.stat().st_size < 4 << 20
    assert Retention(path, 30, endless)._samples == keeper._samples


class Shelf:
    """Snapshots of these heights."""

    def __init__(self, *heights: int, fails: bool = False) -> None:
        self.heights = heights
        self.fails = fails

    def list(self) -> Sequence[OfferedSnapshot]:
        if self.fails:
            raise OSError("disk")
        return [OfferedSnapshot(one, 1, 1, bytes(32), b"") for one in self.heights]

    def load_chunk(self, height: int, format: int, index: int) -> bytes:  # noqa: A002
        raise AssertionError

    def offer(self, snapshot: OfferedSnapshot, app_hash: bytes) -> OfferResult:
        raise AssertionError

    def apply(self, index: int, chunk: bytes, sender: str) -> ChunkVerdict:
        raise AssertionError


def test_nothing_above_the_oldest_snapshot_goes(tmp_path: Path) -> None:
    shelf = Shelf(45, 25)
    keeper = Retention(tmp_path / "heights", 30, AGE, shelf)
    assert told(keeper, marks(1, 80, 60)) == {40: 10, 50: 20, 60: 25, 70: 25, 80: 25}
    shelf.heights = (85, 45)  # the oldest one has made room
    assert told(keeper, marks(81, 110, 60)) == {90: 45, 100: 45, 110: 45}
    shelf.heights = (105, 85)
    again = Retention(tmp_path / "heights", 30, AGE, shelf)
    assert told(again, marks(111, 140, 60)) == {120: 65, 130: 85, 140: 85}


@pytest.mark.parametrize("shelf", [Shelf(), Shelf(5_000), Shelf(20, fails=True)])
def test_all_is_kept_while_no_snapshot_of_the_engine_is_there(tmp_path: Path, shelf: Shelf) -> None:
    """One made before a promotion counts blocks, not the engine's heights."""
    keeper = Retention(tmp_path / "heights", 30, AGE, shelf)
    assert told(keeper, marks(1, 100, 60)) == {}
    shelf.heights, shelf.fails = (95, 55), False
    later = told(keeper, marks(101, 140, 60))
    assert later == {110: 20, 120: 40, 130: 55, 140: 55}, "and then in portions"


def call(member: Member, number: int) -> None:
    account = sender(1)
    nonce = member.ledger.pending_nonce(account.address)
    raw = account.sign(nonce=nonce, data=number.to_bytes(32, "big"))
    member.ledger.wait_for(member.ledger.submit(raw), 60)


def earliest(member: Member) -> int:
    info = member.driver.engine_rpc("status", {})["sync_info"]
    assert isinstance(info, dict)
    return int(info["earliest_block_height"])


@pytest.mark.consortium
@pytest.mark.usefixtures("cometbft")
def test_a_real_engine_gives_up_blocks_headers_and_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(genesis, "EVIDENCE_AGE_BLOCKS", 4)
    monkeypatch.setattr(genesis, "EVIDENCE_AGE_S", 1)
    monkeypatch.setattr(settings, "RETAIN_HEIGHTS_MIN", 4)
    short = Age(heights=4, seconds=2, step=2)
    monkeypatch.setattr(driver, "Retention", partial(Retention, age=short))
    with network(tmp_path, 1, retain_heights=6) as net:
        member = net[0]
        until(lambda: member.driver.height() >= 1, what="the first height")
        assert earliest(member) == 1
        numbers = iter(range(1, 1_000))

        def moved() -> bool:
            call(member, next(numbers))
            return earliest(member) > 10

        until(moved, 60, "a lowest height above 10")
        low = earliest(member)
        assert member.driver.height() - low >= 6
        for method in ("header", "commit", "validators"):
            with pytest.raises(EngineRefused):
                member.driver.engine_rpc(method, {"height": 2})
        member.driver.engine_rpc("header", {"height": member.driver.height()})
        # All of it is in the ledger, and the engine starts again without it.
        number = member.ledger.head().header.number
        assert all(member.ledger.block(one) is not None for one in range(1, number + 1))
        member.close()
        member.open()
        call(member, next(numbers))
        assert Home(member.settings.home).heights.is_file()
