"""Who has the key: seals numbers and opens totals, on every core."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from federation.sums import ou, paillier
from federation.sums.errors import SchemeRefused, SealedInvalid
from federation.sums.group import Group, as_array, check_bits
from federation.sums.plain import PlainSealer
from federation.sums.protocol import Bytes, Offer, Sealer
from federation.sums.team import Team

__all__ = ["GroupSealer", "sealer"]

_APART = 64
"""Fewer numbers than this are not worth sharing out."""

Key = paillier.PaillierKey | ou.OuKey
Sealing = paillier.PaillierSealing | ou.OuSealing


def sealer(scheme: str, bits: int = 2048, *, workers: int | None = None) -> Sealer:
    """A sealer with a new key of `bits` bits: "paillier", "ou", or the oracle of tests, "plain".

    `workers` processes share the work; as many as there are cores unless told. Raises
    `SchemeRefused`, `KeyInvalid`.
    """
    if scheme == "plain":
        return PlainSealer()
    check_bits(bits)
    if scheme == paillier.SCHEME:
        return GroupSealer(paillier.new_key(bits), workers=workers)
    if scheme == ou.SCHEME:
        return GroupSealer(ou.new_key(bits), workers=workers)
    raise SchemeRefused(f"no scheme {scheme!r}: paillier or ou")


def _engine(key: Key) -> Sealing:
    if isinstance(key, paillier.PaillierKey):
        return paillier.PaillierSealing(key)
    return ou.OuSealing(key)


def _seal(engine: Sealing, values: list[int]) -> bytes:
    return engine.seal(values)


def _open(engine: Sealing, data: bytes, before: int) -> list[int]:
    return engine.open(data, before)


class GroupSealer:
    """Sealer over a group with a secret factorisation."""

    def __init__(self, key: Key, *, workers: int | None = None) -> None:
        self._group: Group = key.group()
        self._team: Team[Sealing, Key] = Team(_engine, key, workers)

    @property
    def scheme(self) -> str:
        return self._group.scheme

    @property
    def width(self) -> int:
        return self._group.width

    @property
    def capacity_bits(self) -> int:
        return self._group.capacity_bits

    def offer(self) -> Offer:
        """The scheme, the modulus `n` and the blinder `h`, big-endian."""
        n, h = self._group.factored, self._group.blinder
        return {
            "scheme": self.scheme,
            "n": n.to_bytes((n.bit_length() + 7) // 8, "big"),
            "h": h.to_bytes(self.width, "big"),
        }

    def seal(self, values: Sequence[int]) -> Bytes:
        """Each by itself, blinded afresh, `(values, width)`. Raises `TotalsExceeded`."""
        share = self._share(len(values))
        parts = [(list(values[n : n + share]),) for n in range(0, len(values), share)]
        return as_array(b"".join(self._team.each(_seal, parts)), self.width)

    def open(self, sealed: Bytes) -> list[int]:
        """Raises `SealedInvalid`."""
        check_shape(sealed, self.width)
        share = self._share(len(sealed))
        parts = [(sealed[n : n + share].tobytes(), n) for n in range(0, len(sealed), share)]
        return [value for values in self._team.each(_open, parts) for value in values]

    def close(self) -> None:
        self._team.close()

    def _share(self, count: int) -> int:
        return max(_APART, -(-count // self._team.size))


def check_shape(sealed: Bytes, width: int, count: int | None = None) -> None:
    """Raise `SealedInvalid` unless it is an array of so many numbers of that width."""
    if sealed.dtype != np.uint8 or sealed.ndim != 2 or sealed.shape[1] != width:
        raise SealedInvalid(
            f"an array {sealed.dtype} {sealed.shape}: each number has {width} bytes"
        )
    if count is not None and sealed.shape[0] != count:
        raise SealedInvalid(f"{sealed.shape[0]} sealed numbers, {count} are due")
