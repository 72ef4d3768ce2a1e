"""A party's own judgement of a run, and what refusing does to the run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from contracts.models import Budget
from federation.projects import LedgerGate, Limits, RunFacts, SharedField, SharedFields
from federation.runs import Party, Run, RunOutcome, Stage, run_embedded
from federation.tables import Table
from federation.works import OwnData, works
from ledger.types import Hash32
from tests.federation.projects.scene import (
    FIELDS,
    NOW,
    PARTIES,
    RUN_ID,
    Told,
    agreement,
    facts_of,
    grant_id,
    run_under,
    stages,
)

pytestmark = [pytest.mark.feature("D1"), pytest.mark.feature("D4")]

OTHER = Hash32(b"\x99" * 32)
Change = Callable[[RunFacts], RunFacts]


def _gate(facts: RunFacts | None, me: str = "bank", **agreed: Any) -> LedgerGate:
    return LedgerGate(me, agreement(**agreed), {grant_id(me): FIELDS[me]}, Told(facts))


def _reason(run: Run, stage: Stage, facts: RunFacts | None, **agreed: Any) -> str:
    refusal = _gate(facts, **agreed).check(run, stage)
    return "" if refusal is None else refusal.reason


@pytest.mark.parametrize("me", PARTIES)
def test_a_run_that_keeps_to_everything_may_begin(me: str) -> None:
    run = run_under(agreement())
    facts = facts_of(agreement(), run)
    for state in ("opened", "running"):
        for stage in run.stages:
            assert _gate(replace(facts, state=state), me).check(run, stage) is None


def test_the_partys_own_node_is_asked_for_the_run() -> None:
    run = run_under(agreement())
    told = Told(facts_of(agreement(), run))
    LedgerGate("bank", agreement(), {grant_id("bank"): FIELDS["bank"]}, told).check(
        run, run.stages[0]
    )
    assert told.asked == [RUN_ID]


def _draft(**changed: Any) -> Change:
    return lambda facts: replace(
        facts, run=replace(facts.run, draft=replace(facts.run.draft, **changed))
    )


def _project(**changed: Any) -> Change:
    return lambda facts: replace(facts, project=replace(facts.project, **changed))


def _terms(**changed: Any) -> Change:
    def change(facts: RunFacts) -> RunFacts:
        assert facts.project.terms is not None
        return _project(terms=replace(facts.project.terms, **changed))(facts)

    return change


def _granted(place: int, **changed: Any) -> Change:
    def change(facts: RunFacts) -> RunFacts:
        grants = list(facts.grants)
        grants[place] = replace(grants[place], **changed)
        return replace(facts, grants=tuple(grants))

    return change


def _grant(place: int, **changed: Any) -> Change:
    def change(facts: RunFacts) -> RunFacts:
        return _granted(place, grant=replace(facts.grants[place].grant, **changed))(facts)

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda facts: replace(facts, state="completed"), "the run is completed"),
        (lambda facts: replace(facts, state="aborted"), "the run is aborted"),
        (_draft(participants=("bank", "manufacturer")), "not the participants"),
        (_draft(code=OTHER), "its code is not the one on the ledger"),
        (_draft(config=OTHER), "not those whose hash stands"),
        (_draft(project=OTHER), "another project"),
        (_draft(algorithm="oracle"), "oracle is not among those agreed on"),
        (_draft(grants=(OTHER,)), "does not have all grants"),
        (lambda facts: replace(facts, project_state="closed"), "the project is closed"),
        (_project(terms=None), "nothing is agreed on"),
        (lambda facts: replace(facts, now=NOW + 86_400), "the project has expired"),
        (_terms(document=OTHER), "the terms in force are not those"),
        (_terms(price=1), "own numbers"),
        (_terms(codes=(OTHER,)), "own numbers"),
        (_granted(1, state="revoked"), "g1 of manufacturer is revoked"),
        (_grant(1, until=NOW), "g1 of manufacturer has expired"),
        (_grant(2, project=OTHER), "g1 of platform is for another project"),
        (_granted(2, data_set_state="withdrawn"), "2026 of platform was withdrawn"),
        (_grant(0, fields=OTHER), "bank has not shared the fields"),
        (_grant(1, owner="platform"), "manufacturer has granted no fields"),
        (
            lambda facts: replace(facts, run=replace(facts.run, spent=Budget(100_001, 0))),
            "more privacy",
        ),
        (lambda facts: replace(facts, run=replace(facts.run, spent=Budget(0, 1))), "more privacy"),
    ],
)
def test_what_does_not_match_the_ledger_is_refused(change: Change, words: str) -> None:
    run = run_under(agreement())
    reason = _reason(run, run.stages[1], change(facts_of(agreement(), run)))
    assert words in reason, reason


def test_a_run_that_the_ledger_does_not_have_is_refused() -> None:
    run = run_under(agreement())
    assert "no such run" in _reason(run, run.stages[0], None)
    nameless = replace(run, id="0x01")
    assert "no id of a run" in _reason(nameless, run.stages[0], facts_of(agreement(), run))


def test_a_party_that_is_not_among_the_participants_refuses() -> None:
    run = run_under(agreement())
    gate = LedgerGate("stranger", agreement(), {}, Told(facts_of(agreement(), run)))
    refusal = gate.check(run, run.stages[0])
    assert refusal is not None
    assert "stranger takes no part" in refusal.reason


@pytest.mark.parametrize(
    ("parts", "place", "limits", "words"),
    [
        (stages(), 1, Limits(common_rows_min=100), "a rehearsal, which hides nothing"),
        (stages(rehearsal=False), 1, Limits(common_rows_min=100), "which hides nothing"),
        (stages(rows_min=19), 1, None, "rows_min 19: at least 20"),
        (stages(rows_min=True), 1, None, "rows_min True"),
        (stages(key_bits=1024), 1, None, "key_bits 1024: at least 2048"),
        (
            (Stage("alignment", "alignment", {"guest": "bank", "commonMin": 99}),),
            0,
            None,
            "commonMin 99: at least 100",
        ),
        ((Stage("alignment", "alignment", {"guest": "bank"}),), 0, None, "commonMin None"),
        (
            (Stage("alignment", "alignment", {"guest": "platform", "commonMin": 100}),),
            0,
            None,
            "platform as its guest",
        ),
        ((Stage("card", "scorecard", {"guest": "bank"}),), 0, None, "rows_min None"),
        ((Stage("wood", "trees", {"guest": "bank"}),), 0, None, "the run is of scorecard"),
        ((Stage("copy", "copy-all", {"guest": "bank"}),), 0, None, "does copy-all"),
    ],
)
def test_settings_below_what_was_agreed_are_refused(
    parts: tuple[Stage, ...], place: int, limits: Limits | None, words: str
) -> None:
    changed = {} if limits is None else {"limits": limits}
    run = run_under(agreement(**changed), parts)
    reason = _reason(run, run.stages[place], facts_of(agreement(**changed), run), **changed)
    assert words in reason, reason


class _Revoking:
    """A node that learns, after the first stage, that a grant was revoked."""

    def __init__(self, facts: RunFacts) -> None:
        self._facts = facts
        self._asked = 0

    def run(self, id_: Hash32, /) -> RunFacts | None:
        self._asked += 1
        return self._facts if self._asked == 1 else _granted(2, state="revoked")(self._facts)


def _do(root: Path, revoked_seen_by: str | None) -> RunOutcome:
    agreed = agreement()
    run = run_under(agreed)
    draw = np.random.default_rng(5)
    ids = tuple(f"firm-{n}" for n in range(400))
    hidden = draw.normal(size=400)
    label = (draw.random(400) < 1 / (1 + np.exp(-hidden - 1))).astype(np.uint8)

    def party(name: str) -> Party:
        columns = {f"{name}_x": hidden + draw.normal(size=400), "other": draw.normal(size=400)}
        table = FIELDS[name].of(Table(ids, columns))
        assert table.fields == (f"{name}_x",)
        own = OwnData(table, label if name == "bank" else None)
        facts = facts_of(agreed, run)
        told = _Revoking(facts) if name == revoked_seen_by else Told(facts)
        gate = LedgerGate(name, agreed, {grant_id(name): FIELDS[name]}, told)
        return Party(name, works(lambda run, stage: own), gate, root / name)

    return run_embedded(run, [party(name) for name in PARTIES])


def test_a_run_under_the_agreement_goes_through_all_stages(tmp_path: Path) -> None:
    outcome = _do(tmp_path, None)
    assert outcome.finished, outcome.reason
    assert set(outcome.results("scores")) == set(PARTIES)


def test_a_field_revoked_in_the_middle_ends_the_run_at_whoever_sees_it(tmp_path: Path) -> None:
    outcome = _do(tmp_path, "manufacturer")
    assert not outcome.finished
    (fault,) = [one for one in outcome.faults if one.kind == "refused"]
    assert (fault.party, fault.stage) == ("manufacturer", "card")
    assert "g1 of platform is revoked" in fault.reason
    assert not outcome.results("card")


def test_other_fields_than_those_granted_are_not_there() -> None:
    table = Table(("a",), {"x": np.zeros(1), "secret": np.ones(1)})
    shared = SharedFields(fields=(SharedField(name="x", transformation="bins"),), salt="0" * 32)
    assert shared.of(table).fields == ("x",)
