"""That a state of a pool is on the ledger: the log's entry about it, and the way to a checkpoint.

What `GET /pools/{id}/days/{date}?evidence=true` answers is such a file; who has signed the
checkpoint is looked at by whoever knows the log's members.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from contracts.errors import ContractError
from contracts.pools.errors import AssetProofError, StateUnproven
from contracts.pools.logs import decode_book_log
from contracts.pools.proof import AssetProof
from contracts.pools.types import DayCommitted
from ledger.canonical import JsonError, parse_json
from ledger.tlog import (
    EventLeaf,
    InclusionError,
    Note,
    TlogError,
    TlogProof,
    decode_leaf,
    leaf_hash,
)
from ledger.types import Address, Log

SIZE_BYTES_MAX: Final = 1 << 20
_ENTRY_BYTES_MAX: Final = 65_535


@dataclass(frozen=True, slots=True)
class DayEvidence:
    """A committed state with its place in the log. Inclusion is checked, signatures are not."""

    committed: DayCommitted
    contract: Address
    """That told it; which contract to believe is the reader's to know."""
    block_number: int
    block_time: int
    """Unix seconds."""
    index: int
    """Of the leaf."""
    origin: str
    """Of the log."""
    size: int
    """Of the log at the checkpoint."""
    note: Note
    """The checkpoint, signatures unchecked."""

    @classmethod
    def decode(cls, data: bytes) -> DayEvidence:
        """Out of JSON: `{"evidence": {"entry": "0x…", "proof": "…"}, …}`, or that inner object.

        Raises `AssetProofError` where it is none, `StateUnproven` where its path does not lead to
        the checkpoint.
        """
        try:
            found = parse_json(data, size_bytes_max=SIZE_BYTES_MAX, depth_max=6)
        except JsonError as error:
            raise AssetProofError(f"state: {error}") from error
        entry, text = _members(found)
        try:
            leaf, proof = decode_leaf(entry), TlogProof.decode(text)
            checkpoint = proof.verify(leaf_hash(entry))
            note = Note.decode(proof.checkpoint_note)
        except InclusionError as error:
            raise StateUnproven(f"state: {error}") from error
        except TlogError as error:
            raise AssetProofError(f"state: {error}") from error
        if not isinstance(leaf, EventLeaf):
            raise AssetProofError("state: the log's entry is about no event of a contract")
        return cls(
            committed=_committed(leaf),
            contract=leaf.address,
            block_number=leaf.block_number,
            block_time=leaf.block_time,
            index=proof.index,
            origin=checkpoint.origin,
            size=checkpoint.size,
            note=note,
        )

    def check(self, proof: AssetProof) -> None:
        """Raises `AssetProofError` unless the asset stood in this state as the proof says."""
        told = self.committed
        if told.id != proof.pool:
            raise AssetProofError(f"the state is one of pool 0x{told.id.hex()}")
        if (told.date, told.revision) != (proof.date, proof.revision):
            raise AssetProofError(
                f"the state is that of {told.date}, revision {told.revision}; the proof is about "
                f"{proof.date}, revision {proof.revision}"
            )
        proof.verify(told.day.root, told.day.count)


def _members(found: Any) -> tuple[bytes, str]:
    inner = found.get("evidence", found) if isinstance(found, dict) else None
    entry = inner.get("entry") if isinstance(inner, dict) else None
    proof = inner.get("proof") if isinstance(inner, dict) else None
    if not isinstance(entry, str) or not isinstance(proof, str) or not entry.startswith("0x"):
        raise AssetProofError(
            "state: evidence with entry and proof is meant, as GET /pools/{id}/days/{date}"
            "?evidence=true gives it"
        )
    try:
        data = bytes.fromhex(entry[2:])
    except ValueError as error:
        raise AssetProofError("state: entry: 0x and hex digits are meant") from error
    if len(data) > _ENTRY_BYTES_MAX:
        raise AssetProofError(f"state: an entry of {len(data)} bytes")
    return data, proof


def _committed(leaf: EventLeaf) -> DayCommitted:
    try:
        event = decode_book_log(Log(leaf.address, leaf.topics, leaf.data))
    except (ContractError, ValueError) as error:
        raise AssetProofError(f"state: the log's entry tells of no pool: {error}") from error
    if not isinstance(event, DayCommitted):
        raise AssetProofError("state: the log's entry tells of something else about a pool")
    return event
