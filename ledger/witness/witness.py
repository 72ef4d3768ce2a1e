"""A node as a witness: it cosigns every head of its log, and judges what the others sign."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from ledger.closing import Closing
from ledger.tlog import (
    Checkpoint,
    ConsistencyError,
    Note,
    NoteSignature,
    NoteSigner,
    NoteVerifier,
    TlogError,
    identity_of,
    signed_by,
    verify_consistency,
)
from ledger.types import CommittedBlock
from ledger.witness.board import SIZES_MAX, Board, Head
from ledger.witness.errors import CheckpointStrange, CosignatureInvalid, WitnessError
from ledger.witness.evidence import Evidence, EvidenceKind
from ledger.witness.evidence_store import EvidenceStore
from ledger.witness.lines import COUNT_MAX, decode_cosignatures, encode_cosignatures
from ledger.witness.naming import cosigner_of
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

AHEAD_MAX = 256
"""Cosignatures of a peer that wait for our own log to get there."""

_log = logging.getLogger(__name__)


class Witness(Closing):
    """Cosigns, gathers, compares. Thread-safe; a `CheckpointSource` of the log.

    Only what the ledger has made durable is ever cosigned, and never two roots of one size.
    """

    def __init__(
        self,
        ledger: WitnessedLedger,
        signer: NoteSigner,
        label: str,
        *,
        store: CosignatureStore,
        evidence: EvidenceStore,
        peers: PeersProvider = tuple,
        threshold: Callable[[], int] = lambda: 1,
    ) -> None:
        """`signer` is the node's log signer, `label` the node's; `threshold` is advice for
        verifiers. `store` is closed with the witness. Raises `LabelInvalid`."""
        self._ledger = ledger
        self._origin = ledger.origin
        self._signer = signer
        self._cosigner = cosigner_of(signer, label)
        self._store = store
        self._provider = peers
        self._threshold = threshold
        self.evidence = evidence
        """What was found against anybody."""
        self._log_verifier = signer.verifier
        self._own = identity_of(self._cosigner.verifier)
        self._board = Board(self._origin, (identity_of(self._log_verifier),))
        self._peers: dict[str, PeerWitness] = {}
        self._ahead: dict[str, dict[int, Cosignature]] = {}
        self._unreachable: set[str] = set()
        self._note: tuple[int, int, str] | None = None
        self._logged: dict[int, NoteSignature] = {}
        self._listeners: list[Callable[[], None]] = []
        self._lock = threading.RLock()
        self._unsubscribe: Callable[[], None] | None = None
        self._closed = False

    @classmethod
    def open(
        cls,
        ledger: WitnessedLedger,
        signer: NoteSigner,
        label: str,
        directory: Path,
        evidence_directory: Path,
        *,
        peers: PeersProvider = tuple,
        threshold: Callable[[], int] = lambda: 1,
    ) -> Witness:
        """The witness with its files in two folders. Raises `CosignatureStoreError`."""
        store = CosignatureStore.open(directory, ledger.origin)
        try:
            evidence = EvidenceStore(evidence_directory)
            return cls(
                ledger,
                signer,
                label,
                store=store,
                evidence=evidence,
                peers=peers,
                threshold=threshold,
            )
        except BaseException:
            store.close()
            raise

    # ---- at work --------------------------------------------------------------------------------

    def start(self) -> None:
        """Take up what was kept, cosign the head, follow the ledger, and serve its checkpoints."""
        self.refresh()
        with self._lock:
            self._recall()
            self._unsubscribe = self._ledger.subscribe(self._on_block)
            head = self._ledger.log.head()
            self._cosign(head.size, head.root)
        self._ledger.log.serve_from(self)

    def close(self) -> None:
        """Stop following; what was kept stays kept. Twice does no harm."""
        unsubscribe, self._unsubscribe = self._unsubscribe, None
        if unsubscribe is not None:
            self._ledger.log.serve_from(None)
            unsubscribe()
        with self._lock:
            self._closed = True
            self._store.close()

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call back, quickly and from any thread, after each own cosignature."""
        self._listeners.append(callback)

    def refresh(self) -> tuple[PeerWitness, ...]:
        """Ask again who the other witnesses are."""
        peers = {
            peer.label: peer
            for peer in self._provider()
            if peer.verifier.public_key != self._log_verifier.public_key
        }
        with self._lock:
            self._peers = peers
            for label in [label for label in self._ahead if label not in peers]:
                del self._ahead[label]
        return tuple(peers.values())

    @property
    def origin(self) -> str:
        """The log's name."""
        return self._origin

    @property
    def verifier(self) -> NoteVerifier:
        """This node's cosigner."""
        return self._cosigner.verifier

    # ---- what it serves -------------------------------------------------------------------------

    def cosignatures(self, from_size: int, count_max: int = COUNT_MAX) -> tuple[Cosignature, ...]:
        """This node's own cosignatures of heads of at least `from_size` leaves, ascending."""
        found: list[Cosignature] = []
        with self._lock:
            for head in self._board.heads(from_size):
                signature = head.cosignatures.get(self._own)
                if signature is not None:
                    found.append(Cosignature(head.size, head.root, signature))
                if len(found) >= min(count_max, COUNT_MAX):
                    break
        return tuple(found)

    def cosignature_text(self, from_size: int, count_max: int = COUNT_MAX) -> str:
        """The same as `GET /log/cosignatures` answers."""
        return encode_cosignatures(self._origin, self.cosignatures(from_size, count_max))

    def checkpoint(self) -> str:
        """The log's head with own signature, own cosignature and those gathered."""
        with self._lock:
            head = self._ledger.log.head()
            found = self._board.head(head.size) or self._cosign(head.size, head.root)
            return self._encoded(found)

    def witnessed(
        self, size_min: int, threshold: int, keys: Sequence[NoteVerifier] | None = None
    ) -> str | None:
        """See `LogView.witnessed`; without `keys`, those of the active nodes count."""
        with self._lock:
            head = self._board.newest(threshold, self._keys() if keys is None else keys)
            return None if head is None or head.size < size_min else self._encoded(head)

    def status(self) -> WitnessStatus:
        """How far the members have vouched for this node's log. Thread-safe, quick."""
        accused = {one.accused.public_key for one in self.evidence.list() if one.accused}
        threshold = max(1, self._threshold())
        with self._lock:
            size = self._ledger.log.head().size
            newest = self._board.newest(threshold, self._keys())
            peers = tuple(
                PeerStatus(
                    label=peer.label,
                    name=peer.verifier.name,
                    cosigned_size=self._board.cosigned_by(peer.identity),
                    reachable=peer.label not in self._unreachable,
                    forked=peer.verifier.public_key in accused,
                )
                for peer in self._peers.values()
            )
        return WitnessStatus(
            size=size,
            threshold=threshold,
            expected=tuple(peer.name for peer in peers),
            missing=tuple(peer.name for peer in peers if peer.cosigned_size < size),
            witnessed_size=0 if newest is None else newest.size,
            unreachable=tuple(peer.name for peer in peers if not peer.reachable),
            evidence=self.evidence.count(),
            peers=peers,
        )

    # ---- gathering: what others say -------------------------------------------------------------

    def wanted_from(self, peer: PeerWitness) -> int | None:
        """From which size on a peer's cosignatures are missing; None where none is."""
        with self._lock:
            last = self._board.last()
            if last is None or peer.identity in last.cosignatures:
                return None
            return max(self._board.oldest(), self._board.cosigned_by(peer.identity) + 1)

    def reached(self, peer: PeerWitness, answered: bool) -> None:
        """Note whether a peer answered when it was asked."""
        with self._lock:
            if answered:
                self._unreachable.discard(peer.label)
            else:
                self._unreachable.add(peer.label)

    def meet_cosignatures(self, peer: PeerWitness, text: str) -> Meeting:
        """Judge a peer's list. Keeps what agrees with our log, and evidence of what does not.

        Raises `CosignaturesMalformed`, `CosignatureInvalid` (nothing after it is looked at).
        """
        size, kept, forked = 0, 0, False
        for one in decode_cosignatures(text, self._origin):
            relation, new = self._meet_cosignature(peer, one)
            if relation is None:
                break  # as many wait for our log as may: they are asked for again
            size, kept = one.size, kept + new
            forked = forked or relation is Relation.FORKED
        own = self._ledger.log.head().size
        ahead = Relation.AHEAD if size > own else Relation.AGREES
        return Meeting(Relation.FORKED if forked else ahead, size, kept)

    def meet(self, note: str) -> Meeting:
        """Judge a checkpoint that somebody serves, by all signatures of active nodes under it.

        `AHEAD` is to be followed by `prove`. Raises `CheckpointStrange`.
        """
        checkpoint, signed, opened = self._open(note)
        own = self._ledger.log.head().size
        if checkpoint.size > own:
            return Meeting(Relation.AHEAD, checkpoint.size)
        if self._ledger.log.root_at(checkpoint.size) != checkpoint.root:
            self._accuse_same_size(checkpoint, note, signed)
            return Meeting(Relation.FORKED, checkpoint.size)
        kept = self._keep_from(checkpoint, opened, signed)
        return Meeting(Relation.AGREES, checkpoint.size, kept)

    def basis(self, peer: PeerWitness, note: str) -> Checkpoint:
        """From which checkpoint a peer's larger one is to be proven consistent.

        Ours, unless the peer once showed one that is larger than ours, too.
        """
        seen = self._seen(peer)
        size = Checkpoint.parse(Note.decode(note).text).size
        with self._lock:
            own = self._ledger.log.head()
        if seen is not None and own.size < seen[0].size <= size:
            return seen[0]
        return Checkpoint(self._origin, own.size, own.root)

    def prove(
        self, peer: PeerWitness, note: str, basis: Checkpoint, path: Sequence[bytes]
    ) -> Meeting:
        """Judge a peer's checkpoint by the consistency proof it gave, from `basis` to it.

        Remembers the checkpoint where the proof is valid, else keeps evidence. Raises
        `CheckpointStrange`.
        """
        checkpoint, signed, _ = self._open(note)
        seen = self._seen(peer)
        first = seen[1] if seen is not None and seen[0] == basis else self._own_note(basis.size)
        if basis.size == checkpoint.size and basis.root != checkpoint.root:
            self._accuse(EvidenceKind.SAME_SIZE, first, note, None, signed)
            return Meeting(Relation.FORKED, checkpoint.size)
        try:
            if 0 < basis.size < checkpoint.size:
                verify_consistency(basis.size, checkpoint.size, path, basis.root, checkpoint.root)
        except ConsistencyError:
            self._accuse(EvidenceKind.BROKEN_PROOF, first, note, tuple(path), signed)
            return Meeting(Relation.FORKED, checkpoint.size)
        if seen is None or checkpoint.size > seen[0].size:
            with self._lock:
                self._store.see(peer.identity, note)
        return Meeting(Relation.AHEAD, checkpoint.size)

    def recheck(self, peer: PeerWitness) -> Relation:
        """Compare what was last seen of a peer with our log, once that has got so far."""
        seen = self._seen(peer)
        if seen is None or seen[0].size > self._ledger.log.head().size:
            return Relation.AGREES
        return self.meet(seen[1]).relation

    # ---- inside ---------------------------------------------------------------------------------

    def _recall(self) -> None:
        """Put up what was kept, as far as it is of our log as it is now."""
        log = self._ledger.log
        size = log.head().size
        for one in self._store.cosignatures():
            if one.size > size:
                continue
            head = self._board.head(one.size)
            root = head.root if head else log.root_at(one.size)
            if one.root == root:
                self._board.sign(self._board.put(one.size, root), one.signature)

    def _on_block(self, block: CommittedBlock) -> None:
        log = self._ledger.log
        size = log.leaf_index(block.block.header.number) + 1
        with self._lock:
            if self._closed:
                return
            head = self._cosign(size, log.root_at(size))
            due = [
                (label, one)
                for label, waiting in self._ahead.items()
                for one in list(waiting.values())
                if one.size <= size
            ]
            for label, one in due:
                del self._ahead[label][one.size]
            self._prune(head)
        for label, one in due:
            peer = self._peers.get(label)
            if peer is not None:
                with suppress(WitnessError):
                    self._meet_cosignature(peer, one)
        for callback in self._listeners:
            callback()

    def _cosign(self, size: int, root: bytes) -> Head:
        """Our own cosignature of a head, made once."""
        head = self._board.put(size, root)
        if self._own in head.cosignatures:
            return head
        before = self._store.root_signed_by(self._own, size)
        if before is not None and before != root:
            # Only a ledger set back behind what it once showed to others can come here.
            _log.critical(
                "this node once cosigned another root of size %d: it does not sign a second one; "
                "its ledger was set back and has forked from what others have seen",
                size,
            )
            return head
        signature = self._cosigner.sign(Checkpoint(self._origin, size, root).text)
        self._board.sign(head, signature)
        self._store.add((Cosignature(size, root, signature),))
        return head

    def _prune(self, head: Head) -> None:
        newest = self._board.newest(max(1, self._threshold()), self._keys())
        keep = head.size if newest is None else newest.size
        floor = self._board.prune(keep)
        if floor is not None:
            self._store.prune(floor, keep)
            self._logged = {size: one for size, one in self._logged.items() if size >= floor}

    def _keys(self) -> tuple[NoteVerifier, ...]:
        return (self._log_verifier, self.verifier, *(one.verifier for one in self._peers.values()))

    def _encoded(self, head: Head) -> str:
        """A head as a signed note. The last one made is kept: it is asked for many times."""
        key = (head.size, len(head.cosignatures))
        if self._note is not None and self._note[:2] == key:
            return self._note[2]
        text = Checkpoint(self._origin, head.size, head.root).text
        own = self._logged.get(head.size)
        if own is None:
            own = self._logged[head.size] = self._signer.sign(text)
            if len(self._logged) > SIZES_MAX:
                del self._logged[min(self._logged)]
        others = sorted(head.cosignatures.items(), key=lambda item: (item[0] != self._own, item[0]))
        note = Note(text, (own, *(signature for _, signature in others))).encode()
        self._note = (*key, note)
        return note

    def _own_note(self, size: int) -> str:
        """Our own two signatures of a head of any size that our log has reached."""
        root = self._ledger.log.root_at(size)
        text = Checkpoint(self._origin, size, root).text
        with self._lock:
            head = self._board.head(size)
            mine = head.cosignatures.get(self._own) if head else None
            signatures = (self._signer.sign(text), mine or self._cosigner.sign(text))
        return Note(text, signatures).encode()

    def _meet_cosignature(self, peer: PeerWitness, one: Cosignature) -> tuple[Relation | None, int]:
        """How a cosignature stands to our log, and 1 where it is new; None for no room."""
        if (one.signature.name, one.signature.key_id) != peer.identity:
            raise CosignatureInvalid(f"{peer.label}: a cosignature by {one.signature.name[:80]!r}")
        with self._lock:
            head = self._board.head(one.size)
            if head is not None and head.cosignatures.get(peer.identity) == one.signature:
                return Relation.AGREES, 0
            waiting = self._ahead.setdefault(peer.label, {})
            if one.size > self._ledger.log.head().size and len(waiting) >= AHEAD_MAX:
                return None, 0
        checkpoint = Checkpoint(self._origin, one.size, one.root)
        if not peer.verifier.verify(checkpoint.text, one.signature.signature):
            raise CosignatureInvalid(f"{peer.label}: its cosignature of size {one.size} is false")
        with self._lock:
            log = self._ledger.log
            if one.size > log.head().size:
                waiting[one.size] = one
                return Relation.AHEAD, 0
            root = log.root_at(one.size)
            if root == one.root:
                return Relation.AGREES, self._keep((one,))
        note = Note(checkpoint.text, (one.signature,)).encode()
        self._accuse_same_size(checkpoint, note, (peer.verifier,))
        return Relation.FORKED, 0

    def _keep(self, cosignatures: Sequence[Cosignature]) -> int:
        """Keep those of heads that are put up; the number of new ones."""
        with self._lock:
            new = []
            for one in cosignatures:
                head = self._board.head(one.size)
                if head is not None and self._board.sign(head, one.signature):
                    new.append(one)
            if not self._closed:
                self._store.add(new)
            return len(new)

    def _keep_from(self, checkpoint: Checkpoint, note: Note, signed: Sequence[NoteVerifier]) -> int:
        known = {identity_of(one) for one in signed} & {
            peer.identity for peer in list(self._peers.values())
        }
        return self._keep(
            [
                Cosignature(checkpoint.size, checkpoint.root, signature)
                for signature in note.signatures
                if (signature.name, signature.key_id) in known
            ]
        )

    def _open(self, note: str) -> tuple[Checkpoint, tuple[NoteVerifier, ...], Note]:
        """A checkpoint that at least one active node has signed, and who has."""
        try:
            opened = Note.decode(note)
            checkpoint = Checkpoint.parse(opened.text)
            if checkpoint.origin != self._origin:
                raise CheckpointStrange(f"a checkpoint of {checkpoint.origin[:80]!r}")
            peers = list(self._peers.values())
            keys = [one.verifier for one in peers] + [
                one.log_verifier(self._origin) for one in peers
            ]
            signed = signed_by(opened, (*keys, self._log_verifier, self.verifier))
        except TlogError as error:
            raise CheckpointStrange(f"the checkpoint is refused: {error}") from None
        if not signed:
            raise CheckpointStrange("no active node has signed the checkpoint")
        return checkpoint, signed, opened

    def _seen(self, peer: PeerWitness) -> tuple[Checkpoint, str] | None:
        with self._lock:
            note = self._store.seen().get(peer.identity)
        return None if note is None else (Checkpoint.parse(Note.decode(note).text), note)

    def _accuse_same_size(
        self, checkpoint: Checkpoint, note: str, signed: Sequence[NoteVerifier]
    ) -> None:
        self._accuse(EvidenceKind.SAME_SIZE, self._own_note(checkpoint.size), note, None, signed)

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
            accused = next(one for one in reversed(signed) if one.public_key == key)
            evidence = Evidence(kind, first, second, proof, accused, int(time.time()))
            try:
                new = self.evidence.add(evidence)
            except (WitnessError, OSError) as error:
                _log.critical("FORK: %s; it could not be kept: %s", evidence.summary, error)
                continue
            if new:
                _log.critical(
                    "FORK: %s; kept as %s in %s",
                    evidence.summary,
                    evidence.id,
                    self.evidence.directory,
                )
