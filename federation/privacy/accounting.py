"""How much privacy a release costs, and several together.

Costs are kept as rho of zero-concentrated differential privacy (zCDP, Bun and Steinke 2016), which
simply add up. What they come to as (epsilon, delta) is the best of all orders of Renyi divergence
(Canonne, Kamath and Steinke 2020, proposition 12). Neighbours differ by one row that is there or
is not.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from federation.privacy.errors import PrivacyInvalid

MILLION: Final = 1_000_000
DELTA_UNIT: Final = 10**18
"""Deltas are counted in billionths of a billionth."""
RHO_MAX: Final = 1_000.0


def epsilon_of(rho: float, delta: float) -> float:
    """The smallest epsilon for which rho-zCDP gives (epsilon, delta). Raises `PrivacyInvalid`."""
    _require(rho, delta)
    if rho == 0:
        return 0.0

    def at(order: float) -> float:
        return (
            order * rho + math.log1p(-1 / order) - (math.log(delta) + math.log(order)) / (order - 1)
        )

    # Convex in the order's logarithm near its least value: 1 + sqrt(ln(1/delta) / rho) is where
    # the simple bound is least, and the best order is not far from it.
    guess = 1 + math.sqrt(math.log(1 / delta) / rho)
    low, high = 1 + (guess - 1) / 64, 1 + (guess - 1) * 64
    return max(0.0, at(_least(at, low, high)))


def rho_of(epsilon: float, delta: float) -> float:
    """The largest rho whose epsilon is at most that, to ten digits. Raises `PrivacyInvalid`."""
    if not 0 < epsilon <= 100:
        raise PrivacyInvalid(f"an epsilon of {epsilon} is not above 0 and at most 100")
    _require(0.0, delta)
    low, high = 0.0, epsilon
    for _ in range(60):
        middle = (low + high) / 2
        if epsilon_of(middle, delta) <= epsilon:
            low = middle
        else:
            high = middle
    return low


@dataclass(frozen=True, slots=True)
class Noise:
    """Discrete Gaussian noise that several parties add together, each its share."""

    variance: Fraction
    """Of each party's share."""
    parties: int
    """How many shares at the least are in the sum and unknown to who looks at it."""
    length: int
    """Numbers in the sum."""

    def rho(self, sensitivity: int) -> float:
        """What a sum costs in which one row changes whole numbers by `sensitivity` (Euclidean).

        A sum of discrete Gaussians is not quite one: Kairouz, Liu and Steinke 2021, "The
        Distributed Discrete Gaussian Mechanism", theorem 1, bounds by how much.
        """
        variance = float(self.variance)
        share = [math.exp(-2 * math.pi**2 * variance * k / (k + 1)) for k in range(1, self.parties)]
        off = 10 * math.fsum(share)
        ratio = sensitivity / math.sqrt(self.parties * variance)
        root = min(
            math.sqrt(ratio * ratio + off * self.length / 2), ratio + off * math.sqrt(self.length)
        )
        return root * root / 2

    @property
    def size_max(self) -> int:
        """What no share exceeds but with a chance below 2^-190 a number (sixteen deviations)."""
        return 16 * (math.isqrt(math.ceil(self.variance)) + 1)


def noise_for(sensitivity: int, rho: float, *, parties: int, length: int) -> Noise:
    """The least noise, to a thousandth, whose sum costs at most rho. Raises `PrivacyInvalid`."""
    if sensitivity < 1 or parties < 1 or length < 1:
        raise PrivacyInvalid("sensitivity, parties and length are 1 or more")
    if not 0 < rho <= RHO_MAX:
        raise PrivacyInvalid(f"a cost of {rho} is not above 0 and at most {RHO_MAX}")
    # In steps of 1/1024, so that samples are drawn with small numbers; at least 4, where a sum of
    # shares is a discrete Gaussian but for e^-39.
    needed = sensitivity * sensitivity / (2 * rho * parties)
    units = max(4 * 1024, math.ceil(needed * 1024))
    while True:
        noise = Noise(Fraction(units, 1024), parties, length)
        if noise.rho(sensitivity) <= rho:
            return noise
        units += max(1, units // 1000)


def _least(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function with one valley is least, by the golden section."""
    golden = (math.sqrt(5) - 1) / 2
    for _ in range(70):
        left, right = high - golden * (high - low), low + golden * (high - low)
        if function(left) <= function(right):
            high = right
        else:
            low = left
    return (low + high) / 2


def _require(rho: float, delta: float) -> None:
    if not 0 <= rho <= RHO_MAX:
        raise PrivacyInvalid(f"a cost of {rho} is not 0 to {RHO_MAX}")
    if not 1 / DELTA_UNIT <= delta < 1:
        raise PrivacyInvalid(f"a delta of {delta} is not 10^-18 to 1")
