"""Gradients of the logistic loss as whole numbers, the same on every machine.

Only additions, multiplications, divisions and roundings of IEEE 754 doubles are used, each by
itself; the exponential functions of libraries differ in their last bit.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from federation.trees.errors import DataInvalid
from federation.trees.types import WHOLE_BP, TreeSettings

__all__ = ["Code", "Sample", "base_margin", "gradients", "random_order", "sample_rows", "sigmoid"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MARGIN_MAX: Final = 40.0
_LN2_HIGH: Final = 0.693147180369123816490
"""The first 33 bits of ln 2: its product with a small whole number is exact."""
_LN2_LOW: Final = 1.90821492927058770002e-10
_TERMS: Final = tuple(1.0 / math.factorial(n) for n in range(14, -1, -1))
_EXACT_BITS: Final = 53


def sigmoid(margins: Floats) -> Floats:
    """`1 / (1 + exp(-margin))`; beyond 40 as at 40."""
    x = np.clip(margins, -_MARGIN_MAX, _MARGIN_MAX)
    # exp(-|x|) = 2**k * exp(r) with |r| <= ln(2)/2: fourteen terms of its series are enough.
    k = np.rint(-np.abs(x) / (_LN2_HIGH + _LN2_LOW))
    r = (-np.abs(x) - k * _LN2_HIGH) - k * _LN2_LOW
    series = np.zeros_like(x)
    for term in _TERMS:
        series = series * r + term
    power = np.ldexp(series, k.astype(np.int64))
    return np.where(x >= 0, 1.0 / (1.0 + power), power / (1.0 + power))


def base_margin(label: NDArray[np.uint8]) -> float:
    """The log-odds of the labels, in millionths of two, so that no logarithm's last bit shows.

    Raises `DataInvalid` where all rows have the same label.
    """
    bads, rows = int(label.sum()), label.size
    if not 0 < bads < rows:
        raise DataInvalid("the label is the same in all rows: nothing can be learned")
    return round(math.log(bads / (rows - bads)) * 2**20) / 2**20


@dataclass(frozen=True, slots=True)
class Code:
    """How gradient and hessian of a row, or their totals, are one number: `g * 2**h_bits + h`.

    The bound: over all `rows` rows `|sum of g| <= rows * g_max < 2**(g_bits-1)` and
    `0 <= sum of h <= rows * h_max < 2**h_bits`. So the number's size is at most
    `(2**(g_bits-1) - 1) * 2**h_bits + 2**h_bits - 1 = 2**(bits-1) - 1`: it fits a signed slot of
    `bits` bits, for every set of rows.
    """

    g_bits: int
    h_bits: int

    @property
    def bits(self) -> int:
        return self.g_bits + self.h_bits

    @classmethod
    def of(cls, rows: int, weight: float, scale_bits: int) -> Code:
        """For so many rows, each weighted by at most `weight`. Raises `DataInvalid` where totals
        would pass what a double holds exactly."""
        g_max = math.ceil(weight * 2**scale_bits)
        h_max = math.ceil(weight * 2**scale_bits / 4)
        if (rows * g_max).bit_length() > _EXACT_BITS:
            raise DataInvalid(
                f"totals over {rows} rows at scale_bits {scale_bits} pass {_EXACT_BITS} bits: take "
                "a coarser scale or fewer rows"
            )
        return cls((rows * g_max).bit_length() + 1, (rows * h_max).bit_length())

    def join(self, g: Ints, h: Ints) -> list[int]:
        """Numbers to seal."""
        shift = self.h_bits
        return [(a << shift) + b for a, b in zip(g.tolist(), h.tolist(), strict=True)]

    def split(self, totals: list[int]) -> tuple[Ints, Ints]:
        """Totals of gradients and of hessians. Requires totals that fit their slot."""
        mask = (1 << self.h_bits) - 1
        g = np.array([one >> self.h_bits for one in totals], dtype=np.int64)
        return g, np.array([one & mask for one in totals], dtype=np.int64)


def gradients(
    label: NDArray[np.uint8], margins: Floats, weights: Floats, scale_bits: int
) -> tuple[Ints, Ints]:
    """First and second derivative of the logistic loss, weighted, in units of `2**-scale_bits`."""
    p = sigmoid(margins)
    scaled = weights * 2.0**scale_bits
    g = np.rint((p - label) * scaled).astype(np.int64)
    return g, np.rint(p * (1.0 - p) * scaled).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """The rows that one tree is grown from."""

    rows: Ints
    """Ascending."""
    weights: Floats
    """One for each of them."""
    weight_max: float


def sample_rows(rows: Ints, g: Ints, settings: TreeSettings, seed: int, tree: int) -> Sample:
    """GOSS among `rows` (ascending) by their gradients `g`, one for each of them."""
    if settings.top_bp == WHOLE_BP:
        return Sample(rows, np.ones(rows.size), 1.0)
    top = rows.size * settings.top_bp // WHOLE_BP
    others = max(1, rows.size * settings.other_bp // WHOLE_BP)
    by_size = np.argsort(-np.abs(g), kind="stable")
    # Ascending again: who knows the seed must not read the order of the gradients from the draw.
    rest = np.sort(by_size[top:])
    chosen = rest[random_order(rest.size, "sample", seed, tree)[:others]]
    weight = rest.size / chosen.size
    weights = np.zeros(rows.size)
    weights[by_size[:top]] = 1.0
    weights[chosen] = weight
    taken = weights > 0
    return Sample(rows[taken], weights[taken], weight)


def random_order(count: int, purpose: str, seed: int, tree: int = 0) -> Ints:
    """A permutation drawn from the seed, the same whatever library or machine."""
    source = hashlib.shake_256(f"tallystick trees {purpose} {seed} {tree}".encode())
    keys = np.frombuffer(source.digest(8 * count), dtype="<u8")
    return np.argsort(keys, kind="stable").astype(np.int64)
