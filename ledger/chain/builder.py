"""Executing a block on top of its parent: our own, or one that somebody else made."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ledger.chain.encoding import sized_block
from ledger.chain.errors import BlockEmpty, BlockInvalid, TransactionFailed
from ledger.chain.genesis import Genesis
from ledger.chain.membership import read_limits
from ledger.chain.permission import Permission
from ledger.chain.types import Candidate, Deadlines, Dropped, Limits
from ledger.errors import LedgerError
from ledger.evm import (
    EMPTY_REQUESTS_HASH,
    EMPTY_ROOT,
    EMPTY_UNCLES_HASH,
    BlockEnvironment,
    ExecutionEngine,
    receipts_root,
    transactions_root,
)
from ledger.evm.errors import (
    EvmError,
    GasLimitExceeded,
    NonceTooHigh,
    TimeLimitExceeded,
    TransactionRefused,
    TransactionTooLarge,
)
from ledger.state import StateChanges, StateError, StateReader
from ledger.store import StoreError
from ledger.types import Address, Block, Hash32, Header, Receipt, Transaction

ZERO_HASH = Hash32(bytes(32))
ZERO_ADDRESS = Address(bytes(20))
_NOT_OF_THE_TRANSACTION = (LedgerError, StoreError, StateError, MemoryError)
_PROTOCOL_NONCE = bytes(8)


@dataclass(frozen=True, slots=True)
class Parent:
    """What a block is built on."""

    block: Block
    log_root: bytes
    state: StateReader
    permission: Permission
    """Of `state`."""
    limits: Limits
    """Of `state`."""
    block_hash: Callable[[int], Hash32 | None]

    @classmethod
    def of(
        cls,
        genesis: Genesis,
        block: Block,
        log_root: bytes,
        state: StateReader,
        block_hash: Callable[[int], Hash32 | None],
    ) -> Parent:
        """With the permission and the bounds that stand in its state."""
        permission = Permission(genesis.permission, state)
        return cls(block, log_root, state, permission, read_limits(genesis, state), block_hash)


class BlockBuilder:
    """Rules of the chain over an engine. Thread-safe as the engine is."""

    def __init__(self, engine: ExecutionEngine, chain_id: int) -> None:
        self._engine = engine
        self._chain_id = chain_id

    def build(
        self,
        parent: Parent,
        transactions: Iterable[Transaction],
        timestamp: int,
        *,
        strict: bool = False,
        deadlines: Deadlines | None = None,
    ) -> Candidate:
        """Make the next block of those transactions that can be part of it, in their order.

        What would run beyond `deadlines` is not (`TimeLimitExceeded`). Raises `BlockInvalid` for a
        time before the parent's, and with `strict` for any transaction that cannot be part of it;
        `BlockEmpty` where no transaction is left; `TransactionFailed` for a fault of the engine.
        """
        return self._execute(parent, transactions, timestamp, strict, deadlines)

    def validate(
        self, parent: Parent, header: Header, transactions: tuple[Transaction, ...]
    ) -> Candidate:
        """Execute somebody else's block and hold every field of its header against ours.

        Raises `BlockInvalid`, saying what is wrong.
        """
        number = parent.block.header.number + 1
        if header.number != number:
            raise BlockInvalid(f"block {header.number} where block {number} was due")
        if header.parent_hash != parent.block.hash:
            raise BlockInvalid(
                f"block {number} has parent 0x{header.parent_hash.hex()}; "
                f"block {number - 1} here is 0x{parent.block.hash.hex()}"
            )
        try:
            candidate = self._execute(parent, transactions, header.timestamp, True, None)
        except BlockEmpty as error:
            raise BlockInvalid(f"block {number} has no transactions") from error
        _compare(header, candidate.block.header)
        return candidate

    def _execute(
        self,
        parent: Parent,
        transactions: Iterable[Transaction],
        timestamp: int,
        strict: bool,
        deadlines: Deadlines | None,
    ) -> Candidate:
        last = parent.block.header
        if timestamp < last.timestamp:
            raise BlockInvalid(
                f"block {last.number + 1} has time {timestamp}, before its parent's "
                f"{last.timestamp}"
            )
        env = self.environment(parent, timestamp)
        execution = self._engine.begin(parent.state, env)
        taken: list[Transaction] = []
        receipts: list[Receipt] = []
        dropped: list[Dropped] = []
        waiting: set[Address] = set()
        """Senders of whom a transaction must wait: all their later ones must as well."""
        size_bytes = 0
        for transaction in transactions:
            if transaction.sender in waiting:
                continue
            try:
                size_after = size_bytes + len(transaction.raw)
                self._check(parent, transaction, size_after)
                receipt = execution.apply(transaction, _deadline(deadlines, first=not taken))
            except TransactionRefused as refused:
                if strict:
                    raise BlockInvalid(
                        f"block {env.number}, transaction {len(taken)} "
                        f"(0x{transaction.hash.hex()}): {refused}"
                    ) from refused
                place = Dropped(transaction, refused, _is_final(refused, transaction, env))
                dropped.append(place)
                if not place.final:
                    waiting.add(transaction.sender)
            except (*_NOT_OF_THE_TRANSACTION, EvmError):
                raise
            except Exception as fault:
                raise TransactionFailed(Dropped(transaction, fault, final=False)) from fault
            else:
                size_bytes = size_after
                taken.append(transaction)
                receipts.append(receipt)
        if not taken:
            raise BlockEmpty(dropped)
        changes = execution.seal()
        header = _header(parent, env, changes, taken, receipts)
        return Candidate(
            sized_block(header, tuple(taken)), tuple(receipts), changes, tuple(dropped)
        )

    def environment(self, parent: Parent, timestamp: int) -> BlockEnvironment:
        """The block that transactions run in."""
        last = parent.block.header
        return BlockEnvironment(
            chain_id=self._chain_id,
            number=last.number + 1,
            timestamp=timestamp,
            gas_limit=parent.limits.block_gas_limit,
            coinbase=ZERO_ADDRESS,
            mix_hash=ZERO_HASH,
            parent_hash=parent.block.hash,
            block_hash=parent.block_hash,
            curve_work_max=parent.limits.curve_work_max,
        )

    def _check(self, parent: Parent, transaction: Transaction, size_after: int) -> None:
        """Rules of the chain that the engine does not know. Raises a `TransactionRefused`."""
        parent.permission.check(transaction.sender)
        limits = parent.limits
        if len(transaction.raw) > limits.transaction_size_bytes_max:
            raise TransactionTooLarge(
                f"transaction of {len(transaction.raw)} bytes; this chain takes at most "
                f"{limits.transaction_size_bytes_max}"
            )
        if size_after > limits.block_size_bytes_max:
            raise GasLimitExceeded(
                f"the block's transactions would have {size_after} bytes; "
                f"{limits.block_size_bytes_max} are possible"
            )


def _deadline(deadlines: Deadlines | None, *, first: bool) -> float | None:
    if deadlines is None:
        return None
    return deadlines.first if first else deadlines.others


def _is_final(refused: TransactionRefused, transaction: Transaction, env: BlockEnvironment) -> bool:
    if isinstance(refused, GasLimitExceeded):
        return transaction.gas > env.gas_limit
    return not isinstance(refused, NonceTooHigh | TimeLimitExceeded)


def _header(
    parent: Parent,
    env: BlockEnvironment,
    changes: StateChanges,
    transactions: list[Transaction],
    receipts: list[Receipt],
) -> Header:
    bloom = 0
    for receipt in receipts:
        bloom |= receipt.bloom
    return Header(
        parent_hash=env.parent_hash,
        uncles_hash=EMPTY_UNCLES_HASH,
        coinbase=env.coinbase,
        state_root=changes.root,
        transactions_root=transactions_root(transactions),
        receipts_root=receipts_root(receipts),
        bloom=bloom,
        difficulty=0,
        number=env.number,
        gas_limit=env.gas_limit,
        gas_used=receipts[-1].cumulative_gas_used,
        timestamp=env.timestamp,
        extra_data=parent.log_root,
        mix_hash=env.mix_hash,
        nonce=_PROTOCOL_NONCE,
        base_fee_per_gas=0,
        withdrawals_root=EMPTY_ROOT,
        blob_gas_used=0,
        excess_blob_gas=0,
        parent_beacon_block_root=env.parent_beacon_block_root,
        requests_hash=EMPTY_REQUESTS_HASH,
    )


def _compare(claimed: Header, computed: Header) -> None:
    for name in Header.__slots__:
        theirs, ours = getattr(claimed, name), getattr(computed, name)
        if theirs != ours:
            raise BlockInvalid(
                f"block {computed.number}: {name} is {_shown(theirs)}, "
                f"but executing the block gives {_shown(ours)}"
            )


def _shown(value: object) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)[:80]
