"""Round trips of identifiers, for any of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traceability.gs1 import Gs1Error, canonical, check_digit, parse_digital_link, parse_identifier
from traceability.gs1.encoding import encode_for_urn
from traceability.gs1.keys import CHARSETS, SCHEMES

pytestmark = pytest.mark.feature("T3")

X = sorted(CHARSETS["X"])
Y = sorted(CHARSETS["Y"])
SERIAL_MAX = {"upui": 28, "grai": 16, "gdti": 17}


@st.composite
def urns(draw: st.DrawFn) -> str:
    """Any EPC URN of any GS1 key."""
    scheme = SCHEMES[draw(st.sampled_from(sorted(SCHEMES)))]
    prefix_length = draw(st.integers(6, 12))
    prefix = draw(st.text("0123456789", min_size=prefix_length, max_size=prefix_length))
    if scheme.free:
        alphabet = Y if scheme.name == "cpi" else X
        reference = encode_for_urn(draw(st.text(alphabet, min_size=1, max_size=30 - prefix_length)))
    else:
        length = scheme.digits - prefix_length
        reference = draw(st.text("0123456789", min_size=length, max_size=length))
    parts = [prefix, reference]
    if scheme.pieces:
        parts += [f"{draw(st.integers(0, 99)):02}", f"{draw(st.integers(0, 99)):02}"]
    if scheme.serial or scheme.qualifier:
        if scheme.name in ("sgcn", "cpi"):
            last = draw(st.text("0123456789", min_size=1, max_size=12))
        else:
            longest = SERIAL_MAX.get(scheme.name, 20)
            last = encode_for_urn(draw(st.text(X, min_size=1, max_size=longest)))
        parts.append(last)
    form = "class" if scheme.name == "lgtin" else "id"
    return f"urn:epc:{form}:{scheme.name}:{'.'.join(parts)}"


@given(urns())
def test_urn_to_link_to_urn_is_the_identity(urn: str) -> None:
    identifier = parse_identifier(urn)
    link = identifier.digital_link()
    back = parse_identifier(link)
    assert back == identifier
    assert back.epc_urn(identifier.company_prefix_length) == urn
    assert canonical(link) == link == canonical(urn)


@given(urns(), st.sampled_from(["https://a.example", "http://127.0.0.1:8080/shop/x"]))
def test_domain_and_query_do_not_change_the_canonical_form(urn: str, domain: str) -> None:
    link = parse_identifier(urn).digital_link(domain, whole=True)
    assert canonical(f"{link}?17=261231#x") == canonical(urn)
    assert parse_digital_link(link).prefix == domain


@given(st.text("0123456789", min_size=7, max_size=17), st.data())
def test_any_single_wrong_digit_is_detected(digits: str, data: st.DataObject) -> None:
    whole = digits + check_digit(digits)
    place = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.sampled_from([d for d in "0123456789" if d != whole[place]]))
    changed = whole[:place] + other + whole[place + 1 :]
    assert check_digit(changed[:-1]) != changed[-1]


@given(st.text(max_size=60) | st.text("urn:epcidsgt0123456789./%*", max_size=60))
def test_any_text_is_read_or_refused_never_crashes(text: str) -> None:
    for candidate in (text, f"urn:epc:id:{text}", f"https://id.gs1.org/{text}"):
        try:
            identifier = parse_identifier(candidate)
        except Gs1Error:
            continue
        assert parse_identifier(identifier.digital_link()) == identifier.finest()
