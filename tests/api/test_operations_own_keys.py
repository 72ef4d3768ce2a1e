"""For those who keep their own keys: prepared in plain words, signed by the client, sent here."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from eth_account import Account
from eth_utils.address import to_checksum_address

from api.operations import Operations
from contracts import consortium
from contracts.provenance import PROVENANCE_ADDRESS, Visibility, anchor_calldata
from ledger.crypto import AccountKey
from ledger.types import Address
from tests.api.acting import lot_id, prepare_node, register
from tests.api.conftest import Node
from tests.traceability.capture.stack import BANK, FARM

pytestmark = [pytest.mark.feature("A1"), pytest.mark.feature("S1")]


@pytest.fixture
def operations(node: Node) -> Operations:
    return prepare_node(node)


def own(node: Node, organisation: str = FARM) -> AccountKey:
    return node.stack.identity.accounts[organisation]


def prepare(node: Node, name: str = "wheat", **query: str) -> httpx.Response:
    params = {"prepare": "true", **query}
    return node.client.post("/lots", content=name.encode(), params=params, headers=node.auth())


def submit(node: Node, raw: object, organisation: str = FARM, **headers: str) -> httpx.Response:
    given = {**node.auth(organisation), **headers}
    return node.client.post("/transactions", json={"raw": raw}, headers=given)


def signed(key: AccountKey, fields: dict[str, Any], **changes: Any) -> str:
    """By eth-account, as a wallet does it: an independent implementation."""
    transaction = {**fields, **changes}
    raw = Account.sign_transaction(transaction, key.private_key).raw_transaction
    return f"0x{bytes(raw).hex()}"


def test_what_is_prepared_is_signed_by_the_client_and_done(
    node: Node, operations: Operations
) -> None:
    answer = prepare(node)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["does"] == {"en": "register lot wheat", "zh": "登记批次 wheat"}
    assert (body["contract"], body["act"]) == ("stock", "register")
    assert body["account"] == f"0x{own(node).address.hex()}"
    assert node.stack.ledger.pending() == ()
    raw = signed(own(node), body["transaction"])
    digest = bytes.fromhex(body["signingHash"][2:])
    assert own(node).sign_digest(digest)[:32].hex() in raw, "the hash is what a wallet signs"
    done = submit(node, raw)
    assert done.status_code == 200, done.text
    assert done.json()["events"][0]["values"]["key"] == lot_id("wheat")
    again = submit(node, raw)
    assert again.json() == done.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert submit(node, raw, **{"Idempotency-Key": "k"}).json() == done.json()


def test_what_would_be_refused_is_not_prepared(node: Node, operations: Operations) -> None:
    raw = signed(own(node), prepare(node).json()["transaction"])
    assert submit(node, raw).status_code == 200
    answer = prepare(node)
    assert (answer.status_code, answer.json()["refusal"]) == (409, "LotExists")
    fields = prepare(node, "rye").json()["transaction"]
    twice = signed(own(node), fields, data=f"0x{register(operations, 'wheat').data.hex()}")
    refused = submit(node, twice)
    assert (refused.status_code, refused.json()["refusal"]) == (409, "LotExists")
    assert submit(node, signed(own(node), fields)).status_code == 200, "the nonce is free still"


def test_only_its_own_accounts_send_for_an_organisation(node: Node, operations: Operations) -> None:
    fields = prepare(node).json()["transaction"]
    of_bank = signed(own(node, BANK), fields)
    assert submit(node, of_bank).status_code == 403
    assert submit(node, signed(AccountKey.generate(), fields)).status_code == 403
    assert node.client.post("/transactions", json={"raw": of_bank}).status_code == 401
    farm = signed(own(node), fields)
    assert submit(node, farm, BANK).status_code == 403
    secret, _ = node.services.keys.create(FARM, ["receipts:*"])
    answer = node.client.post(
        "/transactions", json={"raw": farm}, headers={"Authorization": f"Bearer {secret}"}
    )
    assert answer.status_code == 403
    assert "stock:write" in answer.json()["detail"]
    assert node.stack.ledger.pending() == ()


def test_only_calls_of_instruments_pass(node: Node, operations: Operations) -> None:
    fields = prepare(node).json()["transaction"]
    elsewhere = to_checksum_address(consortium.CONSORTIUM_ADDRESS)
    nobody = Account.from_key(b"\1" * 32).address
    for changes in (
        {"to": nobody, "data": "0x"},
        {"to": elsewhere, "data": "0x"},
        {"value": "0x1"},
        {"chainId": "0x1"},
    ):
        answer = submit(node, signed(own(node), fields, **changes))
        assert answer.status_code == 422, changes
    assert node.stack.ledger.pending() == ()


def test_what_is_no_transaction_is_refused(node: Node, operations: Operations) -> None:
    headers = {**node.auth(), "Content-Type": "application/json"}
    for body in (b"", b"[]", b"{}", b'{"raw": 1}', b'{"raw": "0x1"}', b'{"raw": "02"}'):
        answer = node.client.post("/transactions", content=body, headers=headers)
        assert answer.status_code == 400, body
        text = node.client.post("/transactions", content=body, headers=node.auth())
        assert text.status_code == 415, body
    short = node.client.post("/transactions", content=b'{"raw": "0x02"}', headers=headers)
    assert short.status_code == 400


def test_late_gapped_and_taken_nonces_are_told(node: Node, operations: Operations) -> None:
    fields = prepare(node).json()["transaction"]
    gapped = submit(node, signed(own(node), fields, nonce=5000))
    assert gapped.status_code == 409
    assert "nonce" in gapped.json()["detail"]
    assert submit(node, signed(own(node), fields)).status_code == 200
    data = f"0x{register(operations, 'rye').data.hex()}"
    used = submit(node, signed(own(node), fields, data=data))
    assert used.status_code == 409
    assert "nonce" in used.json()["detail"]


def test_what_was_prepared_too_long_ago_is_not_sent(
    node: Node, operations: Operations, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = prepare(node).json()
    raw = signed(own(node), body["transaction"])
    prepared = operations._own_keys._prepared
    (digest,) = prepared
    assert digest.hex() == body["signingHash"][2:]
    monkeypatch.setitem(prepared, digest, body["validUntil"] - 3600)
    answer = submit(node, raw)
    assert answer.status_code == 422
    assert "too long ago" in answer.json()["detail"]


def test_which_account_is_to_sign_can_be_said(node: Node, operations: Operations) -> None:
    second = AccountKey.generate()
    node.stack.send(
        FARM, consortium.CONSORTIUM_ADDRESS, consortium.add_account(FARM, second.address)
    )
    unclear = prepare(node)
    assert unclear.status_code == 422
    assert f"0x{second.address.hex()}" in unclear.json()["detail"]
    body = prepare(node, account=f"0x{second.address.hex()}").json()
    assert body["transaction"]["nonce"] == "0x0"
    assert submit(node, signed(second, body["transaction"])).status_code == 200
    stranger = prepare(node, account=f"0x{own(node, BANK).address.hex()}")
    assert stranger.status_code == 422
    assert prepare(node, account="me").status_code == 400
    assert prepare(node, prepare="perhaps").status_code == 400


def test_capture_may_be_sent_with_its_scope(node: Node, operations: Operations) -> None:
    raw = own(node).sign_transaction(
        {
            "type": 2,
            "chainId": node.stack.ledger.chain_id,
            "nonce": node.stack.ledger.pending_nonce(own(node).address),
            "gas": 300_000,
            "to": bytes(Address(PROVENANCE_ADDRESS)),
            "value": 0,
            "data": anchor_calldata(b"\7" * 32, 1, Visibility.CONFIDENTIAL, b""),
            "maxFeePerGas": 0,
            "maxPriorityFeePerGas": 0,
        }
    )
    answer = submit(node, f"0x{raw.hex()}")
    assert answer.status_code == 200, answer.text
    assert answer.json()["events"][0]["contract"] == "provenance"
