"""The parts: shares, fixed-point numbers, masks."""

from __future__ import annotations

import gmpy2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from federation.masking import SharesRefused, VectorRefused, fixed_bound, from_fixed, to_fixed
from federation.masking.masks import pair_mask, seal, stream, unseal
from federation.masking.shamir import PRIME, combine, recover, split

pytestmark = pytest.mark.feature("D4")

secrets = st.binary(min_size=32, max_size=32)


def test_the_prime_is_the_first_above_2_to_the_256():
    assert gmpy2.next_prime(1 << 256) == PRIME


@settings(max_examples=40)
@given(secrets, st.integers(1, 8), st.data())
def test_any_threshold_of_shares_gives_the_secret(secret, threshold, data):
    places = data.draw(st.sets(st.integers(1, 64), min_size=threshold, max_size=12))
    shares = split(secret, tuple(places), threshold)
    chosen = data.draw(st.permutations(sorted(places)))[:threshold]
    assert combine({place: shares[place] for place in chosen}, threshold) == secret


def test_one_share_less_than_needed_says_nothing():
    """With a threshold of 3, two shares fit every secret equally: here 0 and all ones."""
    for secret in (bytes(32), b"\xff" * 32):
        drawn = [split(secret, (1, 2, 3), 3) for _ in range(1_000)]
        for place in (1, 2):
            counts = np.bincount([shares[place][1] for shares in drawn], minlength=256)
            assert stats.chisquare(counts).pvalue > 1e-6
        with pytest.raises(SharesRefused, match="3 are needed"):
            combine({1: drawn[0][1], 2: drawn[0][2]}, 3)


@given(secrets, st.dictionaries(st.integers(1, 6), secrets, max_size=2))
def test_wrong_shares_are_found_as_long_as_most_are_right(secret, wrong):
    shares = split(secret, (1, 2, 3, 4, 5, 6), 3)
    shares.update({place: b"\0" + lie for place, lie in wrong.items()})
    found, named = recover(shares, 3, lambda one: one == secret)
    assert found == secret
    assert named == tuple(sorted(wrong))


def test_too_many_wrong_or_malformed_shares_are_refused():
    shares = split(bytes(32), (1, 2, 3, 4), 3)
    bad = {**shares, 1: b"\1" + b"\xff" * 32, 2: b"short"}
    with pytest.raises(SharesRefused, match="no 3 of 4"):
        recover(bad, 3, lambda one: one == bytes(32))
    for share in (b"\1" + b"\xff" * 32, b"short"):
        with pytest.raises(SharesRefused, match="33 bytes"):
            combine({**shares, 1: share}, 3)
    with pytest.raises(SharesRefused, match="31 bytes"):
        split(bytes(31), (1, 2), 2)
    for places in ((0, 1), (1, 1), (1,)):
        with pytest.raises(SharesRefused, match="places"):
            split(bytes(32), places, 2)


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=20))
def test_fixed_point_sums_are_those_of_the_rounded_numbers(values):
    fixed = to_fixed(values, 24, 100.0)
    assert np.abs(from_fixed(fixed, 24) - values).max() <= 2.0**-25
    assert np.abs(fixed).max() <= fixed_bound(24, 100.0)
    assert from_fixed(fixed + fixed, 24).tolist() == (2 * from_fixed(fixed, 24)).tolist()


@pytest.mark.parametrize("value", [100.1, float("nan"), float("inf"), -1e300])
def test_a_number_beyond_the_bound_is_refused(value):
    with pytest.raises(VectorRefused):
        to_fixed([0.0, value], 24, 100.0)


def test_a_scale_that_leaves_62_bits_is_refused():
    with pytest.raises(VectorRefused, match="62 bits"):
        to_fixed([0.0], 52, 1024.1)
    assert to_fixed([1024.0], 52, 1024.0)[0] == 1 << 62


def test_masks_of_a_pair_cancel_and_a_stream_is_chacha20():
    one, other = pair_mask(b"k" * 32, 9, "a", "b"), pair_mask(b"k" * 32, 9, "b", "a")
    assert not (one + other).any()
    assert one.any()
    # RFC 8439, appendix A.1, vector 1: key, nonce and counter of zero.
    assert stream(bytes(32), 2).astype("<u8").tobytes().hex() == "76b8e0ada0f13d90405d6ae55386bd28"


def test_a_seal_opens_only_where_it_was_meant():
    sealed = seal(b"k" * 32, b"share", b"here")
    assert unseal(b"k" * 32, sealed, b"here") == b"share"
    assert unseal(b"k" * 32, sealed, b"there") is None
    assert unseal(b"j" * 32, sealed, b"here") is None
