"""RFC 8785 canonical JSON (JCS), and strict, bounded JSON parsing."""

from __future__ import annotations

import json
import math
import re
from array import array
from collections.abc import Sequence
from itertools import accumulate
from typing import NoReturn

import orjson
import rfc8785

from ledger.errors import LedgerError
from ledger.json_place import INTEGER_MAX, Place, find_refusal, integer_is_safe, position

DEPTH_MAX = 200
"""Deepest nesting of objects and arrays that may be parsed or written."""
SIZE_BYTES_MAX_DEFAULT = 8 * 1024 * 1024
PARSE_DEPTH_MAX_DEFAULT = 64


class CanonicalError(LedgerError):
    """The value has no canonical JSON form."""


class JsonError(LedgerError):
    """The bytes are not acceptable JSON.

    `place` is a JSON pointer (RFC 6901; "document" for the whole) with line and column where
    they are known; `reason` says what is wrong there.
    """

    def __init__(self, place: Place, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = str(place)
        self.reason = reason
        self.pointer = place.pointer
        self.line = place.line
        self.column = place.column


class _Unusual(Exception):
    """The fast path cannot promise the same bytes as the reference."""


def canonical_json(value: object) -> bytes:
    """The RFC 8785 bytes of a value made of dict, list, tuple, str, int, float, bool and None.

    Raises `CanonicalError` for integers beyond 2**53-1, NaN and infinities, lone surrogates,
    keys that are not strings, other types, and nesting deeper than `DEPTH_MAX`.
    """
    try:
        text = orjson.dumps(_prepared(value, 0), option=orjson.OPT_SORT_KEYS)
    except (_Unusual, orjson.JSONEncodeError):
        return _reference(value)
    # orjson sorts names by code point, JCS by UTF-16 code unit. The two orders differ only
    # where a character beyond the basic plane (UTF-8 lead bytes F0 to F4) takes part.
    if not text.isascii() and _ASTRAL.search(text):
        return _reference(value)
    return text


_ASTRAL = re.compile(rb"[\xf0-\xf4]")
_PLAIN_FLOAT_MIN = 1e-4


def _prepared(value: object, depth: int) -> object:
    """`value` in a shape that orjson writes as JCS does; the same object where it is already.

    JCS writes 5.0 as `5` and turns to exponents at other magnitudes than orjson: integral
    floats become integers, floats of extreme magnitude are left to the reference.
    """
    if type(value) is str or value is None or type(value) is bool:
        return value
    if type(value) is int:
        if not -INTEGER_MAX <= value <= INTEGER_MAX:
            raise CanonicalError(f"the integer {_shown(value)} is beyond 2**53-1")
        return value
    if type(value) is float:
        return _prepared_float(value)
    if depth >= DEPTH_MAX:
        raise CanonicalError(f"nested deeper than {DEPTH_MAX} levels")
    if type(value) is dict:
        return _prepared_dict(value, depth + 1)
    if type(value) is list or type(value) is tuple:
        return _prepared_items(value, depth + 1)
    raise _Unusual


def _prepared_float(value: float) -> float | int:
    magnitude = abs(value)
    if magnitude > INTEGER_MAX or not math.isfinite(value):
        raise _Unusual
    if value.is_integer():
        return int(value)
    if magnitude < _PLAIN_FLOAT_MIN:
        raise _Unusual
    return value


def _prepared_dict(value: dict[object, object], depth: int) -> dict[object, object]:
    changed: dict[object, object] | None = None
    for name, item in value.items():
        if type(name) is not str:
            raise _Unusual
        if type(item) is str:
            continue
        prepared = _prepared(item, depth)
        if prepared is not item:
            changed = dict(value) if changed is None else changed
            changed[name] = prepared
    return value if changed is None else changed


def _prepared_items(value: Sequence[object], depth: int) -> Sequence[object]:
    changed: list[object] | None = None
    for index, item in enumerate(value):
        if type(item) is str:
            continue
        prepared = _prepared(item, depth)
        if prepared is not item:
            changed = list(value) if changed is None else changed
            changed[index] = prepared
    return value if changed is None else changed


def _reference(value: object) -> bytes:
    """What the reference implementation writes, slowly."""
    _refuse_depth(value, 0)
    try:
        return rfc8785.dumps(value)  # type: ignore[arg-type]  # it checks types itself
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise CanonicalError(_reason(error)) from error


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeEncodeError):
        return "a name has half of a surrogate pair"
    return str(error)[:200]


