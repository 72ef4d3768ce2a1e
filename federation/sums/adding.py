"""Who has no key: adds sealed numbers over bins, on every core."""

from __future__ import annotations

from collections.abc import Sequence

import gmpy2
import numpy as np
from gmpy2 import mpz
from numpy.typing import NDArray

from federation.sums import ou, paillier
from federation.sums.errors import KeyInvalid, OfferInvalid, SchemeRefused, SealedInvalid
from federation.sums.group import FixedBase, Group, as_array, check_bits
from federation.sums.plain import PlainAdder
from federation.sums.plan import Plan
from federation.sums.protocol import Adder, Bytes, Offer, Sums
from federation.sums.sealing import check_shape
from federation.sums.team import Team
from federation.sums.types import Slots

__all__ = ["GroupAdder", "adder"]

_Cells = list["mpz | None"]


def adder(offer: Offer, *, workers: int | None = None, allow_plain: bool = False) -> Adder:
    """An adder for what a sealer offered.

    `workers` processes share the work; as many as there are cores unless told. Raises
    `OfferInvalid` for what is no public key, `KeyInvalid` for one of an unsafe length, and
    `SchemeRefused` for "plain" unless it is allowed by name: it hides nothing.
    """
    scheme = offer.get("scheme")
    if scheme == "plain":
        if not allow_plain:
            raise SchemeRefused("the scheme plain hides nothing: it is for tests only")
        return PlainAdder()
    if scheme not in (paillier.SCHEME, ou.SCHEME):
        raise SchemeRefused(f"no scheme {scheme!r}: paillier or ou")
    return GroupAdder(_group(str(scheme), offer), workers=workers)


def _group(scheme: str, offer: Offer) -> Group:
    n_bytes, h_bytes = offer.get("n"), offer.get("h")
    if not isinstance(n_bytes, bytes) or not isinstance(h_bytes, bytes):
        raise OfferInvalid("n and h must be bytes")
    n, h = mpz.from_bytes(n_bytes, "big"), mpz.from_bytes(h_bytes, "big")
    bits = n.bit_length()
    try:
        check_bits(bits)
    except KeyInvalid as error:
        raise OfferInvalid(str(error)) from error
    if len(n_bytes) != bits // 8 or not n & 1 or gmpy2.is_square(n) or gmpy2.is_prime(n):
        raise OfferInvalid("n is not the product of two secret odd primes, in its bytes only")
    doubled = scheme == paillier.SCHEME
    modulus = n * n if doubled else n
    if not 1 < h < modulus - 1 or gmpy2.gcd(h, n) != 1:
        raise OfferInvalid("h is not an element of the group, or tells of itself")
    group = Group(scheme, n, modulus, h, bits - 2 if doubled else ou.capacity_bits(bits))
    if len(h_bytes) != group.width:
        raise OfferInvalid(f"h has {len(h_bytes)} bytes, {group.width} are due")
    return group


class GroupAdding:
    """Adding by one process: it holds a part of the rows."""

    def __init__(self, group: Group) -> None:
        self._group = group
        self._held: list[mpz] = []
        self._plan = Plan(0, (), ())
        self._blinding: FixedBase | None = None

    def load(self, data: bytes, before: int, plan: Plan) -> None:
        """Raises `SealedInvalid`, with places counted on from `before`."""
        self._held = self._group.read(data, before)
        self._plan = plan

    def bin_sums(self, requests: list[NDArray[np.int64]]) -> list[list[_Cells]]:
        """For each set of rows the totals of each feature's bins; None: no row is in it."""
        return [self._one(rows) for rows in requests]

    def _one(self, rows: NDArray[np.int64]) -> list[_Cells]:
        held, modulus = self._held, self._group.modulus
        taken = [held[row] for row in rows.tolist()]
        done: list[_Cells] = []
        for node in self._plan.nodes:
            cells: _Cells = [None] * node.size
            above: Sequence[mpz | None] = taken if node.parent < 0 else done[node.parent]
            into = node.cells[rows] if node.parent < 0 else node.cells
            for number, cell in zip(above, into.tolist(), strict=True):
                if number is not None:
                    total = cells[cell]
                    cells[cell] = number if total is None else total * number % modulus
            done.append(cells)
        return [done[place] for place in self._plan.features]

    def spread(self, factors: list[int]) -> bytes:
        """What is held, each times its factor, blinded."""
        modulus = self._group.modulus
        powers = [
            gmpy2.powmod(one, by, modulus) for one, by in zip(self._held, factors, strict=True)
        ]
        return self._group.write(self._group.pack(powers, Slots(1, 1), self._blinder()))

    def pack(self, totals: list[mpz], slots: Slots) -> bytes:
        """Packed and blinded."""
        return self._group.write(self._group.pack(totals, slots, self._blinder()))

    def _blinder(self) -> FixedBase:
        if self._blinding is None:
            self._blinding = self._group.blinding()
        return self._blinding


