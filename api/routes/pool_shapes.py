"""What pools, their days, instruments and money look like in JSON (`pool_answers`)."""

from __future__ import annotations

from typing import Final

from api.shapes import (
    ADDRESS_TEXT,
    AMOUNT_TEXT,
    COUNT,
    DATE,
    FLAG,
    HASH_TEXT,
    HASHES,
    MAYBE_TEXT,
    NULL,
    PLACE,
    TEXT,
    Schema,
    list_shape,
    object_shape,
    one_of,
    record_shape,
)
from contracts.pools import Account, Fee, Open, Pool, Tranche
from contracts.pools.types import (
    Collection,
    Day,
    Distribution,
    Owed,
    Payment,
    PoolAct,
    UnitsMoved,
)

_PROVEN: Final = {"leaf": COUNT, "proof": TEXT}
_PLACED: Final[dict[str, Schema]] = PLACE["properties"]
_REVISED: Final[dict[str, Schema]] = {"id": HASH_TEXT, "revision": COUNT}


# ---- pools --------------------------------------------------------------------------------------

_POOL: Final = record_shape(Pool, _REVISED)
LISTED: Final = object_shape(**{**_POOL["properties"], "last": PLACE})
_OWED: Final[dict[str, Schema]] = record_shape(Owed)["properties"]
_TRANCHE: Final = record_shape(
    Tranche,
    {
        "index": COUNT,
        "outstanding": AMOUNT_TEXT,
        **_OWED,
        "holders": list_shape(object_shape(organisation=TEXT, units=AMOUNT_TEXT)),
    },
)
TRANCHES: Final = object_shape(tranches=list_shape(_TRANCHE))
_FEE: Final = record_shape(Fee, {"index": COUNT, "carried": AMOUNT_TEXT})
_ACCOUNT: Final = record_shape(Account, {"periodEnd": one_of(DATE, NULL)}, without=("period_end",))
ONE: Final = object_shape(
    **LISTED["properties"], tranches=list_shape(_TRANCHE), fees=list_shape(_FEE), account=_ACCOUNT
)
ACT: Final = object_shape(act=TEXT, by=MAYBE_TEXT, detail=TEXT, **_PLACED)
_CONTROL: Final = object_shape(
    state=TEXT, pledged=FLAG, frozen=FLAG, locked=FLAG, amount=AMOUNT_TEXT, **_PROVEN
)
INSTRUMENT: Final = object_shape(
    id=HASH_TEXT,
    contract=ADDRESS_TEXT,
    kind=MAYBE_TEXT,
    held=FLAG,
    control=one_of(_CONTROL, NULL),
    admitted=PLACE,
)

# ---- days ---------------------------------------------------------------------------------------

_STATE: Final[dict[str, Schema]] = {
    "date": DATE,
    "revision": COUNT,
    **record_shape(Day)["properties"],
}
DAY_LINE: Final = object_shape(**_STATE, by=TEXT, reason=TEXT, **_PLACED)
DAY: Final = object_shape(pool=HASH_TEXT, arranger=TEXT, number=TEXT, **DAY_LINE["properties"])
VERIFIED: Final = object_shape(
    valid=FLAG, reason=MAYBE_TEXT, corrected=FLAG, attributesShown=FLAG, day=DAY
)

# ---- money --------------------------------------------------------------------------------------

_COLLECTION: Final[dict[str, Schema]] = {
    "number": COUNT,
    **record_shape(Collection)["properties"],
}
_SOURCE: Final = object_shape(
    payer=TEXT,
    amount=AMOUNT_TEXT,
    currency=TEXT,
    cause=one_of(HASH_TEXT, NULL),
    **_PROVEN,
)
_COLLECTIONS: Final = list_shape(
    object_shape(
        **_COLLECTION,
        by=TEXT,
        voidedBy=MAYBE_TEXT,
        voidReason=MAYBE_TEXT,
        **_PLACED,
        source=one_of(_SOURCE, NULL),
    )
)
_AFTER: Final = {"after": MAYBE_TEXT}
COLLECTIONS: Final = object_shape(collections=_COLLECTIONS, **_AFTER)
_DUE: Final[dict[str, Schema]] = {"number": COUNT, **record_shape(Payment)["properties"]}
PAYMENT: Final = object_shape(**_DUE, confirmed=one_of(object_shape(**_PROVEN), NULL), **_PLACED)
_SHARED_OUT: Final[dict[str, Schema]] = {
    "period": COUNT,
    **record_shape(Distribution)["properties"],
}
PERIOD: Final = object_shape(**_SHARED_OUT, state=TEXT, by=TEXT, **_PLACED)
_OPEN: Final = object_shape(period=COUNT, state=TEXT, **record_shape(Open)["properties"])
ONE_PERIOD: Final = one_of(_OPEN, object_shape(**PERIOD["properties"], open=_OPEN))
TRACE: Final = object_shape(
    period=COUNT,
    flows=list_shape(object_shape(collection=COUNT, payment=COUNT, amount=AMOUNT_TEXT)),
    collections=_COLLECTIONS,
    payments=list_shape(PAYMENT),
    **_AFTER,
)

# ---- changes ------------------------------------------------------------------------------------

_ACTS: Final = [one.name.lower().replace("_", "-") for one in PoolAct]
CHANGED: Final[Schema] = {
    "type": "object",
    "properties": {
        "pool": object_shape(**_POOL["properties"], act={"type": "string", "enum": _ACTS}),
        "moved": record_shape(UnitsMoved),
        "day": object_shape(**_STATE),
        "instruments": HASHES,
        "collection": object_shape(**_COLLECTION),
        "open": _OPEN,
        "voided": object_shape(number=COUNT, payment=HASH_TEXT),
        "period": object_shape(**_SHARED_OUT),
        "payments": list_shape(object_shape(**_DUE)),
        "confirmed": list_shape(object_shape(number=COUNT, settled=HASH_TEXT, payee=TEXT)),
    },
}
"""Of `told`: what an act has changed, each under its name, and nothing of what it has not."""
