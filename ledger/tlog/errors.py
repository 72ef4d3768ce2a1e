"""What can be wrong with a log, its proofs and its signatures."""

from __future__ import annotations

from ledger.errors import LedgerError


class TlogError(LedgerError):
    """Base class of everything the transparency log refuses."""


class InclusionError(TlogError):
    """The inclusion proof does not lead from the leaf to the root."""


class ConsistencyError(TlogError):
    """The consistency proof does not show that one tree begins with the other."""


class TileMissing(TlogError):
    """A tile that the tree needs is not stored, or is narrower than the tree needs."""


class EntryMalformed(TlogError):
    """A log entry, or a bundle of entries, is not in its format."""


class NoteMalformed(TlogError):
    """The text is not a signed note, or the key is not a verifier key."""


class SignatureInvalid(TlogError):
    """A signature that claims to be by a known key does not verify."""


class CheckpointMalformed(TlogError):
    """The note's text is not a checkpoint."""


class OriginMismatch(TlogError):
    """The checkpoint is of another log."""


class ThresholdNotMet(TlogError):
    """Keys of fewer known members have signed than are required."""

    def __init__(self, signed: int, threshold: int, known: int) -> None:
        super().__init__(f"{signed} of {known} known members have signed, {threshold} are required")
        self.signed = signed
        self.threshold = threshold


class ProofMalformed(TlogError):
    """The text is not a tlog-proof."""


class RotationInvalid(TlogError):
    """A statement about a log's next key is malformed, or not signed by both keys."""
