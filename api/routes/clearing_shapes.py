"""What clearing, statements and reconciliations look like in JSON (`clearing_answers`)."""

from __future__ import annotations

from typing import Final

from api.routes.deposit_answers import MOVEMENT
from api.shapes import (
    AMOUNT_TEXT,
    COUNT,
    DATE,
    FLAG,
    HASH_TEXT,
    MAYBE_TEXT,
    NULL,
    TEXT,
    TIME,
    Schema,
    list_shape,
    object_shape,
    one_of,
)
from contracts.settlement import Reason

_SIGNED: Final[Schema] = {"type": "string", "pattern": "^-?[0-9]+$"}
"""What came in is positive, what went out negative."""


_OWED: Final = one_of(object_shape(payer=TEXT, payee=TEXT, amount=AMOUNT_TEXT), NULL)
_CLAIM: Final = object_shape(
    creditor=TEXT,
    debtor=TEXT,
    opening=AMOUNT_TEXT,
    claimed=AMOUNT_TEXT,
    settled=AMOUNT_TEXT,
    closing=AMOUNT_TEXT,
)
CLEARING: Final = object_shape(
    date=DATE,
    since=TIME,
    until=TIME,
    final=FLAG,
    complete=FLAG,
    bilateral=list_shape(
        object_shape(
            currency=TEXT,
            banks=list_shape(TEXT),
            payments=COUNT,
            claims=list_shape(_CLAIM),
            setOff=AMOUNT_TEXT,
            dayNet=_OWED,
            net=_OWED,
        )
    ),
    multilateral=list_shape(
        object_shape(
            currency=TEXT,
            bank=TEXT,
            received=AMOUNT_TEXT,
            sent=AMOUNT_TEXT,
            dayNet=_SIGNED,
            net=_SIGNED,
        )
    ),
    transfers=list_shape(object_shape(currency=TEXT, payer=TEXT, payee=TEXT, amount=AMOUNT_TEXT)),
    movements=TEXT,
)
STATEMENT: Final = object_shape(
    **{
        "account": HASH_TEXT,
        "bank": TEXT,
        "owner": TEXT,
        "currency": TEXT,
        "from": DATE,
        "to": DATE,
        "opening": AMOUNT_TEXT,
        "closing": AMOUNT_TEXT,
        "movements": list_shape(MOVEMENT),
    }
)
_LINE: Final = object_shape(
    payment=one_of(HASH_TEXT, NULL),
    number=MAYBE_TEXT,
    day=DATE,
    amount=_SIGNED,
    currency=TEXT,
    counterparty=MAYBE_TEXT,
    leaf=one_of(COUNT, NULL),
    proof=MAYBE_TEXT,
)
_ENTRY: Final = object_shape(
    place=TEXT,
    booked=DATE,
    amount=_SIGNED,
    currency=TEXT,
    references=list_shape(TEXT),
    bankReferences=list_shape(TEXT),
    counterparty=TEXT,
    text=TEXT,
)
_DIFFERENCES: Final = list_shape(
    object_shape(
        reason={"type": "string", "enum": [one.value for one in Reason]},
        detail=TEXT,
        line=one_of(_LINE, NULL),
        entry=one_of(_ENTRY, NULL),
    )
)
_MAYBE_SIGNED: Final = one_of(_SIGNED, NULL)
RECONCILIATION: Final = object_shape(
    **{
        "account": TEXT,
        "currency": TEXT,
        "from": DATE,
        "to": DATE,
        "agrees": FLAG,
        "statement": object_shape(
            id=TEXT,
            account=TEXT,
            entries=COUNT,
            leftOut=COUNT,
            opening=_MAYBE_SIGNED,
            closing=_MAYBE_SIGNED,
        ),
        "ledger": object_shape(lines=COUNT),
        "matched": list_shape(object_shape(line=_LINE, entry=_ENTRY, byReference=FLAG)),
        "missingHere": _DIFFERENCES,
        "missingThere": _DIFFERENCES,
        "differingAmount": _DIFFERENCES,
        "differingDay": _DIFFERENCES,
        "toldTwice": _DIFFERENCES,
        "differingBalance": _DIFFERENCES,
    }
)
