"""Copying an open ledger, and filling one without a block from a snapshot at one stroke."""

from __future__ import annotations

import threading
from pathlib import Path

from ledger.chain.errors import LedgerClosed, NotAtGenesis
from ledger.chain.genesis import Genesis
from ledger.chain.integrity import load_head
from ledger.chain.publisher import BlockFeed
from ledger.chain.reader import ChainReader
from ledger.chain.senders import HeadSenders
from ledger.chain.signed_before import SignedBefore
from ledger.chain.types import Head
from ledger.mempool import ChainRules, Mempool
from ledger.store import StagedStore, Store
from ledger.tlog import NoteSigner
from ledger.types import Block


class LedgerRestoring:
    """The part of `Ledger` that backups and snapshots use. Thread-safe."""

    _store: Store
    _genesis: Genesis
    _signer: NoteSigner
    _signed_before: SignedBefore
    _head: Head
    _reader: ChainReader
    _senders: HeadSenders
    _writing: threading.Lock
    _closed: bool
    _block_feed: BlockFeed
    mempool: Mempool

    @property
    def signer(self) -> NoteSigner:
        """What signs the log."""
        return self._signer

    def stage(self) -> StagedStore:
        """An empty store beside the ledger's own, for `adopt`. Nobody sees what is put into it.

        Close it where it is not adopted. Raises `NotAtGenesis`, `LedgerClosed`, `StoreFull`.
        """
        with self._writing:
            self._need_empty()
            return self._store.stage()

    def adopt(self, staged: StagedStore) -> Block:
        """Take a staged store as the chain: readers, followers and the mempool see its head.

        A crash leaves either the ledger as it was or the whole chain. Followers are told of each
        block, in order. Raises `NotAtGenesis`, `ChainDamaged` or `SignerMismatch` where the parts
        do not agree, `ForkRefused`, `LedgerClosed`, `StoreFull`; nothing has changed then.
        """
        with self._writing:
            self._need_empty()
            with staged.snapshot() as snapshot:
                head = load_head(snapshot, self._genesis, self._signer)
                self._signed_before.check_standing(snapshot, head.log.size)
            self._store.adopt(staged)
            self._reader = ChainReader(self._store)
            self._senders = HeadSenders(self._store, self._genesis.permission)
            self._read_members()
            self._head = head
            self.mempool.set_rules(self._rules())
            self._block_feed.notify()
            return head.block

    def copy(self, directory: Path | str) -> None:
        """Write a consistent copy of the chain while it stays in use. Raises `StoreFull`."""
        self._store.copy(directory)

    def _need_empty(self) -> None:
        if self._closed:
            raise LedgerClosed("the ledger is closed")
        number = self._head.block.header.number
        if number:
            raise NotAtGenesis(
                f"the ledger has {number} blocks: a snapshot is for a new node's folder only"
            )

    def _read_members(self) -> None:
        raise NotImplementedError

    def _rules(self) -> ChainRules:
        raise NotImplementedError
