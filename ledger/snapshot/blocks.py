"""Blocks out of a snapshot: held against each other and against the log, and written."""

from __future__ import annotations

from ledger.chain import Genesis
from ledger.chain.encoding import encode_number, load_receipts, pack, unpack
from ledger.chain.logs import leaves_of
from ledger.errors import LedgerError
from ledger.evm import contract_address, decode_transaction
from ledger.evm.codec import decode_header, list_root
from ledger.snapshot.bounds import RecordBounds, receipts_size_max
from ledger.snapshot.errors import SnapshotWrong
from ledger.snapshot.leaves import LeafIntake
from ledger.snapshot.manifest import Manifest
from ledger.snapshot.writing import Appender
from ledger.sorting import Sorter
from ledger.state import keccak
from ledger.state.rlp import payload_span
from ledger.store import StagedStore, Table
from ledger.types import Hash32, Header, Receipt

_NUMBER_BYTES = 8
_HASH_BYTES = 32
_TRANSACTION_SIZE_BYTES_MAX = 1 << 30
"""Transactions passed the chain's bound when they came in, which members may have changed since."""
_PLACE_OF_RECIPIENT = {1: 4, 2: 5, 4: 5}
"""Which item of a typed transaction's list says to whom it goes (EIP-2930, 1559, 7702)."""
_PLACE_IN_LEGACY = 3


class BlockIntake:
    """All blocks in order, from the one after genesis to the head."""

    def __init__(
        self, staged: StagedStore, genesis: Genesis, manifest: Manifest, bounds: RecordBounds
    ) -> None:
        self._staged = staged
        self._manifest = manifest
        self._bounds = bounds
        self._block = genesis.block.header, genesis.block.hash
        self._headers = Appender(staged, Table.HEADERS)
        self._bodies = Appender(staged, Table.BODIES)
        self._receipts = Appender(staged, Table.RECEIPTS)
        self._numbers = Sorter(staged.directory)
        self._locations = Sorter(staged.directory)
        self._leaves = LeafIntake(staged)

    @property
    def count(self) -> int:
        """Number of the last block."""
        return self._block[0].number

    @property
    def leaves(self) -> LeafIntake:
        """The log so far."""
        return self._leaves

    @property
    def head(self) -> tuple[Header, Hash32]:
        """The last block's header and hash."""
        return self._block

    def take_genesis(self, header: bytes, block_hash: Hash32) -> None:
        """Block 0, which has no leaves."""
        number = encode_number(0)
        empty = pack(())
        self._write(number, header, empty, empty, block_hash)
        self._leaves.begin_block(number)

    def take(self, payload: bytes) -> None:
        """The next block. Raises `SnapshotWrong`."""
        number = self.count + 1
        try:
            self._take(number, payload)
        except SnapshotWrong:
            raise
        except (LedgerError, ValueError) as error:
            raise SnapshotWrong(f"block {number}: {error}") from error

    def _take(self, number: int, payload: bytes) -> None:
        if number > self._manifest.block_number:
            raise SnapshotWrong(f"block {number} in a snapshot of {number - 1} blocks")
        encoded, body, stored, entries = _unpack(payload, 4)
        header, block_hash = decode_header(encoded), Hash32(keccak(encoded))
        self._check_link(header, number)
        self._check_size(header, stored)
        transactions, records = _unpack(body), _unpack(stored)
        if not transactions or len(transactions) != len(records):
            raise SnapshotWrong(
                f"block {number} has {len(transactions)} transactions and {len(records)} receipts"
            )
        if list_root(transactions) != header.transactions_root:
            raise SnapshotWrong(f"block {number}: the transactions are not those of the header")
        receipts = _receipts(number, header, transactions, records)
        hashes = [Hash32(keccak(raw)) for raw in transactions]
        leaves = leaves_of(header, block_hash, hashes, receipts)
        if _unpack(entries) != leaves:
            raise SnapshotWrong(f"block {number}: the log entries are not those of its receipts")
        if self._leaves.root() != header.extra_data:
            raise SnapshotWrong(f"block {number} does not name the log's root before it")
        key = encode_number(number)
        self._leaves.begin_block(key)
        self._leaves.take(leaves)
        self._write(key, encoded, body, stored, block_hash)
        for index, transaction_hash in enumerate(hashes):
            self._locations.add(transaction_hash + key + index.to_bytes(4, "big"))
        self._block = header, block_hash

    def _check_link(self, header: Header, number: int) -> None:
        before, parent_hash = self._block
        if header.number != number:
            raise SnapshotWrong(f"block {header.number} where block {number} was due")
        if header.parent_hash != parent_hash:
            raise SnapshotWrong(
                f"block {number} has parent 0x{header.parent_hash.hex()}, "
                f"block {number - 1} is 0x{parent_hash.hex()}"
            )
        if header.timestamp < before.timestamp:
            raise SnapshotWrong(f"block {number} is older than its parent")

    def _check_size(self, header: Header, receipts: bytes) -> None:
        """Before anything is made of the receipts: what they hold was paid for with gas."""
        number, gas_max = header.number, self._bounds.gas
        if header.gas_used > gas_max:
            raise SnapshotWrong(f"block {number} used {header.gas_used} gas, more than {gas_max}")
        if len(receipts) > receipts_size_max(header.gas_used):
            raise SnapshotWrong(
                f"block {number} has {len(receipts)} bytes of receipts for {header.gas_used} gas"
            )

    def _write(
        self, number: bytes, header: bytes, body: bytes, receipts: bytes, block_hash: Hash32
    ) -> None:
        self._headers.add(number, header)
        self._bodies.add(number, body)
        self._receipts.add(number, receipts)
        self._numbers.add(block_hash + number)

    def finish(self) -> None:
        """After the last block: write what is ordered by hash. Raises `SnapshotWrong`."""
        header, block_hash = self._block
        manifest = self._manifest
        if (header.number, block_hash) != (manifest.block_number, manifest.block_hash):
            raise SnapshotWrong(
                f"the chain ends with block {header.number}, 0x{block_hash.hex()}, not with "
                f"block {manifest.block_number}, 0x{manifest.block_hash.hex()}"
            )
        for appender in (self._headers, self._bodies, self._receipts):
            appender.flush()
        self._leaves.finish()
        self._append(Table.BLOCK_NUMBER_BY_HASH, self._numbers)
        self._append(Table.TRANSACTION_LOCATION, self._locations)

    def _append(self, table: Table, sorter: Sorter) -> None:
        items = ((item[:_HASH_BYTES], item[_HASH_BYTES:]) for item in sorter.sorted())
        try:
            self._staged.append(table, items)
        except ValueError as error:
            raise SnapshotWrong(f"two blocks or two transactions have one hash: {error}") from error
        finally:
            sorter.close()

    def close(self) -> None:
        """Let go of temporary files."""
        self._numbers.close()
        self._locations.close()


