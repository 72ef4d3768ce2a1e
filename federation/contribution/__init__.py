"""What each party's data adds to a model, and the shares that follow: recomputable by anybody."""

from federation.contribution.errors import ContributionError, EvidenceInvalid, GameInvalid
from federation.contribution.measuring import (
    EXACT_PARTIES_MAX,
    evidence_of,
    measure_contribution,
    recompute,
)
from federation.contribution.sharing import shares_bp
from federation.contribution.types import (
    Coalition,
    CoalitionValue,
    Contribution,
    Method,
    PartyContribution,
    Value,
)
from federation.contribution.uplift import SourceUplift, source_uplifts, value_of_scores

__all__ = [
    "EXACT_PARTIES_MAX",
    "Coalition",
    "CoalitionValue",
    "Contribution",
    "ContributionError",
    "EvidenceInvalid",
    "GameInvalid",
    "Method",
    "PartyContribution",
    "SourceUplift",
    "Value",
    "evidence_of",
    "measure_contribution",
    "recompute",
    "shares_bp",
    "source_uplifts",
    "value_of_scores",
]
