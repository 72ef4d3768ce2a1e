"""Ids as points: RFC 9380's own vectors, and what is no proper point."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.alignment.curve import (
    Hasher,
    Multiplier,
    SmallOrder,
    as_points,
    first_bad_point,
    map_to_curve,
    on_curve,
    secret_order,
)

pytestmark = pytest.mark.feature("D2")

P = 2**255 - 19
A = 486662
TAG = b"QUUX-V01-CS02-with-curve25519_XMD:SHA-512_ELL2_NU_"

# RFC 9380, appendix J.4.2: message, u[0], Q.x, P.x
VECTORS = [
    (
        b"",
        0x608D892B641F0328523802A6603427C26E55E6F27E71A91A478148D45B5093CD,
        0x51125222DA5E763D97F3C10FCC92EA6860B9CCBBD2EB1285728F566721C1E65B,
        0x1BB913F0C9DAEFA0B3375378FFA534BDA5526C97391952A7789EB976EDFE4D08,
    ),
    (
        b"abc",
        0x46F5B22494BFEAA7F232CC8D054BE68561AF50230234D7D1D63D1D9ABECA8DA5,
        0x7D56D1E08CB0CCB92BAF069C18C49BB5A0DCD927EFF8DCF75CA921EF7F3E6EEB,
        0x7C22950B7D900FA866334262FCAEA47A441A578DF43B894B4625C9B450F9A026,
    ),
    (
        b"abcdef0123456789",
        0x235FE40C443766CE7E18111C33862D66C3B33267EFA50D50F9E8E5D252A40AAA,
        0x3FBE66B9C9883D79E8407150E7C2A1C8680BEE496C62FABE4619A72B3CABE90F,
        0x31AD08A8B0DEEB2A4D8B0206CA25F567AB4E042746F792F4B7973F3AE2096C52,
    ),
    (
        b"q128_" + b"q" * 128,
        0x001E92A544463BDA9BD04DDBE3D6EED248F82DE32F522669EFC5DDCE95F46F5B,
        0x227E0BB89DE700385D19EC40E857DB6E6A3E634B1C32962F370D26F84FF19683,
        0x027877759D155B1997D0D84683A313EB78BDB493271D935B622900459D52CEAA,
    ),
    (
        b"a512_" + b"a" * 512,
        0x1A68A1AF9F663592291AF987203393F707305C7BAC9C8D63D6A729BDC553DC19,
        0x3BCD651EE54D5F7B6013898AAB251EE8ECC0688166FCE6E9548D38472F6BD196,
        0x5FD892C0958D1A75F54C3182A18D286EFAB784E774D1E017BA2FB252998B5DC1,
    ),
]

# u-coordinates of points of small order, on the curve and on its twist (RFC 7748, section 7)
SMALL_ORDER = [
    0,
    1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
    P - 1,
]


def little(u: int) -> bytes:
    return u.to_bytes(32, "little")


def ladder(scalar: int, u: int) -> int:
    """Montgomery's ladder (RFC 7748, section 5) with any scalar, in plain integers."""
    x2, z2, x3, z3 = 1, 0, u, 1
    for bit in bin(scalar)[2:]:
        if bit == "1":
            x2, z2, x3, z3 = x3, z3, x2, z2
        total, less = x2 + z2, x2 - z2
        aa, bb = total * total % P, less * less % P
        da, cb = (x3 - z3) * total % P, (x3 + z3) * less % P
        x3, z3 = (da + cb) ** 2 % P, u * (da - cb) ** 2 % P
        x2, z2 = aa * bb % P, (aa - bb) * (aa + (A - 2) // 4 * (aa - bb)) % P
        if bit == "1":
            x2, z2, x3, z3 = x3, z3, x2, z2
    return x2 * pow(z2, P - 2, P) % P


@pytest.mark.parametrize(("message", "element", "mapped", "cleared"), VECTORS)
def test_hashing_gives_the_points_of_rfc_9380(
    message: bytes, element: int, mapped: int, cleared: int
) -> None:
    hasher = Hasher(TAG)
    assert hasher.field_element(message) == element
    assert hasher.point(message) == little(mapped)
    assert ladder(8, mapped) == cleared


def test_a_secret_multiple_clears_the_cofactor() -> None:
    """X25519 of Q is k' times the suite's P = 8Q: the clamped scalar is 8k'."""
    _, _, mapped, cleared = VECTORS[1]
    with Multiplier(1) as multiplier:
        clamped = bytearray(multiplier._secret)
        clamped[0] &= 248
        clamped[31] = clamped[31] & 127 | 64
        scalar = int.from_bytes(clamped, "little")
        got = multiplier.multiply(as_points(little(mapped))).tobytes()
    assert scalar % 8 == 0
    assert got == little(ladder(scalar // 8, cleared))


@given(st.integers(0, P - 1))
def test_every_field_element_maps_to_the_curve(element: int) -> None:
    point = map_to_curve(element)
    assert first_bad_point(as_points(point)) is None
    assert point == map_to_curve((P - element) % P)


def test_multiples_commute_and_differ_from_run_to_run() -> None:
    points = Hasher(TAG).points(b"%d" % n for n in range(600))
    with Multiplier(2) as one, Multiplier(1) as other:
        there = other.multiply(one.multiply(points))
        back = one.multiply(other.multiply(points))
        assert not np.array_equal(one.multiply(points), other.multiply(points))
    assert np.array_equal(there, back)
    assert len({row.tobytes() for row in there}) == 600


@pytest.mark.parametrize("u", SMALL_ORDER)
def test_points_of_small_order_are_refused(u: int) -> None:
    good = Hasher(TAG).point(b"good")
    with Multiplier(2) as multiplier, pytest.raises(SmallOrder):
        multiplier.multiply(as_points(good * 300 + little(u) + good * 300))


@pytest.mark.parametrize("u", [P, P + 1, P + 18, 2**255 - 1, 2**255, 2**255 + 9, 2**256 - 1])
def test_a_coordinate_that_is_not_canonical_is_found(u: int) -> None:
    good = Hasher(TAG).point(b"good")
    assert first_bad_point(as_points(good + good + little(u) + little(u))) == 2


def test_a_point_of_the_twist_is_found() -> None:
    twist = next(u for u in range(2, 99) if not on_curve(u))
    assert pow(twist**3 + A * twist**2 + twist, (P - 1) // 2, P) == P - 1
    assert first_bad_point(as_points(little(9) + little(twist))) == 1


@pytest.mark.parametrize("count", [0, 1, 1000])
def test_a_secret_order_is_a_permutation_and_never_the_same(count: int) -> None:
    order = secret_order(count)
    assert sorted(order.tolist()) == list(range(count))
    if count > 100:
        assert order.tolist() != secret_order(count).tolist()
        assert abs(np.corrcoef(order, np.arange(count))[0, 1]) < 0.2
