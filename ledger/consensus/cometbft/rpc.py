"""The engine's own RPC, over its unix socket.

Source: CometBFT v0.38, rpc/openapi (JSON-RPC 2.0; 64-bit numbers are strings).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import httpx
import orjson

from ledger.consensus.cometbft.errors import EngineRefused, EngineUnreachable, MethodNotAllowed

TIMEOUT_S: Final = 10.0
ANSWER_SIZE_BYTES_MAX: Final = 64 << 20
IN_CACHE: Final = "already exists in cache"
"""Of the answer for a transaction that the engine has seen."""
READ_ONLY: Final[Mapping[str, frozenset[str]]] = {
    "commit": frozenset(("height",)),
    "consensus_params": frozenset(("height",)),
    "header": frozenset(("height",)),
    "status": frozenset(),
    "validators": frozenset(("height", "page", "per_page")),
}
"""What others may call, with the names of the parameters: what a light client asks for (commit,
validators), what state sync does beside it (consensus_params), what a joiner looks at (header,
status). None gives blocks away, or makes the engine work for more than one height."""
_PARAMETER_SIZE_MAX: Final = 20

Params = Mapping[str, str]


class EngineRpc:
    """Thread-safe."""

    def __init__(self, socket: Path) -> None:
        self._client = httpx.Client(
            transport=httpx.HTTPTransport(uds=str(socket)),
            base_url="http://engine",
            timeout=TIMEOUT_S,
            headers={"content-type": "application/json"},
        )

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def call(self, method: str, params: Params | None = None) -> dict[str, object]:
        """The result of a method. Raises `EngineUnreachable`, `EngineRefused`."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": dict(params or {})}
        answer = self._post(request)
        if not isinstance(answer, dict):
            raise EngineUnreachable(f"the engine's answer to {method} is no object")
        error, result = answer.get("error"), answer.get("result")
        if isinstance(error, dict):
            raise EngineRefused(_words(error), error)
        if not isinstance(result, dict):
            raise EngineUnreachable(f"the engine's answer to {method} has no result")
        return result

    def broadcast(self, raws: Sequence[bytes]) -> list[str | None]:
        """Offer transactions to the engine's mempool, in order.

        For each None, or why it was not taken at once; what CheckTx says is not waited for.
        Raises `EngineUnreachable`.
        """
        requests = [
            {
                "jsonrpc": "2.0",
                "id": place,
                "method": "broadcast_tx_async",
                "params": {"tx": base64.b64encode(raw).decode()},
            }
            for place, raw in enumerate(raws)
        ]
        answers = self._post(requests)
        if isinstance(answers, dict):
            answers = [answers]
        if not isinstance(answers, list):
            raise EngineUnreachable("the engine's answer to a batch is no list")
        reasons: list[str | None] = ["the engine did not answer"] * len(raws)
        for answer in answers:
            place = answer.get("id") if isinstance(answer, dict) else None
            if isinstance(place, int) and 0 <= place < len(raws):
                error = answer.get("error")
                reasons[place] = _words(error) if isinstance(error, dict) else None
        return reasons

    def _post(self, body: object) -> object:
        try:
            with self._client.stream("POST", "/", content=orjson.dumps(body)) as response:
                data = bytearray()
                for part in response.iter_bytes():
                    data += part
                    if len(data) > ANSWER_SIZE_BYTES_MAX:
                        raise EngineUnreachable("the engine's answer is too large")
            answer: object = orjson.loads(data)
        except (httpx.HTTPError, OSError, RuntimeError) as error:
            raise EngineUnreachable(
                f"the engine does not answer: {type(error).__name__}: {error}"
            ) from error
        except orjson.JSONDecodeError as error:
            raise EngineUnreachable(f"the engine's answer is no JSON: {error}") from error
        return answer


def read_only(method: str, params: Mapping[str, object]) -> Params:
    """The parameters of a method that others may call, checked. Raises `MethodNotAllowed`."""
    names = READ_ONLY.get(method)
    if names is None:
        raise MethodNotAllowed(f"{method[:40]!r} is not served; there are {', '.join(READ_ONLY)}")
    checked: dict[str, str] = {}
    for name, value in params.items():
        if name not in names:
            raise MethodNotAllowed(f"{method} has no parameter {name[:40]!r}")
        if value is None:
            continue
        text = str(value)
        if isinstance(value, bool) or len(text) > _PARAMETER_SIZE_MAX or not text.isdecimal():
            raise MethodNotAllowed(f"{name} of {method} is a number")
        checked[name] = text
    return checked


def _words(error: Mapping[str, object]) -> str:
    parts = (error.get("message"), error.get("data"))
    return ": ".join(str(part) for part in parts if part)[:500]
