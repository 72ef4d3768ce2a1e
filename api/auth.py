"""Who sends a request: bearer keys and OAuth tokens (RFC 6750), and how often they may."""

from __future__ import annotations

from typing import Final

from fastapi import Request

from api.errors import Forbidden, RateLimited, Unauthenticated
from api.keys import ApiKey, KeyStore
from api.limits import RateLimiter
from api.parameters import check_parameters
from api.principals import Principal, covers
from api.settings import ApiSettings
from api.standing import Standings
from api.tokens import PREFIX as TOKEN_PREFIX
from api.tokens import AccessToken, TokenStore
from contracts.consortium import Status

_UNKNOWN: Final = "the key is unknown or was revoked; ask the node's operator"
_OVER: Final = "the token is unknown or over; ask for another one at /oauth/token"


class Guard:
    """Checks the key of a request. One per application."""

    def __init__(
        self, keys: KeyStore, tokens: TokenStore, standings: Standings, settings: ApiSettings
    ) -> None:
        self._keys = keys
        self._tokens = tokens
        self._standings = standings
        self._limiter = RateLimiter(
            settings.rate_per_key_per_s, settings.rate_per_key_burst, settings.rate_clients_max
        )

    def principal(
        self, request: Request, scope: str | None, *, instrument: str | None = None
    ) -> Principal:
        """Who sends this, if he may. Raises `Unauthenticated`, `Forbidden` or `RateLimited`, and
        `QueryInvalid` where he reads with a parameter that there is not.

        `instrument` is the id (0x…) of the record that the request is about; None where it lists
        or makes some. Without a scope any will do. An unknown and a revoked key get the same
        answer: a thief learns nothing.
        """
        key, principal = self._who(request)
        principal.check(scope, instrument)
        self.count(key)
        if request.method == "GET":
            check_parameters(request)
        return principal

    def anybody(self, request: Request) -> Principal | None:
        """Who sends this, of what everybody may ask for; None: without a key.

        Says nothing of scopes, or of records that the key is bound to. Raises `Unauthenticated`,
        `Forbidden` or `RateLimited` for a key that is no good.
        """
        scheme = request.headers.get("authorization", "").partition(" ")[0]
        if scheme.lower() != "bearer":
            return None
        key, principal = self._who(request)
        self.count(key)
        return principal

    def count(self, key: ApiKey) -> None:
        """Take account of one request with this key. Raises `RateLimited`."""
        wait_s = self._limiter.take(key.key_id)
        if wait_s:
            raise RateLimited(
                f"too many requests with the key ending in {key.last_four}", retry_after_s=wait_s
            )

    def still_good(self, principal: Principal) -> bool:
        """Whether a key that was good when an answer began is so now: for answers without end.

        A token must be good still, as well as its key.
        """
        if principal.token is not None and self._tokens.of_digest(principal.token) is None:
            return False
        key = self._keys.of_id(principal.key_id)
        if key is None or key.revoked is not None:
            return False
        found = self._standings.of(principal.organisation)
        return found is not None and found.status is Status.ACTIVE

    def _who(self, request: Request) -> tuple[ApiKey, Principal]:
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secret:
            raise Unauthenticated("send the organisation's key as `Authorization: Bearer …`")
        key, scopes, token = self._find(secret.strip())
        return key, self._standing(key, scopes, token)

    def _find(self, secret: str) -> tuple[ApiKey, frozenset[str], AccessToken | None]:
        """A key that is good, what of its scopes counts here, and the token that says so."""
        if secret.startswith(TOKEN_PREFIX):
            token = self._tokens.find(secret)
            key = None if token is None else self._keys.of_id(token.key_id)
            if token is None or key is None or key.revoked is not None:
                raise Unauthenticated(_OVER)
            return key, frozenset(one for one in token.scopes if covers(key.scopes, one)), token
        key = self._keys.find(secret)
        if key is None or key.revoked is not None:
            raise Unauthenticated(_UNKNOWN)
        return key, key.scopes, None

    def _standing(
        self, key: ApiKey, scopes: frozenset[str], token: AccessToken | None
    ) -> Principal:
        found = self._standings.of(key.organisation)
        if found is None or found.status is not Status.ACTIVE:
            raise Forbidden(f"organisation {key.organisation} is not active on the ledger")
        return Principal(
            key.organisation,
            found.role,
            scopes,
            key.key_id,
            key.instruments,
            token=None if token is None else token.digest,
            until_ms=None if token is None else token.expires_ms,
        )
