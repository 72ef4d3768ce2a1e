"""Paillier and Okamoto-Uchiyama: exact, never twice the same, and strict with what comes in."""

from __future__ import annotations

import os
import signal

import gmpy2
import numpy as np
import pytest
from gmpy2 import mpz

from federation.sums import (
    Adder,
    Bytes,
    KeyInvalid,
    Offer,
    OfferInvalid,
    SchemeRefused,
    SealedInvalid,
    Sealer,
    Slots,
    TeamBroken,
    TotalsExceeded,
    adder,
    ou,
    paillier,
    plan_sums,
    sealer,
)
from federation.sums.plan import Plan
from federation.sums.sealing import GroupSealer

pytestmark = pytest.mark.feature("D4")

Key = paillier.PaillierKey | ou.OuKey
BINS = np.array([[0, 1, 1, 0, 2, 1], [3, 0, 0, 3, 1, 1]], dtype=np.uint8)
VALUES = [2**60, -(2**61), 7, 0, -1, 3]


def plan() -> Plan:
    return plan_sums(BINS, [3, 4])


def summed(adding: Adder, sealed: Bytes) -> Bytes:
    adding.load(sealed, plan())
    whole, part = adding.bin_sums([np.arange(6), np.array([4, 0])])
    rest = adding.subtract(whole, part)
    return adding.pack([one for sums in (whole, part, rest) for row in sums for one in row], 70)


def test_sums_are_those_of_the_oracle(sealing: Sealer) -> None:
    oracle = sealer("plain")
    found = []
    for one in (oracle, sealing):
        adding = adder(one.offer(), workers=1, allow_plain=True)
        slots = Slots.within(one.capacity_bits, 70)
        found.append(slots.unpack(one.open(summed(adding, one.seal(VALUES))), 21))
    assert found[0] == found[1]
    assert found[0][:3] == [2**60, -(2**61) + 10, -1]
    assert found[0][14:17] == [0, -(2**61) + 10, 0]


def test_numbers_up_to_the_capacity_come_back_and_none_beyond_is_taken(sealing: Sealer) -> None:
    edge = 2**sealing.capacity_bits - 1
    values = [0, 1, -1, edge, -edge]
    assert sealing.open(sealing.seal(values)) == values
    for value in (edge + 1, -edge - 1):
        with pytest.raises(TotalsExceeded):
            sealing.seal([value])


def test_equal_numbers_look_unlike_and_so_do_equal_sums(sealing: Sealer) -> None:
    sealed = sealing.seal([0] * 200)
    assert len({one.tobytes() for one in sealed}) == 200
    # Whatever hangs on the number would show in single bits: none is set far from half the time.
    bits = np.unpackbits(sealed[:, 8:], axis=1).mean(axis=0)
    assert 0.25 < bits.min() < bits.max() < 0.75
    adding = adder(sealing.offer(), workers=1)
    first, second = summed(adding, sealed[:6]), summed(adding, sealed[:6])
    assert not (first == second).all(axis=1).any()


def test_each_side_of_the_modulus_is_blinded(key: Key, sealing: Sealer) -> None:
    """Who factored it later would else read what is blinded on the other side only."""
    other = key.q**2 if isinstance(key, paillier.PaillierKey) else key.q
    sealed = [mpz.from_bytes(one.tobytes(), "big") for one in sealing.seal([0] * 50)]
    for modulus, order in ((key.p**2, key.u), (other, key.v)):
        assert len({one % modulus for one in sealed}) == 50
        assert all(gmpy2.powmod(one, order, modulus) == 1 for one in sealed)


