"""Bearer keys (RFC 6750), one organisation each. Shown once at creation; only a hash is kept."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Engine, Row, Select, insert, select, update

from api.errors import KeyRefused
from api.tables import api_key
from ledger.projection import read_transaction, write_transaction

PREFIX: Final = "tally_"
SCOPES: Final = frozenset({"capture"})
CACHE_ENTRIES_MAX: Final = 4096
CACHE_AGE_S_MAX: Final = 1.0
"""A key revoked by another process is refused after at most this long."""

_FORM: Final = re.compile(r"tally_[A-Za-z0-9_-]{43}")
_ORGANISATION: Final = re.compile(r"[a-z0-9-]{1,32}")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key. The key itself is not among it."""

    key_id: str
    organisation: str
    scopes: frozenset[str]
    last_four: str
    created: datetime
    revoked: datetime | None


class KeyStore:
    """Keys in SQL with a small cache. Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._cache: OrderedDict[bytes, tuple[float, ApiKey | None]] = OrderedDict()

    def create(self, organisation: str, scopes: Iterable[str] = ("capture",)) -> tuple[str, ApiKey]:
        """Make a key; the first part of the answer is the secret, never to be seen again.

        Raises `KeyRefused` if the organisation's id or a scope is not well-formed.
        """
        wanted = frozenset(scopes)
        if not _ORGANISATION.fullmatch(organisation):
            raise KeyRefused(f"organisation id {organisation!r} is not [a-z0-9-]{{1,32}}")
        if not wanted or not wanted <= SCOPES:
            raise KeyRefused(f"scopes must be some of {', '.join(sorted(SCOPES))}")
        secret = PREFIX + secrets.token_urlsafe(32)
        digest = hashlib.sha256(secret.encode()).digest()
        row = {
            "digest": digest,
            "key_id": secrets.token_hex(8),
            "organisation": organisation,
            "scopes": " ".join(sorted(wanted)),
            "last_four": secret[-4:],
            "created_ms": time.time_ns() // 1_000_000,
        }
        with write_transaction(self._engine) as connection:
            connection.execute(insert(api_key).values(row))
            stored = connection.execute(_one(digest)).one()
        self._forget()
        return secret, _key(stored)

    def revoke(self, key_id: str) -> ApiKey:
        """Refuse the key from now on. Raises `KeyRefused` if unknown; twice is no error."""
        with write_transaction(self._engine) as connection:
            connection.execute(
                update(api_key)
                .where(api_key.c.key_id == key_id, api_key.c.revoked_ms.is_(None))
                .values(revoked_ms=time.time_ns() // 1_000_000)
            )
            row = connection.execute(select(api_key).where(api_key.c.key_id == key_id)).first()
        if row is None:
            raise KeyRefused(f"no key has the id {key_id!r}")
        self._forget()
        return _key(row)

    def list(self, organisation: str | None = None) -> tuple[ApiKey, ...]:
        """All keys, oldest first; of one organisation if named."""
        query = select(api_key).order_by(api_key.c.created_ms, api_key.c.key_id)
        if organisation is not None:
            query = query.where(api_key.c.organisation == organisation)
        with read_transaction(self._engine) as connection:
            return tuple(_key(row) for row in connection.execute(query))

    def find(self, secret: str) -> ApiKey | None:
        """The key, revoked or not; None if there is none. Time does not depend on near misses."""
        if not _FORM.fullmatch(secret):
            return None
        digest = hashlib.sha256(secret.encode()).digest()
        now = time.monotonic()
        with self._lock:
            cached = self._cache.get(digest)
        if cached is not None and now - cached[0] < CACHE_AGE_S_MAX:
            return cached[1]
        with read_transaction(self._engine) as connection:
            row = connection.execute(_one(digest)).first()
        matches = row is not None and hmac.compare_digest(bytes(row.digest), digest)
        found = _key(row) if row is not None and matches else None
        with self._lock:
            self._cache[digest] = (now, found)
            self._cache.move_to_end(digest)
            if len(self._cache) > CACHE_ENTRIES_MAX:
                self._cache.popitem(last=False)
        return found

    def _forget(self) -> None:
        with self._lock:
            self._cache.clear()


def _one(digest: bytes) -> Select[Any]:
    return select(api_key).where(api_key.c.digest == digest)


def _key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        key_id=row.key_id,
        organisation=row.organisation,
        scopes=frozenset(row.scopes.split()),
        last_four=row.last_four,
        created=_time(row.created_ms),
        revoked=None if row.revoked_ms is None else _time(row.revoked_ms),
    )


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
