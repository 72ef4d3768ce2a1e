"""Masks that hosts put on their parts of a margin and that vanish in the sum.

Each two hosts draw the same numbers from a seed that only they have; one adds them, the other takes
them away. The guest sees the sum of all hosts' parts and no single one.
"""

from __future__ import annotations

import secrets
from typing import Final

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from numpy.typing import NDArray

from federation.channel import Channel, Message, get_bytes
from federation.scorecard.coding import MARGIN_BITS
from federation.scorecard.errors import PartsWrong, PartyWrong
from federation.scorecard.wire import SEED

_SEED_BYTES: Final = 32
_MARGIN_MAX: Final = 1 << (MARGIN_BITS + 20)


class Masks:
    """One host's masks against the others', a new one for each vector."""

    def __init__(self, seeds: dict[str, bytes], me: str) -> None:
        self._seeds = seeds
        self._me = me
        self._used = 0

    def mask(self, values: NDArray[np.int64]) -> NDArray[np.uint64]:
        """The values modulo 2**64 with the masks of this turn."""
        masked = values.astype(np.uint64)
        for other, seed in self._seeds.items():
            drawn = _stream(seed, self._used, values.size)
            masked = masked + drawn if self._me < other else masked - drawn
        self._used += 1
        return masked


def agree_masks(channel: Channel, hosts: tuple[str, ...]) -> Masks:
    """Agree on a seed with each of the other hosts. Raises what the channel raises."""
    seeds = {}
    for other in sorted(set(hosts) - {channel.me}):
        if channel.me < other:
            seeds[other] = secrets.token_bytes(_SEED_BYTES)
            channel.send(other, Message(SEED, {"seed": seeds[other]}))
        else:
            seeds[other] = get_bytes(channel.receive(other, SEED), "seed", size=_SEED_BYTES)
    return Masks(seeds, channel.me)


def unmasked(total: NDArray[np.uint64], hosts: tuple[str, ...]) -> NDArray[np.int64]:
    """Margins, once the parts of all hosts are in the total. Raises `PartyWrong` where one host's
    part cannot be that, `PartsWrong` where those of several cannot."""
    margins = total.astype(np.int64)
    # Not by its size: the size of the smallest number is that number.
    if margins.size and (margins.max() > _MARGIN_MAX or margins.min() < -_MARGIN_MAX):
        if len(hosts) == 1:
            raise PartyWrong(hosts[0], "its part of the margins is none")
        raise PartsWrong(f"the parts of {', '.join(hosts)} do not add up to margins")
    return margins


def _stream(seed: bytes, turn: int, count: int) -> NDArray[np.uint64]:
    """So many numbers of ChaCha20's key stream (RFC 8439); the turn is its nonce."""
    nonce = bytes(4) + turn.to_bytes(12, "little")
    cipher = Cipher(algorithms.ChaCha20(seed, nonce), mode=None).encryptor()
    return np.frombuffer(cipher.update(bytes(8 * count)), dtype="<u8")
