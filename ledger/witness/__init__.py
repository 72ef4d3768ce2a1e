"""Witnesses: members cosign the log's checkpoints, gather each other's, and keep fork evidence."""

from ledger.witness.errors import (
    CheckpointStrange,
    CosignatureInvalid,
    CosignaturesMalformed,
    CosignatureStoreError,
    EvidenceMalformed,
    EvidenceStoreFull,
    LabelInvalid,
    PeerAnswerRefused,
    WitnessError,
)
from ledger.witness.evidence import FILE_SUFFIX, Evidence, EvidenceKind
from ledger.witness.evidence_store import EvidenceStore
from ledger.witness.examining import Finding, Weight, examine
from ledger.witness.gathering import Gatherer, Pace
from ledger.witness.history import (
    FetchPath,
    History,
    HistoryKind,
    compare_history,
    read_consistency,
)
from ledger.witness.lines import COUNT_MAX, decode_cosignatures, encode_cosignatures
from ledger.witness.naming import (
    cosigner_name,
    cosigner_of,
    cosigner_of_text,
    cosigner_verifier,
    cosigner_vkey,
    label_of,
)
from ledger.witness.protocol import PeersProvider, WitnessedLedger
from ledger.witness.store import CosignatureStore
from ledger.witness.types import (
    Cosignature,
    Meeting,
    PeerStatus,
    PeerWitness,
    Relation,
    WitnessStatus,
)
from ledger.witness.witness import Witness

__all__ = [
    "COUNT_MAX",
    "FILE_SUFFIX",
    "CheckpointStrange",
    "Cosignature",
    "CosignatureInvalid",
    "CosignatureStore",
    "CosignatureStoreError",
    "CosignaturesMalformed",
    "Evidence",
    "EvidenceKind",
    "EvidenceMalformed",
    "EvidenceStore",
    "EvidenceStoreFull",
    "FetchPath",
    "Finding",
    "Gatherer",
    "History",
    "HistoryKind",
    "LabelInvalid",
    "Meeting",
    "Pace",
    "PeerAnswerRefused",
    "PeerStatus",
    "PeerWitness",
    "PeersProvider",
    "Relation",
    "Weight",
    "Witness",
    "WitnessError",
    "WitnessStatus",
    "WitnessedLedger",
    "compare_history",
    "cosigner_name",
    "cosigner_of",
    "cosigner_of_text",
    "cosigner_verifier",
    "cosigner_vkey",
    "decode_cosignatures",
    "encode_cosignatures",
    "examine",
    "label_of",
    "read_consistency",
]
