"""Judging an observation: is the node ready to serve, and what must its operator know?

Fork evidence is an alert and no reason to be unready: a single member that signs two histories
could otherwise take every honest node out of service.
"""

from __future__ import annotations

from collections.abc import Iterator

from ledger.consensus import DriverState
from ledger.projection import ProjectorState
from nodes.operations.settings import MIB, OperationsSettings
from nodes.operations.types import Finding, Observation

MISBEHAVIOUR_TOLD_MAX = 10
REASONS = ("driver", "projection", "disk", "membership", "engine", "peers", "capture")
"""Codes of `unready`, in the order in which they are told."""


def unready(seen: Observation, bounds: OperationsSettings) -> tuple[Finding, ...]:
    """Why the node must not be given work; empty where it is ready."""
    return (
        *_driver(seen),
        *_projection(seen, bounds),
        *_disk(seen, bounds),
        *_membership(seen),
        *_engine(seen, bounds),
        *_capture(seen),
    )


def alerts(seen: Observation, bounds: OperationsSettings) -> tuple[Finding, ...]:
    """What its operator must look at, ready or not: fork evidence first."""
    return (
        *_evidence(seen),
        *_misbehaviour(seen),
        *unready(seen, bounds),
        *_witness(seen),
        *_trust(seen),
        *seen.unanswered,
    )


def _driver(seen: Observation) -> Iterator[Finding]:
    state = seen.driver.state
    if state is not DriverState.RUNNING:
        why = f": {seen.driver.error}" if seen.driver.error else ""
        word = "halted for good" if seen.driver.halted else state.value
        yield Finding("driver", f"consensus is {word}{why}")
    elif seen.mempool.paused is not None:
        yield Finding("driver", f"transactions are refused: {seen.mempool.paused}")


def _projection(seen: Observation, bounds: OperationsSettings) -> Iterator[Finding]:
    projection = seen.projection
    if projection.state is not ProjectorState.FOLLOWING:
        why = f": {projection.error}" if projection.error else ""
        yield Finding("projection", f"the projection is {projection.state.value}{why}")
    elif projection.behind > bounds.projection_lag_blocks_max:
        yield Finding(
            "projection",
            f"the projection is {projection.behind} blocks behind, "
            f"more than {bounds.projection_lag_blocks_max}",
        )


def _disk(seen: Observation, bounds: OperationsSettings) -> Iterator[Finding]:
    least = bounds.disk_free_mib_min
    short = [part for part in seen.disk if part.free_bytes < least * MIB]
    if short:
        fullest = min(short, key=lambda part: part.free_bytes)
        names = ", ".join(part.name for part in short)
        yield Finding(
            "disk",
            f"{fullest.free_bytes // MIB} MiB are left for {names}, less than {least} MiB",
        )


def _membership(seen: Observation) -> Iterator[Finding]:
    if seen.membership is not None and seen.membership.standing:
        yield Finding("membership", seen.membership.standing)


def _engine(seen: Observation, bounds: OperationsSettings) -> Iterator[Finding]:
    if any(silent.code == "engine" for silent in seen.unanswered):
        yield Finding("engine", "the consensus engine does not answer")
    engine = seen.engine
    if engine is None:
        return
    if not engine.up:
        yield Finding("engine", "the consensus engine does not run")
        return
    if engine.syncing:
        yield Finding("engine", "the node is still fetching blocks")
    elif engine.height_lag > bounds.height_lag_max:
        yield Finding(
            "engine",
            f"{engine.height_lag} heights behind its peers, more than {bounds.height_lag_max}",
        )
    others = seen.membership.nodes - 1 if seen.membership else 0
    wanted = min(bounds.peers_min, max(0, others))
    let_go = seen.membership is not None and seen.membership.standing  # then that is the reason
    if len(engine.peers) < wanted and not let_go:
        yield Finding("peers", f"connected with {len(engine.peers)} nodes, fewer than {wanted}")


def _capture(seen: Observation) -> Iterator[Finding]:
    if seen.capture is not None and not seen.capture.running:
        yield Finding("capture", "the capture service does not run")


def _evidence(seen: Observation) -> Iterator[Finding]:
    for one in seen.evidence:
        yield Finding("fork", f"{one.signer} signed two histories: {one.summary} ({one.id})")


def _misbehaviour(seen: Observation) -> Iterator[Finding]:
    for one in (seen.engine.misbehaviour if seen.engine else ())[-MISBEHAVIOUR_TOLD_MAX:]:
        whose = one.organisation or "nobody any more"
        yield Finding(
            "misbehaviour",
            f"validator {one.validator} of {whose} {one.kind} at consensus height {one.height}: "
            "its key is in two places, or its owner is at fault",
        )


def _witness(seen: Observation) -> Iterator[Finding]:
    witness = seen.witness
    if witness is None or not witness.missing:
        return
    got = len(witness.expected) - len(witness.missing)
    names = ", ".join(witness.missing)
    text = f"{got} of {len(witness.expected)} cosignatures at size {witness.size}; missing: {names}"
    if witness.witnessed_size < witness.size:
        text += f"; {witness.threshold} are asked for"
    yield Finding("cosignatures", text)


def _trust(seen: Observation) -> Iterator[Finding]:
    if seen.membership is not None and seen.membership.trust_drift:
        yield Finding(
            "trust",
            f"trust.json does not follow the ledger: {seen.membership.trust_drift}; "
            "`tally network trust DIR` adds what is missing, and the next start serves it",
        )
