"""How whole numbers lie side by side in one sealed number."""

from __future__ import annotations

from dataclasses import dataclass

from federation.sums.errors import SealedInvalid, TotalsExceeded

__all__ = ["Slots"]


@dataclass(frozen=True, slots=True)
class Slots:
    """Signed totals side by side, the first in the lowest bits.

    The bound: each total `s` is a signed number of `bits` bits, `|s| <= 2**(bits-1) - 1`. Then
    `|sum(s_j * 2**(bits*j))| <= (2**(bits-1) - 1) * (2**(bits*each) - 1) / (2**bits - 1)`, which
    is below `2**(bits*each - 1)`. A ciphertext opens to every number below `2**capacity` in size,
    so `bits*each - 1 <= capacity` excludes every overflow, and no total reaches the next slot
    because the lowest is taken off signed, leaving an exact multiple of `2**bits`.
    """

    bits: int
    """Of one total, with its sign."""
    each: int
    """How many totals one sealed number holds."""

    @classmethod
    def within(cls, capacity_bits: int, bits: int) -> Slots:
        """As many as fit. Raises `TotalsExceeded` where not even one does."""
        each = (capacity_bits + 1) // bits if bits > 0 else 0
        if each < 1:
            raise TotalsExceeded(
                f"a total takes {bits} bits, a sealed number holds {capacity_bits}: take a longer "
                "key, fewer rows or a coarser scale"
            )
        return cls(bits, each)

    def numbers(self, count: int) -> int:
        """How many sealed numbers hold `count` totals."""
        return -(-count // self.each)

    def pack(self, totals: list[int]) -> int:
        """At most `each` totals as one number. Raises `TotalsExceeded`."""
        if len(totals) > self.each or any(abs(one) >> (self.bits - 1) for one in totals):
            raise TotalsExceeded(f"{len(totals)} totals: {self.each} of {self.bits} bits fit")
        return sum(one << (self.bits * place) for place, one in enumerate(totals))

    def unpack(self, numbers: list[int], count: int) -> list[int]:
        """The `count` totals that lie in so many numbers.

        Raises `SealedInvalid` where a number has more than its slots hold: then somebody added
        what was not to be added.
        """
        if len(numbers) != self.numbers(count):
            raise SealedInvalid(f"{len(numbers)} numbers, {self.numbers(count)} are due")
        whole, half = 1 << self.bits, 1 << (self.bits - 1)
        totals: list[int] = []
        for place, rest in enumerate(numbers):
            for _ in range(min(self.each, count - len(totals))):
                low = rest & (whole - 1)
                low -= whole if low >= half else 0
                totals.append(low)
                rest = (rest - low) >> self.bits
            if rest:
                raise SealedInvalid("it holds more than its slots do", place)
        return totals
