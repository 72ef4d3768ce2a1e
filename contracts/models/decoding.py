"""Logs of Models, Runs and Releases, answers to questions, and the records in both."""

from __future__ import annotations

from typing import Any, Final

from contracts.abi import Function
from contracts.consortium import organisation_id_text
from contracts.events import LogDecoder, Values
from contracts.instruments import load_machine
from contracts.instruments.records import code_text, hash_of, named
from contracts.models.events import (
    BudgetUsed,
    CallsCounted,
    CallsDisputed,
    ContributionActed,
    DataSetActed,
    DueChanged,
    FaultRecorded,
    GrantActed,
    ModelsEvent,
    PaymentActed,
    ProjectActed,
    ReleaseActed,
    ReleasesEvent,
    RoundRecorded,
    RunActed,
    RunsEvent,
)
from contracts.models.genesis import MODELS_ARTIFACT, RELEASES_ARTIFACT, RUNS_ARTIFACT
from contracts.models.structs import (
    members,
    output_of,
    read_batch,
    read_budget,
    read_contribution,
    read_data_set,
    read_fault,
    read_grant,
    read_payment,
    read_project,
    read_release,
    read_round,
    read_run,
    struct_of,
)
from contracts.models.types import Budget, Due, Project
from ledger.types import Hash32, Log

MACHINE: Final = load_machine("contracts.models")
STATES: Final = MACHINE.states
ACTS: Final = tuple(act.name for act in MACHINE.acts)


def decode_log(log: Log) -> ModelsEvent:
    """The event in a log of Models. Raises `LogError` where it is none of its events."""
    return _MODELS.decode(log)


def decode_runs_log(log: Log) -> RunsEvent:
    """The event in a log of Runs. Raises `LogError` where it is none of its events."""
    return _RUNS.decode(log)


def decode_releases_log(log: Log) -> ReleasesEvent:
    """The event in a log of Releases. Raises `LogError` where it is none of its events."""
    return _RELEASES.decode(log)


# ---- questions ----------------------------------------------------------------------------------

_STANDING: Final = Function.of(MODELS_ARTIFACT, "standingOf")
_PROJECT: Final = Function.of(MODELS_ARTIFACT, "projectOf")
_USED: Final = Function.of(RUNS_ARTIFACT, "usedOf")
_DUE: Final = Function.of(RELEASES_ARTIFACT, "dueOf")


def standing_calldata(id_: Hash32) -> bytes:
    """Calldata of `standingOf`, of any of the three contracts."""
    return _STANDING.calldata(id_)


def decode_standing(output: bytes) -> tuple[int, str]:
    """Revision (0: there is no such record) and state. Raises `CalldataError`."""
    revision, state = _STANDING.result(output)
    return revision, named(STATES, state, "state")


def project_calldata(id_: Hash32) -> bytes:
    """Calldata of `projectOf`."""
    return _PROJECT.calldata(id_)


def decode_project(output: bytes) -> Project | None:
    """Answer of `projectOf`; None where there is none. Raises `CalldataError`."""
    (values,) = _PROJECT.result(output)
    shape = output_of(MODELS_ARTIFACT, "projectOf")
    found = members(shape, values)
    return read_project(found) if any(found["proposer"]) else None


def used_calldata(project: Hash32) -> bytes:
    """Calldata of `usedOf`: what all runs of a project have set aside or spent."""
    return _USED.calldata(project)


def decode_used(output: bytes) -> Budget:
    """Answer of `usedOf`. Raises `CalldataError`."""
    ((epsilon, delta),) = _USED.result(output)
    return Budget(epsilon, delta)


def due_calldata(project: Hash32, currency: bytes, payer: bytes, payee: bytes) -> bytes:
    """Calldata of `dueOf`; currency and organisations as their words."""
    return _DUE.calldata(project, currency, payer, payee)


def decode_due(output: bytes) -> Due:
    """Answer of `dueOf`. Raises `CalldataError`."""
    ((accrued, paid, reported),) = _DUE.result(output)
    return Due(accrued, paid, reported)


# ---- events -------------------------------------------------------------------------------------


def _act(number: int) -> str:
    return named(ACTS, number, "act")


def _state(number: int) -> str:
    return named(STATES, number, "state")


def _project_acted(values: Values) -> ProjectActed:
    return ProjectActed(
        id=Hash32(values["id"]),
        by=organisation_id_text(values["by"]),
        act=_act(values["act"]),
        revision=values["revision"],
        state=_state(values["state"]),
        project=read_project(struct_of("Project", values["project"])),
        digest=hash_of(values["digest"]),
        remark=values["remark"],
    )


