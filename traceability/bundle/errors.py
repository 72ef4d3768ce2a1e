"""What can be wrong with proof bundles and trust files."""

from __future__ import annotations

from traceability.errors import TraceabilityError


class BundleError(TraceabilityError):
    """Base of the errors about proof bundles and trust files."""


class BundleMalformed(BundleError):
    """The bytes are not a proof bundle."""


class BundleFormatUnknown(BundleError):
    """A proof bundle, but of a format that this program does not know."""


class NotProvableYet(BundleError):
    """The event's leaf is not below the log's checkpoint yet; it soon will be."""


class TrustMalformed(BundleError):
    """The bytes are not a trust file."""


class TrustConflict(BundleError):
    """The trust store holds something else for the same log."""


class VersionsUnproven(BundleError):
    """What should prove a later version of the Provenance contract does not."""
