"""The words of the provenance instrument."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from ledger.types import Address, Hash32

COUNT_MAX = 10_000
"""Most events in one batch."""
PROVENANCE_NAME = "provenance"
"""The contract's name in the directory. Its versions all write the same event."""


class Visibility(IntEnum):
    """Who may read the events of a batch; the numbers are the contract's."""

    PUBLIC = 0
    """The payload is in the calldata, readable by all."""
    CONSORTIUM = 1
    """The payload is encrypted to members, or held elsewhere."""
    CONFIDENTIAL = 2
    """The ledger holds the commitment alone."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """One call of `Provenance.anchor`."""

    root: Hash32
    """Root of the batch tree."""
    count: int
    """Events in the batch, as the caller says."""
    visibility: Visibility
    payload: bytes


@dataclass(frozen=True, slots=True)
class BatchAnchored:
    """The contract's one event."""

    root: Hash32
    organisation: str
    """Id of the organisation in whose name the batch stands."""
    submitter: Address
    """Account or device that sent the transaction."""
    count: int
    visibility: Visibility


@dataclass(frozen=True, slots=True)
class AnchoredBatch:
    """What the contract remembers of a batch."""

    submitter: Address
    time: int
    """Block time, seconds since 1970."""
    count: int
    visibility: Visibility
