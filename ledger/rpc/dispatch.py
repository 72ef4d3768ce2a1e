"""JSON-RPC 2.0: from body bytes to answer bytes, single requests and batches.

Source: JSON-RPC 2.0 specification, sections 4 to 6.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

import orjson

from ledger.errors import LedgerError
from ledger.rpc.chain_methods import ChainMethods, DebugMethods
from ledger.rpc.errors import (
    InvalidParams,
    InvalidRequest,
    LimitExceeded,
    MethodNotFound,
    ParseError,
    RpcError,
)
from ledger.rpc.filters import FilterMethods
from ledger.rpc.node_methods import NodeMethods
from ledger.rpc.state_methods import StateMethods
from ledger.rpc.types import Method, RpcContext

LOGGER = logging.getLogger(__name__)

IN_THREAD = frozenset(
    {
        "eth_call",
        "eth_estimateGas",
        "eth_getLogs",
        "eth_getFilterLogs",
        "eth_getFilterChanges",
        "eth_getProof",
        "eth_feeHistory",
        "eth_sendRawTransactionSync",
    }
)
"""Methods that may take long, and so must not hold up the event loop."""


def all_methods(context: RpcContext) -> dict[str, Method]:
    """Every method this node answers, by name."""
    answer: dict[str, Method] = {}
    for room in (NodeMethods, ChainMethods, StateMethods, FilterMethods, DebugMethods):
        answer.update(room(context).methods())
    return answer


class Dispatcher:
    """Answers request bodies. One for all connections of a server."""

    def __init__(self, context: RpcContext) -> None:
        self.context = context
        self._methods = all_methods(context)
        self._slots = asyncio.Semaphore(context.settings.calls_at_once_max)

    async def answer(self, body: bytes, extra: Mapping[str, Method] | None = None) -> bytes | None:
        """The response bytes; None where nothing is to be answered (notifications).

        `extra` are methods of this connection alone (subscriptions).
        """
        try:
            parsed = orjson.loads(body)
        except orjson.JSONDecodeError as bad:
            return orjson.dumps(_error(None, ParseError(f"the body is not JSON: {bad}")))
        if isinstance(parsed, list):
            return await self._batch(parsed, extra or {})
        one = await self._one(parsed, extra or {})
        return None if one is None else _dump(one)

    async def _batch(self, requests: list[object], extra: Mapping[str, Method]) -> bytes | None:
        settings = self.context.settings
        if not requests:
            return orjson.dumps(_error(None, InvalidRequest("the batch is empty")))
        if len(requests) > settings.batch_requests_max:
            return orjson.dumps(
                _error(
                    None,
                    InvalidRequest(
                        f"the batch has {len(requests)} requests, "
                        f"at most {settings.batch_requests_max} are taken"
                    ),
                )
            )
        parts: list[bytes] = []
        room = settings.batch_answer_bytes_max
        for index, request in enumerate(requests):
            if index % 16 == 15:
                await asyncio.sleep(0)  # others get their turn during a long batch
            answer = await self._one(request, extra)
            if answer is None:
                continue
            part = _dump(answer)
            if len(part) > room:
                part = orjson.dumps(
                    _error(answer.get("id"), LimitExceeded("the batch's answer grows too large"))
                )
            room -= len(part)
            parts.append(part)
        return b"[" + b",".join(parts) + b"]" if parts else None

    async def _one(self, request: object, extra: Mapping[str, Method]) -> dict[str, object] | None:
        if not isinstance(request, dict) or not isinstance(request.get("method"), str):
            return _error(None, InvalidRequest("a request object with a method is needed"))
        identity = request.get("id")
        if not isinstance(identity, (str, int, float, type(None))) or isinstance(identity, bool):
            return _error(None, InvalidRequest("id: a string, a number or null is needed"))
        try:
            result = await self._call(request["method"], request.get("params"), extra)
            answer: dict[str, object] = {"jsonrpc": "2.0", "id": identity, "result": result}
        except RpcError as refused:
            answer = _error(identity, refused)
        except LedgerError as failed:
            answer = _error(identity, RpcError(str(failed)))
        except Exception:
            LOGGER.exception("method %s failed", request["method"])
            answer = _error(identity, RpcError("internal error; the node's log says more"))
        return answer if "id" in request else None

    async def _call(self, name: str, params: object, extra: Mapping[str, Method]) -> object:
        method = extra.get(name) or self._methods.get(name)
        if method is None:
            raise MethodNotFound(f"the method {name[:100]} does not exist or is not available")
        if params is None:
            params = []
        if not isinstance(params, list):
            raise InvalidParams("params: a list is needed")
        if name not in IN_THREAD:
            return method(params)
        async with self._slots:
            return await asyncio.to_thread(method, params)


def _error(identity: object, error: RpcError) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": identity, "error": error.as_json()}


def _dump(answer: dict[str, object]) -> bytes:
    return orjson.dumps(answer)
