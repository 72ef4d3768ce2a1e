"""What a pool's instruments are now, beside what came in: read from the tables of their rooms."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, insert, update

from contracts.genesis import RECEIPTS_ADDRESS
from contracts.instruments.viewer import Viewer
from contracts.pools.standing import (
    instrument_places,
    open_of,
    pool_account,
    pool_history,
    pool_instruments,
    pool_periods,
)
from contracts.pools.tables import pool_asset_table
from contracts.receipts.tables import receipt_table
from ledger.types import Hash32
from tests.contracts.pools.scene import FIRST, PoolScene, collection, day, digest, founders
from tests.contracts.scene import OPERATOR, entries
from tests.contracts.tables import Tables

pytestmark = pytest.mark.feature("F7")
ALL = Viewer.everything()
NOBODY = Viewer.of("grain-store")
PLACE = {
    "block_number": 9,
    "log_index": 0,
    "block_time": 1_800_000_009,
    "transaction_hash": f"0x{'7a' * 32}",
}


@pytest.fixture(scope="module")
def told() -> tuple[Hash32, Tables]:
    scene = PoolScene()
    id_ = scene.active()
    scene.commit(id_, FIRST, day())
    scene.collect(id_, collection("p1", 100_000_00, 9_000_00))
    scene.distribute(id_, 1, FIRST)
    scene.collect(id_, collection("p2", 0, 5_00, period=2))
    tables = Tables.of(entries(founders(), votes={OPERATOR.id: 1}))
    for number, receipt in enumerate(scene.receipts, 1):
        tables.take(receipt, number, 1_800_000_000 + number)
    return id_, tables


def text(word: bytes) -> str:
    return f"0x{word.hex()}"


def put_receipt(connection: Connection, name: str, **more: Any) -> None:
    """A receipt as its projection leaves it."""
    row = {
        "id": text(digest(name)),
        "position": 900 + len(name),
        "contract": text(RECEIPTS_ADDRESS),
        "warehouse": "grain-store",
        "lot": text(digest("lot")),
        "goods": text(digest("goods")),
        "terms": text(digest("terms")),
        "holder": "trust-house",
        "owner": "trust-house",
        "quantity": 25_000,
        "requested": 0,
        "issued": 1_800_000_000,
        "expires": 1_900_000_000,
        "revision": 3,
        "part": 0,
        "state": "live",
        "freezes": 0,
        "locked": False,
        "rejectable": 0,
        "purpose": 0,
        **PLACE,
        "leaf_index": 77,
        **more,
    }
    connection.execute(insert(receipt_table).values(row))


def put_asset(connection: Connection, id_: Hash32, name: str, ordinal: int) -> None:
    row = {
        "instrument": text(RECEIPTS_ADDRESS),
        "asset": text(digest(name)),
        "id": text(id_),
        "ordinal": ordinal,
        **PLACE,
        "leaf_index": 70,
    }
    connection.execute(insert(pool_asset_table).values(row))


def test_receipts_in_a_pool_come_with_how_they_stand(told: tuple[Hash32, Tables]) -> None:
    id_, tables = told
    with tables.engine.connect() as connection, connection.begin() as transaction:
        names = ("free", "pledged", "frozen", "sold away", "never projected")
        for ordinal, name in enumerate(names):
            put_asset(connection, id_, name, ordinal)
        put_receipt(connection, "free")
        put_receipt(connection, "pledged", pledgee="car-bank", locked=True)
        put_receipt(connection, "frozen", freezes=1, state="surrendered")
        put_receipt(connection, "sold away", holder="north-fund")
        page = pool_instruments(connection, id_, ALL)
        shown = dict(zip(names, page.items, strict=True))
        free = shown["free"].control
        assert free is not None
        assert (shown["free"].kind, free.amount, free.leaf_index) == ("receipt", 25_000, 77)
        assert (free.pledged, free.frozen, free.locked) == (False, False, False)
        pledged, frozen = shown["pledged"].control, shown["frozen"].control
        assert pledged is not None
        assert frozen is not None
        assert (pledged.pledged, pledged.locked) == (True, True)
        assert (frozen.frozen, frozen.state) == (True, "surrendered")
        assert (shown["sold away"].kind, shown["sold away"].control) == ("receipt", None)
        assert (shown["never projected"].kind, shown["never projected"].control) == (None, None)
        first = pool_instruments(connection, id_, ALL, limit=2)
        rest = pool_instruments(connection, id_, ALL, after=first.after, limit=9)
        assert (*first.items, *rest.items) == page.items
        assert pool_instruments(connection, id_, NOBODY).items == ()
        wanted = (digest("free"), digest("elsewhere"))
        assert instrument_places(connection, id_, wanted, ALL) == {digest("free"): RECEIPTS_ADDRESS}
        assert instrument_places(connection, id_, wanted, NOBODY) == {}
        held = update(receipt_table).where(receipt_table.c.id == text(digest("free")))
        connection.execute(held.values(holder="south-fund"))
        assert pool_instruments(connection, id_, ALL).items[0].control is None
        transaction.rollback()


def test_money_and_history_are_for_parties_alone(told: tuple[Hash32, Tables]) -> None:
    id_, tables = told
    with tables.engine.connect() as connection:
        account = pool_account(connection, id_, ALL)
        assert (account.periods, account.collections) == (1, 2)
        assert account.payments == account.unconfirmed > 0
        assert open_of(connection, id_, 2, ALL).income == 5_00
        assert [one.period for one in pool_periods(connection, id_, ALL).items] == [1]
        assert pool_periods(connection, id_, ALL, after="1").items == ()
        acts = pool_history(connection, id_, ALL, limit=2)
        assert [one.act for one in acts.items] == ["create", "accept"]
        later = pool_history(connection, id_, ALL, after=acts.after)
        assert [one.by for one in later.items] == ["loan-service"]
        nothing = pool_account(connection, id_, NOBODY)
        assert (nothing.periods, nothing.payments, nothing.collections) == (0, 0, 0)
        assert open_of(connection, id_, 2, NOBODY).income == 0
        assert pool_history(connection, id_, NOBODY).items == ()
        assert pool_periods(connection, id_, NOBODY).items == ()
