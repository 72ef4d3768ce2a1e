"""Statement and ledger: each difference is found, with its reason."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.settlement import (
    MovementQuery,
    Payment,
    account_key,
    confirm_settlement_calldata,
    list_interbank,
    list_movements,
    pay_calldata,
    request_redemption_calldata,
)
from contracts.settlement.camt053 import parse_camt053
from contracts.settlement.reconciliation import (
    LedgerLine,
    Reason,
    lines_of,
    reconcile,
    settlements_of,
)
from contracts.settlement.statements import Entry, Statement, parse_csv
from tests.contracts.settlement.market import CNY, EVERYTHING, opened
from tests.contracts.settlement.statement_samples import Line, camt053, csv_text

pytestmark = pytest.mark.feature("F10")
DAY = date(2027, 1, 15)


def line(amount: int, number: str = "", days: int = 0) -> LedgerLine:
    return LedgerLine(number, DAY + timedelta(days), amount, CNY, "", None)


def entry(amount: int, *references: str, days: int = 0, text: str = "") -> Entry:
    return Entry("", DAY + timedelta(days), amount, CNY, references, text=text)


def statement(*entries: Entry) -> Statement:
    return Statement("S", "A", CNY, None, None, entries)


def reasons(lines: list[LedgerLine], *entries: Entry) -> list[Reason]:
    return [one.reason for one in reconcile(statement(*entries), lines).differences]


def test_lines_that_name_each_other_agree() -> None:
    found = reconcile(statement(entry(5, "N-1", days=2)), [line(5, "N-1")])
    assert found.agrees
    assert found.matches[0].by_reference


def test_the_number_may_stand_in_the_text() -> None:
    found = reconcile(statement(entry(5, text="payment N-1 wheat")), [line(5, "N-1")])
    assert found.agrees


@pytest.mark.parametrize(
    ("lines", "entries", "expected"),
    [
        ([line(5, "N-1")], [entry(6, "N-1")], [Reason.AMOUNT]),
        ([line(5, "N-1")], [entry(5, "N-1", days=4)], [Reason.DATE]),
        ([line(5, "N-1")], [], [Reason.MISSING_THERE]),
        ([], [entry(5, "N-1")], [Reason.MISSING_HERE]),
        ([line(5, "N-1")], [entry(5, "N-1")] * 2, [Reason.DUPLICATE_THERE]),
        ([line(5, "N-1")] * 2, [entry(5, "N-1")], [Reason.DUPLICATE_HERE]),
        # Numbers are each payer's own: another amount under the same one is another payment.
        ([line(5, "N-1"), line(7, "N-1")], [entry(5, "N-1")], [Reason.MISSING_THERE]),
        ([line(5, "N-1")], [entry(-5, "N-1")], [Reason.AMOUNT]),
        # A name that is another one tells apart what is alike.
        ([line(5, "N-1")], [entry(5, "N-2")], [Reason.MISSING_THERE, Reason.MISSING_HERE]),
    ],
)
def test_each_difference_has_its_reason(
    lines: list[LedgerLine], entries: list[Entry], expected: list[Reason]
) -> None:
    assert reasons(lines, *entries) == expected


def test_without_names_only_what_fits_alone_is_paired() -> None:
    assert reconcile(statement(entry(5)), [line(5, "N-1"), line(6, "N-2")]).matches[0].line == (
        line(5, "N-1")
    )
    found = reasons([line(5, "N-1"), line(5, "N-2")], entry(5))
    assert found == [Reason.MISSING_THERE, Reason.MISSING_THERE, Reason.MISSING_HERE]
    assert reasons([line(5)], entry(5, days=9)) == [Reason.MISSING_THERE, Reason.MISSING_HERE]


def test_another_currency_is_another_line() -> None:
    other = Entry("", DAY, 5, "USD", ("N-1",))
    assert reasons([line(5, "N-1")], other) == [Reason.MISSING_THERE, Reason.MISSING_HERE]


def test_a_statement_that_does_not_add_up_is_told() -> None:
    broken = Statement("S", "A", CNY, 100, 104, (entry(5, "N-1"),))
    (difference,) = reconcile(broken, [line(5, "N-1")]).differences
    assert difference.reason is Reason.BALANCE


_amounts = st.integers(-3, 3).filter(bool)
_lines = st.lists(
    st.builds(line, _amounts, st.sampled_from(["", "N-1", "N-2"]), st.integers(0, 5)), max_size=8
)
_entries = st.lists(
    st.builds(
        lambda amount, names, days: entry(amount, *names, days=days),
        _amounts,
        st.sampled_from([(), ("N-1",), ("N-2",), ("B-9",)]),
        st.integers(0, 5),
    ),
    max_size=8,
)


@settings(deadline=None)
@given(_lines, _entries)
def test_every_line_is_told_once(lines: list[LedgerLine], entries: list[Entry]) -> None:
    found = reconcile(statement(*entries), lines)
    here = [one.line for one in (*found.matches, *found.differences) if one.line is not None]
    there = [one.entry for one in (*found.matches, *found.differences) if one.entry is not None]
    assert sorted(map(repr, here)) == sorted(map(repr, lines))
    assert sorted(map(repr, there)) == sorted(map(repr, entries))
    for match in found.matches:
        assert match.line.amount == match.entry.amount
        assert abs((match.line.day - match.entry.booked).days) <= 3


@settings(deadline=None)
@given(_lines)
def test_a_faithful_statement_agrees(lines: list[LedgerLine]) -> None:
    numbered = [line(one.amount, f"M-{n}", n % 3) for n, one in enumerate(lines)]
    entries = [Entry("", one.day, one.amount, CNY, (one.number,)) for one in numbered]
    assert reconcile(statement(*reversed(entries)), numbered).agrees


def test_an_accounts_own_statement_against_the_ledger() -> None:
    market = opened()
    for amount, number in ((4_000, "W-1"), (700, "W-2")):
        payment = Payment("first-bank", "farm", CNY, amount, number, "first-bank")
        market.deposits("trader", pay_calldata(payment))
    market.deposits("farm", request_redemption_calldata("first-bank", CNY, 50, "R-1"))
    query = MovementQuery(account=account_key("first-bank", CNY, "farm"))
    with market.tables.engine.connect() as connection:
        lines = lines_of(list_movements(connection, query, EVERYTHING).items)
    assert [one.amount for one in lines] == [10_000, 4_000, 700]
    today = datetime.fromtimestamp(market.chain.time, UTC).date()
    booked = [
        Line(today, 10_000, lines[0].number),
        Line(today, 4_000, "W-1"),
        Line(today, 700, "W-2"),
    ]
    assert reconcile(parse_csv(csv_text(booked)), lines).agrees
    (camt,) = parse_camt053(camt053(booked[:2], 8))
    (difference,) = reconcile(camt, lines).differences
    assert (difference.reason, difference.line) == (Reason.MISSING_THERE, lines[2])


def test_a_banks_central_bank_statement_against_settled_claims() -> None:
    market = opened()
    market.limit("second-bank", "first-bank", 5_000)
    payment = Payment("first-bank", "mill", CNY, 4_000, market.number(), "second-bank")
    market.deposits("trader", pay_calldata(payment))
    data = confirm_settlement_calldata("first-bank", CNY, 4_000, "HVPS-88")
    market.deposits("second-bank", data)
    today = datetime.fromtimestamp(market.chain.time, UTC).date()
    with market.tables.engine.connect() as connection:
        changes = list_interbank(connection, EVERYTHING).items
    for bank, sign in (("second-bank", 1), ("first-bank", -1)):
        lines = settlements_of(changes, bank)
        booked = [Line(today, sign * 4_000, "HVPS-88", "central bank")]
        assert reconcile(parse_csv(csv_text(booked)), lines).agrees
