"""Records of one kind: lists, single ones, their history, and acts on them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from api.client.errors import Malformed, Refused, StillPending
from api.client.signing import Prepared
from api.client.transport import Transport, body_of, parameters_of
from ledger.crypto import AccountKey

PAGE: Final = 200
POLL_S: Final = 0.25
PENDING_S: Final = 60.0
"""How long a change is waited for after the node itself has stopped waiting."""

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    """A change that is durable and on the ledger."""

    transaction: str
    block: int
    leaf: int | None
    """Index in the log of its first event."""
    proof: str | None
    """Where its proof is had; `Tallystick.proof` fetches it."""
    body: Record = field(repr=False)
    """The whole answer: with the record, where the change made or changed one."""

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Done:
        """Raises `Malformed`."""
        try:
            leaf, proof = body["leaf"], body["proof"]
            return cls(str(body["transaction"]), int(body["block"]), leaf, proof, dict(body))
        except (KeyError, TypeError, ValueError) as error:
            raise Malformed(f"no answer to a change: {error!r}") from error


class Changes:
    """How a client changes things: signed by the node, or with a key of one's own."""

    def __init__(self, transport: Transport, account: AccountKey | None, chain_id: int | None):
        self._transport = transport
        self._account = account
        self._chain_id = chain_id

    def make(
        self,
        path: str,
        body: Mapping[str, Any] | None,
        *,
        revision: int | None = None,
        key: str | None = None,
    ) -> Done:
        """Do it, once, however often it has to be asked for. `key` is the Idempotency-Key."""
        if self._account is not None:
            prepared = self.prepare(path, body, revision=revision)
            return self.submit(prepared.sign(self._account, chain_id=self._chain_id), key=key)
        headers = {"Idempotency-Key": key or str(uuid.uuid4()), **_seen(revision)}
        return self._wait(lambda: self._post(path, dict(body or {}), headers))

    def prepare(
        self, path: str, body: Mapping[str, Any] | None, *, revision: int | None = None
    ) -> Prepared:
        """The transaction that would do it, to be signed by oneself."""
        parameters = [("prepare", "true")]
        if self._account is not None:
            parameters.append(("account", f"0x{self._account.address.hex()}"))
        answer = self._transport.send(
            "POST",
            path,
            parameters=parameters,
            json=dict(body or {}),
            headers=_seen(revision),
            harmless=True,
        )
        return Prepared.parse(body_of(answer))

    def submit(self, raw: str, *, key: str | None = None) -> Done:
        """Send a signed transaction. The same bytes again change nothing more."""
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        return self._wait(lambda: self._post("/transactions", {"raw": raw}, headers))

    def _post(self, path: str, body: Record, headers: Mapping[str, str]) -> httpx.Response:
        return self._transport.send("POST", path, json=body, headers=headers, harmless=True)

    def _wait(self, post: Callable[[], httpx.Response]) -> Done:
        answer = post()
        body = body_of(answer)
        if answer.status_code != 202:
            return Done.parse(body)
        deadline = time.monotonic() + PENDING_S
        transaction, place = str(body.get("transaction")), str(body.get("location"))
        while time.monotonic() < deadline:
            time.sleep(POLL_S)
            standing = self._transport.ask(place)
            if standing.get("status") == "refused":
                raise Refused(409, {**standing, "title": "The contract refused"})
            if standing.get("status") == "done":
                # The request again: under its key it gives the answer that it would have given.
                again = post()
                return Done.parse(body_of(again) if again.status_code != 202 else standing)
        raise StillPending(transaction)


class Entries:
    """Records under one path that have no history of their own, such as `/deposits/holds`."""

    def __init__(
        self, transport: Transport, changes: Changes, path: str, name: str | None = None
    ) -> None:
        """`name` is that of the list in a page; by default the path's end."""
        self._transport = transport
        self._changes = changes
        self._path = path
        self._name = name or path.rpartition("/")[2]

    def list(self, *, page: int = PAGE, **filters: object) -> Iterator[Record]:
        """All that match, page by page: `list(state="live", expiring_before=…)`."""
        yield from paged(self._transport, self._path, self._name, page, filters)

    def get(self, record: str, **parameters: object) -> Record:
        """One by its id: `get(loan, at=…)`. Raises `Missing` where there is none that one may
        see."""
        return self._transport.ask(f"{self._path}/{record}", parameters_of(parameters))

    def create(self, body: Mapping[str, Any], *, key: str | None = None) -> Done:
        """Make one; it comes with the answer (`Done.body`)."""
        return self._changes.make(self._path, body, key=key)

    def act(
        self,
        record: str,
        act: str,
        body: Mapping[str, Any] | None = None,
        *,
        revision: int | None = None,
        key: str | None = None,
    ) -> Done:
        """Act on one. `revision` is that of the record as one has seen it.

        Raises `Refused` with the contract's reason: `StaleRevision` where somebody was faster.
        """
        path = f"{self._path}/{record}/{act}"
        return self._changes.make(path, body, revision=revision, key=key)

    def prepare(
        self,
        record: str | None,
        act: str | None,
        body: Mapping[str, Any] | None = None,
        *,
        revision: int | None = None,
    ) -> Prepared:
        """The same without doing it: the transaction to sign. None and None: to make a record."""
        path = self._path if record is None else f"{self._path}/{record}/{act}"
        return self._changes.prepare(path, body, revision=revision)


class Records(Entries):
    """Records under one path, such as `/receipts`."""

    def history(self, record: str, *, page: int = PAGE) -> Iterator[Record]:
        """Its acts, the oldest first."""
        yield from self._under(record, "history", "acts", page)

    def _under(
        self, record: str, place: str, name: str, page: int = PAGE, **filters: object
    ) -> Iterator[Record]:
        """A list that belongs to one record."""
        yield from paged(self._transport, f"{self._path}/{record}/{place}", name, page, filters)


def paged(
    transport: Transport,
    path: str,
    name: str,
    page: int,
    filters: Mapping[str, object],
    after: object = None,
) -> Iterator[Record]:
    """Items of a list, as far as it goes. Raises `Malformed`."""
    while True:
        given = parameters_of({**filters, "limit": page, "after": after})
        body = transport.ask(path, given)
        items = body.get(name)
        if not isinstance(items, list):
            raise Malformed(f"{path}: the page has no {name}")
        yield from items
        after = body.get("after")
        if after is None or body.get("more") is False:
            return


def _seen(revision: int | None) -> dict[str, str]:
    return {} if revision is None else {"If-Match": f'"{revision}"'}
