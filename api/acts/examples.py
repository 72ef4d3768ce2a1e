"""Examples of bodies, made of their schemas: each is a body that the route reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

TEXTS: Final = (
    "town-bank",
    "CNY",
    "TNE",
    f"0x{'5e' * 32}",
    f"0x{'5e' * 20}",
    f"0x{'5e' * 64}1b",
    "R-2027-17",
    "1",
    "2027-01-09",
    "as agreed",
)
"""The first that fits a pattern is taken."""
MOMENT: Final = 1_830_000_000
"""Of bounded whole numbers that may be as large: a time, Unix seconds."""


def example_of(schema: Mapping[str, Any]) -> Any:
    """A value that fits a schema without references: of objects what is required, or the remark."""
    if "examples" in schema:
        return schema["examples"][0]
    if "const" in schema or "enum" in schema:
        return schema["const"] if "const" in schema else schema["enum"][0]
    if "anyOf" in schema:
        return example_of(schema["anyOf"][0])
    match schema.get("type"):
        case "object":
            return _object(schema)
        case "array":
            count = max(1, int(schema.get("minItems", 1)))
            return [example_of(schema.get("items", {}))] * count
        case "integer" | "number":
            return _number(schema)
        case "boolean":
            return True
        case "null":
            return None
    return _text(schema)


def _object(schema: Mapping[str, Any]) -> dict[str, Any]:
    properties = schema.get("properties", {})
    wanted = list(schema.get("required", ())) or [n for n in ("remark",) if n in properties]
    if not wanted and not properties:
        return {"goods": "wheat"}
    return {name: example_of(properties[name]) for name in wanted or list(properties)[:1]}


def _number(schema: Mapping[str, Any]) -> int:
    if schema.get("maximum", 0) > MOMENT and schema.get("minimum", 0) == 0:
        return MOMENT
    return max(1, int(schema.get("minimum", 1)))


def _text(schema: Mapping[str, Any]) -> str:
    pattern = schema.get("pattern", "")
    most = int(schema.get("maxLength", 1_000))
    for text in TEXTS if pattern else TEXTS[-1:]:
        if re.search(pattern, text) and len(text) <= most:
            return text
    raise ValueError(f"no example fits {pattern!r}: add one")
