"""What clearing, statements and reconciliations look like in JSON (`clearing_answers`)."""

from __future__ import annotations

from typing import Final

from api.routes.deposit_answers import MOVEMENT
from api.shapes import AMOUNT_TEXT, HASH_TEXT, NULL, TIME, Schema, list_shape, object_shape, one_of
from contracts.settlement import Reason

_TEXT: Final[Schema] = {"type": "string"}
_MAYBE_TEXT: Final = one_of(_TEXT, NULL)
_COUNT: Final[Schema] = {"type": "integer"}
_DATE: Final[Schema] = {"type": "string", "format": "date"}
_FLAG: Final[Schema] = {"type": "boolean"}
_SIGNED: Final[Schema] = {"type": "string", "pattern": "^-?[0-9]+$"}
"""What came in is positive, what went out negative."""


_OWED: Final = one_of(object_shape(payer=_TEXT, payee=_TEXT, amount=AMOUNT_TEXT), NULL)
_CLAIM: Final = object_shape(
    creditor=_TEXT,
    debtor=_TEXT,
    opening=AMOUNT_TEXT,
    claimed=AMOUNT_TEXT,
    settled=AMOUNT_TEXT,
    closing=AMOUNT_TEXT,
)
CLEARING: Final = object_shape(
    date=_DATE,
    since=TIME,
    until=TIME,
    final=_FLAG,
    complete=_FLAG,
    bilateral=list_shape(
        object_shape(
            currency=_TEXT,
            banks=list_shape(_TEXT),
            payments=_COUNT,
            claims=list_shape(_CLAIM),
            setOff=AMOUNT_TEXT,
            dayNet=_OWED,
            net=_OWED,
        )
    ),
    multilateral=list_shape(
        object_shape(
            currency=_TEXT,
            bank=_TEXT,
            received=AMOUNT_TEXT,
            sent=AMOUNT_TEXT,
            dayNet=_SIGNED,
            net=_SIGNED,
        )
    ),
    transfers=list_shape(
        object_shape(currency=_TEXT, payer=_TEXT, payee=_TEXT, amount=AMOUNT_TEXT)
    ),
    movements=_TEXT,
)
STATEMENT: Final = object_shape(
    **{
        "account": HASH_TEXT,
        "bank": _TEXT,
        "owner": _TEXT,
        "currency": _TEXT,
        "from": _DATE,
        "to": _DATE,
        "opening": AMOUNT_TEXT,
        "closing": AMOUNT_TEXT,
        "movements": list_shape(MOVEMENT),
    }
)
_LINE: Final = object_shape(
    payment=one_of(HASH_TEXT, NULL),
    number=_MAYBE_TEXT,
    day=_DATE,
    amount=_SIGNED,
    currency=_TEXT,
    counterparty=_MAYBE_TEXT,
    leaf=one_of(_COUNT, NULL),
    proof=_MAYBE_TEXT,
)
_ENTRY: Final = object_shape(
    place=_TEXT,
    booked=_DATE,
    amount=_SIGNED,
    currency=_TEXT,
    references=list_shape(_TEXT),
    bankReferences=list_shape(_TEXT),
    counterparty=_TEXT,
    text=_TEXT,
)
_DIFFERENCES: Final = list_shape(
    object_shape(
        reason={"type": "string", "enum": [one.value for one in Reason]},
        detail=_TEXT,
        line=one_of(_LINE, NULL),
        entry=one_of(_ENTRY, NULL),
    )
)
_MAYBE_SIGNED: Final = one_of(_SIGNED, NULL)
RECONCILIATION: Final = object_shape(
    **{
        "account": _TEXT,
        "currency": _TEXT,
        "from": _DATE,
        "to": _DATE,
        "agrees": _FLAG,
        "statement": object_shape(
            id=_TEXT,
            account=_TEXT,
            entries=_COUNT,
            leftOut=_COUNT,
            opening=_MAYBE_SIGNED,
            closing=_MAYBE_SIGNED,
        ),
        "ledger": object_shape(lines=_COUNT),
        "matched": list_shape(object_shape(line=_LINE, entry=_ENTRY, byReference=_FLAG)),
        "missingHere": _DIFFERENCES,
        "missingThere": _DIFFERENCES,
        "differingAmount": _DIFFERENCES,
        "differingDay": _DIFFERENCES,
        "toldTwice": _DIFFERENCES,
        "differingBalance": _DIFFERENCES,
    }
)
