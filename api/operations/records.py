"""What was asked for under Idempotency-Keys: signed and durable before it was submitted."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from api.operations.types import Idempotency
from api.tables import operation
from ledger.projection import write_later
from ledger.sending import Signed
from ledger.types import Address, Hash32


@dataclass(frozen=True, slots=True)
class Record:
    """One request."""

    organisation: str
    key: str
    request_digest: bytes
    account: Address
    nonce: int
    hash: Hash32
    raw: bytes | None
    """None once the ledger has it."""
    refusal: tuple[str | None, str] | None
    """Name and words, where the contract refused in the block."""


_o = operation.c
_HERE: Final = (_o.organisation == bindparam("who")) & (_o.idempotency_key == bindparam("key"))
# Made once: making a statement costs as much as running it.
_FIND: Final = select(operation).where(_HERE, _o.created_ms >= bindparam("since"))
_MAKE_ROOM: Final = delete(operation).where(_HERE, _o.created_ms < bindparam("before"))
_SAVE: Final = insert(operation)
_SETTLE: Final = (
    update(operation)
    .where(_o.transaction_hash == bindparam("settled"))
    .values(raw=None, refusal=bindparam("told"))
)


def find(connection: Connection, organisation: str, key: str, not_before_ms: int) -> Record | None:
    """The request under that key, unless it was before that moment."""
    named = {"who": organisation, "key": key, "since": not_before_ms}
    row = connection.execute(_FIND, named).first()
    return None if row is None else _record(row)


def unsettled(connection: Connection) -> list[Record]:
    """Whatever the ledger may not have yet, in the order of signing."""
    query = select(operation).where(operation.c.raw.is_not(None)).order_by(operation.c.sequence)
    return [_record(row) for row in connection.execute(query)]


def save(
    connection: Connection, idempotency: Idempotency, signed: Signed, not_before_ms: int
) -> None:
    """Keep a new request; one under the same key from before that moment makes room."""
    named = {"who": signed.organisation, "key": idempotency.key, "before": not_before_ms}
    connection.execute(_MAKE_ROOM, named)
    row = {
        "organisation": signed.organisation,
        "idempotency_key": idempotency.key,
        "request_digest": idempotency.digest,
        "created_ms": time.time_ns() // 1_000_000,
        **_transaction(signed),
    }
    connection.execute(_SAVE, row)


def replace(connection: Connection, old: Hash32, new: Signed) -> None:
    """Another transaction does what that one can never do."""
    connection.execute(
        update(operation).where(operation.c.transaction_hash == old).values(**_transaction(new))
    )


def settle(
    connection: Connection, transaction_hash: Hash32, refusal: tuple[str | None, str] | None
) -> None:
    """It is in a block."""
    told = None if refusal is None else json.dumps(refusal)
    write_later(connection, _SETTLE, {"settled": bytes(transaction_hash), "told": told})


def forget(connection: Connection, transaction_hash: Hash32) -> None:
    """It will never be in a block: nothing has happened, and the key is free again."""
    connection.execute(delete(operation).where(operation.c.transaction_hash == transaction_hash))


def purge(connection: Connection, before_ms: int) -> int:
    """Forget settled requests of before that moment; how many."""
    result = connection.execute(
        delete(operation).where(operation.c.created_ms < before_ms, operation.c.raw.is_(None))
    )
    return int(result.rowcount)


def _transaction(signed: Signed) -> dict[str, Any]:
    return {
        "account": bytes(signed.account),
        "nonce": signed.nonce,
        "transaction_hash": bytes(signed.hash),
        "raw": signed.raw,
    }


def _record(row: Row[Any]) -> Record:
    refusal = None if row.refusal is None else json.loads(row.refusal)
    return Record(
        organisation=row.organisation,
        key=row.idempotency_key,
        request_digest=bytes(row.request_digest),
        account=Address(bytes(row.account)),
        nonce=row.nonce,
        hash=Hash32(bytes(row.transaction_hash)),
        raw=None if row.raw is None else bytes(row.raw),
        refusal=None if refusal is None else (refusal[0], refusal[1]),
    )
