"""Agreements and shared fields as documents."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from contracts.models import Budget, Part
from federation.projects import (
    Agreement,
    AgreementInvalid,
    FieldsInvalid,
    SharedField,
    SharedFields,
)
from federation.tables import Table
from ledger.canonical import canonical_json
from tests.federation.projects.scene import CODE, agreement

pytestmark = pytest.mark.feature("D1")


def test_an_agreement_comes_back_from_its_bytes_and_its_hash_is_theirs() -> None:
    agreed = agreement()
    data = agreed.to_json()
    assert Agreement.from_json(data) == agreed
    assert data == canonical_json(json.loads(data))
    assert agreed.hash == hashlib.sha256(data).digest()


def test_the_ledgers_terms_repeat_the_agreement() -> None:
    terms = agreement().terms()
    assert terms.document == agreement().hash
    assert (terms.algorithms, terms.codes) == (("scorecard", "trees"), (CODE,))
    assert (terms.price, terms.currency, terms.shares) == (200, "CNY", (0, 6_000, 4_000))
    assert terms.budget == Budget(1_000_000, 0)
    assert [one.part for one in agreement().ledger_parties()] == [Part.GUEST, Part.HOST, Part.HOST]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"parties": agreement().parties[:1] * 2}, "named twice"),
        ({"parties": agreement().parties[1:]}, "there are a guest"),
        ({"algorithms": ("trees", "trees")}, "algorithm is named twice"),
        ({"codes": (bytes(CODE), bytes(CODE))}, "code is named twice"),
        ({"shares": (1, 2, 3)}, "10000 bp"),
        ({"shares": (10_000,)}, "10000 bp"),
    ],
)
def test_what_does_not_fit_together_is_refused(changed: dict[str, Any], words: str) -> None:
    wrong = replace(agreement(), **changed)
    with pytest.raises(AgreementInvalid, match=words):
        wrong.check()
    with pytest.raises(AgreementInvalid):
        Agreement.from_json(wrong.to_json())


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("type",), "tallystick/agreement/2"),
        (("purpose",), ""),
        (("price",), -1),
        (("price",), 1.5),
        (("currency",), "yuan"),
        (("until",), 0),
        (("epsilon",), "1"),
        (("parties", 0, "part"), "owner"),
        (("parties", 0, "organisation"), "The Bank"),
        (("codes", 0), "0x12"),
        (("limits", "keyBitsMin"), 1_024),
        (("limits", "commonRowsMin"), 0),
        (("more",), 1),
    ],
)
def test_what_is_no_agreement_is_refused_with_its_place(
    place: tuple[Any, ...], value: object
) -> None:
    body = json.loads(agreement().to_json())
    inner = body
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    with pytest.raises(AgreementInvalid, match=str(place[0])):
        Agreement.from_json(json.dumps(body).encode())


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"type":1,"type":1}', b"\xff"])
def test_bytes_that_are_no_document_are_refused(data: bytes) -> None:
    with pytest.raises(AgreementInvalid):
        Agreement.from_json(data)
    with pytest.raises(FieldsInvalid):
        SharedFields.from_json(data)


def test_shared_fields_come_back_and_hide_their_names_behind_a_salt() -> None:
    one = SharedFields(fields=(SharedField(name="orders"),), salt="00" * 16)
    assert SharedFields.from_json(one.to_json()) == one
    assert one.hash != replace(one, salt="01" * 16).hash


def test_fields_that_are_not_in_the_table_are_told() -> None:
    shared = SharedFields(fields=(SharedField(name="orders"),), salt="00" * 16)
    with pytest.raises(FieldsInvalid, match="orders"):
        shared.of(Table(("a",), {"power": np.zeros(1)}))
    twice = SharedFields(fields=(SharedField(name="a"), SharedField(name="a")), salt="00" * 16)
    with pytest.raises(FieldsInvalid, match="twice"):
        SharedFields.from_json(twice.to_json())
