"""Clearing, statements and reconciliation in JSON. Amounts are decimal text of hundredths."""

from __future__ import annotations

from typing import Any, Final

from api.routes.days import Days
from api.routes.deposit_answers import movement_body
from contracts.instruments import Viewer
from contracts.settlement import (
    AccountStatement,
    Bilateral,
    Clearing,
    Difference,
    Entry,
    LedgerLine,
    Multilateral,
    Reason,
    Reconciliation,
    Statement,
)

LISTS: Final[dict[Reason, str]] = {
    Reason.MISSING_HERE: "missingHere",
    Reason.MISSING_THERE: "missingThere",
    Reason.AMOUNT: "differingAmount",
    Reason.DATE: "differingDay",
    Reason.DUPLICATE_HERE: "toldTwice",
    Reason.DUPLICATE_THERE: "toldTwice",
    Reason.BALANCE: "differingBalance",
}
"""Where each reason stands in the answer."""


def clearing_body(found: Clearing, viewer: Viewer, *, final: bool) -> dict[str, Any]:
    """A day. Of the multilateral nets a bank is shown its own: of others it knows a part only."""
    nets = [one for one in found.multilateral if found.complete or one.bank == viewer.organisation]
    return {
        "since": found.since,
        "until": found.until,
        "final": final,
        "complete": found.complete,
        "bilateral": [_pair(one) for one in found.bilateral],
        "multilateral": [_net(one) for one in nets],
        "transfers": [
            {
                "currency": one.currency,
                "payer": one.payer,
                "payee": one.payee,
                "amount": str(one.amount),
            }
            for one in found.transfers
        ],
        "movements": f"/deposits/interbank/movements?since={found.since}&until={found.until}",
    }


def _pair(pair: Bilateral) -> dict[str, Any]:
    first, second = pair.first, pair.second
    return {
        "currency": pair.currency,
        "banks": [first, second],
        "payments": pair.payments,
        "claims": [
            {
                "creditor": creditor,
                "debtor": debtor,
                "opening": str(opening),
                "claimed": str(claimed),
                "settled": str(settled),
                "closing": str(closing),
            }
            for creditor, debtor, opening, claimed, settled, closing in (
                (
                    *(first, second, pair.opening_first),
                    *(pair.claimed_first, pair.settled_first, pair.closing_first),
                ),
                (
                    *(second, first, pair.opening_second),
                    *(pair.claimed_second, pair.settled_second, pair.closing_second),
                ),
            )
        ],
        "setOff": str(pair.set_off),
        "dayNet": _owed(first, second, pair.day_net),
        "net": _owed(first, second, pair.net),
    }


def _owed(first: str, second: str, amount: int) -> dict[str, str] | None:
    """Who pays whom; None where they are even."""
    if amount == 0:
        return None
    payer, payee = (second, first) if amount > 0 else (first, second)
    return {"payer": payer, "payee": payee, "amount": str(abs(amount))}


def _net(net: Multilateral) -> dict[str, Any]:
    return {
        "currency": net.currency,
        "bank": net.bank,
        "received": str(net.received),
        "sent": str(net.sent),
        "dayNet": str(net.day_net),
        "net": str(net.net),
    }


# ---- statements ---------------------------------------------------------------------------------


def statement_body(statement: AccountStatement) -> dict[str, Any]:
    """An account's lines of some days, between two balances."""
    account = statement.account.account
    return {
        "account": f"0x{statement.account.key.hex()}",
        "bank": account.bank,
        "owner": account.owner,
        "currency": account.currency,
        "from": statement.first.isoformat(),
        "to": statement.last.isoformat(),
        "opening": str(statement.opening),
        "closing": str(statement.closing),
        "movements": [movement_body(one) for one in statement.lines],
    }


def reconciliation_body(
    found: Reconciliation,
    *,
    account: str,
    currency: str,
    days: Days,
    statement: Statement,
    lines: int,
    left_out: int,
) -> dict[str, Any]:
    """What agrees, and what differs by its reason. `left_out`: entries of other days."""
    lists: dict[str, list[dict[str, Any]]] = {name: [] for name in LISTS.values()}
    for one in found.differences:
        lists[LISTS[one.reason]].append(_difference(one))
    return {
        "account": account,
        "currency": currency,
        "from": days.first.isoformat(),
        "to": days.last.isoformat(),
        "agrees": found.agrees,
        "statement": {
            "id": statement.id,
            "account": statement.account,
            "entries": len(statement.entries),
            "leftOut": left_out,
            "opening": _maybe(statement.opening),
            "closing": _maybe(statement.closing),
        },
        "ledger": {"lines": lines},
        "matched": [
            {
                "line": _line(one.line),
                "entry": _entry(one.entry),
                "byReference": one.by_reference,
            }
            for one in found.matches
        ],
        **lists,
    }


def _difference(one: Difference) -> dict[str, Any]:
    return {
        "reason": one.reason.value,
        "detail": one.detail,
        "line": None if one.line is None else _line(one.line),
        "entry": None if one.entry is None else _entry(one.entry),
    }


def _line(line: LedgerLine) -> dict[str, Any]:
    return {
        "payment": None if line.id is None else f"0x{line.id.hex()}",
        "number": line.number or None,
        "day": line.day.isoformat(),
        "amount": str(line.amount),
        "currency": line.currency,
        "counterparty": line.counterparty or None,
        "leaf": line.leaf,
        "proof": None if line.leaf is None else f"/log/proof/{line.leaf}",
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "place": entry.place,
        "booked": entry.booked.isoformat(),
        "amount": str(entry.amount),
        "currency": entry.currency,
        "references": list(entry.references),
        "bankReferences": list(entry.bank_references),
        "counterparty": entry.counterparty,
        "text": entry.text,
    }


def _maybe(amount: int | None) -> str | None:
    return None if amount is None else str(amount)
