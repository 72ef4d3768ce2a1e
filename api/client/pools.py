"""Asset pools: their assets day by day, their money, and the way between the two."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from api.client.records import PAGE, Record, Records
from api.client.transport import body_of, parameters_of


class Pools(Records):
    """Asset pools."""

    def rules(self, pool: str) -> bytes:
        """The eligibility rules that were published. Raises `Missing` where they were not."""
        path = f"{self._path}/{pool}/document"
        return self._transport.send("GET", path, harmless=True).content

    def instruments(self, pool: str, *, page: int = PAGE) -> Iterator[Record]:
        """Receipts and receivables in it, each with whether the trustee still holds it."""
        yield from self._under(pool, "instruments", "instruments", page)

    def days(self, pool: str, *, page: int = PAGE) -> Iterator[Record]:
        """States of its assets with all corrections, the newest date first."""
        yield from self._under(pool, "days", "days", page)

    def day(self, pool: str, date: str, *, revision: int = 0, evidence: bool = False) -> Record:
        """The state of a date (`YYYY-MM-DD`); `evidence`: with the proof that the log has it."""
        given = {"revision": revision or None, "evidence": "true" if evidence else None}
        return self._transport.ask(f"{self._path}/{pool}/days/{date}", parameters_of(given))

    def periods(self, pool: str, *, page: int = PAGE) -> Iterator[Record]:
        """Periods that were distributed, the oldest first."""
        yield from self._under(pool, "periods", "periods", page)

    def period(self, pool: str, period: int) -> Record:
        """What was collected for a period, and what the waterfall made of it."""
        return self._transport.ask(f"{self._path}/{pool}/periods/{period}", parameters_of({}))

    def collections(
        self, pool: str, *, page: int = PAGE, period: int | None = None
    ) -> Iterator[Record]:
        """Money that came in, by number."""
        yield from self._under(pool, "collections", "collections", page, period=period)

    def payments(
        self, pool: str, *, page: int = PAGE, period: int | None = None, payee: str | None = None
    ) -> Iterator[Record]:
        """Payments to holders and others, by number: due, and made."""
        yield from self._under(pool, "payments", "payments", page, period=period, payee=payee)

    def trace(
        self,
        pool: str,
        period: int,
        *,
        collection: int | None = None,
        payment: int | None = None,
        page: int = PAGE,
    ) -> Iterator[Record]:
        """Which hundredth of which collection has gone into which payment."""
        part = f"periods/{period}/trace"
        narrow = {"collection": collection, "payment": payment}
        yield from self._under(pool, part, "flows", page, **narrow)

    def verify(self, pool: str, proof: Mapping[str, Any]) -> Record:
        """Whether an asset stood in it as a proof says: `valid`, and `reason` where not."""
        path = f"{self._path}/{pool}/verify"
        return body_of(self._transport.send("POST", path, json=dict(proof), harmless=True))
