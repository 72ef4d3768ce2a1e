"""Channels between real processes over mutual TLS: who is refused, and who is named for what."""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from federation.channel import (
    ChannelError,
    ChannelMisused,
    Identity,
    Listener,
    Message,
    MessageUnexpected,
    PartyGone,
    PartyRefused,
    PartySilent,
    Place,
    Relay,
    TlsChannel,
    ViaRelay,
    create_authority,
    issue_identity,
    open_tls_channel,
)
from federation.channel.connecting import Connector
from federation.channel.identity import tls_context
from federation.channel.link import Greeting
from tests.federation.channel.processes import CODE, RUN, Consortium, make_consortium, party
from tests.federation.channel.proxy import Proxy

pytestmark = pytest.mark.feature("D3")


@pytest.fixture(scope="module")
def consortium() -> Consortium:
    return make_consortium()


@pytest.fixture
def listener() -> Iterator[Listener]:
    one = Listener()
    yield one
    one.close()


def open_as_bank(
    consortium: Consortium,
    listener: Listener | None,
    *,
    place: Place | None = None,
    connect_timeout_s: float = 60,
    timeout_s: float = 20,
    silence_s: float = 20,
    inbox_bytes_max: int = 1 << 30,
    identity: Identity | None = None,
) -> TlsChannel:
    return open_tls_channel(
        RUN,
        "bank",
        identity or consortium.bank,
        {"mill": place},
        code=CODE,
        listener=listener,
        connect_timeout_s=connect_timeout_s,
        timeout_s=timeout_s,
        silence_s=silence_s,
        inbox_bytes_max=inbox_bytes_max,
    )


def talk(channel: TlsChannel) -> None:
    """Something small and something big there and back."""
    for size in (3, 500_000):
        sent = np.arange(size, dtype="<f8")
        channel.send("mill", Message("test/echo", {"x": sent}))
        got = channel.receive("mill", "test/echo")
        assert got.party == "mill"
        assert np.array_equal(got.body["x"], sent)  # type: ignore[arg-type]
    channel.send("mill", Message("test/echo", {"stop": True}))


def test_two_processes_talk(consortium: Consortium, listener: Listener, tmp_path: Path) -> None:
    with party(tmp_path, consortium.mill, "bank", listener.address, "echo") as mill:
        channel = open_as_bank(consortium, listener)
        talk(channel)
        outcome = mill.outcome()
        assert outcome["result"] == "stopped"
        assert outcome["sent"] == sum(
            count.size_bytes for count in channel.traffic.received().values()
        )
        with pytest.raises(PartyGone, match="closed its channel"):
            channel.receive("mill", "test/echo")
        channel.close()
        channel.close()


def test_two_processes_talk_through_a_relay_that_sees_only_ciphertext(
    consortium: Consortium, tmp_path: Path
) -> None:
    relay = Relay()
    address = relay.start()
    with Proxy(address) as tap:  # sits before the relay on the mill's side
        with party(tmp_path, consortium.mill, "bank", tap.address, "echo", relay=True) as mill:
            channel = open_as_bank(consortium, None, place=ViaRelay(address))
            channel.send("mill", Message("test/echo", {"x": b"a secret of the bank"}))
            assert channel.receive("mill", "test/echo").body == {"x": b"a secret of the bank"}
            talk(channel)
            assert mill.outcome()["result"] == "stopped"
            channel.close()
        assert len(tap.seen) > 4_000_000
        for secret in (b"a secret of", b"test/echo", RUN.encode(), b"tally:org", b"bank", CODE):
            assert secret not in tap.seen
    relay.close()


def test_a_relay_that_alters_bytes_is_noticed(consortium: Consortium, tmp_path: Path) -> None:
    relay = Relay()
    address = relay.start()
    with (
        Proxy(address, alter_after=20_000) as altering,
        party(tmp_path, consortium.mill, "bank", altering.address, "echo", relay=True) as mill,
    ):
        channel = open_as_bank(consortium, None, place=ViaRelay(address))
        with pytest.raises(ChannelError) as error:
            talk(channel)
        assert error.value.party == "mill"
        assert isinstance(error.value, PartyGone | PartyRefused)
        channel.close()
        assert mill.outcome()["error"] in ("PartyGone", "PartyRefused")
    relay.close()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"run": "0x" + "00" * 32}, "run"),
        ({"code": bytes(32)}, "code"),
    ],
)
def test_a_party_of_another_run_or_with_other_code_is_refused_at_both_ends(
    consortium: Consortium,
    listener: Listener,
    tmp_path: Path,
    change: dict[str, str | bytes],
    reason: str,
) -> None:
    with party(
        tmp_path,
        consortium.mill,
        "bank",
        listener.address,
        "echo",
        **change,  # type: ignore[arg-type]
    ) as mill:
        with pytest.raises(PartyRefused, match=reason) as refused:
            open_as_bank(consortium, listener)
        assert refused.value.party == "mill"
        outcome = mill.outcome()
        assert (outcome["error"], outcome["party"]) == ("PartyRefused", "bank")
        assert reason in outcome["text"]


