"""Proof bundles."""

from __future__ import annotations

import re
from typing import Final

from fastapi import APIRouter, Request, Response

from api.documentation import problems, query
from api.errors import NotFound, QueryInvalid, Unavailable
from api.formats import NO_STORE, bytes_response
from api.proving import Prover
from api.routes.events import event_id_of
from api.schemas import Bundle
from api.services import Services
from api.waiting import WAIT_MAX_S
from ledger.projection import read_transaction
from traceability.bundle import NotProvableYet
from traceability.query import stored_event

WAIT_MAX_MS: Final = int(WAIT_MAX_S * 1000)
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


def router(services: Services, prover: Prover) -> APIRouter:
    """Routes under /proofs."""
    routes = APIRouter(tags=["proofs"])

    @routes.get(
        "/proofs/{eventID:path}",
        operation_id="getProof",
        summary="Proof bundle of an event (docs/proof-format.md section 5)",
        description=(
            "The very bytes to keep in a `.tally-proof.json` file and to verify offline. An event "
            "and its error declaration share an event id; `digest` tells them apart."
        ),
        response_class=Response,
        responses={
            200: {
                "model": Bundle,
                "description": "The bundle",
                "content": {"application/json": {}},
            },
            **problems(400, 404),
        },
        openapi_extra={
            "parameters": [
                query(
                    "digest",
                    "SHA-256 of the anchored event, if there are several of this id",
                    {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                ),
                query(
                    "wait",
                    "milliseconds to wait, for what was just recorded, until enough members "
                    "have signed",
                    {"type": "integer", "minimum": 0, "maximum": WAIT_MAX_MS},
                ),
            ]
        },
    )
    async def get_proof(request: Request, eventID: str) -> Response:  # noqa: N803
        wanted = event_id_of(request, eventID)
        digest = request.query_params.get("digest")
        if digest is not None and not _DIGEST.fullmatch(digest):
            raise QueryInvalid("digest: 64 lower-case hex digits are meant")
        wait_s = _wait_s(request, services.settings.witness_wait_s)
        with read_transaction(services.engine) as connection:
            found = stored_event(connection, wanted, digest)
        if found is None:
            raise NotFound(f"no event {wanted[:120]} is on the ledger")
        try:
            body, enough = await prover.waited_bundle(found, wait_s)
        except NotProvableYet as error:
            raise Unavailable(str(error), retry_after_s=1) from error
        name = f"{found.digest[:16]}.tally-proof.json"
        headers = {"Content-Disposition": f'inline; filename="{name}"'}
        # What too few members have signed so far is nothing to keep.
        cache = "no-cache" if enough else NO_STORE
        return bytes_response(
            body + b"\n", media_type="application/json", cache=cache, headers=headers
        )

    return routes


def _wait_s(request: Request, default: float) -> float:
    text = request.query_params.get("wait")
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) <= WAIT_MAX_MS):
        raise QueryInvalid(f"wait: {text[:40]!r} is not 0 to {WAIT_MAX_MS} milliseconds")
    return int(text) / 1000
