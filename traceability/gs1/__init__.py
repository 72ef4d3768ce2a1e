"""GS1 identifiers: EPC URN, GS1 Digital Link, check digits, canonical form. Pure."""

from __future__ import annotations

from traceability.gs1.canonical import canonical, canonical_or_same, parse_identifier
from traceability.gs1.digital_link import parse_digital_link
from traceability.gs1.encoding import check_digit
from traceability.gs1.errors import (
    CompanyPrefixNeeded,
    Gs1Error,
    MalformedIdentifier,
    NotExpressible,
    UnknownKey,
    WrongCharacters,
    WrongCheckDigit,
    WrongLength,
)
from traceability.gs1.types import DigitalLink, Identifier

__all__ = [
    "CompanyPrefixNeeded",
    "DigitalLink",
    "Gs1Error",
    "Identifier",
    "MalformedIdentifier",
    "NotExpressible",
    "UnknownKey",
    "WrongCharacters",
    "WrongCheckDigit",
    "WrongLength",
    "canonical",
    "canonical_or_same",
    "check_digit",
    "parse_digital_link",
    "parse_identifier",
]
