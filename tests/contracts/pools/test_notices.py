"""Who is told what of a pool: offices always, holders as long as they hold, payees of payments."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest
from sqlalchemy import Connection, select

from contracts.genesis import POOL_BOOK_ADDRESS, POOLS_ADDRESS
from contracts.instruments.notices import NOTICES_PER_LOG_MAX
from contracts.notices.tables import notice_party_table, notice_table
from contracts.pools import binding
from contracts.pools.notices import book_notices, fee_record, holding_record, notices
from contracts.pools.types import HOLDERS_MAX, Fee, Office, TrancheDraft
from ledger.types import Hash32
from tests.contracts.pools.scene import FIRST, PoolScene, collection, day, digest, draft, founders
from tests.contracts.scene import OPERATOR, entries, told
from tests.contracts.tables import Tables

pytestmark = [pytest.mark.feature("F7"), pytest.mark.feature("A1")]
OFFICES = {"car-bank", "trust-house", "loan-service"}
HOLDERS = {"north-fund", "south-fund", "east-fund", "car-bank"}


class Feed:
    """What the feed has made of a scene's transactions, as kind and who was told."""

    def __init__(self, scene: PoolScene) -> None:
        self.tables = Tables.of(entries(founders(), votes={OPERATOR.id: 1}))
        for number, receipt in enumerate(scene.receipts, 1):
            self.tables.take(receipt, number, 1_800_000_000 + number)

    def told(self, kind: str) -> list[tuple[str, set[str]]]:
        """Records of that kind, and who was told of each."""
        with self.tables.engine.connect() as connection:
            rows = connection.execute(
                select(notice_table)
                .where(notice_table.c.kind == kind)
                .order_by(notice_table.c.position)
            ).all()
            return [(row.record, self._parties(connection, row.position)) for row in rows]

    @staticmethod
    def _parties(connection: Connection, position: int) -> set[str]:
        table = notice_party_table
        query = select(table.c.organisation).where(table.c.position == position)
        return set(connection.execute(query).scalars())


def hexed(data: bytes) -> str:
    return f"0x{data.hex()}"


@pytest.fixture(scope="module")
def lived() -> tuple[Feed, Hash32]:
    scene = PoolScene()
    id_ = scene.active()
    scene.commit(id_, FIRST, day(root="one"))
    scene.book("loan-service", binding.correct_calldata(id_, FIRST, day(root="two"), "wrong"))
    scene.book("east-fund", binding.assign_calldata(id_, 1, "market-office", 100_000_00))
    scene.book("east-fund", binding.assign_calldata(id_, 2, "market-office", 7_00))
    scene.collect(id_, collection("p1", 100_000_00, 9_000_00))
    scene.collect(id_, collection("p2", 5_00, 0))
    scene.cash("trust-house", binding.void_collection_calldata(id_, 2, "came back"))
    scene.distribute(id_, 1, FIRST)
    scene.cash("trust-house", binding.confirm_calldata(id_, 2, digest("bank entry")))
    appoint = binding.appoint_calldata(id_, Office.SERVICER, "grain-store")
    scene.book("trust-house", appoint)
    scene.book("grain-store", binding.accept_calldata(id_, Office.SERVICER))
    scene.book("trust-house", binding.appoint_calldata(id_, Office.SERVICER, "north-fund"))
    return Feed(scene), id_


def test_a_proposal_reaches_offices_holders_and_payees_of_fees(lived: tuple[Feed, Hash32]) -> None:
    feed, id_ = lived
    ((record, parties),) = feed.told("pool.create")
    assert (record, parties) == (hexed(id_), OFFICES | HOLDERS)
    fees = feed.told("pool-fee.agreed")
    assert fees == [
        (hexed(fee_record(id_, 0)), {"trust-house"}),
        (hexed(fee_record(id_, 1)), {"loan-service"}),
    ]
    agreed = feed.told("pool-holding.agreed")
    assert agreed[0] == (hexed(holding_record(id_, 0, "north-fund")), {"north-fund"})
    assert len(agreed) == 5


def test_states_and_distributions_reach_who_holds_then(lived: tuple[Feed, Hash32]) -> None:
    feed, _ = lived
    ((_, first),) = feed.told("pool.day")
    ((_, corrected),) = feed.told("pool.day-corrected")
    assert first == corrected == OFFICES | HOLDERS
    # East has given everything away since, the market's office has it.
    now = (OFFICES | HOLDERS | {"market-office"}) - {"east-fund"}
    for kind in ("pool.distributed", "pool.collection-voided"):
        ((_, parties),) = feed.told(kind)
        assert parties == now
    assert [parties for _, parties in feed.told("pool.collected")] == [now, now]


def test_a_move_of_units_is_told_to_both_sides_alone(lived: tuple[Feed, Hash32]) -> None:
    feed, id_ = lived
    moved = feed.told("pool-holding.moved")
    assert moved[:2] == [
        (hexed(holding_record(id_, 1, "east-fund")), {"east-fund"}),
        (hexed(holding_record(id_, 1, "market-office")), {"market-office"}),
    ]


def test_payments_are_told_to_the_offices_and_the_payee(lived: tuple[Feed, Hash32]) -> None:
    feed, _ = lived
    due = feed.told("pool.payment-due")
    assert OFFICES in [parties for _, parties in due]  # the trustee's own fee
    assert OFFICES | {"north-fund"} in [parties for _, parties in due]
    assert all(parties >= OFFICES and len(parties - OFFICES) <= 1 for _, parties in due)
    ((_, confirmed),) = feed.told("pool.payment-confirmed")
    assert confirmed == OFFICES


def test_who_has_left_an_office_hears_of_that_and_no_more(lived: tuple[Feed, Hash32]) -> None:
    feed, _ = lived
    ((_, replaced),) = feed.told("pool.replace")
    assert {"loan-service", "grain-store"} <= replaced
    _, last = feed.told("pool.appoint")
    assert "loan-service" not in last[1]
    assert {"grain-store", "north-fund"} <= last[1]


def test_the_largest_pool_fits_the_feed() -> None:
    """16 holders of a tranche are as many notices as one log may have."""
    scene = PoolScene()
    names = ("north-fund", "south-fund", "east-fund", "car-bank")
    plan = draft()
    holders = tuple((name, 10_000_00) for name in names)
    fees = tuple(Fee("trust-house", 1, 1_00) for _ in range(4))
    scene.create(replace(plan, tranches=(TrancheDraft("A", 1, 1, holders),), fees=fees))
    logs = told(scene.receipts[-1], POOL_BOOK_ADDRESS)
    counts = [len(book_notices(log)) for log in logs]
    assert max(counts) == len(names)
    assert HOLDERS_MAX <= NOTICES_PER_LOG_MAX


def test_bodies_are_json_with_amounts_as_text() -> None:
    scene = PoolScene()
    id_ = scene.active()
    receipt = scene.commit(id_, FIRST, day())
    (notice,) = [one for log in told(receipt, POOL_BOOK_ADDRESS) for one in book_notices(log)]
    body = orjson.loads(orjson.dumps(notice.body))
    assert (body["date"], body["record"]["performing"]) == (FIRST.isoformat(), "95000000")
    receipt = scene.collect(id_, collection("p1", 5_00, 7))
    (notice,) = [one for log in told(receipt, POOLS_ADDRESS) for one in notices(log)]
    record = orjson.loads(orjson.dumps(notice.body))["record"]
    assert (record["principal"], record["income"], record["period"]) == ("500", "7", 1)
