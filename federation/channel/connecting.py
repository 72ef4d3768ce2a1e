"""Who connects to whom, and making sure that it is who was expected.

Of two parties the one whose id is greater connects, the lesser listens. Where one cannot accept
connections both connect out to a relay; the lesser is the server of TLS all the same.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeAlias

from federation.channel.errors import (
    ChannelError,
    PartyGone,
    PartyRefused,
    PartySilent,
    RelayFailed,
)
from federation.channel.identity import Identity, tls_context
from federation.channel.link import Greeting, Link
from federation.channel.stream import SecureStream

RETRY_S = 0.1
HANDSHAKES_MAX = 32
"""Connections that may be greeting at one time; more are cut at once."""
HANDSHAKE_S_MAX = 15.0

RELAY_HELLO = struct.Struct(">8sB32s")
RELAY_MAGIC = b"TALLYRL1"
RELAY_PAIRED = b"\x01"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a party, or a relay, listens."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class ViaRelay:
    """A party that is met at a relay."""

    relay: Address


Place: TypeAlias = Address | ViaRelay
"""How a party is reached; that of a party that connects to us may be its address all the same."""


class Listener:
    """A port where parties of greater ids connect; open it before the run, for it has the port."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen there; port 0 takes a free one. Raises `OSError`."""
        self.socket = socket.create_server((host, port), backlog=HANDSHAKES_MAX)
        self.address = Address(host, self.socket.getsockname()[1])

    def close(self) -> None:
        """Stop listening."""
        self.socket.close()


class Connector:
    """Makes the links of one party of a run, each checked and greeted."""

    def __init__(
        self,
        identity: Identity,
        greeting: Greeting,
        *,
        deadline: float,
        size_bytes_max: int,
    ) -> None:
        """`deadline`: by when (monotonic) every link must stand. Raises `IdentityInvalid`."""
        self._me = identity.organisation
        self._greeting = greeting
        self._deadline = deadline
        self._size_bytes_max = size_bytes_max
        self._as_server = tls_context(identity, server_side=True)
        self._as_client = tls_context(identity, server_side=False)

    def dial(self, party: str, place: Place, stopped: threading.Event) -> Link:
        """Connect to a party, trying again while nobody listens. Raises `ChannelError`."""
        if isinstance(place, ViaRelay):
            raw = self._meet(party, place.relay, stopped)
        else:
            raw = self._connect(party, place, stopped)
        server_side = isinstance(place, ViaRelay) and self._me < party
        return self._secure(raw, party, server_side=server_side)

    def accept(
        self, listener: Listener, expected: frozenset[str], stopped: threading.Event
    ) -> Acceptor:
        """Begin to take connections of the parties expected."""
        return Acceptor(self, listener, expected, stopped)

    def greet_stranger(self, raw: socket.socket, expected: Callable[[], frozenset[str]]) -> Link:
        """Who has connected to us. Raises `ChannelError`, with no party while it is unknown."""
        stream = SecureStream(raw, self._as_server, server_side=True, party="")
        try:
            party = stream.shake_hands(min(self._deadline, time.monotonic() + HANDSHAKE_S_MAX))
            if party not in expected():
                raise PartyRefused("", f"{party!r} connected, who is not expected here")
            stream.party = party
            return self._greeted(stream)
        except BaseException:
            stream.close()
            raise

    def _secure(self, raw: socket.socket, party: str, *, server_side: bool) -> Link:
        context = self._as_server if server_side else self._as_client
        stream = SecureStream(raw, context, server_side=server_side, party=party)
        try:
            shown = stream.shake_hands(self._deadline)
            if shown != party:
                raise PartyRefused(party, f"{shown!r} answers in its place")
            return self._greeted(stream)
        except BaseException:
            stream.close()
            raise

    def _greeted(self, stream: SecureStream) -> Link:
        link = Link(stream, size_bytes_max=self._size_bytes_max)
        link.greet(self._me, self._greeting, max(0.1, self._deadline - time.monotonic()))
        return link

    def _connect(self, party: str, place: Address, stopped: threading.Event) -> socket.socket:
        reason = "never tried"
        while (left := self._deadline - time.monotonic()) > 0 and not stopped.is_set():
            try:
                raw = socket.create_connection((place.host, place.port), timeout=min(left, 5))
            except OSError as error:
                reason = error.strerror or str(error)
                stopped.wait(RETRY_S)
                continue
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return raw
        raise PartyGone(party, f"cannot be reached at {place.host}:{place.port}: {reason}")

    def _meet(self, party: str, relay: Address, stopped: threading.Event) -> socket.socket:
        """A connection with the party through the relay, once it has come there too."""
        name = f"relay {relay.host}:{relay.port}"
        token = meeting_token(self._greeting.run, self._me, party)
        hello = RELAY_HELLO.pack(RELAY_MAGIC, self._me > party, token)
        raw = self._connect(name, relay, stopped)
        try:
            raw.settimeout(max(0.1, self._deadline - time.monotonic()))
            raw.sendall(hello)
            answer = raw.recv(1)
        except TimeoutError as error:
            raw.close()
            raise PartySilent(party, f"did not come to the {name}") from error
        except OSError as error:
            raw.close()
            raise RelayFailed(name, f"the connection broke: {error.strerror}") from error
        if answer != RELAY_PAIRED:
            raw.close()
            raise RelayFailed(name, f"it did not pair us with {party}")
        return raw


