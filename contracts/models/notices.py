"""What the parties of a project are told: of all its acts, on the project's record.

Runs, releases, batches and payments live within their project, whose parties see all of it: the
notice's record is the project, its body names the other one. A data set's acts are told to its
owner, and those of its grants to the project.
"""

from __future__ import annotations

from typing import Final

from contracts.instruments.notices import Json, Notice, as_json, organisations
from contracts.models.decoding import decode_log, decode_releases_log, decode_runs_log
from contracts.models.events import (
    BudgetUsed,
    CallsCounted,
    CallsDisputed,
    ContributionActed,
    DataSetActed,
    DueChanged,
    FaultRecorded,
    GrantActed,
    PaymentActed,
    ProjectActed,
    ReleaseActed,
    RoundRecorded,
    RunActed,
)
from ledger.types import Hash32, Log

ENDED: Final = frozenset({"refused", "withdrawn"})
"""States of projects after which nothing happens to anything of them."""


def notices(log: Log) -> tuple[Notice, ...]:
    """`model-project.<act>`, `model-data.<act>`, `model-grant.<act>`. Raises `LogError`."""
    match decode_log(log):
        case ProjectActed() as event:
            parties = organisations(*(party.organisation for party in event.project.parties))
            body = _body(event.by, event.act, event.state, event.revision, event.remark)
            body |= {"record": as_json(event.project), "digest": as_json(event.digest)}
            ended = event.state in ENDED
            kind = f"model-project.{event.act}"
            by = organisations(event.by)
            return (Notice(kind, _hex(event.id), parties, body, by=tuple(by), final=ended),)
        case DataSetActed() as event:
            body = _body(event.by, event.act, event.state, event.revision, event.remark)
            body |= {"record": as_json(event.data_set)}
            owner = organisations(event.data_set.owner)
            return (Notice(f"model-data.{event.act}", _hex(event.id), owner, body),)
        case GrantActed() as event:
            body = _body(event.by, event.act, event.state, event.revision, event.remark)
            body |= {"id": _hex(event.id), "record": as_json(event.grant)}
            return (_to_parties(f"model-grant.{event.act}", event.project, body),)


def run_notices(log: Log) -> tuple[Notice, ...]:
    """`model-run.<act>`; nothing of the budget, which a run's own acts say. Raises `LogError`."""
    match decode_runs_log(log):
        case RunActed() as event:
            body = _body(event.by, event.act, event.state, event.revision, event.remark)
            body |= {"id": _hex(event.id), "record": as_json(event.run)}
            return (_to_parties(f"model-run.{event.act}", event.project, body),)
        case RoundRecorded() as event:
            body = {
                "id": _hex(event.id),
                "by": event.by,
                "act": "round",
                "revision": event.revision,
                "record": as_json(event.round),
                "spent": as_json(event.spent),
            }
            return (_to_parties("model-run.round", event.project, body),)
        case FaultRecorded() as event:
            body = {
                "id": _hex(event.id),
                "by": event.by,
                "act": "fault",
                "revision": event.revision,
                "number": event.number,
                "record": as_json(event.fault),
                "remark": event.remark,
            }
            return (_to_parties("model-run.fault", event.project, body),)
        case BudgetUsed():
            return ()


def release_notices(log: Log) -> tuple[Notice, ...]:
    """`model-release.<act>`, `model-calls.counted`, `model-due.changed` … Raises `LogError`."""
    match decode_releases_log(log):
        case ReleaseActed() as event:
            body = _body(event.by, event.act, event.state, event.revision, event.remark)
            body |= {"id": _hex(event.id), "record": as_json(event.release)}
            return (_to_parties(f"model-release.{event.act}", event.project, body),)
        case ContributionActed() as event:
            body = {
                "id": _hex(event.id),
                "by": event.by,
                "act": event.act,
                "revision": event.revision,
                "agreed": as_json(event.agreed),
                "proposed": as_json(event.proposed),
                "digest": as_json(event.digest),
                "remark": event.remark,
            }
            return (_to_parties(f"model-release.{event.act}", event.project, body),)
        case CallsCounted() as event:
            amounts: list[Json] = [str(one) for one in event.amounts]
            body = {
                "id": _hex(event.id),
                "by": event.batch.asker,
                "release": _hex(event.release),
                "record": as_json(event.batch),
                "amounts": amounts,
                "remark": event.remark,
            }
            return (_to_parties("model-calls.counted", event.project, body),)
        case CallsDisputed() as event:
            body = {
                "id": _hex(event.id),
                "by": event.by,
                "revision": event.revision,
                "count": event.count,
                "evidence": as_json(event.evidence),
                "remark": event.remark,
            }
            return (_to_parties("model-calls.disputed", event.project, body),)
        case DueChanged() as event:
            body = {
                "payer": event.payer,
                "payee": event.payee,
                "currency": event.currency,
                "record": as_json(event.due),
                "cause": _hex(event.cause),
            }
            return (_to_parties("model-due.changed", event.project, body),)
        case PaymentActed() as event:
            body = _body(event.by, event.act, event.state, event.revision, event.remark)
            body |= {"id": _hex(event.id), "record": as_json(event.payment)}
            return (_to_parties(f"model-payment.{event.act}", event.project, body),)


def _body(by: str, act: str, state: str, revision: int, remark: str) -> dict[str, Json]:
    return {"by": by, "act": act, "state": state, "revision": revision, "remark": remark}


def _to_parties(kind: str, project: Hash32, body: dict[str, Json]) -> Notice:
    """To those who are parties to the project."""
    return Notice(kind, _hex(project), None, body)


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"
