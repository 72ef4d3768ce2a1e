"""The payload of a public batch: strict both ways, bounded, and never a surprise."""

from __future__ import annotations

import contextlib
import hashlib
import json
import tracemalloc
import zlib
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contracts.provenance import (
    COUNT_MAX,
    PayloadError,
    decode_payload,
    encode_canonical_payload,
    encode_payload,
)
from contracts.provenance.payload import JSON_BYTES_MAX, RATIO_FREE_BYTES, RATIO_MAX
from ledger.canonical import DEPTH_MAX, canonical_json


def is_interoperable(number: float) -> bool:
    """Whether JCS writes it as something that I-JSON (RFC 7493) lets everybody read."""
    return abs(number) < 2**53


JSON: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False).filter(is_interoperable)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=6), inner)
    ),
    max_leaves=6,
)
EVENTS = st.lists(
    st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=6), JSON),
    min_size=1,
    max_size=4,
)


def packed(array: bytes, level: int = 6) -> bytes:
    return b"\x01" + zlib.compress(array, level)


@pytest.mark.feature("T1")
@settings(max_examples=40)
@given(EVENTS)
def test_events_read_back_as_written(events: list[dict[str, Any]]) -> None:
    payload = encode_payload(events)
    assert canonical_json(list(decode_payload(payload))) == canonical_json(events)
    assert payload == encode_canonical_payload([canonical_json(event) for event in events])
    assert payload[0] == 1
    assert zlib.decompress(payload[1:]) == canonical_json(events)


@given(st.binary(max_size=400))
@example(b"")
@example(b"\x01")
@example(b"\x02" + zlib.compress(b"[{}]"))
def test_any_bytes_are_read_or_refused_in_words(data: bytes) -> None:
    for payload in (data, b"\x01" + data, packed(data)):
        with contextlib.suppress(PayloadError):
            decode_payload(payload)


@settings(max_examples=40)
@given(EVENTS, st.data())
def test_one_wrong_byte_never_reads_as_something_else(
    events: list[dict[str, Any]], data: st.DataObject
) -> None:
    """zlib's check value guards the content; only its level hint and padding bits are free."""
    payload = bytearray(encode_payload(events))
    spot = data.draw(st.integers(0, len(payload) - 1))
    payload[spot] ^= data.draw(st.integers(1, 255))
    try:
        read = decode_payload(bytes(payload))
    except PayloadError:
        return
    assert canonical_json(list(read)) == canonical_json(events)


@settings(max_examples=40)
@given(EVENTS, st.integers(1, 60))
def test_a_cut_payload_is_refused(events: list[dict[str, Any]], cut: int) -> None:
    payload = encode_payload(events)
    with pytest.raises(PayloadError):
        decode_payload(payload[: max(0, len(payload) - cut)])


@pytest.mark.feature("T1")
@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "empty"),
        (b"\x00" + zlib.compress(b"[{}]"), "unknown format byte 0x00"),
        (b"\x01", "cut short"),
        (b"\x01[{}]", "no zlib stream"),
        (packed(b"[{}]") + b"\0", "1 bytes behind the zlib stream"),
        (packed(b"[{}]") + zlib.compress(b"[{}]"), "behind the zlib stream"),
        (packed(b"[{}]")[:-1], "cut short"),
        (packed(b"[{}]")[:-1] + b"\0", "no zlib stream"),
        (packed(b""), "payload"),
        (packed(b"[]"), "0 events"),
        (packed(b"{}"), "array of objects"),
        (packed(b"[1]"), "array of objects"),
        (packed(b"[[]]"), "array of objects"),
        (packed(b"[{}] "), "canonical form"),
        (packed(b'[{"b":1,"a":2}]'), "canonical form"),
        (packed(b'[{"a":1.0}]'), "canonical form"),
        (packed(b'[{"a":1,"a":1}]'), "payload"),
        (packed(b'[{"a":NaN}]'), "payload"),
        (packed(b'[{"a":9007199254740993}]'), "payload"),
        (packed(b"\xff\xfe"), "payload"),
        (packed(b"[" * 100_000), "payload"),
        (packed(b"[{" + b'"a":{' * 300 + b"}" * 301 + b"]"), "payload"),
        (packed(b"[" + b",".join([b"{}"] * (COUNT_MAX + 1)) + b"]", 9), "10001 events"),
    ],
)
def test_what_is_refused(payload: bytes, reason: str) -> None:
    with pytest.raises(PayloadError, match=reason):
        decode_payload(payload)


def test_raw_deflate_gzip_and_dictionaries_are_refused() -> None:
    for window in (-15, 31):
        maker = zlib.compressobj(wbits=window)
        with pytest.raises(PayloadError, match="no zlib stream"):
            decode_payload(b"\x01" + maker.compress(b"[{}]") + maker.flush())
    maker = zlib.compressobj(zdict=b"[{}]")
    with pytest.raises(PayloadError):
        decode_payload(b"\x01" + maker.compress(b"[{}]") + maker.flush())


@pytest.mark.feature("T1")
def test_a_bomb_is_refused_without_the_memory_it_asks_for() -> None:
    bomb = packed(b"[" + b" " * (1 << 28) + b"{}]", 9)
    assert len(bomb) < 1 << 20
    tracemalloc.start()
    try:
        with pytest.raises(PayloadError, match=f"more than {JSON_BYTES_MAX}"):
            decode_payload(bomb)
        assert tracemalloc.get_traced_memory()[1] < 3 * JSON_BYTES_MAX
    finally:
        tracemalloc.stop()


def test_a_small_payload_may_not_grow_without_bound() -> None:
    small = packed(json.dumps([{"a": "x" * 10_000_000}]).replace(" ", "").encode(), 9)
    bound = max(RATIO_FREE_BYTES, RATIO_MAX * len(small))
    with pytest.raises(PayloadError, match=f"inflates to more than {bound} bytes"):
        decode_payload(small)


def nested(depth: int) -> dict[str, Any]:
    event: dict[str, Any] = {}
    for _ in range(depth - 1):
        event = {"a": event}
    return event


@pytest.mark.feature("T1")
def test_bounds_are_the_same_both_ways() -> None:
    for events in (
        [nested(DEPTH_MAX - 1)],
        [{"n": i} for i in range(COUNT_MAX)],
        [{"a": "x" * (RATIO_FREE_BYTES - 10)}],
        [{"a": hashlib.sha512(bytes([i])).hexdigest() * 400} for i in range(250)],
    ):
        assert decode_payload(encode_payload(events)) == tuple(events)
    with pytest.raises(PayloadError, match="payload"):
        encode_payload([nested(DEPTH_MAX)])


def test_what_may_not_be_encoded_is_refused_at_once() -> None:
    for events in (
        [],
        [{}] * (COUNT_MAX + 1),
        [{"a": float("nan")}],
        [{"a": 2**60}],
        [{"a": 2.0**53}],
        [{"a": {"b": [1, -1e20]}}],
        [{"a": 1e21}],
        [{"a": [-1.5e300]}],
        [{"a": "x" * 10_000_000}],
        [{"a": "".join(map(chr, range(32, 30_000)))} for _ in range(250)],
    ):
        with pytest.raises(PayloadError):
            encode_payload(events)


def test_long_numbers_inside_texts_are_not_taken_for_numbers() -> None:
    events = [{"sscc": "106141412345678908", "list": "a,10614141234567890800,b"}]
    assert decode_payload(encode_payload(events)) == tuple(events)
