"""Checking a proof bundle: pure, offline, step by step (docs/proof-format.md, section 5)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256

from contracts.errors import ContractError
from contracts.provenance import BatchAnchored, batch_leaf, decode_log
from ledger.tlog import (
    Checkpoint,
    EventLeaf,
    InclusionError,
    Note,
    ThresholdNotMet,
    TlogError,
    TlogProof,
    decode_leaf,
    identity_of,
    leaf_hash,
    require_threshold,
    root_from_inclusion,
)
from ledger.types import Log
from traceability.bundle.bundle import Bundle, log_origin
from traceability.bundle.errors import BundleFormatUnknown, BundleMalformed
from traceability.bundle.trust import Trust
from traceability.bundle.types import Outcome, Statement, Step, StepName, Verdict
from traceability.epcis import event_id
from traceability.errors import TraceabilityError


class _Failed(Exception):
    """A step found something false."""


class _Undecided(Exception):
    """A step found nothing false, but lacks the trust to decide."""


class _NotKnown(Exception):
    """A step met a format that this program does not know."""


_OUTCOMES = {_Failed: Outcome.INVALID, _Undecided: Outcome.UNKNOWN, _NotKnown: Outcome.NOT_CHECKED}
_SKIPPED = "not looked at: an earlier step did not pass"


@dataclass(slots=True)
class _Check:
    """One check under way: what is given, and what the steps so far have found."""

    data: bytes
    trust: Trust | None
    applies: bool = False
    """Whether there is trust and it is about the log that the bundle says it comes from."""
    bundle: Bundle = field(init=False)
    batch_root: bytes = field(init=False)
    leaf: EventLeaf = field(init=False)
    anchored: BatchAnchored = field(init=False)
    proof: TlogProof = field(init=False)
    note: Note = field(init=False)
    checkpoint: Checkpoint = field(init=False)
    signers: tuple[str, ...] = ()


def verify_bundle(data: bytes, trust: Trust | None) -> Verdict:
    """Check a bundle's bytes against what is trusted about its log.

    Pure: no storage, no network, no clock. `trust` is None where nothing is known of the log;
    the best verdict is then `unknown`. Never raises, whatever `data` holds.
    """
    check = _Check(data, trust)
    steps: list[Step] = []
    for name, take in _STEPS:
        if any(step.outcome in (Outcome.INVALID, Outcome.NOT_CHECKED) for step in steps):
            steps.append(Step(name, Outcome.NOT_CHECKED, _SKIPPED))
        else:
            steps.append(_taken(name, take, check))
    outcome = _outcome(steps)
    passed = outcome in (Outcome.VALID, Outcome.UNKNOWN)
    return Verdict(outcome, tuple(steps), _statement(check) if passed else None)


def _taken(name: StepName, take: Callable[[_Check], str], check: _Check) -> Step:
    try:
        return Step(name, Outcome.VALID, take(check))
    except (_Failed, _Undecided, _NotKnown) as stopped:
        return Step(name, _OUTCOMES[type(stopped)], str(stopped))


def _outcome(steps: Sequence[Step]) -> Outcome:
    found = {step.outcome for step in steps}
    worst = (Outcome.INVALID, Outcome.NOT_CHECKED, Outcome.UNKNOWN)
    return next((outcome for outcome in worst if outcome in found), Outcome.VALID)


def _format(check: _Check) -> str:
    try:
        check.bundle = Bundle.decode(check.data)
    except BundleFormatUnknown as error:
        raise _NotKnown(f"the bundle is of another version: {error}") from None
    except BundleMalformed as error:
        raise _Failed(str(error)) from None
    origin = log_origin(check.bundle)
    check.applies = check.trust is not None and check.trust.origin == origin
    return "the file is a proof bundle, in its one right spelling"


def _event(check: _Check) -> str:
    event = json.loads(check.bundle.event)
    if "recordTime" in event:
        raise _Failed("the event claims a recordTime of its own, which only the log can tell")
    try:
        found = event_id(event)
    except _HASHING_ERRORS as error:
        raise _Failed(f"the event has no hash id: {type(error).__name__}: {error}") from None
    if found != check.bundle.event_id:
        raise _Failed(f"the event's hash id is {found}, the bundle is about {_short(check)}")
    return "the event's content gives its event id"


_HASHING_ERRORS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TraceabilityError,
    TypeError,
    ValueError,
)
"""Hashing takes valid events for granted; what is no valid event fails in one of these ways."""


def _short(check: _Check) -> str:
    return repr(check.bundle.event_id[:120])


def _batch(check: _Check) -> str:
    bundle = check.bundle
    place = bundle.batch
    leaf = batch_leaf(bundle.event_id, sha256(bundle.event).hexdigest())
    try:
        check.batch_root = root_from_inclusion(
            leaf_hash(leaf), place.index, place.count, place.path
        )
    except InclusionError as error:
        raise _Failed(f"the batch's path: {error}") from None
    return f"the event is number {place.index + 1} of a batch of {place.count}"


def _leaf(check: _Check) -> str:
    try:
        leaf = decode_leaf(check.bundle.leaf)
    except TlogError as error:
        raise _Failed(str(error)) from None
    if not isinstance(leaf, EventLeaf):
        raise _Failed("the log leaf is not about a contract event")
    try:
        anchored = decode_log(Log(leaf.address, leaf.topics, leaf.data))
    except ContractError as error:
        raise _Failed(f"the log leaf anchors no batch: {error}") from None
    if (leaf.data, leaf.topics[3]) != _written(anchored):
        raise _Failed("the log leaf is not written as the contract writes it")
    if anchored.root != check.batch_root:
        raise _Failed("the log leaf anchors another batch than the one the event belongs to")
    if anchored.count != check.bundle.batch.count:
        raise _Failed(f"the log leaf anchors {anchored.count} events, not {_count(check)}")
    if leaf.block_time > _TIME_MAX:
        raise _Failed("the log leaf's block time is after the year 9999")
    check.leaf, check.anchored = leaf, anchored
    if check.trust is None or not check.applies:
        raise _Undecided("the batch is anchored, but which contract to believe is not known")
    believed_from = check.trust.believed_from(leaf.address)
    if believed_from is None:
        raise _Failed(
            f"the contract 0x{leaf.address.hex()} is none that the trust file names as Provenance: "
            "either the proof is false, or the members have voted a new version since: take over "
            "what the log proves of it (tally network update)"
        )
    if leaf.block_number < believed_from:
        raise _Failed(
            f"the contract 0x{leaf.address.hex()} is believed from block {believed_from} on, where "
            f"the members named it; this is of block {leaf.block_number}"
        )
    return f"the batch was anchored by {anchored.organisation} in block {leaf.block_number}"


def _written(anchored: BatchAnchored) -> tuple[bytes, bytes]:
    """The one ABI encoding: data, and the topic of the submitter. Reading alone is lenient."""
    words = (anchored.count, int(anchored.visibility))
    return b"".join(word.to_bytes(32, "big") for word in words), anchored.submitter.rjust(32, b"\0")


_TIME_MAX = 253_402_300_799


def _count(check: _Check) -> int:
    return check.bundle.batch.count


def _inclusion(check: _Check) -> str:
    try:
        proof = TlogProof.decode(check.bundle.proof)
        if proof.extra is not None:
            raise _Failed("the log proof has extra data, which nothing signs")
        note = Note.decode(proof.checkpoint_note)
        checkpoint = proof.verify(leaf_hash(check.bundle.leaf))
    except TlogError as error:
        raise _Failed(f"the log proof: {error}") from None
    check.proof, check.note, check.checkpoint = proof, note, checkpoint
    return f"the leaf is number {proof.index + 1} of {checkpoint.size} in the log"


def _checkpoint(check: _Check) -> str:
    trust, origin = check.trust, check.checkpoint.origin
    if trust is None:
        raise _Undecided(f"no trusted key of the log {origin!r} is at hand")
    if not check.applies:
        raise _Undecided(f"the log is {origin!r}; what is trusted is about {trust.origin!r}")
    try:
        signed = require_threshold(check.note, trust.keys, trust.threshold)
    except ThresholdNotMet as error:
        raise _Undecided(f"the checkpoint of {origin!r}: {error}") from None
    except TlogError as error:
        raise _Failed(f"the checkpoint of {origin!r}: {error}") from None
    check.signers = tuple(key.name for key in signed)
    members = trust.members
    count = members.among(identity_of(key) for key in signed)
    return f"{count} of {members.count} members have signed, {trust.threshold} must"


def _statement(check: _Check) -> Statement:
    leaf, anchored = check.leaf, check.anchored
    return Statement(
        event_id=check.bundle.event_id,
        organisation=anchored.organisation,
        submitter=anchored.submitter,
        visibility=anchored.visibility,
        block_number=leaf.block_number,
        record_time=datetime.fromtimestamp(leaf.block_time, UTC),
        transaction_hash=leaf.transaction_hash,
        origin=check.checkpoint.origin,
        leaf_index=check.proof.index,
        tree_size=check.checkpoint.size,
        signers=check.signers,
    )


_STEPS: tuple[tuple[StepName, Callable[[_Check], str]], ...] = (
    (StepName.FORMAT, _format),
    (StepName.EVENT, _event),
    (StepName.BATCH, _batch),
    (StepName.LEAF, _leaf),
    (StepName.INCLUSION, _inclusion),
    (StepName.CHECKPOINT, _checkpoint),
)
