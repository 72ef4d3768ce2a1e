"""Errors about GS1 identifiers: each says what is wrong, where, and what was expected."""

from __future__ import annotations

from traceability.errors import TraceabilityError

__all__ = [
    "CompanyPrefixNeeded",
    "Gs1Error",
    "MalformedIdentifier",
    "NotExpressible",
    "UnknownKey",
    "WrongCharacters",
    "WrongCheckDigit",
    "WrongLength",
]


class Gs1Error(TraceabilityError):
    """A text is not the GS1 identifier it should be."""

    def __init__(self, text: str, place: str, reason: str) -> None:
        shown = text if len(text) <= 120 else f"{text[:117]}..."
        super().__init__(f"{shown!r}: {place}: {reason}")
        self.text = text
        """The whole text that was read."""
        self.place = place
        """Which part of it: 'uri', 'path', 'company prefix', 'GTIN', 'serial (21)', ..."""
        self.reason = reason


class MalformedIdentifier(Gs1Error):
    """Not the syntax of an EPC URN or of a GS1 Digital Link URI."""


class UnknownKey(Gs1Error):
    """Right syntax, but no GS1 key (or EPC scheme) that EPCIS and CBV 2.0 use."""


class WrongLength(Gs1Error):
    """A part is too short or too long."""


class WrongCharacters(Gs1Error):
    """A part has characters outside its character set, or broken percent-encoding."""


class WrongCheckDigit(Gs1Error):
    """The check digit does not fit the other digits."""

    def __init__(self, text: str, place: str, found: str, expected: str) -> None:
        super().__init__(text, place, f"check digit is {found}, but must be {expected}")
        self.found = found
        self.expected = expected


class CompanyPrefixNeeded(Gs1Error):
    """An EPC URN needs the length of the GS1 company prefix, which a Digital Link does not tell."""


class NotExpressible(Gs1Error):
    """The identifier is valid but has no EPC URN."""
