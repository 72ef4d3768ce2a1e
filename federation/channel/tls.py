"""Channels between processes: mutual TLS 1.3, frames, keep-alives, time limits."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from federation.channel.codec import SIZE_BYTES_MAX, decode, encode
from federation.channel.connecting import Acceptor, Connector, Listener, Place, ViaRelay
from federation.channel.errors import (
    ChannelError,
    ChannelMisused,
    MessageInvalid,
    MessageUnexpected,
    MessageUnsendable,
    PartyGone,
    PartySilent,
)
from federation.channel.framing import HEAD_BYTES, FrameType
from federation.channel.identity import Identity
from federation.channel.inbox import Inbox
from federation.channel.link import CODE_BYTES, RUN_CHARACTERS_MAX, Greeting, Link
from federation.channel.protocol import Tap
from federation.channel.types import Message, Traffic

TIMEOUT_S = 60.0
SILENCE_S = 30.0
INBOX_BYTES_MAX = 1 << 30
INBOX_MESSAGES_MAX = 1 << 14
PARTIES_MAX = 64
LINGER_S = 2.0
"""How long closing waits for the other side to take what was sent."""
KEEP_ALIVES_PER_S_MAX = 10
KEEP_ALIVES_SLACK = 100
ALIVE = "channel/alive"


class TlsChannel:
    """A party's end of its connections; made by `open_tls_channel`. See `Channel`."""

    def __init__(
        self,
        run: str,
        me: str,
        links: Mapping[str, Link],
        *,
        timeout_s: float,
        silence_s: float,
        size_bytes_max: int,
        inbox_bytes_max: int,
        tap: Tap | None,
    ) -> None:
        self._run = run
        self._me = me
        self._links = dict(links)
        self._timeout_s = timeout_s
        self._silence_s = silence_s
        self._size_bytes_max = size_bytes_max
        self._tap = tap
        self._traffic = Traffic()
        self._closed = threading.Event()
        self._inboxes = {
            party: Inbox(size_bytes_max=inbox_bytes_max, messages_max=INBOX_MESSAGES_MAX)
            for party in links
        }
        self._readers = [
            threading.Thread(target=self._read, args=(party,), name=f"from {party}", daemon=True)
            for party in links
        ]
        for reader in self._readers:
            reader.start()
        for party in links:  # each its own: one that takes nothing keeps no other waiting
            threading.Thread(
                target=self._keep_alive, args=(party,), name=f"alive for {party}", daemon=True
            ).start()

    @property
    def run(self) -> str:
        return self._run

    @property
    def me(self) -> str:
        return self._me

    @property
    def others(self) -> frozenset[str]:
        return frozenset(self._links)

    @property
    def traffic(self) -> Traffic:
        return self._traffic

    def send(self, to: str, message: Message) -> None:
        self._check(to)
        data = encode(message)
        if len(data) > self._size_bytes_max:
            raise MessageUnsendable("message", f"{len(data)} bytes; at most {self._size_bytes_max}")
        ended = self._inboxes[to].ended
        if ended is not None:
            raise ended
        if self._tap is not None:
            self._tap(self._me, to, data)
        try:
            size = self._links[to].write(FrameType.MESSAGE, data, self._timeout_s)
        except ChannelError as error:
            self._give_up(to, error)
            raise self._inboxes[to].ended or error from error
        self._traffic.add_sent(to, message.kind, size)

    def receive(self, sender: str, kind: str) -> Message:
        self._check(sender)
        data = self._inboxes[sender].take(self._timeout_s)
        if data is None:
            raise PartySilent(sender, f"sent no {kind!r} within {self._timeout_s:g} s")
        if self._tap is not None:
            self._tap(sender, self._me, data)
        message = decode(data, size_bytes_max=self._size_bytes_max, party=sender)
        self._traffic.add_received(sender, message.kind, len(data) + HEAD_BYTES)
        if message.kind != kind:
            raise MessageUnexpected(sender, kind, message.kind)
        return message

    def close(self) -> None:
        if self._closed.is_set():
            return
        self._closed.set()
        for inbox in self._inboxes.values():
            inbox.end(ChannelMisused(self._me, "the channel is closed"))
            inbox.abandon()
        until = time.monotonic() + LINGER_S
        for link in self._links.values():
            link.say_goodbye(until)
        for reader in self._readers:
            if reader is not threading.current_thread():
                reader.join(max(0.0, until - time.monotonic()))
        for link in self._links.values():
            link.close()

    def _read(self, party: str) -> None:
        """What arrives from one party, until it ends; runs in a thread of its own."""
        try:
            self._read_frames(party)
        except PartySilent:
            reason = f"nothing came for {self._silence_s:g} s, not even a keep-alive"
            self._give_up(party, PartySilent(party, reason))
        except ChannelError as error:
            self._give_up(party, error)
        except (OSError, ValueError) as error:  # the connection was cut here
            self._give_up(party, PartyGone(party, f"the connection broke: {error}"))

    def _read_frames(self, party: str) -> None:
        link, inbox = self._links[party], self._inboxes[party]
        began, alive = time.monotonic(), 0
        while True:
            frame = link.read(self._silence_s)
            if frame is None:
                raise PartyGone(party, "the connection ended without a goodbye")
            kind, payload = frame
            if kind == FrameType.GOODBYE:
                inbox.end(PartyGone(party, "closed its channel"))
                return
            if kind == FrameType.MESSAGE:
                inbox.put(payload, None)  # no room: read no further, and the party waits
                continue
            alive += 1
            self._traffic.add_received(party, ALIVE, HEAD_BYTES)
            allowed = KEEP_ALIVES_SLACK + KEEP_ALIVES_PER_S_MAX * (time.monotonic() - began)
            if alive > allowed:
                raise MessageInvalid(party, "frame", "keep-alives without measure")

    def _keep_alive(self, party: str) -> None:
        """Tell one party that we are there while we have nothing to say."""
        link, inbox, every_s = self._links[party], self._inboxes[party], self._silence_s / 4
        while not self._closed.wait(every_s / 2) and inbox.ended is None:
            try:
                size = link.write_if_idle(FrameType.KEEP_ALIVE, every_s, self._timeout_s)
            except ChannelError as error:
                self._give_up(party, error)
                return
            if size:
                self._traffic.add_sent(party, ALIVE, size)

    def _give_up(self, party: str, reason: ChannelError) -> None:
        self._inboxes[party].end(reason)
        self._links[party].close()

    def _check(self, party: str) -> None:
        if party not in self._links:
            raise ChannelMisused(party, f"is no other party of run {self._run}")
        if self._closed.is_set():
            raise ChannelMisused(self._me, "the channel is closed")


