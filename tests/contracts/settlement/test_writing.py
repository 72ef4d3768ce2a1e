"""Statements that the ledger writes: its own readers find in them what it has."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.instruments.places import ChainPlace
from contracts.instruments.viewer import Viewer
from contracts.settlement import (
    Account,
    AccountStatement,
    Movement,
    MovementKind,
    PeriodTooLarge,
    Statement,
    StatementTooLarge,
    StoredAccount,
    StoredMovement,
    account_key,
    account_statement,
    changes,
    issue_calldata,
    lines_of,
    parse_camt053,
    parse_csv,
    reconcile,
    write_camt053,
    write_csv,
)
from ledger.types import Hash32
from tests.contracts.settlement.market import CNY, EVERYTHING, opened

pytestmark = pytest.mark.feature("F10")
DAY = date(2027, 1, 15)
NOON = int(datetime(2027, 1, 15, 12, tzinfo=UTC).timestamp())
KEY = Hash32(b"\x5a" * 32)
SIGNED = [kind for kind in MovementKind if kind.sign]
ACCOUNT = StoredAccount(
    KEY,
    Account("first-bank", "trader", CNY, 0, 0, 0, 1),
    ChainPlace(1, NOON, Hash32(bytes(32)), 0, 0),
)


def line(
    index: int, kind: MovementKind, amount: int, number: str | None, remark: str
) -> StoredMovement:
    movement = Movement("trader", amount, "mill", "first-bank", number, None, 0)
    place = ChainPlace(index, NOON + index, Hash32(bytes(32)), 0, index)
    return StoredMovement(
        KEY, "first-bank", "trader", CNY, KEY, kind, movement, 0, 0, 0, remark, place
    )


def statement(*lines: StoredMovement, opening: int = 10**15) -> AccountStatement:
    return AccountStatement(ACCOUNT, DAY, DAY, UTC, opening, lines)


def parsed(written: AccountStatement) -> tuple[Statement, Statement]:
    (message,) = parse_camt053(write_camt053(written))
    return parse_csv(write_csv(written)), message


_numbers = st.none() | st.from_regex(r"[!-~]{1,32}", fullmatch=True) | st.just(f"0x{'ab' * 32}")
_lines = st.lists(
    st.tuples(st.sampled_from(SIGNED), st.integers(0, 10**14), _numbers, st.text(max_size=256)),
    max_size=12,
)


@settings(deadline=None, max_examples=60)
@given(_lines)
def test_whatever_stands_in_a_line_both_formats_hold_it(
    drawn: list[tuple[MovementKind, int, str | None, str]],
) -> None:
    written = statement(*(line(index, *one) for index, one in enumerate(drawn)))
    for read in parsed(written):
        assert [one.amount for one in read.entries] == [k.sign * a for k, a, *_ in drawn]
        assert {one.booked for one in read.entries} <= {DAY}
        assert [one.bank_references for one in read.entries] == [
            (f"leaf-{index}",) for index in range(len(drawn))
        ]
        if len({number for _, _, number, _ in drawn}) == len(drawn):
            ambiguous = [one for one in drawn if one[2] is None]
            found = reconcile(read, lines_of(written.lines))
            assert len(found.differences) <= 2 * len(ambiguous), found.differences


def test_balances_control_characters_and_long_numbers_are_written_readably() -> None:
    long, remark = f"0x{'cd' * 32}", "line 1\nline 2\x00\x1b[31m <&> \ud800 end" + "x" * 200
    written = statement(
        line(1, MovementKind.RECEIVED, 500, long, remark),
        line(2, MovementKind.COLLECTED, 700, "N-1", "=1+1"),
        opening=150,
    )
    csv, message = parsed(written)
    assert (message.opening, message.closing, message.adds_up) == (150, -50, True)
    assert message.account == KEY.hex()[:32]
    assert long in message.entries[0].text.split()
    assert csv.entries[0].text.startswith("line 1 line 2")
    for read in (csv, message):
        assert read.entries[0].text.endswith("x")
        assert not set(read.entries[0].text) & set("\x00\n\x1b")
        assert read.entries[1].references == ("N-1",)
        assert reconcile(read, lines_of(written.lines)).agrees


def test_an_amount_beyond_the_format_is_refused_and_stands_in_csv() -> None:
    written = statement(line(1, MovementKind.RECEIVED, 10**18, "N-1", ""))
    with pytest.raises(StatementTooLarge, match="CSV"):
        write_camt053(written)
    assert parse_csv(write_csv(written)).entries[0].amount == 10**18


def test_a_day_lies_between_the_balances_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    market = opened()
    key = account_key("first-bank", CNY, "trader")
    for amount in (100, 250):
        market.deposits("first-bank", issue_calldata("trader", CNY, amount, market.number()))
        market.chain.number += 86_400
    first = datetime.fromtimestamp(market.chain.time, UTC).date() - timedelta(2)
    with market.tables.engine.connect() as connection:

        def of(start: int, end: int, viewer: Viewer = EVERYTHING) -> AccountStatement | None:
            days = (first + timedelta(start), first + timedelta(end))
            return account_statement(connection, key, viewer, *days)

        whole = of(-30, 30)
        assert whole is not None
        began = datetime.fromtimestamp(whole.lines[-1].place.block_time, UTC).date()
        last = account_statement(connection, key, EVERYTHING, began, began)
        assert last is not None
        assert (last.opening, last.closing, len(last.lines)) == (
            whole.closing - 250,
            whole.closing,
            1,
        )
        assert of(-30, 30, Viewer.of("trader")) == whole
        assert of(-30, 30, Viewer.of("farm")) is None
        numbers = {one.movement.number or "" for one in whole.lines[-1:]}
        asked = (connection, key, EVERYTHING, 0, 1 << 40)
        assert changes(*asked, numbers | {"unknown"}) == whole.lines[-1:]
        assert changes(*asked, ()) == ()
        monkeypatch.setattr("contracts.settlement.extracts.LIMIT_MAX", 1)
        assert changes(*asked) == whole.lines
        monkeypatch.setattr("contracts.settlement.extracts.LINES_MAX", 1)
        with pytest.raises(PeriodTooLarge):
            of(-30, 30)
