"""Who is named where a stage was not done by all.

One party's trouble ends the stage of the others: they lose it, close their channels, and so are
lost themselves. Hence who was merely lost is at fault only where nothing else explains it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from federation.runs.types import Fault, Stage, StageRecord, Status

_SILENT = "it gave no answer in time"
_INTERRUPTED = "another party had ended the stage"


def unanswered(
    stage: Stage, attempt: int, parties: Sequence[str], answers: Mapping[str, StageRecord]
) -> list[StageRecord]:
    """Records for the parties that gave no answer: silent or, if others explain it, interrupted."""
    failed = [one for one in answers.values() if one.status != "done"]
    lost = {one.blames for one in failed if one.lost}
    blamed = {one.blames for one in failed if one.blames and not one.lost}
    explained = any(not one.lost for one in failed)
    records = []
    for party in parties:
        if party in answers:
            continue
        silent = party in blamed or (not explained and (party in lost or not failed))
        status: Status = "silent" if silent else "interrupted"
        reason = _SILENT if silent else _INTERRUPTED
        records.append(StageRecord(stage.name, party, attempt, status, reason=reason))
    return records


def faults_of(records: Sequence[StageRecord]) -> tuple[Fault, ...]:
    """Each party that is at fault once, in the order of the records; at least one if not all are
    done.

    What a party says of itself goes before what the others say of it.
    """
    victims = {one.party for one in records if _is_victim(one, records)}
    return _named(records, victims) or _named(records, set())


def _named(records: Sequence[StageRecord], victims: set[str]) -> tuple[Fault, ...]:
    found = (_fault(one, records, victims) for one in records)
    return tuple(fault for fault in found if fault is not None)


def _is_victim(record: StageRecord, records: Sequence[StageRecord]) -> bool:
    """Whether a party had ended because of another, by what it says itself."""
    if record.status == "interrupted":
        return True
    return record.status == "failed" and _blames_another(record, records)


def _blames_another(record: StageRecord, records: Sequence[StageRecord]) -> bool:
    return record.blames != record.party and any(one.party == record.blames for one in records)


def _accusers(party: str, records: Sequence[StageRecord], victims: set[str]) -> list[StageRecord]:
    """The records that blame a party; those that merely lost it only if it is no victim."""
    return [
        one
        for one in records
        if (one.status, one.blames) == ("failed", party)
        and one.party != party
        and not (one.lost and party in victims)
    ]


def _fault(record: StageRecord, records: Sequence[StageRecord], victims: set[str]) -> Fault | None:
    accusers = _accusers(record.party, records, victims)
    said_by = tuple(one.party for one in accusers)
    if record.status == "refused":
        return Fault(record.party, record.stage, "refused", record.reason, said_by)
    if record.status == "silent":
        return Fault(record.party, record.stage, "silent", record.reason, said_by)
    if record.status == "failed" and not _blames_another(record, records):
        return Fault(record.party, record.stage, "failed", record.reason, said_by)
    if accusers:
        return Fault(record.party, record.stage, "accused", accusers[0].reason, said_by)
    return None


def reason_of(stage: Stage, faults: Sequence[Fault]) -> str:
    """Why a run stopped, in words for people."""
    named = "; ".join(f"{one.party} {_WORDS[one.kind]}: {one.reason}" for one in faults)
    return f"stage {stage.name} was not done: {named}"


_WORDS = {
    "refused": "refused",
    "failed": "failed",
    "silent": "is silent",
    "accused": "is at fault, others say",
}
