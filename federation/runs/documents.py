"""Runs and records as JSON: what goes to the parties, comes back, and is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from federation.runs.errors import REASON_CHARACTERS_MAX, RunInvalid
from federation.runs.types import Json, Run, Stage, StageRecord, Status
from ledger.canonical import CanonicalError, JsonError, canonical_json, parse_json

PARTIES_MAX = 64
STAGES_MAX = 64
TIMEOUT_S_MAX = 7 * 24 * 3600
RUN_BYTES_MAX = 256 << 10
RESULT_BYTES_MAX = 64 << 10
RECORD_BYTES_MAX = RESULT_BYTES_MAX + (8 << 10)
DEPTH_MAX = 16
ATTEMPTS_MAX = 1000

PartyId = Annotated[str, Field(pattern=r"\A[a-z0-9-]{1,32}\z")]
Name = Annotated[str, Field(pattern=r"\A[a-z0-9-]{1,64}\z")]
Hash = Annotated[str, Field(pattern=r"\A0x[0-9a-f]{64}\z")]
Attempt = Annotated[int, Field(ge=1, le=ATTEMPTS_MAX)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class _StageModel(_Strict):
    name: Name
    work: Name
    config: dict[str, JsonValue]
    parties: list[PartyId] = Field(max_length=PARTIES_MAX)
    timeout_s: int = Field(ge=1, le=TIMEOUT_S_MAX)


class _RunModel(_Strict):
    id: str = Field(pattern=r"\A0x[0-9a-f]{1,64}\z")
    project: str = Field(pattern=r"\A[!-~]{1,128}\z")
    agreement: Hash
    code: Hash
    parties: list[PartyId] = Field(min_length=1, max_length=PARTIES_MAX)
    stages: list[_StageModel] = Field(min_length=1, max_length=STAGES_MAX)


class _RecordModel(_Strict):
    stage: Name
    party: PartyId
    attempt: Attempt
    status: Status
    result: dict[str, JsonValue]
    reason: str = Field(max_length=REASON_CHARACTERS_MAX)
    blames: str = Field(pattern=r"\A[a-z0-9-]{0,32}\z")
    lost: bool
    duration_ms: int = Field(ge=0, le=2**53 - 1)


_Model = TypeVar("_Model", bound=_Strict)


def run_document(run: Run) -> dict[str, Json]:
    """A run as the JSON object that is hashed and sent."""
    return {
        "id": run.id,
        "project": run.project,
        "agreement": run.agreement,
        "code": run.code,
        "parties": list(run.parties),
        "stages": [
            {
                "name": stage.name,
                "work": stage.work,
                "config": dict(stage.config),
                "parties": list(stage.parties),
                "timeout_s": stage.timeout_s,
            }
            for stage in run.stages
        ],
    }


def write_run(run: Run) -> bytes:
    """A run as canonical JSON (RFC 8785), checked. Raises `RunInvalid`."""
    data = _canonical("run", run_document(run), RUN_BYTES_MAX)
    read_run(data)
    return data


def read_run(data: bytes) -> Run:
    """A run from its JSON. Raises `RunInvalid` for anything malformed or beyond a bound."""
    model = _read("run", _RunModel, data, RUN_BYTES_MAX)
    stages = tuple(
        Stage(one.name, one.work, one.config, tuple(one.parties), one.timeout_s)
        for one in model.stages
    )
    run = Run(model.id, model.project, model.agreement, model.code, tuple(model.parties), stages)
    _check_names(run)
    return run


def check_run(run: Run) -> None:
    """Raises `RunInvalid` where a run that was made here could not be sent."""
    write_run(run)


def run_hash(run: Run) -> str:
    """SHA-256 of the canonical JSON of a run: 0x and 64 hexadecimal digits."""
    return "0x" + hashlib.sha256(write_run(run)).hexdigest()


def conversation_id(run: Run, stage: Stage, attempt: int) -> str:
    """What the channels of one try of one stage are opened for, the same for all parties.

    It differs for each try, so that nothing left over from one can be taken for another.
    """
    words: Json = ["tally/fed/conversation", run_hash(run), stage.name, attempt]
    return "0x" + hashlib.sha256(canonical_json(words)).hexdigest()


def record_document(record: StageRecord) -> dict[str, Json]:
    """A record as a JSON object."""
    return {
        "stage": record.stage,
        "party": record.party,
        "attempt": record.attempt,
        "status": record.status,
        "result": dict(record.result),
        "reason": record.reason,
        "blames": record.blames,
        "lost": record.lost,
        "duration_ms": record.duration_ms,
    }


def write_record(record: StageRecord) -> bytes:
    """A record as canonical JSON, checked. Raises `RunInvalid`."""
    check_result(record.result)
    data = _canonical("record", record_document(record), RECORD_BYTES_MAX)
    read_record(data)
    return data


def read_record(data: bytes) -> StageRecord:
    """A record from its JSON. Raises `RunInvalid`."""
    model = _read("record", _RecordModel, data, RECORD_BYTES_MAX)
    return StageRecord(
        model.stage,
        model.party,
        model.attempt,
        model.status,
        model.result,
        model.reason,
        model.blames,
        model.lost,
        model.duration_ms,
    )


def check_result(result: Mapping[str, Json]) -> None:
    """Raises `RunInvalid` where what a work has answered is no small JSON object."""
    if not isinstance(result, Mapping):
        raise RunInvalid("result", f"an object is meant, not {type(result).__name__}")
    _read_plain("result", _canonical("result", dict(result), RESULT_BYTES_MAX), RESULT_BYTES_MAX)


def _check_names(run: Run) -> None:
    if len(set(run.parties)) != len(run.parties):
        raise RunInvalid("run/parties", "a party is named twice")
    names = [stage.name for stage in run.stages]
    if len(set(names)) != len(names):
        raise RunInvalid("run/stages", "two stages have the same name")
    for stage in run.stages:
        if len(set(stage.parties)) != len(stage.parties):
            raise RunInvalid(f"run/stages/{stage.name}", "a party is named twice")
        if not set(stage.parties) <= set(run.parties):
            raise RunInvalid(f"run/stages/{stage.name}", "a party of it is none of the run")


def _canonical(place: str, value: object, size_bytes_max: int) -> bytes:
    try:
        data = canonical_json(value)
    except CanonicalError as error:
        raise RunInvalid(place, str(error)) from error
    if len(data) > size_bytes_max:
        raise RunInvalid(place, f"{len(data)} bytes, at most {size_bytes_max} are allowed")
    return data


def _read_plain(place: str, data: bytes, size_bytes_max: int) -> object:
    try:
        return parse_json(data, size_bytes_max=size_bytes_max, depth_max=DEPTH_MAX)
    except JsonError as error:
        raise RunInvalid(f"{place}{error.pointer}", error.reason) from error


def _read(place: str, model: type[_Model], data: bytes, size_bytes_max: int) -> _Model:
    value = _read_plain(place, data, size_bytes_max)
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = "/".join([place, *(str(part) for part in first["loc"])])
        raise RunInvalid(where, first["msg"]) from error
