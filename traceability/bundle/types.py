"""The words of a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.provenance import Visibility
from ledger.types import Address, Hash32


class Outcome(StrEnum):
    """Of a step, and of the whole check."""

    VALID = "valid"
    INVALID = "invalid"
    """Something is false: altered, exchanged, or not what it says."""
    UNKNOWN = "unknown"
    """Nothing is false, but the trust to decide with is not at hand."""
    NOT_CHECKED = "not-checked"
    """Not looked at: an earlier step failed, or the format is not known here."""


class StepName(StrEnum):
    """The steps of docs/proof-format.md, section 5, in order."""

    FORMAT = "format"
    EVENT = "event"
    BATCH = "batch"
    LEAF = "leaf"
    INCLUSION = "inclusion"
    CHECKPOINT = "checkpoint"


@dataclass(frozen=True, slots=True)
class Step:
    """How one step went."""

    name: StepName
    outcome: Outcome
    reason: str
    """In plain words; says what was found, also where all is well."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What the bundle says about the event. To be believed only under the verdict `valid`."""

    event_id: str
    organisation: str
    """Id of the organisation that anchored the event."""
    submitter: Address
    """Account or device that sent the transaction."""
    visibility: Visibility
    block_number: int
    record_time: datetime
    """Block time, UTC."""
    transaction_hash: Hash32
    origin: str
    """Which log."""
    leaf_index: int
    tree_size: int
    signers: tuple[str, ...]
    """Names of the trusted keys that signed the checkpoint."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of `verify_bundle`."""

    outcome: Outcome
    steps: tuple[Step, ...]
    """All six, in order."""
    statement: Statement | None
    """None where a step failed."""

    @property
    def reason(self) -> str:
        """The reason of the step that decided."""
        reasons = [step.reason for step in self.steps if step.outcome is self.outcome]
        return reasons[0 if self.outcome is Outcome.NOT_CHECKED else -1]
