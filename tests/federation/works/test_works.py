"""From the rows of three parties to a model and scores, all in one process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from federation.generating import World, WorldSettings, make_world
from federation.measures import auc
from federation.runs import Json, Party, Refusal, Run, RunOutcome, Stage, code_hash, run_embedded
from federation.works import OwnData, kept_margins, kept_rows, works

pytestmark = pytest.mark.feature("D1")

PARTIES = ("bank", "manufacturer", "platform")
REHEARSAL: dict[str, Json] = {"scheme": "plain", "rehearsal": True}


class _Open:
    def check(self, run: Run, stage: Stage, /) -> Refusal | None:
        return None


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(WorldSettings(firms=4_000, seed=3))


def _own(world: World, name: str) -> OwnData:
    if name == "bank":
        return OwnData(world.bank.source.table, world.bank.label)
    return OwnData(getattr(world, name).table)


def _parties(world: World, root: Path, **changed: OwnData) -> list[Party]:
    def party(name: str) -> Party:
        data = changed.get(name) or _own(world, name)
        return Party(name, works(lambda run, stage: data), _Open(), root / name)

    return [party(name) for name in PARTIES]


def _stage(name: str, work: str, **config: Json) -> Stage:
    return Stage(name, work, {"guest": "bank", **config})


ALIGN = _stage("alignment", "alignment", commonMin=100)
CARD = _stage("card", "scorecard", settings={**REHEARSAL, "bins": 6, "rows_min": 20})
TREES = _stage("forest", "trees", settings={**REHEARSAL, "trees": 8})


def _run(*stages: Stage) -> Run:
    return Run("0x01ab", "project-7", "0x" + "11" * 32, code_hash(), PARTIES, stages)


def _scoring(model: Stage) -> Stage:
    return _stage(
        f"scores-{model.name}", "scoring", rows="alignment", model=model.name, algorithm=model.work
    )


def _do(world: World, root: Path, *stages: Stage, **changed: OwnData) -> RunOutcome:
    return run_embedded(_run(*stages), _parties(world, root, **changed))


@pytest.mark.parametrize("model", [CARD, TREES], ids=["scorecard", "trees"])
def test_a_run_goes_from_rows_to_scores(world: World, tmp_path: Path, model: Stage) -> None:
    outcome = _do(world, tmp_path, ALIGN, model, _scoring(model))
    assert outcome.finished, outcome.reason
    common = world.common()
    assert {one["rows"] for one in outcome.results("alignment").values()} == {len(common)}
    trained = outcome.results(model.name)
    hashes = {name: one["model"] for name, one in trained.items()}
    assert len(set(hashes.values())) == len(PARTIES)
    scored = outcome.results(f"scores-{model.name}")
    assert {name: one["model"] for name, one in scored.items()} == hashes
    folder = next((tmp_path / "bank").iterdir())
    rows = kept_rows(folder, "alignment", world.bank.source.table.rows)
    assert sorted(world.bank.source.table.ids[row] for row in rows) == list(common)
    margins = kept_margins(folder, f"scores-{model.name}")
    judged = int(str(trained["bank"]["testRows"]))
    assert judged == len(common) // 5
    label = world.bank.label[rows]
    assert auc(label[-judged:], margins[-judged:]) == trained["bank"]["auc"]
    assert "auc" not in trained["platform"]


@pytest.mark.slow
@pytest.mark.feature("D5")
def test_partners_lift_the_bank(tmp_path: Path) -> None:
    world = make_world(WorldSettings(firms=12_000, seed=3))
    card = _stage("card", "scorecard", testBp=5_000, settings=dict(REHEARSAL))
    together = _do(world, tmp_path / "all", ALIGN, card).results("card")["bank"]["auc"]
    # The same rows with partners that know nothing: numbers by chance.
    draw = np.random.default_rng(1)
    noise = {
        name: OwnData(
            replace(
                _own(world, name).table,
                columns={
                    field: draw.normal(size=column.size)
                    for field, column in _own(world, name).table.columns.items()
                },
            )
        )
        for name in PARTIES[1:]
    }
    alone = _do(world, tmp_path / "noise", ALIGN, card, **noise).results("card")["bank"]["auc"]
    assert isinstance(together, float)
    assert isinstance(alone, float)
    # Which rows are judged by is chance: the difference is 0.1, its standard error 0.03.
    assert together > alone


def _refused(outcome: RunOutcome) -> Mapping[str, str]:
    return {one.party: one.reason for one in outcome.records if one.status == "refused"}


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        (_stage("card", "scorecard", settings={"scheme": "plain"}), "only a rehearsal"),
        (_stage("card", "scorecard", settings={"bins": 1}), "bins is 1"),
        (_stage("card", "scorecard", settings={"nothing": 1}), "settings/nothing"),
        (_stage("card", "trees", settings={"trees": "8"}), "settings/trees"),
        (_stage("card", "trees", more=1), "more"),
        (Stage("card", "trees", {"guest": "nobody"}), "takes no part"),
        (Stage("card", "trees", {}), "guest"),
        (_stage("card", "scoring", rows="alignment", model="none", algorithm="oracle"), "oracle"),
    ],
)
def test_settings_that_nobody_can_mean_are_refused_by_each_party(
    world: World, tmp_path: Path, stage: Stage, words: str
) -> None:
    outcome = _do(world, tmp_path, stage)
    assert not outcome.finished
    refused = _refused(outcome)
    assert set(refused) == set(PARTIES)
    assert all(words in reason for reason in refused.values()), refused


def test_a_model_without_common_rows_is_not_begun(world: World, tmp_path: Path) -> None:
    outcome = _do(world, tmp_path, CARD)
    assert not outcome.finished
    assert "that stage has not been done here" in outcome.records[0].reason


def test_a_guest_without_a_label_says_so(world: World, tmp_path: Path) -> None:
    outcome = _do(world, tmp_path, ALIGN, CARD, bank=OwnData(world.bank.source.table))
    (fault,) = outcome.faults
    assert (fault.party, fault.stage) == ("bank", "card")
    assert "no label" in fault.reason


def test_too_few_common_rows_end_the_run(world: World, tmp_path: Path) -> None:
    outcome = _do(world, tmp_path, _stage("alignment", "alignment", commonMin=9_999), CARD)
    assert not outcome.finished
    assert {one.stage for one in outcome.records} == {"alignment"}
