"""Who is named where a stage was not done by all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.runs import Stage, StageRecord, Status
from federation.runs.faults import faults_of, reason_of, unanswered

pytestmark = pytest.mark.feature("D8")

STAGE = Stage("training", "train")
NAMES = ("a", "b", "c", "d")


def record(
    party: str, status: Status = "done", blames: str = "", lost: bool = False
) -> StageRecord:
    reason = "" if status == "done" else "words"
    return StageRecord("training", party, 1, status, {}, reason, blames, lost)


def named(*records: StageRecord) -> dict[str, str]:
    return {fault.party: fault.kind for fault in faults_of(records)}


def left(*answers: StageRecord) -> dict[str, str]:
    records = unanswered(STAGE, 1, NAMES, {one.party: one for one in answers})
    return {one.party: one.status for one in records}


def test_nobody_is_named_where_all_have_done_it() -> None:
    assert named(record("a"), record("b")) == {}


def test_who_is_lost_because_it_lost_another_is_not_named() -> None:
    found = named(
        record("a", "failed", "b", lost=True),
        record("b", "failed", "c", lost=True),
        record("c", "refused"),
    )
    assert found == {"c": "refused"}


def test_who_sent_rubbish_is_named_even_if_it_blames_another() -> None:
    found = named(record("a", "failed", "b"), record("b", "failed", "c"), record("c"))
    assert found == {"b": "accused", "c": "accused"}


def test_who_is_lost_but_says_that_it_has_done_all_is_named() -> None:
    assert named(record("a", "failed", "b", lost=True), record("b")) == {"b": "accused"}


def test_two_who_lost_each_other_are_both_named() -> None:
    found = named(record("a", "failed", "b", lost=True), record("b", "failed", "a", lost=True))
    assert found == {"a": "accused", "b": "accused"}


def test_what_a_party_says_of_itself_goes_before_what_others_say() -> None:
    faults = faults_of([record("a", "failed", "b", lost=True), record("b", "failed")])
    assert [(one.party, one.kind, one.said_by) for one in faults] == [("b", "failed", ("a",))]


def test_blame_for_somebody_outside_the_stage_stays_with_who_says_so() -> None:
    records = [record("a", "failed", "nobody"), record("b")]
    assert [fault.party for fault in faults_of(records)] == ["a"]


def test_nobody_answers() -> None:
    assert left() == dict.fromkeys(NAMES, "silent")


def test_the_lost_one_is_silent_and_the_others_who_say_nothing_were_interrupted() -> None:
    assert left(record("a", "failed", "b", lost=True)) == {
        "b": "silent",
        "c": "interrupted",
        "d": "interrupted",
    }


def test_who_is_lost_after_another_refused_was_interrupted() -> None:
    answers = (record("a", "failed", "b", lost=True), record("c", "refused"))
    assert left(*answers) == {"b": "interrupted", "d": "interrupted"}


def test_only_one_has_not_answered() -> None:
    assert left(record("a"), record("b"), record("d")) == {"c": "silent"}


def test_the_reason_names_everybody_at_fault() -> None:
    faults = faults_of([record("a", "refused"), record("b", "silent")])
    assert reason_of(STAGE, faults) == (
        "stage training was not done: a refused: words; b is silent: words"
    )


def records_of(party: str) -> st.SearchStrategy[StageRecord]:
    statuses: list[Status] = ["done", "refused", "failed"]
    plain = st.sampled_from(statuses).map(lambda status: record(party, status))
    blaming = st.builds(
        lambda blames, lost: record(party, "failed", blames, lost),
        st.sampled_from((*NAMES, "nobody")),
        st.booleans(),
    )
    return plain | blaming


@given(st.tuples(*(records_of(name) for name in NAMES)))
def test_a_stage_that_failed_always_names_somebody(records: tuple[StageRecord, ...]) -> None:
    faults = faults_of(records)
    spoiled = [one for one in records if one.status != "done"]
    assert bool(faults) == bool(spoiled)
    assert len({fault.party for fault in faults}) == len(faults)
    assert {fault.party for fault in faults} <= set(NAMES)


@given(
    st.dictionaries(st.sampled_from(NAMES), st.just(None)).flatmap(
        lambda names: st.tuples(*(records_of(name) for name in names))
    )
)
def test_every_party_has_a_record_in_the_end(answers: tuple[StageRecord, ...]) -> None:
    given_answers = {one.party: one for one in answers}
    added = unanswered(STAGE, 1, NAMES, given_answers)
    assert {one.party for one in added} | set(given_answers) == set(NAMES)
    assert len(added) + len(given_answers) == len(NAMES)
    everything = [*given_answers.values(), *added]
    if added or any(one.status != "done" for one in everything):
        assert faults_of(everything)