def test_full_slots_add_up_without_running_over(sealing: Sealer) -> None:
    """The edge of the bound in `Slots`: every slot as great as it may get, of both signs."""
    bits = 61
    slots = Slots.within(sealing.capacity_bits, bits)
    limit = 2 ** (bits - 1) - 1
    for sign in (1, -1):
        adding = adder(sealing.offer(), workers=1)
        adding.load(sealing.seal([sign * (limit - 5), sign * 5]), plan_sums(BINS[:1, :2] * 0, [1]))
        ((total,),) = adding.bin_sums([np.arange(2)])[0]
        packed = adding.pack([total] * slots.each, bits)
        assert len(packed) == 1
        assert slots.unpack(sealing.open(packed), slots.each) == [sign * limit] * slots.each


def test_work_that_is_shared_gives_the_same(ou_key: ou.OuKey) -> None:
    sealing = GroupSealer(ou_key, workers=2)
    adding = adder(sealing.offer(), workers=2)
    try:
        values = [n * (-1) ** n for n in range(300)]
        bins = np.array([[n % 7 for n in range(300)]], dtype=np.uint8)
        adding.load(sealing.seal(values), plan_sums(bins, [7]))
        ((totals,),) = adding.bin_sums([np.arange(300)])
        opened = sealing.open(adding.pack(totals * 40, 400))
        assert opened == [sum(values[n::7]) for n in range(7)] * 40
    finally:
        sealing.close()
        adding.close()


def test_a_process_that_ended_is_told(ou_key: ou.OuKey) -> None:
    sealing = GroupSealer(ou_key, workers=2)
    member = sealing._team._members[1][0]
    assert member.pid is not None
    os.kill(member.pid, signal.SIGKILL)
    with pytest.raises(TeamBroken):
        sealing.seal([1] * 200)
    sealing.close()


class TestKeys:
    def test_the_modulus_has_just_the_bits_and_its_primes_are_strong(self, key: Key) -> None:
        assert key.n.bit_length() == 2048
        for prime, order in ((key.p, key.u), (key.q, key.v)):
            assert gmpy2.is_prime(prime)
            assert gmpy2.is_prime(order)
            assert order.bit_length() == 256
            assert (prime - 1) % order == 0
        assert key.p != key.q
        assert key.u != key.v

    def test_the_blinder_has_the_secret_order_and_tells_of_no_factor(self, key: Key) -> None:
        group = key.group()
        assert gmpy2.powmod(group.blinder, key.u * key.v, group.modulus) == 1
        for order in (key.u, key.v, mpz(2)):
            assert gmpy2.gcd(gmpy2.powmod(group.blinder, 2, key.n) - 1, key.n) == 1
            assert gmpy2.powmod(group.blinder, order, group.modulus) != 1

    def test_two_keys_share_nothing(self, ou_key: ou.OuKey) -> None:
        other = ou.new_key(2048)
        assert gmpy2.gcd(other.n, ou_key.n) == 1

    def test_a_key_is_not_printed(self, key: Key) -> None:
        assert str(int(key.p)) not in repr(key)
        assert hex(key.p)[2:] not in repr(key)

    @pytest.mark.parametrize("bits", [512, 1024, 2047, 2050, 8208])
    @pytest.mark.parametrize("scheme", ["paillier", "ou"])
    def test_a_length_that_is_not_safe_is_refused(self, scheme: str, bits: int) -> None:
        with pytest.raises(KeyInvalid):
            sealer(scheme, bits)

    def test_the_textbooks_way_opens_what_was_sealed(
        self, paillier_key: paillier.PaillierKey, ou_key: ou.OuKey
    ) -> None:
        """Paillier 1999, section 4, and Okamoto and Uchiyama 1998, section 3."""
        n, values = paillier_key.n, [12345678901234567890, 0, 1]
        order = gmpy2.lcm(paillier_key.p - 1, paillier_key.q - 1)
        for value, sealed in zip(
            values, GroupSealer(paillier_key, workers=1).seal(values), strict=True
        ):
            c = mpz.from_bytes(sealed.tobytes(), "big")
            found = (gmpy2.powmod(c, order, n * n) - 1) // n * gmpy2.invert(order, n) % n
            assert found == value
        p = ou_key.p
        for value, sealed in zip(values, GroupSealer(ou_key, workers=1).seal(values), strict=True):
            c = mpz.from_bytes(sealed.tobytes(), "big")
            power = (gmpy2.powmod(c, p - 1, p * p) - 1) // p
            assert power * gmpy2.invert(p - 1, p) % p == value


