"""The seams of a run: what a party brings, and what carries its stages to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from federation.channel import Channel
from federation.runs.types import Json, Refusal, Run, RunEvent, Stage, StageRecord

Progress: TypeAlias = Callable[[RunEvent], None]

OpenChannel: TypeAlias = Callable[[str, str, tuple[str, ...]], Channel]
"""Opens a party's channel for one stage: (id of the stage's conversation, me, all parties of it).
Raises `ChannelError`."""


class Steps(Protocol):
    """Tells those who watch how far the work of a stage has come."""

    def __call__(
        self, done: int, total: int, measures: Mapping[str, float] | None = None, /
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class StageContext:
    """What a party's work is given."""

    run: Run
    stage: Stage
    me: str
    channel: Channel
    """To the other parties of the stage; closed by whoever runs the work."""
    folder: Path
    """The party's own folder for this run, the same for all stages: what one leaves, the next
    finds. Work that is tried again must write over what an earlier try has left."""
    progress: Steps


class PartyWork(Protocol):
    """A party's function for a stage; answers with small JSON: hashes, counts, measures.

    It may raise `StageRefused`, `StageFailed` and errors of the channel, whose texts are told to
    the others. Of any other error they learn only the name of its class.
    """

    def __call__(self, context: StageContext, /) -> Mapping[str, Json]: ...


class Gate(Protocol):
    """A party's own judgement, asked before each stage: does it keep to what was agreed?"""

    def check(self, run: Run, stage: Stage, /) -> Refusal | None:
        """None lets the stage begin. An error that it raises refuses as well."""
        ...


@dataclass(frozen=True, slots=True)
class Party:
    """An organisation as it takes part in runs."""

    name: str
    """Its id on the ledger."""
    works: Mapping[str, PartyWork]
    """By the names that stages use."""
    gate: Gate
    folder: Path
    """Where its runs keep what they leave, each in a folder of its own."""


class Messenger(Protocol):
    """Carries one stage at a time to its parties, and their records back."""

    def ask(self, run: Run, stage: Stage, attempt: int, /) -> None:
        """Send the stage to each of its parties."""
        ...

    def answers(self, wait_s: float, /) -> Sequence[StageRecord]:
        """Those that have come since, waiting at most `wait_s` for the first."""
        ...

    def abandon(self) -> None:
        """Wait for no more answers of this stage. Any number of times."""
        ...


class Journal(Protocol):
    """Where a run's records are kept, so that it can be resumed."""

    def records(self) -> Sequence[StageRecord]:
        """All that were added, in that order."""
        ...

    def begin(self, stage: str, /) -> int:
        """Note, durably, that a stage is tried now; the number of this try, counted from 1.

        Raises `JournalInvalid` where a stage has been tried as often as is allowed.
        """
        ...

    def add(self, record: StageRecord, /) -> None:
        """Keep a record, durably."""
        ...
