"""A party's side of a stage: its own gate, its own function, its own record."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from federation.channel import Channel, ChannelError, PartyGone, PartySilent
from federation.runs.code import code_hash
from federation.runs.documents import check_result, conversation_id
from federation.runs.errors import (
    REASON_CHARACTERS_MAX,
    JournalInvalid,
    RunError,
    RunInvalid,
    StageFailed,
    StageRefused,
)
from federation.runs.journal import FileJournal
from federation.runs.lone import LoneChannel
from federation.runs.protocol import OpenChannel, Party, PartyWork, StageContext, Steps
from federation.runs.types import Json, Run, Stage, StageRecord

RECORDS_NAME = "stages.jsonl"
"""The party's own journal of a run, in its folder of that run."""

ENDING_S = 5.0
"""How long work that is out of time is waited for, once its channel is closed."""

_log = logging.getLogger(__name__)


def perform(
    party: Party,
    run: Run,
    stage: Stage,
    attempt: int,
    open_channel: OpenChannel,
    *,
    progress: Steps | None = None,
) -> StageRecord:
    """Do one stage as one party, or refuse it; whatever happens, a record comes back.

    Refused is, before any channel is opened: a run or stage that is not for this party, other
    code than was agreed, work that the party does not know, and what its gate does not let pass.
    The record is kept in the party's own folder as well.
    """
    begun = time.monotonic()
    blank = StageRecord(stage.name, party.name, attempt, "failed")
    try:
        work = _admit(party, run, stage)
        with _journal(party, run, stage, attempt) as journal:
            record = _attempt(party, run, stage, blank, work, open_channel, progress)
            record = replace(record, duration_ms=round(1000 * (time.monotonic() - begun)))
            journal.add(record)
    except StageRefused as error:
        _log.warning("%s refuses stage %s of run %s: %s", party.name, stage.name, run.id, error)
        record = replace(blank, status="refused", reason=_cut(str(error)))
    except OSError as error:
        _log.exception("the record of run %s could not be kept at %s", run.id, party.name)
        record = replace(blank, reason=f"its record could not be kept: {type(error).__name__}")
    return record


def folder_of(party: Party, run: Run) -> Path:
    """Where a party keeps what a run leaves."""
    return party.folder / run.id


def _admit(party: Party, run: Run, stage: Stage) -> PartyWork:
    if stage not in run.stages or party.name not in run.parties_of(stage):
        raise StageRefused(f"{party.name} has no part in stage {stage.name} of this run")
    if run.code != code_hash():
        raise StageRefused(f"the run is for the code {run.code}, here is {code_hash()}")
    work = party.works.get(stage.work)
    if work is None:
        raise StageRefused(f"{party.name} knows no work named {stage.work}")
    try:
        refusal = party.gate.check(run, stage)
    except Exception as error:
        _log.exception("the gate of %s failed for run %s", party.name, run.id)
        raise StageRefused("the party's gate could not judge it") from error
    if refusal is not None:
        raise StageRefused(refusal.reason or "the party's gate does not let it pass")
    return work


def _journal(party: Party, run: Run, stage: Stage, attempt: int) -> FileJournal:
    """The party's own records of the run. Raises `StageRefused` for a try that is not new."""
    try:
        journal = FileJournal(folder_of(party, run) / RECORDS_NAME, run)
    except JournalInvalid as error:
        _log.warning("%s: %s", party.name, error)
        raise StageRefused(
            f"{party.name} has this run in hand already, or with other stages"
        ) from (error)
    if attempt <= journal.tries(stage.name):
        journal.close()
        raise StageRefused(f"{party.name} has made try {attempt} of this stage before")
    return journal


def _attempt(
    party: Party,
    run: Run,
    stage: Stage,
    blank: StageRecord,
    work: PartyWork,
    open_channel: OpenChannel,
    progress: Steps | None,
) -> StageRecord:
    try:
        result = _work(party, run, stage, blank.attempt, work, open_channel, progress)
    except StageRefused as error:
        return replace(blank, status="refused", reason=_cut(str(error)))
    except (RunError, ChannelError) as error:
        blames = _blamed(error, party, run.parties_of(stage))
        lost = bool(blames) and isinstance(error, PartyGone | PartySilent)
        return replace(blank, reason=_cut(str(error)), blames=blames, lost=lost)
    except Exception as error:
        # Its text may hold what the others must not see.
        _log.exception("stage %s of run %s failed at %s", stage.name, run.id, party.name)
        return replace(blank, reason=f"{type(error).__name__}; the party's own log says more")
    return replace(blank, status="done", result=result)


@dataclass(slots=True)
class _Ending:
    """What a work's thread leaves."""

    result: Mapping[str, Json] = field(default_factory=dict)
    error: BaseException | None = None


def _work(
    party: Party,
    run: Run,
    stage: Stage,
    attempt: int,
    work: PartyWork,
    open_channel: OpenChannel,
    progress: Steps | None,
) -> Mapping[str, Json]:
    deadline = time.monotonic() + stage.timeout_s
    channel = _open(party, run, stage, attempt, open_channel)
    try:
        context = StageContext(
            run, stage, party.name, channel, folder_of(party, run), progress or _unheard
        )
        ending = _in_time(lambda: work(context), deadline, channel)
    finally:
        channel.close()
    if ending is None:
        raise StageFailed(f"took longer than the {stage.timeout_s} s that it has")
    if ending.error is not None:
        raise ending.error
    try:
        check_result(ending.result)
    except RunInvalid as error:
        raise StageFailed(f"its answer may not be sent: {error}") from error
    return dict(ending.result)


def _open(party: Party, run: Run, stage: Stage, attempt: int, open_channel: OpenChannel) -> Channel:
    conversation = conversation_id(run, stage, attempt)
    if run.parties_of(stage) == (party.name,):
        return LoneChannel(conversation, party.name)
    return open_channel(conversation, party.name, run.parties_of(stage))


def _in_time(
    work: Callable[[], Mapping[str, Json]], deadline: float, channel: Channel
) -> _Ending | None:
    """What the work leaves, or None where it has not ended at the deadline.

    It runs in a thread of its own, because nothing can end it: closing its channel is asking.
    """
    ending = _Ending()

    def do() -> None:
        try:
            ending.result = work()
        except BaseException as error:
            ending.error = error

    thread = threading.Thread(target=do, daemon=True)
    thread.start()
    thread.join(max(0.0, deadline - time.monotonic()))
    if not thread.is_alive():
        return ending
    channel.close()
    thread.join(ENDING_S)
    return None


def _blamed(error: RunError | ChannelError, party: Party, parties: tuple[str, ...]) -> str:
    if isinstance(error, ChannelError):
        blamed = error.party
    else:
        blamed = error.blames if isinstance(error, StageFailed) else ""
    return blamed if blamed in parties and blamed != party.name else ""


def _cut(text: str) -> str:
    # What is no printable text is shown as it would be in a program.
    plain = "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)
    return plain[:REASON_CHARACTERS_MAX]


def _unheard(done: int, total: int, measures: Mapping[str, float] | None = None, /) -> None:
    """Progress that nobody watches."""
