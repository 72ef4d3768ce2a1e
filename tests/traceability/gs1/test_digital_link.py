"""GS1 Digital Links as shops and phones write them."""

from __future__ import annotations

import pytest

from traceability.gs1 import (
    Gs1Error,
    MalformedIdentifier,
    UnknownKey,
    WrongCharacters,
    WrongCheckDigit,
    WrongLength,
    canonical,
    canonical_or_same,
    check_digit,
    parse_digital_link,
    parse_identifier,
)

pytestmark = pytest.mark.feature("T3")


def test_consumer_uri_gives_key_lot_serial_and_attributes() -> None:
    link = parse_digital_link(
        "https://Shop.Example:8443/some/prefix/01/09506000134369/10/LOT%2F7/21/S-1"
        "?17=261231&linkType=gs1:pip&17=999999#top"
    )
    assert link.identifier.value == "09506000134369"
    assert link.identifier.lot == "LOT/7"
    assert link.identifier.serial == "S-1"
    assert link.prefix == "https://Shop.Example:8443/some/prefix"
    assert dict(link.attributes) == {"17": "261231", "linkType": "gs1:pip"}
    assert link.identifier.kind == "sgtin"


def test_canonical_form_keeps_only_the_finest_level() -> None:
    assert (
        canonical("http://x.example/p/01/09506000134369/22/2A/10/L/21/S?17=261231")
        == "https://id.gs1.org/01/09506000134369/21/S"
    )
    assert canonical("https://x.example/01/09506000134369/22/2A/10/L") == (
        "https://id.gs1.org/01/09506000134369/10/L"
    )
    assert canonical("https://x.example/01/09506000134369/22/2A") == (
        "https://id.gs1.org/01/09506000134369"
    )


def test_whole_link_keeps_every_key_qualifier_on_the_wanted_domain() -> None:
    identifier = parse_identifier("https://x.example/01/09506000134369/10/L/21/S")
    assert identifier.digital_link("http://127.0.0.1:8080/", whole=True) == (
        "http://127.0.0.1:8080/01/09506000134369/10/L/21/S"
    )


@pytest.mark.parametrize(
    ("written", "gtin"),
    [
        ("40170725", "00000040170725"),
        ("614141999996", "00614141999996"),
        ("9506000134369", "09506000134369"),
        ("09506000134369", "09506000134369"),
    ],
)
def test_short_gtins_are_padded_to_fourteen_digits(written: str, gtin: str) -> None:
    assert parse_identifier(f"https://x.example/01/{written}").value == gtin


def test_old_short_names_are_read() -> None:
    assert canonical("https://x.example/gtin/9780345418913/lot/L/ser/765tz?abc=1") == (
        "https://id.gs1.org/01/09780345418913/21/765tz"
    )


def test_prefix_that_looks_like_a_key_is_passed_over() -> None:
    link = parse_digital_link("https://x.example/00/shop/01/09506000134369/21/01")
    assert link.identifier.ai == "01"
    assert link.prefix == "https://x.example/00/shop"


def test_percent_encoding_has_one_canonical_spelling() -> None:
    spellings = ["a%21b", "a!b"]
    assert {canonical(f"https://x.example/01/09506000134369/21/{s}") for s in spellings} == {
        "https://id.gs1.org/01/09506000134369/21/a%21b"
    }
    assert canonical("https://x.example/01/09506000134369/21/a%2fb") == (
        "https://id.gs1.org/01/09506000134369/21/a%2Fb"
    )


@pytest.mark.parametrize(
    ("digits", "expected"),
    [("629104150021", "3"), ("0950600013436", "9"), ("10614141234567890", "8"), ("", "0")],
)
def test_check_digit_of_the_general_specifications(digits: str, expected: str) -> None:
    assert check_digit(digits) == expected


@pytest.mark.parametrize(
    "uri",
    [
        "https://id.gs1.org/01/09506000134360",
        "https://id.gs1.org/00/106141412345678900",
        "https://id.gs1.org/414/0614141123450",
        "https://id.gs1.org/8003/00614141123450400",
        "https://id.gs1.org/253/0614141123450400",
        "https://id.gs1.org/8018/061414112345678900",
        "https://id.gs1.org/402/06141411234567891",
        "https://id.gs1.org/8006/095060001343600102/21/1",
    ],
)
def test_wrong_check_digit_names_found_and_expected(uri: str) -> None:
    with pytest.raises(WrongCheckDigit) as caught:
        parse_identifier(uri)
    error = caught.value
    assert error.found != error.expected
    assert f"check digit is {error.found}, but must be {error.expected}" in str(error)


@pytest.mark.parametrize(
    ("uri", "error"),
    [
        ("https://id.gs1.org/01/095060001343", WrongCheckDigit),
        ("https://id.gs1.org/01/0950600013", WrongLength),
        ("https://id.gs1.org/01/0950600013436X", WrongCharacters),
        ("https://id.gs1.org/01/09506000134369/21", MalformedIdentifier),
        ("https://id.gs1.org/01/09506000134369/21/", MalformedIdentifier),
        ("https://id.gs1.org/01/09506000134369/21/1/10/2", MalformedIdentifier),
        ("https://id.gs1.org/01/09506000134369/21/1/21/2", MalformedIdentifier),
        ("https://id.gs1.org/01/09506000134369/254/2", UnknownKey),
        ("https://id.gs1.org/01/09506000134369/21/123456789012345678901", WrongLength),
        ("https://id.gs1.org/01/09506000134369/21/a%00b", WrongCharacters),
        ("https://id.gs1.org/8003/10614141123459400", WrongCharacters),
        ("https://id.gs1.org/8010/06141415pq", WrongCharacters),
        ("https://id.gs1.org/product/7", UnknownKey),
        ("https://id.gs1.org/", UnknownKey),
        ("https:///01/09506000134369", MalformedIdentifier),
        ("https://user@evil.example/01/09506000134369", MalformedIdentifier),
        ("ftp://id.gs1.org/01/09506000134369", MalformedIdentifier),
        ("https://id.gs1.org/01/09506000134369?" + "&".join(["a=1"] * 60), MalformedIdentifier),
    ],
)
def test_bad_link_is_refused(uri: str, error: type[Gs1Error]) -> None:
    with pytest.raises(error):
        parse_digital_link(uri)


def test_hash_form_leaves_foreign_texts_alone_and_forgives_check_digits() -> None:
    assert canonical_or_same("https://example.com/order/01/x") == "https://example.com/order/01/x"
    assert canonical_or_same("urn:uuid:1") == "urn:uuid:1"
    assert canonical_or_same("urn:epc:id:gid:1.2.3") == "urn:epc:id:gid:1.2.3"
    assert canonical_or_same("https://id.example.com/8003/030013450007718765") == (
        "https://id.gs1.org/8003/030013450007718765"
    )


def test_the_canonical_form_for_hashes_does_not_verify_the_filler_digit_of_a_grai() -> None:
    link = "https://example.com/8003/95201220000000A1"
    assert canonical_or_same(link) == "https://id.gs1.org/8003/95201220000000A1"
    with pytest.raises(WrongCharacters, match="must begin with '0'"):
        parse_digital_link(link)
