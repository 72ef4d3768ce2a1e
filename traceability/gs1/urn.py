"""EPC URNs (EPC Tag Data Standard, sections 6 and 8): reading and writing."""

from __future__ import annotations

from traceability.gs1.encoding import check_digit, check_digits, decode, encode_for_urn
from traceability.gs1.errors import (
    CompanyPrefixNeeded,
    MalformedIdentifier,
    NotExpressible,
    UnknownKey,
    WrongCharacters,
    WrongLength,
)
from traceability.gs1.keys import KEYS, SCHEMES, URN_FORMS, URN_LITERAL, Scheme
from traceability.gs1.types import Identifier
from traceability.gs1.values import check_key, check_qualifier

__all__ = ["epc_urn", "parse_urn"]

_COMPANY_PREFIX_LENGTHS = range(6, 13)
_WRITTEN = URN_LITERAL | {"%"}

# (primary AI, finest qualifier or None, has an own serial) -> (form, scheme)
_FORM_OF: dict[tuple[str, str | None, bool], tuple[str, str]] = {
    ("00", None, False): ("id", "sscc"),
    ("01", None, False): ("idpat", "sgtin"),
    ("01", "10", False): ("class", "lgtin"),
    ("01", "21", False): ("id", "sgtin"),
    ("01", "235", False): ("id", "upui"),
    ("253", None, False): ("idpat", "gdti"),
    ("253", None, True): ("id", "gdti"),
    ("255", None, False): ("idpat", "sgcn"),
    ("255", None, True): ("id", "sgcn"),
    ("401", None, False): ("id", "ginc"),
    ("402", None, False): ("id", "gsin"),
    ("414", None, False): ("id", "sgln"),
    ("414", "254", False): ("id", "sgln"),
    ("417", None, False): ("id", "pgln"),
    ("8003", None, False): ("idpat", "grai"),
    ("8003", None, True): ("id", "grai"),
    ("8004", None, False): ("id", "giai"),
    ("8006", None, False): ("idpat", "itip"),
    ("8006", "21", False): ("id", "itip"),
    ("8010", None, False): ("idpat", "cpi"),
    ("8010", "8011", False): ("id", "cpi"),
    ("8017", None, False): ("id", "gsrnp"),
    ("8018", None, False): ("id", "gsrn"),
}


def parse_urn(text: str) -> Identifier:
    """Read `urn:epc:id:…`, `urn:epc:class:…` or `urn:epc:idpat:…:*` (one wildcard, the serial).

    Raises MalformedIdentifier, UnknownKey, WrongLength, WrongCharacters.
    """
    parts = text.split(":", 4)
    if len(parts) != 5 or parts[:2] != ["urn", "epc"]:
        raise MalformedIdentifier(text, "urn", "must be urn:epc:<id|class|idpat>:<scheme>:<parts>")
    form, name, body = parts[2:]
    if form not in URN_FORMS:
        raise UnknownKey(text, "urn", f"urn:epc:{form}: holds no GS1 key; known: id, class, idpat")
    if name not in URN_FORMS[form]:
        raise UnknownKey(text, "scheme", f"{name!r} is no GS1 key of urn:epc:{form}:")
    return _parse_body(SCHEMES[name], body, text, pattern=form == "idpat")


