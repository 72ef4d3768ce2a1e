"""What an open ledger is and what can be read of it."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from dataclasses import replace

from ledger.chain.errors import BlockUnknown
from ledger.chain.genesis import Genesis
from ledger.chain.reader import ChainReader
from ledger.chain.types import Head, Limits, NodeEntry
from ledger.evm import BlockEnvironment, CallRequest, CallResult, ExecutionEngine
from ledger.state import StateReader
from ledger.tlog import NoteSigner
from ledger.types import (
    Block,
    CommittedBlock,
    Hash32,
    Header,
    MinedTransaction,
    PlacedLog,
    Receipt,
)


class LedgerView:
    """The reading half of `Ledger`: of snapshots, never waiting for writing. Thread-safe."""

    _genesis: Genesis
    _signer: NoteSigner
    _engine: ExecutionEngine
    _reader: ChainReader
    _head: Head
    _limits: Limits
    _nodes: tuple[NodeEntry, ...]

    # ---- what it is -----------------------------------------------------------------------------

    @property
    def genesis(self) -> Genesis:
        """What the chain began with."""
        return self._genesis

    @property
    def chain_id(self) -> int:
        """EIP-155 chain identifier."""
        return self._genesis.chain_id

    @property
    def origin(self) -> str:
        """Name of the transparency log."""
        return self._genesis.origin

    @property
    def vkey(self) -> str:
        """Verifier key of the checkpoints (C2SP signed-note)."""
        return self._signer.vkey

    def limits(self) -> Limits:
        """The bounds of the next block: genesis, and what members changed since."""
        return self._limits

    def nodes(self) -> tuple[NodeEntry, ...]:
        """The consortium's nodes after the last block; empty where genesis names none."""
        return self._nodes

    # ---- reading --------------------------------------------------------------------------------

    def head(self) -> Block:
        """The last block."""
        return self._head.block

    def header(self, key: int | Hash32) -> Header | None:
        """A header by block number or hash, without reading the transactions."""
        found = self._reader.header(key)
        return None if found is None else found[0]

    def block(self, key: int | Hash32) -> Block | None:
        """A block by number or hash; None where there is none."""
        return self._reader.block(key)

    def transaction(self, transaction_hash: Hash32) -> MinedTransaction | None:
        """A transaction in its block; None where it is in none (yet)."""
        return self._reader.mined(transaction_hash)

    def receipts(self, block_number: int) -> tuple[Receipt, ...]:
        """Receipts of a block's transactions, in order. Raises `BlockUnknown`."""
        return self._reader.receipts(block_number)

    def receipt(self, transaction_hash: Hash32) -> tuple[MinedTransaction, Receipt] | None:
        """A transaction with its receipt; None where it is in no block (yet)."""
        mined = self._reader.mined(transaction_hash)
        if mined is None:
            return None
        return mined, self._reader.receipts(mined.block_number)[mined.index]

    def logs(self, block_number: int) -> tuple[PlacedLog, ...]:
        """Logs of a block, in order. Raises `BlockUnknown`."""
        return self._reader.logs(block_number)

    def committed(self, block_number: int) -> CommittedBlock:
        """A block with its receipts and logs. Raises `BlockUnknown`."""
        return self._reader.committed(block_number)

    def state(self, block_number: int | None = None) -> AbstractContextManager[StateReader]:
        """The state after a block, after the last one by default, for one thread and a short time.

        Entering raises `BlockUnknown`.
        """
        return self._reader.state(block_number)

    def call(self, request: CallRequest, block_number: int | None = None) -> CallResult:
        """Execute without recording, in the state after a block. Raises `BlockUnknown`."""
        number = self._number(block_number)
        with self._reader.state(number) as state:
            return self._engine.call(state, self._environment_of(number), request)

    def call_next(self, request: CallRequest) -> CallResult:
        """Execute without recording, in the block that comes next, as if it were empty."""
        head = self._head.block
        with self._reader.state(head.header.number) as state:
            return self._engine.call(state, self._environment_after(head), request)

    def estimate_gas(self, request: CallRequest, block_number: int | None = None) -> int:
        """Least gas with which a call succeeds. Raises `CallFailed`, `BlockUnknown`.

        Without a block it is in the one that comes next, where a transaction would be: a contract
        may take one change a block, and a ledger that rests has no other block for a long time.
        """
        head = self._head.block
        if block_number is None:
            number, environment = head.header.number, self._environment_after(head)
        else:
            number, environment = block_number, self._environment_of(block_number)
        with self._reader.state(number) as state:
            return self._engine.estimate_gas(state, environment, request)

    def _number(self, block_number: int | None) -> int:
        return self._head.block.header.number if block_number is None else block_number

    def _environment_after(self, head: Block) -> BlockEnvironment:
        number = head.header.number
        # A ledger that rests has an old last block; what is sent now is judged by the time of now.
        return replace(
            self._environment_of(number),
            number=number + 1,
            timestamp=max(head.header.timestamp, int(time.time())),
            parent_hash=head.hash,
        )

    def _environment_of(self, number: int) -> BlockEnvironment:
        header = self.header(number)
        if header is None:
            raise BlockUnknown(f"block {number} does not exist")
        return BlockEnvironment(
            chain_id=self.chain_id,
            number=number,
            timestamp=header.timestamp,
            gas_limit=header.gas_limit,
            coinbase=header.coinbase,
            mix_hash=header.mix_hash,
            parent_hash=header.parent_hash,
            block_hash=self._reader.block_hash,
            curve_work_max=self._genesis.limits.curve_work_max,
        )
