"""A party that lies is named, whatever it sends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.channel import ChannelError, Message, MessageInvalid
from federation.sums import sealer
from federation.sums.plain import PlainAdder
from federation.trees import PartyWrong, TreeSettings, fit_as_host
from federation.trees.gradients import Code

pytestmark = pytest.mark.feature("D8")

Make = Callable[..., Any]
WIDTH = sealer("plain").width


def when(kind: str, change: Callable[[dict[str, Any]], dict[str, Any]], do: str = "") -> Any:
    """A lie: every message of that kind (and ask) is changed."""

    def lie(to: str, message: Message) -> Message:
        if message.kind != kind or (do and message.body.get("do") != do):
            return message
        return Message(kind, change(dict(message.body)))

    return lie


def sums_by(change: Callable[[Any], Any]) -> Any:
    return when("trees/sums", lambda body: {"sums": change(np.array(body["sums"]))})


CODE = Code.of(120, 1.0, 24)


def first_number(change: Callable[[int], int]) -> Any:
    """Changes the lowest slot of the first packed number, as an adder without the key can."""

    def on(sums: Any) -> Any:
        value = change(int.from_bytes(sums[0].tobytes(), "big", signed=True))
        sums[0] = np.frombuffer(value.to_bytes(WIDTH, "big", signed=True), dtype=np.uint8)
        return sums

    return sums_by(on)


def flipped(bits: bytes) -> bytes:
    return bytes([bits[0] ^ 0x80]) + bits[1:]


HOST_LIES: dict[str, Any] = {
    "totals of another shape": sums_by(lambda sums: sums[1:]),
    "totals of another width": sums_by(lambda sums: sums[:, 1:]),
    "no totals": when("trees/sums", lambda body: {}),
    "totals of another type": sums_by(lambda sums: sums.astype("<i8")),
    "more hessian than the node has": first_number(lambda one: one | (1 << CODE.h_bits) - 1),
    "less gradient than the node has": first_number(lambda one: one - (1 << CODE.bits - 2)),
    "more gradient than the node has": first_number(lambda one: one + (1 << CODE.bits - 2)),
    "numbers beyond their slots": sums_by(lambda sums: sums * 0 + 0x7F),
    "no rows at all": sums_by(lambda sums: sums * 0),
    "other rows than the totals were of": when(
        "trees/sides", lambda body: {"sides": [flipped(one) for one in body["sides"]]}
    ),
    "sides of too few rows": when(
        "trees/sides", lambda body: {"sides": [one[1:] for one in body["sides"]]}
    ),
    "sides of other nodes": when("trees/sides", lambda body: {"sides": body["sides"] + [b""]}),
    "sides that are no bits": when("trees/sides", lambda body: {"sides": [1]}),
    "another tree": when("trees/kept", lambda body: {"tree": 7}),
    "too many candidates": when("trees/ready", lambda body: {**body, "candidates": 10**7}),
    "fewer candidates": when(
        "trees/ready", lambda body: {**body, "candidates": body["candidates"] - 1}
    ),
    "no features": when("trees/ready", lambda body: {**body, "features": 0}),
    "another message": lambda to, message: Message(
        "trees/what" if message.kind == "trees/sums" else message.kind, message.body
    ),
}


@pytest.mark.parametrize("lie", HOST_LIES)
def test_a_host_that_lies_is_named(parties_of: Make, rehearsal: Make, lie: str) -> None:
    parties = parties_of(120, (1, 3, 2))
    parties.lies = {"host0": HOST_LIES[lie]}
    with pytest.raises((PartyWrong, ChannelError)) as raised:
        parties.fit(rehearsal(trees=2))
    assert raised.value.party == "host0"


@pytest.mark.parametrize("lie", [one for one in HOST_LIES if "than the node has" in one])
def test_totals_that_cannot_be_are_refused_before_anything_is_chosen(
    parties_of: Make, rehearsal: Make, lie: str
) -> None:
    parties = parties_of(120, (1, 3, 2))
    parties.lies = {"host0": HOST_LIES[lie]}
    with pytest.raises(PartyWrong, match="no rows of the node come to") as raised:
        parties.fit(rehearsal(trees=2))
    assert raised.value.party == "host0"


def test_a_host_whose_totals_are_not_of_all_the_rows_is_named(
    parties_of: Make, rehearsal: Make
) -> None:
    """It leaves one row out of what it adds: the totals of all bins tell."""
    parties = parties_of(120, (1, 2))
    real = PlainAdder.bin_sums
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PlainAdder, "bin_sums", lambda self, rows: real(self, [rows[0][1:]]))
        with pytest.raises(PartyWrong, match="not those of the node's rows") as raised:
            parties.fit(rehearsal(trees=1, depth=1))
    assert raised.value.party == "host0"


def test_a_host_that_sends_what_was_never_sealed_is_named(parties_of: Make) -> None:
    for change, reason in (
        (lambda sums: sums * 0, "range"),
        (lambda sums: sums | 0xFF, "range"),
        (lambda sums: np.roll(sums, 1, axis=1) & 0x7F, "totals"),
    ):
        parties = parties_of(80, (1, 2))
        parties.lies = {"host0": sums_by(change)}
        with pytest.raises(PartyWrong, match=reason) as raised:
            parties.fit(TreeSettings(trees=1, depth=1, scheme="ou"))
        assert raised.value.party == "host0"


def ask(do: str, **changed: Callable[[dict[str, Any]], Any]) -> Any:
    return when(
        "trees/ask", lambda body: {**body, **{key: of(body) for key, of in changed.items()}}, do
    )


def first_split(change: Callable[[dict[str, Any]], Any]) -> Any:
    return ask("split", splits=lambda body: [{**body["splits"][0], **change(body["splits"][0])}])


GUEST_LIES: dict[str, Any] = {
    "other settings": when("trees/begin", lambda body: {**body, "settings": bytes(32)}),
    "another number of rows": when("trees/begin", lambda body: {**body, "rows": 119}),
    "no key": when("trees/begin", lambda body: {**body, "offer": {}}),
    "another scheme": when("trees/begin", lambda body: {**body, "offer": {"scheme": "ou"}}),
    "another tree": ask("tree", tree=lambda body: body["tree"] + 1),
    "a tree of one row": ask("tree", rows=lambda body: b"\x80" + bytes(14)),
    "rows beyond the last": ask("tree", rows=lambda body: body["rows"] + b"\1"),
    "gradients of another width": when(
        "trees/sealed", lambda body: {"sealed": np.array(body["sealed"])[:, 1:]}
    ),
    "gradients of fewer rows": when(
        "trees/sealed", lambda body: {"sealed": np.array(body["sealed"])[1:]}
    ),
    "an unknown ask": when("trees/ask", lambda body: {**body, "do": "tell-all"}, "keep"),
    "sums over one row": ask("sums", nodes=lambda body: [b"\x80" + bytes(14)]),
    "sums over rows twice": ask("sums", nodes=lambda body: [body["nodes"][0]] * 2),
    "sums over too many nodes": ask("sums", nodes=lambda body: body["nodes"] * 9),
    "sums over no bits": ask("sums", nodes=lambda body: [3]),
    "a split of one row": first_split(lambda one: {"rows": b"\x80" + bytes(14)}),
    "a split by no candidate": first_split(lambda one: {"candidates": np.array([], dtype="<i4")}),
    "a split by a candidate beyond": first_split(
        lambda one: {"candidates": np.array([10**6], dtype="<i4")}
    ),
    "a split by a negative candidate": first_split(
        lambda one: {"candidates": np.array([-1], dtype="<i4")}
    ),
}


@pytest.mark.parametrize("lie", GUEST_LIES)
def test_a_guest_that_lies_is_named_by_its_host(
    parties_of: Make, rehearsal: Make, lie: str
) -> None:
    parties = parties_of(120, (0, 3))
    parties.lies = {"bank": GUEST_LIES[lie]}
    errors: dict[str, BaseException] = {}
    with pytest.raises(ChannelError) as raised:  # the host went away
        parties.fit(rehearsal(trees=2))
    errors = raised.value.args[-1]
    error = errors["host0"]
    assert isinstance(error, PartyWrong | MessageInvalid), error
    assert error.party == "bank"


@pytest.mark.parametrize("depth", [2, 8])
def test_a_guest_that_asks_for_more_than_a_tree_needs_is_refused(
    parties_of: Make, rehearsal: Make, depth: int
) -> None:
    """Sums over ever other sets of rows would tell single rows apart."""
    parties = parties_of(120, (0, 2))
    channels = parties.channels()
    errors: list[BaseException] = []
    chosen = rehearsal(trees=2, depth=depth)

    def host() -> None:
        try:
            fit_as_host(channels["host0"], "bank", parties.hosts["host0"], chosen, workers=1)
        except BaseException as error:
            errors.append(error)
        finally:
            channels["host0"].close()

    thread = threading.Thread(target=host)
    thread.start()
    bank, sealing = channels["bank"], sealer("plain")
    body = {"settings": chosen.digest, "rows": 120, "trees": 0, "offer": sealing.offer()}
    bank.send("host0", Message("trees/begin", body))
    bank.receive("host0", "trees/ready")
    every = np.packbits(np.ones(120, dtype=bool)).tobytes()
    bank.send("host0", Message("trees/ask", {"do": "tree", "tree": 0, "rows": every, "bits": 60}))
    bank.send("host0", Message("trees/sealed", {"sealed": sealing.seal([0] * 120)}))
    for _ in range(chosen.depth):
        bank.send("host0", Message("trees/ask", {"do": "sums", "nodes": [every]}))
        bank.receive("host0", "trees/sums")
    bank.send("host0", Message("trees/ask", {"do": "sums", "nodes": [every]}))
    thread.join()
    bank.close()
    assert isinstance(errors[0], PartyWrong)
    assert errors[0].party == "bank"
    assert "more levels" in str(errors[0])


def test_a_host_that_goes_away_is_named(parties_of: Make, rehearsal: Make) -> None:
    parties = parties_of(120, (1, 2, 2))

    def leave(to: str, message: Message) -> Message:
        if message.kind == "trees/sums":
            raise ConnectionAbortedError
        return message

    parties.lies = {"host1": leave}
    with pytest.raises(ChannelError) as raised:
        parties.fit(rehearsal())
    assert raised.value.party == "host1"


SCORE_LIES: dict[str, Any] = {
    "too few questions": lambda body: {"bits": np.array(body["bits"])[1:]},
    "too few rows": lambda body: {"bits": np.array(body["bits"])[:, 1:]},
    "rows beyond the last": lambda body: {"bits": np.array(body["bits"]) | 0xFF},
}


@pytest.mark.parametrize("lie", SCORE_LIES)
def test_a_host_that_answers_wrongly_is_named(parties_of: Make, rehearsal: Make, lie: str) -> None:
    parties = parties_of(123, (1, 2))
    run = parties.fit(rehearsal())
    parties.lies = {"host0": when("trees/bits", SCORE_LIES[lie])}
    with pytest.raises((PartyWrong, ChannelError)) as raised:
        parties.score(run)
    assert raised.value.party == "host0"


@given(st.data())
@settings(max_examples=25)
def test_any_damage_to_a_message_ends_with_a_name_or_not_at_all(
    parties_of: Make, rehearsal: Make, data: st.DataObject
) -> None:
    """Any single bit of any one message: either the other side names the sender, or the run ends
    as ever (the bit was of a number that does not matter)."""
    liar = data.draw(st.sampled_from(["bank", "host0"]))
    at, place = data.draw(st.integers(0, 14)), data.draw(st.integers(0, 10**6))
    sent = 0

    def damage(to: str, message: Message) -> Message:
        nonlocal sent
        sent += 1
        body = dict(message.body)
        keys = [key for key, value in body.items() if isinstance(value, bytes | np.ndarray)]
        if sent != at + 1 or not keys:
            return message
        key = keys[place % len(keys)]
        value = body[key]
        raw = bytearray(value if isinstance(value, bytes) else np.asarray(value).tobytes())
        if raw:
            raw[place % len(raw)] ^= 1 << place % 8
        if isinstance(value, bytes):
            body[key] = bytes(raw)
        else:
            array = np.asarray(value)
            body[key] = np.frombuffer(bytes(raw), dtype=array.dtype).reshape(array.shape)
        return Message(message.kind, body)

    parties = parties_of(60, (1, 2))
    parties.lies = {liar: damage}
    named = {"bank", "host0"}
    try:
        named = {name for name in named if parties.fit(rehearsal(trees=2, depth=2))}
    except (PartyWrong, ChannelError) as error:
        named &= {error.party}
    assert named  # every other error falls out of here by itself
