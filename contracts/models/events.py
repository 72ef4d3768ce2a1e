"""What the contracts of models tell: each act with the record as it is afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from contracts.models.types import (
    Batch,
    Budget,
    Contribution,
    DataSet,
    Due,
    Fault,
    Grant,
    Payment,
    Project,
    Release,
    Round,
    Run,
)
from ledger.types import Hash32


@dataclass(frozen=True, slots=True)
class ProjectActed:
    """A project after an act."""

    id: Hash32
    by: str
    act: str
    revision: int
    state: str
    project: Project
    digest: Hash32 | None
    """What `accept` names; None where nothing is proposed."""
    remark: str


@dataclass(frozen=True, slots=True)
class DataSetActed:
    """A data set after an act."""

    id: Hash32
    by: str
    act: str
    revision: int
    state: str
    data_set: DataSet
    remark: str


@dataclass(frozen=True, slots=True)
class GrantActed:
    """A grant after an act."""

    id: Hash32
    project: Hash32
    act: str
    by: str
    revision: int
    state: str
    grant: Grant
    remark: str


@dataclass(frozen=True, slots=True)
class RunActed:
    """A run after an act."""

    id: Hash32
    project: Hash32
    act: str
    by: str
    revision: int
    state: str
    run: Run
    remark: str


@dataclass(frozen=True, slots=True)
class RoundRecorded:
    """A round of a run."""

    id: Hash32
    project: Hash32
    by: str
    revision: int
    round: Round
    spent: Budget
    """Of the run, with this round."""


@dataclass(frozen=True, slots=True)
class FaultRecorded:
    """A participant of a run has failed."""

    id: Hash32
    project: Hash32
    party: str
    by: str
    revision: int
    number: int
    """Of the run's faults, from 1."""
    fault: Fault
    remark: str


@dataclass(frozen=True, slots=True)
class BudgetUsed:
    """What all runs of a project have set aside or spent."""

    project: Hash32
    run: Hash32
    used: Budget


@dataclass(frozen=True, slots=True)
class ReleaseActed:
    """A release after an act."""

    id: Hash32
    project: Hash32
    act: str
    by: str
    revision: int
    state: str
    release: Release
    remark: str


@dataclass(frozen=True, slots=True)
class ContributionActed:
    """What the parties of a release have contributed, as agreed and as proposed."""

    id: Hash32
    project: Hash32
    act: str
    by: str
    revision: int
    agreed: Contribution | None
    proposed: Contribution | None
    digest: Hash32 | None
    """What `concur` names."""
    remark: str


@dataclass(frozen=True, slots=True)
class CallsCounted:
    """A batch of calls."""

    id: Hash32
    project: Hash32
    release: Hash32
    batch: Batch
    amounts: tuple[int, ...]
    """Each party's part of the amount, in the order of the project's parties."""
    remark: str


@dataclass(frozen=True, slots=True)
class CallsDisputed:
    """A party's own count beside a batch."""

    id: Hash32
    project: Hash32
    by: str
    revision: int
    count: int
    evidence: Hash32
    remark: str


@dataclass(frozen=True, slots=True)
class DueChanged:
    """What a payer owes a payee."""

    project: Hash32
    payer: str
    payee: str
    currency: str
    due: Due
    cause: Hash32
    """The batch or payment."""


@dataclass(frozen=True, slots=True)
class PaymentActed:
    """A payment after an act."""

    id: Hash32
    project: Hash32
    act: str
    by: str
    revision: int
    state: str
    payment: Payment
    remark: str


ModelsEvent: TypeAlias = ProjectActed | DataSetActed | GrantActed
RunsEvent: TypeAlias = RunActed | RoundRecorded | FaultRecorded | BudgetUsed
ReleasesEvent: TypeAlias = (
    ReleaseActed | ContributionActed | CallsCounted | CallsDisputed | DueChanged | PaymentActed
)
