"""Later versions of the Provenance contract, as the log proves them (docs/proof-format.md, 13)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts.directory import VersionAdded, decode_log
from contracts.errors import ContractError
from contracts.provenance import PROVENANCE_NAME
from ledger.canonical import CanonicalError, JsonError, canonical_json, parse_json
from ledger.tlog import (
    Checkpoint,
    EventLeaf,
    Note,
    TlogError,
    TlogProof,
    decode_leaf,
    leaf_hash,
    open_checkpoint,
)
from ledger.types import Address, CommittedBlock, Log
from traceability.bundle.errors import VersionsUnproven
from traceability.bundle.protocol import LedgerView, LogView
from traceability.bundle.trust import Trust
from traceability.bundle.versions import VERSIONS_MAX, ProvenanceVersion, merged

FORMAT: Final = "tallystick-versions/1"
VERSIONS_SIZE_BYTES_MAX: Final = 16 << 20
_DEPTH_MAX: Final = 6


class BlocksView(LedgerView, Protocol):
    """A ledger whose blocks can be read."""

    def committed(self, block_number: int) -> CommittedBlock:
        """A block with its logs, each with its place in the transparency log."""


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """That the Directory has named a version, and where the log says so."""

    leaf: bytes
    """JCS bytes of the log leaf."""
    proof: str
    """C2SP tlog-proof text with the signed checkpoint."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    leaf: dict[str, Any]
    proof: str


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    format: Literal["tallystick-versions/1"]
    origin: Annotated[str, Field(min_length=1, max_length=255)]
    records: Annotated[list[_Record], Field(max_length=VERSIONS_MAX)]


@dataclass(frozen=True, slots=True)
class VersionRecords:
    """What a node gives out of the versions of the Provenance contract. Nothing is verified yet."""

    origin: str
    records: tuple[VersionRecord, ...]
    """Oldest first; none where the first version is the only one."""

    def encode(self) -> bytes:
        """The file's bytes: one JSON object in canonical spelling, and a newline."""
        fields = {
            "format": FORMAT,
            "origin": self.origin,
            "records": [
                {
                    "leaf": parse_json(one.leaf, size_bytes_max=len(one.leaf), depth_max=2),
                    "proof": one.proof,
                }
                for one in self.records
            ],
        }
        return canonical_json(fields) + b"\n"

    @classmethod
    def decode(cls, data: bytes) -> VersionRecords:
        """Read a file's bytes. Raises `VersionsUnproven`."""
        try:
            fields = parse_json(data, size_bytes_max=VERSIONS_SIZE_BYTES_MAX, depth_max=_DEPTH_MAX)
            file = _File.model_validate(fields)
            records = [VersionRecord(canonical_json(one.leaf), one.proof) for one in file.records]
        except (JsonError, CanonicalError) as error:
            raise VersionsUnproven(f"versions: {error}") from None
        except ValidationError as error:
            details = error.errors(include_url=False, include_context=False)[0]
            place = "/".join(str(step) for step in details["loc"])
            raise VersionsUnproven(f"versions: /{place}: {details['msg']}") from None
        return cls(file.origin, tuple(records))


def prove_versions(
    ledger: BlocksView, directory: Address, versions: Iterable[ProvenanceVersion], trust: Trust
) -> VersionRecords:
    """What shows verifiers of `trust` that the Directory at `directory` has named these versions.

    No more than a trust file holds. The checkpoint is one that enough members have signed, where
    there is one yet. Raises `VersionsUnproven` where the ledger says nothing of a version.
    """
    chosen = merged(trust.provenance, versions)[: VERSIONS_MAX - 1]
    places = [_leaf_index(ledger.committed(one.from_block), directory, one) for one in chosen]
    if not places:
        return VersionRecords(trust.origin, ())
    note = _checkpoint(ledger.log, max(places), trust)
    size = Checkpoint.parse(Note.decode(note).text).size
    records = []
    for index in places:
        if index >= size:
            raise VersionsUnproven("the log's checkpoint does not cover the newest version yet")
        path = tuple(ledger.log.inclusion_proof(index, size))
        proof = TlogProof(index, path, note).encode()
        records.append(VersionRecord(ledger.log.entry(index), proof))
    return VersionRecords(trust.origin, tuple(records))


def proven_versions(records: VersionRecords, trust: Trust) -> tuple[ProvenanceVersion, ...]:
    """The versions that these records prove to whoever has this trust file, oldest first.

    Each is an event of the Directory that the trust file names, in the log up to a checkpoint
    that enough of its members have signed. Raises `VersionsUnproven` if one of them is not.
    """
    if records.origin != trust.origin:
        raise VersionsUnproven(f"the versions are of log {records.origin!r}, not {trust.origin!r}")
    if trust.directory is None:
        raise VersionsUnproven(
            "the trust file does not say which contract is the Directory, so that no version can "
            "be believed: get the log's trust file anew from a member you trust"
        )
    directory = trust.directory
    return merged(trust.provenance, [_proven(one, directory, trust) for one in records.records])


def _proven(record: VersionRecord, directory: Address, trust: Trust) -> ProvenanceVersion:
    try:
        leaf = decode_leaf(record.leaf)
        if not isinstance(leaf, EventLeaf) or leaf.address != directory:
            raise VersionsUnproven(
                f"a version that the Directory 0x{directory.hex()} has not named"
            )
        event = decode_log(Log(leaf.address, leaf.topics, leaf.data))
        if event.name != PROVENANCE_NAME:
            raise VersionsUnproven(f"a version of {event.name!r}, not of {PROVENANCE_NAME!r}")
        proof = TlogProof.decode(record.proof)
        if proof.extra is not None:
            raise VersionsUnproven("a version whose proof has extra data, which nothing signs")
        proof.verify(leaf_hash(record.leaf))
        open_checkpoint(proof.checkpoint_note, trust.keys, trust.threshold, trust.origin)
    except (TlogError, ContractError) as error:
        raise VersionsUnproven(f"a version that is not proven: {error}") from None
    return ProvenanceVersion(event.address, leaf.block_number)


def _leaf_index(block: CommittedBlock, directory: Address, version: ProvenanceVersion) -> int:
    for placed in block.logs:
        if placed.log.address == directory and _names(placed.log) == version.address:
            return placed.leaf_index
    raise VersionsUnproven(
        f"block {version.from_block} does not name 0x{version.address.hex()} as Provenance"
    )


def _names(log: Log) -> Address | None:
    try:
        event: VersionAdded = decode_log(log)
    except ContractError:
        return None
    return event.address if event.name == PROVENANCE_NAME else None


def _checkpoint(log: LogView, leaf_index: int, trust: Trust) -> str:
    return log.witnessed(leaf_index + 1, trust.threshold, trust.keys) or log.checkpoint()


def versions_of(
    found: Sequence[tuple[Address, int]], first: Address
) -> tuple[ProvenanceVersion, ...]:
    """Later versions from (address, block that named it) pairs of one's own ledger."""
    return merged(first, [ProvenanceVersion(address, block) for address, block in found if block])
