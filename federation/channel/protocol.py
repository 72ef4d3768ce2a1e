"""The seam: how a party speaks with the others of its run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from federation.channel.types import Message, Traffic

Tap: TypeAlias = Callable[[str, str, bytes], None]
"""Sees every message as it goes: sender, receiver, bytes (of the message, before any TLS)."""


class Channel(Protocol):
    """A party's connections with all the others of one run.

    Messages between two parties arrive whole, once and in the order they were sent. One thread
    may send while another receives; two may not receive from one sender at the same time.
    """

    @property
    def run(self) -> str:
        """Id of the run."""
        ...

    @property
    def me(self) -> str:
        """Whose channel this is."""
        ...

    @property
    def others(self) -> frozenset[str]:
        """The other parties."""
        ...

    @property
    def traffic(self) -> Traffic:
        """Bytes and messages to and from each party, by kind."""
        ...

    def send(self, to: str, message: Message) -> None:
        """Hand a message over for `to`; waits while `to` takes nothing.

        Raises `PartyGone`, `PartySilent`, `MessageUnsendable`, `ChannelMisused`.
        """
        ...

    def receive(self, sender: str, kind: str) -> Message:
        """The next message of `sender`, which must be of `kind`; waits at most the time allowed.

        Raises `PartyGone` (after what had arrived), `PartySilent`, `MessageUnexpected`,
        `MessageInvalid`, `ChannelMisused`.
        """
        ...

    def close(self) -> None:
        """End all connections; the others get what was sent, then `PartyGone`. Any number of
        times."""
        ...
