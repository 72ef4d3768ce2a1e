"""Proof bundles: one JSON file that anybody checks offline. Build, verify; the trust file."""

from __future__ import annotations

from traceability.bundle.building import build_bundle, choose_checkpoint
from traceability.bundle.bundle import BUNDLE_SIZE_BYTES_MAX, FILE_SUFFIX, BatchPlace, Bundle
from traceability.bundle.errors import (
    BundleError,
    BundleFormatUnknown,
    BundleMalformed,
    NotProvableYet,
    TrustConflict,
    TrustMalformed,
    VersionsUnproven,
)
from traceability.bundle.protocol import LedgerView, LogView
from traceability.bundle.seen import SeenHistory, SeenStore, checkpoint_note
from traceability.bundle.store import TrustStore, known_trust, trust_directory
from traceability.bundle.succession import (
    VersionRecord,
    VersionRecords,
    prove_versions,
    proven_versions,
    versions_of,
)
from traceability.bundle.trust import GenesisPin, Trust
from traceability.bundle.types import Outcome, Statement, Step, StepName, Verdict
from traceability.bundle.verification import verify_bundle
from traceability.bundle.versions import VERSIONS_MAX, ProvenanceVersion

__all__ = [
    "BUNDLE_SIZE_BYTES_MAX",
    "FILE_SUFFIX",
    "VERSIONS_MAX",
    "BatchPlace",
    "Bundle",
    "BundleError",
    "BundleFormatUnknown",
    "BundleMalformed",
    "GenesisPin",
    "LedgerView",
    "LogView",
    "NotProvableYet",
    "Outcome",
    "ProvenanceVersion",
    "SeenHistory",
    "SeenStore",
    "Statement",
    "Step",
    "StepName",
    "Trust",
    "TrustConflict",
    "TrustMalformed",
    "TrustStore",
    "Verdict",
    "VersionRecord",
    "VersionRecords",
    "VersionsUnproven",
    "build_bundle",
    "checkpoint_note",
    "choose_checkpoint",
    "known_trust",
    "prove_versions",
    "proven_versions",
    "trust_directory",
    "verify_bundle",
    "versions_of",
]
