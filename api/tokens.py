"""OAuth access tokens (RFC 6749 section 1.4): opaque, short-lived, of one bearer key each."""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Engine, delete, func, insert, select

from api.errors import ApiError
from api.keys import CACHE_AGE_S_MAX, CACHE_ENTRIES_MAX
from api.tables import access_token
from ledger.projection import read_transaction, write_transaction

PREFIX: Final = "tallyt_"
LIFETIME_S: Final = 900
PER_KEY_MAX: Final = 1_000
"""Tokens of one key that are good at once."""

_FORM: Final = re.compile(r"tallyt_[A-Za-z0-9_-]{43}")


class TooManyTokens(ApiError):
    """The client holds as many good tokens as it may."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What is known of a token. The token itself is not among it."""

    key_id: str
    """The key (client) that it was given to; the token is as good as that."""
    scopes: frozenset[str]
    expires_ms: int
    """Unix milliseconds."""
    digest: bytes
    """SHA-256 of the token: 32 bytes, by which it is known here."""


class TokenStore:
    """Tokens in SQL with a small cache. Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._cache: OrderedDict[bytes, tuple[float, AccessToken | None]] = OrderedDict()

    def issue(self, key_id: str, scopes: Iterable[str]) -> tuple[str, AccessToken]:
        """A new token, good for `LIFETIME_S`. Raises `TooManyTokens`."""
        secret = PREFIX + secrets.token_urlsafe(32)
        now_ms, digest = _now_ms(), _digest(secret)
        made = AccessToken(key_id, frozenset(scopes), now_ms + LIFETIME_S * 1000, digest)
        of_key = access_token.c.key_id == key_id
        with write_transaction(self._engine) as connection:
            connection.execute(delete(access_token).where(access_token.c.expires_ms <= now_ms))
            count = select(func.count()).select_from(access_token).where(of_key)
            if connection.execute(count).scalar_one() >= PER_KEY_MAX:
                raise TooManyTokens(f"key {key_id} holds {PER_KEY_MAX} tokens that are still good")
            connection.execute(
                insert(access_token).values(
                    digest=digest,
                    key_id=key_id,
                    scopes=" ".join(sorted(made.scopes)),
                    expires_ms=made.expires_ms,
                )
            )
        return secret, made

    def find(self, secret: str) -> AccessToken | None:
        """The token, if it is good still; one revoked by another process a second longer."""
        return self.of_digest(_digest(secret)) if _FORM.fullmatch(secret) else None

    def of_digest(self, digest: bytes) -> AccessToken | None:
        """The same of a token that was found before."""
        with self._lock:
            cached = self._cache.get(digest)
        if cached is None or time.monotonic() - cached[0] >= CACHE_AGE_S_MAX:
            cached = (time.monotonic(), self._read(digest))
            with self._lock:
                self._cache[digest] = cached
                self._cache.move_to_end(digest)
                if len(self._cache) > CACHE_ENTRIES_MAX:
                    self._cache.popitem(last=False)
        found = cached[1]
        return found if found is not None and found.expires_ms > _now_ms() else None

    def revoke(self, secret: str, key_id: str) -> None:
        """End a token of this key; nothing happens where it is none (RFC 7009 section 2.2)."""
        digest = _digest(secret)
        with write_transaction(self._engine) as connection:
            connection.execute(
                delete(access_token).where(
                    access_token.c.digest == digest, access_token.c.key_id == key_id
                )
            )
        with self._lock:
            self._cache.pop(digest, None)

    def _read(self, digest: bytes) -> AccessToken | None:
        with read_transaction(self._engine) as connection:
            row = connection.execute(
                select(access_token).where(access_token.c.digest == digest)
            ).first()
        if row is None:
            return None
        return AccessToken(row.key_id, frozenset(row.scopes.split()), row.expires_ms, digest)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