def _unpack(data: bytes, count: int | None = None) -> list[bytes]:
    """The parts of a packed record, in its one spelling."""
    parts = unpack(data)
    if pack(parts) != data or (count is not None and len(parts) != count):
        raise SnapshotWrong(f"a packed record of {len(parts)} parts is not as it is written")
    return parts


def _receipts(
    number: int, header: Header, transactions: list[bytes], records: list[bytes]
) -> tuple[Receipt, ...]:
    """Receipts that are the header's, and whose other parts follow from the transactions."""
    receipts = load_receipts(records)
    if list_root([one[1 + one[0] :] for one in records]) != header.receipts_root:
        raise SnapshotWrong(f"block {number}: the receipts are not those of the header")
    if receipts[-1].cumulative_gas_used != header.gas_used:
        raise SnapshotWrong(f"block {number}: the receipts have another gas than the header")
    for index, (raw, receipt) in enumerate(zip(transactions, receipts, strict=True)):
        if receipt.type != (raw[0] if raw[0] < 0xC0 else 0):
            raise SnapshotWrong(f"block {number}: receipt {index} is of another type")
        if not _creates(raw):
            if receipt.contract_address is None:
                continue
            raise SnapshotWrong(f"block {number}: receipt {index} names a contract, wrongly")
        transaction = decode_transaction(raw, _TRANSACTION_SIZE_BYTES_MAX)
        if receipt.contract_address != contract_address(transaction.sender, transaction.nonce):
            raise SnapshotWrong(f"block {number}: receipt {index} names another contract")
    return receipts


def _creates(raw: bytes) -> bool:
    """Whether a transaction goes to nobody, found without recovering who sent it."""
    typed = raw[0] < 0xC0
    place = _PLACE_OF_RECIPIENT.get(raw[0]) if typed else _PLACE_IN_LEGACY
    if place is None:
        raise SnapshotWrong(f"a transaction of type {raw[0]}")
    start, end, is_list = payload_span(raw, int(typed), len(raw))
    if not is_list:
        raise SnapshotWrong("a transaction that is no list")
    for _ in range(place):
        _, start, _ = payload_span(raw, start, end)
    begin, after, _ = payload_span(raw, start, end)
    return begin == after
