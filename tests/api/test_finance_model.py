"""The same operations over HTTP and in a plain model: random stories of eight organisations."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.api.model.drawing import PLAYS, Play
from tests.api.model.endings import check_all
from tests.api.model.plays import Plays
from tests.api.model.stage import Stage, open_stage
from tests.api.model.tables import COURT

pytestmark = [pytest.mark.feature("A1"), pytest.mark.feature("F1"), pytest.mark.feature("F2")]

STORIES = "TALLY_STORIES"
"""So many new long stories, to look for what the known ones do not show: in the environment."""


class Finance(Plays, RuleBasedStateMachine):
    """Whatever a member may ask for, in whatever order.

    No rule has a precondition: who wins a race differs from run to run, and what is drawn must not.
    """

    def __init__(self, stage: Stage) -> None:
        RuleBasedStateMachine.__init__(self)
        Plays.__init__(self, stage.begin())
        self.story.prepare()

    # Small numbers are drawn more often than others: the product spreads them.
    @rule(
        drawn=st.integers(0, 9_999).flatmap(lambda n: PLAYS[(n + 1) * 7_919 % 10_007 % len(PLAYS)])
    )
    def something(self, drawn: Play) -> None:
        name, arguments = drawn
        getattr(self, name)(**arguments)

    # ---- what must always hold ------------------------------------------------------------------

    @invariant()
    def what_stands_on_the_goods_is_there(self) -> None:
        for lot in self.world.lots:
            told = self.story.stage.members[COURT].get(f"/stock/lots/{lot.key}")
            assert int(told["live"]) <= int(told["counted"]) or told["short"]

    def teardown(self) -> None:
        if self.story.sound:
            check_all(self.story)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with open_stage(tmp_path_factory.mktemp("model")) as opened:
        yield opened


def tell_stories(stage: Stage, stories: int, steps: int) -> None:
    run_state_machine_as_test(
        lambda: Finance(stage),
        settings=settings(
            max_examples=stories,
            stateful_step_count=steps,
            derandomize=STORIES not in os.environ,
            # To shorten a story takes minutes: it is shown as it was played.
            phases=(Phase.generate,),
            report_multiple_bugs=False,
            database=None,
            deadline=None,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_short_stories_go_over_http_as_in_the_model(stage: Stage) -> None:
    tell_stories(stage, 2, 25)
    assert len(stage.seen) > 15, "nothing much has happened"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_long_stories_go_over_http_as_in_the_model(stage: Stage) -> None:
    tell_stories(stage, int(os.environ.get(STORIES, "8")), 60)
    done = {act for act, came in stage.seen if came == "done"}
    assert done >= {"/receipts/split", "/pledges/accept", "/settlements/offers", "/deposits"}
    assert len(stage.seen) > 60, "nothing much has happened"
