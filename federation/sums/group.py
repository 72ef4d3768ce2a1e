"""Groups in which the product of two sealed numbers seals their sum.

Both schemes seal `m` as `g**m * h**r` modulo something whose factors only the sealer knows. What
the adder needs is the same for both: the modulus, the width of a number as bytes, and `h` to blind
with.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final

import gmpy2
import numpy as np
from gmpy2 import mpz
from numpy.typing import NDArray

from federation.sums.errors import KeyInvalid, SealedInvalid, TotalsExceeded
from federation.sums.types import Slots

__all__ = ["BITS_MAX", "BITS_MIN", "FixedBase", "Group", "check_bits", "subgroup_prime"]

BITS_MIN: Final = 2048
"""Of the modulus whose factors are secret: 112 bits of security (NIST SP 800-57 part 1, 5.6.1)."""
BITS_MAX: Final = 8192
ORDER_BITS: Final = 256
"""Of each of the two secret primes whose product is the order of `h`. The best known way to use
that it is short takes the square root of one of them, 2**128 steps (Coron, Joux, Mandal, Naccache,
Tibouchi, Cryptanalysis of the RSA subgroup assumption from TCC 2005, 2011)."""
BLINDING_BITS: Final = 2 * ORDER_BITS + 64
"""Of an exponent drawn without knowing the order: 64 more make it even but for 2**-64."""


class FixedBase:
    """Powers of one number: a product of table entries for each exponent, no squarings."""

    __slots__ = ("_bits", "_modulus", "_rows", "_window")

    def __init__(self, base: mpz, modulus: mpz, exponent_bits: int, window: int) -> None:
        self._modulus = modulus
        self._bits = exponent_bits
        self._window = window
        self._rows: list[list[mpz]] = []
        for _ in range(-(-exponent_bits // window)):
            row = [mpz(1)]
            for _ in range((1 << window) - 1):
                row.append(row[-1] * base % modulus)
            self._rows.append(row)
            base = row[-1] * base % modulus

    def power(self, exponent: int) -> mpz:
        """Requires 0 <= exponent < 2**exponent_bits."""
        assert 0 <= exponent < 1 << self._bits
        modulus, mask, window = self._modulus, (1 << self._window) - 1, self._window
        product = mpz(1)
        for row in self._rows:
            product = product * row[exponent & mask] % modulus
            exponent >>= window
        return product


@dataclass(frozen=True, slots=True)
class Group:
    """What an adder knows of a key."""

    scheme: str
    factored: mpz
    """What a number must share no factor with."""
    modulus: mpz
    blinder: mpz
    """`h`: seals zero."""
    capacity_bits: int

    @property
    def width(self) -> int:
        """Bytes of a sealed number."""
        return int(self.modulus.bit_length() + 7) // 8

    def write(self, numbers: list[mpz]) -> bytes:
        """Big-endian, one after the other."""
        return b"".join(one.to_bytes(self.width, "big") for one in numbers)

    def read(self, data: bytes, before: int = 0) -> list[mpz]:
        """Requires whole numbers. Raises `SealedInvalid` for one that is not in the group, with
        its place counted on from `before`."""
        width, modulus, factored = self.width, self.modulus, self.factored
        numbers = [
            mpz.from_bytes(data[start : start + width], "big")
            for start in range(0, len(data), width)
        ]
        product = mpz(1)
        for place, one in enumerate(numbers):
            if not 0 < one < modulus:
                raise SealedInvalid("it is out of the key's range", before + place)
            product = product * one % factored
        # One common divisor for all of them; which one is at fault is looked up if there is one.
        if gmpy2.gcd(product, factored) != 1:
            bad = (n for n, one in enumerate(numbers) if gmpy2.gcd(one, factored) != 1)
            raise SealedInvalid("it is not invertible", before + next(bad))
        return numbers

    def blinding(self) -> FixedBase:
        """A table for blinding without knowing the order of `h`."""
        return FixedBase(self.blinder, self.modulus, BLINDING_BITS, 6)

    def pack(self, totals: list[mpz], slots: Slots, blinding: FixedBase) -> list[mpz]:
        """Several totals in each number (Horner's rule in the exponent), then blinded."""
        if slots.bits * slots.each - 1 > self.capacity_bits:
            raise TotalsExceeded(f"{slots.each} totals of {slots.bits} bits do not fit the key")
        shift, packed = mpz(1) << slots.bits, []
        for first in range(0, len(totals), slots.each):
            number = mpz(1)
            for total in reversed(totals[first : first + slots.each]):
                number = gmpy2.powmod(number, shift, self.modulus) * total % self.modulus
            blind = blinding.power(secrets.randbits(BLINDING_BITS))
            packed.append(number * blind % self.modulus)
        return packed


def check_bits(bits: int) -> None:
    """Raise `KeyInvalid` for a length of key that is not safe or not worth its cost."""
    if not BITS_MIN <= bits <= BITS_MAX or bits % 16:
        raise KeyInvalid(f"a key of {bits} bits: {BITS_MIN} to {BITS_MAX}, by sixteens")


def subgroup_prime(bits: int, order_bits: int = ORDER_BITS) -> tuple[mpz, mpz, mpz]:
    """A secret prime `P` of just so many bits, its two highest set, with `P - 1 = 2 * u * k`: `u`
    a prime of `order_bits`, `k` odd. Returns `(P, u, k)`."""
    order = _prime(order_bits)
    lowest, span = mpz(3) << (bits - 2), mpz(1) << (bits - 2)
    while True:
        k = (lowest + secrets.randbelow(int(span))) // (2 * order) | 1
        candidate = 2 * order * k + 1
        if candidate.bit_length() == bits and gmpy2.is_prime(candidate, 40):
            return candidate, order, k


def as_array(data: bytes, width: int) -> NDArray[np.uint8]:
    """Numbers as rows of bytes."""
    return np.frombuffer(data, dtype=np.uint8).reshape(-1, width)


def _prime(bits: int) -> mpz:
    while True:
        candidate = mpz(secrets.randbits(bits) | 3 << (bits - 2) | 1)
        if gmpy2.is_prime(candidate, 40):
            return candidate
