"""Receipts, receivables, claims, pledges, lots and loans: what they have beside lists and acts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from api.client.errors import Malformed
from api.client.records import PAGE, Changes, Done, Record, Records
from api.client.transport import Transport, body_of, parameters_of


class _Published(Records):
    """Instruments whose documents may stand on the ledger."""

    def document(self, record: str, **parameters: object) -> bytes:
        """What was published with it, byte for byte. Raises `Missing` where nothing was."""
        answer = self._transport.send(
            "GET",
            f"{self._path}/{record}/document",
            parameters=parameters_of(parameters),
            harmless=True,
        )
        return answer.content


class Receipts(_Published):
    """Warehouse receipts."""

    def merge(self, body: Mapping[str, Any], *, key: str | None = None) -> Done:
        """Make one of several for equal goods."""
        return self._changes.make(f"{self._path}/merge", body, key=key)


class Receivables(_Published):
    """Invoices, bills and orders; `document(id, terms=…)` is that of an order's invoice."""


class Claims:
    """What stands behind one live record only: `claims` of receipts and receivables."""

    def __init__(self, transport: Transport, changes: Changes) -> None:
        self._transport = transport
        self._changes = changes

    def get(self, claim: str) -> Record:
        """The record that has it, with its state and revision. Raises `Missing` where there is
        none that one may see."""
        return self._transport.ask(f"/claims/{claim}")

    def annul(
        self,
        claim: str,
        body: Mapping[str, Any],
        *,
        revision: int | None = None,
        key: str | None = None,
    ) -> Done:
        """Take it from a record that has ended, by a decision; authorities. `revision` is that of
        the record as one has seen it."""
        return self._changes.make(f"/claims/{claim}/annul", body, revision=revision, key=key)


class Pledges(Records):
    """Pledges."""

    def instruments(self, pledge: str, *, page: int = PAGE) -> Iterator[str]:
        """Ids of what it covers now."""
        after: object = None
        while True:
            given = parameters_of({"limit": page, "after": after})
            body = self._transport.ask(f"{self._path}/{pledge}/instruments", given)
            yield from _strings(body.get("instruments"))
            after = body.get("after")
            if after is None:
                return


class Lots(Records):
    """Goods that can stand behind receipts."""

    def history(
        self, record: str, *, page: int = PAGE, kind: str | None = None
    ) -> Iterator[Record]:
        """Counts, adjustments, shortfalls and movements, the newest first."""
        yield from self._under(record, "history", "entries", page, kind=kind)


class Stock:
    """Counts, and what is where. Lots are `Tallystick.lots`."""

    def __init__(self, transport: Transport, changes: Changes) -> None:
        self._transport = transport
        self._changes = changes

    def locations(self, *, warehouse: str | None = None) -> tuple[Record, ...]:
        """Counted stock beside live receipts, by warehouse, place and unit."""
        given = parameters_of({"warehouse": warehouse})
        return tuple(self._transport.ask("/stock/locations", given)["locations"])

    def count(self, body: Mapping[str, Any], *, key: str | None = None) -> Done:
        """Tell a count with the organisation's own account."""
        return self._changes.make("/stock/counts", body, key=key)

    def digest(self, body: Mapping[str, Any]) -> Record:
        """What a device is to sign for a count (EIP-712): `digest` and `typedData`."""
        answer = self._transport.send(
            "POST", "/stock/counts/digest", json=dict(body), harmless=True
        )
        return body_of(answer)

    def relay(self, body: Mapping[str, Any], *, key: str | None = None) -> Done:
        """Bring a count that a device has signed."""
        return self._changes.make("/stock/counts/signed", body, key=key)


class Loans(Records):
    """Applications for loans and what has come of them; `get(loan, at=…)` says what is owed
    then (Unix seconds)."""

    def apply(
        self, body: Mapping[str, Any], *, revision: int | None = None, key: str | None = None
    ) -> Done:
        """Apply. `revision` is that of the security as one has seen it; by default whichever."""
        return self._changes.make(self._path, body, revision=revision, key=key)

    def offers(self, loan: str) -> tuple[Record, ...]:
        """How banks stand to it; a bank is shown its own offer alone."""
        return tuple(self._transport.ask(f"{self._path}/{loan}/offers")["offers"])

    def advice(self, loan: str) -> tuple[Record, ...]:
        """The platform's advice, the latest first."""
        return tuple(self._transport.ask(f"{self._path}/{loan}/advice")["advice"])

    def payments(self, loan: str, *, page: int = PAGE) -> Iterator[Record]:
        """Money that came in, the oldest first."""
        yield from self._under(loan, "payments", "payments", page)


def _strings(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise Malformed("the page has no list of ids")
    return tuple(value)
