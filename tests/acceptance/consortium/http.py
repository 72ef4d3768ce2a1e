"""HTTP to nodes on hosts of their own, with nothing but the standard library."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_S = 15.0
Dial = Callable[[str, int, float], socket.socket]
"""Connects to host and port within a time."""


class Unreachable(Exception):
    """No answer: the node is down, stopped or was ended meanwhile."""


class RpcError(Exception):
    """JSON-RPC said no."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer."""

    status: int
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class _Connection(http.client.HTTPConnection):
    def __init__(self, host: str, port: int, dial: Dial, timeout_s: float) -> None:
        super().__init__(host, port, timeout=timeout_s)
        self._dial = dial
        self._timeout_s = timeout_s

    def connect(self) -> None:
        self.sock = self._dial(self.host, int(self.port or 80), self._timeout_s)
        self.sock.settimeout(self._timeout_s)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class Http:
    """A keep-alive client of one address; for one thread."""

    def __init__(self, url: str, dial: Dial, timeout_s: float = TIMEOUT_S) -> None:
        place = urlsplit(url)
        self._connection = _Connection(str(place.hostname), int(place.port or 80), dial, timeout_s)

    def request(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        """One exchange. Raises Unreachable."""
        try:
            self._connection.request(
                method, path, body, {k.replace("_", "-"): v for k, v in headers.items()}
            )
            answer = self._connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as failed:
            self._connection.close()
            raise Unreachable(f"{method} {path}: {failed!r}") from failed
        names = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(answer.status, names, content)

    def get(self, path: str) -> Reply:
        """GET. Raises Unreachable."""
        return self.request("GET", path)

    def call(self, method: str, *params: object) -> Any:
        """One JSON-RPC call. Raises Unreachable and RpcError."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        reply = self.request(
            "POST", "/", json.dumps(body).encode(), Content_Type="application/json"
        )
        try:
            answer = reply.json()
        except ValueError as bad:
            raise RpcError(f"{method}: HTTP {reply.status}: {reply.body[:200]!r}") from bad
        if "error" in answer:
            raise RpcError(f"{method}: {answer['error']}")
        return answer["result"]

    def close(self) -> None:
        """Hang up."""
        self._connection.close()
