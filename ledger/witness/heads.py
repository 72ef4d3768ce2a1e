"""The log's heads with all that signed them: on the board, in the store, and as notes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from ledger.tlog import Checkpoint, Note, NoteSignature, NoteSigner, NoteVerifier, identity_of
from ledger.tlog.note import SIGNATURES_MAX
from ledger.witness.board import SIZES_MAX, Board, Head
from ledger.witness.protocol import WitnessedLog
from ledger.witness.store import CosignatureStore
from ledger.witness.types import Cosignature

_log = logging.getLogger(__name__)


class SignedHeads:
    """Thread-safe. Signs as the log and as a witness of it, never two roots of one size.

    Only heads that the ledger has made durable may be handed to it.
    """

    def __init__(
        self,
        origin: str,
        log: WitnessedLog,
        signer: NoteSigner,
        cosigner: NoteSigner,
        store: CosignatureStore,
    ) -> None:
        self.origin = origin
        self.log = log
        self._signer = signer
        self._cosigner = cosigner
        self._store = store
        self.log_verifier = signer.verifier
        self.verifier = cosigner.verifier
        self._own = identity_of(self.verifier)
        self.board = Board(origin, (identity_of(self.log_verifier),))
        self.lock = threading.RLock()
        """Held while board and store are looked at together."""
        self._note: tuple[int, int, str] | None = None
        self._log_signatures: dict[int, NoteSignature] = {}
        self._closed = False

    def close(self) -> None:
        """Close the store. Twice does no harm; what comes after is not kept."""
        with self.lock:
            self._closed = True
            self._store.close()

    def recall(self) -> None:
        """Put up what was kept, as far as it is of the log as it is now."""
        with self.lock:
            size = self.log.head().size
            for one in self._store.cosignatures():
                if one.size > size:
                    continue
                head = self.board.head(one.size)
                root = head.root if head else self.log.root_at(one.size)
                if one.root == root:
                    self.board.sign(self.board.put(one.size, root), one.signature)

    def cosign(self, size: int, root: bytes) -> Head:
        """The head with our own cosignature, made once."""
        with self.lock:
            head = self.board.put(size, root)
            if self._own in head.cosignatures or self._closed:
                return head
            before = self._store.root_signed_by(self._own, size)
            if before is not None and before != root:
                # Only a ledger set back behind what it once showed to others can come here.
                _log.critical(
                    "this node once cosigned another root of size %d and does not sign a second "
                    "one: its ledger was set back and has forked from what others have seen",
                    size,
                )
                return head
            signature = self._cosigner.sign(Checkpoint(self.origin, size, root).text)
            self.board.sign(head, signature)
            self._store.add((Cosignature(size, root, signature),))
            return head

    def own(self, from_size: int, count_max: int) -> tuple[Cosignature, ...]:
        """Our own cosignatures of heads of at least `from_size` leaves, ascending."""
        found: list[Cosignature] = []
        with self.lock:
            for head in self.board.heads(from_size):
                signature = head.cosignatures.get(self._own)
                if signature is not None:
                    found.append(Cosignature(head.size, head.root, signature))
                if len(found) >= count_max:
                    break
        return tuple(found)

    def keep(self, cosignatures: Sequence[Cosignature]) -> int:
        """Keep verified cosignatures of heads that are put up; the number of new ones."""
        with self.lock:
            new = []
            for one in cosignatures:
                head = self.board.head(one.size)
                if head is None or head.root != one.root:
                    continue
                if self.board.sign(head, one.signature):
                    new.append(one)
            if not self._closed:
                self._store.add(new)
            return len(new)

    def prune(self, threshold: int, keys: Sequence[NoteVerifier]) -> None:
        """Forget old heads, but not the newest that enough members have signed."""
        with self.lock:
            newest = self.board.newest(threshold, keys)
            keep = -1 if newest is None else newest.size
            floor = self.board.prune(keep)
            if floor is not None and not self._closed:
                self._store.prune(floor, keep)

    def encoded(self, head: Head) -> str:
        """A head as a signed note. The last one made is kept: it is asked for many times."""
        with self.lock:
            key = (head.size, len(head.cosignatures))
            if self._note is not None and self._note[:2] == key:
                return self._note[2]
            text = Checkpoint(self.origin, head.size, head.root).text
            others = sorted(
                head.cosignatures.items(), key=lambda item: (item[0] != self._own, item[0])
            )
            most = SIGNATURES_MAX - 1  # a note with more is none to anybody
            cosignatures = (one for _, one in others[:most])
            signatures = (self._log_signature(head.size, text), *cosignatures)
            note = Note(text, signatures).encode()
            self._note = (*key, note)
            return note

    def own_note(self, size: int) -> str:
        """Our two signatures of the log's first `size` leaves, whether a block ended there or not.

        Raises `IndexError` unless 0 <= size <= the log's.
        """
        text = Checkpoint(self.origin, size, self.log.root_at(size)).text
        with self.lock:
            head = self.board.head(size)
            mine = head.cosignatures.get(self._own) if head else None
            signatures = (self._log_signature(size, text), mine or self._cosigner.sign(text))
        return Note(text, signatures).encode()

    def seen(self, key: tuple[str, bytes]) -> tuple[Checkpoint, str] | None:
        """The checkpoint last seen of a peer that was ahead of us, and its note."""
        with self.lock:
            note = None if self._closed else self._store.seen(key)
        return None if note is None else (Checkpoint.parse(Note.decode(note).text), note)

    def see(self, key: tuple[str, bytes], note: str) -> None:
        """Remember it, durably."""
        with self.lock:
            if not self._closed:
                self._store.see(key, note)

    def _log_signature(self, size: int, text: str) -> NoteSignature:
        found = self._log_signatures.get(size)
        if found is None:
            found = self._log_signatures[size] = self._signer.sign(text)
            if len(self._log_signatures) > SIZES_MAX:
                del self._log_signatures[min(self._log_signatures)]
        return found