def wrong_authority_of(organisation: str) -> Identity:
    return issue_identity(create_authority("Test consortium"), organisation)


def expired(consortium: Consortium) -> Identity:
    long_ago = datetime.now(UTC) - timedelta(days=30)
    return issue_identity(consortium.authority, "mill", days=7, now=long_ago)


def not_yet(consortium: Consortium) -> Identity:
    later = datetime.now(UTC) + timedelta(days=1)
    return issue_identity(consortium.authority, "mill", now=later)


def trusting(consortium: Consortium, identity: Identity) -> Identity:
    """The identity, of somebody who believes the real authority whatever its own is."""
    return Identity(
        identity.organisation,
        identity.certificate_pem,
        identity.key_pem,
        consortium.authority.certificate_pem,
    )


def greet_at(
    listener: Listener, identity: Identity, expected: str
) -> tuple[Thread, list[BaseException]]:
    """Somebody who listens for one connection, of the party expected, and what it says of it."""
    said: list[BaseException] = []
    connector = Connector(
        identity, Greeting(RUN, CODE), deadline=time.monotonic() + 20, size_bytes_max=1 << 20
    )

    def greet() -> None:
        raw, _ = listener.socket.accept()
        try:
            connector.greet_stranger(raw, lambda: frozenset({expected})).close()
        except ChannelError as error:
            said.append(error)

    thread = Thread(target=greet)
    thread.start()
    return thread, said


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda one: trusting(one, wrong_authority_of("mill")), "local issuer|signature"),
        (expired, "expired"),
        (not_yet, "not yet valid"),
        (lambda one: issue_identity(one.authority, "thief"), "'thief' connected"),
    ],
)
def test_who_connects_without_the_right_certificate_is_refused(
    consortium: Consortium, listener: Listener, make: object, reason: str
) -> None:
    assert callable(make)
    identity: Identity = make(consortium)
    thread, said = greet_at(listener, consortium.bank, "mill")
    with pytest.raises((PartyRefused, PartyGone)) as refused:
        open_tls_channel(
            RUN, identity.organisation, identity, {"bank": listener.address}, code=CODE
        )
    thread.join()
    assert refused.value.party == "bank"
    assert isinstance(said[0], PartyRefused)
    assert re.search(reason, str(said[0])), said


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda one: trusting(one, wrong_authority_of("abbey")), "certificate is not valid"),
        (lambda one: issue_identity(one.authority, "thief"), "'thief' answers in its place"),
    ],
)
def test_who_answers_without_the_right_certificate_is_refused(
    consortium: Consortium, listener: Listener, make: object, reason: str
) -> None:
    """The bank dials `abbey`, whose id is less; somebody else listens there."""
    assert callable(make)
    thread, said = greet_at(listener, make(consortium), "bank")
    with pytest.raises(PartyRefused, match=reason) as refused:
        open_tls_channel(RUN, "bank", consortium.bank, {"abbey": listener.address}, code=CODE)
    thread.join()
    assert refused.value.party == "abbey"
    assert isinstance(said[0], PartyRefused | PartyGone)


def test_a_connection_of_another_service_is_refused_though_its_certificate_is_right(
    consortium: Consortium, listener: Listener
) -> None:
    thread, said = greet_at(listener, consortium.bank, "mill")
    context = tls_context(consortium.mill, server_side=False)
    context.set_alpn_protocols(["http/1.1"])
    address = (listener.address.host, listener.address.port)
    with (
        socket.create_connection(address, timeout=10) as raw,
        context.wrap_socket(raw) as secured,
        suppress(ssl.SSLEOFError, ConnectionResetError),  # cut without TLS's own end
    ):
        assert secured.recv(1) == b""
    thread.join()
    assert isinstance(said[0], PartyRefused)
    assert "another protocol" in str(said[0])


def test_who_waits_in_vain_is_told_who_was_refused_meanwhile(
    consortium: Consortium, listener: Listener
) -> None:
    thief = issue_identity(consortium.authority, "thief")
    said: list[BaseException] = []

    def connect() -> None:
        try:
            open_tls_channel(RUN, "thief", thief, {"bank": listener.address}, code=CODE)
        except ChannelError as error:
            said.append(error)

    thread = Thread(target=connect)
    thread.start()
    with pytest.raises(PartySilent, match="'thief' connected, who is not expected") as silent:
        open_as_bank(consortium, listener, connect_timeout_s=2)
    thread.join()
    assert silent.value.party == "mill"
    assert isinstance(said[0], ChannelError)


