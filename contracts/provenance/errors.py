"""Errors of the provenance instrument."""

from __future__ import annotations

from contracts.errors import ContractError


class ProvenanceError(ContractError):
    """Base of this instrument's own errors."""


class PayloadError(ProvenanceError, ValueError):
    """Bytes are not a batch payload (docs/proof-format.md, section 2), or break its bounds."""


class BatchError(ProvenanceError, ValueError):
    """Entries do not make a batch: wrong count, wrong event id or digest, index out of range."""