class TestRefused:
    def test_a_wrong_width_or_count(self, sealing: Sealer) -> None:
        adding = adder(sealing.offer(), workers=1)
        sealed = sealing.seal(VALUES)
        for wrong in (sealed[:, 1:], sealed[:5], sealed.astype(np.int8), sealed.reshape(-1)):
            with pytest.raises(SealedInvalid):
                adding.load(wrong, plan())
        for wrong in (sealed[:, 1:], sealed.reshape(-1)):
            with pytest.raises(SealedInvalid):
                sealing.open(wrong)

    def test_a_number_out_of_range_or_not_invertible(self, key: Key, sealing: Sealer) -> None:
        modulus, width = key.group().modulus, sealing.width
        adding = adder(sealing.offer(), workers=1)
        for wrong in (
            mpz(0),
            modulus,
            mpz(2) ** (8 * width) - 1,
            key.p,
            key.q * 5,
            key.n % modulus,
        ):
            sealed = sealing.seal(VALUES).copy()
            sealed[3] = np.frombuffer(wrong.to_bytes(width, "big"), dtype=np.uint8)
            for take in (lambda one: adding.load(one, plan()), sealing.open):
                with pytest.raises(SealedInvalid) as raised:
                    take(sealed)
                assert raised.value.place == 3

    def test_a_number_that_nobody_sealed_with_this_key(self, key: Key, sealing: Sealer) -> None:
        wrong = (key.group().modulus // 3).to_bytes(sealing.width, "big")
        sealed = np.concatenate([sealing.seal([1]), np.frombuffer(wrong, dtype=np.uint8)[None]])
        with pytest.raises(SealedInvalid, match="not made with this key") as raised:
            sealing.open(sealed)
        assert raised.value.place == 1

    def test_an_offer_that_is_no_key(self, sealing: Sealer) -> None:
        good = sealing.offer()
        n, h = good["n"], good["h"]
        assert isinstance(n, bytes)
        assert isinstance(h, bytes)
        prime = int(gmpy2.next_prime(mpz(2) ** 2047 + 1)).to_bytes(256, "big")
        wrong: list[Offer] = [
            {**good, "n": n[1:]},
            {**good, "n": b"\0" + n},
            {**good, "n": n[:-1] + bytes([n[-1] & 0xFE])},
            {**good, "n": prime},
            {**good, "n": "1"},
            {**good, "h": b"\0" * len(h)},
            {**good, "h": b"\0" * (len(h) - 1) + b"\1"},
            {**good, "h": b"\xff" * len(h)},
            {**good, "h": b"\0" + h},
            {"scheme": sealing.scheme},
        ]
        for one in wrong:
            with pytest.raises(OfferInvalid):
                adder(one, workers=1)
        short = mpz(2) ** 1023 + 1
        with pytest.raises(OfferInvalid, match="bits"):
            adder({**good, "n": short.to_bytes(128, "big")}, workers=1)

    def test_the_plain_scheme_unless_it_is_allowed_by_name(self) -> None:
        with pytest.raises(SchemeRefused, match="tests only"):
            adder(sealer("plain").offer())
        for scheme in ("", "rot13"):
            with pytest.raises(SchemeRefused):
                sealer(scheme)
            with pytest.raises(SchemeRefused):
                adder({"scheme": scheme})

    def test_rows_that_were_not_loaded(self, sealing: Sealer) -> None:
        adding = adder(sealing.offer(), workers=1)
        adding.load(sealing.seal(VALUES), plan())
        for row in (-1, 6):
            with pytest.raises(SealedInvalid, match="not among"):
                adding.bin_sums([np.array([row])])
