"""Secrets of webhooks as they stand in SQL: sealed by the node's own key, each for its webhook."""

from __future__ import annotations

import base64
import binascii
import logging
import sqlite3
from contextlib import closing
from typing import Final

from sqlalchemy import Engine, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from api.hooks.signing import SECRET_PREFIX, key_of, secret_of
from api.hooks.tables import webhook_table
from ledger.crypto import SealBroken, Sealer
from ledger.projection import read_transaction, write_transaction

_PURPOSE: Final = "secret of webhook "
_w = webhook_table.c
_log = logging.getLogger(__name__)


def seal_secret(sealer: Sealer, hook_id: str, secret: str) -> str:
    """What stands in the table: base64, within its 100 characters. Raises `SecretMalformed`."""
    return base64.b64encode(sealer.seal(key_of(secret), _PURPOSE + hook_id)).decode()


def open_secret(sealer: Sealer, hook_id: str, sealed: str) -> str:
    """The secret; empty where the node's key does not open it, or it was another webhook's."""
    try:
        box = base64.b64decode(sealed.encode(), validate=True)
        return secret_of(sealer.unseal(box, _PURPOSE + hook_id))
    except (binascii.Error, UnicodeEncodeError, SealBroken):
        return ""


def seal_rows(engine: Engine, sealer: Sealer) -> int:
    """Seal the secrets that older software left as they are; how many there were.

    Then the files are written anew, since both databases keep what was replaced (once, and only
    where there was one). Old backups, and what PostgreSQL archives of its log, have them still.
    """
    unsealed = _w.secret.startswith(SECRET_PREFIX, autoescape=True)
    found = select(_w.id, _w.secret).where(unsealed)
    with read_transaction(engine) as connection:
        if connection.execute(found).first() is None:
            return 0
    with write_transaction(engine) as connection:
        rows = connection.execute(found).all()
        for row in rows:
            sealed = seal_secret(sealer, row.id, row.secret)
            connection.execute(update(webhook_table).where(_w.id == row.id).values(secret=sealed))
    try:
        _write_anew(engine)
    except (SQLAlchemyError, sqlite3.Error) as error:
        _log.warning(
            "secrets of webhooks are sealed now, but the database may keep traces of what they "
            "were: vacuum it by hand, or make those webhooks anew: %s",
            error,
        )
    return len(rows)


def _write_anew(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        # Past SQLAlchemy, which begins a transaction: in none of them is there a VACUUM.
        with closing(engine.raw_connection()) as plain, closing(plain.cursor()) as cursor:
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM (FULL) webhook"))
