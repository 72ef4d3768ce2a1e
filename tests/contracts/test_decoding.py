"""Our reader of ABI data against eth-abi: the same values, or none."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import decode, encode
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.abi import readable_text
from contracts.decoding import decoded
from contracts.events import LogDecoder
from contracts.receipts.genesis import RECEIPTS_ARTIFACT
from ledger.types import Address, Hash32, Log

pytestmark = pytest.mark.feature("L5")

WORDS: dict[str, st.SearchStrategy[Any]] = {
    "bool": st.booleans(),
    "address": st.binary(min_size=20, max_size=20).map(lambda data: f"0x{data.hex()}"),
    "bytes32": st.binary(min_size=32, max_size=32),
    "bytes3": st.binary(min_size=3, max_size=3),
    "uint8": st.integers(0, 255),
    "uint256": st.integers(0, (1 << 256) - 1),
    "int16": st.integers(-(1 << 15), (1 << 15) - 1),
    "int256": st.integers(-(1 << 255), (1 << 255) - 1),
}
OTHERS: dict[str, st.SearchStrategy[Any]] = {
    "bytes": st.binary(max_size=70),
    # eth-abi itself would refuse what is no UTF-8: as in `contracts.abi` it is asked for bytes.
    "string": st.binary(max_size=70),
    "uint8[]": st.lists(st.integers(0, 255), max_size=4).map(tuple),
    "(uint64,bytes3)[]": st.lists(
        st.tuples(st.integers(0, 9), st.binary(min_size=3, max_size=3)), max_size=3
    ).map(tuple),
    "string[]": st.lists(st.just(b"left to eth-abi"), max_size=2).map(tuple),
    "uint16[2]": st.tuples(st.integers(0, 9), st.integers(0, 9)),
}
Typed = tuple[str, Any]


def one(kinds: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Typed]:
    return st.sampled_from(sorted(kinds)).flatmap(lambda name: kinds[name].map(lambda v: (name, v)))


def in_tuple(parts: list[Typed]) -> Typed:
    return f"({','.join(name for name, _ in parts)})", tuple(value for _, value in parts)


SINGLE = st.one_of(one(WORDS), one(WORDS), one(OTHERS))
VALUES = st.lists(
    st.recursive(SINGLE, lambda inner: st.lists(inner, min_size=1, max_size=4).map(in_tuple)),
    max_size=6,
)


def by_eth_abi(types: list[str], data: bytes) -> tuple[Any, ...]:
    plain = [name.replace("string", "bytes") for name in types]
    return tuple(decode(plain, data, strict=False))


def as_it_is(data: bytes) -> Any:
    return data


@settings(max_examples=60)
@given(VALUES, st.binary(max_size=40))
def test_what_was_encoded_is_read_as_eth_abi_reads_it(values: list[Typed], behind: bytes) -> None:
    types = [name for name, _ in values]
    plain = [name.replace("string", "bytes") for name in types]
    data = encode(plain, [value for _, value in values]) + behind
    found = decoded(tuple(types), data, as_it_is)
    assert found == by_eth_abi(types, data) or (
        found is None and any(text in str(types) for text in ("string[]", "[2]"))
    )


@settings(max_examples=100)
@given(VALUES, st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=3), st.data())
def test_what_is_read_out_of_damaged_data_eth_abi_reads_too(
    values: list[Typed], changes: list[tuple[int, int]], cut: st.DataObject
) -> None:
    types = [name for name, _ in values]
    plain = [name.replace("string", "bytes") for name in types]
    data = bytearray(encode(plain, [value for _, value in values]))
    for place, byte in changes:
        if place < len(data):
            data[place] = byte
    damaged = bytes(data[: cut.draw(st.integers(0, len(data)))])
    found = decoded(tuple(types), damaged, as_it_is)
    if found is not None:
        assert found == by_eth_abi(types, damaged)


def test_a_string_is_text_for_people_and_databases() -> None:
    data = encode(["(bytes,uint8)"], [(b"gr\xc3\xbcn\xff\0", 7)])
    assert decoded(("(string,uint8)",), data, readable_text) == (("grün\ufffd\ufffd", 7),)


@pytest.mark.parametrize(
    "damaged",
    [
        bytes(31) + b"\x40" + bytes(32),  # a pointer beyond the end
        bytes(32) + bytes(64),  # into the head
        bytes(31) + b"\x20" + bytes(31) + b"\x05" + b"abc",  # fewer bytes than told
        bytes(31) + b"\x20" + bytes(31) + b"\x03" + b"abc",  # the last word is not filled up
    ],
)
def test_out_of_the_ordinary_is_left_to_eth_abi(damaged: bytes) -> None:
    assert decoded(("string",), damaged, readable_text) is None


def test_the_same_log_is_decoded_once() -> None:
    calls: list[object] = []

    def build(values: Any) -> object:
        calls.append(values)
        return object()

    decoder = LogDecoder[object](RECEIPTS_ARTIFACT, TermsPublished=build)
    topic = next(iter(decoder._events))
    data = encode(["bytes"], [b"payload"])
    log = Log(Address(b"\x01" * 20), (topic, Hash32(b"\x02" * 32), Hash32(b"\x03" * 32)), data)
    alike = Log(log.address, log.topics, bytes(bytearray(data)))
    assert decoder.decode(log) is decoder.decode(alike)
    assert len(calls) == 1
    large = Log(log.address, log.topics, encode(["bytes"], [bytes(5_000)]))
    assert decoder.decode(large) is not decoder.decode(large)
