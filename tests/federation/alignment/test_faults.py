"""A party that keeps not to the protocol is refused and named, and learns nothing by it."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest

from federation.alignment import AlignmentSettings, align_as_guest, align_as_host
from federation.alignment.session import _commitment
from federation.channel import (
    Channel,
    Message,
    MessageInvalid,
    MessageUnexpected,
    PartyGone,
    PartySilent,
    Traffic,
    Value,
)
from tests.federation.alignment.parties import GUEST, SMALL, guest_part, host_part, run_parts

pytestmark = pytest.mark.feature("D8")

HOST = "host1"
IDS = [f"id{n}" for n in range(12)]
P = 2**255 - 19
ORDER_8 = 325606250916557431795983626356110631294008115727848805560023387167927233504
Change = Callable[[Message], Message | None]


class Altering:
    """A channel whose owner changes what it sends, or drops it (None)."""

    def __init__(self, channel: Channel, change: Change) -> None:
        self._channel = channel
        self._change = change

    @property
    def run(self) -> str:
        return self._channel.run

    @property
    def me(self) -> str:
        return self._channel.me

    @property
    def others(self) -> frozenset[str]:
        return self._channel.others

    @property
    def traffic(self) -> Traffic:
        return self._channel.traffic

    def send(self, to: str, message: Message) -> None:
        changed = self._change(message)
        if changed is not None:
            self._channel.send(to, changed)

    def receive(self, sender: str, kind: str) -> Message:
        return self._channel.receive(sender, kind)

    def close(self) -> None:
        self._channel.close()


def with_body(kind: str, change: Callable[[dict[str, Value]], dict[str, Value]]) -> Change:
    """Changes the body of messages of this kind."""
    return lambda message: (
        Message(kind, change(dict(message.body))) if message.kind == kind else message
    )


def with_array(kind: str, key: str, change: Callable[[np.ndarray], np.ndarray]) -> Change:
    """Changes an array in messages of this kind."""

    def alter(body: dict[str, Value]) -> dict[str, Value]:
        array = body[key]
        assert isinstance(array, np.ndarray)
        return body | {key: change(array.copy())}

    return with_body(kind, alter)


def first_is(u: int) -> Callable[[np.ndarray], np.ndarray]:
    def alter(points: np.ndarray) -> np.ndarray:
        points[0] = np.frombuffer(u.to_bytes(32, "little"), dtype=np.uint8)
        return points

    return alter


def repeated(array: np.ndarray) -> np.ndarray:
    array[1] = array[0]
    return array


def against_guest(change: Change) -> object:
    """What the guest says to a host that changes what it sends."""
    return run_parts(
        {
            GUEST: guest_part([HOST], IDS),
            HOST: lambda channel: align_as_host(Altering(channel, change), GUEST, IDS, SMALL),
        }
    )[GUEST]


def against_host(change: Change) -> object:
    """What the host says to a guest that changes what it sends."""
    return run_parts(
        {
            GUEST: lambda channel: align_as_guest(Altering(channel, change), [HOST], IDS, SMALL),
            HOST: host_part(IDS),
        }
    )[HOST]


BAD_POINTS = [
    pytest.param(first_is(0), id="identity"),
    pytest.param(first_is(1), id="order 4"),
    pytest.param(first_is(ORDER_8), id="order 8"),
    pytest.param(first_is(P - 1), id="order 4 of the twist"),
    pytest.param(first_is(2), id="twist"),
    pytest.param(first_is(P + 9), id="not canonical"),
    pytest.param(first_is(9 + (1 << 255)), id="top bit"),
    pytest.param(repeated, id="twice"),
    pytest.param(lambda points: points[:-1], id="too few"),
    pytest.param(lambda points: np.concatenate([points, points]), id="too many"),
    pytest.param(lambda points: points[:, :31], id="short"),
    pytest.param(lambda points: points.astype("<u2"), id="another type"),
]


@pytest.mark.parametrize("change", BAD_POINTS)
def test_a_host_that_sends_bad_points_is_named(
    change: Callable[[np.ndarray], np.ndarray],
) -> None:
    error = against_guest(with_array("psi/points", "points", change))
    assert isinstance(error, MessageInvalid), error
    assert error.party == HOST
    assert "psi/points" in error.place


@pytest.mark.parametrize("change", BAD_POINTS)
def test_a_guest_that_sends_bad_points_is_named(
    change: Callable[[np.ndarray], np.ndarray],
) -> None:
    error = against_host(with_array("psi/pass", "points", change))
    assert isinstance(error, MessageInvalid), error
    assert error.party == GUEST
    assert "psi/pass" in error.place


def test_a_point_of_small_order_added_to_another_is_found_as_the_same_point() -> None:
    """Q and Q + T, with T of order 2 (u = 0): u(Q + T) = 1/u(Q), a valid point of the curve."""

    def twin(points: np.ndarray) -> np.ndarray:
        inverse = pow(int.from_bytes(points[0].tobytes(), "little"), -1, P)
        points[1] = np.frombuffer(inverse.to_bytes(32, "little"), dtype=np.uint8)
        return points

    for error, party in (
        (against_guest(with_array("psi/points", "points", twin)), HOST),
        (against_host(with_array("psi/pass", "points", twin)), GUEST),
    ):
        assert isinstance(error, MessageInvalid), error
        assert error.party == party
        assert "twice" in error.reason


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(with_array("psi/masked", "tags", repeated), id="tag twice"),
        pytest.param(with_array("psi/masked", "tags", lambda tags: tags[1:]), id="tags too few"),
        pytest.param(with_array("psi/origin", "positions", repeated), id="position twice"),
        pytest.param(
            with_array("psi/origin", "positions", lambda one: one[1:]), id="positions too few"
        ),
        pytest.param(
            with_array("psi/origin", "positions", lambda one: one + np.uint32(12)), id="beyond"
        ),
        pytest.param(with_body("psi/join", lambda body: body | {"rows": -1}), id="rows"),
        pytest.param(with_body("psi/join", lambda body: body | {"half": b"x"}), id="half"),
        pytest.param(with_body("psi/join", lambda body: body | {"more": 1}), id="more"),
        pytest.param(with_body("psi/points", lambda body: body | {"owner": 1}), id="owner"),
        pytest.param(with_body("psi/taken", lambda body: body | {"rows": 11}), id="taken"),
        pytest.param(with_body("psi/points", lambda body: body | {"points": None}), id="none"),
    ],
)
def test_a_host_whose_messages_are_wrong_is_named(change: Change) -> None:
    error = against_guest(change)
    assert isinstance(error, MessageInvalid), error
    assert error.party == HOST


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(with_body("psi/start", lambda body: body | {"hosts": ["x"]}), id="not us"),
        pytest.param(
            with_body("psi/start", lambda body: body | {"hosts": [HOST, HOST]}), id="us twice"
        ),
        pytest.param(
            with_body("psi/start", lambda body: body | {"hosts": [HOST, GUEST]}), id="guest"
        ),
        pytest.param(with_body("psi/start", lambda body: body | {"version": 2}), id="version"),
        pytest.param(
            with_body("psi/start", lambda body: body | {"commitment": bytes(32)}), id="commitment"
        ),
        pytest.param(
            with_body("psi/start", lambda body: body | {"commitment": _commitment(bytes(32))}),
            id="salt chosen afterwards",
        ),
        pytest.param(with_body("psi/salt", lambda body: body | {"rows": [11, 12]}), id="our rows"),
        pytest.param(with_body("psi/salt", lambda body: body | {"rows": [12, 11]}), id="its rows"),
        pytest.param(with_body("psi/salt", lambda body: body | {"rows": [12]}), id="rows short"),
        pytest.param(
            with_body("psi/salt", lambda body: body | {"halves": [bytes(32)] * 2}), id="our half"
        ),
        pytest.param(with_array("psi/common", "positions", repeated), id="position twice"),
        pytest.param(with_array("psi/rows", "positions", lambda one: one[1:]), id="another number"),
        pytest.param(
            with_array("psi/rows", "positions", lambda one: one + np.uint32(12)), id="beyond"
        ),
    ],
)
def test_a_guest_whose_messages_are_wrong_is_named(change: Change) -> None:
    error = against_host(change)
    assert isinstance(error, MessageInvalid), error
    assert error.party == GUEST


def test_points_of_another_run_are_refused() -> None:
    kept: list[Message] = []

    def keep(message: Message) -> Message:
        kept.append(message)
        return message

    assert isinstance(against_guest(keep), np.ndarray)
    old = next(message for message in kept if message.kind == "psi/points")
    error = against_guest(lambda message: old if message.kind == "psi/points" else message)
    assert isinstance(error, MessageInvalid)
    assert error.party == HOST
    assert "another alignment" in error.reason


def test_a_host_that_leaves_out_a_step_is_named() -> None:
    error = against_guest(
        lambda message: Message("psi/masked") if message.kind == "psi/points" else message
    )
    assert isinstance(error, MessageUnexpected), error
    assert error.party == HOST


def test_a_host_that_says_nothing_more_is_named() -> None:
    over = threading.Event()

    def ask(channel: Channel) -> object:
        try:
            return align_as_guest(channel, [HOST], IDS, SMALL)
        finally:
            over.set()

    def stall(channel: Channel) -> None:
        channel.receive(GUEST, "psi/start")
        over.wait(20)

    error = run_parts({GUEST: ask, HOST: stall}, timeout_s=0.3)[GUEST]
    assert isinstance(error, PartySilent), error
    assert error.party == HOST


def test_a_host_that_goes_is_named() -> None:
    def vanish(channel: Channel) -> None:
        channel.receive(GUEST, "psi/start")
        channel.close()

    error = run_parts({GUEST: guest_part([HOST], IDS), HOST: vanish})[GUEST]
    assert isinstance(error, PartyGone)
    assert error.party == HOST


def test_a_dummy_is_never_a_common_row() -> None:
    """A guest that claims rows it cannot know hits a dummy of the host sooner or later."""
    padded = AlignmentSettings(threads=1, pad_to=64)

    def claim(message: Message) -> Message:
        if message.kind != "psi/rows":
            return message
        body = dict(message.body)
        count = len(body["positions"])  # type: ignore[arg-type]
        taken = set(body["positions"].tolist())  # type: ignore[union-attr]
        body["positions"] = np.array([n for n in range(64) if n not in taken][:count], "<u4")
        return Message("psi/rows", body)

    error = run_parts(
        {
            GUEST: lambda channel: align_as_guest(Altering(channel, claim), [HOST], IDS, padded),
            HOST: host_part(IDS, padded),
        }
    )[HOST]
    assert isinstance(error, MessageInvalid), error
    assert error.party == GUEST
    assert "dummy" in error.reason
