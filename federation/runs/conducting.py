"""Conducting a run: one stage after the other, and who is named where it stops."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from federation.runs.documents import check_run
from federation.runs.faults import faults_of, reason_of, unanswered
from federation.runs.journal import MemoryJournal
from federation.runs.protocol import Journal, Messenger, Progress
from federation.runs.types import EventKind, Run, RunEvent, RunOutcome, Stage, StageRecord

MARGIN_S = 30.0
"""How much longer than a stage's own time its answers may be on their way."""
GRACE_S = 10.0
"""How long the others may still answer once one party has not done its part."""
_LOOK_S = 1.0


def conduct(
    run: Run,
    messenger: Messenger,
    *,
    journal: Journal | None = None,
    progress: Progress | None = None,
    margin_s: float = MARGIN_S,
    grace_s: float = GRACE_S,
) -> RunOutcome:
    """Have all stages done in order; stop at the first that not every party has done.

    Stages that the journal has as done by all in one try are kept as they are, so that a run that
    stopped goes on where it was. Raises `RunInvalid`, `JournalInvalid`.
    """
    check_run(run)
    journal = MemoryJournal() if journal is None else journal
    earlier = journal.records()
    records: list[StageRecord] = []
    for number, stage in enumerate(run.stages, 1):
        watch = _Watch(progress, stage.name, number, len(run.stages))
        kept = _done_before(run, stage, earlier)
        if kept:
            watch.tell("kept")
            records += kept
            continue
        watch.tell("begun")
        answers = _have_done(run, stage, messenger, journal, watch, margin_s, grace_s)
        records += answers
        if any(one.status != "done" for one in answers):
            faults = faults_of(answers)
            return RunOutcome(run.id, False, reason_of(stage, faults), tuple(records), faults)
    return RunOutcome(run.id, True, "", tuple(records))


class _Watch:
    """Tells one stage's events to whoever watches."""

    def __init__(self, progress: Progress | None, stage: str, number: int, stages: int) -> None:
        self._progress = progress
        self._blank = RunEvent("begun", stage, number, stages)

    def tell(self, kind: EventKind, record: StageRecord | None = None) -> None:
        if self._progress is None:
            return
        event = replace(self._blank, kind=kind)
        if record is not None:
            event = replace(event, party=record.party, status=record.status)
        self._progress(event)


def _done_before(run: Run, stage: Stage, records: Sequence[StageRecord]) -> list[StageRecord]:
    """The records of the last try, in order, if all have done the stage in it; else none."""
    mine = [one for one in records if one.stage == stage.name]
    last = max((one.attempt for one in mine), default=0)
    done = {one.party: one for one in mine if one.attempt == last and one.status == "done"}
    parties = run.parties_of(stage)
    return [done[party] for party in parties] if set(done) == set(parties) else []


def _have_done(
    run: Run,
    stage: Stage,
    messenger: Messenger,
    journal: Journal,
    watch: _Watch,
    margin_s: float,
    grace_s: float,
) -> list[StageRecord]:
    """A record of each party, in the order of the run."""
    attempt = journal.begin(stage.name)
    parties = run.parties_of(stage)
    answers: dict[str, StageRecord] = {}
    deadline = time.monotonic() + stage.timeout_s + margin_s
    messenger.ask(run, stage, attempt)
    try:
        while len(answers) < len(parties) and (left_s := deadline - time.monotonic()) > 0:
            for record in messenger.answers(min(left_s, _LOOK_S)):
                if not _is_awaited(record, stage, attempt, parties, answers):
                    continue
                answers[record.party] = record
                journal.add(record)
                watch.tell("answered", record)
                if record.status != "done":
                    deadline = min(deadline, time.monotonic() + grace_s)
    finally:
        messenger.abandon()
    for record in unanswered(stage, attempt, parties, answers):
        answers[record.party] = record
        journal.add(record)
        watch.tell("answered", record)
    return [answers[party] for party in parties]


def _is_awaited(
    record: StageRecord,
    stage: Stage,
    attempt: int,
    parties: Sequence[str],
    answers: dict[str, StageRecord],
) -> bool:
    """Whether a record is of this try, by a party that has not answered yet, and no verdict that
    only we can give."""
    return (
        record.status in ("done", "refused", "failed")
        and (record.stage, record.attempt) == (stage.name, attempt)
        and record.party in parties
        and record.party not in answers
    )
