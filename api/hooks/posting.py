"""One attempt: a POST within bounds of time and size, to a checked address, and never further."""

from __future__ import annotations

import asyncio
import email.utils
import ssl
import time
from collections.abc import Mapping
from typing import Final

import httpcore

from api.hooks.addresses import GuardedBackend, check_url
from api.hooks.errors import AddressRefused
from api.hooks.settings import HookSettings
from api.hooks.types import Outcome

KEPT_OPEN_MAX: Final = 16
KEPT_OPEN_S: Final = 30.0
ERROR_LENGTH_MAX: Final = 300
USER_AGENT: Final = "Tallystick-Webhooks/1"


class Poster:
    """Sends messages. Lives on one event loop."""

    def __init__(self, settings: HookSettings, tls: ssl.SSLContext | None = None) -> None:
        self._settings = settings
        self._backend = GuardedBackend(allow_private=settings.allow_private_addresses)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls or ssl.create_default_context(),
            max_connections=settings.at_once_max + KEPT_OPEN_MAX,
            max_keepalive_connections=KEPT_OPEN_MAX,
            keepalive_expiry=KEPT_OPEN_S,
            network_backend=self._backend,
        )

    async def close(self) -> None:
        await self._pool.aclose()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Try once. Whatever goes wrong is an outcome; 2xx alone counts as taken."""
        begun = time.monotonic()
        status: int | None = None
        retry_after_s: float | None = None
        try:
            async with asyncio.timeout(self._settings.attempt_timeout_s):
                status, retry_after_s = await self._post(url, headers, body)
            error = "" if 200 <= status < 300 else f"answered with {status}"
            if 300 <= status < 400:
                error += ": redirects are not followed"
        except TimeoutError:
            error = f"no answer within {self._settings.attempt_timeout_s:g} s"
        except AddressRefused as refused:
            error = str(refused)
        except (httpcore.NetworkError, httpcore.TimeoutException) as failed:
            error = f"no connection: {failed}"
        except (httpcore.ProtocolError, ssl.SSLError, OSError) as failed:
            error = f"no answer that can be understood: {failed}"
        latency_ms = round((time.monotonic() - begun) * 1000)
        return Outcome(status, error[:ERROR_LENGTH_MAX], latency_ms, retry_after_s)

    async def _post(
        self, url: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, float | None]:
        parts = check_url(url, allow_private=self._settings.allow_private_addresses)
        if parts.scheme == "http":
            self._backend.plain_ports.add((str(parts.hostname), parts.port or 80))
        sent = [
            ("Host", parts.netloc),
            ("User-Agent", USER_AGENT),
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            *headers.items(),
        ]
        async with self._pool.stream("POST", url, headers=sent, content=body) as answer:
            # A short answer is read, so that the connection can serve again; a long one is not.
            size = 0
            async for piece in answer.aiter_stream():
                size += len(piece)
                if size > self._settings.answer_size_bytes_max:
                    break
            given = {name.lower(): value for name, value in answer.headers}
            return answer.status, _retry_after_s(given.get(b"retry-after", b""))


def _retry_after_s(value: bytes) -> float | None:
    """RFC 9110 section 10.2.3: seconds, or a date."""
    text = value.decode("latin-1").strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        moment = email.utils.parsedate_to_datetime(text)
        return max(0.0, moment.timestamp() - time.time())
    except (TypeError, ValueError, OverflowError, OSError):
        return None