def open_tls_channel(
    run: str,
    me: str,
    identity: Identity,
    peers: Mapping[str, Place | None],
    *,
    code: bytes,
    listener: Listener | None = None,
    timeout_s: float = TIMEOUT_S,
    connect_timeout_s: float = TIMEOUT_S,
    silence_s: float = SILENCE_S,
    size_bytes_max: int = SIZE_BYTES_MAX,
    inbox_bytes_max: int = INBOX_BYTES_MAX,
    tap: Tap | None = None,
) -> TlsChannel:
    """Connect with all the other parties of a run; returns when every one is there and checked.

    `peers` says where each other party is: it is dialled if its id is less than ours or it is met
    at a relay; else it dials us, at `listener` (which stays the caller's to close). `code` is the
    SHA-256 of the code agreed for the run, which both ends compare, as they do the run's id.
    `timeout_s`: how long a message is waited for, and how long the other side may take nothing;
    `silence_s`: how long nothing at all may come, keep-alives included; `connect_timeout_s`: by
    when all must be there. `tap` sees what this party sends, and what it receives as it takes it.

    Raises `PartyGone`, `PartySilent`, `PartyRefused`, `RelayFailed`, `MessageInvalid`,
    `IdentityInvalid`, `ChannelMisused`.
    """
    _check_arguments(run, me, identity, peers, code, listener)
    if min(timeout_s, connect_timeout_s, silence_s) <= 0:
        raise ChannelMisused(me, "times are positive")
    connector = Connector(
        identity,
        Greeting(run, code),
        deadline=time.monotonic() + connect_timeout_s,
        size_bytes_max=size_bytes_max,
    )
    links = _connect_all(connector, me, peers, listener, connect_timeout_s)
    return TlsChannel(
        run,
        me,
        links,
        timeout_s=timeout_s,
        silence_s=silence_s,
        size_bytes_max=size_bytes_max,
        inbox_bytes_max=inbox_bytes_max,
        tap=tap,
    )


