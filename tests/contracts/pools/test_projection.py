"""Pools in SQL: what the chain has told, for whoever may see it, from debtor to investor."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.consortium import Role
from contracts.instruments.viewer import Viewer
from contracts.pools import binding
from contracts.pools.queries import (
    PoolQuery,
    find_day,
    find_pool,
    list_pools,
    pool_collections,
    pool_days,
    pool_distributions,
    pool_fees,
    pool_payments,
    pool_rules,
    pool_tranches,
    trace_period,
)
from contracts.pools.types import PaymentKind, PoolState
from ledger.types import Hash32
from tests.contracts.pools.scene import (
    FIRST,
    RULES,
    PoolScene,
    collection,
    day,
    digest,
    draft,
    founders,
    outcome_in,
    payments_in,
)
from tests.contracts.scene import OPERATOR, entries
from tests.contracts.tables import Tables

pytestmark = pytest.mark.feature("F7")
ALL = Viewer.everything()
SECOND = FIRST + timedelta(days=1)


def projected(scene: PoolScene) -> Tables:
    tables = Tables.of(entries(founders(), votes={OPERATOR.id: 1}))
    for number, receipt in enumerate(scene.receipts, 1):
        tables.take(receipt, number, 1_800_000_000 + number)
    return tables


@pytest.fixture(scope="module")
def told() -> tuple[PoolScene, Hash32, Tables]:
    """A pool that has had two dates, a correction, a voided collection and a distribution."""
    scene = PoolScene()
    id_ = scene.active()
    scene.create(draft("CAR-2027-2"))
    scene.commit(id_, FIRST, day(root="one"))
    scene.book("loan-service", binding.correct_calldata(id_, FIRST, day(root="two"), "wrong"))
    scene.commit(id_, SECOND, day(11, changed=2, root="three"))
    scene.collect(id_, collection("p1", 100_000_00, 9_000_00, count=70))
    scene.collect(id_, collection("p2", 5_00, 0))
    scene.collect(id_, collection("p3", 0, 1_000_00))
    scene.cash("trust-house", binding.void_collection_calldata(id_, 2, "came back"))
    scene.book("east-fund", binding.assign_calldata(id_, 2, "south-fund", 7_00))
    scene.distribute(id_, 1, SECOND)
    scene.cash("trust-house", binding.confirm_calldata(id_, 1, digest("bank entry")))
    return scene, id_, projected(scene)


def test_the_tables_say_what_the_contracts_say(told: tuple[PoolScene, Hash32, Tables]) -> None:
    scene, id_, tables = told
    with tables.engine.connect() as connection:
        found = find_pool(connection, id_, ALL)
        assert found is not None
        assert found.pool.state is PoolState.ACTIVE
        assert found.pool.terms == draft().terms
        assert found.pool.last_date == SECOND
        assert pool_rules(connection, id_, ALL) == RULES.document
        newest = find_day(connection, id_, FIRST, ALL)
        assert newest is not None
        assert (newest.revision, newest.day.root, newest.reason) == (2, digest("two"), "wrong")
        former = find_day(connection, id_, FIRST, ALL, revision=1)
        assert former is not None
        assert former.day.root == digest("one")
        days = pool_days(connection, id_, ALL)
        assert [(one.date, one.revision) for one in days.items] == [
            (SECOND, 1),
            (FIRST, 2),
            (FIRST, 1),
        ]
        tranches = pool_tranches(connection, id_, ALL)
        owed, fees_owed = scene.owed(id_)
        assert tuple(one.owed for one in tranches) == owed
        assert tuple(one.owed for one in pool_fees(connection, id_, ALL)) == fees_owed
        assert tranches[2].holders == (("car-bank", 50_000_00), ("south-fund", 7_00))
        for payment in pool_payments(connection, id_, ALL).items:
            assert payment.payment == scene.payment(id_, payment.number)


def test_all_money_of_a_period_is_traced(told: tuple[PoolScene, Hash32, Tables]) -> None:
    _, id_, tables = told
    with tables.engine.connect() as connection:
        trace = trace_period(connection, id_, 1, ALL)
        assert trace is not None
        assert [one.number for one in trace.collections] == [1, 3]
        assert sum(flow.amount for flow in trace.flows) == 110_000_00
        for payment in trace.payments:
            parts = [flow.amount for flow in trace.flows if flow.payment == payment.number]
            assert sum(parts) == payment.payment.amount
        assert trace.payments[0].payment.settled == digest("bank entry")
        assert trace.payments[0].settled_leaf is not None
        assert trace.payments[1].settled_leaf is None
        (shared,) = pool_distributions(connection, id_, ALL)
        assert shared.distribution.collected == 110_000_00
        assert trace_period(connection, id_, 2, ALL) is None
        voided = pool_collections(connection, id_, ALL).items[1]
        assert (voided.voided_by, voided.void_reason) == ("trust-house", "came back")
        kinds = {payment.payment.kind for payment in trace.payments}
        assert kinds == {PaymentKind.FEE, PaymentKind.TRANCHE, PaymentKind.RESIDUAL}


@pytest.mark.parametrize(
    ("organisation", "role", "pools"),
    [
        ("car-bank", Role.BANK, 2),
        ("south-fund", Role.BANK, 2),
        ("market-office", Role.REGULATOR, 2),
        ("grain-store", Role.WAREHOUSE, 0),
    ],
)
def test_a_pool_is_seen_by_its_parties(
    told: tuple[PoolScene, Hash32, Tables], organisation: str, role: Role, pools: int
) -> None:
    _, id_, tables = told
    viewer = Viewer.of(organisation, role)
    with tables.engine.connect() as connection:
        assert len(list_pools(connection, PoolQuery(), viewer).items) == pools
        seen = bool(pools)
        assert (find_pool(connection, id_, viewer) is not None) == seen
        assert bool(pool_tranches(connection, id_, viewer)) == seen
        assert bool(pool_fees(connection, id_, viewer)) == seen
        assert bool(pool_days(connection, id_, viewer).items) == seen
        assert bool(pool_payments(connection, id_, viewer).items) == seen
        assert bool(pool_collections(connection, id_, viewer).items) == seen
        assert bool(pool_distributions(connection, id_, viewer)) == seen
        assert (trace_period(connection, id_, 1, viewer) is not None) == seen
        assert (pool_rules(connection, id_, viewer) is not None) == seen
        assert (find_day(connection, id_, FIRST, viewer) is not None) == seen


def test_lists_come_in_pages_without_gap_or_repetition(
    told: tuple[PoolScene, Hash32, Tables],
) -> None:
    _, id_, tables = told
    with tables.engine.connect() as connection:
        whole = [one.number for one in pool_payments(connection, id_, ALL).items]
        found: list[int] = []
        after: str | None = None
        while True:
            page = pool_payments(connection, id_, ALL, after=after, limit=2)
            found += [one.number for one in page.items]
            after = page.after
            if after is None:
                break
        assert found == whole
        first = list_pools(connection, PoolQuery(limit=1), ALL)
        second = list_pools(connection, PoolQuery(limit=1, after=first.after), ALL)
        assert [p.pool.number for p in (*first.items, *second.items)] == [
            "CAR-2027-2",
            "CAR-2027-1",
        ]
        assert second.after is None
        days = pool_days(connection, id_, ALL, limit=2)
        rest = pool_days(connection, id_, ALL, after=days.after, limit=2)
        assert [one.revision for one in rest.items] == [1]
        proposed = PoolQuery(states=(PoolState.PROPOSED,))
        assert len(list_pools(connection, proposed, ALL).items) == 1


def test_going_through_the_chain_again_gives_the_same_rows(
    told: tuple[PoolScene, Hash32, Tables],
) -> None:
    scene, id_, tables = told
    again = projected(scene)
    with tables.engine.connect() as one, again.engine.connect() as two:
        assert pool_payments(one, id_, ALL) == pool_payments(two, id_, ALL)
        assert find_pool(one, id_, ALL) == find_pool(two, id_, ALL)


def test_a_voided_collection_is_no_part_of_what_is_shared_out() -> None:
    scene = PoolScene()
    id_ = scene.active()
    scene.commit(id_, FIRST, day())
    scene.collect(id_, replace(collection("p1", 1_00, 0), period=1))
    scene.cash("loan-service", binding.void_collection_calldata(id_, 1, "twice"))
    events, _ = scene.distribute(id_, 1, FIRST)
    assert outcome_in(events).distribution.collected == 0
    assert payments_in(events) == []
