"""EPC URNs of every GS1 key, both ways. Expected Digital Links are worked out by hand from the
EPC Tag Data Standard and the GS1 General Specifications."""

from __future__ import annotations

import pytest

from traceability.gs1 import (
    CompanyPrefixNeeded,
    Gs1Error,
    Identifier,
    MalformedIdentifier,
    NotExpressible,
    UnknownKey,
    WrongCharacters,
    WrongLength,
    parse_identifier,
)

pytestmark = pytest.mark.feature("T3")

PAIRS = [
    ("urn:epc:id:sgtin:0614141.812345.6789", "01/80614141123458/21/6789", "sgtin"),
    ("urn:epc:id:sgtin:415056789012.0.987654", "01/04150567890128/21/987654", "sgtin"),
    ("urn:epc:id:sgtin:400000.1012345.A", "01/14000000123450/21/A", "sgtin"),
    ("urn:epc:class:lgtin:4012345.012345.998877", "01/04012345123456/10/998877", "lgtin"),
    ("urn:epc:idpat:sgtin:4012345.098765.*", "01/04012345987652", "gtin"),
    ("urn:epc:id:upui:1234567.098765.51qIgY)%3C", "01/01234567987651/235/51qIgY%29%3C", "upui"),
    ("urn:epc:id:sscc:0614141.1234567890", "00/106141412345678908", "sscc"),
    ("urn:epc:id:sgln:0614141.12345.0", "414/0614141123452", "gln"),
    ("urn:epc:id:sgln:0614141.12345.400", "414/0614141123452/254/400", "sgln"),
    ("urn:epc:id:pgln:999999999999.", "417/9999999999994", "pgln"),
    ("urn:epc:id:grai:0614141.12345.400", "8003/00614141123452400", "grai"),
    ("urn:epc:idpat:grai:4012345.66666.*", "8003/04012345666663", "grai"),
    ("urn:epc:id:giai:0614141.12345400", "8004/061414112345400", "giai"),
    ("urn:epc:id:gsrn:0614141.1234567890", "8018/061414112345678902", "gsrn"),
    ("urn:epc:id:gsrnp:4012345.0000098765", "8017/401234500000987658", "gsrnp"),
    ("urn:epc:id:gdti:0614141.12345.400", "253/0614141123452400", "gdti"),
    ("urn:epc:id:gdti:987659999999..9", "253/98765999999929", "gdti"),
    ("urn:epc:idpat:gdti:4012345.55555.*", "253/4012345555554", "gdti"),
    ("urn:epc:id:cpi:0614141.5PQ7%2FZ43.12345", "8010/06141415PQ7%2FZ43/8011/12345", "cpi-serial"),
    ("urn:epc:idpat:cpi:4012345.ABC.*", "8010/4012345ABC", "cpi"),
    ("urn:epc:id:sgcn:4012345.67890.04711", "255/401234567890104711", "gcn"),
    ("urn:epc:idpat:sgcn:4012345.99999.*", "255/4012345999990", "gcn"),
    ("urn:epc:id:ginc:0614141.xyz3311cba", "401/0614141xyz3311cba", "ginc"),
    ("urn:epc:id:gsin:0614141.123456789", "402/06141411234567890", "gsin"),
    ("urn:epc:id:itip:4012345.012345.01.02.987", "8006/040123451234560102/21/987", "itip-serial"),
    ("urn:epc:idpat:itip:4012345.012345.01.02.*", "8006/040123451234560102", "itip"),
]


@pytest.mark.parametrize(("urn", "path", "kind"), PAIRS, ids=[pair[0][8:] for pair in PAIRS])
def test_urn_becomes_the_canonical_digital_link(urn: str, path: str, kind: str) -> None:
    identifier = parse_identifier(urn)
    assert identifier.digital_link() == f"https://id.gs1.org/{path}"
    assert identifier.kind == kind


@pytest.mark.parametrize(("urn", "path", "kind"), PAIRS, ids=[pair[0][8:] for pair in PAIRS])
def test_digital_link_becomes_the_urn_with_the_prefix_length(
    urn: str, path: str, kind: str
) -> None:
    prefix = urn.split(":")[-1].split(".")[0]
    if urn.split(":")[2] == "idpat" and urn.split(":")[3] == "upui":
        pytest.skip("a pattern of UPUIs and one of SGTINs are the same GTIN")
    link = parse_identifier(f"https://id.gs1.org/{path}")
    assert link.epc_urn(len(prefix)) == urn
    assert parse_identifier(urn).epc_urn() == urn


