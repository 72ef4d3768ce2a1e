"""The transparency log as C2SP tlog-tiles: checkpoint, tiles, entries; and the trust file."""

from __future__ import annotations

import asyncio
import base64
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request, Response

from api.auth import Guard
from api.documentation import MAYBE_BEARER, problems, query
from api.errors import Forbidden, NotFound, QueryInvalid, Unauthenticated, Unavailable
from api.formats import FOREVER, bytes_response, json_response, timestamp
from api.leaves import Leaves
from api.principals import Principal
from api.schemas import ConsistencyProof, EvidenceFile, EvidenceList, TrustFile, VersionsFile
from api.services import Services
from api.trusting import served_trust, served_versions
from ledger.tlog import TILE_WIDTH, TilePath, TlogError
from ledger.witness import COUNT_MAX, FILE_SUFFIX, Evidence, Witness
from traceability.bundle import VersionsUnproven

OCTETS: Final = "application/octet-stream"
PARTIAL: Final = "public, max-age=3600"
"""A partial tile never changes either, but nobody asks for it once the full one is there."""
SIZE_MAX: Final = 1 << 62

_TILE: Final = {
    200: {
        "description": "The tile",
        "content": {OCTETS: {"schema": {"type": "string", "format": "binary"}}},
    },
    **problems(400, 401, 403, 404),
}
_SIZE: Final = {"type": "integer", "minimum": 0, "maximum": SIZE_MAX}


