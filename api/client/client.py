"""A node's HTTP interface from Python.

with Tallystick("https://node.example", key="tally_…") as tally:
    for receipt in tally.receipts.list(state="live"):
        print(receipt["id"], receipt["quantity"])
"""

from __future__ import annotations

from typing import Any, Final

import httpx

from api.client.feed import Notices, Webhooks
from api.client.instruments import Claims, Loans, Lots, Pledges, Receipts, Receivables, Stock
from api.client.money import ContributionPoints, Deposits, RateTables, Settlements
from api.client.pools import Pools
from api.client.records import Changes, Done, Record, Records
from api.client.transport import Credentials, Retries, Transport, body_of, parameters_of
from ledger.crypto import AccountKey

TIMEOUT_S: Final = 60.0
USER_AGENT: Final = "tallystick-client/1"


class Tallystick:
    """One organisation's access to a node. Thread-safe; close it, or use it in a `with`."""

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        scope: str | None = None,
        account: AccountKey | None = None,
        chain_id: int | None = None,
        retries: Retries | None = None,
        timeout_s: float = TIMEOUT_S,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`key` is the organisation's, or `client_id` and `client_secret` get OAuth tokens
        (RFC 6749 section 4.4), of fewer scopes where `scope` names some.

        `account`: every change is prepared by the node, looked at and signed here with this key,
        for the ledger of `chain_id` where that is given; otherwise the node signs for the
        organisation. `transport` stands in for the network in tests. Raises `ValueError` where
        both ways of showing who one is are given, or half of one.
        """
        if (client_id is None) != (client_secret is None) or (key and client_id):
            raise ValueError("give a key, or a client_id with its client_secret")
        self._http = httpx.Client(
            base_url=url,
            timeout=timeout_s,
            transport=transport,
            headers={"User-Agent": USER_AGENT},
        )
        pair = None if client_id is None or client_secret is None else (client_id, client_secret)
        credentials = Credentials(self._http, key, pair, scope)
        self._transport = Transport(self._http, credentials, retries or Retries())
        self._changes = Changes(self._transport, account, chain_id)
        both = (self._transport, self._changes)
        self.receipts = Receipts(*both, "/receipts")
        self.receivables = Receivables(*both, "/receivables")
        self.claims = Claims(*both)
        self.pledges = Pledges(*both, "/pledges")
        self.lots = Lots(*both, "/stock/lots")
        self.stock = Stock(*both)
        self.loans = Loans(*both, "/loans")
        self.pools = Pools(*both, "/pools")
        self.rate_tables = RateTables(*both)
        self.contribution_points = ContributionPoints(*both)
        self.deposits = Deposits(*both)
        self.settlements = Settlements(*both, "/settlements")
        self.notices = Notices(self._transport)
        self.webhooks = Webhooks(self._transport)

    def __enter__(self) -> Tallystick:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def records(self, path: str, name: str | None = None) -> Records:
        """Records of another kind; `name` is the list's in a page, by default the path's end."""
        return Records(self._transport, self._changes, path, name)

    def clearing(
        self, day: str, *, currency: str | None = None, utc_offset: int | None = None
    ) -> Record:
        """What banks owe each other out of a day's payments (YYYY-MM-DD), as far as one sees it.

        Days begin at midnight UTC, or `utc_offset` minutes before it.
        """
        given = parameters_of({"currency": currency, "utc_offset": utc_offset})
        return self._transport.ask(f"/clearing/{day}", given)

    def reconcile(
        self,
        statement: bytes,
        *,
        account: str,
        day: str,
        to: str | None = None,
        currency: str | None = None,
        utc_offset: int | None = None,
        name: str | None = None,
    ) -> Record:
        """A bank's statement (CSV or camt.053) held against an account's lines of some days.

        `account` is a deposit's id, or `interbank` with a `currency`: what was settled with other
        banks. `name` is the statement's, by its id or account, where a message has several. What
        it is, CSV or XML, its first character says.
        """
        xml = statement[:64].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0").startswith(b"<")
        wanted = {
            "account": account,
            "date": day,
            "to": to,
            "currency": currency,
            "utc_offset": utc_offset,
            "statement": name,
        }
        answer = self._transport.send(
            "POST",
            "/reconciliations",
            parameters=parameters_of(wanted),
            content=statement,
            headers={"Content-Type": "application/xml" if xml else "text/csv"},
            harmless=True,
        )
        return body_of(answer)

    def ask(self, path: str, **parameters: object) -> Record:
        """Any GET that answers with JSON."""
        return self._transport.ask(path, parameters_of(parameters))

    def change(self, path: str, body: dict[str, Any], *, key: str | None = None) -> Done:
        """Any POST that changes the ledger."""
        return self._changes.make(path, body, key=key)

    def submit(self, signed: str) -> Done:
        """Send a signed transaction (hex), such as `Prepared.sign` gives."""
        return self._changes.submit(signed)

    def transaction(self, transaction: str) -> Record:
        """How one's own transaction stands."""
        return self._transport.ask(f"/transactions/{transaction}")

    def proof(self, done: Done | Record) -> Record:
        """The log's entry and proof (C2SP tlog-proof) of a change or of a record's last act.

        Raises `ValueError` where it names none.
        """
        told = {"proof": done.proof} if isinstance(done, Done) else done.get("last", done)
        place = told.get("proof") if isinstance(told, dict) else None
        if not isinstance(place, str):
            raise ValueError("this names no place of a proof")
        return self._transport.ask(place)
