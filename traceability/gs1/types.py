"""The words of the GS1 room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from traceability.gs1.encoding import encode_for_link
from traceability.gs1.keys import DOMAIN, KEYS

__all__ = ["DigitalLink", "Identifier"]

_KIND: Mapping[tuple[str, str | None], str] = MappingProxyType(
    {
        ("00", None): "sscc",
        ("01", None): "gtin",
        ("01", "10"): "lgtin",
        ("01", "21"): "sgtin",
        ("01", "235"): "upui",
        ("253", None): "gdti",
        ("255", None): "gcn",
        ("401", None): "ginc",
        ("402", None): "gsin",
        ("414", None): "gln",
        ("414", "254"): "sgln",
        ("417", None): "pgln",
        ("8003", None): "grai",
        ("8004", None): "giai",
        ("8006", None): "itip",
        ("8006", "10"): "itip-lot",
        ("8006", "21"): "itip-serial",
        ("8010", None): "cpi",
        ("8010", "8011"): "cpi-serial",
        ("8017", None): "gsrnp",
        ("8018", None): "gsrn",
    }
)


@dataclass(frozen=True, slots=True)
class Identifier:
    """A GS1 key with its key qualifiers; values are decoded and complete, check digit included."""

    ai: str
    """Application identifier of the primary key: '01' for a GTIN."""
    value: str
    """A GTIN has 14 digits here, however it was written."""
    qualifiers: tuple[tuple[str, str], ...] = ()
    """(application identifier, value), in the order of a Digital Link."""
    company_prefix_length: int | None = field(default=None, compare=False)
    """Known where the identifier came as an EPC URN, which shows it."""

    def qualifier(self, ai: str) -> str | None:
        """The value of one key qualifier, e.g. '10' for the lot."""
        return next((value for key, value in self.qualifiers if key == ai), None)

    @property
    def lot(self) -> str | None:
        return self.qualifier("10")

    @property
    def serial(self) -> str | None:
        return self.qualifier("21")

    def finest(self) -> Identifier:
        """Only the finest level of identification, as CBV 2.0 section 8.9 (rule 18) keeps it:
        the lot goes where a serial is, CPV and other attributes always."""
        keep = next((ai for ai in KEYS[self.ai].finest if self.qualifier(ai) is not None), None)
        kept = tuple(item for item in self.qualifiers if item[0] == keep)
        return Identifier(self.ai, self.value, kept, self.company_prefix_length)

    def without_qualifiers(self) -> Identifier:
        """The primary key alone: the class of a serialised or lot-numbered trade item."""
        return Identifier(self.ai, self.value, (), self.company_prefix_length)

    @property
    def kind(self) -> str:
        """What it identifies: 'sgtin', 'lgtin', 'gtin', 'sscc', 'sgln', 'gln', 'pgln', …"""
        finest = self.finest()
        return _KIND[self.ai, finest.qualifiers[0][0] if finest.qualifiers else None]

    def digital_link(self, domain: str = DOMAIN, *, whole: bool = False) -> str:
        """The GS1 Digital Link URI; by default the constrained canonical one of CBV 2.0.

        `whole` keeps every key qualifier (GTIN, lot and serial together), as a label has them.
        `domain` is scheme, host and any path before the key.
        """
        qualifiers = self.qualifiers if whole else self.finest().qualifiers
        parts = [f"{domain.rstrip('/')}/{self.ai}/{encode_for_link(self.value)}"]
        parts += [f"{ai}/{encode_for_link(value)}" for ai, value in qualifiers]
        return "/".join(parts)

    def epc_urn(self, company_prefix_length: int | None = None) -> str:
        """The EPC URN (`urn:epc:id:`, `urn:epc:class:` or `urn:epc:idpat:` by its level).

        Raises CompanyPrefixNeeded where the length is neither given nor known, WrongLength for a
        length outside 6 to 12, NotExpressible where EPC has no URN for it.
        """
        from traceability.gs1.urn import epc_urn

        if company_prefix_length is None:
            company_prefix_length = self.company_prefix_length
        return epc_urn(self, company_prefix_length)


@dataclass(frozen=True, slots=True)
class DigitalLink:
    """A GS1 Digital Link URI as somebody scanned it."""

    uri: str
    identifier: Identifier
    """With every key qualifier of the path."""
    prefix: str
    """Scheme, host and path before the key: `https://shop.example/product`."""
    attributes: Mapping[str, str]
    """Query parameters, decoded: '17' (expiry date), 'linkType', …; the first of equal names."""
