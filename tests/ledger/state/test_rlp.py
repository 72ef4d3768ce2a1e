"""Strict RLP against the reference library."""

from __future__ import annotations

import pytest
import rlp
from hypothesis import given
from hypothesis import strategies as st

from ledger.state import RlpMalformed
from ledger.state.rlp import (
    DEPTH_MAX,
    Item,
    as_bytes,
    as_list,
    as_uint,
    decode,
    decode_list,
    encode,
)

pytestmark = pytest.mark.feature("L1")

items = st.recursive(
    st.one_of(st.binary(max_size=70), st.binary(min_size=250, max_size=300)),
    lambda inner: st.lists(inner, max_size=5),
    max_leaves=20,
)


@given(item=items)
def test_encoding_is_that_of_the_reference_and_round_trips(item: Item) -> None:
    assert encode(item) == rlp.encode(item)
    assert decode(encode(item)) == item


@given(data=st.binary(max_size=80))
def test_only_the_one_canonical_encoding_is_accepted(data: bytes) -> None:
    try:
        item = decode(data)
    except RlpMalformed:
        return
    assert encode(item) == data


@pytest.mark.parametrize(
    "data",
    [
        "",
        "8100",  # one byte below 0x80, not in its shortest form
        "817f",
        "b801ff",  # long form for a short string
        "b90001ff",  # length with a leading zero
        "83aabb",  # cut off
        "c3aabb",
        "0000",  # something follows
        "f800",
        "bfffffffffffffffff",
    ],
)
def test_malformed_encodings_are_refused(data: str) -> None:
    with pytest.raises(RlpMalformed):
        decode(bytes.fromhex(data))


def test_nesting_is_bounded() -> None:
    item: Item = []
    for _ in range(DEPTH_MAX + 2):
        item = [item]
    with pytest.raises(RlpMalformed, match="nested"):
        decode(encode(item))


def test_fields_of_the_wrong_kind_are_named() -> None:
    with pytest.raises(RlpMalformed, match="nonce: expected a string"):
        as_uint([], "nonce")
    with pytest.raises(RlpMalformed, match="nonce: integer with a leading zero"):
        as_uint(b"\0\1", "nonce")
    with pytest.raises(RlpMalformed, match="nonce: longer than 8"):
        as_uint(b"\1" * 9, "nonce", 8)
    with pytest.raises(RlpMalformed, match="to: expected 20 bytes, found 3"):
        as_bytes(b"abc", "to", 20)
    with pytest.raises(RlpMalformed, match="logs: expected a list"):
        as_list(b"", "logs")
    with pytest.raises(RlpMalformed, match="list of 3 items, found 1"):
        decode_list(b"\xc1\x01", fields=3)


def test_negative_numbers_have_no_encoding() -> None:
    with pytest.raises(ValueError, match="negative"):
        encode(-1)
