"""Notices: as pages, as a stream that mends itself, and webhooks."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from api.client.errors import Malformed, Problem, Unreachable
from api.client.records import PAGE, Record, paged
from api.client.sse import ServerEvent, StreamMalformed, read_events
from api.client.transport import TRY_AGAIN, Transport, body_of, parameters_of

SILENCE_S: Final = 60.0
"""A stream that says nothing for so long is broken: the node's heartbeat comes more often."""
WAIT_S_MAX: Final = 30.0


@dataclass(frozen=True, slots=True)
class Notice:
    """What happened to a record."""

    id: str
    """Its place on the chain, the same on every node: keep it to go on from there."""
    kind: str
    instrument: str
    """Id of the record."""
    time: int
    """Unix seconds."""
    transaction: str
    leaf: int
    proof: str
    body: Record = field(repr=False)

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Notice:
        """Also of a webhook's body. Raises `Malformed`."""
        try:
            return cls(
                id=str(body["id"]),
                kind=str(body["kind"]),
                instrument=str(body["instrument"]),
                time=int(body["time"]),
                transaction=str(body["transaction"]),
                leaf=int(body["leaf"]),
                proof=str(body["proof"]),
                body=dict(body["body"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise Malformed(f"no notice: {error!r}") from error


class Notices:
    """The feed of the organisation."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(
        self,
        *,
        kinds: Sequence[str] = (),
        instrument: str | None = None,
        since: int | None = None,
        after: str | None = None,
        page: int = PAGE,
    ) -> Iterator[Notice]:
        """What has happened, in the chain's order: since a time, or after a notice."""
        filters = _filters(kinds, instrument, since)
        if after is not None:
            filters["after"] = after
        yield from map(Notice.parse, _from(self._transport, filters, page))

    def follow(
        self,
        *,
        kinds: Sequence[str] = (),
        instrument: str | None = None,
        since: int | None = None,
        after: str | None = None,
    ) -> Iterator[Notice]:
        """What happens, as it happens, for ever: each notice once, over any number of breaks.

        Begins after a notice, or at a time, or now. Raises `Problem` once the key is refused.
        """
        filters = _filters(kinds, instrument, since)
        known, failures, retry_s = after or "", 0, 2.0
        while True:
            try:
                for event in self._events(filters, known):
                    failures, known = 0, event.id
                    retry_s = retry_s if event.retry_ms is None else event.retry_ms / 1000
                    if event.data is not None:
                        yield _notice(event)
            except (httpx.TransportError, Unreachable):
                failures += 1
            except Problem as problem:
                if problem.status not in TRY_AGAIN:
                    raise
                failures += 1
            if known:
                filters.pop("since", None)
            longest = min(WAIT_S_MAX, retry_s * 2.0 ** min(failures, 10))
            time.sleep(random.uniform(longest / 2, longest))

    def _events(self, filters: Mapping[str, object], known: str) -> Iterator[ServerEvent]:
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": known} if known else {})}
        with self._transport.stream(
            "/notices/stream", parameters_of(filters), headers, SILENCE_S
        ) as answer:
            try:
                yield from read_events(answer.iter_lines(), known)
            except StreamMalformed as error:
                raise Malformed(str(error)) from error


class Webhooks:
    """The organisation's webhooks."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(
        self,
        url: str,
        *,
        kinds: Sequence[str] = (),
        instrument: str | None = None,
        since: int | None = None,
    ) -> Record:
        """Make one. The answer's `secret` is shown this once: keep it for `verify_webhook`."""
        body = {"url": url, "kinds": list(kinds), "instrument": instrument, "since": since}
        answer = self._transport.send("POST", "/webhooks", json=body, harmless=False)
        return body_of(answer)

    def list(self) -> tuple[Record, ...]:
        """All of them."""
        return tuple(self._transport.ask("/webhooks")["webhooks"])

    def get(self, webhook: str) -> Record:
        """One, and whether it fails."""
        return self._transport.ask(f"/webhooks/{webhook}")

    def delete(self, webhook: str) -> None:
        """Have nothing more sent."""
        self._transport.send("DELETE", f"/webhooks/{webhook}", harmless=False)

    def deliveries(self, webhook: str, *, page: int = PAGE) -> Iterator[Record]:
        """Its last attempts, the newest first."""
        before: object = None
        while True:
            given = parameters_of({"limit": page, "before": before})
            body = self._transport.ask(f"/webhooks/{webhook}/deliveries", given)
            yield from body["deliveries"]
            before = body["before"]
            if before is None:
                return

    def replay(self, webhook: str, *, since: int | None = None, after: str | None = None) -> Record:
        """Send again from a time (Unix seconds), or after a notice."""
        body = {"since": since} if after is None else {"after": after}
        answer = self._transport.send(
            "POST", f"/webhooks/{webhook}/replay", json=body, harmless=True
        )
        return body_of(answer)

    def resume(self, webhook: str) -> Record:
        """Go on where it stopped, at once."""
        answer = self._transport.send("POST", f"/webhooks/{webhook}/resume", harmless=True)
        return body_of(answer)

    def test(self, webhook: str) -> Record:
        """Have one message `webhook.test` sent, and hear what became of it."""
        answer = self._transport.send("POST", f"/webhooks/{webhook}/test", harmless=False)
        return body_of(answer)


def _filters(kinds: Sequence[str], instrument: str | None, since: int | None) -> dict[str, object]:
    return {"kind": ",".join(kinds) or None, "instrument": instrument, "since": since}


def _from(transport: Transport, filters: Mapping[str, object], page: int) -> Iterator[Record]:
    after = filters.get("after")
    rest = {name: value for name, value in filters.items() if name != "after"}
    return paged(transport, "/notices", "notices", page, rest, after)


def _notice(event: ServerEvent) -> Notice:
    try:
        body = json.loads(event.data or "")
    except ValueError as error:
        raise Malformed("an event of the stream is no JSON") from error
    return Notice.parse(body)
