"""Canonical JSON writes what RFC 8785 says; parsing takes one strict dialect and says where not."""

from __future__ import annotations

import json
import math
import struct
import time
from contextlib import suppress
from enum import IntEnum
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.canonical import (
    DEPTH_MAX,
    CanonicalError,
    JsonError,
    canonical_json,
    parse_json,
)
from ledger.json_place import find_refusal

SAFE = 2**53 - 1
texts = st.text(max_size=20)
awkward_texts = st.text(
    alphabet=st.sampled_from('aB"\\/\n\t\x00\x1f\x7f\u2028é中\ud7ff\ue000\uffff🫐𐀀'), max_size=6
)
floats = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(min_value=-(2**60), max_value=2**60).map(float),
    st.decimals(min_value=-1000, max_value=1000, places=6).map(float),
    st.floats(min_value=1e-8, max_value=1e-3),
    st.floats(min_value=1e14, max_value=1e23),
)


def _values(numbers: st.SearchStrategy[float]) -> st.SearchStrategy[Any]:
    return st.recursive(
        st.one_of(
            st.none(), st.booleans(), st.integers(-SAFE, SAFE), numbers, texts, awkward_texts
        ),
        lambda inner: st.one_of(
            st.lists(inner, max_size=5), st.dictionaries(texts | awkward_texts, inner, max_size=5)
        ),
        max_leaves=30,
    )


values = _values(floats)
parsed_values = _values(floats.filter(lambda number: abs(number) <= SAFE))


class TestCanonicalJson:
    @given(values)
    @example({"\ue000": 1, "🫐": 2, "a": 3})
    @example({"\uffff": 1, "𐀀": 2})
    @example([5.0, -0.0, 1e-7, 1e21, 1e16, 123456789012345680.0, 0.0001, 0.00001])
    def test_equals_the_reference_implementation(self, value: Any) -> None:
        assert canonical_json(value) == rfc8785.dumps(value)

    @given(st.binary(min_size=8, max_size=8))
    def test_equals_the_reference_for_every_bit_pattern_of_a_float(self, bits: bytes) -> None:
        (value,) = struct.unpack(">d", bits)
        if math.isfinite(value):
            assert canonical_json([value]) == rfc8785.dumps([value])

    def test_equals_the_reference_for_every_character(self) -> None:
        for start in range(0, 0x110000, 0x1000):
            text = "".join(map(chr, range(start, start + 0x1000)))
            text = text.encode("utf-16", "ignore").decode("utf-16")
            assert canonical_json({text: text}) == rfc8785.dumps({text: text})

    def test_writes_the_numbers_of_rfc_8785_appendix_b(self) -> None:
        samples = {
            "0000000000000000": "0",
            "8000000000000000": "0",
            "0000000000000001": "5e-324",
            "8000000000000001": "-5e-324",
            "7fefffffffffffff": "1.7976931348623157e+308",
            "ffefffffffffffff": "-1.7976931348623157e+308",
            "4340000000000000": "9007199254740992",
            "c340000000000000": "-9007199254740992",
            "4430000000000000": "295147905179352830000",
            "44b52d02c7e14af5": "9.999999999999997e+22",
            "44b52d02c7e14af6": "1e+23",
            "44b52d02c7e14af7": "1.0000000000000001e+23",
            "444b1ae4d6e2ef4e": "999999999999999700000",
            "444b1ae4d6e2ef4f": "999999999999999900000",
            "444b1ae4d6e2ef50": "1e+21",
            "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
            "3eb0c6f7a0b5ed8d": "0.000001",
            "41b3de4355555553": "333333333.3333332",
            "41b3de4355555554": "333333333.33333325",
            "41b3de4355555555": "333333333.3333333",
            "41b3de4355555556": "333333333.3333334",
            "41b3de4355555557": "333333333.33333343",
            "becbf647612f3696": "-0.0000033333333333333333",
            "43143ff3c1cb0959": "1424953923781206.2",
        }
        for bits, expected in samples.items():
            (value,) = struct.unpack(">d", bytes.fromhex(bits))
            assert canonical_json(value) == expected.encode(), bits

    def test_writes_the_example_of_rfc_8785_section_3_2(self) -> None:
        value = {
            "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 1e-27],
            "string": '€$\u000f\nA\'B"\\\\"/',
            "literals": [None, True, False],
        }
        assert canonical_json(value).hex() == (
            "7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c226e756d62657273223a"
            "5b3333333333333333332e333333333333332c31652b33302c342e352c302e3030322c31652d3237"
            "5d2c22737472696e67223a22e282ac245c75303030665c6e4127425c225c5c5c5c5c222f227d"
        )

    def test_sorts_names_by_utf_16_code_units(self) -> None:
        names = ["€", "\r", "\ufb33", "1", "😀", "\u0080", "ö"]
        parsed = json.loads(canonical_json(dict.fromkeys(names, 0)))
        assert list(parsed) == ["\r", "1", "\u0080", "ö", "€", "😀", "\ufb33"]

    @pytest.mark.parametrize(
        "value",
        [
            SAFE + 1,
            -SAFE - 1,
            10**400,
            math.nan,
            math.inf,
            -math.inf,
            "\ud800",
            {"\udfff": 1},
            {"🫐": "\ud800"},
            {1: "x"},
            {None: 1},
            {b"x": 1},
            b"bytes",
            {1, 2},
            object(),
        ],
    )
    def test_refuses_what_has_no_canonical_form(self, value: Any) -> None:
        with pytest.raises(CanonicalError):
            canonical_json(value)
        with pytest.raises(CanonicalError):
            canonical_json({"a": [value]})

    def test_bounds_the_depth_on_both_ways(self) -> None:
        def nested(levels: int, inner: Any) -> Any:
            return inner if levels == 0 else [nested(levels - 1, inner)]

        assert canonical_json(nested(DEPTH_MAX, 1)) == b"[" * DEPTH_MAX + b"1" + b"]" * DEPTH_MAX
        for inner in (1, 1e300):
            with pytest.raises(CanonicalError, match="nested"):
                canonical_json(nested(DEPTH_MAX + 1, inner))
        endless: list[Any] = []
        endless.append(endless)
        with pytest.raises(CanonicalError, match="nested"):
            canonical_json([1e300, endless])

    def test_subclasses_are_written_as_what_they_are(self) -> None:
        class Level(IntEnum):
            HIGH = 3

        class Text(str):
            __slots__ = ()

        assert canonical_json({"a": Level.HIGH, Text("b"): Text("c"), "t": (1, 2.0)}) == (
            b'{"a":3,"b":"c","t":[1,2]}'
        )

    def test_leaves_the_value_as_it_was(self) -> None:
        value = {"a": [1.0, {"b": 2.0}], "c": 3.0}
        canonical_json(value)
        assert json.dumps(value) == '{"a": [1.0, {"b": 2.0}], "c": 3.0}'


