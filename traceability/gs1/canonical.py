"""One entry for every spelling: EPC URN or Digital Link in, identifier or canonical URI out."""

from __future__ import annotations

from functools import lru_cache

from traceability.gs1.digital_link import link_identifier
from traceability.gs1.encoding import check_printable
from traceability.gs1.errors import Gs1Error, MalformedIdentifier
from traceability.gs1.types import Identifier
from traceability.gs1.urn import parse_urn

__all__ = ["canonical", "canonical_or_same", "parse_identifier"]

_CACHE_SIZE = 65_536  # about 30 MB when full
_CACHED_LENGTH_MAX = 200


def parse_identifier(text: str) -> Identifier:
    """Read an EPC URN or a GS1 Digital Link URI of any domain, check digit verified.

    Raises a Gs1Error subclass that says what is wrong and where.
    """
    check_printable(text)
    return _cached_parse(text) if len(text) <= _CACHED_LENGTH_MAX else _parse(text)


def _parse(text: str) -> Identifier:
    if text.startswith("urn:epc:"):
        return parse_urn(text)
    if text[:8].lower().startswith(("http://", "https://")):
        return link_identifier(text, verify=True)
    raise MalformedIdentifier(text, "identifier", "is neither an EPC URN nor a Digital Link")


_cached_parse = lru_cache(maxsize=_CACHE_SIZE)(_parse)


def canonical(text: str) -> str:
    """The constrained canonical Digital Link of CBV 2.0 section 8.9: domain id.gs1.org, no query,
    the finest level of identification only. Raises a Gs1Error subclass."""
    return parse_identifier(text).digital_link()


def canonical_or_same(text: str) -> str:
    """`canonical`, but any text that is no GS1 identifier comes back as it is, and check digits are
    not verified: a hash must be defined for texts that merely look like identifiers."""
    try:
        if text.startswith("urn:epc:"):
            return parse_identifier(text).digital_link()
        if text.startswith(("https://", "http://")):
            return link_identifier(text, verify=False).digital_link()
    except Gs1Error:
        pass
    return text
