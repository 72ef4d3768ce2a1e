"""What can be wrong with cosignatures, evidence, and those who send them."""

from __future__ import annotations

from ledger.errors import LedgerError


class WitnessError(LedgerError):
    """Base class of what the witness room refuses or cannot do."""


class LabelInvalid(WitnessError):
    """The text cannot be the label of a node."""


class CosignaturesMalformed(WitnessError):
    """The text is not a list of cosignatures."""


class CosignatureInvalid(WitnessError):
    """A cosignature does not verify with the key it is said to be by."""


class CheckpointStrange(WitnessError):
    """The checkpoint is of another log, or no known key has signed it."""


class EvidenceMalformed(WitnessError):
    """The bytes are not a file of fork evidence."""


class EvidenceStoreFull(WitnessError):
    """The folder holds as many files of evidence as are kept."""


class CosignatureStoreError(WitnessError):
    """The cosignatures' file cannot be used: of another log, of another version, or unwritable."""


class PeerAnswerRefused(WitnessError):
    """A peer's answer is too large, too late, or not what was asked for."""
