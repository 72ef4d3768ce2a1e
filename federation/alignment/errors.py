"""What can go wrong in alignment at this side; what a peer does wrong is a `ChannelError`."""

from __future__ import annotations

from federation.errors import FederationError


class AlignmentError(FederationError):
    """Base class of everything that alignment refuses."""


class SettingsInvalid(AlignmentError):
    """A setting is out of its bounds."""


class IdsInvalid(AlignmentError):
    """Our own ids cannot be aligned: one stands twice, is empty, too long, or there are too many.

    The message says in which rows, never the id: it may end in a log.
    """


class CommonTooFew(AlignmentError):
    """Fewer rows are common than this party agreed to work with."""