def _refuse_depth(value: object, depth: int) -> None:
    if not isinstance(value, dict | list | tuple):
        return
    if depth >= DEPTH_MAX:
        raise CanonicalError(f"nested deeper than {DEPTH_MAX} levels")
    for item in value.values() if isinstance(value, dict) else value:
        _refuse_depth(item, depth + 1)


def _shown(value: int) -> str:
    return str(value) if value.bit_length() < 128 else f"of {value.bit_length()} bits"


def parse_json(
    data: bytes,
    *,
    size_bytes_max: int = SIZE_BYTES_MAX_DEFAULT,
    depth_max: int = PARSE_DEPTH_MAX_DEFAULT,
) -> object:
    """The value of one UTF-8 JSON text (RFC 8259), as dict, list, str, int, float, bool, None.

    Whatever it returns, `canonical_json` can write, and those bytes parse again. Raises
    `JsonError` for anything larger or deeper than allowed, bad UTF-8, a byte order mark, a name
    that occurs twice in one object, NaN and infinities, numbers beyond 2**53-1 and half
    surrogate pairs.
    Requires `depth_max` <= `DEPTH_MAX`.
    """
    assert depth_max <= DEPTH_MAX, "depth_max beyond what canonical_json can write"
    if len(data) > size_bytes_max:
        raise JsonError(Place(""), f"{len(data)} bytes, at most {size_bytes_max} are allowed")
    text = _decode_utf8(data)
    if _depth(data) > depth_max:
        _refuse(text, depth_max)
    try:
        value: object = _DECODER.decode(text)
    except (ValueError, RecursionError):
        _refuse(text, depth_max)
    if _SURROGATE_ESCAPE.search(data) and find_refusal(text, depth_max) is not None:
        _refuse(text, depth_max)
    return value


_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")


def _decode_utf8(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
        line, column = position(before, len(before))
        raise JsonError(Place("", line, column), f"not UTF-8: {error.reason}") from None


def _refuse(text: str, depth_max: int) -> NoReturn:
    refusal = find_refusal(text, depth_max)
    if refusal is None:  # pragma: no cover - the two parsers agree, tests show it
        raise JsonError(Place(""), "not acceptable JSON")
    raise JsonError(refusal.place, refusal.reason)


_OUTSIDE_BRACKETS = bytes(sorted(set(range(256)) - set(b'"[]{}')))
_STEPS = bytes(1 if c in b"[{" else 255 if c in b"]}" else 0 for c in range(256))


def _depth(data: bytes) -> int:
    """Deepest nesting of brackets outside strings; exact for well-formed JSON.

    All steps run in C: drop escapes, keep only quotes and brackets, drop what stands between
    quotes, then the running sum of +1 and -1.
    """
    if data.count(b"[") + data.count(b"{") <= 1:
        return data.count(b"[") + data.count(b"{")
    if b"\\" in data:
        data = _ESCAPED.sub(b"", data)
    brackets = b"".join(data.translate(None, _OUTSIDE_BRACKETS).split(b'"')[::2])
    return max(accumulate(array("b", brackets.translate(_STEPS))), default=0)


_ESCAPED = re.compile(rb"\\.", re.DOTALL)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name occurs twice")
    return value


def _integer(digits: str) -> int:
    if not integer_is_safe(digits):
        raise ValueError("integer too large")
    return int(digits)


def _float(digits: str) -> float:
    # JCS writes 1e20 as an integer, so a large number must be refused in every spelling, or
    # canonical bytes would not parse again.
    value = float(digits)
    if abs(value) > INTEGER_MAX:
        raise ValueError("number too large")
    return value


def _constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant
)
