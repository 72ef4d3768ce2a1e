"""Who writes: bearer keys (RFC 6750), the organisation behind them, and how often they may."""

from __future__ import annotations

from fastapi import Request

from api.errors import Forbidden, RateLimited, Unauthenticated
from api.keys import ApiKey, KeyStore
from api.limits import RateLimiter
from api.settings import ApiSettings


class Guard:
    """Checks the key of a request. One per application."""

    def __init__(self, keys: KeyStore, settings: ApiSettings) -> None:
        self._keys = keys
        self._limiter = RateLimiter(
            settings.rate_per_key_per_s, settings.rate_per_key_burst, settings.rate_clients_max
        )

    def check(self, request: Request, scope: str) -> ApiKey:
        """The request's key. Raises `Unauthenticated`, `Forbidden` or `RateLimited`.

        An unknown and a revoked key get the same answer: a thief learns nothing.
        """
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secret:
            raise Unauthenticated("send the organisation's key as `Authorization: Bearer …`")
        key = self._keys.find(secret.strip())
        if key is None or key.revoked is not None:
            raise Unauthenticated("the key is unknown or was revoked; ask the node's operator")
        if scope not in key.scopes:
            raise Forbidden(f"the key ending in {key.last_four} may not {scope}")
        wait_s = self._limiter.take(key.key_id)
        if wait_s:
            raise RateLimited(
                f"too many requests with the key ending in {key.last_four}", retry_after_s=wait_s
            )
        return key