def router(services: Services, guard: Guard) -> APIRouter:
    """Routes under /log."""
    routes = APIRouter(prefix="/log", tags=["log"])
    log = services.ledger.log
    leaves = Leaves(services)

    def entries(principal: Principal | None, place: TilePath) -> Response:
        data = log.entries(place.index, place.width)
        if data is None:
            raise NotFound(f"the log has no such tile of entries (yet): {place.index}")
        if not leaves.gives_tile(principal, place.index * TILE_WIDTH, place.width):
            told = (
                "among these entries are those of contracts of finance: they are for who "
                "supervises, and for organisations that run an active node; /log/proof/{leaf} "
                "gives each of them to its parties"
            )
            raise Unauthenticated(told) if principal is None else Forbidden(told)
        full = place.width == TILE_WIDTH
        return bytes_response(
            data,
            media_type=OCTETS,
            cache=(FOREVER if full else PARTIAL) if principal is None else "private, no-cache",
            headers={"Vary": "Authorization"},
        )

    @routes.get(
        "/checkpoint",
        operation_id="getCheckpoint",
        summary="Latest signed checkpoint (C2SP tlog-checkpoint)",
        response_class=Response,
        responses={
            200: {
                "description": "A signed note",
                "content": {"text/plain; charset=utf-8": {"schema": {"type": "string"}}},
            },
            **problems(),
        },
    )
    async def get_checkpoint() -> Response:
        note = log.checkpoint().encode()
        return bytes_response(note, media_type="text/plain", cache="no-cache")

    @routes.get(
        "/tile/{path:path}",
        operation_id="getTile",
        summary="A tile of hashes or of entries",
        description=(
            "`{level}/{index}[.p/{width}]` or `entries/{index}[.p/{width}]` (C2SP tlog-tiles); the "
            "index in groups of three digits, all but the last "
            "with an `x` before them, e.g. `0/x001/234` or `entries/x001/234.p/17`. Without a "
            "width the full tile of 256 is meant: 404 until the log has all of it. Tiles of hashes "
            "are for everybody. Entries among which are those of contracts of finance are given "
            "with a key of who supervises, or of an organisation that runs an active node itself."
        ),
        response_class=Response,
        responses=_TILE,
        openapi_extra=MAYBE_BEARER,
    )
    async def get_tile(
        request: Request, path: Annotated[str, Path(examples=["0/000.p/1"])]
    ) -> Response:
        principal = guard.anybody(request)
        try:
            place = TilePath.parse(f"tile/{path}")
        except TlogError as error:
            raise QueryInvalid(f"tile path: {error}") from error
        # Never wider or narrower than asked for: a full tile's address must not give a part of it.
        if place.level is None:
            return await asyncio.to_thread(entries, principal, place)
        data = log.tile(place.level, place.index, place.width)
        if data is None:
            raise NotFound(f"the log has no tile {path[:80]} (yet)")
        full = place.width == TILE_WIDTH
        return bytes_response(data, media_type=OCTETS, cache=FOREVER if full else PARTIAL)

    @routes.get(
        "/trust",
        operation_id="getTrust",
        summary="Trust file: whose signatures count for this log",
        description="Take it from somebody you trust: a log vouching for itself proves nothing.",
        response_class=Response,
        responses={
            200: {
                "model": TrustFile,
                "description": "The trust file",
                "content": {"application/json": {}},
            },
            **problems(),
        },
    )
    async def get_trust() -> Response:
        trust = await asyncio.to_thread(served_trust, services)
        return bytes_response(trust, media_type="application/json", cache="no-cache")

    @routes.get(
        "/versions",
        operation_id="getVersions",
        summary="Proofs that the members have named later versions of the Provenance contract",
        description=(
            "docs/proof-format.md section 13: with it, whoever has an older trust file extends it "
            "without believing this node."
        ),
        response_class=Response,
        responses={
            200: {
                "model": VersionsFile,
                "description": "The proofs, oldest first",
                "content": {"application/json": {}},
            },
            **problems(503),
        },
    )
    async def get_versions() -> Response:
        try:
            records = await asyncio.to_thread(served_versions, services)
        except VersionsUnproven as error:
            raise Unavailable(str(error), retry_after_s=1) from error
        return bytes_response(records.encode(), media_type="application/json", cache="no-cache")

    @routes.get(
        "/consistency",
        operation_id="getConsistencyProof",
        summary="Proof that a later log begins with an earlier one (RFC 6962 section 2.1.2)",
        response_class=Response,
        responses={
            200: {
                "model": ConsistencyProof,
                "description": "The proof",
                "content": {"application/json": {}},
            },
            **problems(400),
        },
        openapi_extra={
            "parameters": [
                query("from", "size of the earlier tree", _SIZE, required=True, example=0),
                query("to", "size of the later tree", _SIZE, required=True, example=1),
            ]
        },
    )
    async def get_consistency(request: Request) -> Response:
        earlier, later = _size(request, "from"), _size(request, "to")
        size = log.size
        if not earlier <= later <= size:
            raise QueryInvalid(f"from {earlier} to {later}: 0 <= from <= to <= {size} is needed")
        # From an empty tree, or between equal ones, there is nothing to prove.
        path = log.consistency_proof(earlier, later) if 0 < earlier < later else ()
        body = {
            "origin": services.ledger.origin,
            "from": earlier,
            "to": later,
            "proof": [base64.b64encode(value).decode() for value in path],
        }
        return json_response(body, cache=FOREVER)

    @routes.get(
        "/cosignatures",
        operation_id="getCosignatures",
        summary="This node's own cosignatures of the log's heads (docs/proof-format.md section 9)",
        response_class=Response,
        responses={
            200: {
                "description": "The origin, then two lines for each head, sizes ascending",
                "content": {"text/plain; charset=utf-8": {"schema": {"type": "string"}}},
            },
            **problems(400, 404),
        },
        openapi_extra={
            "parameters": [
                query("from", "least size of the heads", _SIZE, required=True, example=0),
                query(
                    "limit",
                    "heads at most",
                    {"type": "integer", "minimum": 1, "maximum": COUNT_MAX, "default": COUNT_MAX},
                ),
            ]
        },
    )
    async def get_cosignatures(request: Request) -> Response:
        size = _size(request, "from")
        limit = _size(request, "limit") if "limit" in request.query_params else COUNT_MAX
        if not 1 <= limit <= COUNT_MAX:
            raise QueryInvalid(f"limit: {limit} is not within 1 to {COUNT_MAX}")
        text = _witness(services).cosignature_text(size, limit)
        return bytes_response(text.encode(), media_type="text/plain", cache="no-cache")

    @routes.get(
        "/evidence",
        operation_id="getEvidenceList",
        summary="Forks that this node has found",
        response_class=Response,
        responses={
            200: {
                "model": EvidenceList,
                "description": "One entry a file, the earliest found first",
                "content": {"application/json": {}},
            },
            **problems(404),
        },
    )
    async def get_evidence_list() -> Response:
        found = _witness(services).evidence.list()
        body = {"origin": services.ledger.origin, "evidence": [_evidence(one) for one in found]}
        return json_response(body, cache="no-cache")

    @routes.get(
        "/evidence/{id}",
        operation_id="getEvidence",
        summary="A file of fork evidence (docs/proof-format.md section 10)",
        description="Both signed checkpoints, verbatim. `tally verify` says what they prove.",
        response_class=Response,
        responses={
            200: {
                "model": EvidenceFile,
                "description": "The file's bytes",
                "content": {"application/json": {}},
            },
            **problems(404),
        },
    )
    async def get_evidence(id: Annotated[str, Path(examples=["0" * 64])]) -> Response:  # noqa: A002 - the name in the path
        data = _witness(services).evidence.read(id)
        if data is None:
            raise NotFound(f"this node keeps no evidence {id[:80]}")
        headers = {"Content-Disposition": f'attachment; filename="{id[:16]}{FILE_SUFFIX}"'}
        return bytes_response(data, media_type="application/json", cache=FOREVER, headers=headers)

    return routes


def _witness(services: Services) -> Witness:
    if services.witness is None:
        raise NotFound("this node is no witness of the log ([witness] in node.toml)")
    return services.witness


def _evidence(evidence: Evidence) -> dict[str, object]:
    first, second = evidence.checkpoints
    return {
        "id": evidence.id,
        "kind": str(evidence.kind),
        "accused": evidence.accused.name if evidence.accused else None,
        "firstSize": first.size,
        "secondSize": second.size,
        "foundAt": timestamp(evidence.found),
        "summary": evidence.summary,
    }


def _size(request: Request, name: str) -> int:
    text = request.query_params.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= SIZE_MAX):
        raise QueryInvalid(f"{name}: {text[:40]!r} is not a tree size")
    return int(text)