def _parse_body(scheme: Scheme, body: str, text: str, *, pattern: bool) -> Identifier:
    wrong = set(body) - _WRITTEN
    if wrong:
        raise WrongCharacters(text, "urn", f"{min(wrong)!r} must be percent-encoded")
    has_last = scheme.serial or scheme.qualifier is not None
    count = 2 + 2 * scheme.pieces + has_last
    parts = body.split(".", count - 1)
    if len(parts) != count:
        raise MalformedIdentifier(text, "urn", f"must have {count} parts divided by dots")
    prefix, reference = parts[0], parts[1]
    _check_company_prefix(prefix, text)
    value = _key_value(scheme, prefix, reference, text)
    if scheme.pieces:
        check_digits(parts[2], 2, text, "piece")
        check_digits(parts[3], 2, text, "total")
        value += parts[2] + parts[3]
    last = parts[-1] if has_last else None
    if pattern:
        if last != "*":
            raise MalformedIdentifier(text, "pattern", "the last part must be '*'")
        last = None
    elif last is not None:
        last = decode(last, text, "serial")
    qualifiers: tuple[tuple[str, str], ...] = ()
    if last is not None and scheme.serial:
        if not last:
            raise WrongLength(text, "serial", "is empty")
        value += last
    elif last is not None and scheme.qualifier is not None and last != scheme.none:
        check_qualifier(scheme.qualifier, last, text)
        qualifiers = ((scheme.qualifier, last),)
    check_key(scheme.ai, value, text, verify=False)
    return Identifier(scheme.ai, value, qualifiers, len(prefix))


def _check_company_prefix(prefix: str, text: str) -> None:
    if not prefix.isdigit():
        raise WrongCharacters(text, "company prefix", "must be 6 to 12 digits")
    if len(prefix) not in _COMPANY_PREFIX_LENGTHS:
        raise WrongLength(text, "company prefix", f"has {len(prefix)} digits, must have 6 to 12")


def _key_value(scheme: Scheme, prefix: str, reference: str, text: str) -> str:
    if scheme.free:
        reference = decode(reference, text, "reference")
        if not reference:
            raise WrongLength(text, "reference", "is empty")
        return prefix + reference
    check_digits(reference, scheme.digits - len(prefix), text, "reference")
    if scheme.indicator:
        digits = reference[0] + prefix + reference[1:]
    else:
        digits = scheme.lead + prefix + reference
    return digits + check_digit(digits)


def epc_urn(identifier: Identifier, company_prefix_length: int | None) -> str:
    """Write the EPC URN of an identifier's finest level.

    Raises CompanyPrefixNeeded, WrongLength, NotExpressible.
    """
    text = identifier.digital_link()
    finest = identifier.finest()
    key = KEYS[finest.ai]
    own_serial = finest.value[key.digits :] if key.digits and finest.ai != "8006" else ""
    qualifier, last = finest.qualifiers[0] if finest.qualifiers else (None, own_serial)
    form_of = _FORM_OF.get((finest.ai, qualifier, bool(own_serial)))
    if form_of is None:
        raise NotExpressible(text, "identifier", f"EPC has no URN for a {finest.kind}")
    length = _checked_length(company_prefix_length, text)
    form, name = form_of
    scheme = SCHEMES[name]
    parts = _head(scheme, finest.value, length, text)
    if form == "idpat":
        parts.append("*")
    elif scheme.serial or scheme.qualifier is not None:
        if last == scheme.none:
            raise NotExpressible(text, "identifier", f"the extension {last!r} means 'none' in EPC")
        parts.append(encode_for_urn(last) if last else scheme.none or "")
    return f"urn:epc:{form}:{name}:{'.'.join(parts)}"


def _checked_length(length: int | None, text: str) -> int:
    if length is None:
        raise CompanyPrefixNeeded(
            text, "company prefix", "a Digital Link does not show its length; give it (6 to 12)"
        )
    if length not in _COMPANY_PREFIX_LENGTHS:
        raise WrongLength(text, "company prefix", f"length {length} is not within 6 to 12")
    return length


def _head(scheme: Scheme, value: str, length: int, text: str) -> list[str]:
    if scheme.free:
        prefix, reference = value[:length], value[length:]
        if not prefix.isdigit() or len(prefix) < length or not reference:
            raise NotExpressible(text, "company prefix", f"does not begin with {length} digits")
        return [prefix, encode_for_urn(reference)]
    digits = value[: KEYS[scheme.ai].digits - 1].removeprefix(scheme.lead)
    if scheme.indicator:
        prefix, reference = digits[1 : 1 + length], digits[0] + digits[1 + length :]
    else:
        prefix, reference = digits[:length], digits[length:]
    pieces = [value[14:16], value[16:18]] if scheme.pieces else []
    return [prefix, reference, *pieces]
