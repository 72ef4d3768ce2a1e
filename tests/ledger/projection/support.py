"""A small chain in memory, a handler that counts, and a fresh database for each test.

The chain answers the `BlockSource` protocol with well-formed blocks (parent hashes, leaf indices),
so that the projector is tested apart from execution and storage.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    LargeBinary,
    MetaData,
    Table,
    insert,
    select,
)

from ledger.types import (
    Address,
    Block,
    CommittedBlock,
    Hash32,
    Header,
    Log,
    PlacedLog,
    Receipt,
    Transaction,
)
from tests.postgresql import fresh_postgresql

COUNTED = Address(bytes.fromhex("00000000000000000000000000000000000000c1"))
OTHER = Address(bytes.fromhex("00000000000000000000000000000000000000c2"))
ZERO = Hash32(bytes(32))
BACKENDS = ("sqlite", "postgresql")


@pytest.fixture(params=BACKENDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database on each backend; PostgreSQL is skipped where it is not installed."""
    with empty_database(request.param, tmp_path) as url:
        yield url


@contextmanager
def empty_database(backend: str, folder: Path) -> Iterator[str]:
    """The URL of a database of that kind."""
    if backend == "sqlite":
        yield f"sqlite:///{folder / 'tally.sqlite'}"
        return
    with fresh_postgresql() as url:
        yield url


def transaction(data: bytes, to: Address | None, nonce: int, sender: Address) -> Transaction:
    """A transaction with a made-up signature: nobody here checks it."""
    raw = b"\x02" + sender + nonce.to_bytes(8, "big") + (to or b"") + data
    return Transaction(
        raw=raw,
        hash=Hash32(hashlib.sha256(raw).digest()),
        sender=sender,
        type=2,
        chain_id=1,
        nonce=nonce,
        to=to,
        value=0,
        gas=1_000_000,
        data=data,
        gas_price=0,
        max_priority_fee_per_gas=0,
        access_list=(),
        authorization_list=(),
        y_parity=0,
        r=1,
        s=1,
    )


class MemoryChain:
    """Blocks in a list; the same calls as the real ledger's."""

    def __init__(self, name: str = "one") -> None:
        self._subscribers: list[Callable[[CommittedBlock], None]] = []
        self._lock = threading.RLock()
        self._nonce = 0
        self._leaves = 0
        genesis = self._block(0, ZERO, (), hashlib.sha256(name.encode()).digest(), 1_767_225_600)
        self.blocks = [CommittedBlock(genesis, (), ())]
        self.reads = 0

    def head(self) -> Block:
        return self.blocks[-1].block

    def block(self, key: int) -> Block | None:
        return self.blocks[key].block if 0 <= key < len(self.blocks) else None

    def committed(self, number: int) -> CommittedBlock:
        self.reads += 1
        return self.blocks[number]

    def subscribe(self, callback: Callable[[CommittedBlock], None]) -> Callable[[], None]:
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback)

    @property
    def subscribers(self) -> int:
        return len(self._subscribers)

    def add(
        self,
        calls: Sequence[tuple[Address, bytes, Sequence[Log]]],
        *,
        time: int | None = None,
        sender: Address = OTHER,
    ) -> CommittedBlock:
        """Append a block: each call is (contract, calldata, the logs that it makes)."""
        with self._lock:
            parent = self.head()
            number = len(self.blocks)
            transactions = []
            for to, data, _ in calls:
                transactions.append(transaction(data, to, self._nonce, sender))
                self._nonce += 1
            when = parent.header.timestamp + 1 if time is None else time
            block = self._block(number, parent.hash, tuple(transactions), b"", when)
            placed = []
            receipts = []
            for index, (_, _, logs) in enumerate(calls):
                for log in logs:
                    place = PlacedLog(
                        log=log,
                        block_hash=block.hash,
                        block_number=number,
                        block_time=when,
                        transaction_hash=transactions[index].hash,
                        transaction_index=index,
                        log_index=len(placed),
                        leaf_index=self._leaves + len(placed),
                    )
                    placed.append(place)
                receipts.append(Receipt(2, 1, 21_000, 21_000, tuple(logs), 0, None))
            self._leaves += len(placed) + 1
            committed = CommittedBlock(block, tuple(receipts), tuple(placed))
            self.blocks.append(committed)
            for callback in tuple(self._subscribers):
                callback(committed)
            return committed

    def _block(
        self,
        number: int,
        parent: Hash32,
        transactions: tuple[Transaction, ...],
        extra: bytes,
        timestamp: int,
    ) -> Block:
        header = Header(
            parent_hash=parent,
            uncles_hash=ZERO,
            coinbase=OTHER,
            state_root=ZERO,
            transactions_root=ZERO,
            receipts_root=ZERO,
            bloom=0,
            difficulty=0,
            number=number,
            gas_limit=30_000_000,
            gas_used=0,
            timestamp=timestamp,
            extra_data=extra,
            mix_hash=ZERO,
            nonce=bytes(8),
            base_fee_per_gas=0,
            withdrawals_root=ZERO,
            blob_gas_used=0,
            excess_blob_gas=0,
            parent_beacon_block_root=ZERO,
            requests_hash=ZERO,
        )
        content = b"".join(t.hash for t in transactions)
        digest = hashlib.sha256(parent + number.to_bytes(8, "big") + extra + content).digest()
        return Block(header, Hash32(digest), transactions, 500)


metadata = MetaData()
counted = Table(
    "counted",
    metadata,
    Column("leaf_index", BigInteger, primary_key=True, autoincrement=False),
    Column("block_number", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
)


class CountingHandler:
    """Writes each log as a row: an exact-once witness, for the primary key is the leaf index."""

    def __init__(self, name: str = "counting", address: Address = COUNTED) -> None:
        self.name = name
        self.metadata = metadata
        self.address = address
        self.fail_at: int | None = None
        self.error: Exception = ValueError("told to fail")

    def apply(self, connection: Connection, block: CommittedBlock, log: PlacedLog) -> None:
        connection.execute(
            insert(counted).values(
                leaf_index=log.leaf_index, block_number=log.block_number, data=log.log.data
            )
        )
        if self.fail_at is not None and log.leaf_index >= self.fail_at:
            raise self.error

    def reset(self, connection: Connection) -> None:
        connection.execute(counted.delete())


def counted_rows(connection: Connection) -> list[tuple[int, int, bytes]]:
    rows = connection.execute(select(counted).order_by(counted.c.leaf_index)).all()
    return [(row.leaf_index, row.block_number, bytes(row.data)) for row in rows]


def expected_rows(chain: MemoryChain, address: Address = COUNTED) -> list[tuple[int, int, bytes]]:
    """What the rows must be: a plain reading of the chain."""
    return [
        (log.leaf_index, log.block_number, log.log.data)
        for block in chain.blocks
        for log in block.logs
        if log.log.address == address
    ]


def add_logs(chain: MemoryChain, *datas: bytes, address: Address = COUNTED) -> CommittedBlock:
    """One block with one call that makes these logs."""
    return chain.add([(address, b"", [Log(address, (), data) for data in datas])])
