"""The Python client: what it tries again, whom it believes, and what it gives back."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.client import (
    Denied,
    Malformed,
    Missing,
    Notice,
    PreparedWrongly,
    Problem,
    Refused,
    Retries,
    StillPending,
    Tallystick,
    Unreachable,
    verify_webhook,
)
from api.client import records as records_module
from api.client.signing import Prepared
from api.client.sse import EVENT_SIZE_MAX, StreamMalformed, read_events
from ledger.crypto import AccountKey
from ledger.evm import decode_transaction
from tests.api.feeds import until
from tests.api.receiver import Receiver
from tests.api.test_notices_routes import READ, Market, market
from tests.traceability.capture.stack import FARM

__all__ = ["market"]

pytestmark = [pytest.mark.feature("A1"), pytest.mark.feature("A2")]

QUICK = Retries(attempts=4, first_wait_s=0.001)
ACCOUNT = AccountKey((7).to_bytes(32, "big"))
DONE = {"transaction": "0x" + "1" * 64, "block": 7, "leaf": 9, "proof": "/log/proof/9"}
RECEIPT = "0x" + "2" * 64


class Node:
    """Answers from a script, and keeps what was asked."""

    def __init__(self, *script: httpx.Response | Exception) -> None:
        self.script = list(script)
        self.asked: list[httpx.Request] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    def client(self, **options: Any) -> Tallystick:
        given = {"key": "tally_x", "retries": QUICK, **options}
        return Tallystick("http://node.test", transport=httpx.MockTransport(self.answer), **given)


def answer(status: int, body: object = None, **headers: str) -> httpx.Response:
    return httpx.Response(status, json={} if body is None else body, headers=headers)


def problem(status: int, **members: object) -> httpx.Response:
    return answer(status, {"title": "No", "detail": "because", "status": status, **members})


def test_reading_is_tried_again_until_the_node_answers() -> None:
    node = Node(httpx.ConnectError("no"), httpx.ReadError("cut"), problem(503), answer(200, DONE))
    assert node.client().ask("/x") == DONE
    assert len(node.asked) == 4
    node = Node(*[httpx.ReadTimeout("slow")] * 4)
    with pytest.raises(Unreachable, match="slow"):
        node.client().ask("/x")


def test_a_change_carries_a_key_that_stays_the_same_however_often_it_is_tried() -> None:
    node = Node(httpx.ReadError("cut"), problem(503), answer(201, {**DONE, "receipt": {"id": 1}}))
    done = node.client().receipts.create({"number": "W-1"})
    assert (done.block, done.leaf, done.body["receipt"]) == (7, 9, {"id": 1})
    keys = {request.headers["idempotency-key"] for request in node.asked}
    assert len(keys) == 1
    assert len({request.content for request in node.asked}) == 1
    node = Node(answer(200, DONE))
    node.client().receipts.act(RECEIPT, "transfer-holding", {"holder": "b"}, revision=3, key="k1")
    (request,) = node.asked
    assert request.url.path == f"/receipts/{RECEIPT}/transfer-holding"
    assert (request.headers["if-match"], request.headers["idempotency-key"]) == ('"3"', "k1")


def test_what_has_no_key_is_not_tried_again_once_it_may_have_arrived() -> None:
    node = Node(httpx.ReadError("cut"))
    with pytest.raises(Unreachable):
        node.client().webhooks.create("https://example.org/")
    assert len(node.asked) == 1
    node = Node(problem(503))
    with pytest.raises(Problem):
        node.client().webhooks.create("https://example.org/")
    assert len(node.asked) == 1
    node = Node(httpx.ConnectError("no"), answer(201, {"id": "wh_1", "secret": "s"}))
    assert node.client().webhooks.create("https://example.org/")["id"] == "wh_1"


def test_problems_have_their_kinds() -> None:
    refused = {"type": "urn:tallystick:problem:refused", "refusal": "InstrumentPledged"}
    cases: list[tuple[httpx.Response, type[Problem]]] = [
        (problem(401), Denied),
        (problem(403), Denied),
        (problem(404), Missing),
        (problem(400), Problem),
        (problem(409, **refused), Refused),
        (problem(403, **refused), Refused),
    ]
    for given_answer, kind in cases:
        with pytest.raises(Problem) as caught:
            Node(given_answer).client().ask("/x")
        assert type(caught.value) is kind
        assert "because" in str(caught.value)
    assert isinstance(caught.value, Refused)
    assert caught.value.refusal == "InstrumentPledged"
    for bad in (httpx.Response(200, text="<html>"), answer(200, [1])):
        with pytest.raises(Malformed):
            Node(bad).client().ask("/x")


def test_what_takes_longer_is_asked_for_until_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records_module, "POLL_S", 0.0)
    pending = {"transaction": DONE["transaction"], "status": "pending", "location": "/t/1"}
    node = Node(
        answer(202, pending),
        answer(200, pending),
        answer(200, {"status": "done", **DONE}),
        answer(200, {**DONE, "receipt": {}}),
    )
    assert "receipt" in node.client().receipts.create({}).body
    assert [request.method for request in node.asked] == ["POST", "GET", "GET", "POST"]
    late = {"status": "refused", "refusal": "StaleRevision", "detail": "was late"}
    with pytest.raises(Refused, match="was late"):
        Node(answer(202, pending), answer(200, late)).client().receipts.create({})
    monkeypatch.setattr(records_module, "PENDING_S", 0.0)
    with pytest.raises(StillPending) as caught:
        Node(answer(202, pending)).client().receipts.create({})
    assert caught.value.transaction == DONE["transaction"]


def test_lists_go_page_by_page_with_their_filters() -> None:
    node = Node(
        answer(200, {"receipts": [{"id": 1}, {"id": 2}], "after": "5"}),
        answer(200, {"receipts": [{"id": 3}], "after": None}),
    )
    found = list(node.client().receipts.list(state=["live", "paper"], expiring_before=9, page=2))
    assert [one["id"] for one in found] == [1, 2, 3]
    assert node.asked[0].url.query == b"state=live&state=paper&expiringBefore=9&limit=2"
    assert node.asked[1].url.query.endswith(b"&limit=2&after=5")
    with pytest.raises(Malformed):
        list(Node(answer(200, {"other": []})).client().receipts.list())


def test_tokens_are_fetched_renewed_and_asked_for_again_once_refused() -> None:
    def token(name: str, lasts: int) -> httpx.Response:
        return answer(200, {"access_token": name, "expires_in": lasts, "token_type": "Bearer"})

    node = Node(
        token("a", 900),
        answer(200),
        answer(200),
        problem(401),
        token("b", 1),
        answer(200),
        token("c", 900),
        answer(200),
    )
    client = node.client(key=None, client_id="id", client_secret="tally_s", scope="receipts:read")
    for _ in range(4):
        client.ask("/x")
    shown = [request.headers["authorization"] for request in node.asked if request.url.path == "/x"]
    assert shown == ["Bearer a", "Bearer a", "Bearer a", "Bearer b", "Bearer c"]
    assert node.asked[0].content == b"grant_type=client_credentials&scope=receipts%3Aread"
    assert node.asked[0].headers["authorization"].startswith("Basic ")
    refused = Node(answer(401, {"error": "invalid_client", "error_description": "who?"}))
    with pytest.raises(Denied, match="who"):
        refused.client(key=None, client_id="id", client_secret="x").ask("/x")
    with pytest.raises(ValueError, match="client_secret"):
        Tallystick("http://node.test", client_id="x")


def prepared(**changes: Any) -> dict[str, Any]:
    transaction = {
        "type": "0x2",
        "chainId": hex(827166),
        "nonce": "0x5",
        "gas": hex(400_000),
        "maxFeePerGas": "0x0",
        "maxPriorityFeePerGas": "0x0",
        "to": "0x" + "7a" * 20,
        "value": "0x0",
        "data": "0x1234",
        "accessList": [],
        **changes,
    }
    return {
        "transaction": transaction,
        "account": f"0x{ACCOUNT.address.hex()}",
        "does": {"en": "hand it over", "zh": "交"},
        "contract": "receipts",
        "act": "transfer-holding",
        "validUntil": 99,
    }


def test_with_a_key_of_ones_own_what_was_prepared_is_signed_and_sent() -> None:
    node = Node(answer(200, prepared()), answer(200, DONE))
    client = node.client(account=ACCOUNT, chain_id=827166)
    assert client.receipts.act(RECEIPT, "transfer-holding", {"holder": "b"}, revision=2).block == 7
    first, second = node.asked
    assert first.url.params["prepare"] == "true"
    assert first.url.params["account"] == f"0x{ACCOUNT.address.hex()}"
    assert first.headers["if-match"] == '"2"'
    assert second.url.path == "/transactions"
    sent = decode_transaction(bytes.fromhex(json.loads(second.content)["raw"][2:]))
    assert (sent.sender, sent.nonce, sent.data) == (ACCOUNT.address, 5, b"\x12\x34")
    assert (sent.to, sent.chain_id, sent.gas) == (b"\x7a" * 20, 827166, 400_000)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"value": "0x1"}, "costs"),
        ({"maxFeePerGas": "0x1"}, "costs"),
        ({"accessList": [{}]}, "costs"),
        ({"chainId": "0x1"}, "chain 1"),
    ],
)
def test_what_is_not_as_it_should_be_is_not_signed(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(PreparedWrongly, match=reason):
        Prepared.parse(prepared(**changes)).sign(ACCOUNT, chain_id=827166)


def test_another_accounts_transaction_is_not_signed() -> None:
    other = AccountKey((8).to_bytes(32, "big"))
    with pytest.raises(PreparedWrongly, match="the key is that of"):
        Prepared.parse(prepared()).sign(other)
    for bad in ({}, {**prepared(), "does": None}, {**prepared(), "transaction": 7}):
        with pytest.raises(Malformed):
            Prepared.parse(bad)
    with pytest.raises(Malformed):
        Prepared.parse(prepared(to="0x12")).sign(ACCOUNT)


def test_an_event_stream_is_read_as_browsers_read_it() -> None:
    text = (
        ": comment\nretry: 50\nid: 1-0-0\nevent: a\ndata: x\ndata: y\n\n"
        "id: 2-0-0\n\ndata:z\n\nevent: only\n\nid\ndata\n\nretry: no\nunknown: 1\ndata: cut off"
    )
    found = [(one.id, one.kind, one.data) for one in read_events(text.split("\n"))]
    assert found == [
        ("1-0-0", "a", "x\ny"),
        ("2-0-0", "", None),
        ("2-0-0", "message", "z"),
        ("", "message", ""),
    ]
    with pytest.raises(StreamMalformed):
        list(read_events(["data: " + "x" * EVENT_SIZE_MAX]))


@given(st.lists(st.text(alphabet="abide: \n:datrey", max_size=12)))
def test_no_stream_confuses_its_reader(lines: list[str]) -> None:
    for event in read_events(line for text in lines for line in text.split("\n")):
        assert event.data is None or isinstance(event.data, str)


# ---- against a whole node -----------------------------------------------------------------------


@contextmanager
def client_of(market: Market, organisation: str = FARM, **options: Any) -> Iterator[Tallystick]:
    secret, _ = market.node.services.keys.create(
        organisation, ["notices:*", "receipts:*", "stock:*", "pledges:*"]
    )
    with Tallystick(str(market.http.base_url), key=secret, retries=QUICK, **options) as tally:
        yield tally


def test_notices_of_a_node_in_pages_and_as_they_happen(market: Market) -> None:
    with client_of(market) as tally:
        for _ in range(5):
            market.issue()
        found = list(tally.notices.list(kinds=["receipt.*"], page=2))
        assert len(found) == 5
        assert isinstance(found[0], Notice)
        later = [one.id for one in tally.notices.list(after=found[2].id)]
        assert later == [one.id for one in found[3:]]
        following = tally.notices.follow(after=found[-1].id)
        market.issue()
        fresh = next(following)
        assert fresh.kind == "receipt.issue"
        assert fresh.id not in {one.id for one in found}
        assert tally.proof({"proof": fresh.proof})["leaf"] == fresh.leaf
        following.close()


@pytest.mark.slow
def test_a_follower_survives_breaks_without_loss(market: Market) -> None:
    """The first connections break off in the middle; each notice comes once all the same."""

    class Breaking(httpx.BaseTransport):
        def __init__(self) -> None:
            self.inner = httpx.HTTPTransport()
            self.left = 4

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            response = self.inner.handle_request(request)
            if request.url.path.endswith("/stream") and self.left:
                self.left -= 1
                return httpx.Response(
                    response.status_code,
                    headers=response.headers,
                    stream=Broken(response.stream, 250),  # type: ignore[arg-type]
                )
            return response

    class Broken(httpx.SyncByteStream):
        def __init__(self, inner: httpx.SyncByteStream, size: int) -> None:
            self.inner, self.size = inner, size

        def __iter__(self) -> Iterator[bytes]:
            for piece in self.inner:
                if len(piece) >= self.size:
                    yield piece[: self.size]
                    raise httpx.ReadError("cut off")
                self.size -= len(piece)
                yield piece

        def close(self) -> None:
            self.inner.close()

    breaking = Breaking()
    with client_of(market, transport=breaking) as tally:
        market.issue()
        (first,) = tally.notices.list()
        got: list[str] = []

        def follow() -> None:
            for notice in tally.notices.follow(after=first.id):
                got.append(notice.id)
                if len(got) == 6:
                    return

        thread = threading.Thread(target=follow)
        thread.start()
        for _ in range(6):
            market.issue()
        thread.join(60)
        assert breaking.left == 0
        assert got == [one.id for one in tally.notices.list(after=first.id)]


def test_a_revoked_key_ends_following(market: Market) -> None:
    keys = market.node.services.keys
    secret, key = keys.create(FARM, READ)
    market.issue()
    with Tallystick(str(market.http.base_url), key=secret, retries=QUICK) as tally:
        following = tally.notices.follow(since=0)
        next(following)
        keys.revoke(key.key_id)
        market.issue()
        with pytest.raises(Denied):
            next(following)


def test_webhooks_by_the_client(market: Market) -> None:
    with client_of(market) as tally, Receiver().listening() as receiver:
        made = tally.webhooks.create(receiver.url, kinds=["receipt.*"])
        assert tally.webhooks.test(made["id"])["delivered"] is True
        market.issue()
        until(lambda: len(receiver.messages) == 2)
        message = receiver.messages[1]
        verified = verify_webhook(made["secret"], message.headers, message.body)
        assert Notice.parse(json.loads(message.body)).id == verified

        def delivered(count: int) -> Callable[[], bool]:
            return lambda: len(list(tally.webhooks.deliveries(made["id"], page=1))) == count

        until(delivered(1))
        tally.webhooks.replay(made["id"], since=0)
        until(delivered(2))
        assert tally.webhooks.resume(made["id"])["state"] == "active"
        assert [one["id"] for one in tally.webhooks.list()] == [made["id"]]
        tally.webhooks.delete(made["id"])
        with pytest.raises(Missing):
            tally.webhooks.get(made["id"])


def test_oauth_of_a_node(market: Market) -> None:
    secret, key = market.node.services.keys.create(FARM, READ)
    market.issue()
    with Tallystick(str(market.http.base_url), client_id=key.key_id, client_secret=secret) as tally:
        assert len(list(tally.notices.list())) == 1
