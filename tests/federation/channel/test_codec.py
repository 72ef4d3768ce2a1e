"""Messages as bytes: whatever is sent comes back; whatever else arrives is refused by name."""

from __future__ import annotations

import math
import tracemalloc
from contextlib import suppress

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import federation.channel.codec as codec
from federation.channel import (
    Message,
    MessageInvalid,
    MessageUnsendable,
    decode,
    encode,
)
from federation.channel.arrays import DTYPES, INTEGER_BITS_MAX
from federation.channel.codec import DEPTH_MAX

pytestmark = pytest.mark.feature("D3")

dtypes = st.sampled_from([np.dtype(name) for name in DTYPES])
arrays = dtypes.flatmap(
    lambda dtype: hnp.arrays(
        dtype, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
    )
)
integers = st.one_of(
    st.integers(-(1 << 65), 1 << 65),
    st.integers(0, 4096).map(lambda bits: (1 << bits) - 1),
    st.integers(0, 4096).map(lambda bits: -(1 << bits)),
)
leaves = st.one_of(
    st.none(), st.booleans(), integers, st.floats(), st.text(), st.binary(max_size=64), arrays
)
keys = st.text(min_size=1, max_size=8)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=12,
)
messages = st.builds(
    Message, st.from_regex(r"[a-z0-9./-]{1,64}", fullmatch=True), st.dictionaries(keys, values)
)


def same(left: object, right: object) -> bool:
    """Equality that looks into arrays and takes NaN for NaN; types count."""
    if isinstance(left, np.ndarray) and isinstance(right, np.ndarray):
        return (
            left.dtype == right.dtype
            and left.shape == right.shape
            and left.tobytes() == right.tobytes()
        )
    if type(left) is not type(right):
        return False
    if isinstance(left, float) and math.isnan(left):
        return isinstance(right, float) and math.isnan(right)
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right


@given(messages)
@settings(max_examples=60)
def test_everything_that_may_be_sent_comes_back(message: Message) -> None:
    got = decode(encode(message), party="bank")
    assert got.kind == message.kind
    assert got.party == "bank"
    assert same(got.body, message.body)


@given(messages, st.data())
@settings(max_examples=40)
def test_a_message_cut_short_is_refused(message: Message, data: st.DataObject) -> None:
    whole = encode(message)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(MessageInvalid) as refused:
        decode(whole[:cut], party="mill")
    assert refused.value.party == "mill"


@given(messages, st.data())
@settings(max_examples=60)
def test_an_altered_message_is_another_message_or_is_refused(
    message: Message, data: st.DataObject
) -> None:
    altered = bytearray(encode(message))
    for _ in range(data.draw(st.integers(1, 3))):
        altered[data.draw(st.integers(0, len(altered) - 1))] = data.draw(st.integers(0, 255))
    with suppress(MessageInvalid):
        got = decode(bytes(altered), party="mill")
        assert same(decode(encode(got)).body, got.body)


@given(st.binary(max_size=200))
@settings(max_examples=300)
def test_any_bytes_are_a_message_or_refused(data: bytes) -> None:
    with suppress(MessageInvalid):
        got = decode(data, party="mill")
        assert same(decode(encode(got)).body, got.body)


@given(messages, st.binary(min_size=1, max_size=4))
@settings(max_examples=40)
def test_nothing_may_follow_a_message(message: Message, more: bytes) -> None:
    with pytest.raises(MessageInvalid):
        decode(encode(message) + more)


def extension(code: int, data: bytes) -> bytes:
    """A message whose body has one extension."""
    return body(b"\x81\xa1a" + bytes(msgpack.packb(msgpack.ExtType(code, data))))


def body(packed: bytes) -> bytes:
    """A message whose body is `packed`."""
    return b"\x92\xa1k" + packed


