"""Statements of accounts as banks give them, read within bounds: CSV and ISO 20022 camt.053.

CSV: UTF-8 (a byte order mark is passed over), commas, RFC 4180 quotes, a header line that names
the columns in any order, lower case:

| column | | |
|---|---|---|
| `date` | required | booking date, YYYY-MM-DD |
| `amount` | required | decimal with a point, at most two places; negative: paid out |
| `currency` | required | ISO 4217 |
| `reference` | | the payer's number, as in a payment on the ledger |
| `counterparty`, `text` | | |
| `value_date` | | YYYY-MM-DD |
| `bank_reference` | | the bank's own |

Other columns are refused: what is not understood might be what matters.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from contracts.settlement.errors import StatementInvalid, StatementTooLarge

STATEMENT_BYTES_MAX: Final = 32 * 1024 * 1024
ENTRIES_MAX: Final = 100_000
FIELD_CHARACTERS_MAX: Final = 1_000
AMOUNT_MAX: Final = (1 << 128) - 1

_REQUIRED: Final = ("date", "amount", "currency")
_OPTIONAL: Final = ("reference", "counterparty", "text", "value_date", "bank_reference")
_AMOUNT: Final = re.compile(r"(\d{1,37})(?:\.(\d{0,5}))?")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One booked line of a bank's statement."""

    place: str
    """Where it stands, for people: `line 7`, `statement 1, entry 3`."""
    booked: date
    amount: int
    """In hundredths; below 0: paid out."""
    currency: str
    references: tuple[str, ...] = ()
    """What the parties call it, the payer's own first."""
    bank_references: tuple[str, ...] = ()
    counterparty: str = ""
    text: str = ""
    value_date: date | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """A bank's statement of one account."""

    id: str
    account: str
    currency: str | None
    """None: of more than one, or of none."""
    opening: int | None
    """In hundredths, below 0 for an overdraft; None: not stated."""
    closing: int | None
    entries: tuple[Entry, ...]

    @property
    def adds_up(self) -> bool | None:
        """Whether the entries make the closing balance of the opening one; None: not stated."""
        if self.opening is None or self.closing is None:
            return None
        return self.opening + sum(entry.amount for entry in self.entries) == self.closing


def parse_csv(data: bytes, account: str = "") -> Statement:
    """A statement in the columns above. Raises `StatementInvalid`."""
    check_size(data)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise StatementInvalid(f"statement: byte {error.start} is not UTF-8") from error
    if "\0" in text:
        raise StatementInvalid("statement: a NUL stands in it")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    entries: list[Entry] = []
    try:
        columns = _header(next(reader, []))
        for row in reader:
            if not row:
                continue
            if len(entries) == ENTRIES_MAX:
                raise StatementTooLarge(f"statement: more than {ENTRIES_MAX} entries")
            entries.append(_row(columns, row, f"line {reader.line_num}"))
    except csv.Error as error:
        raise StatementInvalid(f"statement: line {reader.line_num}: {error}") from error
    currencies = {entry.currency for entry in entries}
    currency = currencies.pop() if len(currencies) == 1 else None
    return Statement("", account, currency, None, None, tuple(entries))


def _header(row: list[str]) -> list[str]:
    columns = [name.strip() for name in row]
    known = ", ".join((*_REQUIRED, *_OPTIONAL))
    for name in columns:
        if name not in (*_REQUIRED, *_OPTIONAL):
            raise StatementInvalid(
                f"statement: column {name[:40]!r} is not known; there are {known}"
            )
    if len(set(columns)) != len(columns):
        raise StatementInvalid("statement: a column stands in it twice")
    if missing := [name for name in _REQUIRED if name not in columns]:
        raise StatementInvalid(f"statement: column {missing[0]} is missing")
    return columns


def _row(columns: list[str], row: list[str], place: str) -> Entry:
    if len(row) != len(columns):
        raise StatementInvalid(f"statement: {place}: {len(row)} fields instead of {len(columns)}")
    values = {name: bounded_text(text, place) for name, text in zip(columns, row, strict=True)}
    amount = values["amount"]
    negative = amount.startswith("-")
    value_date = values.get("value_date", "")
    reference, bank_reference = values.get("reference", ""), values.get("bank_reference", "")
    return Entry(
        place=place,
        booked=parse_date(values["date"], place),
        amount=parse_amount(amount[1:] if negative else amount, place) * (-1 if negative else 1),
        currency=parse_currency(values["currency"], place),
        references=(reference,) if reference else (),
        bank_references=(bank_reference,) if bank_reference else (),
        counterparty=values.get("counterparty", ""),
        text=values.get("text", ""),
        value_date=parse_date(value_date, place) if value_date else None,
    )


# ---- what both formats are made of --------------------------------------------------------------


def check_size(data: bytes) -> None:
    """Raises `StatementTooLarge`."""
    if len(data) > STATEMENT_BYTES_MAX:
        raise StatementTooLarge(
            f"statement: {len(data)} bytes, at most {STATEMENT_BYTES_MAX} are read"
        )


def bounded_text(text: str, place: str) -> str:
    """Without the blanks around it. Raises `StatementTooLarge`."""
    if len(text) > FIELD_CHARACTERS_MAX:
        raise StatementTooLarge(
            f"statement: {place}: a field of more than {FIELD_CHARACTERS_MAX} characters"
        )
    return text.strip()


def parse_amount(text: str, place: str) -> int:
    """Hundredths, exactly. Raises `StatementInvalid` where there are parts of a hundredth."""
    found = _AMOUNT.fullmatch(text) if text.isascii() else None
    if found is None:
        raise StatementInvalid(f"statement: {place}: {text[:40]!r} is no amount")
    fraction = (found[2] or "").ljust(2, "0")
    if fraction[2:].strip("0"):
        raise StatementInvalid(f"statement: {place}: {text[:40]} has parts of a hundredth")
    amount = int(found[1]) * 100 + int(fraction[:2])
    if amount > AMOUNT_MAX:
        raise StatementInvalid(f"statement: {place}: {text[:40]} is more than can be")
    return amount


def parse_date(text: str, place: str) -> date:
    """A day. Raises `StatementInvalid`."""
    try:
        if not _DATE.fullmatch(text):
            raise ValueError("no date")
        return date.fromisoformat(text)
    except ValueError as error:
        raise StatementInvalid(
            f"statement: {place}: {text[:40]!r} is no date (YYYY-MM-DD)"
        ) from error


def parse_currency(text: str, place: str) -> str:
    """An ISO 4217 code. Raises `StatementInvalid`."""
    if not _CURRENCY.fullmatch(text):
        raise StatementInvalid(f"statement: {place}: {text[:40]!r} is no currency")
    return text
