"""Statements as banks would write them: invented names, made from a list of entries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from xml.sax.saxutils import escape


@dataclass(frozen=True)
class Line:
    """What a bank has booked."""

    day: date
    amount: int
    reference: str = ""
    counterparty: str = ""
    text: str = ""
    bank_reference: str = ""


def decimal(amount: int) -> str:
    return f"{abs(amount) // 100}.{abs(amount) % 100:02d}"


def csv_text(lines: list[Line], currency: str = "CNY") -> bytes:
    rows = ["date,amount,currency,reference,counterparty,text,bank_reference"]
    for line in lines:
        sign = "-" if line.amount < 0 else ""
        fields = [line.reference, line.counterparty, line.text, line.bank_reference]
        quoted = ",".join('"' + value.replace('"', '""') + '"' for value in fields)
        rows.append(f"{line.day},{sign}{decimal(line.amount)},{currency},{quoted}")
    return ("\r\n".join(rows) + "\r\n").encode()


def camt053(lines: list[Line], version: int = 2, opening: int = 0, currency: str = "CNY") -> bytes:
    closing = opening + sum(line.amount for line in lines)
    entries = "".join(_entry(line, version, currency) for line in lines)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.0{version}">'
        "<BkToCstmrStmt><GrpHdr><MsgId>M-1</MsgId><CreDtTm>2027-01-16T01:00:00</CreDtTm></GrpHdr>"
        "<Stmt><Id>S-2027-15</Id><CreDtTm>2027-01-16T01:00:00</CreDtTm>"
        f"<Acct><Id><Othr><Id>6200-0001</Id></Othr></Id><Ccy>{currency}</Ccy></Acct>"
        f"{_balance('OPBD', opening, currency)}{_balance('CLBD', closing, currency)}"
        f"{entries}</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def _balance(code: str, amount: int, currency: str) -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="{currency}">{decimal(amount)}</Amt>'
        f"<CdtDbtInd>{_indicator(amount)}</CdtDbtInd><Dt><Dt>2027-01-15</Dt></Dt></Bal>"
    )


def _indicator(amount: int) -> str:
    return "CRDT" if amount >= 0 else "DBIT"


def _entry(line: Line, version: int, currency: str) -> str:
    status = "<Sts><Cd>BOOK</Cd></Sts>" if version >= 8 else "<Sts>BOOK</Sts>"
    other = "Dbtr" if line.amount >= 0 else "Cdtr"
    name = f"<Nm>{escape(line.counterparty)}</Nm>"
    party = f"<Pty>{name}</Pty>" if version >= 8 else name
    reference = escape(line.reference) or "NOTPROVIDED"
    return (
        f'<Ntry><Amt Ccy="{currency}">{decimal(line.amount)}</Amt>'
        f"<CdtDbtInd>{_indicator(line.amount)}</CdtDbtInd>{status}"
        f"<BookgDt><Dt>{line.day}</Dt></BookgDt><ValDt><Dt>{line.day}</Dt></ValDt>"
        f"<AcctSvcrRef>{escape(line.bank_reference)}</AcctSvcrRef>"
        f"<NtryDtls><TxDtls><Refs><EndToEndId>{reference}</EndToEndId></Refs>"
        f"<RltdPties><{other}>{party}</{other}></RltdPties>"
        f"<RmtInf><Ustrd>{escape(line.text)}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
    )
