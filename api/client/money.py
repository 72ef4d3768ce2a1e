"""Deposits, settlements, rate tables and contribution points.

Amounts are whole hundredths of the currency; as text they have no bound but the ledger's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from api.client.records import PAGE, Changes, Done, Entries, Record, Records, paged
from api.client.transport import Transport, parameters_of

_MEDIA = {"csv": "text/csv", "xml": "application/xml", "json": "application/json"}


class Deposits:
    """What banks owe their customers, and each other."""

    def __init__(self, transport: Transport, changes: Changes) -> None:
        self._transport = transport
        self._changes = changes
        self._accounts = Entries(transport, changes, "/deposits", "accounts")
        self.redemptions = Entries(transport, changes, "/deposits/redemptions")
        """`create` asks the bank to pay out; `act` confirms, refuses or withdraws."""
        self.holds = Holds(changes)

    def list(self, *, page: int = PAGE, **filters: object) -> Iterator[Record]:
        """Accounts, the newest first: `list(bank=…, owner=…, currency=…)`."""
        yield from self._accounts.list(page=page, **filters)

    def get(self, account: str) -> Record:
        """An account by its id, with the holds on it."""
        return self._accounts.get(account)

    def movements(self, *, page: int = PAGE, **filters: object) -> Iterator[Record]:
        """Lines of statements, the oldest first: `movements(account=…, kind=["sent"])`."""
        yield from paged(self._transport, "/deposits/movements", "movements", page, filters)

    def statement(
        self,
        account: str,
        day: str,
        *,
        to: str | None = None,
        utc_offset: int | None = None,
        form: str = "csv",
    ) -> bytes:
        """An account's statement of some days (YYYY-MM-DD) as a file: csv, xml (camt.053), json.

        Raises `ValueError` for another form.
        """
        if form not in _MEDIA:
            raise ValueError(f"form: {form!r} is none of {', '.join(_MEDIA)}")
        answer = self._transport.send(
            "GET",
            f"/deposits/{account}/statement",
            parameters=parameters_of({"date": day, "to": to, "utc_offset": utc_offset}),
            headers={"Accept": _MEDIA[form]},
            harmless=True,
        )
        return answer.content

    def issue(self, body: Mapping[str, Any], *, key: str | None = None) -> Done:
        """Owe an organisation a deposit; a bank."""
        return self._accounts.create(body, key=key)

    def pay(self, body: Mapping[str, Any], *, key: str | None = None) -> Done:
        """Pay an organisation out of one's deposit."""
        return self._changes.make("/deposits/payments", body, key=key)

    def home(self, organisation: str, currency: str) -> str:
        """The bank at which a member wants to be paid. Raises `Missing`."""
        return str(self._transport.ask(f"/deposits/homes/{organisation}/{currency}")["bank"])

    def choose_home(self, bank: str, currency: str, *, key: str | None = None) -> Done:
        """Be paid there from now on."""
        body = {"bank": bank, "currency": currency}
        return self._changes.make("/deposits/homes", body, key=key)

    def positions(
        self, *, bank: str | None = None, currency: str | None = None
    ) -> tuple[Record, ...]:
        """What banks owe each other now, and up to which limit."""
        given = parameters_of({"bank": bank, "currency": currency})
        return tuple(self._transport.ask("/deposits/interbank", given)["positions"])

    def interbank(self, *, page: int = PAGE, **filters: object) -> Iterator[Record]:
        """Limits, claims and settlements between banks, the oldest first."""
        path = "/deposits/interbank/movements"
        yield from paged(self._transport, path, "movements", page, filters)

    def set_limit(self, body: Mapping[str, Any], *, key: str | None = None) -> Done:
        """Say up to which amount another bank may owe one's own."""
        return self._changes.make("/deposits/interbank/limits", body, key=key)

    def confirm_settlement(self, body: Mapping[str, Any], *, key: str | None = None) -> Done:
        """Confirm that another bank has paid what it owed, or set it off."""
        return self._changes.make("/deposits/interbank/settlements", body, key=key)


class Holds:
    """Amounts that may not go out of an account; those on it stand with `Deposits.get`."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    def create(self, body: Mapping[str, Any], *, key: str | None = None) -> Done:
        """Hold an amount by decision; an authority."""
        return self._changes.make("/deposits/holds", body, key=key)

    def release(self, hold: str, body: Mapping[str, Any], *, key: str | None = None) -> Done:
        """Give some of it free; who holds it, an authority, the owner where nothing secures it."""
        return self._changes.make(f"/deposits/holds/{hold}/release", body, key=key)

    def collect(self, hold: str, body: Mapping[str, Any], *, key: str | None = None) -> Done:
        """Take it against the debt that it secures; the pledgee."""
        return self._changes.make(f"/deposits/holds/{hold}/collect", body, key=key)


class Settlements(Records):
    """Delivery versus payment, payments on a condition, and payments of receivables."""

    def offer(self, body: Mapping[str, Any], *, key: str | None = None) -> Done:
        """Promise instruments against one payment."""
        return self._changes.make(f"{self._path}/offers", body, key=key)

    def set_aside(self, body: Mapping[str, Any], *, key: str | None = None) -> Done:
        """Set money aside until a condition is met."""
        return self._changes.make(f"{self._path}/conditional", body, key=key)

    def pay(self, body: Mapping[str, Any], *, key: str | None = None) -> Done:
        """Pay a receivable out of one's deposit; its debtor."""
        return self._changes.make(f"{self._path}/payments", body, key=key)


class RateTables:
    """What banks lend at, for all members to read."""

    def __init__(self, transport: Transport, changes: Changes) -> None:
        self._transport = transport
        self._changes = changes

    def list(self) -> tuple[Record, ...]:
        """The present table of each bank and currency."""
        return tuple(self._transport.ask("/rate-tables")["tables"])

    def get(self, bank: str, currency: str, *, version: int | None = None) -> Record:
        """One of them, in any version. Raises `Missing`."""
        given = parameters_of({"version": version})
        return self._transport.ask(f"/rate-tables/{bank}/{currency}", given)

    def rate(
        self,
        bank: str,
        currency: str,
        *,
        kind: str,
        amount: int,
        term_days: int,
        customer: str | None = None,
        version: int | None = None,
    ) -> Record:
        """The rate that it gives, and what a customer's points take off it now."""
        given = {
            "kind": kind,
            "amount": amount,
            "term_days": term_days,
            "customer": customer,
            "version": version,
        }
        return self._transport.ask(f"/rate-tables/{bank}/{currency}/rate", parameters_of(given))

    def publish(self, body: Mapping[str, Any], *, key: str | None = None) -> Done:
        """Publish the next version of one's table; a bank."""
        return self._changes.make("/rate-tables", body, key=key)


class ContributionPoints:
    """Customers' points with banks."""

    def __init__(self, transport: Transport, changes: Changes) -> None:
        self._transport = transport
        self._changes = changes

    def list(self, *, page: int = PAGE, **filters: object) -> Iterator[Record]:
        """Those that one may see: `list(bank=…, customer=…)`."""
        yield from paged(self._transport, "/contribution-points", "points", page, filters)

    def bookings(self, bank: str, customer: str, *, page: int = PAGE) -> Iterator[Record]:
        """Of one customer with one bank, the oldest first."""
        path = f"/contribution-points/{bank}/{customer}"
        yield from paged(self._transport, path, "bookings", page, {})

    def record(self, body: Mapping[str, Any], *, key: str | None = None) -> Done:
        """Book points of a customer; a bank."""
        return self._changes.make("/contribution-points", body, key=key)
