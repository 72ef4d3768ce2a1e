"""A program at the other end that has the right certificate and breaks the protocol."""

from __future__ import annotations

import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.channel import (
    ChannelError,
    Listener,
    Message,
    MessageInvalid,
    PartyGone,
    PartyRefused,
    PartySilent,
    TlsChannel,
    encode,
    open_tls_channel,
)
from federation.channel.connecting import Connector
from federation.channel.framing import FrameReader, FrameType, FrameWriter
from federation.channel.link import Greeting, Link
from tests.federation.channel.processes import CODE, RUN, Consortium, make_consortium

pytestmark = pytest.mark.feature("D8")

SIZE_MAX = 1 << 20


@pytest.fixture(scope="module")
def consortium() -> Consortium:
    return make_consortium()


class Rogue:
    """A mill that sends any bytes it likes inside its own proper TLS connection."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.next = 1  # 0 was the greeting

    def raw(self, data: bytes) -> None:
        self.link._stream.write(data, 5)

    def frame(self, payload: bytes, *, number: int | None = None, kind: int = 1) -> None:
        used = self.next if number is None else number
        self.raw(struct.pack(">IQB", len(payload), used, kind) + payload)
        self.next += 1

    def end(self) -> None:
        self.link._stream.end_writing(1)


@contextmanager
def bank_and_rogue(consortium: Consortium, **settings: float) -> Iterator[tuple[TlsChannel, Rogue]]:
    listener = Listener()
    links: list[Link] = []

    def dial() -> None:
        connector = Connector(
            consortium.mill,
            Greeting(RUN, CODE),
            deadline=time.monotonic() + 10,
            size_bytes_max=SIZE_MAX,
        )
        links.append(connector.dial("bank", listener.address, threading.Event()))

    thread = threading.Thread(target=dial)
    thread.start()
    times = {"timeout_s": 5, "silence_s": 5} | settings
    channel = open_tls_channel(
        RUN,
        "bank",
        consortium.bank,
        {"mill": None},
        code=CODE,
        listener=listener,
        connect_timeout_s=10,
        size_bytes_max=SIZE_MAX,
        **times,  # type: ignore[arg-type]
    )
    thread.join()
    try:
        yield channel, Rogue(links[0])
    finally:
        links[0].close()
        channel.close()
        listener.close()


GOOD = encode(Message("a"))


def refusal(channel: TlsChannel, expected: type[ChannelError]) -> str:
    with pytest.raises(expected) as refused:
        channel.receive("mill", "a")
    assert refused.value.party == "mill"
    return str(refused.value)


def test_a_replayed_frame_is_refused(consortium: Consortium) -> None:
    with bank_and_rogue(consortium) as (channel, rogue):
        rogue.frame(GOOD)
        assert channel.receive("mill", "a").kind == "a"
        rogue.frame(GOOD, number=1)
        assert "number 1 where 2 comes next" in refusal(channel, MessageInvalid)


def test_a_frame_left_out_is_noticed(consortium: Consortium) -> None:
    with bank_and_rogue(consortium) as (channel, rogue):
        rogue.frame(GOOD, number=2)
        assert "number 2 where 1 comes next" in refusal(channel, MessageInvalid)


def test_half_a_frame_and_then_the_end_is_no_message(consortium: Consortium) -> None:
    with bank_and_rogue(consortium) as (channel, rogue):
        rogue.raw(struct.pack(">IQB", 100, 1, 1) + b"x" * 50)
        rogue.end()
        assert "within a message" in refusal(channel, PartyGone)


def test_half_a_frame_and_then_nothing_is_silence(consortium: Consortium) -> None:
    with bank_and_rogue(consortium, silence_s=0.5) as (channel, rogue):
        rogue.raw(struct.pack(">IQB", 100, 1, 1) + b"x" * 50)
        assert "nothing came for" in refusal(channel, PartySilent)


def test_a_frame_longer_than_allowed_is_refused_before_it_arrives(consortium: Consortium) -> None:
    with bank_and_rogue(consortium) as (channel, rogue):
        rogue.raw(struct.pack(">IQB", SIZE_MAX + 1, 1, 1))
        assert "at most" in refusal(channel, MessageInvalid)


def test_a_frame_of_a_type_unknown_is_refused(consortium: Consortium) -> None:
    with bank_and_rogue(consortium) as (channel, rogue):
        rogue.frame(b"", kind=9)
        assert "type 9" in refusal(channel, MessageInvalid)


def test_a_keep_alive_carries_nothing(consortium: Consortium) -> None:
    with bank_and_rogue(consortium) as (channel, rogue):
        rogue.frame(b"x", kind=2)
        assert "payload" in refusal(channel, MessageInvalid)


def test_keep_alives_without_measure_are_refused(consortium: Consortium) -> None:
    with bank_and_rogue(consortium) as (channel, rogue):
        alive = b"".join(struct.pack(">IQB", 0, number, 2) for number in range(1, 400))
        rogue.raw(alive)
        assert "keep-alives" in refusal(channel, MessageInvalid)


def test_a_frame_that_holds_no_message_is_refused(consortium: Consortium) -> None:
    with bank_and_rogue(consortium) as (channel, rogue):
        rogue.frame(b"\x93")
        refusal(channel, MessageInvalid)


def test_an_end_without_a_goodbye_is_told(consortium: Consortium) -> None:
    with bank_and_rogue(consortium) as (channel, rogue):
        rogue.frame(GOOD)
        rogue.end()
        assert channel.receive("mill", "a").kind == "a"
        assert "without a goodbye" in refusal(channel, PartyGone)


def send_much(channel: TlsChannel) -> None:
    for _ in range(200):
        channel.send("mill", Message("a", {"x": bytes(1 << 19)}))


def test_who_takes_nothing_is_told_silent(consortium: Consortium) -> None:
    """The mill's process does not read: at some time our send has no room."""
    with bank_and_rogue(consortium, timeout_s=0.5) as (channel, _):
        with pytest.raises(PartySilent, match="takes nothing") as silent:
            send_much(channel)
        assert silent.value.party == "mill"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"from": "thief"}, "channel/hello"),
        ({"to": "power"}, "channel/hello"),
        ({"version": 2}, "channel/hello"),
        ({"code": b"short"}, "channel/hello"),
        ({"more": 1}, "channel/hello"),
        ({}, "channel/hi"),
    ],
)
def test_a_greeting_that_is_wrong_is_refused(
    consortium: Consortium, body: dict[str, object], kind: str
) -> None:
    class Stranger(Link):
        def greet(self, me: str, greeting: Greeting, timeout_s: float) -> None:
            hello = {"version": 1, "run": RUN, "code": CODE, "from": me, "to": "bank"} | body
            self.write(FrameType.MESSAGE, encode(Message(kind, hello)), 5)  # type: ignore[arg-type]

    class Strange(Connector):
        def _greeted(self, stream: object) -> Link:
            link = Stranger(stream, size_bytes_max=SIZE_MAX)  # type: ignore[arg-type]
            link.greet("mill", Greeting(RUN, CODE), 5)
            return link

    listener = Listener()
    links: list[Link] = []

    def dial() -> None:
        connector = Strange(
            consortium.mill,
            Greeting(RUN, CODE),
            deadline=time.monotonic() + 10,
            size_bytes_max=SIZE_MAX,
        )
        links.append(connector.dial("bank", listener.address, threading.Event()))

    thread = threading.Thread(target=dial)
    thread.start()
    with pytest.raises((PartyRefused, MessageInvalid)) as refused:
        open_tls_channel(
            RUN,
            "bank",
            consortium.bank,
            {"mill": None},
            code=CODE,
            listener=listener,
            connect_timeout_s=10,
        )
    assert refused.value.party == "mill"
    thread.join()
    links[0].close()
    listener.close()


@given(
    st.lists(st.tuples(st.sampled_from(FrameType), st.binary(max_size=40)), max_size=8),
    st.data(),
)
def test_frames_come_out_as_they_went_in_however_the_stream_is_cut(
    frames: list[tuple[FrameType, bytes]], data: st.DataObject
) -> None:
    frames = [(kind, payload if kind == FrameType.MESSAGE else b"") for kind, payload in frames]
    writer, reader = FrameWriter(), FrameReader("mill", 40)
    stream = b"".join(writer.frame(kind, payload) for kind, payload in frames)
    got = []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        reader.feed(stream[:size])
        stream = stream[size:]
        while (frame := reader.frame()) is not None:
            got.append(frame)
    assert got == frames
    assert not reader.within_frame
