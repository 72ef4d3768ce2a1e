"""A bank that is the server as well: two roles over one channel."""

from __future__ import annotations

import queue
from typing import Final

from federation.channel import (
    SIZE_BYTES_MAX,
    Channel,
    ChannelMisused,
    Message,
    MessageUnexpected,
    PartySilent,
    Traffic,
    decode,
    encode,
)

TIMEOUT_S: Final = 60.0
_WAITING_MAX: Final = 1_024


class Role:
    """A channel of one of the two roles. See `Channel`.

    What goes to oneself is encoded and decoded like everything else; what goes to others goes over
    the real channel, and only the server has any others.
    """

    def __init__(
        self,
        channel: Channel,
        out: queue.Queue[bytes],
        into: queue.Queue[bytes],
        timeout_s: float,
        *,
        leads: bool,
    ) -> None:
        self._channel = channel
        self._out = out
        self._into = into
        self._timeout_s = timeout_s
        self._leads = leads

    @property
    def run(self) -> str:
        """See `Channel`."""
        return self._channel.run

    @property
    def me(self) -> str:
        """See `Channel`; the same for both roles."""
        return self._channel.me

    @property
    def others(self) -> frozenset[str]:
        """See `Channel`; the other role has our own name."""
        return (self._channel.others if self._leads else frozenset()) | {self.me}

    @property
    def traffic(self) -> Traffic:
        """What went over the real channel."""
        return self._channel.traffic

    def send(self, to: str, message: Message) -> None:
        """See `Channel`."""
        if to != self.me:
            self._require(to)
            self._channel.send(to, message)
            return
        try:
            self._out.put(encode(message), timeout=self._timeout_s)
        except queue.Full:
            raise PartySilent(to, f"its other role took no {message.kind!r}") from None

    def receive(self, sender: str, kind: str) -> Message:
        """See `Channel`."""
        if sender != self.me:
            self._require(sender)
            return self._channel.receive(sender, kind)
        try:
            data = self._into.get(timeout=self._timeout_s)
        except queue.Empty:
            raise PartySilent(sender, f"its other role sent no {kind!r}") from None
        message = decode(data, size_bytes_max=SIZE_BYTES_MAX, party=sender)
        if message.kind != kind:
            raise MessageUnexpected(sender, kind, message.kind)
        return message

    def close(self) -> None:
        """The server's closes the real channel."""
        if self._leads:
            self._channel.close()

    def _require(self, party: str) -> None:
        if not self._leads:
            raise ChannelMisused(party, "a bank speaks with the server only")


def both_roles(channel: Channel, *, timeout_s: float = TIMEOUT_S) -> tuple[Channel, Channel]:
    """The channels for `fit_as_server` and `fit_as_bank` of a bank that is the server as well.

    Each is used by a thread of its own. The group needs a higher threshold then (`Group`): the
    server has a member that helps it.
    """
    one: queue.Queue[bytes] = queue.Queue(_WAITING_MAX)
    other: queue.Queue[bytes] = queue.Queue(_WAITING_MAX)
    return (
        Role(channel, one, other, timeout_s, leads=True),
        Role(channel, other, one, timeout_s, leads=False),
    )