class GroupAdder:
    """Adder over a group whose factors it does not know."""

    def __init__(self, group: Group, *, workers: int | None = None) -> None:
        self._group = group
        self._team: Team[GroupAdding, Group] = Team(GroupAdding, group, workers)
        self._part = 1
        self._rows = 0

    @property
    def scheme(self) -> str:
        return self._group.scheme

    @property
    def width(self) -> int:
        return self._group.width

    @property
    def capacity_bits(self) -> int:
        return self._group.capacity_bits

    def load(self, sealed: Bytes, plan: Plan) -> None:
        """Take up sealed numbers, one for each row of the plan. Raises `SealedInvalid`."""
        check_shape(sealed, self.width, plan.rows)
        self._rows, self._part = plan.rows, max(1, -(-plan.rows // self._team.size))
        parts = []
        for first in range(0, max(1, plan.rows), self._part):
            rows = np.arange(first, min(first + self._part, plan.rows))
            parts.append((sealed[rows].tobytes(), first, plan.take(rows)))
        self._team.each(GroupAdding.load, parts)

    def bin_sums(self, rows: Sequence[NDArray[np.int64]]) -> list[Sums]:
        """Totals for each set of rows. Requires rows that were loaded, in any order."""
        for one in rows:
            if one.size and not 0 <= int(one.min()) <= int(one.max()) < self._rows:
                raise SealedInvalid(f"a row is asked for that is not among the {self._rows} loaded")
        parts = []
        for first in range(0, max(1, self._rows), self._part):
            mine = [one[(one >= first) & (one < first + self._part)] - first for one in rows]
            parts.append((mine,))
        answers = self._team.each(GroupAdding.bin_sums, parts)
        return [self._merge([answer[place] for answer in answers]) for place in range(len(rows))]

    def _merge(self, parts: list[list[_Cells]]) -> Sums:
        modulus, empty = self._group.modulus, mpz(1)
        merged = []
        for feature in zip(*parts, strict=True):
            totals = []
            for cell in zip(*feature, strict=True):
                total = empty
                for number in cell:
                    total = total if number is None else total * number % modulus
                totals.append(total)
            merged.append(totals)
        return tuple(merged)

    def add(self, one: mpz, other: mpz) -> mpz:
        return one * other % self._group.modulus

    def subtract(self, whole: Sums, part: Sums) -> Sums:
        """By inverses: a third of a millisecond each, so only where adding anew costs more."""
        modulus = self._group.modulus
        return tuple(
            [
                total * gmpy2.invert(less, modulus) % modulus
                for total, less in zip(totals, lesses, strict=True)
            ]
            for totals, lesses in zip(whole, part, strict=True)
        )

    def spread(self, factors: Sequence[int]) -> Bytes:
        """Each loaded number times its factor, blinded, `(rows, width)`."""
        if len(factors) != self._rows:
            raise SealedInvalid(f"{len(factors)} factors for the {self._rows} numbers loaded")
        parts = [
            (list(factors[first : first + self._part]),)
            for first in range(0, max(1, self._rows), self._part)
        ]
        return as_array(b"".join(self._team.each(GroupAdding.spread, parts)), self.width)

    def pack(self, totals: Sequence[mpz], bits: int) -> Bytes:
        """Packed and blinded, `(numbers, width)`. Raises `TotalsExceeded`."""
        slots = Slots.within(self.capacity_bits, bits)
        share = -(-slots.numbers(len(totals)) // self._team.size) * slots.each
        parts = [
            (list(totals[first : first + share]), slots)
            for first in range(0, len(totals), max(1, share))
        ]
        return as_array(b"".join(self._team.each(GroupAdding.pack, parts)), self.width)

    def close(self) -> None:
        self._team.close()