class TestParseJson:
    @given(parsed_values, st.sampled_from([None, 1]), st.booleans())
    def test_takes_whatever_is_json(self, value: Any, indent: int | None, ascii_only: bool) -> None:
        text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
        parsed = parse_json(text.encode())
        assert json.dumps(parsed) == json.dumps(value)
        assert parse_json(canonical_json(parsed)) == parsed

    @given(parsed_values, st.data())
    def test_agrees_with_the_slow_parser_on_damaged_texts(self, value: Any, data: Any) -> None:
        text = json.dumps(value, ensure_ascii=False)
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 3)))
        insert = data.draw(st.text(alphabet='{}[],:"\\u019dDaefE-+.tNn \n\x00é', max_size=4))
        damaged = text[:start] + insert + text[end:]
        refusal = find_refusal(damaged, 8)
        if refusal is None:
            canonical_json(parse_json(damaged.encode(), depth_max=8))
            return
        with pytest.raises(JsonError) as caught:
            parse_json(damaged.encode(), depth_max=8)
        assert caught.value.reason == refusal.reason
        assert caught.value.place == str(refusal.place)

    @given(st.binary(max_size=40))
    def test_any_bytes_give_a_value_or_a_json_error(self, data: bytes) -> None:
        with suppress(JsonError):
            canonical_json(parse_json(data))

    @pytest.mark.parametrize(
        ("text", "pointer", "line", "column", "reason"),
        [
            ('{"a":1,"b":{"c":2,"c":3}}', "/b/c", 1, 19, "occurs twice"),
            ('{"a":1,\n "\\u0061":2}', "/a", 2, 2, "occurs twice"),
            ("[1,\n2,\n]", "/2", 3, 1, "expected a value"),
            ('{"a":[1,NaN]}', "/a/1", 1, 9, "NaN"),
            ("[Infinity]", "/0", 1, 2, "Infinity"),
            ("[-Infinity]", "/0", 1, 2, "-Infinity"),
            ("[1e999]", "/0", 1, 2, "beyond 2**53-1"),
            ("[-9007199254740992.0]", "/0", 1, 2, "beyond 2**53-1"),
            ("[1e16]", "/0", 1, 2, "beyond 2**53-1"),
            ("[9007199254740992]", "/0", 1, 2, "beyond 2**53-1"),
            ('{"x/y~":[-9007199254740992]}', "/x~1y~0/0", 1, 10, "beyond 2**53-1"),
            ("[" + "9" * 10_000 + "]", "/0", 1, 2, "beyond 2**53-1"),
            ('["\\ud800"]', "/0", 1, 2, "surrogate"),
            ('{"\\udfff":1}', "", 1, 2, "surrogate"),
            ('["\\udc00\\ud800"]', "/0", 1, 2, "surrogate"),
            ('["a\tb"]', "/0", 1, 4, "control character"),
            ('["a\\x"]', "/0", 1, 4, "escape"),
            ('["abc', "/0", 1, 2, "no end"),
            ('{"a" 1}', "/a", 1, 6, "':'"),
            ("{a:1}", "", 1, 2, "quoted name"),
            ('{"a":1,}', "", 1, 8, "quoted name"),
            ("[1 2]", "/0", 1, 4, "','"),
            ("[1}", "/0", 1, 3, "','"),
            ("{} {}", "", 1, 4, "after the end"),
            ("", "", 1, 1, "end of text"),
            ("  ", "", 1, 3, "end of text"),
            ("[01]", "/0", 1, 3, "','"),
            ("[+1]", "/0", 1, 2, "expected a value"),
            ("[.5]", "/0", 1, 2, "expected a value"),
            ("\ufeff{}", "", 1, 1, "byte order mark"),
            ("[[[[[1]]]]]", "/0/0/0/0", 1, 5, "deeper than 4"),
            ('{"a":{"b":{"c":{"d":{}}}}}', "/a/b/c/d", 1, 21, "deeper than 4"),
            ('["]",{"[":["\\"[[[[[",[[[1]]]]}]', "/1/[/1/0", 1, 23, "deeper than 4"),
        ],
    )
    def test_says_where_and_why(
        self, text: str, pointer: str, line: int, column: int, reason: str
    ) -> None:
        with pytest.raises(JsonError, match=reason.replace("*", r"\*")) as caught:
            parse_json(text.encode(), depth_max=4)
        assert (caught.value.pointer, caught.value.line, caught.value.column) == (
            pointer,
            line,
            column,
        )

    def test_depth_counts_brackets_outside_strings_only(self) -> None:
        text = b'{"[[[[[[":"{{{{{{{","b":["\\"[[[[","\\\\",[{"c":"]]"}]]}'
        assert parse_json(text, depth_max=4) == json.loads(text)
        with pytest.raises(JsonError, match="deeper"):
            parse_json(text, depth_max=3)

    def test_paired_surrogates_are_one_character(self) -> None:
        assert parse_json(b'["\\ud83e\\uded0"]') == ["🫐"]
        assert parse_json(b'["\\\\ud800"]') == ["\\ud800"]

    def test_bad_utf_8_is_placed(self) -> None:
        with pytest.raises(JsonError, match="not UTF-8") as caught:
            parse_json('["é",\n"'.encode() + b'\xff"]')
        assert (caught.value.line, caught.value.column) == (2, 2)

    def test_size_is_bounded(self) -> None:
        assert parse_json(b"[1]", size_bytes_max=3) == [1]
        with pytest.raises(JsonError, match="at most 2"):
            parse_json(b"[1]", size_bytes_max=2)

    @pytest.mark.parametrize(
        "bomb",
        [
            b"[" * 200_000,
            b'{"a":' * 100_000,
            b'["' + b"\\" * 200_000,
            b'\\"' * 100_000 + b"[" * 100_000,
            b"[" + b"[]," * 200_000,
            b"1" * 400_000,
            b"[" + b"-" * 400_000,
            b'"' + b"a" * 400_000,
        ],
    )
    def test_hostile_texts_are_refused_quickly(self, bomb: bytes) -> None:
        start = time.perf_counter()
        with pytest.raises(JsonError):
            parse_json(bomb)
        assert time.perf_counter() - start < 3
