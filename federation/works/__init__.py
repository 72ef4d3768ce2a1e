"""What a party does in each stage of a run over the columns of several parties."""

from __future__ import annotations

from collections.abc import Mapping

from federation.runs import PartyWork
from federation.works.algorithms import ALGORITHMS, Algorithm
from federation.works.aligning import Aligning
from federation.works.contributing import Contributing
from federation.works.errors import KeptInvalid, WorksError
from federation.works.keeping import kept_evidence, kept_margins, kept_model, kept_rows
from federation.works.scoring import Scoring
from federation.works.training import Training
from federation.works.types import (
    AlignmentConfig,
    DataOf,
    OwnData,
    ScoringConfig,
    TrainingConfig,
)

__all__ = [
    "ALGORITHMS",
    "Algorithm",
    "AlignmentConfig",
    "DataOf",
    "KeptInvalid",
    "OwnData",
    "ScoringConfig",
    "TrainingConfig",
    "WorksError",
    "kept_evidence",
    "kept_margins",
    "kept_model",
    "kept_rows",
    "works",
]


def works(data_of: DataOf) -> Mapping[str, PartyWork]:
    """A party's functions by the names that stages use: `alignment`, `scorecard`, `trees`,
    `scoring`, `contribution`."""
    found: dict[str, PartyWork] = {
        name: Training(data_of, algorithm) for name, algorithm in ALGORITHMS.items()
    }
    return found | {
        "alignment": Aligning(data_of),
        "contribution": Contributing(data_of),
        "scoring": Scoring(data_of, ALGORITHMS),
    }