def test_urn_from_a_digital_link_needs_the_prefix_length() -> None:
    identifier = parse_identifier("https://id.gs1.org/01/09506000134369/21/X")
    with pytest.raises(CompanyPrefixNeeded, match="give it"):
        identifier.epc_urn()
    for length in (0, 5, 13):
        with pytest.raises(WrongLength):
            identifier.epc_urn(length)


@pytest.mark.parametrize(
    ("identifier", "prefix"),
    [
        (Identifier("8006", "095060001343690102", (("10", "L"),)), 7),
        (Identifier("8004", "4000"), 7),
        (Identifier("8004", "4000001"), 7),
        (Identifier("8004", "40000A1X"), 7),
        (Identifier("414", "4012345000115", (("254", "0"),)), 7),
    ],
)
def test_identifiers_without_an_urn_say_so(identifier: Identifier, prefix: int) -> None:
    with pytest.raises(NotExpressible):
        identifier.epc_urn(prefix)


@pytest.mark.parametrize(
    ("urn", "error", "words"),
    [
        ("urn:epc:id:sgtin:0614141.12345.1", WrongLength, "reference"),
        ("urn:epc:id:sgtin:06141.12345678.1", WrongLength, "company prefix"),
        ("urn:epc:id:sgtin:0614141234567..1", WrongLength, "company prefix"),
        ("urn:epc:id:sgtin:06141A1.123456.1", WrongCharacters, "company prefix"),
        ("urn:epc:id:sgtin:0614141.12345X.1", WrongCharacters, "reference"),
        ("urn:epc:id:sgtin:0614141.123456", MalformedIdentifier, "parts"),
        ("urn:epc:id:sgtin:0614141.123456.", WrongLength, "serial"),
        ("urn:epc:id:sgtin:0614141.123456.123456789012345678901", WrongLength, "serial"),
        ("urn:epc:id:sgtin:0614141.123456.a%", WrongCharacters, "%"),
        ("urn:epc:id:sgtin:0614141.123456.a%2", WrongCharacters, "%"),
        ("urn:epc:id:sgtin:0614141.123456.a%C3%A9", WrongCharacters, "C3"),
        ("urn:epc:id:sgtin:0614141.123456.a/b", WrongCharacters, "percent-encoded"),
        ("urn:epc:id:sgtin:0614141.123456.a%23", WrongCharacters, "'#'"),
        ("urn:epc:id:grai:0614141.12345.", WrongLength, "serial"),
        ("urn:epc:id:giai:0614141.", WrongLength, "reference"),
        ("urn:epc:id:itip:4012345.012345.1.02.987", WrongLength, "piece"),
        ("urn:epc:idpat:sgtin:0614141.123456.1", MalformedIdentifier, "'*'"),
        ("urn:epc:id:sgln:0614141.12345", MalformedIdentifier, "3 parts"),
        ("urn:epc:id:gid:95100000.12345.400", UnknownKey, "gid"),
        ("urn:epc:class:sgtin:0614141.123456.1", UnknownKey, "sgtin"),
        ("urn:epc:tag:sgtin-96:3.0614141.812345.6789", UnknownKey, "urn:epc:tag"),
        ("urn:epc:id:cpi:0614141.abc.1", WrongCharacters, "'a'"),
        ("urn:epc:id:sgcn:4012345.67890.04A", WrongCharacters, "'A'"),
        ("urn:epc:id", MalformedIdentifier, "urn"),
        ("urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8", MalformedIdentifier, "neither"),
        ("", MalformedIdentifier, "neither"),
        ("urn:epc:id:sgtin:0614141.123456.a b", MalformedIdentifier, "visible"),
        ("urn:epc:id:sgtin:0614141.123456.é", MalformedIdentifier, "visible"),
        ("urn:epc:id:sgtin:0614141.123456." + "9" * 3000, MalformedIdentifier, "2,000"),
    ],
)
def test_bad_urn_is_refused_with_place_and_reason(
    urn: str, error: type[Gs1Error], words: str
) -> None:
    with pytest.raises(error, match=None) as caught:
        parse_identifier(urn)
    assert words in str(caught.value)
    assert caught.value.place
