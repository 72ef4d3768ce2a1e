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
from api.principals import CAPTURE, check_instruments, check_scopes
from api.tables import api_key
from ledger.projection import read_transaction, write_transaction

PREFIX: Final = "tally_"
CACHE_ENTRIES_MAX: Final = 4096
CACHE_AGE_S_MAX: Final = 1.0
"""A key revoked by another process is refused after at most this long."""

_FORM: Final = re.compile(r"tally_[A-Za-z0-9_-]{43}")
_KEY_ID: Final = re.compile(r"[0-9a-f]{16}")
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
    instruments: frozenset[str] | None = None
    """Ids (0x…) of the only records that it is for; None: no such bound."""


class KeyStore:
    """Keys in SQL with a small cache. Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._cache: OrderedDict[bytes | str, tuple[float, ApiKey | None]] = OrderedDict()

    def create(
        self,
        organisation: str,
        scopes: Iterable[str] = (CAPTURE,),
        instruments: Iterable[str] = (),
    ) -> tuple[str, ApiKey]:
        """Make a key; the first part of the answer is the secret, never to be seen again.

        `instruments` are ids of records that it is bound to. Raises `KeyRefused` if the
        organisation's id, a scope or an id is not well-formed.
        """
        if not _ORGANISATION.fullmatch(organisation):
            raise KeyRefused(f"organisation id {organisation!r} is not [a-z0-9-]{{1,32}}")
        wanted, bound = check_scopes(scopes), check_instruments(instruments)
        secret = PREFIX + secrets.token_urlsafe(32)
        digest = hashlib.sha256(secret.encode()).digest()
        row = {
            "digest": digest,
            "key_id": secrets.token_hex(8),
            "organisation": organisation,
            "scopes": " ".join(sorted(wanted)),
            "last_four": secret[-4:],
            "created_ms": time.time_ns() // 1_000_000,
            "instruments": None if bound is None else " ".join(sorted(bound)),
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
        known, found = self._cached(digest)
        if known:
            return found
        with read_transaction(self._engine) as connection:
            row = connection.execute(_one(digest)).first()
        matches = row is not None and hmac.compare_digest(bytes(row.digest), digest)
        found = _key(row) if row is not None and matches else None
        return self._keep(digest, found)

    def of_id(self, key_id: str) -> ApiKey | None:
        """The key of that id, revoked or not; None if there is none."""
        if not _KEY_ID.fullmatch(key_id):
            return None
        known, found = self._cached(key_id)
        if known:
            return found
        with read_transaction(self._engine) as connection:
            row = connection.execute(select(api_key).where(api_key.c.key_id == key_id)).first()
        return self._keep(key_id, None if row is None else _key(row))

    def _cached(self, name: bytes | str) -> tuple[bool, ApiKey | None]:
        """Whether it was looked up just now, and what was found."""
        with self._lock:
            cached = self._cache.get(name)
        if cached is None or time.monotonic() - cached[0] >= CACHE_AGE_S_MAX:
            return False, None
        return True, cached[1]

    def _keep(self, name: bytes | str, found: ApiKey | None) -> ApiKey | None:
        with self._lock:
            self._cache[name] = (time.monotonic(), found)
            self._cache.move_to_end(name)
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
        instruments=None if row.instruments is None else frozenset(row.instruments.split()),
    )


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
