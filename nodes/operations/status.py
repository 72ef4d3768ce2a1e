"""An observation as JSON: what `/status`, `/peers` and `tally node status` tell."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from nodes.operations.jobs import Job
from nodes.operations.readiness import alerts, unready
from nodes.operations.settings import OperationsSettings
from nodes.operations.types import Finding, Observation, PeerView

EVIDENCE_SHOWN_MAX = 100


def status_body(seen: Observation, bounds: OperationsSettings) -> dict[str, object]:
    """Everything a person wants to know, in one object. Absent parts are null."""
    header = seen.head.header
    return {
        "name": seen.name,
        "version": seen.version,
        "time": moment(seen.taken_at),
        "chainId": seen.chain_id,
        "origin": seen.origin,
        "ready": not unready(seen, bounds),
        "reasons": findings(unready(seen, bounds)),
        "alerts": findings(alerts(seen, bounds)),
        "head": {
            "number": header.number,
            "hash": f"0x{seen.head.hash.hex()}",
            "time": moment(header.timestamp),
        },
        "log": {"size": seen.log_size, "root": seen.log_root.hex()},
        "consensus": {
            "state": seen.driver.state.value,
            "error": seen.driver.error,
            "engine": _engine(seen),
        },
        "membership": _membership(seen),
        "mempool": {
            "pending": seen.mempool.pending,
            "queued": seen.mempool.queued,
            "bytes": seen.mempool.size_bytes,
            "paused": seen.mempool.paused,
        },
        "refusals": dict(sorted(seen.refusals.items())),
        "projection": {
            "state": seen.projection.state.value,
            "blockNumber": seen.projection.block_number,
            "behind": seen.projection.behind,
            "error": seen.projection.error,
        },
        "capture": seen.capture
        and {
            "running": seen.capture.running,
            "waitingJobs": seen.capture.waiting_jobs,
            "waitingBytes": seen.capture.waiting_bytes,
        },
        "witness": _witness(seen),
        "forks": [
            {
                "id": one.id,
                "found": moment(one.found_at),
                "signer": one.signer,
                "summary": one.summary,
            }
            for one in seen.evidence[:EVIDENCE_SHOWN_MAX]
        ],
        "snapshots": [
            {"height": one.height, "made": moment(one.made_at), "bytes": one.size_bytes}
            for one in seen.snapshots
        ],
        "disk": [
            {
                "part": part.name,
                "usedBytes": part.used_bytes,
                "freeBytes": part.free_bytes,
                "totalBytes": part.total_bytes,
                "complete": part.complete,
            }
            for part in seen.disk
        ],
    }


def ready_body(reasons: Sequence[Finding]) -> dict[str, object]:
    """The answer of `/health/ready`."""
    return {"ready": not reasons, "reasons": findings(reasons)}


def peers_body(seen: Observation) -> dict[str, object]:
    """The answer of `/peers`; null where this node has no engine and so no peers."""
    if seen.engine is None:
        return {"peers": None}
    return {"height": seen.engine.height, "peers": [_peer(peer) for peer in seen.engine.peers]}


def job_body(job: Job) -> dict[str, object]:
    """A backup or snapshot that is being made or was made."""
    return {
        "id": job.id,
        "kind": job.kind,
        "state": job.state.value,
        "started": moment(job.started_at),
        "ended": None if job.ended_at is None else moment(job.ended_at),
        "done": job.done,
        "total": job.total,
        "result": dict(job.result),
        "error": job.error,
    }


def findings(found: Sequence[Finding]) -> list[dict[str, str]]:
    """Code and text of each."""
    return [{"code": one.code, "text": one.text} for one in found]


def moment(posix_s: float) -> str:
    """UTC, RFC 3339, whole seconds."""
    return datetime.fromtimestamp(posix_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _engine(seen: Observation) -> dict[str, object] | None:
    engine = seen.engine
    if engine is None:
        return None
    return {
        "up": engine.up,
        "height": engine.height,
        "heightLag": engine.height_lag,
        "syncing": engine.syncing,
        "restarts": engine.restarts,
        "peers": len(engine.peers),
        "misbehaviour": [
            {
                "validator": one.validator,
                "organisation": one.organisation,
                "kind": one.kind,
                "height": one.height,
                "time": moment(one.at),
            }
            for one in engine.misbehaviour[-EVIDENCE_SHOWN_MAX:]
        ],
    }


def _membership(seen: Observation) -> dict[str, object] | None:
    membership = seen.membership
    if membership is None:
        return None
    return {
        "nodes": membership.nodes,
        "validators": membership.validators,
        "powerTotal": membership.power_total,
        "ownPower": membership.own_power,
        "standing": membership.standing or "active",
    }


def _witness(seen: Observation) -> dict[str, object] | None:
    witness = seen.witness
    if witness is None:
        return None
    return {
        "size": witness.size,
        "threshold": witness.threshold,
        "expected": list(witness.expected),
        "missing": list(witness.missing),
        "unreachable": list(witness.unreachable),
        "witnessedSize": witness.witnessed_size,
    }


def _peer(peer: PeerView) -> dict[str, object]:
    return {
        "id": peer.id,
        "address": peer.address,
        "label": peer.label,
        "organisation": peer.organisation,
        "height": peer.height,
        "outbound": peer.outbound,
        "connectedSeconds": int(peer.connected_s),
    }
