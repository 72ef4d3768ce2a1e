"""Storage: LMDB, named tables, snapshots, one durable commit."""

from ledger.store.errors import (
    KeyInvalid,
    SchemaMismatch,
    StoreBusy,
    StoreClosed,
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreMissing,
)
from ledger.store.snapshot import Snapshot
from ledger.store.staged import StagedStore
from ledger.store.store import MAP_SIZE_BYTES_DEFAULT, Store
from ledger.store.types import SCHEMA_VERSION, Table, WriteBatch

__all__ = [
    "MAP_SIZE_BYTES_DEFAULT",
    "SCHEMA_VERSION",
    "KeyInvalid",
    "SchemaMismatch",
    "Snapshot",
    "StagedStore",
    "Store",
    "StoreBusy",
    "StoreClosed",
    "StoreDamaged",
    "StoreError",
    "StoreFull",
    "StoreMissing",
    "Table",
    "WriteBatch",
]
