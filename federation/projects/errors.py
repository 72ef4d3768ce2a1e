"""What an agreement cannot be."""

from __future__ import annotations

from federation.errors import FederationError


class ProjectsError(FederationError):
    """Base of this room's errors."""


class AgreementInvalid(ProjectsError):
    """A document that is no agreement, or one that cannot be kept to."""


class FieldsInvalid(ProjectsError):
    """A document that does not say which fields are shared."""
