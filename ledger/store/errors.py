"""What can go wrong with storage."""

from __future__ import annotations

from ledger.errors import LedgerError


class StoreError(LedgerError):
    """Base of all errors of the store."""


class StoreFull(StoreError):
    """The map or the disk has no room. The commit was refused as a whole; nothing changed."""


class StoreBusy(StoreError):
    """Another process (or another `Store` of this one) has the store open for writing."""


class StoreMissing(StoreError):
    """There is no store at this path."""


class SchemaMismatch(StoreError):
    """The store was written by a version of the software with another layout."""


class StoreDamaged(StoreError):
    """The file is not a store, or its pages are broken."""


class StoreClosed(StoreError):
    """The store, or the snapshot, is closed."""


class KeyInvalid(StoreError):
    """A key is empty or longer than LMDB takes."""
