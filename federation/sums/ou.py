"""Okamoto and Uchiyama's cryptosystem (EUROCRYPT 1998) with short exponents.

`c = g**m * h**r mod n` with `n = p**2 * q`: sealed numbers are half as long as Paillier's at the
same length of key, and hold a third of it. `h` generates the subgroup of order `u*v`, where `u`
divides `p-1` and `v` divides `q-1`, as `federation.sums.paillier` has it, and `g` is
`(1+p)`'s part times a power of `h`. Who has the key works modulo `p**2` and `q` apart. Hiding rests
on the p-subgroup assumption within that subgroup.

Unlike Paillier's, the key falls to whoever is told what a number of his own choice opens to; a
guest tells nobody what it opened.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import gmpy2
from gmpy2 import mpz

from federation.sums.errors import SealedInvalid, TotalsExceeded
from federation.sums.group import ORDER_BITS, FixedBase, Group, subgroup_prime

__all__ = ["SCHEME", "OuKey", "OuSealing", "capacity_bits", "new_key"]

SCHEME = "ou"
_WINDOW = 8
"""Bits: measured; a longer one saves products and loses them to the processor's cache."""


@dataclass(frozen=True, slots=True)
class OuKey:
    """The secret key, and the power `h` of each side."""

    p: mpz
    q: mpz
    u: mpz
    v: mpz
    h_p: mpz
    """Of order u modulo p**2."""
    h_q: mpz
    """Of order v modulo q."""

    @property
    def n(self) -> mpz:
        return self.p**2 * self.q

    def __repr__(self) -> str:
        return f"OuKey({self.n.bit_length()} bits)"  # never a secret into a log

    def group(self) -> Group:
        """What the adder may know."""
        p2, n = self.p**2, self.n
        blinder = self.h_q + self.q * ((self.h_p - self.h_q) * gmpy2.invert(self.q, p2) % p2)
        return Group(SCHEME, n, n, blinder, capacity_bits(n.bit_length()))


def capacity_bits(bits: int) -> int:
    """What a key of so many bits holds: numbers whose double is below p."""
    return bits // 3 - 2


def new_key(bits: int) -> OuKey:
    """A key with a modulus of just so many bits, from the system's randomness."""
    p_bits = bits // 3
    while True:
        p, u, p_rest = subgroup_prime(p_bits)
        q, v, q_rest = subgroup_prime(bits - 2 * p_bits)
        fits = (p * p * q).bit_length() == bits
        if fits and p != q and u != v and gmpy2.gcd(p_rest, q_rest) == 1:
            return OuKey(p, q, u, v, _element(p * p, p * (p - 1), u), _element(q, q - 1, v))


def _element(modulus: mpz, whole_order: mpz, order: mpz) -> mpz:
    """A random element of that prime order."""
    while True:
        start = mpz(secrets.randbelow(int(modulus)))
        found = gmpy2.powmod(start, whole_order // order, modulus)
        if found > 1:
            return found


class OuSealing:
    """Sealing and opening by one process."""

    def __init__(self, key: OuKey) -> None:
        self._key = key
        self._group = key.group()
        self._p2 = key.p**2
        self._blind_p = FixedBase(key.h_p, self._p2, ORDER_BITS, _WINDOW)
        self._blind_q = FixedBase(key.h_q, key.q, ORDER_BITS, _WINDOW)
        self._q_inverse = gmpy2.invert(key.q, self._p2)
        self._open = gmpy2.invert(key.u, key.p)

    def seal(self, values: Sequence[int]) -> bytes:
        """Raises `TotalsExceeded` for a value beyond the capacity."""
        p, q, u, v = self._key.p, self._key.q, int(self._key.u), int(self._key.v)
        p2, inverse, limit = self._p2, self._q_inverse, self._group.capacity_bits
        sealed = []
        for value in values:
            if abs(value) >> limit:
                raise TotalsExceeded(f"a value takes more than {limit} bits")
            # The power of h that belongs to g is one of h's own, and even as the exponent is.
            at_p = (1 + value * p) * self._blind_p.power(secrets.randbelow(u)) % p2
            at_q = self._blind_q.power(secrets.randbelow(v))
            sealed.append(at_q + q * ((at_p - at_q) * inverse % p2))
        return self._group.write(sealed)

    def open(self, data: bytes, before: int = 0) -> list[int]:
        """Raises `SealedInvalid`, with places counted on from `before`."""
        key = self._key
        opened = []
        for place, sealed in enumerate(self._group.read(data, before), before):
            power = gmpy2.powmod(sealed, key.u, self._p2)
            quotient, remainder = gmpy2.f_divmod(power - 1, key.p)
            if remainder:
                raise SealedInvalid("it was not made with this key", place)
            value = quotient * self._open % key.p
            value -= key.p if 2 * value > key.p else 0
            opened.append(int(value))
        return opened
