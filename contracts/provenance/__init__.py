"""Batches of event ids, anchored as Merkle roots: calls, logs, payload and tree."""

from contracts.genesis import PROVENANCE_ADDRESS
from contracts.provenance.batch import Batch, batch_leaf
from contracts.provenance.binding import (
    BATCH_ANCHORED_TOPIC,
    anchor_calldata,
    batch_calldata,
    decode_anchor,
    decode_batch,
    decode_log,
    genesis_account,
)
from contracts.provenance.errors import BatchError, PayloadError, ProvenanceError
from contracts.provenance.payload import (
    decode_payload,
    encode_canonical_payload,
    encode_payload,
)
from contracts.provenance.types import (
    COUNT_MAX,
    PROVENANCE_NAME,
    Anchor,
    AnchoredBatch,
    BatchAnchored,
    Visibility,
)

__all__ = [
    "BATCH_ANCHORED_TOPIC",
    "COUNT_MAX",
    "PROVENANCE_ADDRESS",
    "PROVENANCE_NAME",
    "Anchor",
    "AnchoredBatch",
    "Batch",
    "BatchAnchored",
    "BatchError",
    "PayloadError",
    "ProvenanceError",
    "Visibility",
    "anchor_calldata",
    "batch_calldata",
    "batch_leaf",
    "decode_anchor",
    "decode_batch",
    "decode_log",
    "decode_payload",
    "encode_canonical_payload",
    "encode_payload",
    "genesis_account",
]
