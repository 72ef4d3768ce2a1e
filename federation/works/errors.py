"""What a party's work for a stage cannot do."""

from __future__ import annotations

from federation.errors import FederationError
from federation.runs import StageFailed


class WorksError(FederationError):
    """Base of this room's errors."""


class KeptInvalid(WorksError, StageFailed):
    """What a former stage should have left in the party's folder is not there, or is damaged."""