@pytest.mark.parametrize(
    "frame",
    [
        body(b"\x81\xa1a\xdd\xff\xff\xff\xff"),
        body(b"\x81\xa1a\xdf\xff\xff\xff\xff"),
        body(b"\x81\xa1a\xc6\xff\xff\xff\xff"),
        body(b"\x81\xa1a\xdb\xff\xff\xff\xff"),
        body(b"\x81\xa1a\xc9\xff\xff\xff\xff\x01"),
        body(b"\x81\xa1a" + b"\xdd\x00\x0f\xff\xff" * 200_000),
        body(b"\x81\xa1a" + b"\x91" * 1_000_000),
        # two gigabytes claimed by the shape of an array, and none there
        extension(1, b"\1\1" + bytes(6) + b"\0\0\0\x80\0\0\0\0"),
    ],
)
def test_a_small_frame_never_takes_much_memory(frame: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(MessageInvalid):
            decode(frame)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 64 * len(frame) + (1 << 20)


def test_elements_of_a_message_are_counted_over_all_its_containers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An empty map takes one byte to send and 64 to hold."""
    monkeypatch.setattr(codec, "ELEMENTS_MAX", 1000)
    lists = b"\xdc" + (500).to_bytes(2, "big") + b"\x80" * 500
    with pytest.raises(MessageInvalid, match="more than 1000 elements"):
        decode(body(b"\x81\xa1a\x92" + lists * 2))
    with pytest.raises(MessageUnsendable, match="more than 1000 elements"):
        encode(Message("a", {"x": [[None] * 500] * 2}))
    most = {"x": [None] * 999}
    assert decode(encode(Message("a", most))).body == most


def test_a_frame_longer_than_allowed_is_refused_unread() -> None:
    frame = encode(Message("a/b", {"x": bytes(1000)}))
    assert decode(frame, size_bytes_max=len(frame)).body == {"x": bytes(1000)}
    with pytest.raises(MessageInvalid, match="at most"):
        decode(frame, size_bytes_max=len(frame) - 1)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (b"\x93\xa1k\x80\x80", "kind and body"),
        (b"\x92\xa1K\x80", "a-z"),
        (b"\x92\xc4\x01k\x80", "a-z"),
        (b"\x92\xa1k\x90", "a map"),
        (body(b"\x81\x01\x01"), "key"),
        (body(b"\x81\xa0\x01"), "key"),
        (body(b"\x82\xa1a\x01\xa1a\x02"), "twice"),
        (body(b"\x81\xa1a\xc1"), "never uses"),
        (body(b"\x81\xa1a\xca\x00\x00\x00\x00"), "32 bits"),
        (body(b"\x81\xa1a\xd6\xff\x00\x00\x00\x00"), "extension"),
        (body(b"\x81\xa1a\xd4\x07\x00"), "extension"),
        (body(b"\x81\xa1a\xa1\xff"), "utf-8"),
        (extension(2, b"\0" + bytes(9)), "big integer"),
        (extension(2, b"\0" + b"\xff" * 8), "big integer"),
        (extension(1, b"\0\0" + bytes(6) + b"\2"), "0 and 1"),
        (extension(1, b"\x0b\0" + bytes(6)), "head"),
        (extension(1, b"\1\5" + bytes(46)), "head"),
        (extension(1, b"\1\0" + bytes(5) + b"\1x"), "head"),
        (extension(1, b"\1\1" + bytes(6) + b"\2" + bytes(7)), "has 0 bytes"),
        (extension(1, b"\1\1" + bytes(6) + b"\2"), "within its shape"),
        (extension(1, b"\1\1" + bytes(11) + b"\2" + bytes(2)), "along a dimension"),
        (
            extension(1, b"\1\3" + bytes(6) + bytes(8) + (bytes(4) + b"\1" + bytes(3)) * 2),
            "too big",
        ),
    ],
)
def test_what_the_format_does_not_have_is_refused(frame: bytes, reason: str) -> None:
    with pytest.raises(MessageInvalid, match=reason):
        decode(frame)


@pytest.mark.parametrize(
    "value",
    [
        object(),
        1j,
        {1: 2},
        {"": 1},
        {"k" * 129: 1},
        {1, 2},
        "\ud800",
        pytest.param(1 << INTEGER_BITS_MAX, id="too big"),
        np.array(["text"]),
        np.array([object()]),
        np.zeros((1, 1, 1, 1, 1)),
        np.zeros(2, dtype=np.complex128),
    ],
)
def test_what_no_message_may_hold_is_refused_before_it_is_sent(value: object) -> None:
    with pytest.raises(MessageUnsendable):
        encode(Message("a/b", {"value": value}))  # type: ignore[dict-item]


@pytest.mark.parametrize("kind", ["", "A", "a b", "k" * 65, "ä"])
def test_a_kind_is_short_plain_text(kind: str) -> None:
    with pytest.raises(MessageUnsendable, match="kind"):
        encode(Message(kind))


def nested(depth: int) -> list[object]:
    value: list[object] = []
    for _ in range(depth - 1):
        value = [value]
    return value


def test_containers_stand_in_each_other_only_so_deep() -> None:
    deepest = Message("a", {"x": nested(DEPTH_MAX - 1)})  # type: ignore[dict-item]
    assert same(decode(encode(deepest)).body, deepest.body)
    with pytest.raises(MessageUnsendable):
        encode(Message("a", {"x": nested(DEPTH_MAX)}))  # type: ignore[dict-item]
    with pytest.raises(MessageInvalid):
        decode(body(b"\x81\xa1a" + b"\x91" * (DEPTH_MAX - 1) + b"\x90"))


def test_numbers_and_sequences_of_numpy_and_python_come_back_plain() -> None:
    sent = {"i": np.int64(-5), "f": np.float64(0.5), "b": np.bool_(True), "t": (1, 2)}
    got = decode(encode(Message("a", sent)))  # type: ignore[arg-type]
    assert same(got.body, {"i": -5, "f": 0.5, "b": True, "t": [1, 2]})


def test_an_array_arrives_little_endian_contiguous_aligned_and_read_only() -> None:
    sent = np.arange(12, dtype=">f8").reshape(3, 4).T
    got = decode(encode(Message("a", {"pad": "x" * 3, "x": sent}))).body["x"]
    assert isinstance(got, np.ndarray)
    assert got.dtype == np.dtype("<f8")
    assert got.flags.c_contiguous
    assert got.flags.aligned
    assert not got.flags.writeable
    assert np.array_equal(got, sent)
