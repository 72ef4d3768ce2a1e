"""The node itself: health, status, the page at its root and the reference at /docs."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.documentation import problems
from api.formats import hex_text, json_response
from api.gate import epcis_headers
from api.negotiation import HTML, JSON, choose
from api.schemas import Health, Status
from api.services import Services
from api.web import landing_response, reference_response
from ledger.projection import ProjectorState
from ledger.witness import Witness


def router(services: Services) -> APIRouter:
    """Routes at /, /docs, /health and /status."""
    routes = APIRouter(tags=["node"])

    @routes.get(
        "/health",
        operation_id="getHealth",
        summary="Whether the node can do its work",
        response_class=Response,
        responses={
            200: {"model": Health, "description": "Well", "content": {JSON: {}}},
            **problems(),
            503: {
                "model": Health,
                "description": "Not well; the reasons are told",
                "content": {JSON: {}, **problems()[503]["content"]},
            },
        },
    )
    async def get_health() -> Response:
        reasons = _reasons(services)
        body = {"status": "failing" if reasons else "ok", "reasons": reasons}
        return json_response(body, status=503 if reasons else 200)

    @routes.get(
        "/status",
        operation_id="getStatus",
        summary="Head of the chain, size of the log, state of projection and capture",
        response_class=Response,
        responses={
            200: {"model": Status, "description": "One moment", "content": {JSON: {}}},
            **problems(),
        },
    )
    async def get_status() -> Response:
        return json_response(_status(services))

    @routes.get(
        "/",
        operation_id="getRoot",
        summary="What this node is; a page for people",
        response_class=Response,
        responses={
            200: {
                "model": Status,
                "description": "As /status, or the page",
                "content": {JSON: {}, HTML: {"schema": {"type": "string"}}},
            },
            **problems(400, 406),
        },
    )
    async def get_root(request: Request) -> Response:
        if choose(request, (JSON, HTML)) == HTML:
            return landing_response(request, services)
        headers = {"Vary": "Accept, Accept-Language", **epcis_headers(services.settings)}
        return json_response(_status(services), headers=headers)

    @routes.get("/docs", include_in_schema=False)
    async def get_reference(request: Request) -> Response:
        return reference_response(request, services)

    return routes


def _reasons(services: Services) -> list[str]:
    reasons = []
    projection = services.projector.status()
    if projection.state is not ProjectorState.FOLLOWING:
        reasons.append(f"projection is {projection.state.value}")
    if not services.capture.status().running:
        reasons.append("capture does not run")
    return reasons


def _witness(witness: Witness) -> dict[str, object]:
    status = witness.status()
    return {
        "vkey": witness.verifier.vkey,
        "threshold": status.threshold,
        "witnessedSize": status.witnessed_size,
        "expected": len(status.expected),
        "missing": list(status.missing),
        "evidence": status.evidence,
    }


def _status(services: Services) -> dict[str, object]:
    head = services.ledger.head()
    projection = services.projector.status()
    capture = services.capture.status()
    more: dict[str, object] = {}
    if services.witness is not None:
        more["witness"] = _witness(services.witness)
    return {
        "name": services.name,
        "chainId": services.ledger.chain_id,
        "origin": services.ledger.origin,
        "head": {
            "number": head.header.number,
            "hash": hex_text(head.hash),
            "time": head.header.timestamp,
        },
        "log": {"size": services.ledger.log.size, "vkey": services.ledger.vkey},
        "projection": {
            "state": projection.state.value,
            "blockNumber": projection.block_number,
            "behind": projection.behind,
        },
        "capture": {
            "running": capture.running,
            "waitingJobs": capture.waiting_jobs,
            "waitingBytes": capture.waiting_bytes,
        },
        **more,
    }
