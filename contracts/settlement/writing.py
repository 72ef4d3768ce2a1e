"""Statements of the ledger's own accounts, as `parse_csv` and `parse_camt053` read them.

camt.053.001.08 bounds its texts: the account is named by the first 32 hex digits of its id (Max34),
a bank reference is `leaf-<index in the log>` (Max35), and what is longer than its element stands
in the remittance information.
"""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta
from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

from contracts.settlement.errors import StatementTooLarge
from contracts.settlement.extracts import AccountStatement
from contracts.settlement.queries import StoredMovement

CSV_COLUMNS: Final = (
    "date",
    "amount",
    "currency",
    "reference",
    "counterparty",
    "text",
    "value_date",
    "bank_reference",
)
CAMT_NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
_AMOUNT_DIGITS_MAX: Final = 18
_REFERENCE_MAX: Final = 35
_REMITTANCE_MAX: Final = 140
# XML 1.0 section 2.2 has no others; and no control character belongs into a line of a statement.
_UNWRITABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def account_name(statement: AccountStatement) -> str:
    """What camt.053 calls the account."""
    return statement.account.key.hex()[:32]


def write_csv(statement: AccountStatement) -> bytes:
    """The columns of `statements`, oldest first (RFC 4180)."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(CSV_COLUMNS)
    for line in statement.lines:
        day = _moment(statement, line).date().isoformat()
        writer.writerow(
            [
                day,
                _signed(line),
                line.currency,
                line.movement.number or "",
                line.movement.counterparty or "",
                _clean(line.remark),
                day,
                _reference(line),
            ]
        )
    return text.getvalue().encode()


def write_camt053(statement: AccountStatement) -> bytes:
    """A message with one statement.

    The same bytes for the same lines: its creation is told as the end of its last day. Raises
    `StatementTooLarge` where an amount has more digits than the format's.
    """
    end = datetime.combine(
        statement.last + timedelta(days=1), datetime.min.time(), statement.zone
    ).isoformat()
    name = account_name(statement)
    document = Element("Document", {"xmlns": CAMT_NAMESPACE})
    message = SubElement(document, "BkToCstmrStmt")
    _texts(SubElement(message, "GrpHdr"), MsgId=_id(statement), CreDtTm=end)
    body = SubElement(message, "Stmt")
    _texts(body, Id=_id(statement), CreDtTm=end)
    account = statement.account.account
    place = SubElement(body, "Acct")
    _within(place, "Id/Othr/Id", name)
    _texts(place, Ccy=account.currency)
    _within(place, "Ownr/Nm", account.owner)
    _within(place, "Svcr/FinInstnId/Nm", account.bank)
    _balance(body, "OPBD", statement.opening, account.currency, statement.first)
    _balance(body, "CLBD", statement.closing, account.currency, statement.last)
    for line in statement.lines:
        _entry(body, statement, line)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(document) + b"\n"


def _id(statement: AccountStatement) -> str:
    days = f"{statement.first:%Y%m%d}-{statement.last:%Y%m%d}"
    return f"{days}-{statement.account.key.hex()[:16]}"


def _balance(body: Element, code: str, amount: int, currency: str, day: date) -> None:
    place = SubElement(body, "Bal")
    _within(place, "Tp/CdOrPrtry/Cd", code)
    _money(place, amount, currency)
    _within(place, "Dt/Dt", day.isoformat())


def _entry(body: Element, statement: AccountStatement, line: StoredMovement) -> None:
    moment, amount = _moment(statement, line), line.kind.sign * line.movement.amount
    entry = SubElement(body, "Ntry")
    _texts(entry, NtryRef=_reference(line))
    _money(entry, amount, line.currency)
    _within(entry, "Sts/Cd", "BOOK")
    _within(entry, "BookgDt/DtTm", moment.isoformat())
    _within(entry, "ValDt/Dt", moment.date().isoformat())
    _texts(entry, AcctSvcrRef=_reference(line))
    code = SubElement(SubElement(entry, "BkTxCd"), "Prtry")
    _texts(code, Cd=line.kind.word, Issr="tallystick")
    details = SubElement(SubElement(entry, "NtryDtls"), "TxDtls")
    number = line.movement.number or ""
    fits = 0 < len(number) <= _REFERENCE_MAX
    _within(details, "Refs/EndToEndId", number if fits else "NOTPROVIDED")
    if line.movement.counterparty:
        other = "Dbtr" if amount >= 0 else "Cdtr"
        _within(details, f"RltdPties/{other}/Pty/Nm", line.movement.counterparty)
    texts = [*([] if fits or not number else [number]), *_pieces(_clean(line.remark))]
    if texts:
        remittance = SubElement(details, "RmtInf")
        for text in texts:
            _texts(remittance, Ustrd=text)


def _money(place: Element, amount: int, currency: str) -> None:
    if len(str(abs(amount))) > _AMOUNT_DIGITS_MAX:
        raise StatementTooLarge(
            f"camt.053 has no amounts of more than {_AMOUNT_DIGITS_MAX} digits: ask for CSV"
        )
    SubElement(place, "Amt", {"Ccy": currency}).text = _decimal(abs(amount))
    _texts(place, CdtDbtInd="CRDT" if amount >= 0 else "DBIT")


def _texts(place: Element, **texts: str) -> None:
    for name, text in texts.items():
        SubElement(place, name).text = text


def _within(place: Element, path: str, text: str) -> None:
    for name in path.split("/"):
        place = SubElement(place, name)
    place.text = text


def _moment(statement: AccountStatement, line: StoredMovement) -> datetime:
    return datetime.fromtimestamp(line.place.block_time, UTC).astimezone(statement.zone)


def _reference(line: StoredMovement) -> str:
    return f"leaf-{line.place.leaf_index}"


def _signed(line: StoredMovement) -> str:
    return ("-" if line.kind.sign < 0 else "") + _decimal(line.movement.amount)


def _decimal(hundredths: int) -> str:
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def _clean(text: str) -> str:
    return _UNWRITABLE.sub(" ", text).strip()


def _pieces(text: str) -> list[str]:
    found = [text[at : at + _REMITTANCE_MAX] for at in range(0, len(text), _REMITTANCE_MAX)]
    return [one for one in found if one.strip()]
