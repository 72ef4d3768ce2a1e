"""A node as a witness: it cosigns every head of its log, and judges what the others sign."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from ledger.closing import Closing
from ledger.tlog import Checkpoint, KeyIdentity, NoteSigner, NoteVerifier
from ledger.types import CommittedBlock
from ledger.witness.evidence_store import EvidenceStore
from ledger.witness.heads import SignedHeads
from ledger.witness.judging import Judge
from ledger.witness.lines import COUNT_MAX, encode_cosignatures
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

FORMER_MAX = 256
"""Keys of nodes that left or took another key: what they signed before still binds them."""


class Witness(Closing):
    """Cosigns, compares, serves. Thread-safe; a `CheckpointSource` of the log.

    Only what the ledger has made durable is ever cosigned, and never two roots of one size.
    `Gatherer` brings it what the others say.
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
        """`signer` is the node's log signer, `label` the node's own.

        `threshold` is what this node advises verifiers to ask for. `store` is closed with the
        witness. Raises `LabelInvalid`.
        """
        self._ledger = ledger
        self._provider = peers
        self._threshold = threshold
        self.evidence = evidence
        """What was found against anybody."""
        self._heads = SignedHeads(
            ledger.origin, ledger.log, signer, cosigner_of(signer, label), store
        )
        self._judge = Judge(self._heads, evidence, lambda: self._peers, lambda: self._former)
        self._peers: dict[KeyIdentity, PeerWitness] = {}
        self._former: dict[KeyIdentity, PeerWitness] = {}
        self._trouble: dict[KeyIdentity, str] = {}
        self._listeners: list[Callable[[], None]] = []
        self._following = threading.Lock()
        self._unsubscribe: Callable[[], None] | None = None

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
        """Take up what was kept, cosign the head, follow the ledger, serve its checkpoints."""
        self.refresh()
        self._heads.recall()
        with self._following:
            self._unsubscribe = self._ledger.subscribe(self._on_block)
            head = self._ledger.log.head()
            self._heads.cosign(head.size, head.root)
        self._ledger.log.serve_from(self)

    def close(self) -> None:
        """Stop following; what was kept stays kept. Twice does no harm."""
        unsubscribe, self._unsubscribe = self._unsubscribe, None
        if unsubscribe is not None:
            self._ledger.log.serve_from(None)
            unsubscribe()
        self._heads.close()

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call back, quickly and from any thread, after each own cosignature."""
        self._listeners.append(callback)

    def refresh(self) -> tuple[PeerWitness, ...]:
        """Ask again who the other witnesses are."""
        own = self._heads.verifier.public_key
        # By key, not by label: nobody can put another's label in its place.
        peers = {one.identity: one for one in self._provider() if one.verifier.public_key != own}
        former = {**self._former, **self._peers}
        gone = [(key, one) for key, one in former.items() if key not in peers]
        self._former = dict(gone[-FORMER_MAX:])
        self._peers = peers
        self._trouble = {key: why for key, why in self._trouble.items() if key in peers}
        return tuple(peers.values())

    @property
    def origin(self) -> str:
        """The log's name."""
        return self._heads.origin

    @property
    def size(self) -> int:
        """Leaves of our own log."""
        return self._ledger.log.head().size

    @property
    def verifier(self) -> NoteVerifier:
        """This node's cosigner."""
        return self._heads.verifier

    # ---- what it serves -------------------------------------------------------------------------

    def cosignatures(self, from_size: int, count_max: int = COUNT_MAX) -> tuple[Cosignature, ...]:
        """This node's own cosignatures of heads of at least `from_size` leaves, ascending."""
        return self._heads.own(from_size, min(count_max, COUNT_MAX))

    def cosignature_text(self, from_size: int, count_max: int = COUNT_MAX) -> str:
        """The same as `GET /log/cosignatures` answers."""
        return encode_cosignatures(self.origin, self.cosignatures(from_size, count_max))

    def checkpoint(self) -> str:
        """The log's head with own signature, own cosignature and those gathered."""
        head = self._ledger.log.head()
        return self._heads.encoded(self._heads.cosign(head.size, head.root))

    def witnessed(
        self, size_min: int, threshold: int, keys: Sequence[NoteVerifier] | None = None
    ) -> str | None:
        """See `LogView.witnessed`; without `keys`, those of the active nodes count."""
        wanted = self._keys() if keys is None else keys
        with self._heads.lock:
            head = self._heads.board.newest(threshold, wanted)
            return None if head is None or head.size < size_min else self._heads.encoded(head)

    def status(self) -> WitnessStatus:
        """How far the members have vouched for this node's log. Quick."""
        accused = {one.accused.public_key for one in self.evidence.list() if one.accused}
        threshold, keys = max(1, self._threshold()), self._keys()
        trouble = self._trouble
        with self._heads.lock:
            size = self._ledger.log.head().size
            newest = self._heads.board.newest(threshold, keys)
            peers = tuple(
                PeerStatus(
                    label=peer.label,
                    name=peer.verifier.name,
                    cosigned_size=self._heads.board.cosigned_by(peer.identity),
                    trouble=trouble.get(peer.identity, ""),
                    forked=peer.verifier.public_key in accused,
                )
                for peer in self._peers.values()
            )
        return WitnessStatus(
            size=size,
            threshold=threshold,
            expected=tuple(peer.name for peer in peers),
            missing=tuple(peer.name for peer in peers if peer.cosigned_size != size),
            witnessed_size=0 if newest is None else newest.size,
            unreachable=tuple(peer.name for peer in peers if peer.trouble),
            evidence=self.evidence.count(),
            peers=peers,
        )

    # ---- what others say ------------------------------------------------------------------------

    def wanted_from(self, peer: PeerWitness) -> int | None:
        """From which size on a peer's cosignatures are missing; None where none is."""
        board = self._heads.board
        with self._heads.lock:
            last = board.last()
            if last is None or peer.identity in last.cosignatures:
                return None
            cosigned = board.cosigned_by(peer.identity)
            return max(board.oldest(), 0 if cosigned is None else cosigned + 1)

    def reached(self, peer: PeerWitness, trouble: str = "") -> None:
        """Note that a peer was asked, and what was wrong with its answer, if anything."""
        if trouble:
            self._trouble = {**self._trouble, peer.identity: trouble}
        elif peer.identity in self._trouble:
            self._trouble = {key: why for key, why in self._trouble.items() if key != peer.identity}

    def meet_cosignatures(self, peer: PeerWitness, text: str) -> Meeting:
        """Judge a peer's list. Keeps what agrees with our log, and evidence of what does not.

        The meeting's size is that up to which all are dealt with. Raises `CosignaturesMalformed`,
        `CosignatureInvalid` (nothing after it is looked at).
        """
        return self._judge.cosignatures(peer, text)

    def meet(self, note: str) -> Meeting:
        """Judge a checkpoint that somebody serves, by all signatures of active nodes under it.

        `AHEAD` is to be followed by `prove`. Raises `CheckpointStrange`.
        """
        return self._judge.checkpoint(note)

    def basis(self, peer: PeerWitness, note: str) -> Checkpoint:
        """From which checkpoint a peer's larger one is to be proven consistent.

        Ours, unless the peer once showed one that is larger than ours, too.
        """
        return self._judge.basis(peer, note)

    def prove(
        self, peer: PeerWitness, note: str, basis: Checkpoint, path: Sequence[bytes]
    ) -> Meeting:
        """Judge a peer's checkpoint by the consistency proof it gave, from `basis` to it.

        Remembers the checkpoint where the proof is valid, else keeps evidence. Raises
        `CheckpointStrange`.
        """
        return self._judge.proof(peer, note, basis, path)

    def recheck(self, peer: PeerWitness) -> Relation:
        """Compare what was last seen of a peer with our log, once that has got so far.

        Raises `CheckpointStrange` where the peer has another key by now.
        """
        return self._judge.recheck(peer)

    def _on_block(self, block: CommittedBlock) -> None:
        log = self._ledger.log
        size = log.leaf_index(block.block.header.number) + 1
        with self._following:
            self._heads.cosign(size, log.root_at(size))
        self._judge.due(size)
        self._heads.prune(max(1, self._threshold()), self._keys())
        for callback in self._listeners:
            callback()

    def _keys(self) -> tuple[NoteVerifier, ...]:
        others = (one.verifier for one in self._peers.values())
        return (self._heads.log_verifier, self._heads.verifier, *others)
