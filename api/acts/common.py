"""What all rooms' requests share: words of their bodies, If-Match, pages, and places for proofs."""

from __future__ import annotations

import copy
import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Final, TypeVar

from fastapi import Path, Request, Response
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel

from api.acts.examples import example_of
from api.body import JSON_TYPES, check_media_type, read_body
from api.errors import NotFound, ProblemPart, QueryInvalid, ValidationFailed
from api.faults import part_of
from api.formats import json_response
from contracts.errors import CalldataValueError, OrganisationIdError
from contracts.instruments import ClaimInvalid, CursorInvalid, Page
from contracts.instruments.places import ChainPlace
from ledger.canonical import CanonicalError
from ledger.types import Hash32

BODY_SIZE_BYTES_MAX: Final = 1 << 18
HASH: Final = "^0x[0-9a-f]{64}$"
ORGANISATION: Final = "^[a-z0-9-]{1,32}$"
PAYLOAD_BYTES_MAX: Final = 65_536
REMARK_BYTES_MAX: Final = 256
UINT128_MAX: Final = (1 << 128) - 1
UINT48_MAX: Final = (1 << 48) - 1
UINT64_MAX: Final = (1 << 64) - 1

_UNITS: Final = (
    "a whole number is meant: amounts in hundredths of the currency (12.50 is 1250), quantities in "
    "thousandths of the unit (1.5 is 1500)"
)
_DIGITS: Final = re.compile(r"0|[1-9][0-9]{0,38}")
_REVISION: Final = re.compile(r'"([0-9]{1,20})"')

Body = TypeVar("Body", bound="StrictBody")
Found = TypeVar("Found")


def _number(value: object) -> object:
    """Whole numbers may come as text: not every JSON reader keeps those beyond 2^53."""
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    if isinstance(value, str | float):
        raise ValueError(_UNITS)
    return value


def _uint128(value: int) -> int:
    if not 0 <= value <= UINT128_MAX:
        raise ValueError("between 0 and 2^128 - 1 is meant")
    return value


def _remark(value: str) -> str:
    if len(value.encode("utf-8", "surrogatepass")) > REMARK_BYTES_MAX:
        raise ValueError(f"at most {REMARK_BYTES_MAX} bytes of UTF-8 are possible")
    return value


HashText = Annotated[str, Field(pattern=HASH)]
OrganisationName = Annotated[str, Field(pattern=ORGANISATION)]
UnixTime = Annotated[int, Field(ge=0, le=UINT48_MAX, description="Unix seconds")]
CurrencyCode = Annotated[str, Field(pattern="^[A-Z]{3}$", description="ISO 4217")]
Remark = Annotated[
    str,
    AfterValidator(_remark),
    Field(max_length=REMARK_BYTES_MAX, description="seen by all members; at most 256 bytes"),
]
Quantity = Annotated[
    int,
    BeforeValidator(_number),
    AfterValidator(_uint128),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "string", "pattern": "^(0|[1-9][0-9]{0,38})$"},
            ]
        }
    ),
]
"""Quantities in thousandths of the unit, amounts in hundredths of the currency."""
Decision = Annotated[str, Field(pattern=HASH, description="SHA-256 of the decision's document")]
RecordId = Annotated[str, Path(alias="id", pattern=HASH)]


class StrictBody(BaseModel):
    """Base of bodies: names in camelCase, no others, no guessing of types."""

    model_config = ConfigDict(
        extra="forbid", strict=True, alias_generator=to_camel, populate_by_name=True
    )


@dataclass(frozen=True, slots=True)
class Target:
    """The record that a request is about, and who asks."""

    organisation: str
    id: Hash32
    revision: int
    """As the sender has seen it; 0: whichever."""
    origin: str
    """The ledger's: the salt of claims."""

    @property
    def text(self) -> str:
        """The id as it is written."""
        return f"0x{self.id.hex()}"


def hash_of(text: str) -> Hash32:
    """The hash in a text that a pattern has checked."""
    return Hash32(bytes.fromhex(text[2:]))


def maybe_hash(text: str | None) -> Hash32 | None:
    """The hash in what may have been left out."""
    return None if text is None else hash_of(text)


def missing(name: str, detail: str) -> ValidationFailed:
    """A member of the body that is not there, or does not go with the others."""
    return ValidationFailed(f"/{name}: {detail}", errors=[ProblemPart(detail, f"/{name}")])