def _common(values: Values) -> dict[str, Any]:
    """Members that acts within a project have."""
    return {
        "id": Hash32(values["id"]),
        "project": Hash32(values["project"]),
        "act": _act(values["act"]),
        "by": organisation_id_text(values["by"]),
        "revision": values["revision"],
        "remark": values["remark"],
    }


def _data_set_acted(values: Values) -> DataSetActed:
    return DataSetActed(
        id=Hash32(values["id"]),
        by=organisation_id_text(values["by"]),
        act=_act(values["act"]),
        revision=values["revision"],
        state=_state(values["state"]),
        data_set=read_data_set(struct_of("DataSet", values["dataSet"])),
        remark=values["remark"],
    )


def _grant_acted(values: Values) -> GrantActed:
    grant = read_grant(struct_of("Grant", values["grant"]))
    return GrantActed(**_common(values), state=_state(values["state"]), grant=grant)


def _run_acted(values: Values) -> RunActed:
    run = read_run(struct_of("Run", values["run"]))
    return RunActed(**_common(values), state=_state(values["state"]), run=run)


def _round_recorded(values: Values) -> RoundRecorded:
    return RoundRecorded(
        id=Hash32(values["id"]),
        project=Hash32(values["project"]),
        by=organisation_id_text(values["by"]),
        revision=values["revision"],
        round=read_round(struct_of("Round", values["round"])),
        spent=read_budget(struct_of("Budget", values["spent"])),
    )


def _fault_recorded(values: Values) -> FaultRecorded:
    return FaultRecorded(
        id=Hash32(values["id"]),
        project=Hash32(values["project"]),
        party=organisation_id_text(values["party"]),
        by=organisation_id_text(values["by"]),
        revision=values["revision"],
        number=values["number"],
        fault=read_fault(struct_of("Fault", values["fault"])),
        remark=values["remark"],
    )


def _budget_used(values: Values) -> BudgetUsed:
    used = read_budget(struct_of("Budget", values["used"]))
    return BudgetUsed(Hash32(values["project"]), Hash32(values["run"]), used)


def _release_acted(values: Values) -> ReleaseActed:
    release = read_release(struct_of("Release", values["release"]))
    return ReleaseActed(**_common(values), state=_state(values["state"]), release=release)


def _contribution_acted(values: Values) -> ContributionActed:
    return ContributionActed(
        **_common(values),
        agreed=read_contribution(struct_of("Contribution", values["agreed"])),
        proposed=read_contribution(struct_of("Contribution", values["proposed"])),
        digest=hash_of(values["digest"]),
    )


def _calls_counted(values: Values) -> CallsCounted:
    return CallsCounted(
        id=Hash32(values["id"]),
        project=Hash32(values["project"]),
        release=Hash32(values["release"]),
        batch=read_batch(struct_of("Batch", values["batch"])),
        amounts=tuple(values["amounts"]),
        remark=values["remark"],
    )


def _calls_disputed(values: Values) -> CallsDisputed:
    return CallsDisputed(
        id=Hash32(values["id"]),
        project=Hash32(values["project"]),
        by=organisation_id_text(values["by"]),
        revision=values["revision"],
        count=values["count"],
        evidence=Hash32(values["evidence"]),
        remark=values["remark"],
    )


def _due_changed(values: Values) -> DueChanged:
    due = struct_of("Due", values["due"])
    return DueChanged(
        project=Hash32(values["project"]),
        payer=organisation_id_text(values["payer"]),
        payee=organisation_id_text(values["payee"]),
        currency=code_text(values["currency"]),
        due=Due(due["accrued"], due["settled"], due["told"]),
        cause=Hash32(values["cause"]),
    )


def _payment_acted(values: Values) -> PaymentActed:
    payment = read_payment(struct_of("Payment", values["payment"]))
    return PaymentActed(**_common(values), state=_state(values["state"]), payment=payment)


_MODELS: Final = LogDecoder[ModelsEvent](
    MODELS_ARTIFACT,
    ProjectActed=_project_acted,
    DataSetActed=_data_set_acted,
    GrantActed=_grant_acted,
)
_RUNS: Final = LogDecoder[RunsEvent](
    RUNS_ARTIFACT,
    RunActed=_run_acted,
    RoundRecorded=_round_recorded,
    FaultRecorded=_fault_recorded,
    BudgetUsed=_budget_used,
)
_RELEASES: Final = LogDecoder[ReleasesEvent](
    RELEASES_ARTIFACT,
    ReleaseActed=_release_acted,
    ContributionActed=_contribution_acted,
    CallsCounted=_calls_counted,
    CallsDisputed=_calls_disputed,
    DueChanged=_due_changed,
    PaymentActed=_payment_acted,
)
