"""Claims over HTTP: who has one, and taking it from a record that has ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from eth_account import Account

from api import ApiSettings
from api.client import Missing, Tallystick
from contracts import consortium
from contracts.consortium import Role
from contracts.governance import Call
from tests.api.conftest import Node
from tests.api.described import Described
from tests.api.members import Member
from tests.api.test_receipts import Scene as Goods
from tests.api.test_receivables import Scene
from tests.traceability.capture.stack import BANK, Identity

pytestmark = [pytest.mark.feature("A1"), pytest.mark.feature("F5"), pytest.mark.feature("S1")]
LIMITS = ApiSettings(rate_per_address_per_s=0, rate_per_key_per_s=0)
DECISION = f"0x{'dc' * 32}"
ROOM = "receivables:*"


class Court(Scene):
    """The bank decides; invoices that were paid and stay claimed."""

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        made = consortium.set_role(BANK, Role.ARBITRATOR)
        node.stack.govern(Call(consortium.CONSORTIUM_ADDRESS, made))
        self.court = Described(node, BANK, ROOM, "supervise")
        self.numbers = 0

    def owed(self, invoice: str) -> str:
        """A receivable of that invoice, which its debtor has accepted."""
        self.numbers += 1
        body = self.body(f"C-{self.numbers}", invoice)
        id_: str = self.supplier.post("/receivables", body)["receivable"]["id"]
        self.customer.post(f"/receivables/{id_}/accept")
        return id_

    def paid(self, invoice: str) -> tuple[str, str]:
        """The same, paid; and its claim, which stands for ever."""
        id_ = self.owed(invoice)
        self.supplier.post(f"/receivables/{id_}/confirm-payment", {"amount": 1_000_000})
        (key,) = self.supplier.get(f"/receivables/{id_}")["claims"]
        return id_, key


@pytest.fixture(scope="module")
def scene(share_node: Callable[..., Node], identity: Identity) -> Court:
    return Court(share_node(LIMITS, signers=identity.accounts))


def test_an_authority_frees_what_a_record_that_has_ended_claims(scene: Court) -> None:
    id_, key = scene.paid("25000000000000000001")
    again = scene.body("C-again", "25000000000000000001")
    assert scene.supplier.refused("/receivables", again)[:2] == (409, "AlreadyClaimed")
    seen = scene.court.send("GET", f"/claims/{key}")
    shown = seen.json()
    assert (shown["key"], shown["record"]["id"]) == (key, id_)
    assert (shown["record"]["kind"], shown["record"]["state"]) == ("receivable", "paid")
    assert seen.headers["etag"] == f'"{shown["record"]["revision"]}"'
    body = {"decision": DECISION, "remark": "not theirs"}
    path = f"/claims/{key}/annul"
    assert scene.court.refused(path, body, revision=1)[:2] == (412, "StaleRevision")
    by_key = {"Idempotency-Key": "annul-1"}
    revision = shown["record"]["revision"]
    done = scene.court.post(path, body, revision=revision, headers=by_key)
    assert done["annulled"] == {
        "key": key,
        "record": id_,
        "contract": shown["record"]["contract"],
        "by": BANK,
        "decision": DECISION,
        "remark": "not theirs",
    }
    assert [one["name"] for one in done["events"]] == ["Released", "Annulled"]
    assert done["proof"] == f"/log/proof/{done['leaf']}"
    assert scene.node.client.get(done["proof"]).status_code == 200
    replayed = scene.court.send("POST", path, body, headers={**by_key, "If-Match": f'"{revision}"'})
    assert (replayed.status_code, replayed.json()) == (200, done)
    for scopes, status in ((("supervise", "receipts:*"), 403), ((ROOM,), 404)):
        other = Member(scene.node, BANK, *scopes)
        told = other.send("POST", path, body, headers={**by_key, "If-Match": f'"{revision}"'})
        assert told.status_code == status, told.text
    assert scene.court.send("GET", f"/claims/{key}").status_code == 404
    assert scene.court.refused(path, body)[0] == 404
    assert scene.supplier.get(f"/receivables/{id_}")["claims"] == []
    assert scene.supplier.send("POST", "/receivables", again).status_code == 201


def test_what_a_part_of_a_record_still_stands_for_stays_claimed(scene: Court) -> None:
    id_ = scene.owed("25000000000000000002")
    split = scene.supplier.post(f"/receivables/{id_}/split", {"amounts": [400_000, 600_000]})
    part, other = (one["id"] for one in split["receivables"] if one["id"] != id_)
    (key,) = scene.supplier.get(f"/receivables/{part}")["claims"]
    refused = scene.court.refused(f"/claims/{key}/annul", {"decision": DECISION})
    assert refused[:2] == (409, "StillLive"), refused
    assert "ends first" in refused[2]
    for one, amount in ((part, 400_000), (other, 600_000)):
        scene.supplier.post(f"/receivables/{one}/confirm-payment", {"amount": amount})
    transport = scene.node.client._transport
    with Tallystick("http://testserver", key=scene.court.secret, transport=transport) as tally:
        revision = tally.claims.get(key)["record"]["revision"]
        done = tally.claims.annul(key, {"decision": DECISION}, revision=revision)
        assert done.body["annulled"]["record"] == id_
        with pytest.raises(Missing):
            tally.claims.get(key)


def test_what_an_order_names_is_kept_and_struck_by_an_authority_while_it_lives(
    scene: Court,
) -> None:
    invoices = scene.body("C-later", "25000000000000000005")["invoices"]
    order = scene.body("C-order", "25000000000000000006")
    order |= {"kind": "order", "deliverBy": order["due"] - 86_400}
    id_ = scene.supplier.post("/receivables", order)["receivable"]["id"]
    scene.customer.post(f"/receivables/{id_}/accept")
    (own,) = scene.supplier.get(f"/receivables/{id_}")["claims"]
    body = {"invoices": invoices, "terms": f"0x{'77' * 32}"}
    scene.supplier.post(f"/receivables/{id_}/invoice", body)
    (kept,) = set(scene.supplier.get(f"/receivables/{id_}")["claims"]) - {own}
    again = scene.body("C-again-5", "25000000000000000005")
    assert scene.supplier.refused("/receivables", again)[:2] == (409, "AlreadyClaimed")
    assert scene.court.get(f"/claims/{kept}")["record"]["state"] == "confirmed"
    decided = {"decision": DECISION}
    assert scene.court.refused(f"/claims/{own}/annul", decided)[:2] == (409, "StillLive")
    done = scene.court.post(f"/claims/{kept}/annul", decided)
    assert done["annulled"]["record"] == id_
    assert scene.supplier.get(f"/receivables/{id_}")["claims"] == [own]
    assert scene.supplier.send("POST", "/receivables", again).status_code == 201


def test_a_claim_is_seen_by_who_sees_its_record_and_annulled_by_authorities(
    scene: Court,
) -> None:
    node = scene.node
    id_, key = scene.paid("25000000000000000003")
    path, body = f"/claims/{key}/annul", {"decision": DECISION}
    for party in (scene.supplier, scene.customer):
        assert party.get(f"/claims/{key}")["record"]["id"] == id_
        status, refusal, words = party.refused(path, body)
        assert (status, refusal) == (403, "NotAuthority"), words
    unsupervising = Member(node, BANK, ROOM)
    assert unsupervising.send("GET", f"/claims/{key}").status_code == 404
    assert unsupervising.refused(path, body)[0] == 404
    unknown = f"/claims/0x{'77' * 32}"
    assert unsupervising.refused(f"{unknown}/annul", body)[0] == 404
    reader = Member(node, BANK, "supervise", "receivables:read")
    assert reader.get(f"/claims/{key}")["record"]["id"] == id_
    assert "receivables:write" in reader.refused(path, body)[2]
    elsewhere = Member(node, BANK, "supervise", "receipts:*", "stock:*")
    assert elsewhere.send("GET", f"/claims/{key}").status_code == 403
    assert elsewhere.refused(path, body)[0] == 403
    assert node.client.get(f"/claims/{key}").status_code == 401
    assert scene.court.refused(path, {})[0] == 400
    zeros = {"decision": f"0x{'00' * 32}"}
    assert scene.court.refused(path, zeros)[:2] == (422, "DecisionMissing")


def test_an_authority_with_a_key_of_its_own_signs_in_plain_words(scene: Court) -> None:
    node = scene.node
    id_, key = scene.paid("25000000000000000004")
    path, body = f"/claims/{key}/annul", {"decision": DECISION}
    prepared = scene.court.post(f"{path}?prepare=true", body)
    assert prepared["does"]["en"] == (
        f"take claim {key} from receivable {id_}, which is paid, by decision {DECISION}"
    )
    assert key in prepared["does"]["zh"]
    raw = signed(node, BANK, prepared["transaction"])
    for wrong in (("supervise", "stock:*"), (ROOM,)):
        status = Member(node, BANK, *wrong).refused("/transactions", {"raw": raw})[0]
        assert status == (403 if "supervise" in wrong else 404)
    done = scene.court.post("/transactions", {"raw": raw})
    assert [one["name"] for one in done["events"]] == ["Released", "Annulled"]
    for scopes, status in ((("supervise", "receipts:*"), 403), ((ROOM,), 404)):
        other = Member(node, BANK, *scopes)
        assert other.refused("/transactions", {"raw": raw})[0] == status
    again = scene.court.send("POST", "/transactions", {"raw": raw})
    assert (again.json(), again.headers["idempotency-replayed"]) == (done, "true")


def signed(node: Node, name: str, fields: dict[str, Any]) -> str:
    """As a wallet signs it."""
    secret = node.stack.identity.accounts[name].private_key
    raw = bytes(Account.sign_transaction(fields, secret).raw_transaction)
    return f"0x{raw.hex()}"


def test_a_receipts_claims_are_found_by_its_parties(scene: Court) -> None:
    """And stay with the goods: no authority takes them from a receipt that lives."""
    goods = Goods(scene.node)
    id_ = goods.issue(items=["urn:epc:id:sgtin:9521141.012345.700"])
    (key,) = goods.trader.get(f"/receipts/{id_}")["claims"]
    record = goods.trader.get(f"/claims/{key}")["record"]
    assert (record["kind"], record["id"], record["revision"]) == ("receipt", id_, 1)
    court = Member(scene.node, BANK, "supervise", "receipts:*")
    refused = court.refused(f"/claims/{key}/annul", {"decision": DECISION}, revision=1)
    assert refused[:2] == (409, "StillLive"), refused
