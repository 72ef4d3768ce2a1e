"""The `Ledger`: one open chain with its log and its mempool, in one directory."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from ledger.chain.builder import BlockBuilder, Parent
from ledger.chain.committing import batch_of, complete
from ledger.chain.encoding import decode_block, encode_number
from ledger.chain.errors import (
    BlockEmpty,
    BlockInvalid,
    ChainDamaged,
    GenesisMismatch,
    GenesisMissing,
    LedgerClosed,
    WaitTimeout,
)
from ledger.chain.genesis import Genesis
from ledger.chain.integrity import Progress, load_head, verify_chain
from ledger.chain.logs import LogView, sign_head
from ledger.chain.membership import read_limits, read_nodes
from ledger.chain.publisher import BlockFeed, PendingFeed, Waiters
from ledger.chain.reader import ChainReader
from ledger.chain.records import (
    read_consensus_mark,
    read_genesis,
    write_block,
    write_consensus_mark,
    write_genesis,
    write_log_head,
)
from ledger.chain.restoring import LedgerRestoring
from ledger.chain.senders import HeadSenders
from ledger.chain.signed_before import SignedBefore
from ledger.chain.types import Candidate, Deadlines, Dropped, Executed, Head
from ledger.chain.view import LedgerView
from ledger.closing import Closing
from ledger.evm import (
    ExecutionEngine,
    PyEvmEngine,
    TransactionRefused,
    decode_transaction,
)
from ledger.mempool import ChainRules, Mempool, MempoolLimits
from ledger.state import FlatState, write_changes
from ledger.store import MAP_SIZE_BYTES_DEFAULT, Snapshot, Store, Table, WriteBatch
from ledger.tlog import EMPTY_ROOT, NoteSigner
from ledger.types import (
    Address,
    CommittedBlock,
    Hash32,
    MinedTransaction,
    Receipt,
    Transaction,
)


class Ledger(LedgerRestoring, LedgerView, Closing):
    """Thread-safe. Reading is of snapshots and never waits for writing. Blocks are final.

    A transaction is durable once it is in a block, that is when `wait_for` has returned or its
    receipt can be read; what is only pending is lost when the process dies.
    """

    def __init__(
        self,
        store: Store,
        genesis: Genesis,
        signer: NoteSigner,
        engine: ExecutionEngine,
        head: Head,
        mempool_limits: MempoolLimits | None,
        signed_before: SignedBefore | None = None,
    ) -> None:
        """Use `Ledger.open`."""
        self._signed_before = signed_before or SignedBefore(None)
        self._store = store
        self._genesis = genesis
        self._signer = signer
        self._engine = engine
        self._head = head
        self._builder = BlockBuilder(engine, genesis.chain_id)
        self._reader = ChainReader(store)
        self._senders = HeadSenders(store, genesis.permission)
        self._writing = threading.Lock()
        self._closed = False
        self._relay: Callable[[Transaction], None] | None = None
        self._refusals: Counter[str] = Counter()
        self._read_members()
        self._waiters = Waiters()
        self._pending_feed = PendingFeed()
        self._block_feed = BlockFeed(lambda: self._head.block.header.number, self.committed)
        self.log = LogView(lambda: self._head.log, store.snapshot)
        """The transparency log."""
        self.mempool = Mempool(
            self._rules(),
            lambda: self._senders,
            mempool_limits,
            dropped=lambda transaction, reason: self._waiters.refused(transaction.hash, reason),
        )
        """What is pending. For consensus drivers; clients use `submit`."""

    @classmethod
    def open(
        cls,
        directory: Path | str,
        *,
        genesis: Genesis | None = None,
        signer: NoteSigner,
        engine: ExecutionEngine | None = None,
        mempool_limits: MempoolLimits | None = None,
        map_size_bytes: int = MAP_SIZE_BYTES_DEFAULT,
    ) -> Ledger:
        """Open the ledger in a directory; make it where there is none, for which genesis is needed.

        One process at a time. Raises `GenesisMissing`, `GenesisMismatch`, `ChainDamaged`,
        `ForkRefused`, `SignerMismatch`, `StoreBusy` and other `StoreError`s.
        """
        store = Store.open(directory, map_size_bytes)
        try:
            with store.snapshot() as snapshot:
                stored = read_genesis(snapshot)
            if stored is None:
                if genesis is None:
                    raise GenesisMissing(f"{directory} holds no ledger yet: give its genesis")
                head = _begin(store, genesis, signer)
            else:
                genesis = _same_genesis(directory, stored, genesis)
                with store.snapshot() as snapshot:
                    head = load_head(snapshot, genesis, signer)
            before = SignedBefore.load(directory, genesis.origin)
            with store.snapshot() as snapshot:
                before.check_standing(snapshot, head.log.size)
            engine = engine or PyEvmEngine()
            return cls(store, genesis, signer, engine, head, mempool_limits, before)
        except BaseException:
            store.close()
            raise

    def close(self) -> None:
        """Stop telling followers and let go of the directory. Stop consensus before."""
        with self._writing:
            if self._closed:
                return
            self._closed = True
        self.mempool.close()
        self._waiters.wake_all()
        self._block_feed.close()
        self._pending_feed.close()
        self._store.close()

    # ---- submitting and waiting -----------------------------------------------------------------

    def submit(self, raw: bytes) -> Hash32:
        """Take a signed transaction into the mempool. Returns its hash.

        Raises a `TransactionRefused`; of these, `RefusedForNow` says that the same bytes may be
        taken later, and `AlreadyKnown` that they are pending.
        """
        try:
            transaction = self._admit(raw)
        except TransactionRefused as refusal:
            self._refusals[type(refusal).__name__] += 1
            raise
        if self._relay is not None:
            self._relay(transaction)
        return transaction.hash

    def refusals(self) -> dict[str, int]:
        """Submissions refused since the ledger was opened, by the name of the refusal."""
        return dict(self._refusals)

    def receive(self, raw: bytes) -> Hash32:
        """As `submit`, for what another node sent: it is not relayed."""
        return self._admit(raw).hash

    def relay(self, callback: Callable[[Transaction], None] | None) -> None:
        """Call back, in the submitter's thread, for each transaction submitted here.

        For a consensus driver that must tell other nodes. The callback must not block or raise.
        """
        self._relay = callback

    def _admit(self, raw: bytes) -> Transaction:
        if self._closed:
            raise LedgerClosed("the ledger is closed")
        transaction = decode_transaction(raw, self._limits.transaction_size_bytes_max)
        self._waiters.admitted(transaction.hash)
        self.mempool.add(transaction)
        self._pending_feed.publish(transaction)
        return transaction

    def _read_members(self) -> None:
        """Bounds and nodes out of the stored state: at opening, and when a snapshot came in."""
        with self._store.snapshot() as snapshot:
            state = FlatState(snapshot)
            self._limits = read_limits(self._genesis, state)
            self._nodes = read_nodes(self._genesis, state)

    def _rules(self) -> ChainRules:
        limits = self._limits
        return ChainRules(
            self._genesis.chain_id, limits.block_gas_limit, limits.transaction_size_bytes_max
        )

    def pending_nonce(self, address: Address) -> int:
        """The nonce that the account's next transaction should have, pending ones counted."""
        return self.mempool.next_nonce(address)

    def pending(self) -> tuple[Transaction, ...]:
        """Transactions that wait for the next block."""
        return self.mempool.pending()

    def pending_transaction(self, transaction_hash: Hash32) -> Transaction | None:
        """A transaction that waits for a block; None where it does not."""
        return self.mempool.get(transaction_hash)

    def wait_for(
        self, transaction_hash: Hash32, timeout_s: float
    ) -> tuple[MinedTransaction, Receipt]:
        """Wait until the transaction is in a block. It is durable when this returns.

        Raises `WaitTimeout` (a `TimeoutError`), or the `TransactionRefused` for which the
        transaction left the mempool, or `LedgerClosed`.
        """
        deadline = time.monotonic() + timeout_s
        with self._waiters.listen(transaction_hash) as event:
            found = self._published(transaction_hash)
            while found is None:
                if not event.wait(max(0.0, deadline - time.monotonic())):
                    raise WaitTimeout(
                        f"transaction 0x{transaction_hash.hex()} was in no block within "
                        f"{timeout_s:g} s"
                    )
                if self._closed:
                    raise LedgerClosed("the ledger was closed meanwhile")
                found = self._published(transaction_hash)
                reason = self._waiters.reason(transaction_hash)
                if found is None and reason is not None:
                    raise reason
        return found

    def _published(self, transaction_hash: Hash32) -> tuple[MinedTransaction, Receipt] | None:
        """As `receipt`, once head and log show the block as well."""
        found = self.receipt(transaction_hash)
        if found is None or found[0].block_number > self._head.block.header.number:
            return None
        return found

    def subscribe(self, callback: Callable[[CommittedBlock], None]) -> Callable[[], None]:
        """Call back after each commit, in block order, in a thread of its own.

        The answer ends the subscription. A slow callback holds up nobody; one that raises is
        logged and called again for the next block.
        """
        return self._block_feed.subscribe(callback)

    def subscribe_pending(self, callback: Callable[[Transaction], None]) -> Callable[[], None]:
        """Call back for each transaction that becomes pending, in another thread, best effort."""
        return self._pending_feed.subscribe(callback)

    # ---- writing: for consensus -----------------------------------------------------------------

    def append_block(
        self,
        transactions: Iterable[Transaction],
        timestamp: int,
        *,
        deadlines: Deadlines | None = None,
    ) -> CommittedBlock:
        """Execute and commit the next block, of those transactions that can be part of it.

        Durable when this returns. What never can be part of a block leaves the mempool with its
        reason; what runs beyond `deadlines` stays. Raises `BlockEmpty` where none can,
        `BlockInvalid` for a time before the head's, `TransactionFailed`, `StoreFull` (nothing has
        changed then), `ForkRefused`.
        """
        with self._writing, self._open_snapshot() as snapshot:
            self._signed_before.check_own(self._head.log.size)
            parent = self._parent(snapshot)
            try:
                candidate = self._builder.build(
                    parent, transactions, timestamp, deadlines=deadlines
                )
            except BlockEmpty as empty:
                self._drop(empty.dropped)
                raise
            committed = self._commit(self._complete(snapshot, parent, candidate), None)
            self._drop(candidate.dropped)
        return committed

    def execute(
        self,
        transactions: Iterable[Transaction],
        timestamp: int,
        *,
        strict: bool = False,
        deadlines: Deadlines | None = None,
    ) -> Executed:
        """Execute the next block on the head. Nothing is kept, nothing leaves the mempool.

        A transaction that would run beyond `deadlines` cannot be part of it. With `strict` every
        transaction must be part of it, else `BlockInvalid` says which is not and why. Raises
        `BlockEmpty`, `BlockInvalid` also for a time before the head's, `TransactionFailed`.
        """
        with self._writing:  # no block is published meanwhile: snapshot and head belong together
            snapshot = self._open_snapshot()
            parent, log_size, nodes = self._parent(snapshot), self._head.log.size, self._nodes
        with snapshot:
            candidate = self._builder.build(
                parent, transactions, timestamp, strict=strict, deadlines=deadlines
            )
            return complete(self._genesis, snapshot, parent, candidate, log_size, nodes)

    def keep(self, executed: Executed | None, mark: bytes) -> CommittedBlock | None:
        """Make an executed block durable together with the driver's mark, or the mark alone.

        What never can be part of a block leaves the mempool with its reason. Raises `BlockInvalid`
        where the head is another than the block was executed on, `StoreFull` (nothing has changed
        then).
        """
        with self._writing:
            if executed is None:
                batch = WriteBatch()
                write_consensus_mark(batch, mark)
                self._store.commit(batch)
                return None
            head = self._head.block
            if executed.parent_hash != head.hash:
                raise BlockInvalid(
                    f"block {executed.block.header.number} was executed on block "
                    f"0x{executed.parent_hash.hex()}, the head is 0x{head.hash.hex()}"
                )
            committed = self._commit(executed, mark)
            self._drop(executed.dropped)
            return committed

    def consensus_mark(self) -> bytes | None:
        """What the driver gave to the last `keep`; None where none ever did."""
        with self._open_snapshot() as snapshot:
            return read_consensus_mark(snapshot)

    def validate_block(self, block: bytes) -> None:
        """Execute somebody's next block (RLP) without keeping it. Raises `BlockInvalid`."""
        header, transactions = decode_block(block, self._limits)
        with self._writing:  # no block is published meanwhile: snapshot and head belong together
            snapshot = self._open_snapshot()
            parent = self._parent(snapshot)
        with snapshot:
            self._builder.validate(parent, header, transactions)

    def import_block(self, block: bytes) -> CommittedBlock:
        """Validate and commit somebody's next block (RLP). Raises `BlockInvalid`, `StoreFull`."""
        header, transactions = decode_block(block, self._limits)
        with self._writing, self._open_snapshot() as snapshot:
            parent = self._parent(snapshot)
            candidate = self._builder.validate(parent, header, transactions)
            return self._commit(self._complete(snapshot, parent, candidate), None)

    def verify_integrity(
        self, progress: Progress = lambda _done, _all: None, *, reference: bool = False
    ) -> None:
        """Derive everything stored anew from genesis and the transactions, and compare.

        Takes as long as making all blocks once more; with `reference`, which executes them by
        py-evm's own inner loop, about three times as long. Raises `ChainDamaged`.
        """
        builder = self._builder
        if reference:
            engine = PyEvmEngine(reference=True)
            builder = BlockBuilder(engine, self.chain_id)
        with self._open_snapshot() as snapshot:
            load_head(snapshot, self._genesis, self._signer)
            verify_chain(snapshot, self._genesis, builder, progress)

    def _open_snapshot(self) -> Snapshot:
        if self._closed:
            raise LedgerClosed("the ledger is closed")
        return self._store.snapshot()

    def _parent(self, snapshot: Snapshot) -> Parent:
        head, state = self._head, FlatState(snapshot)
        if state.root != head.block.header.state_root:
            # Only after an error in the middle of `_commit`. A block on it would be a fork.
            raise ChainDamaged(
                f"the stored state is not that after block {head.block.header.number}: restart"
            )
        return Parent.of(self._genesis, head.block, head.log.root, state, self._reader.block_hash)

    def _complete(self, snapshot: Snapshot, parent: Parent, candidate: Candidate) -> Executed:
        size = self._head.log.size
        return complete(self._genesis, snapshot, parent, candidate, size, self._nodes)

    def _commit(self, executed: Executed, mark: bytes | None) -> CommittedBlock:
        """Everything of the block in one durable commit; only then does anybody see it."""
        block = executed.block
        with self._store.snapshot() as snapshot:
            self._signed_before.check_next(
                snapshot, executed.tiles, self._head.log.size, executed.log_size
            )
        log_head = sign_head(self.origin, executed.log_size, executed.log_root, self._signer)
        batch = batch_of(executed, log_head)
        if mark is not None:
            write_consensus_mark(batch, mark)
        self._store.commit(batch)
        # First of all: whatever fails from here on, no other block can be put in its place.
        self._head = Head(block, log_head)
        self._nodes = executed.nodes
        before, self._limits = self._limits, executed.limits
        committed = CommittedBlock(block, executed.receipts, executed.logs.placed)
        self._reader.remember(committed)
        self._senders = HeadSenders(self._store, self._genesis.permission)
        self.mempool.settle(block.transactions)
        if before != self._limits:
            self.mempool.set_rules(self._rules())
        self._waiters.mined(block.transactions)
        self._block_feed.notify()
        return committed

    def _drop(self, dropped: Iterable[Dropped]) -> None:
        for one in dropped:
            if one.final:
                self.mempool.drop(one.transaction, one.reason)


def _begin(store: Store, genesis: Genesis, signer: NoteSigner) -> Head:
    """Write block 0 and the empty log into a new store."""
    head = Head(genesis.block, sign_head(genesis.origin, 0, EMPTY_ROOT, signer))
    batch = WriteBatch()
    write_changes(batch, genesis.state)
    write_block(batch, genesis.block, ())
    write_genesis(batch, genesis.document)
    batch.put(Table.LEAF_INDEX, encode_number(0), encode_number(0))
    write_log_head(batch, head.log)
    store.commit(batch)
    return head


def _same_genesis(directory: Path | str, stored: bytes, given: Genesis | None) -> Genesis:
    if given is not None and given.document == stored:
        return given
    genesis = Genesis.decode(stored)
    if given is None:
        return genesis
    if genesis.block.hash != given.block.hash or genesis.rules != given.rules:
        raise GenesisMismatch(
            f"{directory} holds the ledger with genesis 0x{genesis.block.hash.hex()} "
            f"({genesis.origin}), not 0x{given.block.hash.hex()} ({given.origin}): "
            "use another directory"
        )
    return genesis
