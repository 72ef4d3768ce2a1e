"""What a run is made of, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Json: TypeAlias = bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"] | None

Status: TypeAlias = Literal["done", "refused", "failed", "silent", "interrupted"]
"""How a party came out of a stage. `silent`: it gave no answer and nobody else explains why;
`interrupted`: it gave no answer because another party had already ended the stage."""

EventKind: TypeAlias = Literal["begun", "kept", "answered", "progress"]
"""`kept`: the stage was done before the run was resumed."""

FaultKind: TypeAlias = Literal["refused", "failed", "silent", "accused"]
"""`accused`: the party itself says nothing of a fault, others say that it is at fault."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a run, which all of its parties do at the same time."""

    name: str
    """Unique in the run; 1 to 64 of a-z 0-9 -"""
    work: str
    """By what name each party finds its own function for it, as `alignment` or `training`."""
    config: Mapping[str, Json] = field(default_factory=dict)
    """Settings that all parties see; small."""
    parties: tuple[str, ...] = ()
    """Who takes part; empty: all of the run."""
    timeout_s: int = 3600
    """How long a party may take for it."""


@dataclass(frozen=True, slots=True)
class Run:
    """What the parties are asked to do together; the same for all of them."""

    id: str
    """0x and 1 to 64 hexadecimal digits, as on the ledger."""
    project: str
    """The project on the ledger under whose agreement it runs."""
    agreement: str
    """SHA-256 of the terms that all parties accepted: 0x and 64 hexadecimal digits."""
    code: str
    """`code_hash()` of the software that may run it."""
    parties: tuple[str, ...]
    """Ids of the organisations, in an order that all share."""
    stages: tuple[Stage, ...]

    def parties_of(self, stage: Stage) -> tuple[str, ...]:
        """Who takes part in a stage, in the order of the run."""
        return stage.parties or self.parties


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a party's gate lets a stage not begin; the reason is told to the other parties."""

    reason: str


@dataclass(frozen=True, slots=True)
class StageRecord:
    """How one party came out of one stage."""

    stage: str
    party: str
    attempt: int
    """Counted from 1; a resumed run tries its first unfinished stage again."""
    status: Status
    result: Mapping[str, Json] = field(default_factory=dict)
    """What its work answered: hashes, counts, measures; empty unless done."""
    reason: str = ""
    """In words for people; empty if done."""
    blames: str = ""
    """The party whose fault it is in the eyes of this one; empty: nobody else's."""
    lost: bool = False
    """Whether the one it blames was merely lost: gone, or silent for too long."""
    duration_ms: int = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """A party because of which a run has stopped."""

    party: str
    stage: str
    kind: FaultKind
    reason: str
    said_by: tuple[str, ...] = ()
    """The parties who say so; empty where the party says so itself, or said nothing."""


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What became of a run."""

    run: str
    finished: bool
    """Whether every party has done every stage."""
    reason: str
    """Why it stopped, in words for people; empty if finished."""
    records: tuple[StageRecord, ...]
    """Of every stage, in the order of stages and parties; of a stage tried again, the last try."""
    faults: tuple[Fault, ...] = ()

    def results(self, stage: str) -> dict[str, Mapping[str, Json]]:
        """By party, what those answered who have done a stage."""
        return {
            one.party: one.result
            for one in self.records
            if one.stage == stage and one.status == "done"
        }


@dataclass(frozen=True, slots=True)
class RunEvent:
    """Something that a person who watches a run wants to know."""

    kind: EventKind
    stage: str
    number: int
    """Of the stage, counted from 1."""
    stages: int
    party: str = ""
    status: Status | None = None
    done: int = 0
    total: int = 0
    """Steps within the work of the party, for `progress`."""
    measures: Mapping[str, float] = field(default_factory=dict)
