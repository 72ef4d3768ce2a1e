"""Check digits, character sets and percent-encoding of GS1 identifiers."""

from __future__ import annotations

import re
from functools import lru_cache

from traceability.gs1.errors import MalformedIdentifier, WrongCharacters, WrongLength
from traceability.gs1.keys import CHARSETS, DIGITAL_LINK_LITERAL, URN_LITERAL, Field

__all__ = ["check_digit", "check_field", "decode", "encode_for_link", "encode_for_urn"]

_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})?")


def check_digit(digits: str) -> str:
    """The GS1 check digit that follows `digits` (GS1 General Specifications, section 7.9.1)."""
    total = sum(int(digit) * (1 if i % 2 else 3) for i, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def decode(part: str, text: str, place: str) -> str:
    """Undo percent-encoding. Only ASCII comes out, for GS1 keys have nothing else.

    Raises WrongCharacters for '%' without two hexadecimal digits and for bytes beyond ASCII.
    """
    if "%" not in part:
        return part

    def one(match: re.Match[str]) -> str:
        code = match.group(1)
        if code is None:
            raise WrongCharacters(text, place, "'%' must be followed by two hexadecimal digits")
        if int(code, 16) > 0x7E:
            raise WrongCharacters(text, place, f"'%{code}' is no character of a GS1 key")
        return chr(int(code, 16))

    return _ESCAPE.sub(one, part)


def _encode(value: str, literal: frozenset[str]) -> str:
    return "".join(c if c in literal else f"%{ord(c):02X}" for c in value)


@lru_cache(maxsize=4096)
def encode_for_link(value: str) -> str:
    """Percent-encode for a path segment of a canonical Digital Link (upper-case hexadecimal)."""
    return _encode(value, DIGITAL_LINK_LITERAL)


def encode_for_urn(value: str) -> str:
    """Percent-encode for a component of an EPC URN (EPC Tag Data Standard, section 5.4)."""
    return _encode(value, URN_LITERAL)


def check_field(value: str, field: Field, text: str, place: str) -> None:
    """Hold `value` against the length and the character set of `field`.

    Raises WrongLength or WrongCharacters.
    """
    if not field.length_min <= len(value) <= field.length_max:
        raise WrongLength(text, place, f"has {len(value)} characters, allowed are {_bounds(field)}")
    wrong = set(value) - CHARSETS[field.charset]
    if wrong:
        raise WrongCharacters(text, place, f"may not contain {min(wrong)!r}")


def check_digits(value: str, length: int, text: str, place: str) -> None:
    """Hold `value` against a fixed number of ASCII digits."""
    if not (value.isascii() and value.isdigit()) and value:
        raise WrongCharacters(text, place, "may contain digits only")
    if len(value) != length:
        raise WrongLength(text, place, f"has {len(value)} digits, must have {length}")


def check_printable(text: object) -> str:
    """An identifier as text: ASCII graphic characters only, at most 2,000 of them.

    Raises MalformedIdentifier.
    """
    if not isinstance(text, str):
        raise MalformedIdentifier(repr(text), "identifier", "is not a text")
    if len(text) > 2000:
        raise MalformedIdentifier(text, "identifier", "is longer than 2,000 characters")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise MalformedIdentifier(text, "identifier", "may contain visible ASCII characters only")
    return text


def _bounds(field: Field) -> str:
    if field.length_min == field.length_max:
        return f"exactly {field.length_min}"
    return f"{field.length_min} to {field.length_max}"
