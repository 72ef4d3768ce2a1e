"""Which rows the parties have in common: private set intersection by Diffie-Hellman.

Each party hashes its ids to points of a curve and multiplies them by a secret of its own. Points
that every party has multiplied are equal where the ids are, and say nothing of an id to anybody
who lacks one of the secrets (Meadows 1986; Huberman, Franklin and Hogg 1999). With several hosts
each set goes, through the guest, by every other party, and each shuffles it; the guest compares,
and only for the common rows the shuffles are undone. What is learnt: docs/federation/README.md.
"""

from federation.alignment.errors import (
    AlignmentError,
    CommonTooFew,
    IdsInvalid,
    SettingsInvalid,
)
from federation.alignment.guest import align_as_guest
from federation.alignment.host import align_as_host
from federation.alignment.types import AlignmentSettings, Progress

__all__ = [
    "AlignmentError",
    "AlignmentSettings",
    "CommonTooFew",
    "IdsInvalid",
    "Progress",
    "SettingsInvalid",
    "align_as_guest",
    "align_as_host",
]
