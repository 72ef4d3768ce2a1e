"""Tables, and the batch of writes that one commit makes durable."""

from __future__ import annotations

from enum import StrEnum

from ledger.store.errors import KeyInvalid

KEY_SIZE_BYTES_MAX = 511
"""LMDB's bound on keys, as it is commonly built."""
SCHEMA_VERSION = 1


class Table(StrEnum):
    """The named tables. Numbers in keys are big-endian: keys are in order of numbers."""

    META = "meta"
    """Name to value: schema version, head, genesis, log size."""
    HEADERS = "headers"
    """Block number (8 bytes) to header RLP."""
    BODIES = "bodies"
    """Block number to the block's transactions."""
    RECEIPTS = "receipts"
    """Block number to the block's receipts."""
    BLOCK_NUMBER_BY_HASH = "block_number_by_hash"
    TRANSACTION_LOCATION = "transaction_location"
    """Transaction hash to block number and index."""
    ACCOUNTS = "accounts"
    """Address to the latest account."""
    SLOTS = "slots"
    """Address and slot (20 + 32 bytes) to the latest non-zero value, big-endian, shortest."""
    CODE = "code"
    """keccak-256 to contract code."""
    NODES = "nodes"
    """keccak-256 to trie node RLP: every node of every past state."""
    TILES = "tiles"
    """Log tiles by level and index."""
    ENTRIES = "entries"
    """Log leaf data by leaf index."""
    LEAF_INDEX = "leaf_index"
    """Block number to the index of the block's first leaf."""


class WriteBatch:
    """Writes that are committed together, in the order they were added. Not thread-safe."""

    __slots__ = ("operations", "size_bytes")

    def __init__(self) -> None:
        self.operations: list[tuple[Table, bytes, bytes | None, bool]] = []
        """(table, key or prefix, value or None to delete, whether key is a prefix)."""
        self.size_bytes = 0
        """Bytes of keys and values so far."""

    def put(self, table: Table, key: bytes, value: bytes) -> None:
        """Set a key. Raises `KeyInvalid`."""
        self._check(table, key)
        self.size_bytes += len(key) + len(value)
        self.operations.append((table, key, value, False))

    def delete(self, table: Table, key: bytes) -> None:
        """Delete a key, if it is there. Raises `KeyInvalid`."""
        self._check(table, key)
        self.size_bytes += len(key)
        self.operations.append((table, key, None, False))

    def delete_prefix(self, table: Table, prefix: bytes) -> None:
        """Delete all keys that begin with `prefix` (not empty). Raises `KeyInvalid`."""
        self._check(table, prefix)
        self.size_bytes += len(prefix)
        self.operations.append((table, prefix, None, True))

    def __len__(self) -> int:
        return len(self.operations)

    @staticmethod
    def _check(table: Table, key: bytes) -> None:
        if not 0 < len(key) <= KEY_SIZE_BYTES_MAX:
            raise KeyInvalid(
                f"key of {len(key)} bytes for table {table}: 1 to {KEY_SIZE_BYTES_MAX} are possible"
            )
