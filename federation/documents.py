"""From frozen dataclasses to canonical JSON (RFC 8785) and back, strictly: for every room."""

from __future__ import annotations

import re
from typing import Annotated, TypeVar

from pydantic import BeforeValidator, ConfigDict, PlainSerializer, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from federation.errors import FederationError
from ledger.canonical import JsonError, canonical_json, parse_json

SIZE_BYTES_MAX = 4 * 1024 * 1024
DEPTH_MAX = 12

STRICT = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=False, strict=True)
"""Names as the house writes them in JSON; nothing unknown, nothing converted."""

_HASH = re.compile(r"0x[0-9a-f]{64}")
Made = TypeVar("Made")


def _hash_of(value: object) -> bytes:
    if isinstance(value, bytes) and len(value) == 32:
        return value
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise ValueError("a hash is 0x and 64 lower-case hexadecimal digits")
    return bytes.fromhex(value[2:])


Hash = Annotated[bytes, BeforeValidator(_hash_of), PlainSerializer(lambda h: "0x" + h.hex())]
"""32 bytes; in JSON 0x and hexadecimal digits."""


def encode(adapter: TypeAdapter[Made], made: Made) -> bytes:
    """The canonical JSON of what the adapter describes."""
    return canonical_json(adapter.dump_python(made, mode="json", by_alias=True))


def decode(
    adapter: TypeAdapter[Made], data: bytes, what: str, refused: type[FederationError]
) -> Made:
    """What `encode` wrote. Raises `refused`, the room's own error, for anything else, saying where.

    The value is not shown: documents may hold what must not end up in logs.
    """
    try:
        parse_json(data, size_bytes_max=SIZE_BYTES_MAX, depth_max=DEPTH_MAX)
        return adapter.validate_json(data)
    except JsonError as error:
        raise refused(f"{what}: {error}") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = "/".join(str(part) for part in first["loc"]) or "document"
        raise refused(f"{what}, {place}: {first['msg']}") from error
