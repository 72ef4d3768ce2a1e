"""A member's side of masked sums."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from numpy.typing import NDArray

from federation.channel import Channel, Message, MessageInvalid, PartySilent, get_bytes
from federation.masking.errors import GroupRefused, ServerLied, StepRepeated, VectorRefused
from federation.masking.masks import (
    agree,
    names,
    pair_mask,
    pair_purpose,
    public_key,
    seal,
    seed_commitment,
    signed_by,
    statement,
    stream,
    unseal,
)
from federation.masking.messages import (
    ADVERT_BYTES,
    CONSENT,
    CONSENTS,
    INBOX,
    KEYS,
    ROSTER,
    SEALED_BYTES,
    SHARES,
    SIGNATURE_BYTES,
    SURVIVORS,
    UNMASK,
    VECTOR,
    Advert,
    flags,
    pieces,
    read_flags,
    receive_from_server,
    send,
)
from federation.masking.shamir import SHARE_BYTES, split
from federation.masking.types import LENGTH_MAX, STEP_CHARACTERS_MAX, Group

STEPS_MAX: Final = 100_000


@dataclass(slots=True)
class _Step:
    """What a member knows in one step; all of it is forgotten afterwards."""

    name: str
    sealing: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)
    masking: X25519PrivateKey = field(default_factory=X25519PrivateKey.generate)
    seed: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    adverts: dict[str, Advert] = field(default_factory=dict)
    inbox: dict[str, bytes | None] = field(default_factory=dict)
    """By member: its two shares for us, ours included; nothing where the seal was broken."""


class Contributor:
    """Takes part in the masked sums of one run, one step after the other.

    After Bonawitz et al. 2017, "Practical Secure Aggregation for Privacy-Preserving Machine
    Learning", in the variant against active adversaries: keys are signed by long-term keys, and
    no share is given before a threshold of members have signed the same set of survivors.
    """

    def __init__(
        self,
        channel: Channel,
        group: Group,
        signer: Ed25519PrivateKey,
        *,
        done: Iterable[str] = (),
    ) -> None:
        """`done`: steps of this run that have had their sum, where it is taken up again.

        Raises `GroupRefused` unless `channel` is a member's and `signer` that member's.
        """
        if group.keys.get(channel.me) != signer.public_key().public_bytes_raw():
            raise GroupRefused(f"{channel.me} is no member of the group with that key")
        self._channel = channel
        self._group = group
        self._signer = signer
        self._done = set(done)

    @property
    def group(self) -> Group:
        """The group that adds up."""
        return self._group

    @property
    def done(self) -> frozenset[str]:
        """Steps in which a share was given; there is no second sum of any of them."""
        return frozenset(self._done)

    def add(self, step: str, vector: NDArray[np.int64], bound: int) -> tuple[str, ...]:
        """Put the vector into the sum of that step; returns whose vectors are in it.

        `vector` has numbers of -bound to bound. Raises `VectorRefused`, `StepRepeated`,
        `ServerLied`, `MaskingEnded` where too few are left, and what the channel raises.
        """
        self._require(step, vector, bound)
        state = _Step(step)
        first = self._exchange_keys(state)
        mailed = self._exchange_shares(state, first)
        masked = self._masked(state, vector, mailed)
        send(self._channel, self._group.server, VECTOR, step, values=masked)
        survivors = self._survivors(state, mailed)
        self._agree_on(state, mailed, survivors)
        self._unmask(state, mailed, survivors)
        return survivors

    def _require(self, step: str, vector: NDArray[np.int64], bound: int) -> None:
        if not 0 < len(step) <= STEP_CHARACTERS_MAX:
            raise VectorRefused(f"a step's name has 1 to {STEP_CHARACTERS_MAX} characters")
        if step in self._done:
            raise StepRepeated(step)
        if len(self._done) >= STEPS_MAX:
            raise VectorRefused(f"a run has at most {STEPS_MAX} steps")
        if vector.dtype != np.int64 or vector.ndim != 1 or not 0 < vector.size <= LENGTH_MAX:
            raise VectorRefused(f"a vector of 1 to {LENGTH_MAX} 64-bit integers is meant")
        if not 0 < bound <= self._group.bound_max():
            raise VectorRefused(
                f"a bound of {bound}: with {len(self._group.keys)} members sums stay within "
                f"64 bits up to {self._group.bound_max()}"
            )
        low, high = int(vector.min()), int(vector.max())
        if low < -bound or high > bound:
            raise VectorRefused(f"numbers of {low} to {high} are beyond the bound of {bound}")

    def _exchange_keys(self, state: _Step) -> tuple[str, ...]:
        body = public_key(state.sealing) + public_key(state.masking)
        body += seed_commitment(state.seed)
        said = Advert.said(self._channel.run, state.name, self._channel.me, body)
        mine = Advert.from_bytes(body + self._signer.sign(said))
        send(self._channel, self._group.server, KEYS, state.name, keys=mine.to_bytes())
        message = self._receive(ROSTER, state)
        present = self._present(message, state, within=self._group.members)
        data = get_bytes(message, "keys", size=ADVERT_BYTES * len(present))
        for party, piece in zip(present, pieces(data, ADVERT_BYTES), strict=True):
            advert = Advert.from_bytes(piece)
            key = self._group.keys[party]
            if not advert.is_of(key, self._channel.run, state.name, party):
                raise self._lied(state, f"these keys are not signed by {party} for this step")
            state.adverts[party] = advert
        if state.adverts[self._channel.me] != mine:
            raise self._lied(state, "it shows other keys for us than ours")
        keys = [key for one in state.adverts.values() for key in (one.sealing, one.masking)]
        if len(set(keys)) != len(keys):
            raise self._lied(state, "a key stands there twice")
        return present

    def _exchange_shares(self, state: _Step, present: tuple[str, ...]) -> tuple[str, ...]:
        me, group = self._channel.me, self._group
        places = tuple(group.place(party) for party in present)
        of_mask = split(state.masking.private_bytes_raw(), places, group.threshold)
        of_seed = split(state.seed, places, group.threshold)
        sealed = b""
        for party, place in zip(present, places, strict=True):
            both = of_mask[place] + of_seed[place]
            if party == me:
                state.inbox[me] = both
            else:
                key, context = self._sealing_key(state, me, party)
                sealed += seal(key, both, context)
        send(self._channel, group.server, SHARES, state.name, sealed=sealed)
        message = self._receive(INBOX, state)
        mailed = self._present(message, state, within=present)
        others = [party for party in mailed if party != me]
        data = get_bytes(message, "sealed", size=SEALED_BYTES * len(others))
        for party, piece in zip(others, pieces(data, SEALED_BYTES), strict=True):
            key, context = self._sealing_key(state, party, me)
            state.inbox[party] = unseal(key, piece, context)
        return mailed

    def _sealing_key(self, state: _Step, sender: str, receiver: str) -> tuple[bytes, bytes]:
        other = receiver if sender == self._channel.me else sender
        context = statement("share", self._channel.run, state.name, sender, receiver)
        return self._agree(state, state.sealing, state.adverts[other].sealing, context), context

    def _agree(self, state: _Step, mine: X25519PrivateKey, theirs: bytes, purpose: bytes) -> bytes:
        try:
            return agree(mine, theirs, purpose)
        except ValueError as error:
            raise self._lied(state, "a key is a point of small order") from error

    def _masked(
        self, state: _Step, vector: NDArray[np.int64], mailed: tuple[str, ...]
    ) -> NDArray[np.uint64]:
        me = self._channel.me
        out: NDArray[np.uint64] = vector.view(np.uint64) + stream(state.seed, vector.size)
        for other in mailed:
            if other != me:
                purpose = pair_purpose(self._channel.run, state.name, me, other)
                key = self._agree(state, state.masking, state.adverts[other].masking, purpose)
                out += pair_mask(key, vector.size, me, other)
        return out

    def _survivors(self, state: _Step, mailed: tuple[str, ...]) -> tuple[str, ...]:
        return self._present(self._receive(SURVIVORS, state), state, within=mailed)

    def _agree_on(self, state: _Step, mailed: tuple[str, ...], survivors: tuple[str, ...]) -> None:
        """Sign who was there and who survived; see that a threshold have signed the same."""
        keys = b"".join(state.adverts[party].to_bytes() for party in mailed)
        sets = (names(mailed), keys, names(survivors))
        said = statement("survivors", self._channel.run, state.name, *sets)
        signature = self._signer.sign(said)
        send(self._channel, self._group.server, CONSENT, state.name, signature=signature)
        message = self._receive(CONSENTS, state)
        signed = self._present(message, state, within=survivors, me_too=False)
        data = get_bytes(message, "signatures", size=SIGNATURE_BYTES * len(signed))
        for party, piece in zip(signed, pieces(data, SIGNATURE_BYTES), strict=True):
            if not signed_by(self._group.keys[party], piece, said):
                raise self._lied(state, f"{party} did not sign this set of survivors")

    def _unmask(self, state: _Step, mailed: tuple[str, ...], survivors: tuple[str, ...]) -> None:
        """Give of each member one share: of its self mask's seed if it is in, else of its key."""
        # Before it is sent: whatever happens to the message, there is no second one.
        self._done.add(state.name)
        broken = [party for party in mailed if state.inbox[party] is None]
        shares = b""
        for party in mailed:
            both = state.inbox[party] or bytes(2 * SHARE_BYTES)
            shares += both[SHARE_BYTES:] if party in survivors else both[:SHARE_BYTES]
        send(
            self._channel,
            self._group.server,
            UNMASK,
            state.name,
            shares=shares,
            broken=flags(broken, mailed),
        )

    def _present(
        self, message: Message, state: _Step, *, within: tuple[str, ...], me_too: bool = True
    ) -> tuple[str, ...]:
        """Whom the server says is there: enough of those that were, and we among them."""
        present = read_flags(message, "present", self._group.members)
        if not set(present) <= set(within):
            raise self._lied(state, f"{message.kind} has a member that was not there before")
        if len(present) < self._group.threshold:
            raise self._lied(
                state,
                f"{message.kind} has {len(present)} members, {self._group.threshold} are needed",
            )
        if me_too and self._channel.me not in present:
            raise self._lied(state, f"{message.kind} leaves us out")
        return present

    def _receive(self, kind: str, state: _Step) -> Message:
        """The server's next message: it waits for each member in turn, so we wait for all."""
        server, patience = self._group.server, len(self._group.keys)
        while True:
            try:
                return receive_from_server(self._channel, server, kind, state.name)
            except PartySilent:
                patience -= 1
                if patience < 0:
                    raise
            except MessageInvalid as error:
                raise self._lied(state, str(error)) from error

    def _lied(self, state: _Step, reason: str) -> ServerLied:
        return ServerLied(self._group.server, state.name, reason)
