"""Statements are read exactly, and within bounds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.settlement import statements
from contracts.settlement.camt053 import parse_camt053
from contracts.settlement.errors import StatementInvalid, StatementTooLarge
from contracts.settlement.statements import Entry, parse_amount, parse_csv
from tests.contracts.settlement.statement_samples import Line, camt053, csv_text

pytestmark = pytest.mark.feature("F10")
DAY = date(2027, 1, 15)
LINES = [
    Line(DAY, 250_000, "N-1", "North Trading", "wheat, lot 7", "B-1"),
    Line(DAY, -99, "", "First Bank", 'fee "January" & more', "B-2"),
]

_words = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufeff"),
    max_size=40,
).map(lambda text: " ".join(text.split()))
_lines = st.lists(
    st.builds(
        Line,
        day=st.dates(date(1970, 1, 1), date(2200, 1, 1)),
        amount=st.integers(-(10**20), 10**20),
        reference=_words.filter(lambda text: text != "NOTPROVIDED"),
        counterparty=_words,
        text=_words,
        bank_reference=_words,
    ),
    max_size=6,
)


def entry_of(line: Line, entry: Entry) -> Line:
    return Line(
        entry.booked,
        entry.amount,
        "".join(entry.references),
        entry.counterparty,
        entry.text,
        "".join(entry.bank_references),
    )


@settings(deadline=None)
@given(_lines)
def test_what_is_written_as_csv_is_read(lines: list[Line]) -> None:
    found = parse_csv(csv_text(lines)).entries
    assert [entry_of(line, entry) for line, entry in zip(lines, found, strict=True)] == lines


@settings(deadline=None)
@given(_lines, st.integers(2, 8), st.integers(-(10**12), 10**12))
def test_what_is_written_as_camt_is_read(lines: list[Line], version: int, opening: int) -> None:
    (statement,) = parse_camt053(camt053(lines, version, opening))
    found = statement.entries
    assert [entry_of(line, entry) for line, entry in zip(lines, found, strict=True)] == lines
    assert (statement.opening, statement.adds_up) == (opening, True)
    assert (statement.id, statement.account, statement.currency) == (
        "S-2027-15",
        "6200-0001",
        "CNY",
    )


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_end_in_anything_but_a_precise_error(data: bytes) -> None:
    for parse in (parse_csv, parse_camt053):
        assert (problem(parse, data) or "statement: ").startswith("statement: ")


def problem(parse: Callable[[bytes], object], data: bytes) -> str | None:
    """Why it is refused; None: it is read. Whatever else is raised fails the test."""
    try:
        parse(data)
    except StatementInvalid as error:
        return str(error)
    return None


@settings(deadline=None)
@given(st.data())
def test_a_damaged_message_is_refused_or_read_never_worse(data: st.DataObject) -> None:
    whole = camt053(LINES)
    at = data.draw(st.integers(0, len(whole) - 1))
    cut = data.draw(st.integers(0, 40))
    damaged = whole[:at] + data.draw(st.binary(max_size=8)) + whole[at + cut :]
    assert problem(parse_camt053, damaged) != ""


@pytest.mark.parametrize("encoding", ["utf-7", "no-such", "gb18030", "idna", "hex", "utf-16"])
def test_encodings_that_expat_does_not_know_are_refused(encoding: str) -> None:
    data = camt053(LINES).replace(b"UTF-8", encoding.encode())
    assert problem(parse_camt053, data) is not None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("date,amount\n", "column currency is missing"),
        ("date,amount,currency,iban\n", "column 'iban' is not known"),
        ("date,date,amount,currency\n", "twice"),
        ("", "column date is missing"),
        ("date,amount,currency\n2027-01-15,1\n", "line 2: 2 fields instead of 3"),
        ("date,amount,currency\n15.01.2027,1,CNY\n", "no date"),
        ("date,amount,currency\n2027-02-30,1,CNY\n", "no date"),
        ("date,amount,currency\n2027-01-15,1.001,CNY\n", "parts of a hundredth"),
        ('date,amount,currency\n2027-01-15,"1,00",CNY\n', "no amount"),
        ("date,amount,currency\n2027-01-15,1e3,CNY\n", "no amount"),
        ("date,amount,currency\n2027-01-15,--1,CNY\n", "no amount"),
        ("date,amount,currency\n2027-01-15,١,CNY\n", "no amount"),
        ("date,amount,currency\n2027-01-15,1,cny\n", "no currency"),
        ('date,amount,currency\n2027-01-15,1,"CNY\n', "line"),
        ("date,amount,currency\0\n", "NUL"),
    ],
)
def test_a_csv_that_is_wrong_is_told_where(text: str, why: str) -> None:
    with pytest.raises(StatementInvalid, match=why):
        parse_csv(text.encode())


def test_a_byte_order_mark_and_other_orders_of_columns_are_read() -> None:
    text = "\ufeffcurrency,amount,date\r\nCNY,-12.3,2027-01-15\r\n\r\n"
    assert parse_csv(text.encode()).entries == (Entry("line 2", DAY, -1230, "CNY"),)


def test_amounts_are_exact() -> None:
    assert parse_amount("92233720368547758.07", "x") == 9_223_372_036_854_775_807
    assert parse_amount("0.10000", "x") == 10
    with pytest.raises(StatementInvalid, match="more than can be"):
        parse_amount("9" * 37, "x")


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE Document [<!ENTITY a "aaaa">]>',
        '<!DOCTYPE Document SYSTEM "file:///etc/hostname">',
        '<!DOCTYPE Document [<!ENTITY % x SYSTEM "http://127.0.0.1:1/"> %x;]>',
    ],
)
def test_no_document_type_and_so_no_entities(head: str) -> None:
    body = camt053(LINES).decode().split("?>", 1)[1]
    with pytest.raises(StatementInvalid, match="document type"):
        parse_camt053((head + body).encode())


def test_other_messages_are_refused() -> None:
    data = camt053(LINES)
    for wrong in (b"camt.054.001.02", b"camt.053.001.01", b"camt.053.001.09"):
        with pytest.raises(StatementInvalid, match=r"is not camt\.053"):
            parse_camt053(data.replace(b"camt.053.001.02", wrong))
    with pytest.raises(StatementInvalid, match="has none"):
        parse_camt053(b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"/>')


def test_pending_entries_are_no_fact_yet() -> None:
    data = camt053(LINES).replace(b"<Sts>BOOK</Sts>", b"<Sts>PDNG</Sts>", 1)
    (statement,) = parse_camt053(data)
    assert [entry.amount for entry in statement.entries] == [-99]
    assert statement.adds_up is False


def test_a_collected_entry_is_taken_apart_where_its_parts_make_it_up() -> None:
    detail = (
        "<TxDtls><Refs><EndToEndId>{0}</EndToEndId></Refs>"
        '<Amt Ccy="CNY">{1}</Amt><CdtDbtInd>CRDT</CdtDbtInd></TxDtls>'
    )
    body = camt053([Line(DAY, 500)], 4).decode()
    start, end = body.index("<TxDtls>"), body.index("</NtryDtls>")

    def read(*parts: tuple[str, str]) -> list[tuple[int, tuple[str, ...]]]:
        inner = "".join(detail.format(*part) for part in parts)
        (statement,) = parse_camt053((body[:start] + inner + body[end:]).encode())
        return [(entry.amount, entry.references) for entry in statement.entries]

    assert read(("a", "2.00"), ("b", "3.00")) == [(200, ("a",)), (300, ("b",))]
    assert read(("a", "2.00"), ("b", "2.99")) == [(500, ())]


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    long = "x" * (statements.FIELD_CHARACTERS_MAX + 1)
    for parse, data in (
        (parse_csv, csv_text([Line(DAY, 1, text=long)])),
        (parse_camt053, camt053([Line(DAY, 1, text=long)])),
        (parse_camt053, camt053([]).replace(b"<Stmt>", b"<a>" * 40)),
        (parse_csv, b"x" * (statements.STATEMENT_BYTES_MAX + 1)),
        (parse_camt053, b"x" * (statements.STATEMENT_BYTES_MAX + 1)),
    ):
        with pytest.raises(StatementTooLarge):
            parse(data)
    monkeypatch.setattr(statements, "ENTRIES_MAX", 1)
    with pytest.raises(StatementTooLarge, match="more than 1 entries"):
        parse_csv(csv_text(LINES))