def digest_of(
    name: str, told: str | None, document: bytes | None, member: str = "document"
) -> Hash32:
    """SHA-256 of a document: told as `name`, or of what is sent itself as `member`.

    Raises `ValidationFailed`.
    """
    digest = None if document is None else Hash32(hashlib.sha256(document).digest())
    if told is None and digest is None:
        raise missing(name, f"the hash is needed here, or what it is of in `{member}`")
    if told is not None and digest not in (None, hash_of(told)):
        raise missing(name, f"the hash is not that of what is sent in `{member}`")
    return hash_of(told) if told is not None else Hash32(digest or b"")


def published(document: bytes | None, publish: bool) -> bytes:
    """What goes onto the ledger beside the hash. Raises `ValidationFailed`."""
    if not publish:
        return b""
    if document is None:
        raise missing("document", "what is to be published is missing")
    if len(document) > PAYLOAD_BYTES_MAX:
        raise missing("document", f"at most {PAYLOAD_BYTES_MAX} bytes can be published")
    return document


def revision_of(request: Request) -> int:
    """The revision in If-Match, 0 where there is none or `*`. Raises `QueryInvalid`."""
    text = request.headers.get("if-match", "*").strip()
    if text == "*":
        return 0
    found = _REVISION.fullmatch(text)
    if found is None or not 0 < int(found[1]) <= UINT64_MAX:
        detail = f'If-Match: {text[:40]!r} is no revision in quotes, such as "3"'
        raise QueryInvalid(detail, errors=[ProblemPart(detail, parameter="If-Match")])
    return int(found[1])


async def read_strict(
    request: Request,
    model: type[Body],
    *,
    timeout_s: float,
    size_bytes_max: int = BODY_SIZE_BYTES_MAX,
) -> tuple[Body, bytes]:
    """The body as that model, and its bytes; none counts as `{}`.

    Raises `ValidationFailed`, and what `read_body` raises.
    """
    if _has_none(request):
        data = b"{}"
    else:
        check_media_type(request)
        data = await read_body(request, size_bytes_max=size_bytes_max, timeout_s=timeout_s)
    try:
        return model.model_validate_json(data), data
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        parts = [part_of(one, one["loc"]) for one in faults]
        first = parts[0]
        detail = f"{first.pointer or 'the body'}: {first.detail}"
        raise ValidationFailed(detail, errors=parts) from error


def _has_none(request: Request) -> bool:
    headers = request.headers
    return headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers


@contextmanager
def valid() -> Iterator[None]:
    """What a builder of calldata or a list refuses, as a problem."""
    try:
        yield
    except (CalldataValueError, OrganisationIdError, ClaimInvalid, CanonicalError) as error:
        raise ValidationFailed(str(error)) from error
    except CursorInvalid as error:
        raise QueryInvalid(
            str(error), errors=[ProblemPart(str(error), parameter="after")]
        ) from error


def here_or_not_found(found: Found | None, what: str, id_: str) -> Found:
    """The record. Raises `NotFound`: what one may not see is not there."""
    if found is None:
        raise NotFound(f"there is no {what} {id_} that you may see")
    return found


def place_body(place: ChainPlace) -> dict[str, Any]:
    """Where a record's last act stands, and where its proof is."""
    return {
        "transaction": f"0x{place.transaction_hash.hex()}",
        "block": place.block_number,
        "time": place.block_time,
        "leaf": place.leaf_index,
        "proof": f"/log/proof/{place.leaf_index}",
    }


def listing(name: str, page: Page[Found], item: Callable[[Found], Any]) -> dict[str, Any]:
    """A page in JSON; `after` is null on the last."""
    return {name: [item(one) for one in page.items], "after": page.after}


def json_answer(schema: dict[str, Any] | None) -> dict[int | str, dict[str, Any]]:
    """`responses` of a route that answers what it finds, in that shape where it is told."""
    media = {} if schema is None else {"schema": schema}
    return {200: {"description": "As of now", "content": {"application/json": media}}}


def page_answer(body: dict[str, Any]) -> Response:
    """JSON that is good now."""
    return json_response(body, cache="no-cache")


def body_schema(model: type[BaseModel], *, required: bool = True) -> dict[str, Any]:
    """`requestBody` of a route that reads its body by itself."""
    media = copy.deepcopy(_media(model))
    return {"requestBody": {"required": required, "content": dict.fromkeys(JSON_TYPES, media)}}


@cache
def _media(model: type[BaseModel]) -> dict[str, Any]:
    # Kept: many routes have the same body, and making it is most of the start of an application.
    schema = model.model_json_schema(by_alias=True)
    inlined = _inlined(schema, schema.pop("$defs", {}))
    return {"schema": inlined, "example": example_of(inlined)}


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """The schema with its references written out: it stands in a document of another layout."""
    if isinstance(schema, list):
        return [_inlined(one, definitions) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    return {name: _inlined(one, definitions) for name, one in schema.items()}
