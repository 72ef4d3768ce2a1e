"""Sums of vectors of which nobody sees a single one.

Members of a group hold a vector each; a server adds. It sees only vectors under masks that cancel
in the sum (Bonawitz et al. 2017), also when members drop out at any moment, as long as a threshold
of them stays.
"""

from federation.masking.errors import (
    GroupRefused,
    MaskingEnded,
    MaskingError,
    ServerLied,
    SharesRefused,
    StepRepeated,
    SumImpossible,
    VectorRefused,
)
from federation.masking.fixed import fixed_bound, from_fixed, to_fixed
from federation.masking.party import Contributor
from federation.masking.server import Collector
from federation.masking.types import LENGTH_MAX, PARTIES_MAX, Fault, Group, Sum

__all__ = [
    "LENGTH_MAX",
    "PARTIES_MAX",
    "Collector",
    "Contributor",
    "Fault",
    "Group",
    "GroupRefused",
    "MaskingEnded",
    "MaskingError",
    "ServerLied",
    "SharesRefused",
    "StepRepeated",
    "Sum",
    "SumImpossible",
    "VectorRefused",
    "fixed_bound",
    "from_fixed",
    "to_fixed",
]
