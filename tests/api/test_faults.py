"""Bodies and parameters that cannot be read: told in words, with what is meant and where."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, ValidationError

from api.acts.common import CurrencyCode, HashText, Quantity, StrictBody, digest_of
from api.errors import ValidationFailed
from api.faults import parameter_part, part_of
from ledger.types import Hash32

pytestmark = pytest.mark.feature("A1")

GOOD: dict[str, Any] = {"amount": 1, "currency": "CNY", "terms": f"0x{'ab' * 32}"}


class _Body(StrictBody):
    amount: Quantity
    currency: CurrencyCode
    terms: HashText
    kind: Literal["invoice", "bill"] = "bill"
    days: Annotated[int, Field(ge=1, le=30)] = 1
    items: Annotated[list[str], Field(max_length=1, default_factory=list)]


def _said(body: str | dict[str, Any]) -> tuple[str | None, str]:
    text = body if isinstance(body, str) else json.dumps({**GOOD, **body})
    with pytest.raises(ValidationError) as caught:
        _Body.model_validate_json(text)
    fault = caught.value.errors(include_url=False)[0]
    part = part_of(fault, fault["loc"])
    return part.pointer, part.detail


@pytest.mark.parametrize("amount", ["1.5", 1.5, "-1", "a lot", ""])
def test_an_amount_that_is_no_whole_number_tells_its_unit(amount: object) -> None:
    pointer, detail = _said({"amount": amount})
    assert pointer == "/amount"
    assert "hundredths of the currency" in detail


@pytest.mark.parametrize(
    ("body", "pointer", "words"),
    [
        ({"currency": "yuan"}, "/currency", "three capital letters (ISO 4217)"),
        ({"terms": "0x1"}, "/terms", "64 hexadecimal digits"),
        ({"kind": "loan"}, "/kind", "one of 'invoice' or 'bill' is meant"),
        ({"days": 31}, "/days", "30 or less is meant"),
        ({"days": "3"}, "/days", "a whole number is meant"),
        ({"items": ["a", "b"]}, "/items", "at most 1 are possible, not 2"),
        ({"items": [1]}, "/items/0", "a text is meant"),
        ({"colour/of": 1}, "/colour~1of", "there is no such member here"),
        ("{}", "/amount", "is needed, and missing"),
        ("[]", "", "an object is meant"),
        ("{", "", "this is no JSON: EOF"),
    ],
)
def test_what_is_wrong_is_told_with_what_is_meant(
    body: str | dict[str, Any], pointer: str, words: str
) -> None:
    place, detail = _said(body)
    assert (place, words in detail) == (pointer, True), detail


def test_a_parameter_that_may_be_repeated_is_named_without_its_place() -> None:
    fault = {
        "type": "enum",
        "loc": ("query", "state", 0),
        "msg": "Input should be 'live'",
        "input": "alive",
        "ctx": {"expected": "'live' or 'frozen'"},
    }
    part = parameter_part(fault, ("state", 0))
    assert part.parameter == "state"
    assert part.detail == "'alive': one of 'live' or 'frozen' is meant"


def test_a_document_that_is_missing_is_asked_for_by_its_name() -> None:
    with pytest.raises(ValidationFailed, match=r"/terms: the hash is needed here, or .*`document`"):
        digest_of("terms", None, None)
    with pytest.raises(ValidationFailed, match="`rulesDocument`"):
        digest_of("rules", f"0x{'ab' * 32}", b"{}", "rulesDocument")
    assert len(digest_of("terms", None, b"{}")) == len(Hash32(bytes(32)))
