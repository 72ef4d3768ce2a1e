"""The same acts give the same rows on every database, in migrated tables, and after a rebuild."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, select

from contracts.genesis import RECEIPTS_ADDRESS
from contracts.handlers import consortium_handlers
from contracts.instruments import Viewer
from contracts.receipts import ReceiptQuery, list_receipts
from contracts.stock import find_lot, locations
from ledger.projection import open_database, upgrade, write_transaction
from tests.contracts.receipts.story import tell
from tests.contracts.receipts.world import FOUNDERS, World
from tests.contracts.scene import entries
from tests.contracts.tables import PLACES, Tables

pytestmark = [pytest.mark.feature("F1"), pytest.mark.feature("N4")]
OURS = ("claims", "stock", "pledges", "receipts")
MOST = 2**128 - 1


def rows(tables: Tables) -> dict[str, list[tuple[object, ...]]]:
    """Every row of the tables of finance, in the order of its key."""
    found: dict[str, list[tuple[object, ...]]] = {}
    with tables.engine.connect() as connection:
        for handler in tables.handlers:
            if handler.name in OURS:
                for table in handler.metadata.sorted_tables:
                    query = select(table).order_by(*table.primary_key.columns)
                    found[table.name] = [tuple(row) for row in connection.execute(query)]
    return found


def migrated(engine: Engine) -> Tables:
    upgrade(engine)
    genesis = entries(FOUNDERS, votes={"operator": 1})
    tables = Tables(consortium_handlers(PLACES, genesis, {}), engine)
    with write_transaction(engine) as connection:
        for handler in tables.handlers:
            handler.reset(connection)
    return tables


def test_the_same_rows_on_every_database_and_after_a_rebuild(database_url: str) -> None:
    engine = open_database(database_url)
    world = World.founded(migrated(engine))
    mined = []
    plain = world.send

    def kept(who: object, to: object, data: object) -> object:
        done = plain(who, to, data)  # type: ignore[arg-type]
        mined.append((done, world.chain.number, world.chain.time))
        return done

    world.send = kept  # type: ignore[method-assign, assignment]
    lot = world.register("port", "quay", "maize")
    world.count(lot, MOST)
    world.issue(MOST, who="port", lot=lot, keys=(world.lot,))
    tell(world)
    memory, stored = map(rows, world.tables)
    assert stored == memory
    assert len(stored["receipt"]) == 22
    assert all(stored[name] for name in ("claim", "receipt_party", "lot_entry", "pledge_act"))
    with engine.connect() as connection:
        found = list_receipts(connection, ReceiptQuery(lot=lot), Viewer.of("farm")).items
        assert [one.receipt.quantity for one in found] == [MOST]
        stock = find_lot(connection, lot, Viewer.of("port"))
        assert stock is not None
        assert (stock.lot.counted, stock.lot.live, stock.free) == (MOST, MOST, 0)
        assert sum(place.live for place in locations(connection, Viewer.everything())) > MOST
    again = world.tables[1]
    first = rows(again)
    with write_transaction(engine) as connection:
        for handler in again.handlers:
            handler.reset(connection)
    assert not any(rows(again).values())
    again.leaves = 0
    genesis = World.founded(again)  # registers and counts the first lot, as before
    assert genesis.lot == world.lot
    for done, number, time in mined:
        again.take(done, number, time)
    assert rows(again) == first
    engine.dispose()
    assert PLACES["receipts"] == RECEIPTS_ADDRESS