class Acceptor:
    """Takes connections in a thread until every party expected is there."""

    def __init__(
        self,
        connector: Connector,
        listener: Listener,
        expected: frozenset[str],
        stopped: threading.Event,
    ) -> None:
        self._connector = connector
        self._listener = listener
        self._expected = expected
        self._stopped = stopped
        self._lock = threading.Lock()
        self._greeting = 0
        self._links: dict[str, Link] = {}
        self.changed = threading.Event()
        """Set on every change of what follows."""
        self.error: ChannelError | None = None
        """What a party that is expected did wrong."""
        self.refused = ""
        """Why the last connection of somebody else was refused."""
        self._thread = threading.Thread(target=self._take, name="accept", daemon=True)
        self._thread.start()

    def links(self) -> dict[str, Link]:
        """Who is there so far."""
        with self._lock:
            return dict(self._links)

    def end(self) -> None:
        """Take no more."""
        self._thread.join()

    def _missing(self) -> frozenset[str]:
        with self._lock:
            return self._expected - self._links.keys()

    def _take(self) -> None:
        self._listener.socket.settimeout(RETRY_S)
        while not self._stopped.is_set() and self._missing():
            try:
                raw, _ = self._listener.socket.accept()
            except TimeoutError:
                continue
            except OSError as error:
                self.refused = f"we cannot listen: {error.strerror}"
                return
            with self._lock:
                full = self._greeting >= HANDSHAKES_MAX
                self._greeting += not full
            if full:
                raw.close()
                continue
            threading.Thread(target=self._greet, args=(raw,), name="greet", daemon=True).start()

    def _greet(self, raw: socket.socket) -> None:
        try:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._keep(self._connector.greet_stranger(raw, self._missing))
        except ChannelError as error:
            if error.party in self._expected:
                self.error = error
            else:
                self.refused = str(error)
        except OSError as error:
            self.refused = f"a connection broke: {error.strerror}"
        finally:
            with self._lock:
                self._greeting -= 1
            self.changed.set()

    def _keep(self, link: Link) -> None:
        with self._lock:
            twice = link.party in self._links or self._stopped.is_set()
            if not twice:
                self._links[link.party] = link
        if twice:
            with suppress(OSError):
                link.close()


def meeting_token(run: str, one: str, other: str) -> bytes:
    """What two parties of a run show a relay, which learns neither names nor run from it."""
    digest = sha256(b"tally/relay/1\0")
    for part in (run, *sorted((one, other))):
        digest.update(len(part.encode()).to_bytes(4, "big") + part.encode())
    return digest.digest()
