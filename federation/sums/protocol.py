"""The seam between who seals and opens numbers and who adds them unread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from gmpy2 import mpz
from numpy.typing import NDArray

from federation.sums.plan import Plan

__all__ = ["Adder", "Bytes", "Offer", "Sealer", "Sums"]

Bytes = NDArray[np.uint8]
"""Sealed numbers, `(count, width)`: big-endian, all of one width."""

Offer = dict[str, bool | int | float | str | bytes | None]
"""What the adder must know of the key; holds no secret."""

Sums = tuple[list[mpz], ...]
"""Sealed totals of each feature's bins, as the adder holds them: not to be sent."""


class Sealer(Protocol):
    """Has the key. Who holds one of them opens everything sealed by it."""

    @property
    def scheme(self) -> str: ...

    @property
    def width(self) -> int:
        """Bytes of one sealed number."""

    @property
    def capacity_bits(self) -> int:
        """Numbers below `2**capacity_bits` in size, of either sign, are sealed and opened."""

    def offer(self) -> Offer: ...

    def seal(self, values: Sequence[int]) -> Bytes:
        """Seal each by itself; equal numbers look unlike. Raises `TotalsExceeded`."""

    def open(self, sealed: Bytes) -> list[int]:
        """Raises `SealedInvalid` for what is not sealed numbers of this key."""

    def close(self) -> None:
        """End the processes that share the work."""


class Adder(Protocol):
    """Has the offer. Adds what it cannot read."""

    @property
    def scheme(self) -> str: ...

    @property
    def width(self) -> int: ...

    @property
    def capacity_bits(self) -> int: ...

    def load(self, sealed: Bytes, plan: Plan) -> None:
        """Take up sealed numbers, one for each row of the plan, in place of those before.

        Raises `SealedInvalid` for a wrong width or count, a number out of range or one that is
        not invertible.
        """

    def bin_sums(self, rows: Sequence[NDArray[np.int64]]) -> list[Sums]:
        """Totals over the bins of every feature of the plan, for each of these sets of rows."""

    def add(self, one: mpz, other: mpz) -> mpz: ...

    def subtract(self, whole: Sums, part: Sums) -> Sums:
        """Totals over the rows of the whole that are not in the part."""

    def spread(self, factors: Sequence[int]) -> Bytes:
        """Each loaded number times its own factor, of either sign, blinded afresh: for another
        adder with the same offer. Requires products within the capacity."""

    def pack(self, totals: Sequence[mpz], bits: int) -> Bytes:
        """Totals for sending: several of `bits` bits in one (`Slots`), and blinded afresh, so
        that what is sent tells nothing but the totals. Raises `TotalsExceeded`."""

    def close(self) -> None:
        """End the processes that share the work."""
