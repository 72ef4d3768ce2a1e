"""Parties in threads, and channels that die, alter or keep what goes over them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from numpy.typing import NDArray

from federation.channel import Channel, ChannelError, Message, local_channels
from federation.masking import Collector, Contributor, Group, MaskingError, Sum

BOUND = 1_000
LENGTH = 7
SERVER = "operator"
Change = Callable[[str, Message], Message | None]


class Died(Exception):
    """A party's process ended here, as a test wanted."""


class Altered:
    """A channel whose `change` sees what is to be sent: it may change, keep, or raise `Died`."""

    def __init__(self, inner: Channel, change: Change) -> None:
        self._inner = inner
        self._change = change
        self.run, self.me = inner.run, inner.me
        self.others, self.traffic = inner.others, inner.traffic

    def send(self, to: str, message: Message) -> None:
        try:
            changed = self._change(to, message)
        except Died:
            self.close()
            raise
        if changed is not None:
            self._inner.send(to, changed)

    def receive(self, sender: str, kind: str) -> Message:
        return self._inner.receive(sender, kind)

    def close(self) -> None:
        self._inner.close()


@dataclass
class Outcome:
    """How one step ended for everybody."""

    total: Sum | None
    error: Exception | None
    """What the server raised."""
    members: dict[str, tuple[str, ...] | Exception]
    transcript: list[tuple[str, str, bytes]]


@dataclass
class Parties:
    """A group with its keys and vectors; `run` plays one step."""

    group: Group
    keys: Mapping[str, Ed25519PrivateKey]
    vectors: dict[str, NDArray[np.int64]]
    timeout_s: float = 5.0
    changes: dict[str, Change] = field(default_factory=dict)
    bounds: dict[str, int] = field(default_factory=dict)

    def sum_of(self, parties: tuple[str, ...]) -> NDArray[np.int64]:
        return np.sum([self.vectors[party] for party in parties], axis=0)

    def run(self, step: str = "step/1", steps_before: tuple[str, ...] = ()) -> Outcome:
        seen: list[tuple[str, str, bytes]] = []
        channels = local_channels(
            "0x07",
            (*self.group.members, SERVER),
            timeout_s=self.timeout_s,
            tap=lambda sender, to, data: seen.append((sender, to, data)),
        )
        ends: dict[str, tuple[str, ...] | Exception] = {}

        def channel_of(party: str) -> Channel:
            change = self.changes.get(party)
            return channels[party] if change is None else Altered(channels[party], change)

        def member(party: str) -> None:
            try:
                one = Contributor(channel_of(party), self.group, self.keys[party])
                bound = self.bounds.get(party, BOUND)
                for name in (*steps_before, step):
                    ends[party] = one.add(name, self.vectors[party], bound)
            except (MaskingError, ChannelError, Died) as error:
                ends[party] = error
                channels[party].close()

        threads = [threading.Thread(target=member, args=(one,)) for one in self.group.members]
        for thread in threads:
            thread.start()
        total, error = None, None
        try:
            collector = Collector(channel_of(SERVER), self.group)
            for name in (*steps_before, step):
                total = collector.sum(name, LENGTH, BOUND)
        except (MaskingError, ChannelError, Died) as caught:
            total, error = None, caught
        finally:
            if error is not None:
                channels[SERVER].close()
            for thread in threads:
                thread.join(timeout=30)
            for one in channels.values():
                one.close()
        return Outcome(total, error, ends, seen)


@pytest.fixture
def parties() -> Iterator[Callable[..., Parties]]:
    def make(count: int, threshold: int | None = None, *, noisy: bool = False) -> Parties:
        names = [f"bank-{number}" for number in range(count)]
        keys = {name: Ed25519PrivateKey.generate() for name in names}
        public = {name: key.public_key().public_bytes_raw() for name, key in keys.items()}
        draw = np.random.default_rng(count)
        vectors = {name: draw.integers(-BOUND, BOUND, LENGTH, endpoint=True) for name in names}
        group = Group.of(SERVER, public, threshold=threshold, noisy=noisy)
        return Parties(group, keys, vectors)

    return make


@pytest.fixture
def kill() -> Callable[[str], Change]:
    """A change that ends the party's process when it is about to send that kind."""

    def at(stage: str) -> Change:
        def change(_to: str, message: Message) -> Message:
            if message.kind == stage:
                raise Died
            return message

        return change

    return at
