"""The server's side of masked sums: it passes messages on, and learns nothing but the sum."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, TypeVar

import numpy as np
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from numpy.typing import NDArray

from federation.channel import (
    Channel,
    ChannelError,
    Message,
    MessageInvalid,
    PartyGone,
    PartySilent,
    get_array,
    get_bytes,
)
from federation.masking.errors import MaskingEnded, SharesRefused, SumImpossible, VectorRefused
from federation.masking.masks import (
    agree,
    pair_mask,
    pair_purpose,
    public_key,
    seed_commitment,
    stream,
)
from federation.masking.messages import (
    ADVERT_BYTES,
    CONSENT,
    CONSENTS,
    END_CHARACTERS_MAX,
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
    receive,
    send,
)
from federation.masking.shamir import SHARE_BYTES, recover
from federation.masking.types import LENGTH_MAX, Fault, Group, Sum

_T = TypeVar("_T")
_NEXT: Final = {KEYS: ROSTER, SHARES: INBOX, VECTOR: SURVIVORS, CONSENT: CONSENTS}
"""What a member that has sent the one waits for: there it is told that it is out."""


@dataclass(slots=True)
class _Step:
    """What the server holds in one step."""

    name: str
    length: int
    adverts: dict[str, Advert] = field(default_factory=dict)
    mailed: tuple[str, ...] = ()
    vectors: dict[str, NDArray[np.uint64]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


class Collector:
    """Makes the masked sums of one run, one step after the other.

    A member that is gone, silent, or sends what is no message is left out from there on; the sum
    is then that of the others. What it holds of a step it forgets with it.
    """

    def __init__(self, channel: Channel, group: Group, *, left: Iterable[str] = ()) -> None:
        """`left`: members that are not asked any more, where a run is taken up again."""
        self._channel = channel
        self._group = group
        self._left = set(left)
        self._faults: list[Fault] = []

    @property
    def group(self) -> Group:
        """The group that adds up."""
        return self._group

    @property
    def active(self) -> tuple[str, ...]:
        """The members that are still asked."""
        return tuple(party for party in self._group.members if party not in self._left)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Everything that was wrong so far."""
        return tuple(self._faults)

    def leave_out(self, fault: Fault) -> None:
        """Ask that member no more, for what it did elsewhere."""
        self._left.add(fault.party)
        self._faults.append(fault)

    def sum(self, step: str, length: int, bound: int) -> Sum:
        """The sum of the active members' vectors of that step: `length` numbers of -bound..bound.

        Raises `MaskingEnded` where fewer than the threshold are left, `SumImpossible`.
        """
        if not 0 < length <= LENGTH_MAX or not 0 < bound <= self._group.bound_max():
            raise VectorRefused(f"{length} numbers of at most {bound} cannot be added here")
        state = _Step(step, length)
        self._gather_keys(state)
        self._pass_shares(state)
        self._gather_vectors(state)
        survivors = self._gather_consents(state)
        masks = self._unmask(state, survivors)
        total = masks
        for vector in state.vectors.values():
            total += vector
        values = total.view(np.int64)
        limit = bound * len(state.vectors)
        if int(values.min()) < -limit or int(values.max()) > limit:
            raise SumImpossible(step, tuple(state.vectors))
        return Sum(step, values, tuple(state.vectors), tuple(state.faults))

    def _gather_keys(self, state: _Step) -> None:
        def read(party: str, message: Message) -> Advert:
            advert = Advert.from_bytes(get_bytes(message, "keys", size=ADVERT_BYTES))
            if not advert.is_of(self._group.keys[party], self._channel.run, state.name, party):
                raise MessageInvalid(party, f"{KEYS} keys", "it did not sign them")
            return advert

        state.adverts = self._gather(state, KEYS, self.active, read)
        present = self._enough(state, state.adverts, ROSTER)
        keys = b"".join(state.adverts[party].to_bytes() for party in present)
        marks = flags(present, self._group.members)
        for party in present:
            self._send(state, party, ROSTER, present=marks, keys=keys)

    def _pass_shares(self, state: _Step) -> None:
        asked = tuple(state.adverts)

        def read(_party: str, message: Message) -> list[bytes]:
            size = SEALED_BYTES * (len(asked) - 1)
            return pieces(get_bytes(message, "sealed", size=size), SEALED_BYTES)

        sealed = self._gather(state, SHARES, asked, read)
        state.mailed = self._enough(state, sealed, INBOX)
        letters = {
            sender: dict(zip((p for p in asked if p != sender), parts, strict=True))
            for sender, parts in sealed.items()
        }
        marks = flags(state.mailed, self._group.members)
        for party in state.mailed:
            mine = b"".join(letters[sender][party] for sender in state.mailed if sender != party)
            self._send(state, party, INBOX, present=marks, sealed=mine)

    def _gather_vectors(self, state: _Step) -> None:
        def read(_party: str, message: Message) -> NDArray[np.uint64]:
            return get_array(message, "values", dtype="<u8", shape=(state.length,))

        state.vectors = self._gather(state, VECTOR, state.mailed, read)
        survivors = self._enough(state, state.vectors, SURVIVORS)
        marks = flags(survivors, self._group.members)
        for party in survivors:
            self._send(state, party, SURVIVORS, present=marks)

    def _gather_consents(self, state: _Step) -> tuple[str, ...]:
        """Pass on who signed the set of survivors; returns them."""

        def read(_party: str, message: Message) -> bytes:
            return get_bytes(message, "signature", size=SIGNATURE_BYTES)

        signatures = self._gather(state, CONSENT, tuple(state.vectors), read)
        signed = self._enough(state, signatures, CONSENTS)
        marks = flags(signed, self._group.members)
        data = b"".join(signatures[party] for party in signed)
        for party in signed:
            self._send(state, party, CONSENTS, present=marks, signatures=data)
        return signed

    def _unmask(self, state: _Step, asked: tuple[str, ...]) -> NDArray[np.uint64]:
        """What the masks of all vectors add up to, negative."""
        mailed = state.mailed

        def read(party: str, message: Message) -> list[bytes | None]:
            shares = get_bytes(message, "shares", size=SHARE_BYTES * len(mailed))
            broken = get_bytes(message, "broken", size=len(mailed))
            for dealer, mark in zip(mailed, broken, strict=True):
                if mark:
                    self._note(state, dealer, "share", f"{party} cannot open what it was dealt")
            split = pieces(shares, SHARE_BYTES)
            return [None if mark else share for share, mark in zip(split, broken, strict=True)]

        given = self._gather(state, UNMASK, asked, read)
        self._enough(state, given, None)
        out = np.zeros(state.length, dtype=np.uint64)
        for number, dealer in enumerate(mailed):
            shares = {
                self._group.place(party): share
                for party, parts in given.items()
                if (share := parts[number]) is not None
            }
            if dealer in state.vectors:
                seed = self._secret(state, dealer, shares, self._is_seed(state, dealer))
                out -= stream(seed, state.length)
            else:
                key = self._secret(state, dealer, shares, self._is_key(state, dealer))
                out -= self._left_by(state, dealer, key)
        return out

    def _secret(
        self, state: _Step, dealer: str, shares: dict[int, bytes], known: Callable[[bytes], bool]
    ) -> bytes:
        try:
            secret, wrong = recover(shares, self._group.threshold, known)
        except SharesRefused as error:
            self._note(state, dealer, "share", str(error))
            raise MaskingEnded(state.name, f"the secret of {dealer}: {error}", [dealer]) from error
        for place in wrong:
            holder = self._group.members[place - 1]
            self._note(state, holder, "share", f"its share of what {dealer} dealt is wrong")
        return secret

    def _is_seed(self, state: _Step, dealer: str) -> Callable[[bytes], bool]:
        commitment = state.adverts[dealer].commitment
        return lambda secret: seed_commitment(secret) == commitment

    def _is_key(self, state: _Step, dealer: str) -> Callable[[bytes], bool]:
        wanted = state.adverts[dealer].masking
        return lambda secret: public_key(X25519PrivateKey.from_private_bytes(secret)) == wanted

    def _left_by(self, state: _Step, gone: str, key: bytes) -> NDArray[np.uint64]:
        """The masks that the vectors have for pairs with one whose vector never came."""
        private = X25519PrivateKey.from_private_bytes(key)
        out = np.zeros(state.length, dtype=np.uint64)
        for party in state.vectors:
            purpose = pair_purpose(self._channel.run, state.name, gone, party)
            secret = agree(private, state.adverts[party].masking, purpose)
            out += pair_mask(secret, state.length, party, gone)
        return out

    def _gather(
        self,
        state: _Step,
        kind: str,
        parties: tuple[str, ...],
        read: Callable[[str, Message], _T],
    ) -> dict[str, _T]:
        """The parties' next messages, read; who has none, or a wrong one, is left out."""
        out: dict[str, _T] = {}
        for party in parties:
            if party in self._left:
                continue
            try:
                out[party] = read(party, receive(self._channel, party, kind, state.name))
            except ChannelError as error:
                self._leave(state, party, error, _NEXT.get(kind))
        return out

    def _send(self, state: _Step, to: str, kind: str, **body: bytes) -> None:
        try:
            send(self._channel, to, kind, state.name, end="", **body)
        except (PartyGone, PartySilent) as error:
            self._leave(state, to, error, None)

    def _leave(self, state: _Step, party: str, error: ChannelError, tell: str | None) -> None:
        kind = {PartyGone: "gone", PartySilent: "silent"}.get(type(error), "invalid")
        self._left.add(party)
        self._note(state, party, kind, str(error))
        if tell is not None and kind != "gone":
            self._tell_end(state, party, tell, str(error))

    def _tell_end(self, state: _Step, party: str, kind: str, reason: str) -> None:
        try:
            send(self._channel, party, kind, state.name, end=reason[:END_CHARACTERS_MAX])
        except (PartyGone, PartySilent):
            return  # it is left out already; nobody is there to be told

    def _note(self, state: _Step, party: str, kind: str, detail: str) -> None:
        fault = Fault(party, state.name, kind, detail[:END_CHARACTERS_MAX])
        state.faults.append(fault)
        self._faults.append(fault)

    def _enough(self, state: _Step, there: Iterable[str], tell: str | None) -> tuple[str, ...]:
        """The members that are there. Raises `MaskingEnded`, and tells them, if too few are."""
        present = tuple(sorted(there))
        if len(present) >= self._group.threshold:
            return present
        missing = sorted(set(self._group.members) - set(present))
        reason = (
            f"{len(present)} of {len(self._group.keys)} members are left, "
            f"{self._group.threshold} are needed; missing: {', '.join(missing)}"
        )
        if tell is not None:
            for party in present:
                self._tell_end(state, party, tell, reason)
        raise MaskingEnded(state.name, reason, missing)
