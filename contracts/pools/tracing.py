"""Where the money of a pool came from, as far as this ledger knows: payments to its trustee."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, and_, or_, select

from contracts.settlement import MovementKind, PositionKind
from contracts.settlement.tables import (
    deposit_account_table,
    deposit_movement_table,
    interbank_movement_table,
)
from ledger.types import Hash32

_IN: Final = (int(MovementKind.RECEIVED), int(MovementKind.ISSUED))
_OUT: Final = (int(MovementKind.SENT), int(MovementKind.REDEEMED))


@dataclass(frozen=True, slots=True)
class Source:
    """The payment of Settlement that a collection names."""

    payer: str
    amount: int
    currency: str
    cause: Hash32 | None
    """The receivable that it paid, or the deal; None where it names nothing."""
    leaf_index: int
    """Of the leaf that told it."""


def sources(
    connection: Connection, trustee: str, payments: Iterable[Hash32]
) -> dict[Hash32, Source]:
    """Payments among these that the trustee has received, by their ids.

    Payments between others are none of the pool's, whatever a servicer names.
    """
    wanted = [f"0x{one.hex()}" for one in payments]
    found = _between_banks(connection, trustee, wanted)
    return found | _from_accounts(connection, trustee, wanted)


def _from_accounts(connection: Connection, trustee: str, wanted: list[str]) -> dict[Hash32, Source]:
    """Lines of statements: the trustee's own, or where it is a bank those of who paid it."""
    table, account = deposit_movement_table, deposit_account_table
    came = and_(table.c.kind.in_(_IN), account.c.owner == trustee)
    went = and_(table.c.kind.in_(_OUT), table.c.counterparty == trustee)
    query = (
        select(table, account.c.owner, account.c.currency)
        .select_from(table.join(account, account.c.key == table.c.account))
        .where(table.c.id.in_(wanted), or_(came, went))
        .order_by(table.c.leaf_index.desc())
    )
    return {
        _hash(row.id): Source(
            payer=row.counterparty if row.kind in _IN else row.owner,
            amount=row.amount,
            currency=row.currency,
            cause=None if row.cause is None else _hash(row.cause),
            leaf_index=row.leaf_index,
        )
        for row in connection.execute(query)
    }


def _between_banks(connection: Connection, trustee: str, wanted: list[str]) -> dict[Hash32, Source]:
    """What a bank has paid a trustee that is one: no customer's account has moved."""
    table = interbank_movement_table
    query = select(table).where(
        table.c.id.in_(wanted),
        table.c.creditor == trustee,
        table.c.kind == int(PositionKind.CLAIMED),
    )
    return {
        _hash(row.id): Source(row.debtor, row.amount, row.currency, None, row.leaf_index)
        for row in connection.execute(query)
    }


def _hash(text: str) -> Hash32:
    return Hash32(bytes.fromhex(text[2:]))
