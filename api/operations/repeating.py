"""A request that came before, where its call cannot be made any more.

What a call is made of may have gone because the request was done: the revision it named, the state
it was possible in. Under its Idempotency-Key it has its answer all the same.
"""

from __future__ import annotations

import time
from dataclasses import replace

from sqlalchemy import Engine

from api.operations import records
from api.operations.errors import KeyReused, UnderWay
from api.operations.refusing import refused_as
from api.operations.service import Operations
from api.operations.types import Done, Idempotency
from api.principals import Principal
from ledger.projection import read_transaction


def done_before(
    engine: Engine, operations: Operations, principal: Principal, idempotency: Idempotency
) -> Done | None:
    """What the request has done; None where nothing came under its key.

    Raises `Refused` where the contract refused it in its block, `UnderWay`, and `KeyReused`.
    """
    oldest = int((time.time() - operations.limits.record_lifetime_s) * 1000)
    with read_transaction(engine) as connection:
        record = records.find(connection, principal.organisation, idempotency.key, oldest)
    if record is None:
        return None
    if record.request_digest != idempotency.digest:
        raise KeyReused(
            f"the Idempotency-Key {idempotency.key[:60]!r} came before with another request: take "
            "a new key for a new request"
        )
    if record.refusal is not None:
        raise refused_as(*record.refusal, transaction=record.hash)
    standing = operations.standing(principal, record.hash)
    if standing is None or standing.state == "pending":
        raise UnderWay(record.hash)
    if standing.refused is not None:
        raise standing.refused
    return None if standing.done is None else replace(standing.done, replayed=True)
