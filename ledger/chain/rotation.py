"""Changing the key that a log is signed with, while nobody has the ledger open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ledger.chain.errors import SignerMismatch
from ledger.chain.logs import sign_head
from ledger.chain.records import read_log_head, write_log_head
from ledger.store import Store, WriteBatch
from ledger.tlog import Checkpoint, NoteSigner, TlogError, open_checkpoint, rotation_at


def rotate_log_key(
    directory: Path | str,
    old: NoteSigner,
    new: NoteSigner,
    *,
    keep: Callable[[str], None],
    map_size_bytes: int,
) -> bool:
    """Sign the log's head with `new` from now on; False where that is so already.

    `keep` is given the rotation (`ledger.tlog.open_rotation`) before anything changes, and has it
    durable when it returns: after a crash it is called again. Raises `SignerMismatch` where the
    head is signed by neither, `StoreBusy` while the ledger is open, and what the keys raise.
    """
    store = Store.open(directory, map_size_bytes)
    try:
        with store.snapshot() as snapshot:
            head = read_log_head(snapshot)
        if _signed(head.checkpoint, new):
            return False
        if not _signed(head.checkpoint, old):
            raise SignerMismatch(
                f"the log's head is signed neither by {old.vkey} nor by {new.vkey}: nothing rotated"
            )
        keep(rotation_at(Checkpoint(old.name, head.size, head.root), old, new))
        batch = WriteBatch()
        write_log_head(batch, sign_head(new.name, head.size, head.root, new))
        store.commit(batch)
        return True
    finally:
        store.close()


def _signed(note: str, signer: NoteSigner) -> bool:
    try:
        open_checkpoint(note, (signer.verifier,), 1, signer.name)
    except TlogError:
        return False
    return True
