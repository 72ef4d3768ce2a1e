"""Cutting a feature into bins; weight of evidence, information value."""

from federation.bins.cutting import quantile_bins
from federation.bins.errors import BinsError, BinsInvalid, CountsInvalid
from federation.bins.evidence import information_value, woe
from federation.bins.types import BINS_MAX, Bins

__all__ = [
    "BINS_MAX",
    "Bins",
    "BinsError",
    "BinsInvalid",
    "CountsInvalid",
    "information_value",
    "quantile_bins",
    "woe",
]
