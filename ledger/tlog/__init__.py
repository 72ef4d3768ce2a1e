"""The transparency log: Merkle tree, tiles, signed notes, checkpoints, proofs.

Pure: no storage and no network.
"""

from ledger.tlog.checkpoint import (
    Checkpoint,
    add_cosignatures,
    open_checkpoint,
    sign_checkpoint,
)
from ledger.tlog.entries import ENTRY_SIZE_BYTES_MAX, decode_entries, encode_entries
from ledger.tlog.errors import (
    CheckpointMalformed,
    ConsistencyError,
    EntryMalformed,
    InclusionError,
    NoteMalformed,
    OriginMismatch,
    ProofMalformed,
    SignatureInvalid,
    ThresholdNotMet,
    TileMissing,
    TlogError,
)
from ledger.tlog.keys import (
    Ed25519Key,
    NoteSignature,
    NoteSigner,
    NoteVerifier,
    SignatureType,
    cosignature_time,
)
from ledger.tlog.leaves import (
    EVENT_DATA_SIZE_BYTES_MAX,
    BlockLeaf,
    EventLeaf,
    LargeEventLeaf,
    Leaf,
    decode_leaf,
    leaf_from_fields,
)
from ledger.tlog.members import KeyIdentity, Members, identity_of
from ledger.tlog.merkle import (
    EMPTY_ROOT,
    HASH_SIZE_BYTES,
    consistency_path,
    inclusion_path,
    leaf_hash,
    node_hash,
    root_from_inclusion,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from ledger.tlog.note import Note, require_threshold, sign_note, signed_by
from ledger.tlog.paths import TilePath
from ledger.tlog.proof import TlogProof
from ledger.tlog.protocol import Ed25519Signer, TileReader
from ledger.tlog.tiles import (
    TILE_HEIGHT,
    TILE_SIZE_BYTES,
    TILE_WIDTH,
    TileOverlay,
    append_leaves,
    consistency_proof,
    inclusion_proof,
    tile_width,
    tree_root,
)

__all__ = [
    "EMPTY_ROOT",
    "ENTRY_SIZE_BYTES_MAX",
    "EVENT_DATA_SIZE_BYTES_MAX",
    "HASH_SIZE_BYTES",
    "TILE_HEIGHT",
    "TILE_SIZE_BYTES",
    "TILE_WIDTH",
    "BlockLeaf",
    "Checkpoint",
    "CheckpointMalformed",
    "ConsistencyError",
    "Ed25519Key",
    "Ed25519Signer",
    "EntryMalformed",
    "EventLeaf",
    "InclusionError",
    "KeyIdentity",
    "LargeEventLeaf",
    "Leaf",
    "Members",
    "Note",
    "NoteMalformed",
    "NoteSignature",
    "NoteSigner",
    "NoteVerifier",
    "OriginMismatch",
    "ProofMalformed",
    "SignatureInvalid",
    "SignatureType",
    "ThresholdNotMet",
    "TileMissing",
    "TileOverlay",
    "TilePath",
    "TileReader",
    "TlogError",
    "TlogProof",
    "add_cosignatures",
    "append_leaves",
    "consistency_path",
    "consistency_proof",
    "cosignature_time",
    "decode_entries",
    "decode_leaf",
    "encode_entries",
    "identity_of",
    "inclusion_path",
    "inclusion_proof",
    "leaf_from_fields",
    "leaf_hash",
    "node_hash",
    "open_checkpoint",
    "require_threshold",
    "root_from_inclusion",
    "root_of",
    "sign_checkpoint",
    "sign_note",
    "signed_by",
    "tile_width",
    "tree_root",
    "verify_consistency",
    "verify_inclusion",
]
