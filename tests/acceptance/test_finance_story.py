"""`tally demo --story finance`: the story as a first user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.acceptance.running import run_tally

pytestmark = pytest.mark.feature("A4")


@pytest.mark.feature("F2")
@pytest.mark.feature("F5")
def test_the_story_of_finance_is_told_and_every_record_of_it_proven(tmp_path: Path) -> None:
    done = run_tally(tmp_path, "demo", "--story", "finance", "--once", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "demo").exists(), "nothing is left of it"
    answer = json.loads(done.stdout)
    assert answer["refused"] == [
        "AlreadyPledged",
        "InstrumentPledged",
        "StockShort",
        "AlreadyClaimed",
    ]
    scenes = answer["scenes"]
    assert answer["proven"] == sum(scene["leaf"] is not None for scene in scenes) > 10
    assert all(scene["proven"] is not False and scene["textZh"] for scene in scenes)
    paid = [scene["balances"] for scene in scenes if scene["text"].startswith("The mill pays the ")]
    assert [next(iter(one.items())) for one in paid] == [
        ("yulin-mill", "10500000"),
        ("yulin-mill", "8700000"),
        ("yulin-mill", "7500000"),
    ]
    last = scenes[-1]["balances"]
    trader = last.pop("heye-grain")
    assert last == {
        "qingshan-farm": "1800000",
        "lvyuan-seeds": "1200000",
        "yulin-mill": "1500000",
    }
    # A day's interest more where midnight (UTC) lies between payout and payment.
    assert trader in ("10500000", "10499000")


def test_a_story_that_there_is_not_is_refused(tmp_path: Path) -> None:
    done = run_tally(tmp_path, "demo", "--story", "fish")
    assert done.returncode == 2
    assert "forest" in done.stderr
