"""Deposits in JSON: accounts, lines, positions, and what of a change its sender is told."""

from __future__ import annotations

from typing import Any, Final

from api.acts.common import place_body
from api.operations import Done
from api.principals import Principal
from api.shapes import (
    AMOUNT_TEXT,
    HASH_TEXT,
    NULL,
    PLACE,
    TEXT,
    Schema,
    line_shape,
    list_shape,
    one_of,
    record_shape,
)
from contracts.genesis import DEPOSITS_ADDRESS
from contracts.instruments import Viewer
from contracts.instruments.notices import as_json
from contracts.settlement import (
    Account,
    AccountChanged,
    Hold,
    InterbankMovement,
    Movement,
    Position,
    PositionChanged,
    Redemption,
    StoredAccount,
    StoredHold,
    StoredMovement,
    StoredPosition,
    StoredRedemption,
    decode_deposits_log,
)


def account_body(stored: StoredAccount) -> dict[str, Any]:
    """An account."""
    return {
        "id": f"0x{stored.key.hex()}",
        **record(stored.account),
        "free": str(stored.account.free),
        "last": place_body(stored.place),
    }


def movement_body(stored: StoredMovement) -> dict[str, Any]:
    """A line of a statement."""
    return _flat(stored, "movement")


def redemption_body(stored: StoredRedemption) -> dict[str, Any]:
    """A redemption."""
    return {
        "id": f"0x{stored.id.hex()}",
        **record(stored.redemption),
        "remark": stored.remark,
        "last": place_body(stored.place),
    }


def hold_body(stored: StoredHold) -> dict[str, Any]:
    """A hold: what is still held, and what was in the beginning."""
    return {
        "id": f"0x{stored.id.hex()}",
        **record(stored.hold),
        "initial": str(stored.amount),
        "last": place_body(stored.place),
    }


def position_body(stored: StoredPosition) -> dict[str, Any]:
    """What stands between two banks."""
    return {
        "creditor": stored.creditor,
        "debtor": stored.debtor,
        "currency": stored.currency,
        **record(stored.position),
        "last": place_body(stored.place),
    }


def interbank_body(movement: InterbankMovement) -> dict[str, Any]:
    """A change between two banks, with what it left behind."""
    return _flat(movement, "position")


# ---- what they look like ------------------------------------------------------------------------

_OWN: Final = {"id": HASH_TEXT, "last": PLACE}
HOLD: Final = record_shape(Hold, {**_OWN, "initial": AMOUNT_TEXT})
ACCOUNT: Final = record_shape(Account, {**_OWN, "free": AMOUNT_TEXT})
ACCOUNT_WITH_HOLDS: Final = record_shape(
    Account, {**_OWN, "free": AMOUNT_TEXT, "holds": {"type": "array", "items": HOLD}}
)
REDEMPTION: Final = record_shape(Redemption, {**_OWN, "remark": {"type": "string"}})
POSITION: Final = record_shape(
    Position,
    {"last": PLACE, **{one: {"type": "string"} for one in ("creditor", "debtor", "currency")}},
)


def _line(kind: type, inner: str, within: type) -> Schema:
    """Of `_flat`."""
    shape = line_shape(kind)
    properties = {**shape["properties"], **record_shape(within)["properties"]}
    del properties[inner]
    properties["payment"] = properties.pop("id")
    return {"type": "object", "required": list(properties), "properties": properties}


MOVEMENT: Final = _line(StoredMovement, "movement", Movement)
INTERBANK_MOVEMENT: Final = _line(InterbankMovement, "position", Position)


_CHANGE: Final[dict[str, Schema]] = {
    **dict.fromkeys(("currency", "kind", "remark"), TEXT),
    "payment": one_of(HASH_TEXT, NULL),
    "leaf": {"type": "integer", "description": "index in the log"},
}
_BALANCES: Final = dict.fromkeys(("balance", "setAside", "held", "free"), AMOUNT_TEXT)
CHANGED: Final = {
    "movements": list_shape(
        record_shape(
            Movement,
            {"account": HASH_TEXT, "bank": TEXT, "owner": TEXT, **_BALANCES, **_CHANGE},
        )
    ),
    "positions": list_shape(
        record_shape(
            Position,
            {
                **dict.fromkeys(("creditor", "debtor"), TEXT),
                "number": one_of(TEXT, NULL),
                "amount": AMOUNT_TEXT,
                **_CHANGE,
            },
        )
    ),
}
"""Members of `told`."""

# ---- changes ------------------------------------------------------------------------------------


def told(principal: Principal, done: Done) -> dict[str, Any]:
    """What a change did to accounts and positions that its sender may see.

    A payer learns what is left of his own money, not what the payee has.
    """
    viewer = principal.viewer
    movements: list[dict[str, Any]] = []
    positions: list[dict[str, Any]] = []
    for event in done.events:
        log = event.placed.log
        if log.address != DEPOSITS_ADDRESS:
            continue
        change = decode_deposits_log(log)
        if isinstance(change, AccountChanged):
            if _sees(viewer, change.content.bank, change.content.owner):
                movements.append(_changed(change) | {"leaf": event.leaf})
        elif isinstance(change, PositionChanged) and _sees(viewer, change.creditor, change.debtor):
            positions.append(_moved(change) | {"leaf": event.leaf})
    return {"movements": movements, "positions": positions}


def _sees(viewer: Viewer, *parties: str) -> bool:
    return viewer.sees_all or viewer.organisation in parties


def _changed(change: AccountChanged) -> dict[str, Any]:
    after = change.content
    return {
        "account": f"0x{change.account.hex()}",
        "bank": after.bank,
        "owner": after.owner,
        "currency": after.currency,
        "payment": as_json(change.id),
        "kind": change.kind.word,
        **record(change.movement),
        "balance": str(after.balance),
        "setAside": str(after.set_aside),
        "held": str(after.held),
        "free": str(after.free),
        "remark": change.remark,
    }


def _moved(change: PositionChanged) -> dict[str, Any]:
    return {
        "creditor": change.creditor,
        "debtor": change.debtor,
        "currency": change.currency,
        "payment": as_json(change.id),
        "kind": change.kind.word,
        "amount": str(change.amount),
        "number": change.number,
        **record(change.content),
        "remark": change.remark,
    }


def _flat(stored: StoredMovement | InterbankMovement, inner: str) -> dict[str, Any]:
    """A line as one object: what it tells, what it left behind, where its proof is."""
    body = record(stored)
    within = body.pop(inner)
    body["payment"] = body.pop("id")
    del body["place"]
    return {**body, **within, **place_body(stored.place)}


def record(value: object) -> dict[str, Any]:
    """A dataclass in JSON."""
    body = as_json(value)
    assert isinstance(body, dict)
    return body
