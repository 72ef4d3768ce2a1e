"""From a route's call to its answer: Idempotency-Key, `?prepare`, and what a change answers."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from fastapi import Request, Response
from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool

from api.documentation import BEARER, header, problems, query
from api.errors import Forbidden, QueryInvalid, Refusal
from api.formats import json_response
from api.operations.errors import UnderWay
from api.operations.repeating import done_before
from api.operations.service import Operations
from api.operations.types import Call, Done, Idempotency
from api.parameters import unknown_parameter
from api.principals import Principal
from api.schemas import Schema
from api.sight import Sight
from ledger.types import Address

KEY_LENGTH_MAX: Final = 255

_ACCOUNT: Final = re.compile(r"0x[0-9a-fA-F]{40}")
_PARAMETERS: Final = frozenset({"account", "prepare"})
_KEY: Final = re.compile(r"[!-~]{1,255}")

CHANGE_PARAMETERS: Final = [
    header(
        "Idempotency-Key",
        "the same request under the same key happens once and gives the same answer, for 48 hours",
        {"type": "string", "pattern": "^[!-~]+$", "minLength": 1, "maxLength": KEY_LENGTH_MAX},
    ),
    query(
        "prepare",
        "true: do nothing, answer with the transaction to sign (then POST /transactions)",
        {"type": "string", "enum": ["true", "false"], "default": "false"},
    ),
    query(
        "account",
        "with prepare: who is to sign; by default the organisation's only account",
        {"type": "string", "pattern": "^0x[0-9a-fA-F]{40}$"},
    ),
]
"""Parameters of every change, for `openapi_extra`."""


async def answer(
    request: Request,
    operations: Operations,
    principal: Principal,
    call: Call,
    body: bytes = b"",
    *,
    more: Callable[[Done], Mapping[str, Any]] = lambda _: {},
    location: Callable[[Done], str] | None = None,
) -> Response:
    """Perform the call, or prepare it where `?prepare=true` asks for that.

    `body` is the request's, for its digest; `more` are members of the answer beside those of
    `Done.body`; `location` is that of a record which the call makes (201 instead of 200). Raises
    what `Operations.perform` does, and `QueryInvalid`.
    """
    prepare, account = _preparation(request)
    if prepare:
        prepared = await run_in_threadpool(operations.prepare, principal, call, account)
        return json_response(prepared.body())
    try:
        done = await operations.perform(principal, call, idempotency_of(request, body))
    except UnderWay as under_way:
        return under_way_response(under_way)
    headers = {} if location is None else {"Location": location(done)}
    return done_response(
        done, Sight.acting(principal), more(done), headers=headers, created=location is not None
    )


async def answer_again(
    request: Request,
    engine: Engine,
    operations: Operations,
    principal: Principal,
    refusal: Refusal,
    body: bytes,
    *,
    more: Callable[[Done], Mapping[str, Any]] = lambda _: {},
) -> Response:
    """For a request whose call cannot be made (`refusal`): its answer where it came before under
    its Idempotency-Key. Raises `refusal` where it did not or where the key may not ask, and what
    `done_before` and `more` raise."""
    idempotency = idempotency_of(request, body)
    if idempotency is None or isinstance(refusal, Forbidden) or _preparation(request)[0]:
        raise refusal
    try:
        done = await run_in_threadpool(done_before, engine, operations, principal, idempotency)
    except UnderWay as under_way:
        return under_way_response(under_way)
    if done is None:
        raise refusal
    return done_response(done, Sight.acting(principal), more(done))


def done_response(
    done: Done,
    sight: Sight,
    more: Mapping[str, Any] | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    created: bool = False,
) -> Response:
    """What a change answers."""
    told = dict(headers or {})
    if done.replayed:
        told["Idempotency-Replayed"] = "true"
    status = 201 if created else 200
    return json_response(done.body(sight, **(more or {})), status=status, headers=told)


def under_way_response(under_way: UnderWay) -> Response:
    """202: it was sent, and no block has it yet."""
    body = under_way.body()
    return json_response(body, status=202, headers={"Location": body["location"]})


def idempotency_of(request: Request, body: bytes) -> Idempotency | None:
    """The request's Idempotency-Key with the digest of what it asks for. Raises `QueryInvalid`."""
    value = request.headers.get("idempotency-key")
    if value is None:
        return None
    if not _KEY.fullmatch(value):
        raise QueryInvalid(
            f"Idempotency-Key: 1 to {KEY_LENGTH_MAX} visible ASCII characters are meant"
        )
    digest = hashlib.sha256()
    parts = (
        request.method,
        request.url.path,
        request.url.query,
        request.headers.get("if-match", ""),
    )
    for part in (*(text.encode() for text in parts), body):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return Idempotency(value, digest.digest())


def change_responses(model: type[Schema], *statuses: int, created: bool = False) -> dict[Any, Any]:
    """`responses` of a route that answers a change with `model` (see `DoneAnswer`)."""
    media: dict[str, Any] = {"application/json": {}}
    told = "Durable, on the ledger and in every list; with `prepare`, the transaction to sign"
    under_way = "Sent, but in no block yet: ask at `Location`"
    return {
        200: {"model": model, "description": told, "content": media},
        **({201: {"model": model, "description": told, "content": media}} if created else {}),
        202: {"description": under_way, "content": {"application/json": {"schema": _PENDING}}},
        412: problems(409)[409] | {"description": "It has changed since the revision in If-Match"},
        **problems(400, 401, 403, 404, 409, 413, 415, 422, 507, *statuses),
    }


def change_extra(**more: Any) -> dict[str, Any]:
    """`openapi_extra` of a route that makes a change: security and `CHANGE_PARAMETERS`."""
    parameters = [*CHANGE_PARAMETERS, *more.pop("parameters", [])]
    return {**BEARER, "parameters": parameters, **more}


_PENDING: Final = {
    "type": "object",
    "required": ["transaction", "status", "location"],
    "properties": {
        "transaction": {"type": "string"},
        "status": {"const": "pending"},
        "location": {"type": "string"},
    },
}


def _preparation(request: Request) -> tuple[bool, Address | None]:
    """Whether the transaction is only to be prepared, and for which account."""
    for name in request.query_params:
        if name not in _PARAMETERS:
            raise unknown_parameter(name, _PARAMETERS)
    text = request.query_params.get("prepare", "false")
    if text not in ("true", "false"):
        raise QueryInvalid(f"prepare: {text[:40]!r} is neither true nor false")
    account = request.query_params.get("account")
    if account is None:
        return text == "true", None
    if not _ACCOUNT.fullmatch(account):
        raise QueryInvalid(f"account: {account[:60]!r} is no address: 0x and 40 hex digits")
    return text == "true", Address(bytes.fromhex(account[2:]))
