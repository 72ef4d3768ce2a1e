"""The outcome of a run as JSON."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, ValidationError

from federation.runs.documents import (
    PARTIES_MAX,
    RECORD_BYTES_MAX,
    STAGES_MAX,
    read_record,
    record_document,
)
from federation.runs.errors import RunInvalid
from federation.runs.types import Fault, FaultKind, Json, RunOutcome
from ledger.canonical import CanonicalError, JsonError, canonical_json, parse_json

OUTCOME_BYTES_MAX = PARTIES_MAX * STAGES_MAX * RECORD_BYTES_MAX
_DEPTH_MAX = 20


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class _FaultModel(_Strict):
    party: str
    stage: str
    kind: FaultKind
    reason: str
    said_by: list[str]


class _OutcomeModel(_Strict):
    run: str
    finished: bool
    reason: str
    records: list[dict[str, object]]
    faults: list[_FaultModel]


def outcome_document(outcome: RunOutcome) -> dict[str, Json]:
    """An outcome as a JSON object."""
    return {
        "run": outcome.run,
        "finished": outcome.finished,
        "reason": outcome.reason,
        "records": [record_document(record) for record in outcome.records],
        "faults": [
            {
                "party": fault.party,
                "stage": fault.stage,
                "kind": fault.kind,
                "reason": fault.reason,
                "said_by": list(fault.said_by),
            }
            for fault in outcome.faults
        ],
    }


def write_outcome(outcome: RunOutcome) -> bytes:
    """An outcome as canonical JSON. Raises `RunInvalid`."""
    try:
        return canonical_json(outcome_document(outcome))
    except CanonicalError as error:
        raise RunInvalid("outcome", str(error)) from error


def read_outcome(data: bytes) -> RunOutcome:
    """An outcome from its JSON. Raises `RunInvalid`."""
    try:
        value = parse_json(data, size_bytes_max=OUTCOME_BYTES_MAX, depth_max=_DEPTH_MAX)
        model = _OutcomeModel.model_validate(value)
    except JsonError as error:
        raise RunInvalid(f"outcome{error.pointer}", error.reason) from error
    except ValidationError as error:
        raise RunInvalid("outcome", error.errors()[0]["msg"]) from error
    records = tuple(read_record(canonical_json(record)) for record in model.records)
    faults = tuple(
        Fault(one.party, one.stage, one.kind, one.reason, tuple(one.said_by))
        for one in model.faults
    )
    return RunOutcome(model.run, model.finished, model.reason, records, faults)
