"""The outermost layer: what every request passes, whatever its route. Plain ASGI, for speed.

Bounds of address and headers, rate by network address, HEAD and OPTIONS for every resource, CORS
for reading, security headers, a time limit, and a problem instead of a traceback.
"""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import HeadersTooLarge, NotFound, RateLimited, Refusal, Unavailable, UriTooLong
from api.limits import RateLimiter
from api.problems import internal_problem, problem_response
from api.resources import Resources
from api.settings import ApiSettings

Headers = list[tuple[bytes, bytes]]

EXPOSED: Final = (
    "Location, Link, Retry-After, GS1-EPCIS-Version, GS1-CBV-Version, GS1-Extensions, "
    "GS1-Next-Page-Token-Expires"
)
READ_METHODS: Final = ("GET", "HEAD", "OPTIONS")
HEAD: Final = "tally.head"
"""In the scope where HEAD was asked: an answer without end has none to leave out then."""
TIMEOUT: Final = "tally.timeout"
"""In the scope: the request's time limit (`asyncio.Timeout`), for answers without end to lift."""

_ALWAYS: Final[Headers] = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
]
_OPENER: Final = (b"cross-origin-opener-policy", b"same-origin")
"""Over https only: elsewhere browsers ignore it, and complain."""
_NOT_A_PAGE: Final = (
    b"content-security-policy",
    b"default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
)
_CORS: Final[Headers] = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", EXPOSED.encode()),
]


class Gate:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, settings: ApiSettings, resources: Resources) -> None:
        self._app = app
        self._settings = settings
        self._resources = resources
        self._limiter = RateLimiter(
            settings.rate_per_address_per_s,
            settings.rate_per_address_burst,
            settings.rate_clients_max,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        secure = scope.get("scheme") == "https"
        sender = _Sender(send, head=scope["method"] == "HEAD", secure=secure)
        try:
            self._check(scope)
            if scope["method"] == "OPTIONS":
                await self._options(scope)(scope, receive, sender)
                return
            if scope["method"] == "HEAD":
                scope = {**scope, "method": "GET", HEAD: True}
            async with asyncio.timeout(self._settings.request_timeout_s) as limit:
                await self._app({**scope, TIMEOUT: limit}, receive, sender)
        except Refusal as refusal:
            await sender.replace(problem_response(refusal), scope, receive)
        except TimeoutError:
            late = Unavailable("the answer took too long; ask for less at once", retry_after_s=5)
            await sender.replace(problem_response(late), scope, receive)
        except Exception as error:
            await sender.replace(internal_problem(error), scope, receive)

    def _check(self, scope: Scope) -> None:
        settings = self._settings
        target = len(scope.get("raw_path") or scope["path"].encode()) + len(scope["query_string"])
        if target > settings.target_size_bytes_max:
            raise UriTooLong(
                f"path and query have {target} bytes; {settings.target_size_bytes_max} are allowed"
            )
        headers = scope["headers"]
        size = sum(len(name) + len(value) for name, value in headers)
        if size > settings.headers_size_bytes_max or len(headers) > settings.headers_count_max:
            raise HeadersTooLarge(
                f"at most {settings.headers_count_max} headers of "
                f"{settings.headers_size_bytes_max} bytes together are allowed"
            )
        client = scope.get("client")
        wait_s = self._limiter.take(client[0] if client else "")
        if wait_s:
            raise RateLimited("too many requests from this address", retry_after_s=wait_s)

    def _options(self, scope: Scope) -> Response:
        """RFC 9110 section 9.3.7, the EPCIS discovery headers, and CORS preflight for reading."""
        known = self._resources.methods(scope)
        if not known:
            return problem_response(NotFound(f"there is nothing at {scope['path'][:200]}"))
        reading = ", ".join(method for method in READ_METHODS if method in known)
        headers = {
            "Allow": ", ".join(known),
            "Access-Control-Allow-Methods": reading,
            "Access-Control-Allow-Headers": "Accept, Accept-Language, GS1-Extensions",
            "Access-Control-Max-Age": "86400",
            **epcis_headers(self._settings),
        }
        return Response(status_code=204, headers=headers)


class _Sender:
    """Adds headers to the answer; leaves its body out for HEAD; remembers whether it began."""

    def __init__(self, send: Send, *, head: bool, secure: bool) -> None:
        self._send = send
        self._head = head
        self._added = (*_ALWAYS, _NOT_A_PAGE, *_CORS, *([_OPENER] if secure else ()))
        self._begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._begun = True
            headers: Headers = message.setdefault("headers", [])
            present = {name for name, _ in headers}
            headers += [pair for pair in self._added if pair[0] not in present]
        elif self._head and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self._send(message)

    async def replace(self, response: Response, scope: Scope, receive: Receive) -> None:
        """Answer this instead, unless an answer has begun: then only breaking off is honest."""
        if self._begun:
            raise ConnectionAbortedError("the answer had begun when it failed")
        await response(scope, receive, self)


def epcis_headers(settings: ApiSettings) -> dict[str, str]:
    """What OPTIONS tells of the EPCIS interface (EPCIS 2.0 sections 12.3 and 12.6)."""
    return {
        "GS1-EPCIS-Version": "2.0.0",
        "GS1-EPCIS-Min": "2.0.0",
        "GS1-EPCIS-Max": "2.0.0",
        "GS1-CBV-Version": "2.0.0",
        "GS1-CBV-Min": "2.0.0",
        "GS1-CBV-Max": "2.0.0",
        "GS1-Vendor-Version": "tallystick/1",
        "GS1-EPCIS-Capture-Limit": str(settings.event_count_max),
        "GS1-EPCIS-Capture-File-Size-Limit": str(settings.body_size_bytes_max),
        "GS1-Capture-Error-Behaviour": "rollback, proceed",
        "GS1-EPC-Format": "Never_Translates",
        "GS1-CBV-XML-Format": "Never_Translates",
    }
