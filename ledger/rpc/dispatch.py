"""JSON-RPC 2.0: from body bytes to answer bytes, single requests and batches.

Source: JSON-RPC 2.0 specification, sections 4 to 6.
"""

from __future__ import annotations

import asyncio
import logging
import time
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
from ledger.rpc.lanes import Lanes
from ledger.rpc.node_methods import NodeMethods
from ledger.rpc.state_methods import StateMethods
from ledger.rpc.types import Method, RpcContext

LOGGER = logging.getLogger(__name__)

TURN_S = 0.005
"""A batch lets others have their turn that often."""


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
        self._lanes = Lanes(context.settings)

    def close(self) -> None:
        """Answer no more; returns once no thread reads the ledger."""
        self._lanes.close()

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
        turn = time.monotonic()
        deadline = turn + settings.batch_time_s_max
        for request in requests:
            now = time.monotonic()
            if now - turn > TURN_S:
                await asyncio.sleep(0)
                turn = time.monotonic()
            if room <= 0 or now > deadline:
                answer = _given_up(request, "size" if room <= 0 else "time")
            else:
                answer = await self._one(request, extra)
            if answer is None:
                continue
            part = _dump(answer)
            if 0 < room < len(part):
                room = 0
                part = _dump(_error(answer.get("id"), _batch_too_large("size")))
            room -= len(part)
            parts.append(part)
        return b"[" + b",".join(parts) + b"]" if parts else None

    async def _one(self, request: object, extra: Mapping[str, Method]) -> dict[str, object] | None:
        if not isinstance(request, dict) or not isinstance(request.get("method"), str):
            return _error(None, InvalidRequest("a request object with a method is needed"))
        identity = request.get("id")
        if not _is_identity(identity):
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
        return await self._lanes.run(name, method, params)


def _error(identity: object, error: RpcError) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": identity, "error": error.as_json()}


def _batch_too_large(what: str) -> RpcError:
    return LimitExceeded(f"the {what} of the batch's answer is used up; ask for less at a time")


def _given_up(request: object, what: str) -> dict[str, object] | None:
    """The answer to a request of a batch that is not looked at any more."""
    if not isinstance(request, dict):
        return _error(None, InvalidRequest("a request object with a method is needed"))
    identity = request.get("id")
    shown = identity if _is_identity(identity) else None
    return _error(shown, _batch_too_large(what)) if "id" in request else None


def _is_identity(value: object) -> bool:
    """Whether JSON-RPC takes it as an id. Source: JSON-RPC 2.0 section 4."""
    return isinstance(value, (str, int, float, type(None))) and not isinstance(value, bool)


def _dump(answer: dict[str, object]) -> bytes:
    return orjson.dumps(answer)
