"""The channel of a stage that one party does alone."""

from __future__ import annotations

from federation.channel import ChannelMisused, Message, Traffic


class LoneChannel:
    """A channel without others; see `federation.channel.Channel`."""

    def __init__(self, run: str, me: str) -> None:
        self._run = run
        self._me = me
        self._traffic = Traffic()

    @property
    def run(self) -> str:
        return self._run

    @property
    def me(self) -> str:
        return self._me

    @property
    def others(self) -> frozenset[str]:
        return frozenset()

    @property
    def traffic(self) -> Traffic:
        return self._traffic

    def send(self, to: str, message: Message) -> None:
        """Raises `ChannelMisused`: there is nobody to send to."""
        raise self._misused(to, message.kind)

    def receive(self, sender: str, kind: str) -> Message:
        """Raises `ChannelMisused`: there is nobody to hear from."""
        raise self._misused(sender, kind)

    def close(self) -> None:
        """There is nothing to end."""

    def _misused(self, party: str, kind: str) -> ChannelMisused:
        return ChannelMisused(party, f"has no part in a stage that {self._me} does alone: {kind!r}")
