"""What goes wrong with backups and with putting them back."""

from __future__ import annotations

from nodes.operations.errors import OperationsError


class BackupError(OperationsError):
    """Base of these errors."""


class BackupFailed(BackupError):
    """The backup could not be made; nothing of it was left."""


class BackupDamaged(BackupError):
    """The backup is not as it was when it was made, or never was one."""


class RestoreRefused(BackupError):
    """Putting the backup back would lose or contradict what the node has signed, or overwrite."""
