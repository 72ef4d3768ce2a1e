"""Proofs of single assets: checked against the state that is on the ledger."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Request, Response
from pydantic import ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from api.acts.common import (
    HashText,
    RecordId,
    StrictBody,
    body_schema,
    here_or_not_found,
    json_answer,
    missing,
    page_answer,
    read_strict,
)
from api.acts.pool_drafts import DateText
from api.auth import Guard
from api.documentation import bearer, problems
from api.errors import NotFound, Unavailable, ValidationFailed
from api.routes.pool_answers import day_body
from api.routes.pool_shapes import VERIFIED
from api.services import Services
from contracts.instruments import Viewer
from contracts.pools import AssetProof, AssetProofError
from contracts.pools.queries import find_day, find_pool
from contracts.pools.types import ASSETS_MAX
from ledger.projection import read_transaction
from ledger.tlog import Checkpoint, Note, TlogProof
from traceability.bundle import choose_checkpoint

READ: Final = "pools:read"
_PATH_MAX: Final = 24


class AssetBody(StrictBody):
    """An asset as the tree has it."""

    id: HashText
    kind: Literal["outside", "receivable", "receipt"]
    balance: Annotated[str, Field(pattern="^(0|[1-9][0-9]{0,18})$")]
    state: Literal["performing", "overdue", "defaulted", "repaid", "removed"]
    days_past_due: Annotated[int, Field(ge=0, le=(1 << 16) - 1)]
    terms: HashText


class ProofBody(StrictBody):
    """A file of `tally pool prove`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "format": "tallystick-pool-asset/1",
                    "pool": f"0x{'5e' * 32}",
                    "date": "2027-01-04",
                    "revision": 1,
                    "size": 1,
                    "index": 0,
                    "asset": {
                        "id": f"0x{'a5' * 32}",
                        "kind": "outside",
                        "balance": "1250000",
                        "state": "performing",
                        "daysPastDue": 0,
                        "terms": f"0x{'7e' * 32}",
                    },
                    "path": [],
                }
            ]
        }
    )

    format: Literal["tallystick-pool-asset/1"]
    pool: HashText
    date: DateText
    revision: Annotated[int, Field(ge=1, le=(1 << 16) - 1)]
    size: Annotated[int, Field(ge=1, le=ASSETS_MAX)]
    index: Annotated[int, Field(ge=0, lt=ASSETS_MAX)]
    asset: AssetBody
    path: Annotated[list[HashText], Field(max_length=_PATH_MAX)]
    attributes: Annotated[
        dict[str, str | int] | None, Field(description="what `asset.terms` is the hash of")
    ] = None


def add_verifying(routes: APIRouter, services: Services, guard: Guard) -> None:
    """`POST /pools/{id}/verify`."""

    def checked(proof: AssetProof, viewer: Viewer) -> dict[str, Any]:
        with read_transaction(services.engine) as connection:
            pool = here_or_not_found(
                find_pool(connection, proof.pool, viewer), "pool", f"0x{proof.pool.hex()}"
            )
            day = find_day(connection, proof.pool, proof.date, viewer, proof.revision)
            newest = find_day(connection, proof.pool, proof.date, viewer)
        if day is None or newest is None:
            raise NotFound(
                f"pool 0x{proof.pool.hex()} has no state of {proof.date}, revision {proof.revision}"
            )
        reason: str | None = None
        try:
            proof.verify(day.day.root, day.day.count)
        except AssetProofError as error:
            reason = str(error)
        return {
            "valid": reason is None,
            "reason": reason,
            "corrected": newest.revision != day.revision,
            "attributesShown": proof.attributes is not None,
            "day": day_body(pool.pool, proof.pool, day),
        }

    @routes.post(
        "/pools/{id}/verify",
        operation_id="verifyPoolProof",
        summary="Whether an asset stood in a pool on a date as a proof says",
        description=(
            "Against root and number of assets on the ledger. `corrected`: there is a later "
            "revision of that date's state. Changes nothing, and nothing is kept."
        ),
        response_class=Response,
        responses={**json_answer(VERIFIED), **problems(400, 401, 403, 404, 413, 415, 422)},
        openapi_extra={**bearer(READ), **body_schema(ProofBody)},
    )
    async def post_proof(request: Request, record: RecordId) -> Response:
        principal = guard.principal(request, READ, instrument=record)
        timeout_s = services.settings.body_timeout_s
        body, raw = await read_strict(request, ProofBody, timeout_s=timeout_s)
        if body.pool != record:
            raise missing("pool", f"the proof is of pool {body.pool}")
        try:
            proof = AssetProof.decode(raw)
        except AssetProofError as error:
            raise ValidationFailed(str(error)) from error
        return page_answer(await run_in_threadpool(checked, proof, principal.viewer))


def evidence_of(services: Services, leaf: int) -> dict[str, Any]:
    """The log's entry, and its proof up to a checkpoint. Raises `Unavailable`."""
    log = services.ledger.log
    note, witnessed = choose_checkpoint(log, leaf, services.trust)
    size = Checkpoint.parse(Note.decode(note).text).size
    if leaf >= size:
        raise Unavailable(f"leaf {leaf} is signed in a moment", retry_after_s=1)
    proof = TlogProof(leaf, tuple(log.inclusion_proof(leaf, size)), note)
    return {
        "leaf": leaf,
        "entry": f"0x{log.entry(leaf).hex()}",
        "proof": proof.encode(),
        "witnessed": witnessed,
    }
