"""What pydantic finds wrong in a body or a parameter, in our words: what is meant instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from api.errors import ProblemPart

_PATTERNS: Final = {
    "^0x[0-9a-f]{64}$": "0x and 64 hexadecimal digits in lower case are meant",
    "^0x[0-9a-f]{130}$": "0x and 130 hexadecimal digits in lower case are meant",
    "^[0-9a-f]{40}$": "40 hexadecimal digits in lower case are meant",
    "^[a-z0-9-]{1,32}$": "an organisation is meant: 1 to 32 of a-z, 0-9 and hyphens",
    "^[A-Z]{3}$": "a currency is meant: three capital letters (ISO 4217)",
    "^[!-~]{1,32}$": "1 to 32 printable ASCII characters without spaces are meant",
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}$": "a date is meant, as 2026-03-31",
}

_WORDS: Final = {
    "bool_parsing": "true or false is meant",
    "bool_type": "true or false is meant",
    "dict_type": "an object is meant",
    "enum": "one of {expected} is meant",
    "extra_forbidden": "there is no such member here: take it out, or look at its name",
    "greater_than": "more than {gt} is meant",
    "greater_than_equal": "{ge} or more is meant",
    "int_from_float": "a whole number is meant",
    "int_parsing": "a whole number is meant",
    "int_parsing_size": "the number has too many digits",
    "int_type": "a whole number is meant",
    "json_invalid": "this is no JSON: {error}",
    "less_than": "less than {lt} is meant",
    "less_than_equal": "{le} or less is meant",
    "list_type": "a list is meant",
    "literal_error": "one of {expected} is meant",
    "missing": "is needed, and missing",
    "model_attributes_type": "an object is meant",
    "model_type": "an object is meant",
    "string_too_long": "at most {max_length} characters are possible",
    "string_too_short": "at least {min_length} characters are needed",
    "string_type": "a text is meant",
    "string_unicode": "the text is no UTF-8",
    "too_long": "at most {max_length} are possible, not {actual_length}",
    "too_short": "at least {min_length} are needed, not {actual_length}",
}


def detail_of(fault: Mapping[str, Any]) -> str:
    """One of `ValidationError.errors()` in words."""
    kind, context = str(fault["type"]), fault.get("ctx", {})
    if kind == "value_error" and "error" in context:
        return str(context["error"])
    if kind == "string_pattern_mismatch":
        pattern = str(context["pattern"])
        return _PATTERNS.get(pattern, f"the text does not fit {pattern}")
    if kind not in _WORDS:
        return str(fault["msg"])
    return _WORDS[kind].format_map(context)


def part_of(fault: Mapping[str, Any], place: Sequence[int | str]) -> ProblemPart:
    """A fault in a body, at its place (JSON pointer, RFC 6901)."""
    # Where no JSON was found, the place is the offset of a byte, which the words tell.
    steps = () if fault["type"] == "json_invalid" else place
    pointer = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)
    return ProblemPart(detail_of(fault), pointer=pointer)


def parameter_part(fault: Mapping[str, Any], place: Sequence[int | str]) -> ProblemPart:
    """A fault in the address or a header, by the parameter's name: one that may be repeated is
    known by what was sent."""
    name = ".".join(str(step) for step in place if isinstance(step, str))
    sent = fault.get("input")
    repeated = any(isinstance(step, int) for step in place) and fault["type"] != "value_error"
    shown = f"{sent[:40]!r}: " if repeated and isinstance(sent, str) else ""
    return ProblemPart(shown + detail_of(fault), parameter=name)
