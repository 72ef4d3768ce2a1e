"""The relay: it pairs two that belong together, keeps its bounds, and outlives bad clients."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from federation.channel import Address, Relay, RelayFailed
from federation.channel.connecting import RELAY_HELLO, RELAY_MAGIC, RELAY_PAIRED, meeting_token

pytestmark = pytest.mark.feature("D3")

TOKEN = meeting_token("0x01", "bank", "mill")


@contextmanager
def relay(**settings: float) -> Iterator[Address]:
    one = Relay(**settings)  # type: ignore[arg-type]
    yield one.start()
    one.close()


@contextmanager
def client(address: Address, greater: int, token: bytes = TOKEN) -> Iterator[socket.socket]:
    with socket.create_connection((address.host, address.port), timeout=5) as one:
        one.sendall(RELAY_HELLO.pack(RELAY_MAGIC, greater, token))
        yield one


def ended(one: socket.socket) -> bool:
    try:
        return one.recv(1) == b""
    except ConnectionResetError:
        return True


def works(address: Address, token: bytes = b"t" * 32) -> None:
    """Two others are paired, and their bytes passed."""
    with client(address, 0, token) as one, client(address, 1, token) as other:
        assert one.recv(1) == other.recv(1) == RELAY_PAIRED
        one.sendall(b"there")
        other.sendall(b"back")
        assert other.recv(5) == b"there"
        assert one.recv(4) == b"back"
        one.shutdown(socket.SHUT_WR)
        assert ended(other)
        other.sendall(b"still")  # the other direction goes on
        assert one.recv(5) == b"still"


def test_two_are_paired_and_their_bytes_passed() -> None:
    with relay() as address:
        works(address)
        works(address)


def test_the_token_is_the_same_for_both_and_differs_by_run_and_pair() -> None:
    assert meeting_token("0x01", "mill", "bank") == TOKEN
    others = {meeting_token("0x02", "bank", "mill"), meeting_token("0x01", "bank", "power")}
    assert len({TOKEN, *others}) == 3
    assert meeting_token("0x01", "ab", "c") != meeting_token("0x01", "a", "bc")


def test_two_of_the_same_side_or_of_other_tokens_are_not_paired() -> None:
    with relay() as address, client(address, 0) as first:
        with client(address, 0) as second:
            assert ended(second)
        with client(address, 1, b"x" * 32) as other:
            other.settimeout(0.2)
            with pytest.raises(TimeoutError):
                other.recv(1)
        with client(address, 1) as right:
            assert first.recv(1) == right.recv(1) == RELAY_PAIRED


def test_who_waits_and_goes_makes_room_for_who_comes_again() -> None:
    with relay() as address:
        with client(address, 0):
            pass
        time.sleep(0.1)
        with client(address, 0) as again, client(address, 1) as other:
            assert again.recv(1) == other.recv(1) == RELAY_PAIRED


def test_who_speaks_before_the_other_is_there_is_cut() -> None:
    with relay() as address, client(address, 0) as early:
        early.sendall(b"x")
        assert ended(early)


@pytest.mark.parametrize(
    "hello",
    [
        b"GET / HTTP/1.1\r\nHost: relay.example.org\r\n\r\n",
        RELAY_HELLO.pack(b"TALLYRL2", 0, TOKEN),
        RELAY_HELLO.pack(RELAY_MAGIC, 2, TOKEN),
    ],
)
def test_what_is_no_greeting_is_cut(hello: bytes) -> None:
    with relay() as address:
        with socket.create_connection((address.host, address.port), timeout=5) as one:
            one.sendall(hello)
            assert ended(one)
        works(address)


def test_waiting_and_silence_have_an_end() -> None:
    with relay(waiting_s=0.2, idle_s=0.2) as address:
        with client(address, 0) as alone:
            assert ended(alone)
        with client(address, 0) as one, client(address, 1) as other:
            assert one.recv(1) == other.recv(1) == RELAY_PAIRED
            assert ended(one)
            assert ended(other)


def test_no_more_connections_than_allowed() -> None:
    with relay(connections_max=2) as address:
        with client(address, 0), client(address, 0, b"x" * 32), client(address, 1) as third:
            assert ended(third)
        time.sleep(0.1)
        works(address)


def send_much(one: socket.socket) -> None:
    for _ in range(1000):
        one.sendall(bytes(1 << 16))


def test_who_takes_nothing_holds_the_other_back() -> None:
    with relay() as address, client(address, 0) as one, client(address, 1) as other:
        assert one.recv(1) == other.recv(1) == RELAY_PAIRED
        one.settimeout(0.3)
        with pytest.raises(TimeoutError):
            send_much(one)


def test_a_port_in_use_is_told() -> None:
    with relay() as address, pytest.raises(RelayFailed, match="cannot listen"):
        Relay(address.host, address.port).start()
