"""Whole runs in one process."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from federation.channel import Message
from federation.runs import (
    FileJournal,
    Json,
    Party,
    Run,
    RunEvent,
    RunInvalid,
    Stage,
    StageContext,
    StageFailed,
    StageRecord,
    StageRefused,
    conduct,
    folder_of,
    read_record,
    run_embedded,
)
from tests.federation.runs.runs import PARTIES, AskedGate, everybody, party, run_of, wait

pytestmark = [pytest.mark.feature("D1"), pytest.mark.feature("D8")]

COUNT = Stage("counting", "count", {"offset": 3}, timeout_s=20)
TOTAL = sum(len(name) for name in PARTIES)


def answers_of(parties: tuple[str, ...], total: int, offset: int) -> dict[str, object]:
    return {party: {"total": total, "offset": offset} for party in parties}


def refuse(context: StageContext) -> Mapping[str, Json]:
    raise StageRefused("the rows have changed")


def fail(context: StageContext) -> Mapping[str, Json]:
    raise ValueError("row 7 of firm 91310000XYZ has a bad amount")


def say_nothing(context: StageContext) -> Mapping[str, Json]:
    wait(1.5)
    return {}


def send_rubbish(context: StageContext) -> Mapping[str, Json]:
    for other in context.channel.others:
        context.channel.send(other, Message("test/number", {"number": -5}))
    return {}


def test_all_stages_are_done_in_order_and_every_answer_comes_back(tmp_path: Path) -> None:
    outcome = run_embedded(run_of(COUNT, Stage("again", "count")), everybody(tmp_path))
    assert outcome.finished
    assert outcome.reason == ""
    assert outcome.faults == ()
    assert [(one.stage, one.party) for one in outcome.records] == [
        (stage, name) for stage in ("counting", "again") for name in PARTIES
    ]
    assert outcome.results("counting") == answers_of(PARTIES, TOTAL, 3)
    assert outcome.results("again")["bank"] == {"total": TOTAL, "offset": 0}


def test_a_stage_of_some_parties_is_done_by_those_alone(tmp_path: Path) -> None:
    two = Stage("two", "count", parties=("bank", "maker"))
    one = Stage("one", "count", parties=("bank",))
    outcome = run_embedded(run_of(two, one), everybody(tmp_path))
    assert outcome.finished, outcome.reason
    assert outcome.results("two") == answers_of(("bank", "maker"), 9, 0)
    assert outcome.results("one") == {"bank": {"total": 4, "offset": 0}}


def test_a_gate_that_refuses_is_named_and_no_work_of_its_party_begins(tmp_path: Path) -> None:
    gate = AskedGate({"counting": "the grant of field orders was revoked"})
    parties = [*everybody(tmp_path)[:2], party("platform", tmp_path, gate)]
    run = run_of(COUNT, Stage("again", "count"))
    outcome = run_embedded(run, parties)
    assert not outcome.finished
    assert [(one.party, one.kind) for one in outcome.faults] == [("platform", "refused")]
    assert outcome.faults[0].reason == "the grant of field orders was revoked"
    assert "platform refused" in outcome.reason
    assert gate.asked == ["counting"]
    assert not folder_of(parties[2], run).exists()
    assert {one.stage for one in outcome.records} == {"counting"}


def test_a_gate_that_breaks_refuses(tmp_path: Path) -> None:
    class Broken:
        def check(self, run: object, stage: object, /) -> None:
            raise RuntimeError("secret-url unreachable")

    parties = everybody(tmp_path)
    broken = Party("bank", parties[0].works, Broken(), tmp_path / "bank")
    outcome = run_embedded(run_of(COUNT), [broken, *parties[1:]])
    assert (outcome.faults[0].party, outcome.faults[0].kind) == ("bank", "refused")
    assert "secret-url" not in repr(outcome)


def test_other_code_than_was_agreed_is_refused_by_every_party(tmp_path: Path) -> None:
    outcome = run_embedded(run_of(COUNT, code="0x" + "00" * 32), everybody(tmp_path))
    assert [(one.party, one.kind) for one in outcome.faults] == [
        (name, "refused") for name in PARTIES
    ]


def test_work_that_a_party_does_not_know_is_refused_by_it(tmp_path: Path) -> None:
    parties = [party("bank", tmp_path, dance=say_nothing), *everybody(tmp_path)[1:]]
    outcome = run_embedded(run_of(Stage("dancing", "dance")), parties, channel_timeout_s=2)
    assert {one.party for one in outcome.faults} == {"maker", "platform"}
    assert "knows no work named dance" in outcome.faults[0].reason


def test_work_may_refuse_after_looking(tmp_path: Path) -> None:
    parties = [*everybody(tmp_path)[:2], party("platform", tmp_path, count=refuse)]
    outcome = run_embedded(run_of(COUNT), parties)
    assert [(one.party, one.kind) for one in outcome.faults] == [("platform", "refused")]
    assert "the rows have changed" in outcome.reason
    assert set(outcome.faults[0].said_by) == {"bank", "maker"}


@pytest.mark.feature("D4")
def test_the_text_of_an_error_stays_with_its_party(tmp_path: Path) -> None:
    parties = [*everybody(tmp_path)[:2], party("platform", tmp_path, count=fail)]
    outcome = run_embedded(run_of(COUNT), parties)
    fault = outcome.faults[0]
    assert (fault.party, fault.kind) == ("platform", "failed")
    assert fault.reason == "ValueError; the party's own log says more"
    assert "91310000XYZ" not in repr(outcome)


def test_a_party_that_says_nothing_is_named_by_those_who_wait_for_it(tmp_path: Path) -> None:
    parties = [*everybody(tmp_path)[:2], party("platform", tmp_path, count=say_nothing)]
    begun = time.monotonic()
    outcome = run_embedded(run_of(COUNT), parties, channel_timeout_s=0.3, grace_s=0.3)
    assert time.monotonic() - begun < 10
    assert [(one.party, one.kind) for one in outcome.faults] == [("platform", "silent")]
    assert set(outcome.faults[0].said_by) == {"bank", "maker"}


def test_a_party_that_takes_too_long_is_named(tmp_path: Path) -> None:
    parties = [*everybody(tmp_path)[:2], party("platform", tmp_path, count=say_nothing)]
    outcome = run_embedded(run_of(Stage("counting", "count", timeout_s=1)), parties)
    assert "platform" in {one.party for one in outcome.faults}
    platform = next(one for one in outcome.faults if one.party == "platform")
    assert platform.kind == "failed"
    assert "took longer than the 1 s" in platform.reason


def test_a_party_that_sends_rubbish_is_accused_by_those_who_got_it(tmp_path: Path) -> None:
    parties = [*everybody(tmp_path)[:2], party("platform", tmp_path, count=send_rubbish)]
    outcome = run_embedded(run_of(COUNT), parties)
    fault = outcome.faults[0]
    assert (fault.party, fault.kind) == ("platform", "accused")
    assert set(fault.said_by) <= {"bank", "maker"}
    assert fault.said_by


def test_work_may_blame_another_party(tmp_path: Path) -> None:
    def blame(context: StageContext) -> Mapping[str, Json]:
        raise StageFailed("its update has 40 times the others' length", blames="maker")

    def done(context: StageContext) -> Mapping[str, Json]:
        return {}

    parties = [party("bank", tmp_path, count=blame)]
    parties += [party(name, tmp_path, count=done) for name in PARTIES[1:]]
    outcome = run_embedded(run_of(COUNT), parties)
    assert [(one.party, one.kind, one.said_by) for one in outcome.faults] == [
        ("maker", "accused", ("bank",))
    ]


@pytest.mark.parametrize(
    "answer", [{"rows": b"raw"}, {"x": float("nan")}, {"x": "y" * 70_000}, ["no", "object"], None]
)
def test_an_answer_that_is_no_small_json_fails_the_stage(answer: object, tmp_path: Path) -> None:
    def odd(context: StageContext) -> Mapping[str, Json]:
        return answer  # type: ignore[return-value]  # that is the test

    parties = [party(name, tmp_path, count=odd) for name in PARTIES]
    outcome = run_embedded(run_of(COUNT), parties)
    assert {one.kind for one in outcome.faults} == {"failed"}
    assert "its answer may not be sent" in outcome.faults[0].reason


def test_a_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    run = run_of(COUNT, Stage("again", "count"), Stage("last", "count"))
    gate = AskedGate({"again": "not before noon"})
    parties = [*everybody(tmp_path)[:2], party("platform", tmp_path, gate)]
    path = tmp_path / "journal.jsonl"
    with FileJournal(path, run) as journal:
        assert not run_embedded(run, parties, journal=journal).finished
    events: list[RunEvent] = []
    with FileJournal(path, run) as journal:
        outcome = run_embedded(run, everybody(tmp_path), journal=journal, progress=events.append)
    assert outcome.finished, outcome.reason
    assert [(one.stage, one.attempt) for one in outcome.records if one.party == "bank"] == [
        ("counting", 1),
        ("again", 2),
        ("last", 1),
    ]
    assert [(one.stage, one.kind) for one in events if one.kind in ("begun", "kept")] == [
        ("counting", "kept"),
        ("again", "begun"),
        ("last", "begun"),
    ]
    folder = folder_of(parties[0], run)
    assert (folder / "counting.tries").read_text() == "."


def test_a_try_is_made_once_by_each_party(tmp_path: Path) -> None:
    run = run_of(COUNT)
    assert run_embedded(run, everybody(tmp_path)).finished
    outcome = run_embedded(run, everybody(tmp_path))  # no journal: try 1 once more
    assert {one.kind for one in outcome.faults} == {"refused"}
    assert "has made try 1 of this stage before" in outcome.reason


def test_a_run_with_other_stages_under_the_same_id_is_refused(tmp_path: Path) -> None:
    assert run_embedded(run_of(COUNT), everybody(tmp_path)).finished
    outcome = run_embedded(run_of(Stage("other", "count")), everybody(tmp_path))
    assert {one.kind for one in outcome.faults} == {"refused"}


def test_each_party_keeps_its_own_records(tmp_path: Path) -> None:
    run = run_of(COUNT)
    parties = everybody(tmp_path)
    outcome = run_embedded(run, parties)
    for one in parties:
        lines = (folder_of(one, run) / "stages.jsonl").read_bytes().splitlines()
        mine = next(record for record in outcome.records if record.party == one.name)
        assert [read_record(line) for line in lines[1:]] == [mine]


def test_who_watches_hears_of_stages_steps_and_answers(tmp_path: Path) -> None:
    events: list[RunEvent] = []
    run_embedded(run_of(COUNT), everybody(tmp_path), progress=events.append)
    assert events[0] == RunEvent("begun", "counting", 1, 1)
    answered = {one.party: one.status for one in events if one.kind == "answered"}
    assert answered == dict.fromkeys(PARTIES, "done")
    steps = [
        (one.done, one.total) for one in events if (one.kind, one.party) == ("progress", "bank")
    ]
    assert steps == [(1, 2), (2, 2)]


def test_the_tap_sees_what_goes_between_the_parties(tmp_path: Path) -> None:
    seen: set[tuple[str, str]] = set()
    run_embedded(
        run_of(COUNT), everybody(tmp_path), tap=lambda sender, to, data: seen.add((sender, to))
    )
    assert len(seen) == 6


def test_all_parties_of_the_run_are_needed(tmp_path: Path) -> None:
    with pytest.raises(RunInvalid, match="run/parties"):
        run_embedded(run_of(COUNT), everybody(tmp_path)[:2])


def test_an_answer_of_another_try_or_party_or_with_our_own_verdict_counts_for_nothing() -> None:
    class Forger:
        """Answers for everybody, in wrong ways only."""

        def ask(self, run: Run, stage: Stage, attempt: int, /) -> None:
            good = [StageRecord(stage.name, name, attempt, "done") for name in PARTIES]
            self.records = [
                *(replace(one, attempt=attempt + 1) for one in good),
                *(replace(one, stage="other") for one in good),
                *(replace(one, status="interrupted") for one in good),
                StageRecord(stage.name, "stranger", attempt, "done"),
                StageRecord(stage.name, "bank", attempt, "done"),
                StageRecord(stage.name, "bank", attempt, "failed"),
            ]

        def answers(self, wait_s: float, /) -> list[StageRecord]:
            records, self.records = self.records, []
            wait(0 if records else wait_s)
            return records

        def abandon(self) -> None:
            self.records = []

    run = run_of(Stage("counting", "count", timeout_s=1))
    outcome = conduct(run, Forger(), margin_s=0.1)
    assert [(one.party, one.status) for one in outcome.records] == [
        ("bank", "done"),
        ("maker", "silent"),
        ("platform", "silent"),
    ]
