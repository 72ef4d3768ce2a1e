"""What the witness room passes around."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ledger.tlog import KeyIdentity, NoteSignature, NoteVerifier, SignatureType, identity_of


@dataclass(frozen=True, slots=True)
class PeerWitness:
    """Another node whose cosignatures count."""

    label: str
    """Of the node, unique in the consortium."""
    verifier: NoteVerifier
    """Its cosigner: type 0x04, name `<origin>/<label>`."""
    api_url: str
    """Where its HTTP interface is, e.g. `https://node.example`; empty: it is not asked."""

    @property
    def identity(self) -> KeyIdentity:
        """What its cosignature lines bear."""
        return identity_of(self.verifier)

    def log_verifier(self, origin: str) -> NoteVerifier:
        """The same key signing as the log itself."""
        return NoteVerifier(origin, SignatureType.ED25519, self.verifier.public_key)


@dataclass(frozen=True, slots=True)
class Cosignature:
    """One signature of the log's head of a certain size."""

    size: int
    root: bytes
    """32 bytes."""
    signature: NoteSignature


class Relation(StrEnum):
    """How somebody's checkpoint stands to our log."""

    AGREES = "agrees"
    """Same root at that size."""
    AHEAD = "ahead"
    """Larger than our log: to be proven consistent."""
    FORKED = "forked"
    """The two cannot both be of one log: evidence was kept."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """What came of looking at somebody's checkpoint or cosignatures."""

    relation: Relation
    size: int
    """Of the checkpoint; of cosignatures, the size up to which all of them are dealt with."""
    kept: int = 0
    """Cosignatures that are new to us."""


@dataclass(frozen=True, slots=True)
class PeerStatus:
    """One other witness."""

    label: str
    name: str
    cosigned_size: int | None
    """Size of the newest of our checkpoints that it has cosigned, None for none that we know."""
    trouble: str
    """What was wrong when it was last asked: no answer, or one that was refused. Empty: nothing."""
    forked: bool
    """Whether there is evidence against it."""


@dataclass(frozen=True, slots=True)
class WitnessStatus:
    """How far the members have vouched for this node's log."""

    size: int
    """Leaves of the newest own checkpoint."""
    threshold: int
    """Members that must have signed, as this node advises verifiers."""
    expected: tuple[str, ...]
    """Names of the others whose cosignatures are wanted."""
    missing: tuple[str, ...]
    """Those of them that have not cosigned the newest checkpoint."""
    witnessed_size: int
    """Leaves of the newest checkpoint that reached the threshold; 0 where none has."""
    unreachable: tuple[str, ...]
    """Those that did not answer, or not well, when last asked."""
    evidence: int
    """Files of fork evidence that are kept."""
    peers: tuple[PeerStatus, ...]
