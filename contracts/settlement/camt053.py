"""ISO 20022 bank-to-customer statements: camt.053.001.02 to .08.

Read as a stream by expat. A document type is refused, so that there are no entities but XML's own
five; depth, number and length of everything are bounded. Booked entries alone are taken: what is
pending is no fact yet.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from contracts.settlement.errors import StatementInvalid, StatementTooLarge
from contracts.settlement.statements import (
    ENTRIES_MAX,
    FIELD_CHARACTERS_MAX,
    Entry,
    Statement,
    bounded_text,
    check_size,
    parse_amount,
    parse_currency,
    parse_date,
)

_NAMESPACE: Final = re.compile(r"urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.0[2-8]")
_DEPTH_MAX: Final = 32
_ELEMENTS_MAX: Final = 20 * ENTRIES_MAX
"""Of a message: entries as banks write them have a dozen or two."""
_STATEMENTS_MAX: Final = 1_000
_SEPARATOR: Final = " "
_NOT_PROVIDED: Final = frozenset({"NOTPROVIDED", "NONREF"})
_OPENING: Final = ("OPBD", "PRCD")
_CLOSING: Final = ("CLBD",)
_KEPT: Final = frozenset({"Stmt", "Bal", "Ntry", "TxDtls"})


@dataclass(slots=True)
class _Part:
    """An element that is understood as a whole: its leaves by their path inside it."""

    name: str
    leaves: dict[str, list[str]] = field(default_factory=dict)
    currency: str = ""
    parts: list[_Part] = field(default_factory=list)

    def text(self, *paths: str) -> str:
        """The first leaf of any of these paths."""
        for path in paths:
            if path in self.leaves:
                return self.leaves[path][0]
        return ""


def parse_camt053(data: bytes) -> tuple[Statement, ...]:
    """The statements of a message, one for each account. Raises `StatementInvalid`."""
    check_size(data)
    reader = _Reader()
    try:
        reader.parser.Parse(data, True)
    except StatementInvalid:
        raise
    except (expat.ExpatError, LookupError, ValueError) as error:  # the latter: an encoding
        raise StatementInvalid(f"statement: no well-formed XML: {error}") from error
    if not reader.statements:
        raise StatementInvalid("statement: the message has none (BkToCstmrStmt/Stmt)")
    return tuple(
        _statement(part, f"statement {number}") for number, part in enumerate(reader.statements, 1)
    )


class _Reader:
    """Builds parts as the parser walks."""

    def __init__(self) -> None:
        self.statements: list[_Part] = []
        self.parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._data
        self.parser.StartDoctypeDeclHandler = self._doctype
        self._path: list[str] = []
        self._open: list[tuple[_Part, int]] = []
        self._text: list[str] = []
        self._length = 0
        self._elements = 0
        self._entries = 0

    def _doctype(self, *_: object) -> None:
        raise StatementInvalid("statement: a document type is not allowed")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(_SEPARATOR)
        self._elements += 1
        if self._elements > _ELEMENTS_MAX or len(self._path) == _DEPTH_MAX:
            raise StatementTooLarge("statement: too many or too deeply nested elements")
        if not self._path:
            self._check_root(namespace, local)
        self._path.append(local)
        self._text, self._length = [], 0
        if local in _KEPT and (self._open or self._path == ["Document", "BkToCstmrStmt", "Stmt"]):
            self._begin(_Part(local))
        # Of an entry, its own amount; amounts further inside are others.
        if "Ccy" in attributes and self._open and self._inner() == local == "Amt":
            self._open[-1][0].currency = attributes["Ccy"]

    @staticmethod
    def _check_root(namespace: str, local: str) -> None:
        if local != "Document" or not _NAMESPACE.fullmatch(namespace):
            raise StatementInvalid(
                f"statement: {namespace[:80]!r} {local[:40]} is not camt.053.001.02 to .08"
            )

    def _begin(self, part: _Part) -> None:
        if part.name == "Stmt" and len(self.statements) == _STATEMENTS_MAX:
            raise StatementTooLarge(f"statement: more than {_STATEMENTS_MAX} in a message")
        if part.name in ("Ntry", "TxDtls"):
            self._entries += 1
            if self._entries > 2 * ENTRIES_MAX:
                raise StatementTooLarge(f"statement: more than {ENTRIES_MAX} entries")
        if part.name == "Stmt":
            self.statements.append(part)
        else:
            self._open[-1][0].parts.append(part)
        self._open.append((part, len(self._path)))

    def _inner(self) -> str:
        return "/".join(self._path[self._open[-1][1] :])

    def _data(self, text: str) -> None:
        self._length += len(text)
        if self._length > FIELD_CHARACTERS_MAX and text.strip():
            raise StatementTooLarge(
                f"statement: a field of more than {FIELD_CHARACTERS_MAX} characters"
            )
        self._text.append(text)

    def _end(self, _: str) -> None:
        if self._open:
            part, depth = self._open[-1]
            text = "".join(self._text).strip()
            if text and len(self._path) > depth:
                part.leaves.setdefault(self._inner(), []).append(text)
            if len(self._path) == depth:
                self._open.pop()
        self._path.pop()
        self._text, self._length = [], 0


# ---- what parts mean ----------------------------------------------------------------------------


def _statement(part: _Part, place: str) -> Statement:
    currency = part.text("Acct/Ccy")
    balances = [one for one in part.parts if one.name == "Bal"]
    booked = [one for one in part.parts if one.name == "Ntry" and _is_booked(one)]
    entries: list[Entry] = []
    for number, entry in enumerate(booked, 1):
        entries += _entries(entry, f"{place}, entry {number}")
    return Statement(
        id=bounded_text(part.text("Id"), place),
        account=bounded_text(part.text("Acct/Id/IBAN", "Acct/Id/Othr/Id"), place),
        currency=parse_currency(currency, place) if currency else None,
        opening=_balance(balances, _OPENING, place),
        closing=_balance(balances, _CLOSING, place),
        entries=tuple(entries),
    )


def _is_booked(entry: _Part) -> bool:
    """The status was a code itself up to version 07, and holds one since 08 (`Sts/Cd`)."""
    return entry.text("Sts", "Sts/Cd") == "BOOK"


def _balance(balances: list[_Part], codes: tuple[str, ...], place: str) -> int | None:
    for code in codes:
        for one in balances:
            if one.text("Tp/CdOrPrtry/Cd") == code:
                return _signed(one, place)
    return None


def _signed(part: _Part, place: str) -> int:
    amount = parse_amount(part.text("Amt"), place)
    indicator = part.text("CdtDbtInd")
    if indicator not in ("CRDT", "DBIT"):
        raise StatementInvalid(f"statement: {place}: neither credit nor debit: {indicator[:20]!r}")
    return amount if indicator == "CRDT" else -amount


def _entries(entry: _Part, place: str) -> list[Entry]:
    """One, or one for each transaction where they make up the entry."""
    amount = _signed(entry, place)
    details = [one for one in entry.parts if one.name == "TxDtls"]
    if len(details) > 1:
        parts = [_detail_amount(one, amount, place) for one in details]
        known = [one for one in parts if one is not None]
        if len(known) == len(parts) and sum(known) == amount:
            return [
                _entry(entry, detail, part, f"{place}, transaction {number}")
                for number, (detail, part) in enumerate(zip(details, known, strict=True), 1)
            ]
        return [_entry(entry, _Part("TxDtls"), amount, place)]
    return [_entry(entry, details[0] if details else _Part("TxDtls"), amount, place)]


def _detail_amount(detail: _Part, whole: int, place: str) -> int | None:
    text = detail.text("Amt", "AmtDtls/TxAmt/Amt")
    if not text:
        return None
    amount = parse_amount(text, place)
    indicator = detail.text("CdtDbtInd")
    sign = {"CRDT": 1, "DBIT": -1}.get(indicator, 1 if whole >= 0 else -1)
    return sign * amount


def _entry(entry: _Part, detail: _Part, amount: int, place: str) -> Entry:
    references = [detail.text(f"Refs/{name}") for name in ("EndToEndId", "InstrId", "TxId")]
    bank = [detail.text("Refs/AcctSvcrRef"), entry.text("NtryRef"), entry.text("AcctSvcrRef")]
    other = "Dbtr" if amount >= 0 else "Cdtr"
    value_date = _day(entry, "ValDt")
    text = " ".join(detail.leaves.get("RmtInf/Ustrd", [])) or entry.text("AddtlNtryInf")
    return Entry(
        place=place,
        booked=parse_date(_day(entry, "BookgDt"), place),
        amount=amount,
        currency=parse_currency(entry.currency, place),
        references=_named(references, place),
        bank_references=_named(bank, place),
        counterparty=bounded_text(
            detail.text(f"RltdPties/{other}/Nm", f"RltdPties/{other}/Pty/Nm"), place
        ),
        text=bounded_text(text[:FIELD_CHARACTERS_MAX], place),
        value_date=parse_date(value_date, place) if value_date else None,
    )


def _named(references: list[str], place: str) -> tuple[str, ...]:
    known = dict.fromkeys(bounded_text(one, place) for one in references)
    return tuple(one for one in known if one and one not in _NOT_PROVIDED)


def _day(entry: _Part, name: str) -> str:
    """`Dt`, or the day of `DtTm` as the bank writes it."""
    return (entry.text(f"{name}/Dt") or entry.text(f"{name}/DtTm"))[:10]
