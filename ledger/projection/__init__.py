"""The cursor that feeds SQL from the chain, exactly once, and the database that it fills."""

from ledger.projection.committer import GroupCommitter
from ledger.projection.database import open_database, read_transaction, write_transaction
from ledger.projection.errors import (
    CommitError,
    CommitterStopped,
    DatabaseUrlInvalid,
    ProjectionAhead,
    ProjectionDiverged,
    ProjectionError,
    ProjectionFailed,
    ProjectionForeign,
    ProjectionStopped,
    ProjectionTimeout,
    SchemaError,
    StorageFailed,
    StorageFull,
)
from ledger.projection.projector import Progress, Projector
from ledger.projection.protocol import BlockSource, FollowingHandler, Handler
from ledger.projection.schema import current_revisions, migration_folders, upgrade
from ledger.projection.types import ProjectorState, ProjectorStatus
from ledger.projection.writes import flush, write_later

__all__ = [
    "BlockSource",
    "CommitError",
    "CommitterStopped",
    "DatabaseUrlInvalid",
    "FollowingHandler",
    "GroupCommitter",
    "Handler",
    "Progress",
    "ProjectionAhead",
    "ProjectionDiverged",
    "ProjectionError",
    "ProjectionFailed",
    "ProjectionForeign",
    "ProjectionStopped",
    "ProjectionTimeout",
    "Projector",
    "ProjectorState",
    "ProjectorStatus",
    "SchemaError",
    "StorageFailed",
    "StorageFull",
    "current_revisions",
    "flush",
    "migration_folders",
    "open_database",
    "read_transaction",
    "upgrade",
    "write_later",
    "write_transaction",
]
