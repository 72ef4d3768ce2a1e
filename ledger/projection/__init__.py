"""The cursor that feeds SQL from the chain, exactly once, and the database that it fills."""

from ledger.projection.database import open_database, read_transaction, write_transaction
from ledger.projection.schema import current_revisions, migration_folders, upgrade

__all__ = [
    "current_revisions",
    "migration_folders",
    "open_database",
    "read_transaction",
    "upgrade",
    "write_transaction",
]
