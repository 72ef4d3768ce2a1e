"""What a node needs that is to join: genesis, who is in, and the engine for light clients.

None of it is to be believed for coming from here: the joiner checks it against its trust file.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from api.body import check_media_type, read_body
from api.documentation import problems
from api.errors import NotFound
from api.formats import bytes_response, hex_text, json_response
from api.schemas import NetworkView
from api.services import EngineAccess, Services
from contracts.network import Node, find_nodes
from ledger.canonical import JsonError, parse_json
from ledger.consensus.cometbft import EngineRefused, EngineUnreachable, MethodNotAllowed
from ledger.projection import read_transaction

JSON: Final = "application/json"
CALL_SIZE_BYTES_MAX: Final = 4_096
CALL_TIMEOUT_S: Final = 10.0
_PARSE_ERROR, _INVALID_REQUEST, _METHOD_NOT_FOUND, _INTERNAL = -32700, -32600, -32601, -32603


def router(services: Services) -> APIRouter:
    """Routes under /network, and /engine."""
    routes = APIRouter(tags=["network"])
    engine = services.consensus

    @routes.get(
        "/network",
        operation_id="getNetwork",
        summary="The consortium's nodes, and where consensus stands",
        response_class=Response,
        responses={
            200: {"model": NetworkView, "description": "One moment", "content": {JSON: {}}},
            **problems(),
        },
    )
    async def get_network() -> Response:
        return json_response(await asyncio.to_thread(_network, services))

    @routes.get(
        "/network/genesis",
        operation_id="getGenesis",
        summary="The ledger's genesis as canonical JSON (RFC 8785)",
        response_class=Response,
        responses={
            200: {
                "description": "genesis.json",
                "content": {JSON: {"schema": {"type": "object"}}},
            },
            **problems(),
        },
    )
    async def get_genesis() -> Response:
        return bytes_response(services.ledger.genesis.document, media_type=JSON, cache="no-cache")

    @routes.get(
        "/network/engine-genesis",
        operation_id="getEngineGenesis",
        summary="The consensus engine's genesis.json, which a promoted ledger needs",
        response_class=Response,
        responses={
            200: {
                "description": "CometBFT's genesis.json",
                "content": {JSON: {"schema": {"type": "object"}}},
            },
            **problems(404),
        },
    )
    async def get_engine_genesis() -> Response:
        if engine is None:
            raise NotFound("this node orders alone: it has no consensus engine")
        return bytes_response(engine.genesis, media_type=JSON, cache="no-cache")

    @routes.post("/engine", include_in_schema=False)
    async def post_engine(request: Request) -> Response:
        """JSON-RPC 2.0, the methods that CometBFT's light client calls and no others."""
        if engine is None:
            raise NotFound("this node orders alone: it has no consensus engine")
        check_media_type(request)
        data = await read_body(
            request, size_bytes_max=CALL_SIZE_BYTES_MAX, timeout_s=CALL_TIMEOUT_S
        )
        return json_response(await asyncio.to_thread(_answer, engine, data))

    return routes


def _answer(engine: EngineAccess, data: bytes) -> dict[str, Any]:
    try:
        call = parse_json(data, size_bytes_max=CALL_SIZE_BYTES_MAX, depth_max=4)
    except JsonError as bad:
        return _error(None, _PARSE_ERROR, str(bad))
    if not isinstance(call, dict) or not isinstance(call.get("method"), str):
        return _error(None, _INVALID_REQUEST, "one call with a method is expected")
    number, params = call.get("id"), call.get("params") or {}
    if not isinstance(number, int | str | None) or not isinstance(params, dict):
        return _error(None, _INVALID_REQUEST, "params by name, and a plain id, are expected")
    try:
        return {"jsonrpc": "2.0", "id": number, "result": engine.rpc(call["method"], params)}
    except MethodNotAllowed as refused:
        return _error(number, _METHOD_NOT_FOUND, str(refused))
    except EngineRefused as refused:
        said = refused.args[1] if len(refused.args) > 1 else None
        error = said if isinstance(said, dict) else {"code": _INTERNAL, "message": str(refused)}
        return {"jsonrpc": "2.0", "id": number, "error": error}
    except EngineUnreachable as gone:
        return _error(number, _INTERNAL, str(gone))


def _error(number: int | str | None, code: int, message: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": message}}


def _network(services: Services) -> dict[str, Any]:
    ledger, engine, trust = services.ledger, services.consensus, services.trust
    with read_transaction(services.engine) as connection:
        nodes = find_nodes(connection)
    return {
        "origin": ledger.origin,
        "chainId": ledger.chain_id,
        "genesisHash": hex_text(ledger.genesis.block.hash),
        "engine": None
        if engine is None
        else {
            "chainId": engine.chain_id,
            "height": engine.height(),
            "snapshots": [{"height": height, "bytes": size} for height, size in engine.snapshots()],
        },
        "checkpoint": ledger.log.witnessed(0, trust.threshold, trust.keys),
        "nodes": [_node(one) for one in nodes],
    }


def _node(node: Node) -> dict[str, Any]:
    return {
        "id": node.id.hex(),
        "organisation": node.organisation,
        "status": node.status.word,
        "power": node.power,
        "validatorKey": None if node.validator_key is None else node.validator_key.hex(),
        "p2p": node.contact.p2p,
        "api": node.contact.api,
        "witnessKey": node.contact.witness_key,
        "sinceBlock": node.since_block,
    }
