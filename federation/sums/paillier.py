"""Paillier's cryptosystem (EUROCRYPT 1999) with short exponents.

`c = (1 + m*N) * h**r mod N**2`, where `h` is an N-th power, as Damgård, Jurik and Nielsen blind
(A generalization of Paillier's public-key system, 2010, section 4.2), here in the subgroup of
order `u*v` of Ma, Han and Lei (Optimized Paillier's cryptosystem with fast encryption and
decryption, ACSAC 2021): `u` divides `P-1` and `v` divides `Q-1`. Who has the key works modulo
`P**2` and `Q**2` apart and draws the exponents evenly below `u` and `v`, so that every element of
the subgroup is equally likely. Hiding rests on the decisional composite residuosity assumption in
that subgroup.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import gmpy2
from gmpy2 import mpz

from federation.sums.errors import SealedInvalid, TotalsExceeded
from federation.sums.group import ORDER_BITS, FixedBase, Group, subgroup_prime

__all__ = ["SCHEME", "PaillierKey", "PaillierSealing", "new_key"]

SCHEME = "paillier"
_WINDOW = 8
"""Bits: measured; a longer one saves products and loses them to the processor's cache."""


@dataclass(frozen=True, slots=True)
class PaillierKey:
    """The secret key, and the power `h` of each side."""

    p: mpz
    q: mpz
    u: mpz
    v: mpz
    h_p: mpz
    """Of order u modulo p**2."""
    h_q: mpz
    """Of order v modulo q**2."""

    @property
    def n(self) -> mpz:
        return self.p * self.q

    def __repr__(self) -> str:
        return f"PaillierKey({self.n.bit_length()} bits)"  # never a secret into a log

    def group(self) -> Group:
        """What the adder may know."""
        p2, q2, n = self.p**2, self.q**2, self.n
        blinder = self.h_q + q2 * ((self.h_p - self.h_q) * gmpy2.invert(q2, p2) % p2)
        return Group(SCHEME, n, n * n, blinder, n.bit_length() - 2)


def new_key(bits: int) -> PaillierKey:
    """A key with a modulus of just so many bits, from the system's randomness."""
    while True:
        p, u, p_rest = subgroup_prime(bits // 2)
        q, v, q_rest = subgroup_prime(bits // 2)
        # Far apart, lest Fermat's method finds them (FIPS 186-5, A.1.3), and nothing in common.
        apart = abs(p - q).bit_length() > bits // 2 - 100
        if apart and u != v and gmpy2.gcd(p_rest, q_rest) == 1:
            return PaillierKey(p, q, u, v, _element(p, u), _element(q, v))


def _element(prime: mpz, order: mpz) -> mpz:
    """A random element of that prime order modulo the square of a prime."""
    square = prime * prime
    while True:
        start = mpz(secrets.randbelow(int(square)))
        found = gmpy2.powmod(start, prime * ((prime - 1) // order), square)
        if found > 1:
            return found


class PaillierSealing:
    """Sealing and opening by one process."""

    def __init__(self, key: PaillierKey) -> None:
        self._key = key
        self._group = key.group()
        self._p2, self._q2 = key.p**2, key.q**2
        self._blind_p = FixedBase(key.h_p, self._p2, ORDER_BITS, _WINDOW)
        self._blind_q = FixedBase(key.h_q, self._q2, ORDER_BITS, _WINDOW)
        self._q2_inverse = gmpy2.invert(self._q2, self._p2)
        self._q_inverse = gmpy2.invert(key.q, key.p)
        self._open_p = gmpy2.invert(key.u * key.q, key.p)
        self._open_q = gmpy2.invert(key.v * key.p, key.q)

    def seal(self, values: Sequence[int]) -> bytes:
        """Raises `TotalsExceeded` for a value beyond the capacity."""
        n, u, v = self._key.n, int(self._key.u), int(self._key.v)
        p2, q2, inverse, limit = self._p2, self._q2, self._q2_inverse, self._group.capacity_bits
        sealed = []
        for value in values:
            if abs(value) >> limit:
                raise TotalsExceeded(f"a value takes more than {limit} bits")
            message = 1 + value * n
            at_p = message * self._blind_p.power(secrets.randbelow(u)) % p2
            at_q = message * self._blind_q.power(secrets.randbelow(v)) % q2
            sealed.append(at_q + q2 * ((at_p - at_q) * inverse % p2))
        return self._group.write(sealed)

    def open(self, data: bytes, before: int = 0) -> list[int]:
        """Raises `SealedInvalid`, with places counted on from `before`."""
        key, n = self._key, self._key.n
        opened = []
        for place, sealed in enumerate(self._group.read(data, before), before):
            at_p = _logarithm(gmpy2.powmod(sealed, key.u, self._p2), key.p, place)
            at_q = _logarithm(gmpy2.powmod(sealed, key.v, self._q2), key.q, place)
            at_p, at_q = at_p * self._open_p % key.p, at_q * self._open_q % key.q
            value = at_q + key.q * ((at_p - at_q) * self._q_inverse % key.p)
            value -= n if 2 * value > n else 0
            opened.append(int(value))
        return opened


def _logarithm(power: mpz, prime: mpz, place: int) -> mpz:
    quotient, remainder = gmpy2.f_divmod(power - 1, prime)
    if remainder:
        raise SealedInvalid("it was not made with this key", place)
    return quotient
