"""Transactions: signed by their sender and sent through here, how they stand, and their proofs."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from api.auth import Guard
from api.body import check_media_type, read_body
from api.documentation import BEARER, MAYBE_BEARER, header, problems
from api.errors import NotFound, ProblemPart, QueryInvalid, Unavailable, ValidationFailed
from api.formats import json_response
from api.leaves import Leaves
from api.operations import (
    Operations,
    UnderWay,
    change_responses,
    done_response,
    idempotency_of,
    under_way_response,
)
from api.principals import Principal
from api.schemas import DoneAnswer, LeafProof, SignedTransaction, TransactionStanding
from api.services import Services
from api.sight import Sight
from ledger.canonical import JsonError, parse_json
from ledger.tlog import Checkpoint, Note, TlogProof, leaf_hash
from ledger.types import Hash32
from traceability.bundle import choose_checkpoint

BODY_SIZE_BYTES_MAX: Final = (2 << 20) + 4096
"""The longest transaction that a ledger takes (1 MiB) in hex."""
LEAF_MAX: Final = 2**53 - 1

_HASH: Final = "^0x[0-9a-f]{64}$"
_RAW: Final = re.compile(r"0x(?:[0-9a-fA-F]{2})+")
_EXAMPLE: Final = {"raw": "0x02f86c"}


def router(services: Services, guard: Guard) -> APIRouter:
    """Routes under /transactions, where this node sends for members, and /log/proof."""
    routes = APIRouter(tags=["transactions"])
    _add_proof(routes, services, guard)
    if services.operations is not None:
        _add_submission(routes, services, guard, services.operations)
        _add_standing(routes, guard, services.operations)
    return routes


def _add_submission(
    routes: APIRouter, services: Services, guard: Guard, operations: Operations
) -> None:
    @routes.post(
        "/transactions",
        operation_id="submitTransaction",
        summary="Send a transaction that one of your own accounts has signed",
        description=(
            "Such as `?prepare=true` of any change answers, signed by EIP-1559. It must call one "
            "of this ledger's instruments, and the key must have that room's scope. Answers like "
            "the change itself; the same bytes again give the same answer."
        ),
        response_class=Response,
        responses=change_responses(DoneAnswer),
        openapi_extra={
            **BEARER,
            "parameters": [
                header(
                    "Idempotency-Key",
                    "durable before it is sent: it is sent again after a crash",
                    {"type": "string", "pattern": "^[!-~]+$", "minLength": 1, "maxLength": 255},
                )
            ],
            "requestBody": _request_body(),
        },
    )
    async def submit_transaction(request: Request) -> Response:
        principal = guard.principal(request, None)
        check_media_type(request)
        body = await read_body(
            request,
            size_bytes_max=BODY_SIZE_BYTES_MAX,
            timeout_s=services.settings.body_timeout_s,
        )
        raw = _raw(body)
        idempotency = idempotency_of(request, body)
        try:
            done = await operations.relay(principal, raw, idempotency)
        except UnderWay as under_way:
            return under_way_response(under_way)
        return done_response(done, Sight.acting(principal))


def _add_standing(routes: APIRouter, guard: Guard, operations: Operations) -> None:
    @routes.get(
        "/transactions/{hash}",
        operation_id="getTransaction",
        summary="How a transaction of your organisation stands",
        response_class=Response,
        responses={
            200: {
                "model": TransactionStanding,
                "description": "Pending, done (with all that the change answers), or refused",
                "content": {"application/json": {}},
            },
            **problems(400, 401, 403, 404),
        },
        openapi_extra=BEARER,
    )
    async def get_transaction(
        request: Request,
        text: Annotated[str, Path(alias="hash", json_schema_extra={"pattern": _HASH})],
    ) -> Response:
        principal = guard.principal(request, None)
        if not re.fullmatch(_HASH, text):
            raise QueryInvalid(f"hash: {text[:80]!r} is not 0x and 64 lower-case hex digits")
        wanted = Hash32(bytes.fromhex(text[2:]))
        found = await run_in_threadpool(operations.standing, principal, wanted)
        if found is None:
            raise NotFound(f"{principal.organisation} has no transaction {text}")
        return json_response(found.body(wanted, Sight.of(principal)))


def _add_proof(routes: APIRouter, services: Services, guard: Guard) -> None:
    leaves = Leaves(services)

    def proven(principal: Principal | None, leaf: int) -> dict[str, Any]:
        log = services.ledger.log
        if leaf >= log.size:
            raise NotFound(f"the log has no leaf {leaf} (yet)")
        note, witnessed = choose_checkpoint(log, leaf, services.trust)
        size = Checkpoint.parse(Note.decode(note).text).size
        if leaf >= size:
            raise Unavailable(f"leaf {leaf} is signed in a moment", retry_after_s=1)
        data = log.entry(leaf)
        return {
            "leaf": leaf,
            "entry": f"0x{data.hex()}" if leaves.gives(principal, data) else None,
            "hash": f"0x{leaf_hash(data).hex()}",
            "proof": TlogProof(leaf, tuple(log.inclusion_proof(leaf, size)), note).encode(),
            "witnessed": witnessed,
        }

    @routes.get(
        "/log/proof/{leaf}",
        operation_id="getLeafProof",
        summary="An entry of the log with its proof of inclusion",
        description=(
            "The proof is C2SP tlog-proof, up to the newest checkpoint that members sign. Hash and "
            "proof are for everybody, and so are the bytes of blocks and of what concerns all. "
            "Those of a contract of finance are given, with a key that may read its room, to who "
            "is told of the event or is a party to its record, and to who supervises; to others "
            "`entry` is null."
        ),
        response_class=Response,
        responses={
            200: {
                "model": LeafProof,
                "description": "The leaf's hash, its bytes and their proof",
                "content": {"application/json": {}},
            },
            **problems(400, 401, 403, 404, 503),
        },
        openapi_extra=MAYBE_BEARER,
    )
    async def get_leaf_proof(
        request: Request, leaf: Annotated[int, Path(ge=0, le=LEAF_MAX)]
    ) -> Response:
        principal = guard.anybody(request)
        body = await run_in_threadpool(proven, principal, leaf)
        cache = "no-cache" if principal is None else "private, no-cache"
        return json_response(body, headers={"Vary": "Authorization"}, cache=cache)


def _raw(body: bytes) -> bytes:
    try:
        value = parse_json(body, size_bytes_max=BODY_SIZE_BYTES_MAX, depth_max=4)
    except JsonError as error:
        raise ValidationFailed(f"the body is no JSON: {error}") from error
    if not isinstance(value, dict) or set(value) != {"raw"}:
        raise ValidationFailed('the body is {"raw": "0x…"} and nothing else')
    raw = value["raw"]
    if not isinstance(raw, str) or not _RAW.fullmatch(raw):
        detail = "0x and an even number of hex digits is meant"
        raise ValidationFailed(f"raw: {detail}", errors=[ProblemPart(detail, pointer="/raw")])
    return bytes.fromhex(raw[2:])


def _request_body() -> dict[str, Any]:
    schema = SignedTransaction.model_json_schema()
    media = {"schema": {**schema, "additionalProperties": False}, "example": _EXAMPLE}
    return {
        "required": True,
        "content": {"application/json": media, "application/ld+json": media},
    }