def _check_arguments(
    run: str,
    me: str,
    identity: Identity,
    peers: Mapping[str, Place | None],
    code: bytes,
    listener: Listener | None,
) -> None:
    if identity.organisation != me:
        raise ChannelMisused(me, f"the identity is that of {identity.organisation!r}")
    if me in peers or not 1 <= len(peers) <= PARTIES_MAX:
        raise ChannelMisused(me, f"1 to {PARTIES_MAX} other parties are meant")
    if len(code) != CODE_BYTES or not 1 <= len(run) <= RUN_CHARACTERS_MAX:
        raise ChannelMisused(me, "a run has an id, and its code a hash of 32 bytes")
    for party, place in peers.items():
        if place is None and party < me:
            raise ChannelMisused(party, "is to be dialled, and has no address")
    if listener is None and any(_dials_us(me, party, place) for party, place in peers.items()):
        raise ChannelMisused(me, "parties of greater ids connect to us: a listener is needed")


def _dials_us(me: str, party: str, place: Place | None) -> bool:
    return me < party and not isinstance(place, ViaRelay)


def _connect_all(
    connector: Connector,
    me: str,
    peers: Mapping[str, Place | None],
    listener: Listener | None,
    connect_timeout_s: float,
) -> dict[str, Link]:
    """All links, or none: what stands is closed again where one fails."""
    stopped = threading.Event()
    awaited = frozenset(party for party, place in peers.items() if _dials_us(me, party, place))
    acceptor = None
    if awaited and listener is not None:
        acceptor = connector.accept(listener, awaited, stopped)
    dialled: dict[str, Future[Link]] = {}
    pool = ThreadPoolExecutor(PARTIES_MAX, thread_name_prefix="dial")
    try:
        for party, place in peers.items():
            if party not in awaited and place is not None:
                dialled[party] = pool.submit(connector.dial, party, place, stopped)
        links = _gather(dialled, acceptor, awaited, time.monotonic() + connect_timeout_s)
    except BaseException:
        stopped.set()
        pool.shutdown(wait=True)
        for future in dialled.values():
            if future.exception() is None:
                future.result().close()
        if acceptor is not None:
            acceptor.end()
            for link in acceptor.links().values():
                link.close()
        raise
    stopped.set()
    pool.shutdown(wait=True)
    if acceptor is not None:
        acceptor.end()
    return links


def _gather(
    dialled: Mapping[str, Future[Link]],
    acceptor: Acceptor | None,
    awaited: frozenset[str],
    deadline: float,
) -> dict[str, Link]:
    """Wait for all links; the first failure ends it."""
    pending = set(dialled.values())
    while True:
        done, pending = wait(pending, timeout=0.02, return_when=FIRST_COMPLETED)
        for future in done:
            future.result()
        there = acceptor.links() if acceptor is not None else {}
        if acceptor is not None and acceptor.error is not None:
            raise acceptor.error
        missing = sorted(awaited - there.keys())
        if not missing and not pending:
            return there | {party: future.result() for party, future in dialled.items()}
        if time.monotonic() > deadline and not pending:
            why = f" (refused: {acceptor.refused})" if acceptor and acceptor.refused else ""
            raise PartySilent(missing[0], f"did not connect in time{why}")
        if not pending and acceptor is not None:
            acceptor.changed.wait(0.05)
            acceptor.changed.clear()
