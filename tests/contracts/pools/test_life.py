"""A pool's life on the EVM: offices, states, money; who may do what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from hashlib import sha256

import pytest

from contracts.consortium import Status, set_organisation_status
from contracts.genesis import CONSORTIUM_ADDRESS, POOL_BOOK_ADDRESS, POOLS_ADDRESS
from contracts.pools import binding, logs
from contracts.pools.leaf import Asset, outside_id
from contracts.pools.types import (
    AssetKind,
    AssetState,
    Day,
    DayCommitted,
    Fee,
    Office,
    PoolChanged,
    PoolState,
    TrancheDraft,
    UnitsMoved,
    days_of,
)
from ledger.tlog import inclusion_path, leaf_hash, root_of
from ledger.types import Address, Hash32
from tests.contracts.pools.scene import (
    FIRST,
    START,
    TODAY,
    PoolScene,
    collection,
    day,
    digest,
    draft,
    outcome_in,
    payments_in,
)
from tests.contracts.scene import govern, told

pytestmark = pytest.mark.feature("F7")
BOOK, CASH = POOL_BOOK_ADDRESS, POOLS_ADDRESS


@pytest.fixture
def scene() -> PoolScene:
    return PoolScene()


def test_a_pool_lives_once_trustee_and_servicer_have_accepted(scene: PoolScene) -> None:
    id_ = scene.create()
    early = binding.commit_calldata(id_, FIRST, day())
    assert scene.refusal("loan-service", BOOK, early) == "WrongPoolState"
    receipt = scene.book("trust-house", binding.accept_calldata(id_, Office.TRUSTEE))
    (event,) = (logs.decode_book_log(log) for log in told(receipt, BOOK))
    assert isinstance(event, PoolChanged)
    assert event.pool.state is PoolState.PROPOSED
    again = binding.accept_calldata(id_, Office.TRUSTEE)
    assert scene.refusal("trust-house", BOOK, again) == "NotOffice"
    scene.book("loan-service", binding.accept_calldata(id_, Office.SERVICER))
    pool = logs.decode_pool(scene.ask(BOOK, logs.pool_calldata(id_)))
    assert pool is not None
    assert pool.state is PoolState.ACTIVE
    assert pool.terms == draft().terms
    assert (pool.arranger, pool.number) == ("car-bank", "CAR-2027-1")


WRONG = {
    "no bank": ("grain-store", draft()),
    "currency": ("car-bank", replace(draft(), terms=replace(draft().terms, currency="cny"))),
    "basis": ("car-bank", replace(draft(), terms=replace(draft().terms, basis=366))),
    "one office": (
        "car-bank",
        replace(draft(), terms=replace(draft().terms, trustee="loan-service")),
    ),
    "stranger": ("car-bank", replace(draft(), terms=replace(draft().terms, residual="nobody"))),
    "balance": (
        "car-bank",
        replace(
            draft(),
            terms=replace(
                draft().terms, limits=replace(draft().terms.limits, balance_max=(1 << 100) + 1)
            ),
        ),
    ),
    "rank": ("car-bank", replace(draft(), tranches=draft().tranches[::-1])),
    "holder twice": (
        "car-bank",
        replace(
            draft(), tranches=(TrancheDraft("A", 1, 1, (("north-fund", 1), ("north-fund", 2))),)
        ),
    ),
    "no tranche": ("car-bank", replace(draft(), tranches=())),
    "idle fee": ("car-bank", replace(draft(), fees=(Fee("trust-house", 0, 0),))),
    "other rules": ("car-bank", replace(draft(), rules_document=b"{}")),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_pool_that_makes_no_sense_is_refused(scene: PoolScene, name: str) -> None:
    by, plan = WRONG[name]
    before = scene.chain.words(BOOK)
    assert scene.book(by, binding.create_calldata(plan)).status == 0
    assert scene.chain.words(BOOK) == before


def test_a_number_is_used_once(scene: PoolScene) -> None:
    id_ = scene.create()
    assert scene.book("car-bank", binding.withdraw_calldata(id_, "wrong terms")).status == 1
    assert scene.refusal("car-bank", BOOK, binding.create_calldata(draft())) == "PoolExists"


def test_every_call_is_for_its_office_alone(scene: PoolScene) -> None:
    id_ = scene.active()
    scene.commit(id_, FIRST, day())
    scene.collect(id_, collection("p1", 10_00, 0))
    seen, second = scene.open(id_, 1).revision, FIRST + timedelta(days=1)
    calls: list[tuple[Address, bytes, set[str]]] = [
        (
            BOOK,
            binding.commit_calldata(id_, second, day(changed=0)),
            {"loan-service"},
        ),
        (BOOK, binding.correct_calldata(id_, FIRST, day(), "wrong file"), {"loan-service"}),
        (BOOK, binding.appoint_calldata(id_, Office.SERVICER, "car-bank"), {"trust-house"}),
        (
            BOOK,
            binding.assign_calldata(id_, 0, "east-fund", 50_000_00),
            {"north-fund", "south-fund"},
        ),
        (CASH, binding.collect_calldata(id_, collection("p2", 1, 0)), {"loan-service"}),
        (CASH, binding.void_collection_calldata(id_, 1, "x"), {"loan-service", "trust-house"}),
        (CASH, binding.distribute_calldata(id_, 1, FIRST, seen), {"trust-house"}),
    ]
    everybody = ["car-bank", "trust-house", "loan-service", "north-fund", "south-fund", "east-fund"]
    for to, data, entitled in calls:
        allowed = {
            by
            for by in [*everybody, "market-office", "tally-operator"]
            if scene.refusal(by, to, data) is None
        }
        assert allowed == entitled


def test_a_date_has_one_state_in_order_and_corrections_leave_the_old_one(
    scene: PoolScene,
) -> None:
    id_ = scene.active()
    assert scene.commit(id_, FIRST, day(root="one")).status == 1

    def refused(on: date, count: int = 10, **values: int) -> str | None:
        state = day(count, **values)  # type: ignore[arg-type]
        return scene.refusal("loan-service", BOOK, binding.commit_calldata(id_, on, state))

    assert refused(FIRST) == "WrongDate"
    assert refused(FIRST + timedelta(2)) == "WrongDate"
    assert refused(FIRST + timedelta(1), 9) == "InvalidDay"
    assert refused(FIRST + timedelta(1), 2_000_001) == "InvalidDay"
    assert refused(FIRST + timedelta(1), performing=10**14 + 1) == "InvalidDay"
    assert refused(FIRST + timedelta(1), 11, changed=0) == "InvalidDay"
    receipt = scene.book(
        "loan-service", binding.correct_calldata(id_, FIRST, day(root="two"), "wrong file")
    )
    (event,) = (logs.decode_book_log(log) for log in told(receipt, BOOK))
    assert isinstance(event, DayCommitted)
    assert (event.revision, event.reason, event.day.root) == (2, "wrong file", digest("two"))
    number = days_of(FIRST)
    for revision, root in ((1, "one"), (2, "two"), (0, "two")):
        found = logs.decode_day(scene.ask(BOOK, logs.day_calldata(id_, number, revision)))
        assert found.root == digest(root)
    silent = binding.correct_calldata(id_, FIRST, day(), "")
    assert scene.refusal("loan-service", BOOK, silent) == "ReasonMissing"


def test_the_first_state_lies_where_the_first_period_can_end(scene: PoolScene) -> None:
    """No servicer puts the day by which is shared out decades of states away."""
    id_ = scene.active()

    def refused(on: date) -> str | None:
        return scene.refusal("loan-service", BOOK, binding.commit_calldata(id_, on, day()))

    assert refused(date(1970, 1, 2)) == "WrongDate"
    assert refused(START - timedelta(days=1)) == "WrongDate"
    assert refused(START) is None
    late = draft("CAR-OLD")
    late = replace(late, terms=replace(late.terms, start=FIRST - timedelta(days=3_660)))
    id_ = scene.active(late)
    assert refused(FIRST + timedelta(days=1)) == "WrongDate"
    assert scene.commit(id_, FIRST, day()).status == 1
    scene.collect(id_, collection("p", 5_000_00, 0))
    assert scene.distribute_refused(id_, 1, FIRST) is None


def test_a_correction_fits_to_the_day_after_as_well(scene: PoolScene) -> None:
    id_, second = scene.active(), FIRST + timedelta(days=1)
    scene.commit(id_, FIRST, day(10))
    scene.commit(id_, second, day(12, changed=3, root="two"))

    def refused(on: date, state: Day) -> str | None:
        data = binding.correct_calldata(id_, on, state, "a wrong file")
        return scene.refusal("loan-service", BOOK, data)

    assert refused(FIRST, day(13)) == "InvalidDay"  # an asset would vanish
    assert refused(FIRST, day(8)) == "InvalidDay"  # four new ones, of three changes
    for count in (9, 10, 12):
        assert refused(FIRST, day(count, root="better")) is None
    third = second + timedelta(days=1)
    scene.commit(id_, third, day(12, changed=0, root="two"))
    assert refused(second, day(12, root="other")) == "InvalidDay"  # the third has no change
    assert refused(third, day(13)) is None
    newest = binding.correct_calldata(id_, third, day(12, root="other"), "a wrong file")
    assert scene.book("loan-service", newest).status == 1
    assert refused(second, day(12, root="other")) is None


def test_no_state_is_from_the_future_and_no_asset_comes_in_behind_the_revolving_period(
    scene: PoolScene,
) -> None:
    plan = draft()
    limits = replace(plan.terms.limits, admit_until=FIRST)
    id_ = scene.active(replace(plan, terms=replace(plan.terms, limits=limits)))
    late = binding.commit_calldata(id_, TODAY + timedelta(days=2), day())
    assert scene.refusal("loan-service", BOOK, late) == "DateInFuture"
    scene.commit(id_, FIRST, day(10))
    more = binding.commit_calldata(id_, FIRST + timedelta(1), day(11))
    assert scene.refusal("loan-service", BOOK, more) == "InvalidDay"
    assert scene.commit(id_, FIRST + timedelta(1), day(10, changed=3)).status == 1


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 13])
def test_the_contract_verifies_each_leaf_at_its_place_alone(scene: PoolScene, size: int) -> None:
    assets = [
        Asset(
            outside_id(f"loan {number}", b"salt of the pool"),
            AssetKind.OUTSIDE,
            number * 10**12 + 7,
            AssetState.OVERDUE,
            number + 1,
            digest("terms"),
        )
        for number in range(size)
    ]
    hashes = [leaf_hash(asset.leaf()) for asset in assets]
    id_ = scene.active()
    state = replace(day(size), root=Hash32(root_of(hashes)))
    assert scene.commit(id_, FIRST, state).status == 1

    def verified(asset: Asset, index: int, path: tuple[bytes, ...]) -> bool:
        data = binding.verify_calldata(id_, FIRST, 0, asset, index, path)
        return binding.decode_verify(scene.ask(BOOK, data))

    for index, asset in enumerate(assets):
        path = inclusion_path(hashes, index)
        assert verified(asset, index, path)
        assert not verified(asset, index + 1, path)
        assert not verified(replace(asset, balance=asset.balance + 1), index, path)
        assert not verified(asset, index, (*path, bytes(32)))
        assert not path or not verified(asset, index, path[:-1])


def test_a_payment_is_counted_once_in_whichever_pool_of_its_trustee(scene: PoolScene) -> None:
    first, second = scene.active(), scene.active(draft("CAR-2027-2"))
    assert scene.collect(first, collection("p1", 10_00, 1_00)).status == 1
    again = binding.collect_calldata(second, collection("p1", 10_00, 1_00))
    assert scene.refusal("loan-service", CASH, again) == "PaymentUsed"
    void = binding.void_collection_calldata(first, 1, "the other pool's")
    assert scene.cash("loan-service", void).status == 1
    assert scene.open(first, 1).principal == 0
    assert scene.cash("loan-service", again).status == 1
    assert scene.refusal("loan-service", CASH, void) == "CollectionClosed"


@pytest.mark.parametrize(
    "change",
    [
        lambda c: replace(c, count=0),
        lambda c: replace(c, count=2),
        lambda c: replace(c, root=digest("r")),
        lambda c: replace(c, principal=0),
        lambda c: replace(c, payment=Hash32(bytes(32))),
        lambda c: replace(c, period=3),
        lambda c: replace(c, period=0),
        lambda c: replace(c, voided=True),
        lambda c: replace(c, date=TODAY + timedelta(days=2)),
    ],
)
def test_a_collection_that_makes_no_sense_is_refused(
    scene: PoolScene, change: Callable[..., object]
) -> None:
    id_ = scene.active()
    content = change(collection("p1", 10_00, 0))
    assert scene.collect(id_, content).status == 0  # type: ignore[arg-type]


def test_money_goes_out_once_and_is_confirmed_once(scene: PoolScene) -> None:
    id_ = scene.active()
    scene.commit(id_, FIRST, day())
    scene.collect(id_, collection("p1", 100_000_00, 20_000_00, count=311))
    scene.collect(id_, collection("next", 5, 0, period=2))
    events, receipt = scene.distribute(id_, 1, FIRST)
    payments = payments_in(events)
    assert sum(payment.amount for payment in payments) == 120_000_00
    assert receipt.gas_used < 3_000_000
    assert outcome_in(events).account.unconfirmed == len(payments)
    assert scene.distribute_refused(id_, 1, FIRST) == "WrongPeriod"
    assert scene.distribute_refused(id_, 2, FIRST) == "WrongDate"
    close = binding.close_calldata(id_)
    assert scene.refusal("trust-house", BOOK, close) == "PoolNotEmpty"
    for number in range(1, len(payments) + 1):
        done = binding.confirm_calldata(id_, number, digest(f"payment {number}"))
        assert scene.cash("trust-house", done).status == 1
        twice = binding.confirm_calldata(id_, number, digest("another"))
        assert scene.refusal("trust-house", CASH, twice) == "PaymentConfirmedAlready"
    assert scene.refusal("trust-house", BOOK, close) == "PoolNotEmpty"
    scene.cash("trust-house", binding.void_collection_calldata(id_, 2, "came back"))
    assert scene.refusal("trust-house", BOOK, close) == "PrincipalOwed"


def test_one_outside_payment_confirms_one_payment(scene: PoolScene) -> None:
    id_ = scene.active()
    scene.commit(id_, FIRST, day())
    scene.collect(id_, collection("p1", 100_000_00, 20_000_00))
    scene.distribute(id_, 1, FIRST)
    assert scene.cash("trust-house", binding.confirm_calldata(id_, 1, digest("p"))).status == 1
    again = binding.confirm_calldata(id_, 2, digest("p"))
    assert scene.refusal("trust-house", CASH, again) == "PaymentUsed"


def test_units_move_and_the_new_holder_is_paid(scene: PoolScene) -> None:
    id_ = scene.active()
    too_many = binding.assign_calldata(id_, 1, "north-fund", 100_000_01)
    assert scene.refusal("east-fund", BOOK, too_many) == "NotEnoughUnits"
    receipt = scene.book("east-fund", binding.assign_calldata(id_, 1, "north-fund", 100_000_00))
    (event,) = (logs.decode_book_log(log) for log in told(receipt, BOOK))
    assert isinstance(event, UnitsMoved)
    assert (event.sender_units, event.recipient_units) == (0, 100_000_00)
    scene.commit(id_, FIRST, day())
    scene.collect(id_, collection("p1", 0, 50_000_00))
    payments = payments_in(scene.distribute(id_, 1, FIRST)[0])
    assert {p.payee for p in payments if p.index == 1 and p.kind == 2} == {"north-fund"}


def test_offices_change_hands_and_an_orphaned_pool_gets_a_new_trustee(scene: PoolScene) -> None:
    id_ = scene.active()
    appoint = binding.appoint_calldata(id_, Office.SERVICER, "north-fund", "better service")
    assert scene.book("trust-house", appoint).status == 1
    scene.book("north-fund", binding.accept_calldata(id_, Office.SERVICER))
    state = binding.commit_calldata(id_, FIRST, day())
    assert scene.refusal("loan-service", BOOK, state) == "NotOffice"
    assert scene.book("north-fund", state).status == 1
    by_arranger = binding.appoint_calldata(id_, Office.TRUSTEE, "south-fund")
    assert scene.refusal("car-bank", BOOK, by_arranger) == "NotOffice"
    suspend = set_organisation_status("trust-house", Status.SUSPENDED)
    assert govern(scene.chain, (CONSORTIUM_ADDRESS, suspend), by=scene.voter()).status == 1
    assert scene.refusal("trust-house", BOOK, binding.close_calldata(id_)) == "CallerNotActive"
    assert scene.book("car-bank", by_arranger).status == 1
    both = binding.accept_calldata(id_, Office.TRUSTEE)
    assert scene.book("south-fund", both).status == 1
    pool = logs.decode_pool(scene.ask(BOOK, logs.pool_calldata(id_)))
    assert pool is not None
    assert (pool.terms.trustee, pool.terms.servicer) == ("south-fund", "north-fund")


def test_the_rules_that_are_published_are_those_of_the_terms(scene: PoolScene) -> None:
    assert sha256(draft().rules_document).digest() == draft().terms.rules
