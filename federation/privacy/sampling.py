"""Exact samples of the discrete Gaussian from the system's randomness.

Canonne, Kamath and Steinke 2020, "The Discrete Gaussian for Differential Privacy", algorithms 1
to 3. Whole numbers only: no rounding of a floating-point sampler tells anything of the value that
it hides (Mironov 2012).
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable
from fractions import Fraction
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from federation.privacy.errors import PrivacyInvalid

LENGTH_MAX: Final = 1 << 22
VARIANCE_MAX: Final = 1 << 100
Below: TypeAlias = Callable[[int], int]
"""A uniform whole number below a given one; tests give one with a seed."""


def discrete_gaussian(variance: Fraction, below: Below = secrets.randbelow) -> int:
    """A whole number x with probability proportional to exp(-x^2 / (2 variance)).

    Its own variance is at most `variance`. Raises `PrivacyInvalid` unless 0 < variance <= 2^100.
    """
    if not 0 < variance <= VARIANCE_MAX:
        raise PrivacyInvalid(f"a variance of {variance} is not above 0 and at most 2^100")
    above, under = variance.numerator, variance.denominator
    scale = _root(variance) + 1
    while True:
        drawn = discrete_laplace(scale, below)
        distance = abs(drawn) * under * scale - above
        if _bernoulli_exp(distance * distance, 2 * above * under * scale * scale, below):
            return drawn


def discrete_laplace(scale: int, below: Below = secrets.randbelow) -> int:
    """A whole number x with probability proportional to exp(-|x| / scale). Requires scale >= 1."""
    while True:
        part = below(scale)
        if not _bernoulli_exp(part, scale, below):
            continue
        whole = 0
        while _bernoulli_exp(1, 1, below):
            whole += 1
        size = part + scale * whole
        negative = below(2) == 1
        if negative and size == 0:
            continue  # zero would come twice as often
        return -size if negative else size


def gaussian_noise(length: int, variance: Fraction) -> NDArray[np.int64]:
    """So many independent samples. Raises `PrivacyInvalid`, also where 64 bits are too few."""
    if not 0 < length <= LENGTH_MAX:
        raise PrivacyInvalid(f"{length} samples; 1 to {LENGTH_MAX} are drawn at a time")
    if variance > 1 << 90:
        raise PrivacyInvalid(f"noise of variance {variance} does not stay within 64 bits")
    return np.array([discrete_gaussian(variance) for _ in range(length)], dtype=np.int64)


def _bernoulli_exp(above: int, under: int, below: Below) -> bool:
    """True with probability exp(-above / under). Requires above >= 0 < under."""
    while above > under:
        if not _bernoulli_exp_of_part(1, 1, below):
            return False
        above -= under
    return _bernoulli_exp_of_part(above, under, below)


def _bernoulli_exp_of_part(above: int, under: int, below: Below) -> bool:
    """The same for 0 <= above <= under: von Neumann's alternating series."""
    times = 1
    while below(under * times) < above:
        times += 1
    return times % 2 == 1


def _root(value: Fraction) -> int:
    """The whole part of the square root."""
    return math.isqrt(value.numerator // value.denominator)
