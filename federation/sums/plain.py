"""Sums that hide nothing: the oracle that the schemes are held against in tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from gmpy2 import mpz
from numpy.typing import NDArray

from federation.sums.errors import SealedInvalid, TotalsExceeded
from federation.sums.plan import Plan
from federation.sums.protocol import Bytes, Offer, Sums
from federation.sums.types import Slots

__all__ = ["PlainAdder", "PlainSealer"]

_WIDTH = 128
_CAPACITY_BITS = 8 * _WIDTH - 1


def _write(values: Sequence[int | mpz]) -> Bytes:
    if any(abs(one) >> _CAPACITY_BITS for one in values):
        raise TotalsExceeded(f"a value takes more than {_CAPACITY_BITS} bits")
    data = b"".join(int(one).to_bytes(_WIDTH, "big", signed=True) for one in values)
    return np.frombuffer(data, dtype=np.uint8).reshape(-1, _WIDTH)


def _read(sealed: Bytes) -> list[int]:
    if sealed.dtype != np.uint8 or sealed.ndim != 2 or sealed.shape[1] != _WIDTH:
        raise SealedInvalid(
            f"an array {sealed.dtype} {sealed.shape}: each number has {_WIDTH} bytes"
        )
    return [int.from_bytes(one.tobytes(), "big", signed=True) for one in sealed]


class PlainSealer:
    """Writes numbers as they are."""

    scheme = "plain"
    width = _WIDTH
    capacity_bits = _CAPACITY_BITS

    def offer(self) -> Offer:
        return {"scheme": self.scheme}

    def seal(self, values: Sequence[int]) -> Bytes:
        """Raises `TotalsExceeded`."""
        return _write(values)

    def open(self, sealed: Bytes) -> list[int]:
        """Raises `SealedInvalid`."""
        return _read(sealed)

    def close(self) -> None:
        """Nothing to end."""


class PlainAdder:
    """Adds numbers as they are, feature by feature, without the plan's order."""

    scheme = "plain"
    width = _WIDTH
    capacity_bits = _CAPACITY_BITS

    def __init__(self) -> None:
        self._values: list[int] = []
        self._bins: list[tuple[NDArray[np.int32], int]] = []

    def load(self, sealed: Bytes, plan: Plan) -> None:
        """Raises `SealedInvalid`."""
        values = _read(sealed)
        if len(values) != plan.rows:
            raise SealedInvalid(f"{len(values)} sealed numbers, {plan.rows} are due")
        self._values = values
        self._bins = [plan.bins(feature) for feature in range(len(plan.features))]

    def bin_sums(self, rows: Sequence[NDArray[np.int64]]) -> list[Sums]:
        return [tuple(self._totals(bins, count, one) for bins, count in self._bins) for one in rows]

    def _totals(self, bins: NDArray[np.int32], count: int, rows: NDArray[np.int64]) -> list[mpz]:
        totals = [0] * count
        for row, place in zip(rows.tolist(), bins[rows].tolist(), strict=True):
            totals[place] += self._values[row]
        return [mpz(one) for one in totals]

    def add(self, one: mpz, other: mpz) -> mpz:
        return one + other

    def subtract(self, whole: Sums, part: Sums) -> Sums:
        return tuple(
            [one - other for one, other in zip(totals, lesses, strict=True)]
            for totals, lesses in zip(whole, part, strict=True)
        )

    def spread(self, factors: Sequence[int]) -> Bytes:
        """Raises `TotalsExceeded`."""
        return _write([one * by for one, by in zip(self._values, factors, strict=True)])

    def pack(self, totals: Sequence[mpz], bits: int) -> Bytes:
        """Raises `TotalsExceeded`."""
        slots = Slots.within(self.capacity_bits, bits)
        values = [int(one) for one in totals]
        return _write(
            [slots.pack(values[n : n + slots.each]) for n in range(0, len(values), slots.each)]
        )

    def close(self) -> None:
        """Nothing to end."""
