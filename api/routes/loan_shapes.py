"""What applications, loans and all that belongs to them look like in JSON (`loan_answers`)."""

from __future__ import annotations

from enum import IntFlag
from typing import Final

from api.shapes import (
    ADDRESS_TEXT,
    AMOUNT_TEXT,
    HASH_TEXT,
    NULL,
    PLACE,
    TIME,
    Schema,
    line_shape,
    object_shape,
    one_of,
    record_shape,
)
from contracts.financing import (
    ActOfLoan,
    Advice,
    Application,
    Breach,
    Check,
    Debt,
    Fact,
    Loan,
    Offer,
    Paid,
    Payment,
    Request,
    Watch,
)


def _words(kind: type[IntFlag]) -> Schema:
    names = [str(one.name).lower().replace("_", "-") for one in kind]
    return {"type": "array", "items": {"type": "string", "enum": names}}


_COLLATERAL: Final[Schema] = {
    "type": "object",
    "required": ["contract", "instrument"],
    "properties": {
        "contract": ADDRESS_TEXT,
        "instrument": HASH_TEXT,
        "revision": {"type": "integer", "description": "for which it was applied"},
    },
}
_REQUEST: Final = record_shape(
    Request, {"collateral": _COLLATERAL}, without=("instrument", "asset", "asset_revision")
)
_CHECK: Final = record_shape(
    Check,
    {
        "applicable": _words(Fact),
        "passed": _words(Fact),
        "failed": _words(Fact),
        "block": {"type": "integer"},
    },
    without=("applicable", "passed", "block_number"),
)
_HIDDEN: Final = ("best", "quotes", "open")
"""Of an application: not told to everybody (`application_body`)."""


def _application() -> Schema:
    members = {"request": _REQUEST, "check": one_of(_CHECK, NULL)}
    shape = record_shape(Application, members, without=("request", "check"))
    return {**shape, "required": [one for one in shape["required"] if one not in _HIDDEN]}


_PAYOUT: Final = record_shape(
    Loan,
    {
        "debt": record_shape(Debt),
        "watch": record_shape(Watch, {"breach": _words(Breach)}, without=("breach",)),
        "collateral": _COLLATERAL,
    },
    without=("debt", "watch", "instrument", "asset"),
)
_OWED: Final = object_shape(at=TIME, principal=AMOUNT_TEXT, interest=AMOUNT_TEXT, total=AMOUNT_TEXT)


def _kept(record: Schema) -> Schema:
    """With the contract that keeps it."""
    properties = {"contract": ADDRESS_TEXT, **record["properties"]}
    return {**record, "required": ["contract", *record["required"]], "properties": properties}


_LINE: Final[dict[str, Schema]] = {
    "id": HASH_TEXT,
    "state": {"type": "string"},
    "revision": {"type": "integer"},
}
LOAN: Final[Schema] = object_shape(
    **_LINE,
    application=_kept(_application()),
    payout=one_of(_kept(_PAYOUT), NULL),
    owed=one_of(_OWED, NULL),
    last=PLACE,
)
"""Of `line_body`."""

ACT: Final[Schema] = _kept(line_shape(ActOfLoan))
ACT["properties"]["contract"] = {"type": "string", "enum": ["applications", "financing"]}
PAYMENT: Final = line_shape(Payment)
_OFFER: Final = record_shape(
    Offer, {"bank": {"type": "string"}, "offerHash": one_of(HASH_TEXT, NULL)}
)
OFFERS: Final = object_shape(
    offers={
        "type": "array",
        "items": {**_OFFER, "properties": {**_OFFER["properties"], "last": PLACE}},
    }
)
ADVICE: Final = object_shape(
    advice={"type": "array", "items": record_shape(Advice, PLACE["properties"])}
)
CHANGED: Final[Schema] = {
    "type": "object",
    "required": ["loan"],
    "properties": {
        "loan": {
            "type": "object",
            "required": ["id"],
            "properties": {
                **_LINE,
                "act": {"type": "string"},
                "application": _application(),
                "payout": _PAYOUT,
            },
        },
        "offers": {"type": "array", "items": _OFFER},
        "advice": {"type": "array", "items": record_shape(Advice)},
        "payments": {"type": "array", "items": record_shape(Paid)},
    },
}
"""Of `told`: what an act has changed, and nothing of what it has not."""
