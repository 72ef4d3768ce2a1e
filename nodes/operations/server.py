"""The operator's own listener: health, metrics, status, peers; backup and snapshot on demand.

Health and metrics answer whoever can reach the port (loopback by default); everything else needs
the bearer token of run.json, which only the node's user can read.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from api.limits import RateLimiter
from nodes.operations.blocks import BlockMeter
from nodes.operations.errors import JobRequestInvalid, JobUnavailable, JobUnderWay
from nodes.operations.jobs import Jobs
from nodes.operations.metrics import CONTENT_TYPE, node_registry, render
from nodes.operations.observing import Observer
from nodes.operations.protocol import Sources, Work
from nodes.operations.readiness import unready
from nodes.operations.settings import OperationsSettings
from nodes.operations.status import job_body, peers_body, ready_body, status_body
from nodes.operations.types import Finding

BODY_BYTES_MAX: Final = 4096
BODY_TIMEOUT_S: Final = 5.0
TARGET_CHARACTERS_MAX: Final = 1024
CLIENTS_MAX: Final = 1024

Handler = Callable[[Request], Awaitable[Response]]
_log = logging.getLogger(__name__)


class OperationsServer:
    """ASGI application and what stands behind it. `start` before serving, `stop` after."""

    def __init__(
        self, sources: Sources, settings: OperationsSettings | None = None, *, token: str
    ) -> None:
        """`token` is what run.json says (`nodes.operations.new_token`)."""
        self._sources = sources
        self._settings = settings or OperationsSettings()
        self._token = token.encode()
        self._observer = Observer(sources)
        self._registry = node_registry(self._observer, self._settings)
        self._blocks = BlockMeter(sources.ledger, self._registry)
        self._jobs = Jobs()
        per_s = self._settings.requests_per_minute / 60
        burst = max(10, self._settings.requests_per_minute // 10)
        self._one = RateLimiter(per_s, burst, CLIENTS_MAX)
        self._all = RateLimiter(per_s * 4, burst * 4, 1)
        self.application: Final = Starlette(
            routes=[
                Route("/health/live", self._open(self._live)),
                Route("/health/ready", self._open(self._ready)),
                Route("/metrics", self._open(self._metrics)),
                Route("/status", self._guarded(self._status)),
                Route("/peers", self._guarded(self._peers)),
                Route("/backup", self._guarded(self._begin_backup), methods=["POST"]),
                Route("/snapshot", self._guarded(self._begin_snapshot), methods=["POST"]),
                Route("/jobs/{job}", self._guarded(self._job)),
            ],
            exception_handlers={HTTPException: _refused},
        )
        self.application.router.redirect_slashes = False

    def start(self) -> None:
        """Begin to count blocks. Twice does no harm."""
        self._blocks.start()

    def stop(self, timeout_s: float = 30.0) -> None:
        """End; waits for a backup under way. Twice does no harm."""
        self._blocks.stop()
        self._jobs.close(timeout_s)

    def __enter__(self) -> OperationsServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # ---- at the door ----------------------------------------------------------------------------

    def _open(self, handler: Handler) -> Handler:
        async def handle(request: Request) -> Response:
            client = request.client.host if request.client else ""
            wait_s = self._all.take("") or self._one.take(client)
            if wait_s:
                headers = {"Retry-After": str(wait_s)}
                raise HTTPException(429, "too many requests: ask less often", headers)
            try:
                return await handler(request)
            except HTTPException:
                raise
            except Exception as error:
                _log.error("%s could not be answered", request.url.path, exc_info=error)
                raise HTTPException(503, f"the node could not answer: {error}") from error

        return handle

    def _guarded(self, handler: Handler) -> Handler:
        async def handle(request: Request) -> Response:
            scheme, _, given = request.headers.get("authorization", "").partition(" ")
            known = hmac.compare_digest(given.strip().encode("utf-8", "replace"), self._token)
            if scheme.lower() != "bearer" or not known:
                raise HTTPException(
                    401,
                    "send the token of the node's run.json as `Authorization: Bearer …`",
                    {"WWW-Authenticate": 'Bearer realm="tallystick operator"'},
                )
            return await handler(request)

        return self._open(handle)

    # ---- answers --------------------------------------------------------------------------------

    async def _live(self, _: Request) -> Response:
        return _json({"live": True})

    async def _ready(self, _: Request) -> Response:
        try:
            seen = await asyncio.to_thread(self._observer.observe)
        except Exception as error:
            _log.error("the node cannot be observed", exc_info=error)
            reason = Finding("ledger", f"the ledger does not answer: {error}")
            return _json(ready_body([reason]), 503)
        reasons = unready(seen, self._settings)
        return _json(ready_body(reasons), 503 if reasons else 200)

    async def _metrics(self, _: Request) -> Response:
        text = await asyncio.to_thread(render, self._registry)
        return Response(text, headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"})

    async def _status(self, _: Request) -> Response:
        seen = await asyncio.to_thread(self._observer.observe)
        return _json(status_body(seen, self._settings))

    async def _peers(self, _: Request) -> Response:
        return _json(peers_body(await asyncio.to_thread(self._observer.observe)))

    async def _begin_backup(self, request: Request) -> Response:
        return await self._begin(request, "backup", self._sources.backup)

    async def _begin_snapshot(self, request: Request) -> Response:
        return await self._begin(request, "snapshot", self._sources.snapshot)

    async def _begin(self, request: Request, kind: str, work: Work | None) -> Response:
        if work is None:
            raise HTTPException(501, f"this node makes no {kind}")
        try:
            target = _target(await _body(request))
            job = self._jobs.begin(kind, work, target)
        except JobRequestInvalid as bad:
            raise HTTPException(400, str(bad)) from bad
        except JobUnderWay as busy:
            raise HTTPException(409, str(busy)) from busy
        except JobUnavailable as gone:
            raise HTTPException(503, str(gone)) from gone
        return _json(job_body(job), 202, {"Location": f"/jobs/{job.id}"})

    async def _job(self, request: Request) -> Response:
        job = self._jobs.find(request.path_params["job"])
        if job is None:
            raise HTTPException(404, "no such job, or it ended long ago")
        return _json(job_body(job))


async def _body(request: Request) -> bytes:
    """A small body. Raises `JobRequestInvalid`."""
    data = b""
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for piece in request.stream():
                data += piece
                if len(data) > BODY_BYTES_MAX:
                    raise JobRequestInvalid(f"the body is larger than {BODY_BYTES_MAX} bytes")
    except (TimeoutError, ClientDisconnect) as late:
        raise JobRequestInvalid("the body did not arrive") from late
    return data


def _target(body: bytes) -> Path | None:
    """Where to put it: `{"target": "/absolute/folder"}`, or no body for the usual place."""
    if not body.strip():
        return None
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError) as bad:
        raise JobRequestInvalid(f"the body is no JSON: {bad}") from bad
    if not isinstance(asked, dict) or not set(asked) <= {"target"}:
        raise JobRequestInvalid('the body is an object such as {"target": "/absolute/folder"}')
    target = asked.get("target")
    if target is None:
        return None
    if (
        not isinstance(target, str)
        or not 0 < len(target) <= TARGET_CHARACTERS_MAX
        or "\0" in target
        or not Path(target).is_absolute()
    ):
        raise JobRequestInvalid("target: an absolute path on the node's machine is needed")
    return Path(target)


def _json(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(
        orjson.dumps(value),
        status_code=status,
        media_type="application/json",
        headers={
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            **(headers or {}),
        },
    )


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _json({"detail": error.detail}, error.status_code, error.headers)
