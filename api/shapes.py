"""What answers look like, for the interface's description: of the very types that they are made of.

`contracts.instruments.notices.as_json` turns a record into JSON; here is the schema of what comes
of it. Members may be added at any time (`additionalProperties` is left open).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import is_dataclass
from datetime import date
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from contracts.instruments.notices import QUANTITIES, camel_case

Schema = dict[str, Any]

HASH_TEXT: Final[Schema] = {"type": "string", "pattern": "^0x[0-9a-f]{64}$"}
ADDRESS_TEXT: Final[Schema] = {"type": "string", "pattern": "^0x[0-9a-f]{40}$"}
HASHES: Final[Schema] = {"type": "array", "items": HASH_TEXT}
PLACE: Final[Schema] = {
    "type": "object",
    "required": ["transaction", "block", "time", "leaf", "proof"],
    "properties": {
        "transaction": HASH_TEXT,
        "block": {"type": "integer"},
        "time": {"type": "integer", "description": "Unix seconds"},
        "leaf": {"type": "integer", "description": "index in the log"},
        "proof": {"type": "string", "description": "where its proof is had"},
    },
}
"""Of `api.acts.common.place_body`."""

AMOUNT_TEXT: Final[Schema] = {"type": "string", "pattern": "^[0-9]+$"}
"""A quantity or an amount: decimal text, for it may have more than 53 bits."""

NULL: Final[Schema] = {"type": "null"}
TEXT: Final[Schema] = {"type": "string"}
MAYBE_TEXT: Final[Schema] = {"anyOf": [TEXT, NULL]}
COUNT: Final[Schema] = {"type": "integer"}
FLAG: Final[Schema] = {"type": "boolean"}
DATE: Final[Schema] = {"type": "string", "format": "date"}
TIME: Final[Schema] = {"type": "integer", "description": "Unix seconds"}

_HEX: Final = {"Hash32": HASH_TEXT, "Address": ADDRESS_TEXT}


def record_shape(
    kind: type, more: Mapping[str, Schema] | None = None, *, without: Iterable[str] = ()
) -> Schema:
    """Of a dataclass as `as_json` has it, without some members (by Python's names), with `more`.

    Raises `TypeError` for what no record has.
    """
    left_out = set(without)
    hints = get_type_hints(kind)
    kept = {name: hint for name, hint in hints.items() if name not in left_out}
    told = {camel_case(name): _member(name, hint) for name, hint in kept.items()}
    return object_shape(**{**told, **(more or {})})


def line_shape(kind: type) -> Schema:
    """Of a line of a history: what it tells, and where it stands on the chain."""
    return record_shape(kind, PLACE["properties"], without=("place",))


def told_shape(member: str, record: Schema, more: Mapping[str, Schema] | None = None) -> Schema:
    """Of what a change answers of its record: null where it was not touched itself."""
    return object_shape(**{member: one_of(record, NULL), **(more or {})})


def page_shape(member: str, item: Schema) -> Schema:
    """Of a page of a list."""
    after = {"type": ["string", "null"], "description": "of the next page; null on the last"}
    items = {"type": "array", "items": item}
    properties = {member: items, "after": after}
    return {"type": "object", "required": [member, "after"], "properties": properties}


def one_of(*shapes: Schema) -> Schema:
    """Any of these."""
    return {"anyOf": list(shapes)}


def list_shape(item: Schema) -> Schema:
    """Any number of them."""
    return {"type": "array", "items": item}


def object_shape(**properties: Schema) -> Schema:
    """An object that has all of these members."""
    return {"type": "object", "required": list(properties), "properties": properties}


def _member(name: str, hint: Any) -> Schema:
    if name in QUANTITIES and hint is int:
        return dict(AMOUNT_TEXT)
    if get_origin(hint) in (Union, UnionType):
        (kind,) = (one for one in get_args(hint) if one is not NoneType)
        return {"anyOf": [_member(name, kind), {"type": "null"}]}
    if get_origin(hint) is tuple:
        return {"type": "array", "items": _member(name, get_args(hint)[0])}
    if get_origin(hint) is Literal:
        return {"type": "string", "enum": list(get_args(hint))}
    named = getattr(hint, "__name__", "")
    if named in _HEX:
        return dict(_HEX[named])
    if not isinstance(hint, type):
        raise TypeError(f"{name}: {hint!r} has no shape")
    return _plain(name, hint)


def _plain(name: str, kind: type) -> Schema:
    if is_dataclass(kind):
        return record_shape(kind)
    if issubclass(kind, Enum):
        words = [one.name.lower().replace("_", "-") for one in kind]
        return {"type": "string", "enum": words}
    for known, schema in _KINDS:
        if issubclass(kind, known):
            return dict(schema)
    raise TypeError(f"{name}: {kind.__name__} has no shape")


_KINDS: Final[tuple[tuple[type, Schema], ...]] = (
    (bool, {"type": "boolean"}),
    (int, {"type": ["integer", "string"], "description": "as text beyond 53 bits"}),
    (str, {"type": "string"}),
    (bytes, {"type": "string", "pattern": "^0x([0-9a-f]{2})*$"}),
    (date, {"type": "string", "format": "date"}),
)
