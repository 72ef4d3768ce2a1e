"""Applications, loans and prices in SQL: as the contracts keep them, for whom they concern."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from contracts.abi import Function
from contracts.consortium import Role
from contracts.financing import (
    ALL,
    PRICING_ADDRESS,
    ApplicationQuery,
    LoanQuery,
    Stance,
    accept_calldata,
    advise_calldata,
    application_advice,
    application_history,
    application_offers,
    check_calldata,
    credit_calldata,
    decline_calldata,
    draw_down_calldata,
    find_application,
    find_loan,
    find_rate_table,
    list_applications,
    list_loans,
    list_points,
    loan_history,
    loan_payments,
    points_history,
    present_rate_tables,
    publish_calldata,
    record_points_calldata,
    repay_calldata,
    warn_calldata,
)
from contracts.financing.notices import application_notices, loan_notices, pricing_notices
from contracts.financing.tables import application_metadata, loan_metadata, pricing_metadata
from contracts.instruments.viewer import Viewer
from ledger.types import Hash32
from tests.contracts.financing.loans import CONTRIBUTION, DAY, TIERS, Loans, hash_of

pytestmark = pytest.mark.feature("F8")

FARM, BANK, OTHER, MILL = (Viewer.of(name) for name in ("farm", "bank", "other-bank", "mill"))
PLATFORM = Viewer.of("operator", Role.OPERATOR)
COURT = Viewer.of("court", Role.ARBITRATOR)
ALL_SEEING = Viewer.everything()


@pytest.fixture(scope="module")
def world() -> Loans:
    """A loan that was repaid in parts, a market without an answer, points."""
    world = Loans.opened()
    id_ = world.applied()
    world.apply_("bank", check_calldata(id_, 0, "all well"))
    advice = {"limit": 1 << 100, "rate_bp": 480, "text": hash_of("reasons")}
    world.apply_("operator", advise_calldata(id_, 0, score=700, **advice))  # type: ignore[arg-type]
    world.apply_("operator", advise_calldata(id_, 0, score=712, **advice))  # type: ignore[arg-type]
    world.apply_("other-bank", decline_calldata(id_, 0, hash_of("no"), "sorry"))
    world.apply_("farm", accept_calldata(id_, 0, "bank", world.approved(id_)))
    world.finance("bank", draw_down_calldata(id_, 0, "paid"))
    world.wait(10 * DAY)
    world.finance("farm", repay_calldata(id_, 0, 10_000_00))
    world.finance("operator", warn_calldata(id_, 0, 2, hash_of("prices")))
    world.finance("bank", credit_calldata(id_, 0, 5_000_00, hash_of("statement")))
    market = world.applied(world.market())
    world.sealed(market, "other-bank", 470)
    table = publish_calldata("CNY", TIERS[:1], CONTRIBUTION, hash_of("two"))
    world.act("bank", PRICING_ADDRESS, table)
    for change, ref in ((500, "a"), (-20, "b")):
        world.act("bank", PRICING_ADDRESS, record_points_calldata("farm", change, hash_of(ref)))
    world.act("other-bank", PRICING_ADDRESS, record_points_calldata("mill", 7, hash_of("a")))
    return world


def the_loan(world: Loans) -> Hash32:
    with world.connect() as connection:
        (one,) = list_loans(connection, LoanQuery(), ALL_SEEING).items
    return one.id


def test_what_is_stored_is_what_the_contracts_keep(world: Loans) -> None:
    id_ = the_loan(world)
    with world.connect() as connection:
        loan = find_loan(connection, id_, FARM)
        application = find_application(connection, id_, FARM)
    assert loan is not None
    assert application is not None
    assert loan.loan == world.loan(id_)
    assert application.application == world.application(id_)
    assert (loan.state, application.state) == ("active", "active")
    assert loan.revision == application.revision + 3
    time = world.chain.time + 40 * DAY
    balance = loan.balance.at(time)
    assert (balance.principal, balance.interest) == world.owed(id_, time)


def test_offers_advice_payments_and_histories_are_kept(world: Loans) -> None:
    id_ = the_loan(world)
    with world.connect() as connection:
        first, second = application_offers(connection, id_, FARM)
        assert (first.bank, first.offer) == ("bank", world.offer(id_, "bank"))
        assert (second.bank, second.offer.stance) == ("other-bank", Stance.DECLINED)
        advice = application_advice(connection, id_, BANK)
        assert [one.advice.score for one in advice] == [712, 700]
        assert advice[0].advice.limit == 1 << 100
        acts = application_history(connection, id_, FARM).items
        assert [one.act for one in acts] == [
            "apply", "check", "advise", "advise", "decline", "approve", "accept", "draw-down",
        ]  # fmt: skip
        assert [one.revision for one in acts] == list(range(1, 9))
        acts = loan_history(connection, id_, BANK).items
        assert [one.act for one in acts] == ["draw-down", "repay", "warn", "credit"]
        assert acts[0].remark == "paid"
        paid = loan_payments(connection, id_, FARM).items
    assert [(one.by, one.interest + one.principal) for one in paid] == [
        ("farm", 10_000_00),
        ("bank", 5_000_00),
    ]
    assert paid[0].interest == 100_00  # 80,000 · 4.5 % · 10/360
    assert (paid[0].ref, paid[1].ref) == (None, hash_of("statement"))


def test_who_is_no_party_sees_nothing_and_counts_nothing(world: Loans) -> None:
    id_ = the_loan(world)
    with world.connect() as connection:
        for viewer in (MILL, Viewer.nobody()):
            assert find_application(connection, id_, viewer) is None
            assert find_loan(connection, id_, viewer) is None
            assert list_applications(connection, ApplicationQuery(), viewer).items == ()
            assert list_loans(connection, LoanQuery(), viewer).items == ()
            assert application_offers(connection, id_, viewer) == ()
            assert application_advice(connection, id_, viewer) == ()
            assert application_history(connection, id_, viewer).items == ()
            assert loan_history(connection, id_, viewer).items == ()
            assert loan_payments(connection, id_, viewer).items == ()
        for viewer in (FARM, BANK, PLATFORM, COURT, ALL_SEEING):
            assert find_loan(connection, id_, viewer) is not None


def test_a_bank_sees_its_own_offer_and_not_the_loan_of_another(world: Loans) -> None:
    id_ = the_loan(world)
    with world.connect() as connection:
        assert [one.bank for one in application_offers(connection, id_, OTHER)] == ["other-bank"]
        assert [one.bank for one in application_offers(connection, id_, BANK)] == ["bank"]
        assert application_offers(connection, id_, PLATFORM) == ()
        assert len(application_offers(connection, id_, COURT)) == 2
        acts = [one.act for one in application_history(connection, id_, OTHER).items]
        assert "decline" in acts
        assert "approve" not in acts
        assert find_loan(connection, id_, OTHER) is None
        by_other = ApplicationQuery(open_to="other-bank")
        assert len(list_applications(connection, by_other, OTHER).items) == 2
        assert list_applications(connection, by_other, BANK).items == ()


def test_lists_are_filtered_and_paged(world: Loans) -> None:
    with world.connect() as connection:
        first = list_applications(connection, ApplicationQuery(limit=1), FARM)
        assert first.after is not None
        rest = list_applications(connection, ApplicationQuery(after=first.after), FARM)
        assert [first.items[0].state, rest.items[0].state] == ["applied", "active"]
        assert rest.after is None
        for query, count in (
            (ApplicationQuery(states=("applied",)), 1),
            (ApplicationQuery(borrower="farm"), 2),
            (ApplicationQuery(borrower="mill"), 0),
            (ApplicationQuery(bank="bank"), 1),
            (ApplicationQuery(number="L-1"), 1),
            (ApplicationQuery(asset=rest.items[0].application.request.asset), 1),
        ):
            assert len(list_applications(connection, query, FARM).items) == count
        for loans, count in (
            (LoanQuery(states=("active",)), 1),
            (LoanQuery(states=("overdue",)), 0),
            (LoanQuery(bank="bank", borrower="farm", currency="CNY"), 1),
            (LoanQuery(currency="EUR"), 0),
            (LoanQuery(due_before=world.chain.time), 0),
            (LoanQuery(due_before=world.chain.time + 60 * DAY), 1),
            (LoanQuery(breached=True), 0),
            (LoanQuery(breached=False), 1),
        ):
            assert len(list_loans(connection, loans, BANK).items) == count


@pytest.mark.feature("F9")
def test_tables_of_rates_and_points_are_kept_in_all_versions(world: Loans) -> None:
    with world.connect() as connection:
        now, first = (find_rate_table(connection, "bank", "CNY", v) for v in (None, 1))
        assert now is not None
        assert first is not None
        assert (now.table.version, now.table.tiers) == (2, TIERS[:1])
        assert (first.table.tiers, first.table.contribution) == (TIERS, CONTRIBUTION)
        assert find_rate_table(connection, "bank", "EUR") is None
        present = present_rate_tables(connection)
        assert [(one.table.bank, one.table.version) for one in present] == [
            ("bank", 2),
            ("other-bank", 1),
        ]
        assert [one.points for one in list_points(connection, FARM).items] == [480]
        assert [one.customer for one in list_points(connection, ALL_SEEING).items] == [
            "mill",
            "farm",
        ]
        assert list_points(connection, OTHER, bank="bank").items == ()
        booked = points_history(connection, "bank", "farm", FARM).items
        assert [one.booked.change for one in booked] == [500, -20]
        assert points_history(connection, "bank", "farm", MILL).items == ()


def test_parties_are_told_and_no_bank_of_the_offer_of_another() -> None:
    world = Loans.opened()
    id_ = world.applied(world.request(amount=1 << 119, amount_min=1))
    logs = world.apply_("other-bank", decline_calldata(id_, 0, hash_of("no")))
    assert application_notices(logs[0]) == ()
    (told,) = application_notices(logs[1])
    assert (told.kind, told.parties) == ("offer.declined", frozenset({"farm", "other-bank"}))
    world.apply_("farm", accept_calldata(id_, 0, "bank", world.approved(id_)))
    (log,) = world.finance("bank", draw_down_calldata(id_, 0))
    (told,) = loan_notices(log)
    assert (told.kind, told.parties) == ("loan.draw-down", frozenset({"farm", "bank"}))
    record = told.body["record"]
    assert isinstance(record, dict)
    assert isinstance(record["debt"], dict)
    assert record["debt"]["lent"] == str(80_000_00)
    logs = world.finance("farm", repay_calldata(id_, 0, ALL, [world.loan(id_).asset]))
    kinds = [told.kind for log in logs for told in loan_notices(log)]
    assert kinds == ["loan.payment", "loan.repay", "loan.close"]
    (log,) = world.act("bank", PRICING_ADDRESS, record_points_calldata("farm", 5, hash_of("x")))
    (told,) = pricing_notices(log)
    assert told.parties == frozenset({"farm", "bank"})


def test_a_rebuild_gives_the_same_rows(world: Loans) -> None:
    """The tables of another reader, filled from the beginning, are the same."""
    from tests.contracts.receipts.world import FOUNDERS
    from tests.contracts.scene import entries
    from tests.contracts.tables import Tables

    fresh = Tables.of(entries(FOUNDERS, votes={"operator": 1}))
    second = Loans.opened(fresh)
    id_ = second.drawn()
    second.repaid(id_, ALL, [second.loan(id_).asset])
    mine = second.tables[0]
    for metadata in (application_metadata, loan_metadata, pricing_metadata):
        for table in metadata.sorted_tables:
            with mine.engine.connect() as left, fresh.engine.connect() as right:
                rows = set(map(tuple, left.execute(select(table))))
                assert rows == set(map(tuple, right.execute(select(table))))
    for handler in fresh.handlers:
        if handler.name in ("applications", "financing", "pricing"):
            with fresh.engine.begin() as connection:
                handler.reset(connection)
                for table in handler.metadata.sorted_tables:
                    assert connection.execute(select(table)).all() == []


def test_every_act_of_the_table_has_its_function() -> None:
    """Whoever reads the table finds the call: names differ only where Solidity forbids them."""
    from contracts.financing import APPLICATIONS_ARTIFACT, FINANCING_ARTIFACT, MACHINE

    special = {"apply": "applyFor", "close": None}
    for act in MACHINE.acts[10:]:
        words = act.name.split("-")
        name = special.get(act.name, words[0] + "".join(word.title() for word in words[1:]))
        if name is None:
            continue
        found = [
            Function.of(artifact, name)
            for artifact in (APPLICATIONS_ARTIFACT, FINANCING_ARTIFACT)
            if any(e.get("name") == name and e["type"] == "function" for e in artifact.abi)
        ]
        assert len(found) == 1, act.name
