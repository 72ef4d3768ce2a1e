"""`tally reconcile`: a bank's statement held against the ledger, line by line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from api.client import Tallystick
from nodes.cli.asking import asking
from nodes.cli.options import AsJson, Key, Url
from nodes.cli.output import EXIT_INVALID, out, print_json
from nodes.errors import NodeError, RequestRefused

STATEMENT_BYTES_MAX: Final = 8 << 20
"""As many as a node reads."""
TITLES: Final = {
    "missingHere": "not on the ledger",
    "missingThere": "not in the statement",
    "differingAmount": "another amount",
    "differingDay": "another day",
    "toldTwice": "told twice",
    "differingBalance": "another balance",
}
_PARTS: Final = 3


def reconcile(
    file: Annotated[str, typer.Argument(help="CSV or camt.053 (XML); - reads stdin.")],
    account: Annotated[
        str,
        typer.Option(
            "--account",
            help="The deposit: its id, or BANK/OWNER/CURRENCY; or interbank, with --currency.",
        ),
    ],
    day: Annotated[str, typer.Option("--date", metavar="DATE", help="YYYY-MM-DD.")],
    to: Annotated[
        str | None, typer.Option("--to", metavar="DATE", help="The last day, where it is another.")
    ] = None,
    currency: Annotated[
        str | None, typer.Option("--currency", help="Of the account interbank.")
    ] = None,
    utc_offset: Annotated[
        int | None,
        typer.Option("--utc-offset", help="Where days begin: minutes east of UTC, such as 480."),
    ] = None,
    statement: Annotated[
        str | None,
        typer.Option("--statement", help="Id or account of one, where a message has several."),
    ] = None,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Compare a bank's own statement with the ledger, and list every difference.

    CSV has a header with date (YYYY-MM-DD), amount (such as -400.00, no thousands separators) and
    currency, and if known reference, counterparty, text, value_date, bank_reference.

    The key needs the scope settlement:read. The statement is read, compared and forgotten. Exits 1
    where something differs.
    """
    data = _read(file)
    with asking(url, key) as tally:
        found = tally.reconcile(
            data,
            account=_account(tally, account),
            day=day,
            to=to,
            currency=currency,
            utc_offset=utc_offset,
            name=statement,
        )
    if as_json:
        print_json(found)
    else:
        _show(file, found)
    if not found["agrees"]:
        raise typer.Exit(EXIT_INVALID)


def _read(name: str) -> bytes:
    if name == "-":
        data = sys.stdin.buffer.read(STATEMENT_BYTES_MAX + 1)
    else:
        with Path(name).open("rb") as opened:
            data = opened.read(STATEMENT_BYTES_MAX + 1)
    if len(data) > STATEMENT_BYTES_MAX:
        raise NodeError(f"{name}: more than {STATEMENT_BYTES_MAX} bytes; take fewer days")
    if not data.strip():
        raise NodeError(f"{name}: it is empty; a statement is CSV or camt.053")
    return data


def _account(tally: Tallystick, named: str) -> str:
    """The id of an account that may be named by its parties."""
    parts = named.split("/")
    if len(parts) != _PARTS:
        return named
    bank, owner, currency = parts
    found = list(tally.deposits.list(bank=bank, owner=owner, currency=currency))
    if not found:
        raise RequestRefused(f"there is no account {named} that you may see")
    return str(found[0]["id"])


def _show(file: str, found: dict[str, Any]) -> None:
    days = found["from"] if found["from"] == found["to"] else f"{found['from']} to {found['to']}"
    entries = found["statement"]["entries"] - found["statement"]["leftOut"]
    out.print(
        f"{file}: {entries} entries beside {found['ledger']['lines']} lines of the ledger, {days}; "
        f"{len(found['matched'])} agree",
        markup=False,
    )
    if found["statement"]["leftOut"]:
        out.print(f"  {found['statement']['leftOut']} entries are of other days", markup=False)
    for name, title in TITLES.items():
        for one in found[name]:
            out.print(f"  {title}: {_line(one, found['currency'])}", markup=False)
    out.print("They agree." if found["agrees"] else "They differ.")


def _line(one: dict[str, Any], currency: str) -> str:
    line, entry = one["line"], one["entry"]
    told = []
    if entry is not None:
        names = " ".join(entry["references"][:1] or entry["bankReferences"][:1])
        told.append(
            f"{entry['place']}: {entry['booked']} {_money(entry['amount'])} "
            f"{entry['currency']} {names}".rstrip()
        )
    if line is not None:
        told.append(
            f"leaf {line['leaf']}: {line['day']} {_money(line['amount'])} {line['currency']} "
            f"{line['number'] or ''}".rstrip()
        )
    if entry is None and line is None:
        return f"{one['detail']} (hundredths of {currency})"
    return " | ".join(told)


def _money(hundredths: str) -> str:
    amount = int(hundredths)
    return f"{'-' if amount < 0 else ''}{abs(amount) // 100}.{abs(amount) % 100:02d}"
