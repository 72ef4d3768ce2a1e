"""Calls and logs of the Provenance contract, and its place in genesis."""

from __future__ import annotations

from typing import Final

from contracts.abi import EventKind, Function
from contracts.artifact import load_artifact
from contracts.consortium.ids import organisation_id_text, organisation_id_word
from contracts.errors import CalldataError, CalldataValueError, LogError, OrganisationIdError
from contracts.genesis import CONSORTIUM_ADDRESS, AllocEntry, alloc
from contracts.provenance.types import COUNT_MAX, Anchor, AnchoredBatch, BatchAnchored, Visibility
from ledger.types import Address, Hash32, Log

PROVENANCE_ARTIFACT: Final = load_artifact("contracts.provenance", "Provenance")
_ANCHOR: Final = Function.of(PROVENANCE_ARTIFACT, "anchor")
_BATCH: Final = Function.of(PROVENANCE_ARTIFACT, "batch")
_BATCH_ANCHORED: Final = EventKind.of(PROVENANCE_ARTIFACT, "BatchAnchored")

BATCH_ANCHORED_TOPIC: Final = _BATCH_ANCHORED.topic
"""`topics[0]` of the event."""


def genesis_account(consortium: Address = CONSORTIUM_ADDRESS) -> AllocEntry:
    """The `alloc` entry of the contract, gated by the Consortium contract at `consortium`."""
    return alloc(PROVENANCE_ARTIFACT.runtime(consortium.rjust(32, b"\0")), {})


def anchor_calldata(root: bytes, count: int, visibility: Visibility, payload: bytes = b"") -> bytes:
    """Calldata of `anchor`, for a batch that the contract would take.

    Raises `CalldataValueError` for what the contract refuses whoever sends it: zero root, count
    outside 1 to 10,000, a public batch without payload, a confidential one with payload.
    """
    if len(root) != 32 or not any(root):
        raise CalldataValueError("anchor: the root is 32 bytes and not zero")
    if not 1 <= count <= COUNT_MAX:
        raise CalldataValueError(f"anchor: count {count} is not within 1 to {COUNT_MAX}")
    if visibility is Visibility.PUBLIC and not payload:
        raise CalldataValueError("anchor: a public batch carries its payload")
    if visibility is Visibility.CONFIDENTIAL and payload:
        raise CalldataValueError("anchor: a confidential batch carries no payload")
    return _ANCHOR.calldata(root, count, int(visibility), payload)


def decode_anchor(calldata: bytes) -> Anchor:
    """What the contract reads in a call of `anchor`.

    Says nothing about whether the call succeeded: that is in the log. A log need not come from
    such calldata (an account with EIP-7702 code may call from inside), so compare the roots.
    Raises `CalldataError` where the bytes are no such call.
    """
    root, count, visibility, payload = _ANCHOR.arguments(calldata)
    try:
        return Anchor(Hash32(root), count, Visibility(visibility), payload)
    except ValueError as error:
        raise CalldataError(f"anchor: visibility {visibility} is unknown") from error


def decode_log(log: Log) -> BatchAnchored:
    """The event in a log of the contract. Raises `LogError` where it is not `BatchAnchored`."""
    values = _BATCH_ANCHORED.values(log)
    try:
        return BatchAnchored(
            root=Hash32(values["root"]),
            organisation=organisation_id_text(values["organisation"]),
            submitter=Address(bytes.fromhex(values["submitter"][2:])),
            count=values["count"],
            visibility=Visibility(values["visibility"]),
        )
    except (OrganisationIdError, ValueError) as error:
        raise LogError(f"BatchAnchored: {error}") from error


def batch_calldata(organisation: str, root: bytes) -> bytes:
    """Calldata of `batch`, to be called, not sent."""
    return _BATCH.calldata(organisation_id_word(organisation), root)


def decode_batch(output: bytes) -> AnchoredBatch | None:
    """Answer of `batch`; None where there is no such batch. Raises `CalldataError`."""
    ((submitter, time, count, visibility),) = _BATCH.result(output)
    if not int(submitter, 16):
        return None
    try:
        kind = Visibility(visibility)
    except ValueError as error:
        raise CalldataError(f"result of batch: visibility {visibility} is unknown") from error
    return AnchoredBatch(Address(bytes.fromhex(submitter[2:])), time, count, kind)
