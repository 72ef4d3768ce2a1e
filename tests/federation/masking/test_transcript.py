"""What the server sees tells it the sum, and nothing more."""

from __future__ import annotations

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from scipy import stats

from federation.channel import Message, decode
from federation.masking.masks import agree, pair_mask, pair_purpose, seed_commitment, stream
from federation.masking.messages import Advert, pieces
from federation.masking.shamir import recover

pytestmark = pytest.mark.feature("D4")

LENGTH = 7
ENOUGH = 1e-6
"""Chance of a false alarm of each of the tests below."""


def sent(outcome, kind: str) -> dict[str, Message]:
    """By sender: its message of that kind to the server."""
    decoded = [
        (sender, decode(data, size_bytes_max=1 << 20))
        for sender, to, data in outcome.transcript
        if to == "operator"
    ]
    return {sender: message for sender, message in decoded if message.kind == kind}


def seed_of(outcome, group, dealer: str) -> bytes:
    """The seed of the dealer's self mask, as the server puts it together."""
    number = group.group.members.index(dealer)
    shares = {
        group.group.place(party): pieces(message.body["shares"], 33)[number]
        for party, message in sent(outcome, "mask/unmask").items()
    }
    advert = Advert.from_bytes(sent(outcome, "mask/keys")[dealer].body["keys"])
    seed, _ = recover(
        shares, group.group.threshold, lambda s: seed_commitment(s) == advert.commitment
    )
    return seed


def views(group, vectors, times: int) -> np.ndarray:
    """What is left of each vector once the server has taken every mask off that it may know."""
    out = []
    for _ in range(times):
        group.vectors = vectors
        outcome = group.run()
        for party in group.group.members:
            masked = sent(outcome, "mask/vector")[party].body["values"]
            out.append(masked)
            out.append(masked - stream(seed_of(outcome, group, party), LENGTH))
    return np.array(out)


def test_two_inputs_of_one_sum_look_alike_and_like_noise(parties):
    group = parties(4)
    one = {p: np.full(LENGTH, 10 * n) for n, p in enumerate(group.group.members)}
    other = {p: np.full(LENGTH, 15) for p in group.group.members}
    seen = [views(group, vectors, 25) for vectors in (one, other)]
    for kind in (0, 1):  # under all masks; under those of the pairs only
        bytes_of = [view[kind::2].copy().view(np.uint8).ravel() for view in seen]
        for data in bytes_of:
            assert stats.chisquare(np.bincount(data, minlength=256)).pvalue > ENOUGH
        numbers = [view[kind::2].ravel().astype(np.float64) for view in seen]
        assert stats.ks_2samp(*numbers).pvalue > ENOUGH
    for view in seen:
        small = view.view(np.int64)
        assert np.abs(small).min() > 1 << 30  # no vector is there, nor a difference of two


def test_a_vector_that_comes_late_stays_hidden(parties):
    """Its pair masks are known by then; its self mask is not (why there are two)."""
    group = parties(4, 3)
    late: list[np.ndarray] = []

    def keep(_to: str, message: Message) -> Message | None:
        if message.kind == "mask/vector":
            late.append(message.body["values"])
            return None
        return message

    group.changes = {"bank-3": keep}
    group.timeout_s = 0.2
    outcome = group.run()
    assert outcome.total is not None
    assert outcome.total.parties == ("bank-0", "bank-1", "bank-2")
    shares = {
        group.group.place(party): pieces(message.body["shares"], 33)[3]
        for party, message in sent(outcome, "mask/unmask").items()
    }
    adverts = {p: Advert.from_bytes(m.body["keys"]) for p, m in sent(outcome, "mask/keys").items()}

    def known(secret: bytes) -> bool:
        private = X25519PrivateKey.from_private_bytes(secret)
        return private.public_key().public_bytes_raw() == adverts["bank-3"].masking

    secret, _ = recover(shares, 3, known)
    rest = late[0].copy()
    for party in ("bank-0", "bank-1", "bank-2"):
        key = agree(
            X25519PrivateKey.from_private_bytes(secret),
            adverts[party].masking,
            pair_purpose("0x07", "step/1", "bank-3", party),
        )
        rest -= pair_mask(key, LENGTH, "bank-3", party)
    assert np.abs((rest - group.vectors["bank-3"].view(np.uint64)).view(np.int64)).min() > 1 << 30
    assert np.abs(rest.view(np.int64)).min() > 1 << 30


@pytest.mark.parametrize("dtype", ["<i8", ">i8", "<i4", ">i4", "<f8", ">f8", "<i2"])
def test_no_vector_stands_in_the_transcript_in_any_encoding(parties, dtype):
    group = parties(3)
    group.vectors = {p: np.arange(LENGTH) * 11 + 200 + n for n, p in enumerate(group.group.members)}
    outcome = group.run()
    everything = b"|".join(data for _sender, _to, data in outcome.transcript)
    for vector in group.vectors.values():
        assert vector.astype(dtype).tobytes() not in everything
        assert vector[:3].astype(dtype).tobytes() not in everything
        for text in (",", ", ", " "):
            assert text.join(map(str, vector.tolist())).encode() not in everything
    # The search finds what is there: the masked vectors themselves.
    for message in sent(outcome, "mask/vector").values():
        assert message.body["values"].tobytes() in everything


def test_two_steps_share_no_key_and_no_mask(parties):
    group = parties(3)
    seen = [group.run(), group.run()]
    keys = [m.body["keys"][:96] for one in seen for m in sent(one, "mask/keys").values()]
    assert len({piece for key in keys for piece in pieces(key, 32)}) == 18
    values = np.array([m.body["values"] for one in seen for m in sent(one, "mask/vector").values()])
    assert len(np.unique(values)) == values.size
