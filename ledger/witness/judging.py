"""What others sign, compared with our own log: kept, awaited, or evidence of a fork."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from ledger.tlog import (
    Checkpoint,
    ConsistencyError,
    KeyIdentity,
    Note,
    NoteSignature,
    NoteVerifier,
    TlogError,
    identity_of,
    signed_by,
    verify_consistency,
)
from ledger.witness.errors import CheckpointStrange, CosignatureInvalid, WitnessError
from ledger.witness.evidence import Evidence, EvidenceKind
from ledger.witness.evidence_store import EvidenceStore
from ledger.witness.heads import SignedHeads
from ledger.witness.lines import decode_cosignatures
from ledger.witness.types import Cosignature, Meeting, PeerWitness, Relation

AHEAD_MAX = 256
"""Cosignatures of a peer that wait for our own log to get there."""

_log = logging.getLogger(__name__)


class Judge:
    """Thread-safe. `peers` gives the active nodes by their keys, as they are at the moment.

    `former` are keys that were theirs: none of their signatures is kept, but what they signed is
    held against them all the same, so that nobody gets away by taking another key.
    """

    def __init__(
        self,
        heads: SignedHeads,
        evidence: EvidenceStore,
        peers: Callable[[], Mapping[KeyIdentity, PeerWitness]],
        former: Callable[[], Mapping[KeyIdentity, PeerWitness]] = dict,
    ) -> None:
        self._former = former
        self._heads = heads
        self._evidence = evidence
        self._peers = peers
        self._ahead: dict[KeyIdentity, dict[int, Cosignature]] = {}
        self._rechecked: set[KeyIdentity] = set()

    def cosignatures(self, peer: PeerWitness, text: str) -> Meeting:
        """See `Witness.meet_cosignatures`."""
        size, kept, forked = 0, 0, False
        for one in decode_cosignatures(text, self._heads.origin):
            relation, new = self._cosignature(peer, one)
            if relation is None:
                break  # as many wait for our log as may: they are asked for again
            size, kept = one.size, kept + new
            forked = forked or relation is Relation.FORKED
        ahead = Relation.AHEAD if size > self._heads.log.head().size else Relation.AGREES
        return Meeting(Relation.FORKED if forked else ahead, size, kept)

    def due(self, size: int) -> None:
        """Our log has reached `size`: judge what has waited for it."""
        former = self._former()
        peers = {**former, **self._peers()}
        with self._heads.lock:
            for key in [key for key in self._ahead if key not in peers]:
                del self._ahead[key]
            reached = [
                (peers[key], waiting.pop(one))
                for key, waiting in self._ahead.items()
                for one in sorted(waiting)
                if one <= size
            ]
        for peer, one in reached:
            with suppress(WitnessError):  # the peer's key was changed meanwhile
                self._cosignature(peer, one)
        self._rechecked &= former.keys()
        for peer in former.values():
            if peer.identity not in self._rechecked:
                with suppress(WitnessError):
                    self._recheck_former(peer, size)

    def _recheck_former(self, peer: PeerWitness, size: int) -> None:
        """Nobody asks it any more: once our log is there, what it showed last is compared."""
        seen = self._heads.seen(peer.identity)
        if seen is None or seen[0].size <= size:
            self._rechecked.add(peer.identity)
            self.recheck(peer)

    def checkpoint(self, note: str) -> Meeting:
        """See `Witness.meet`."""
        checkpoint, signed, opened = self._open(note)
        log, note = self._heads.log, opened.encode()
        if checkpoint.size > log.head().size:
            return Meeting(Relation.AHEAD, checkpoint.size)
        if log.root_at(checkpoint.size) != checkpoint.root:
            self._accuse_same_size(checkpoint, note, signed)
            return Meeting(Relation.FORKED, checkpoint.size)
        if checkpoint.extension:
            # Signed with further lines, which ours does not have: no signature of our head.
            return Meeting(Relation.AGREES, checkpoint.size)
        known = {identity_of(one) for one in signed}
        known &= {peer.identity for peer in self._peers().values()}
        kept = self._heads.keep(
            [
                Cosignature(checkpoint.size, checkpoint.root, signature)
                for signature in opened.signatures
                if (signature.name, signature.key_id) in known
            ]
        )
        return Meeting(Relation.AGREES, checkpoint.size, kept)

    def basis(self, peer: PeerWitness, note: str) -> Checkpoint:
        """See `Witness.basis`."""
        seen = self._heads.seen(peer.identity)
        size = Checkpoint.parse(Note.decode(note).text).size
        own = self._heads.log.head()
        if seen is not None and own.size < seen[0].size <= size:
            return seen[0]
        return Checkpoint(self._heads.origin, own.size, own.root)

    def proof(
        self, peer: PeerWitness, note: str, basis: Checkpoint, path: Sequence[bytes]
    ) -> Meeting:
        """See `Witness.prove`."""
        checkpoint, signed, opened = self._open(note)
        note = opened.encode()
        # The proof is this peer's word alone: others may have signed the checkpoint in good faith.
        signed = tuple(one for one in signed if one.public_key == peer.verifier.public_key)
        if not signed:
            raise CheckpointStrange(f"{peer.label} serves a checkpoint that it has not signed")
        seen = self._heads.seen(peer.identity)
        is_seen = seen is not None and seen[0] == basis
        first = seen[1] if seen is not None and is_seen else self._heads.own_note(basis.size)
        if basis.size == checkpoint.size:
            if basis.root == checkpoint.root:
                return Meeting(Relation.AHEAD, checkpoint.size)
            self._accuse(EvidenceKind.SAME_SIZE, first, note, None, signed)
            return Meeting(Relation.FORKED, checkpoint.size)
        if 0 < basis.size < checkpoint.size:
            try:
                verify_consistency(basis.size, checkpoint.size, path, basis.root, checkpoint.root)
            except ConsistencyError:
                self._accuse(EvidenceKind.BROKEN_PROOF, first, note, tuple(path), signed)
                return Meeting(Relation.FORKED, checkpoint.size)
        if seen is None or checkpoint.size > seen[0].size:
            self._heads.see(peer.identity, note)
        return Meeting(Relation.AHEAD, checkpoint.size)

    def recheck(self, peer: PeerWitness) -> Relation:
        """See `Witness.recheck`."""
        seen = self._heads.seen(peer.identity)
        if seen is None or seen[0].size > self._heads.log.head().size:
            return Relation.AGREES
        return self.checkpoint(seen[1]).relation

    def _cosignature(self, peer: PeerWitness, one: Cosignature) -> tuple[Relation | None, int]:
        """How a cosignature stands to our log, and 1 where it is new; None for no room."""
        if (one.signature.name, one.signature.key_id) != peer.identity:
            raise CosignatureInvalid(f"{peer.label}: a cosignature by {one.signature.name[:80]!r}")
        heads = self._heads
        with heads.lock:
            head = heads.board.head(one.size)
            if head is not None and head.cosignatures.get(peer.identity) == one.signature:
                return Relation.AGREES, 0
            waiting = self._ahead.setdefault(peer.identity, {})
            if one.size > heads.log.head().size and len(waiting) >= AHEAD_MAX:
                return None, 0
        checkpoint = Checkpoint(heads.origin, one.size, one.root)
        if not peer.verifier.verify(checkpoint.text, one.signature.signature):
            raise CosignatureInvalid(f"{peer.label}: its cosignature of size {one.size} is false")
        with heads.lock:
            if one.size > heads.log.head().size:
                waiting[one.size] = one
                return Relation.AHEAD, 0
            if heads.log.root_at(one.size) == one.root:
                return Relation.AGREES, heads.keep((one,))
        note = Note(checkpoint.text, (one.signature,)).encode()
        self._accuse_same_size(checkpoint, note, (peer.verifier,))
        return Relation.FORKED, 0

    def _open(self, note: str) -> tuple[Checkpoint, tuple[NoteVerifier, ...], Note]:
        """A checkpoint that at least one active node has signed, and who has.

        Of the note's signatures those of the active nodes alone are left: what somebody else can
        prove false later must not stand under evidence.
        """
        heads = self._heads
        peers = {**self._former(), **self._peers()}.values()
        keys = [one.log_verifier(heads.origin) for one in peers]
        keys += [heads.log_verifier, heads.verifier, *(one.verifier for one in peers)]
        try:
            opened = Note.decode(note)
            checkpoint = Checkpoint.parse(opened.text)
            signed = signed_by(opened, keys)
        except TlogError as error:
            raise CheckpointStrange(f"the checkpoint is refused: {error}") from None
        if checkpoint.origin != heads.origin:
            raise CheckpointStrange(f"a checkpoint of {checkpoint.origin[:80]!r}")
        if not signed:
            raise CheckpointStrange("no active node has signed the checkpoint")
        true = {identity_of(one) for one in signed}
        found: dict[KeyIdentity, NoteSignature] = {}
        for signature in opened.signatures:
            identity = (signature.name, signature.key_id)
            if identity in true:
                found.setdefault(identity, signature)
        return checkpoint, signed, Note(opened.text, tuple(found.values()))

    def _accuse_same_size(
        self, checkpoint: Checkpoint, note: str, signed: Sequence[NoteVerifier]
    ) -> None:
        first = self._heads.own_note(checkpoint.size)
        self._accuse(EvidenceKind.SAME_SIZE, first, note, None, signed)

    def _accuse(
        self,
        kind: EvidenceKind,
        first: str,
        second: str,
        proof: tuple[bytes, ...] | None,
        signed: Sequence[NoteVerifier],
    ) -> None:
        """Keep evidence against each key that signed, and raise the alert where it is new."""
        for key in dict.fromkeys(one.public_key for one in signed):
            # By its own name, if it signed as a witness too.
            accused = [one for one in signed if one.public_key == key][-1]
            evidence = Evidence(kind, first, second, proof, accused, int(time.time()))
            try:
                new = self._evidence.add(evidence)
            except (WitnessError, OSError) as error:
                _log.critical("FORK: %s; it could not be kept: %s", evidence.summary, error)
                continue
            if new:
                _log.critical(
                    "FORK: %s; kept as %s in %s",
                    evidence.summary,
                    evidence.id,
                    self._evidence.directory,
                )
