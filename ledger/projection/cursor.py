"""Where each handler stands: reading, checking and moving its row of `projection_cursor`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, bindparam, delete, insert, inspect, select, update

from ledger.projection.database import read_transaction
from ledger.projection.errors import (
    ProjectionAhead,
    ProjectionBehind,
    ProjectionDiverged,
    ProjectionError,
    ProjectionForeign,
    SchemaError,
)
from ledger.projection.protocol import BlockSource, Handler
from ledger.projection.tables import projection_cursor
from ledger.types import Block, Hash32

_c = projection_cursor.c
_MOVE = (
    update(projection_cursor)
    .where(_c.handler.in_(bindparam("names", expanding=True)))
    .values(block_number=bindparam("number"), block_hash=bindparam("hash"))
)
_LOCK = (
    select(_c.handler, _c.block_number)
    .where(_c.handler.in_(bindparam("names", expanding=True)))
    .with_for_update()
)


@dataclass(frozen=True, slots=True)
class Cursor:
    """Last block that a handler has applied."""

    block_number: int
    block_hash: Hash32


def read_cursors(engine: Engine, handlers: Iterable[Handler]) -> dict[str, Cursor]:
    """Cursors by handler name; a handler that never ran is not among them.

    Raises `SchemaError` where the migrations have not run.
    """
    names = [handler.name for handler in handlers]
    with read_transaction(engine) as connection:
        if not inspect(connection).has_table(projection_cursor.name):
            raise SchemaError("the database has no tables yet: call upgrade(engine) first")
        rows = connection.execute(select(projection_cursor).where(_c.handler.in_(names))).all()
    return {row.handler: Cursor(row.block_number, Hash32(bytes(row.block_hash))) for row in rows}


def check_cursors(engine: Engine, ledger: BlockSource, cursors: Mapping[str, Cursor]) -> None:
    """See that the rows in the database come from this very chain.

    Raises `ProjectionForeign`, `ProjectionAhead` or `ProjectionDiverged`, saying what to do.
    """
    genesis = genesis_of(ledger).hash
    with read_transaction(engine) as connection:
        stored = connection.execute(
            select(_c.genesis_hash).where(_c.handler.in_(list(cursors)))
        ).scalars()
        for other in {bytes(value) for value in stored}:
            if other != genesis:
                raise ProjectionForeign(
                    f"this database was filled from the ledger with genesis 0x{other.hex()}, but "
                    f"this ledger's genesis is 0x{genesis.hex()}: name another database, or run "
                    "`tally node reindex` to fill this one anew"
                )
    head = ledger.head().header.number
    for name, cursor in cursors.items():
        if cursor.block_number > head:
            raise ProjectionAhead(
                f"the database has applied block {cursor.block_number} ({name}), but the ledger "
                f"ends at block {head}: bring back the newer chain data, or run "
                "`tally node reindex` to fill the database anew from this chain"
            )
        block = ledger.block(cursor.block_number)
        if block is None or block.hash != cursor.block_hash:
            found = "none" if block is None else f"0x{block.hash.hex()}"
            raise ProjectionDiverged(
                f"block {cursor.block_number} was 0x{cursor.block_hash.hex()} when the database "
                f"applied it ({name}), and is {found} on this ledger: one of them was restored "
                "from elsewhere; run `tally node reindex` to fill the database anew from this chain"
            )


def genesis_of(ledger: BlockSource) -> Block:
    """Block 0."""
    genesis = ledger.block(0)
    if genesis is None:
        raise ProjectionError("the ledger has no genesis block: open it with a genesis file first")
    return genesis


def place_at_genesis(connection: Connection, name: str, genesis: Block) -> None:
    """Put a handler's cursor on block 0, whether or not it had one."""
    connection.execute(delete(projection_cursor).where(_c.handler == name))
    connection.execute(
        insert(projection_cursor).values(
            handler=name, genesis_hash=genesis.hash, block_number=0, block_hash=genesis.hash
        )
    )


def lock_cursors(connection: Connection, expected: Mapping[str, Cursor]) -> None:
    """Take the rows, and see that nobody else has moved them.

    Raises `ProjectionBehind` where the database has forgotten what it had committed (as PostgreSQL
    may when it crashes, of what was not waited for), `ProjectionError` where another process fills
    the same database.
    """
    rows = {
        row.handler: row.block_number for row in connection.execute(_LOCK, {"names": [*expected]})
    }
    numbers = {name: cursor.block_number for name, cursor in expected.items()}
    if rows != numbers:
        if rows.keys() == numbers.keys() and all(rows[name] <= numbers[name] for name in rows):
            raise ProjectionBehind(
                f"the database is back at block {min(rows.values())} from "
                f"{min(numbers.values())}: its server must have crashed"
            )
        raise ProjectionError(
            "another process has moved the cursor of this database: one database serves one node"
        )


def move_cursors(connection: Connection, names: Iterable[str], block: Block) -> None:
    """Write that these handlers have applied everything up to that block."""
    values = {"names": list(names), "number": block.header.number, "hash": block.hash}
    connection.execute(_MOVE, values)
