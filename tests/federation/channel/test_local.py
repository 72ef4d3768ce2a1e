"""Channels between threads of one process."""

from __future__ import annotations

import threading
import time

import pytest

from federation.channel import (
    ChannelMisused,
    Message,
    MessageUnexpected,
    PartyGone,
    PartySilent,
    local_channels,
)

pytestmark = pytest.mark.feature("D3")


def test_messages_arrive_in_order_from_each_sender() -> None:
    channels = local_channels("0x01", ["bank", "mill", "power"])
    for n in range(3):
        channels["mill"].send("bank", Message("a", {"n": n}))
        channels["power"].send("bank", Message("a", {"n": 10 + n}))
    got = [channels["bank"].receive("mill", "a").body["n"] for _ in range(3)]
    assert got == [0, 1, 2]
    assert channels["bank"].receive("power", "a").body == {"n": 10}
    assert channels["bank"].others == {"mill", "power"}


def test_a_received_message_names_its_sender() -> None:
    channels = local_channels("0x01", ["bank", "mill"])
    channels["mill"].send("bank", Message("a", party="somebody else"))
    assert channels["bank"].receive("mill", "a").party == "mill"


def test_another_kind_than_expected_is_refused() -> None:
    channels = local_channels("0x01", ["bank", "mill"])
    channels["mill"].send("bank", Message("a/one"))
    with pytest.raises(MessageUnexpected) as refused:
        channels["bank"].receive("mill", "a/two")
    assert refused.value.party == "mill"
    assert "a/one" in str(refused.value)
    assert "a/two" in str(refused.value)


def test_a_silent_party_is_named_after_the_time_allowed() -> None:
    channels = local_channels("0x01", ["bank", "mill"], timeout_s=0.05)
    began = time.monotonic()
    with pytest.raises(PartySilent) as silent:
        channels["bank"].receive("mill", "a")
    assert silent.value.party == "mill"
    assert 0.04 < time.monotonic() - began < 5


def test_what_was_sent_before_closing_still_arrives() -> None:
    channels = local_channels("0x01", ["bank", "mill"])
    channels["mill"].send("bank", Message("a"))
    channels["mill"].close()
    channels["mill"].close()
    assert channels["bank"].receive("mill", "a").kind == "a"
    with pytest.raises(PartyGone) as gone:
        channels["bank"].receive("mill", "a")
    assert gone.value.party == "mill"
    with pytest.raises(PartyGone):
        channels["bank"].send("mill", Message("a"))


def test_closing_wakes_who_waits() -> None:
    channels = local_channels("0x01", ["bank", "mill"], timeout_s=30)
    threading.Timer(0.05, channels["mill"].close).start()
    with pytest.raises(PartyGone):
        channels["bank"].receive("mill", "a")


def test_a_closed_channel_and_a_stranger_cannot_be_used() -> None:
    channels = local_channels("0x01", ["bank", "mill"])
    for stranger in ("bank", "power"):
        with pytest.raises(ChannelMisused):
            channels["bank"].send(stranger, Message("a"))
        with pytest.raises(ChannelMisused):
            channels["bank"].receive(stranger, "a")
    channels["bank"].close()
    with pytest.raises(ChannelMisused):
        channels["bank"].send("mill", Message("a"))


@pytest.mark.parametrize("parties", [[], ["bank"], ["bank", "bank"]])
def test_a_run_has_two_or_more_different_parties(parties: list[str]) -> None:
    with pytest.raises(ChannelMisused):
        local_channels("0x01", parties)


def test_the_tap_sees_every_byte_and_traffic_counts_them() -> None:
    seen: list[tuple[str, str, bytes]] = []
    channels = local_channels(
        "0x01", ["bank", "mill"], tap=lambda sender, to, data: seen.append((sender, to, data))
    )
    channels["bank"].send("mill", Message("a", {"x": b"visible"}))
    channels["mill"].send("bank", Message("b"))
    channels["mill"].receive("bank", "a")
    assert [(sender, to) for sender, to, _ in seen] == [("bank", "mill"), ("mill", "bank")]
    assert b"visible" in seen[0][2]
    traffic = channels["bank"].traffic
    assert traffic.sent()["mill", "a"].size_bytes == len(seen[0][2]) == traffic.sent_bytes
    assert traffic.received_bytes == 0
    assert channels["mill"].traffic.received()["bank", "a"].messages == 1
