"""Sums over bins of values that the adder cannot read: the guest seals, a host adds, the guest
opens. Whole numbers, exact in every scheme."""

from federation.sums.adding import adder
from federation.sums.errors import (
    KeyInvalid,
    OfferInvalid,
    SchemeRefused,
    SealedInvalid,
    SumsError,
    TeamBroken,
    TotalsExceeded,
)
from federation.sums.plan import FEATURES_MAX, Plan, plan_sums
from federation.sums.protocol import Adder, Bytes, Offer, Sealer, Sums
from federation.sums.sealing import sealer
from federation.sums.types import Slots

__all__ = [
    "FEATURES_MAX",
    "Adder",
    "Bytes",
    "KeyInvalid",
    "Offer",
    "OfferInvalid",
    "Plan",
    "SchemeRefused",
    "SealedInvalid",
    "Sealer",
    "Slots",
    "Sums",
    "SumsError",
    "TeamBroken",
    "TotalsExceeded",
    "adder",
    "plan_sums",
    "sealer",
]
