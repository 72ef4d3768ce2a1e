"""Checks of the value of a GS1 key and of its qualifiers."""

from __future__ import annotations

from traceability.gs1.encoding import check_digit, check_digits, check_field
from traceability.gs1.errors import WrongCharacters, WrongCheckDigit, WrongLength
from traceability.gs1.keys import KEYS, QUALIFIERS

__all__ = ["check_key", "check_qualifier"]

_GTIN_LENGTHS = frozenset((8, 12, 13, 14))


def check_key(ai: str, value: str, text: str, *, verify: bool = True) -> str:
    """Hold a decoded key value against its format; returns it complete (GTIN padded to 14 digits).

    `verify=False` leaves check digit and filler digit unverified. Raises WrongLength,
    WrongCharacters, WrongCheckDigit.
    """
    key = KEYS[ai]
    place = f"{key.name} ({ai})"
    if ai == "01":
        value = _padded_gtin(value, text, place)
    if key.digits:
        head, rest = value[: key.digits], value[key.digits :]
        check_digits(head, key.digits, text, place)
        if key.rest is not None:
            check_field(rest, key.rest, text, f"{place} after the check digit")
        elif rest:
            raise WrongLength(text, place, f"has {len(value)} digits, must have {key.digits}")
        if verify:
            if key.leading_zero and head[0] != "0":
                raise WrongCharacters(text, place, "must begin with '0'")
            _verify(head, text, place)
    elif key.rest is not None:
        check_field(value, key.rest, text, place)
    return value


def check_qualifier(ai: str, value: str, text: str) -> None:
    """Hold a decoded key qualifier against its format. Raises WrongLength, WrongCharacters."""
    field = QUALIFIERS[ai]
    check_field(value, field, text, f"{field.name} ({ai})")


def _padded_gtin(value: str, text: str, place: str) -> str:
    if len(value) not in _GTIN_LENGTHS:
        raise WrongLength(text, place, f"has {len(value)} digits, must have 8, 12, 13 or 14")
    return value.zfill(14)


def _verify(digits: str, text: str, place: str) -> None:
    expected = check_digit(digits[:-1])
    if digits[-1] != expected:
        raise WrongCheckDigit(text, place, digits[-1], expected)