def test_a_killed_party_is_named_at_once(
    consortium: Consortium, listener: Listener, tmp_path: Path
) -> None:
    with party(tmp_path, consortium.mill, "bank", listener.address, "stall") as mill:
        channel = open_as_bank(consortium, listener)
        mill.wait_until_here()
        mill.kill()
        began = time.monotonic()
        with pytest.raises(PartyGone) as gone:
            channel.receive("mill", "test/echo")
        assert time.monotonic() - began < 5
        assert gone.value.party == "mill"
        with pytest.raises(PartyGone):
            channel.send("mill", Message("test/echo"))
        channel.close()


def test_a_stalled_party_and_a_vanished_one_are_told_apart(
    consortium: Consortium, listener: Listener, tmp_path: Path
) -> None:
    with party(tmp_path, consortium.mill, "bank", listener.address, "stall", silence_s=2) as mill:
        channel = open_as_bank(consortium, listener, timeout_s=3, silence_s=2)
        mill.wait_until_here()
        with pytest.raises(PartySilent, match="sent no 'test/echo' within") as silent:
            channel.receive("mill", "test/echo")
        assert silent.value.party == "mill"
        assert channel.traffic.received()["mill", "channel/alive"].messages >= 2
        mill.stop()  # its keep-alives end too
        with pytest.raises(PartySilent, match="not even a keep-alive") as vanished:
            channel.receive("mill", "test/echo")
        assert vanished.value.party == "mill"
        channel.close()


def test_a_flood_fills_no_memory_and_the_flooder_is_held_back(
    consortium: Consortium, listener: Listener, tmp_path: Path
) -> None:
    bound = 1 << 20
    with party(tmp_path, consortium.mill, "bank", listener.address, "flood", timeout_s=1) as mill:
        channel = open_as_bank(consortium, listener, inbox_bytes_max=bound)
        outcome = mill.outcome()
        assert (outcome["error"], outcome["party"]) == ("PartySilent", "bank")
        assert channel._inboxes["mill"]._size_bytes <= bound
        with pytest.raises(MessageUnexpected) as unexpected:
            channel.receive("mill", "test/echo")
        assert unexpected.value.party == "mill"
        channel.close()


def test_closing_ends_soon_though_the_other_side_takes_nothing(
    consortium: Consortium, listener: Listener, tmp_path: Path
) -> None:
    with party(tmp_path, consortium.mill, "bank", listener.address, "stall") as mill:
        channel = open_as_bank(consortium, listener, timeout_s=30)
        mill.wait_until_here()
        mill.stop()
        outcome: list[BaseException] = []

        def send() -> None:
            try:
                channel.send("mill", Message("a", {"x": bytes(32 << 20)}))
            except ChannelError as error:
                outcome.append(error)

        sending = Thread(target=send)
        sending.start()
        sending.join(0.5)
        assert sending.is_alive()
        began = time.monotonic()
        channel.close()
        sending.join()
        assert time.monotonic() - began < 10
        assert isinstance(outcome[0], ChannelError)


def test_nobody_there_is_told_by_name(consortium: Consortium, listener: Listener) -> None:
    with pytest.raises(PartySilent) as silent:
        open_as_bank(consortium, listener, connect_timeout_s=0.3)
    assert silent.value.party == "mill"
    unused = Listener()
    unused.close()
    with pytest.raises(PartyGone, match="cannot be reached") as gone:
        open_tls_channel(
            RUN,
            "mill",
            consortium.mill,
            {"bank": unused.address},
            code=CODE,
            connect_timeout_s=0.3,
        )
    assert gone.value.party == "bank"


def test_a_connection_that_says_nothing_keeps_nobody_from_connecting(
    consortium: Consortium, listener: Listener, tmp_path: Path
) -> None:
    with socket.create_connection((listener.address.host, listener.address.port)) as mute:
        mute.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with (
            socket.create_connection((listener.address.host, listener.address.port)),
            party(tmp_path, consortium.mill, "bank", listener.address, "echo"),
        ):
            channel = open_as_bank(consortium, listener)
            talk(channel)
            channel.close()


@pytest.mark.parametrize(
    "wrong",
    [
        {"me": "mill"},
        {"peers": {}},
        {"peers": {"bank": None}},
        {"peers": {"abbey": None}},
        {"peers": {"mill": None}, "listener": None},
        {"code": b"short"},
        {"run": ""},
        {"timeout_s": 0},
    ],
)
def test_a_channel_that_cannot_be_is_refused_before_anything_is_sent(
    consortium: Consortium, listener: Listener, wrong: dict[str, object]
) -> None:
    arguments = {
        "run": RUN,
        "me": "bank",
        "identity": consortium.bank,
        "peers": {"mill": None},
        "code": CODE,
        "listener": listener,
    }
    with pytest.raises(ChannelMisused):
        open_tls_channel(**(arguments | wrong))  # type: ignore[arg-type]
