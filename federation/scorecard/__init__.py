"""Logistic regression on weight of evidence over columns of several parties.

Everything that goes between the parties is a sum over rows, sealed by the guest, added up unread
by the hosts (`federation.sums`): bads of each group for its evidence, then the weighted moments of
which a Newton step is made. No row's part of a margin leaves a host in one step.
"""

from federation.scorecard.coding import EVIDENCE_BITS, MARGIN_BITS, WEIGHT_BITS, Coding
from federation.scorecard.errors import (
    DataInvalid,
    PartInvalid,
    PartsWrong,
    PartyWrong,
    ScorecardError,
    SettingsInvalid,
)
from federation.scorecard.guest import fit_as_guest
from federation.scorecard.host import fit_as_host
from federation.scorecard.parts import Feature, GuestPart, HostPart, hash_of
from federation.scorecard.scoring import score_as_guest, score_as_host
from federation.scorecard.types import ScorecardSettings

__all__ = [
    "EVIDENCE_BITS",
    "MARGIN_BITS",
    "WEIGHT_BITS",
    "Coding",
    "DataInvalid",
    "Feature",
    "GuestPart",
    "HostPart",
    "PartInvalid",
    "PartsWrong",
    "PartyWrong",
    "ScorecardError",
    "ScorecardSettings",
    "SettingsInvalid",
    "fit_as_guest",
    "fit_as_host",
    "hash_of",
    "score_as_guest",
    "score_as_host",
]
