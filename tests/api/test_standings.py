"""How an organisation stands counts from the next block on, however warm the caches are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from eth_account import Account

from api import ApiSettings
from api.client.sse import read_events
from contracts import consortium
from contracts.consortium import Role, Status
from contracts.governance import Call
from tests.api.conftest import Node
from tests.api.feeds import listening
from tests.api.members import Member
from tests.api.test_receivables import Scene
from tests.traceability.capture.stack import BANK, CARRIER, FARM, Identity

pytestmark = [pytest.mark.feature("A1"), pytest.mark.feature("S1"), pytest.mark.feature("S3")]
LIMITS = ApiSettings(rate_per_address_per_s=0, rate_per_key_per_s=0)
SCOPES = ("receivables:*", "notices:*", "stock:read")


@pytest.fixture(scope="module")
def scene(share_node: Callable[..., Node], identity: Identity) -> Scene:
    return Scene(share_node(LIMITS, signers=identity.accounts))


def decide(node: Node, data: bytes) -> None:
    """The members agree; nothing but its block is waited for."""
    node.stack.govern(Call(consortium.CONSORTIUM_ADDRESS, data))


@contextmanager
def suspended(node: Node, name: str = FARM) -> Iterator[None]:
    """It is, as long as this lasts."""
    decide(node, consortium.set_organisation_status(name, Status.SUSPENDED))
    try:
        yield
    finally:
        decide(node, consortium.set_organisation_status(name, Status.ACTIVE))


class Ways:
    """Everything that the farm has got hold of while it was active, used."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.node = scene, scene.node
        self.id = scene.create()
        self.key = Member(self.node, FARM, *SCOPES)
        self.bound = Member(self.node, FARM, *SCOPES)
        self.bound.secret = self.node.services.keys.create(
            FARM, ["receivables:*"], instruments=[self.id]
        )[0]
        secret, key = self.node.services.keys.create(FARM, SCOPES)
        self.client = (key.key_id, secret)
        self.token = Member(self.node, FARM, *SCOPES)
        self.token.secret = self.new_token()
        made = self.key.get(f"/receivables/{self.id}")
        self.leaf, self.transaction = made["last"]["leaf"], made["last"]["transaction"]
        prepared = self.key.post(f"/receivables/{self.id}/cancel?prepare=true")
        secret_key = self.node.stack.identity.accounts[FARM].private_key
        signed = Account.sign_transaction(prepared["transaction"], secret_key)
        self.raw = f"0x{bytes(signed.raw_transaction).hex()}"

    def new_token(self) -> str:
        form = {"grant_type": "client_credentials"}
        answer = self.node.client.post("/oauth/token", data=form, auth=self.client)
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        return token

    def reading(self) -> dict[str, int]:
        """Statuses of whatever only members may read."""
        one = f"/receivables/{self.id}"
        paths = (
            "/receivables",
            one,
            f"{one}/history",
            f"{one}/document",
            "/notices",
            f"/transactions/{self.transaction}",
            f"/log/proof/{self.leaf}",
            "/stock/locations",
        )
        found = {
            f"{name} {path}": member.send("GET", path).status_code
            for name, member in (("key", self.key), ("token", self.token))
            for path in paths
        }
        found["bound"] = self.bound.send("GET", one).status_code
        return found

    def acting(self) -> dict[str, httpx.Response]:
        """Answers to whatever changes something, or would."""
        one, body = f"/receivables/{self.id}", {"remark": "late"}
        digest: dict[str, Any] = {
            "lot": f"0x{'1' * 64}",
            "quantity": 1,
            "countedAt": 1,
            "sequence": 1,
            "evidence": f"0x{'2' * 64}",
        }
        return {
            "act": self.key.send("POST", f"{one}/cancel", body),
            "by token": self.token.send("POST", f"{one}/cancel", body),
            "bound": self.bound.send("POST", f"{one}/cancel", body),
            "prepare": self.key.send("POST", f"{one}/cancel?prepare=true", body),
            "signed": self.key.send("POST", "/transactions", {"raw": self.raw}),
            "digest": self.key.send("POST", "/stock/counts/digest", digest),
        }


def test_who_is_suspended_can_neither_act_nor_read(scene: Scene) -> None:
    ways = Ways(scene)
    assert set(ways.reading().values()) == {200}, "everything is warm"
    height = scene.node.stack.head()
    with suspended(scene.node):
        assert scene.node.stack.head() == height + 1
        assert set(ways.reading().values()) == {403}
        for name, answer in ways.acting().items():
            assert answer.status_code == 403, (name, answer.text)
            assert "not active" in answer.json()["detail"], name
        late = Member(scene.node, FARM, *SCOPES)
        late.secret = ways.new_token()
        assert late.send("GET", "/receivables").status_code == 403, "a new token is no way round"
        assert scene.node.stack.ledger.pending() == ()
        others = scene.customer.get(f"/receivables/{ways.id}")
        assert others["state"] == "proposed", "others go on, and nothing was done"
        open_to_all = scene.node.client.get(f"/log/proof/{ways.leaf}").json()
        assert open_to_all["entry"] is None
    assert set(ways.reading().values()) == {200}
    assert late.send("GET", "/receivables").status_code == 200
    ways.key.post("/transactions", {"raw": ways.raw})
    assert scene.customer.get(f"/receivables/{ways.id}")["state"] == "cancelled"
    for number, member in enumerate((ways.key, ways.token)):
        member.post("/receivables", scene.body(f"S-9{number}", f"2600000000000000009{number}"))


def test_a_stream_ends_with_what_it_would_have_told_next(scene: Scene) -> None:
    reader = Member(scene.node, CARRIER, "receivables:read", "notices:read")
    with (
        listening(scene.node.app) as url,
        httpx.stream(
            "GET",
            f"{url}/notices/stream",
            headers={"Authorization": f"Bearer {reader.secret}"},
            timeout=20,
        ) as answer,
    ):
        events = read_events(answer.iter_lines())
        first = scene.supplier.post("/receivables", scene.body("S-1", "26000000000000000001"))
        told = next(one for one in events if one.data)
        assert first["receivable"]["id"] in told.data
        with suspended(scene.node, CARRIER):
            id_ = first["receivable"]["id"]
            scene.supplier.post(f"/receivables/{id_}/cancel")
            assert [one for one in events if one.data] == [], "it was cut off instead"
    kinds = [one["kind"] for one in reader.get("/notices")["notices"]]
    assert kinds[-1] == "receivable.cancel", "and is told afterwards"


def test_who_loses_the_role_of_an_authority_sees_its_own_alone(scene: Scene) -> None:
    id_ = scene.supplier.post("/receivables", scene.body("S-2", "26000000000000000002"))
    path = f"/receivables/{id_['receivable']['id']}"
    court = Member(scene.node, BANK, *SCOPES, "supervise")
    assert court.send("GET", path).status_code == 404
    decide(scene.node, consortium.set_role(BANK, Role.REGULATOR))
    assert court.send("GET", path).status_code == 200
    assert court.get("/notices")["notices"]
    decide(scene.node, consortium.set_role(BANK, Role.BANK))
    assert court.send("GET", path).status_code == 404
    assert court.get("/notices")["notices"] == []
