"""Channels between threads of one process: every message is encoded and decoded all the same."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

from federation.channel.codec import SIZE_BYTES_MAX, decode, encode
from federation.channel.errors import (
    ChannelMisused,
    MessageUnexpected,
    MessageUnsendable,
    PartyGone,
    PartySilent,
)
from federation.channel.inbox import Inbox
from federation.channel.protocol import Tap
from federation.channel.types import Message, Traffic

INBOX_BYTES_MAX = 1 << 30
INBOX_MESSAGES_MAX = 1 << 16
TIMEOUT_S = 60.0


class LocalChannel:
    """A party's end; made by `local_channels`. See `Channel`."""

    def __init__(
        self, run: str, me: str, parties: frozenset[str], timeout_s: float, tap: Tap | None
    ) -> None:
        self._run = run
        self._me = me
        self._others = parties - {me}
        self._timeout_s = timeout_s
        self._tap = tap
        self._traffic = Traffic()
        self._closed = threading.Event()
        self._inboxes = {
            party: Inbox(size_bytes_max=INBOX_BYTES_MAX, messages_max=INBOX_MESSAGES_MAX)
            for party in self._others
        }
        self._peers: Mapping[str, LocalChannel] = {}

    @property
    def run(self) -> str:
        return self._run

    @property
    def me(self) -> str:
        return self._me

    @property
    def others(self) -> frozenset[str]:
        return self._others

    @property
    def traffic(self) -> Traffic:
        return self._traffic

    def send(self, to: str, message: Message) -> None:
        self._check(to)
        data = encode(message)
        if len(data) > SIZE_BYTES_MAX:
            raise MessageUnsendable("message", f"{len(data)} bytes; at most {SIZE_BYTES_MAX}")
        if self._tap is not None:
            self._tap(self._me, to, data)
        inbox = self._peers[to]._inboxes[self._me]
        if not inbox.put(data, self._timeout_s):
            if inbox.abandoned:
                raise PartyGone(to, "closed its channel")
            raise PartySilent(to, f"has taken no message for {self._timeout_s:g} s")
        self._traffic.add_sent(to, message.kind, len(data))

    def receive(self, sender: str, kind: str) -> Message:
        self._check(sender)
        data = self._inboxes[sender].take(self._timeout_s)
        if data is None:
            raise PartySilent(sender, f"sent no {kind!r} within {self._timeout_s:g} s")
        message = decode(data, size_bytes_max=SIZE_BYTES_MAX, party=sender)
        self._traffic.add_received(sender, message.kind, len(data))
        if message.kind != kind:
            raise MessageUnexpected(sender, kind, message.kind)
        return message

    def close(self) -> None:
        if self._closed.is_set():
            return
        self._closed.set()
        for party in self._others:
            self._inboxes[party].abandon()
            self._inboxes[party].end(ChannelMisused(self._me, "the channel is closed"))
            self._peers[party]._inboxes[self._me].end(PartyGone(self._me, "closed its channel"))

    def _check(self, party: str) -> None:
        if party not in self._others:
            raise ChannelMisused(party, f"is no other party of run {self._run}")
        if self._closed.is_set():
            raise ChannelMisused(self._me, "the channel is closed")


def local_channels(
    run: str, parties: Iterable[str], *, timeout_s: float = TIMEOUT_S, tap: Tap | None = None
) -> dict[str, LocalChannel]:
    """A channel for each party, for threads of one process. `tap` sees every message's bytes.

    `timeout_s` is how long a message is waited for, and how long for room at the other side.
    Raises `ChannelMisused` for fewer than two parties or a party twice.
    """
    listed = list(parties)
    together = frozenset(listed)
    if len(together) < 2 or len(together) != len(listed):
        raise ChannelMisused("", f"two or more different parties are meant, not {listed}")
    channels = {party: LocalChannel(run, party, together, timeout_s, tap) for party in listed}
    for channel in channels.values():
        channel._peers = channels
    return channels
