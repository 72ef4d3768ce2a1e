"""Notices and webhooks of a whole node: keys, scopes, visibility, pages, the stream."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from api import ApiSettings, Services
from api.client.sse import read_events
from api.hooks import HookService, HookSettings, verify_message
from api.stream import Tail
from contracts.consortium import CONSORTIUM_ADDRESS, Role, set_role
from contracts.genesis import RECEIPTS_ADDRESS, STOCK_ADDRESS
from contracts.governance import Call
from contracts.receipts import Draft, issue_calldata
from contracts.stock import (
    Agreement,
    Count,
    Nature,
    count_calldata,
    lot_key,
    register_lot_calldata,
)
from ledger.crypto import SealingKey
from ledger.types import Hash32
from tests.api.conftest import Node, open_node
from tests.api.feeds import listening, until
from tests.api.receiver import Receiver
from tests.traceability.capture.stack import BANK, CARRIER, FARM, OFFICE, Identity

pytestmark = [pytest.mark.feature("A1"), pytest.mark.feature("A2"), pytest.mark.feature("F3")]

SILO = CARRIER
READ = ("notices:read", "receipts:read", "stock:read")
PLACE, WHEAT, WHOLE = Hash32(b"\x01" * 32), Hash32(b"\x02" * 32), Hash32(b"\x0f" * 32)
LOT = lot_key(SILO, PLACE, WHEAT)


@dataclass
class Market:
    """A node whose carrier keeps grain, with everything over HTTP."""

    node: Node
    http: httpx.Client
    numbers: int = 0
    counts: int = 0

    def key(self, organisation: str, *scopes: str) -> dict[str, str]:
        wanted = scopes or (*READ, "notices:write")
        secret, _ = self.node.services.keys.create(organisation, wanted)
        return {"Authorization": f"Bearer {secret}"}

    def count(self, quantity: int) -> None:
        self.counts += 1
        told = Count(LOT, quantity, int(time.time()), self.counts, WHOLE)
        self.node.stack.send(SILO, STOCK_ADDRESS, count_calldata(told))

    def issue(self, holder: str = FARM, quantity: int = 10) -> None:
        self.numbers += 1
        draft = Draft(f"W-{self.numbers}", LOT, WHOLE, WHOLE, holder, holder, quantity, 1 << 40)
        self.node.stack.send(SILO, RECEIPTS_ADDRESS, issue_calldata(draft))

    def notices(self, organisation: str, **parameters: Any) -> dict[str, Any]:
        answer = self.http.get("/notices", params=parameters, headers=self.key(organisation, *READ))
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body


@pytest.fixture
def market(tmp_path: Path, identity: Identity) -> Iterator[Market]:
    with opened(tmp_path, identity) as made:
        yield made


@pytest.fixture(scope="module")
def any_market(tmp_path_factory: pytest.TempPathFactory, identity: Identity) -> Iterator[Market]:
    """One for all tests that do not look at what else there is."""
    with opened(tmp_path_factory.mktemp("market"), identity) as made:
        yield made


@contextmanager
def opened(folder: Path, identity: Identity) -> Iterator[Market]:
    with ExitStack() as exits:
        url = f"sqlite:///{folder}/tally.sqlite"
        unlimited = ApiSettings(rate_per_address_per_s=0, rate_per_key_per_s=0)

        def with_hooks(services: Services) -> Services:
            tail = Tail(services.engine, services.ledger, services.projector)
            private = HookSettings(allow_private_addresses=True, poll_s=0.2)
            hooks = HookService(services.engine, tail, private, sealer=SealingKey.generate())
            hooks.start()
            exits.callback(hooks.stop)
            return replace(services, webhooks=hooks)

        node = open_node(exits, folder, identity, url, unlimited, with_parts=with_hooks)
        stack = node.stack
        http = exits.enter_context(
            httpx.Client(base_url=exits.enter_context(listening(node.app)), timeout=20)
        )
        stack.govern(Call(CONSORTIUM_ADDRESS, set_role(SILO, Role.WAREHOUSE)))
        agreement = Agreement(Nature.FIXED, "KGM", 0, 0, 86_400)
        stack.send(SILO, STOCK_ADDRESS, register_lot_calldata(PLACE, WHEAT, agreement, [SILO]))
        made = Market(node, http)
        made.count(1_000)
        yield made


def test_pages_hold_what_concerns_the_organisation(market: Market) -> None:
    for _ in range(5):
        market.issue()
    market.issue(BANK)
    page = market.notices(FARM, limit=3)
    assert [one["kind"] for one in page["notices"]] == ["receipt.issue"] * 3
    assert page["more"] is True
    rest = market.notices(FARM, limit=3, after=page["after"])
    assert (len(rest["notices"]), rest["more"]) == (2, False)
    assert market.notices(FARM, after=rest["after"])["notices"] == []
    assert len(market.notices(BANK)["notices"]) == 1
    assert market.notices(OFFICE) == {"notices": [], "after": None, "more": False}
    last = rest["notices"][-1]
    assert last["body"]["record"]["holder"] == FARM
    proof = market.http.get(last["proof"], headers=market.key(FARM))
    assert proof.status_code == 200, proof.text
    assert last["instrument"][2:] in bytes.fromhex(proof.json()["entry"][2:]).decode()


def test_filters_and_times(market: Market) -> None:
    market.issue()
    (first,) = market.notices(FARM)["notices"]
    time.sleep(1.1)
    market.issue()
    market.count(5)
    kinds = [one["kind"] for one in market.notices(FARM)["notices"]]
    assert kinds == ["receipt.issue", "receipt.issue", "stock.shortfall-began"]
    alerts = market.notices(FARM, kind="stock.*")["notices"]
    assert [one["instrument"] for one in alerts] == [f"0x{LOT.hex()}"]
    own = market.notices(FARM, instrument=first["instrument"])["notices"]
    assert own == [first]
    later = market.notices(FARM, since=first["time"] + 1)["notices"]
    assert [one["kind"] for one in later] == ["receipt.issue", "stock.shortfall-began"]
    assert market.notices(FARM, kind="receipt.freeze,loan.*")["notices"] == []


@pytest.mark.parametrize(
    "parameters",
    [
        {"kind": "Receipt"},
        {"kind": "*.issue"},
        {"after": "x"},
        {"after": "1-2"},
        {"limit": "0"},
        {"limit": "1001"},
        {"since": "-1"},
        {"instrument": "0x12"},
    ],
)
def test_bad_parameters_are_told(any_market: Market, parameters: dict[str, str]) -> None:
    answer = any_market.http.get("/notices", params=parameters, headers=any_market.key(FARM))
    assert answer.status_code == 400, answer.text


def test_without_the_scope_there_is_nothing(any_market: Market) -> None:
    for path in ("/notices", "/notices/stream", "/webhooks"):
        assert any_market.http.get(path).status_code == 401
        assert any_market.http.get(path, headers=any_market.key(FARM, "capture")).status_code == 403
    reader = any_market.key(FARM, *READ)
    body = {"url": "https://example.org/"}
    assert any_market.http.post("/webhooks", json=body, headers=reader).status_code == 403


def test_who_supervises_sees_all_until_he_does_not(market: Market) -> None:
    court = market.key(BANK, *READ, "supervise")
    market.issue()
    assert market.http.get("/notices", headers=court).json()["notices"] == []
    role = Call(CONSORTIUM_ADDRESS, set_role(BANK, Role.REGULATOR))
    market.node.stack.govern(role)
    time.sleep(1.1)
    found = market.http.get("/notices", headers=court).json()["notices"]
    assert [one["kind"] for one in found][-1] == "receipt.issue"
    with market.http.stream("GET", "/notices/stream", headers=court) as answer:
        events = read_events(answer.iter_lines())
        next(events)
        market.node.stack.govern(Call(CONSORTIUM_ADDRESS, set_role(BANK, Role.BANK)))
        market.issue()
        assert [one for one in events if one.data is not None] == []


def test_the_stream_goes_on_where_a_page_ended(market: Market) -> None:
    market.issue()
    page = market.notices(FARM)
    market.issue()
    headers = market.key(FARM, *READ)
    target = f"/notices/stream?after={page['after']}"
    with market.http.stream("GET", target, headers=headers) as answer:
        assert answer.headers["cache-control"] == "no-store"
        events = (one for one in read_events(answer.iter_lines()) if one.data is not None)
        second = next(events)
        market.issue()
        third = next(events)
    found = [one["id"] for one in market.notices(FARM)["notices"]]
    assert [page["after"], second.id, third.id] == found
    assert json.loads(str(third.data)) == market.notices(FARM)["notices"][-1]


def test_revoking_the_key_ends_its_stream(any_market: Market) -> None:
    market = any_market
    keys = market.node.services.keys
    secret, key = keys.create(FARM, READ)
    headers = {"Authorization": f"Bearer {secret}"}
    with market.http.stream("GET", "/notices/stream", headers=headers) as answer:
        events = read_events(answer.iter_lines())
        next(events)
        keys.revoke(key.key_id)
        market.issue()
        assert [one for one in events if one.data is not None] == []
    assert market.http.get("/notices/stream", headers=headers).status_code == 401


@pytest.mark.parametrize("revoked", [True, False])
def test_a_token_that_is_over_ends_its_stream(any_market: Market, revoked: bool) -> None:
    market = any_market
    secret, key = market.node.services.keys.create(FARM, READ)
    client, form = (key.key_id, secret), {"grant_type": "client_credentials"}
    with pytest.MonkeyPatch.context() as patch:
        if not revoked:
            patch.setattr("api.tokens.LIFETIME_S", 3)
        token = market.http.post("/oauth/token", data=form, auth=client).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    with market.http.stream("GET", "/notices/stream", headers=headers) as answer:
        events = read_events(answer.iter_lines())
        next(events)
        if revoked:
            ended = market.http.post("/oauth/revoke", data={"token": token}, auth=client)
            assert ended.status_code == 200
            market.issue()
        began = time.monotonic()
        assert [one for one in events if one.data is not None] == []
        assert time.monotonic() - began < 10, "long before a heartbeat is due"
    assert market.http.get("/notices", headers=headers).status_code == 401
    assert market.http.get("/notices", headers={"Authorization": f"Bearer {secret}"}).is_success


def test_a_webhook_is_for_what_its_makers_key_may_read(any_market: Market) -> None:
    market, target = any_market, "https://example.org/"
    weak = market.key(FARM, "notices:*", "stock:read")
    made = market.http.post("/webhooks", json={"url": target}, headers=weak)
    assert made.status_code == 201, made.text
    assert made.json()["kinds"] == ["stock.*", "webhook.*"]
    for kinds, status in ((["receipt.*"], 403), (["stock.counted", "webhook.disabled"], 201)):
        draft = {"url": target, "kinds": kinds}
        answer = market.http.post("/webhooks", json=draft, headers=weak)
        assert answer.status_code == status, answer.text
    none = market.http.post(
        "/webhooks", json={"url": target}, headers=market.key(FARM, "notices:*")
    )
    assert none.json()["kinds"] == ["webhook.*"]
    for one in market.http.get("/webhooks", headers=weak).json()["webhooks"]:
        assert market.http.delete(f"/webhooks/{one['id']}", headers=weak).status_code == 204


def test_a_webhook_from_making_to_deleting(market: Market) -> None:
    headers = market.key(FARM)
    with Receiver().listening() as receiver:
        draft = {"url": receiver.url, "kinds": ["receipt.*"]}
        made = market.http.post("/webhooks", json=draft, headers=headers)
        assert made.status_code == 201, made.text
        hook = made.json()
        assert made.headers["location"] == f"/webhooks/{hook['id']}"
        secret = hook.pop("secret")
        path = f"/webhooks/{hook['id']}"
        assert market.http.get(path, headers=headers).json() == hook
        assert market.http.get("/webhooks", headers=headers).json() == {"webhooks": [hook]}
        market.issue()
        market.count(2)
        until(lambda: len(receiver.messages) == 1)
        (notice,) = market.notices(FARM, kind="receipt.*")["notices"]
        (message,) = receiver.messages
        assert verify_message(secret, message.headers, message.body) == notice["id"]
        assert json.loads(message.body) == notice

        def delivered() -> bool:
            return bool(market.http.get(path, headers=headers).json()["after"] == notice["id"])

        until(delivered)
        log = market.http.get(f"{path}/deliveries", headers=headers).json()
        assert [(one["notice"], one["status"]) for one in log["deliveries"]] == [
            (notice["id"], 204)
        ]
        probe = market.http.post(f"{path}/test", headers=headers).json()
        assert (probe["delivered"], probe["status"]) == (True, 204)
        again = market.http.post(f"{path}/replay", json={"since": 0}, headers=headers)
        assert again.status_code == 200, again.text
        until(lambda: len(receiver.messages) == 3)
        assert receiver.messages[2].id == notice["id"]
        assert market.http.post(f"{path}/resume", headers=headers).json()["state"] == "active"
        # Another organisation's webhook is not there.
        others = market.key(BANK)
        for method, where in (("GET", path), ("DELETE", path), ("POST", f"{path}/resume")):
            assert market.http.request(method, where, headers=others).status_code == 404
        assert market.http.delete(path, headers=headers).status_code == 204
        assert market.http.get(path, headers=headers).status_code == 404


Make = Callable[[], dict[str, Any]]


@pytest.mark.parametrize(
    ("draft", "status"),
    [
        ({"url": "ftp://example.org/"}, 422),
        ({"url": "http://93.184.216.34/"}, 422),
        ({"url": "https://example.org/", "kinds": ["Nothing"]}, 400),
        ({"url": "https://example.org/", "kinds": ["receit.*"]}, 400),
        ({"url": "https://example.org/", "instrument": "0x1"}, 400),
        ({"url": "https://example.org/", "more": 1}, 400),
        ({"url": 7}, 400),
        ({}, 400),
    ],
)
def test_what_is_no_webhook_is_told(any_market: Market, draft: dict[str, Any], status: int) -> None:
    answer = any_market.http.post("/webhooks", json=draft, headers=any_market.key(FARM))
    assert answer.status_code == status, answer.text


def test_kinds_that_there_are_not_are_refused_with_those_there_are(any_market: Market) -> None:
    market = any_market
    for path in ("/notices", "/notices/stream"):
        answer = market.http.get(f"{path}?kind=receit.*", headers=market.key(FARM))
        assert answer.status_code == 400, answer.text
        assert "there are receipt.*, stock.*" in answer.json()["detail"]
    assert market.http.get("/notices?kind=webhook.*", headers=market.key(FARM)).status_code == 200


def test_bounds_of_bodies_and_points(market: Market) -> None:
    headers = market.key(FARM)
    long = {"url": "https://example.org/" + "x" * 20_000}
    assert market.http.post("/webhooks", json=long, headers=headers).status_code == 413
    plain = {**headers, "Content-Type": "text/plain"}
    assert market.http.post("/webhooks", content=b"{}", headers=plain).status_code == 415
    made = market.http.post("/webhooks", json={"url": "https://example.org/"}, headers=headers)
    path = f"/webhooks/{made.json()['id']}/replay"
    for point in ({}, {"since": 1, "after": "1-0-0"}, {"after": "nowhere"}):
        assert market.http.post(path, json=point, headers=headers).status_code == 400
    for _ in range(19):
        made = market.http.post("/webhooks", json={"url": "https://example.org/"}, headers=headers)
        assert made.status_code == 201
    full = market.http.post("/webhooks", json={"url": "https://example.org/"}, headers=headers)
    assert full.status_code == 409
