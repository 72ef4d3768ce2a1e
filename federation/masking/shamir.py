"""Shamir's shares of 32-byte secrets (Shamir 1979), over the first prime above 2^256."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable, Mapping
from typing import Final

from federation.masking.errors import SharesRefused

PRIME: Final = (1 << 256) + 297
SECRET_BYTES: Final = 32
SHARE_BYTES: Final = 33
_SETS_MAX: Final = 4_000
"""Sets of shares that are tried before giving up on finding the wrong ones among them."""


def split(secret: bytes, places: tuple[int, ...], threshold: int) -> dict[int, bytes]:
    """A share (33 bytes, big-endian) for each place; any `threshold` of them give the secret.

    Requires 32 bytes, distinct places from 1 and 1 <= threshold <= len(places).
    """
    if len(secret) != SECRET_BYTES:
        raise SharesRefused(f"a secret of {len(secret)} bytes; it must have {SECRET_BYTES}")
    if not 1 <= threshold <= len(places) or len(set(places)) != len(places) or min(places) < 1:
        raise SharesRefused("places must be distinct, from 1, and at least as many as needed")
    terms = [int.from_bytes(secret, "big")]
    terms += [secrets.randbelow(PRIME) for _ in range(threshold - 1)]
    return {place: _at(terms, place).to_bytes(SHARE_BYTES, "big") for place in places}


def combine(shares: Mapping[int, bytes], threshold: int) -> bytes:
    """The secret behind exactly the first `threshold` of the shares, by place.

    Raises `SharesRefused` for too few or malformed shares, and where they give no secret.
    """
    if len(shares) < threshold:
        raise SharesRefused(f"{len(shares)} shares; {threshold} are needed")
    points = {place: _value(shares[place]) for place in sorted(shares)[:threshold]}
    secret = _interpolate(points, 0)
    if secret >= 1 << (8 * SECRET_BYTES):
        raise SharesRefused("the shares are not those of one secret")
    return secret.to_bytes(SECRET_BYTES, "big")


def recover(
    shares: Mapping[int, bytes], threshold: int, known: Callable[[bytes], bool]
) -> tuple[bytes, tuple[int, ...]]:
    """The secret that is `known` to be right, and the places whose shares are not of it.

    Where some shares are wrong, sets of `threshold` of them are tried; of the polynomials that
    lead to the secret the one with the most shares counts. Raises `SharesRefused` if none does.
    """
    good = {place: share for place, share in sorted(shares.items()) if _is_value(share)}
    found: tuple[bytes, tuple[int, ...]] | None = None
    for chosen in itertools.islice(itertools.combinations(good, threshold), _SETS_MAX):
        try:
            secret = combine({place: good[place] for place in chosen}, threshold)
        except SharesRefused:
            continue
        if not known(secret):
            continue
        points = {place: _value(good[place]) for place in chosen}
        right = {place for place in good if _interpolate(points, place) == _value(good[place])}
        wrong = tuple(sorted(set(shares) - right))
        if found is None or len(wrong) < len(found[1]):
            found = secret, wrong
        if 2 * len(right) > len(shares):
            break
    if found is None:
        raise SharesRefused(f"no {threshold} of {len(shares)} shares give the secret committed to")
    return found


def _at(terms: list[int], place: int) -> int:
    out = 0
    for term in reversed(terms):
        out = (out * place + term) % PRIME
    return out


def _interpolate(points: Mapping[int, int], at: int) -> int:
    """The value at `at` of the polynomial through the points (Lagrange)."""
    if at in points:
        return points[at]
    out = 0
    for place, value in points.items():
        above = below = 1
        for other in points:
            if other != place:
                above = above * (at - other) % PRIME
                below = below * (place - other) % PRIME
        out = (out + value * above * pow(below, -1, PRIME)) % PRIME
    return out


def _is_value(share: bytes) -> bool:
    return len(share) == SHARE_BYTES and int.from_bytes(share, "big") < PRIME


def _value(share: bytes) -> int:
    if not _is_value(share):
        raise SharesRefused("a share is not a number below the prime, in 33 bytes")
    return int.from_bytes(share, "big")
