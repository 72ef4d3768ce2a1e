"""What can go wrong between the chain and its SQL projection."""

from __future__ import annotations

from ledger.errors import LedgerError


class ProjectionError(LedgerError):
    """Base of all errors of this room."""


class DatabaseUrlInvalid(ProjectionError):
    """The database URL is not one that this software can serve."""


class SchemaError(ProjectionError):
    """Migrations could not be applied, or the database is newer than this software."""


class ProjectionForeign(ProjectionError):
    """The database was filled from another ledger."""


class ProjectionAhead(ProjectionError):
    """The database knows blocks that the ledger does not have."""


class ProjectionDiverged(ProjectionError):
    """The block that the database stopped at is another one on the ledger."""


class ProjectionBehind(ProjectionError):
    """The database has forgotten blocks that it had applied; they are to be applied again."""


class ProjectionFailed(ProjectionError):
    """A handler failed; nothing after that block is applied until it is mended."""


class ProjectionStopped(ProjectionError):
    """The projector does not run, so the awaited block will not come."""


class ProjectionTimeout(ProjectionError):
    """The awaited block was not applied in time; it may still be."""


class CommitError(ProjectionError):
    """What was to be durable was not stored."""


class StorageFull(CommitError):
    """The disk is full: nothing was stored."""


class StorageFailed(CommitError):
    """It could not be stored for another reason than space; nothing was stored."""


class CommitterStopped(CommitError):
    """Nothing is taken any more: the node is stopping."""
