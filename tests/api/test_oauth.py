"""OAuth 2.0 client credentials: RFC 6749 section 4.4, RFC 7009, RFC 8414."""

from __future__ import annotations

import base64
import time
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.oauth import OAuthRefused, parse_form
from api.operations import Operations
from api.tokens import LIFETIME_S, TokenStore, TooManyTokens
from tests.api.acting import prepare_node
from tests.api.conftest import Node
from tests.traceability.capture.stack import BANK, FARM

pytestmark = [pytest.mark.feature("A1"), pytest.mark.feature("S1")]

SCOPES = ("stock:*", "receipts:read")


@pytest.fixture
def operations(node: Node) -> Operations:
    return prepare_node(node)


@pytest.fixture
def client(node: Node) -> tuple[str, str]:
    """Id and secret."""
    secret, key = node.services.keys.create(FARM, SCOPES)
    return key.key_id, secret


def ask(node: Node, client: tuple[str, str], **fields: str) -> httpx.Response:
    form = {"grant_type": "client_credentials", **fields}
    return node.client.post("/oauth/token", data=form, auth=client)


def refused(answer: httpx.Response, error: str, status: int = 400) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["error"]) == (status, error), body
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert body["error_description"]
    return body


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def lot(node: Node, token: str, name: str = "wheat") -> int:
    answer = node.client.post("/lots", content=name.encode(), headers=bearer(token))
    return answer.status_code


def test_a_token_does_what_its_key_may(
    node: Node, operations: Operations, client: tuple[str, str]
) -> None:
    answer = ask(node, client)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    body = answer.json()
    assert (body["token_type"], body["expires_in"]) == ("Bearer", LIFETIME_S)
    assert body["scope"].split() == sorted(SCOPES)
    assert lot(node, body["access_token"]) == 201


def test_a_client_says_who_it_is_in_the_form_or_by_basic_but_not_by_both(
    node: Node, client: tuple[str, str]
) -> None:
    identifier, secret = client
    form = {"grant_type": "client_credentials", "client_id": identifier, "client_secret": secret}
    assert node.client.post("/oauth/token", data=form).status_code == 200
    refused(node.client.post("/oauth/token", data=form, auth=client), "invalid_request")
    assert ask(node, client, client_id=identifier).status_code == 200
    refused(ask(node, client, client_id="other"), "invalid_request")


def test_an_unknown_client_and_a_wrong_secret_look_alike(
    node: Node, client: tuple[str, str]
) -> None:
    identifier, secret = client
    other, _ = node.services.keys.create(BANK, ["capture"])
    answers = [
        ask(node, pair)
        for pair in (
            (identifier, secret[:-1]),
            (identifier, other),
            ("0" * 16, secret),
            ("", ""),
        )
    ]
    bodies = [refused(one, "invalid_client", 401) for one in answers]
    assert all(one == bodies[0] for one in bodies)
    assert all(one.headers["www-authenticate"].startswith("Basic ") for one in answers)
    form = {"grant_type": "client_credentials", "client_id": identifier}
    plain = node.client.post("/oauth/token", data=form)
    refused(plain, "invalid_client", 401)
    assert "www-authenticate" not in plain.headers
    for header in ("Bearer x", "Basic ***", "Basic " + base64.b64encode(b"no colon").decode()):
        broken = node.client.post("/oauth/token", data=form, headers={"Authorization": header})
        refused(broken, "invalid_client", 401)


def test_only_this_grant_is_given(node: Node, client: tuple[str, str]) -> None:
    refused(ask(node, client, grant_type="password"), "unsupported_grant_type")
    refused(node.client.post("/oauth/token", data={"x": "1"}, auth=client), "invalid_request")
    as_json = node.client.post("/oauth/token", json={"grant_type": "x"}, auth=client)
    refused(as_json, "invalid_request")
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    twice = b"grant_type=client_credentials&grant_type=client_credentials"
    answer = node.client.post("/oauth/token", content=twice, auth=client, headers=headers)
    refused(answer, "invalid_request")
    long = b"grant_type=client_credentials&scope=" + b"x" * 10_000
    answer = node.client.post("/oauth/token", content=long, auth=client, headers=headers)
    refused(answer, "invalid_request")


def test_fewer_scopes_can_be_asked_for_and_never_more(
    node: Node, operations: Operations, client: tuple[str, str]
) -> None:
    less = ask(node, client, scope="stock:read").json()
    assert less["scope"] == "stock:read"
    assert lot(node, less["access_token"]) == 403
    assert ask(node, client, scope="stock:*").json()["scope"] == "stock:*"
    for more in ("receipts:write", "receipts:*", "capture", "stock:read supervise", "no:such"):
        refused(ask(node, client, scope=more), "invalid_scope")


def test_a_token_ends_with_its_time_its_key_or_when_revoked(
    node: Node, operations: Operations, client: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (ask(node, client).json()["access_token"] for _ in range(2))
    assert lot(node, first, "a") == 201
    other = node.services.keys.create(BANK, ["capture"])
    strange = node.client.post(
        "/oauth/revoke", data={"token": first}, auth=(other[1].key_id, other[0])
    )
    assert strange.status_code == 200
    assert lot(node, first, "b") == 201, "it is another client's"
    revoked = node.client.post(
        "/oauth/revoke", data={"token": first, "token_type_hint": "access_token"}, auth=client
    )
    assert revoked.status_code == 200
    time.sleep(1.1)  # the guard of these tests is another process to the application's
    assert lot(node, first, "c") == 401
    assert node.client.post("/oauth/revoke", data={"token": "x"}, auth=client).status_code == 200
    refused(node.client.post("/oauth/revoke", data={}, auth=client), "invalid_request")
    refused(node.client.post("/oauth/revoke", data={"token": "x"}), "invalid_client", 401)
    assert lot(node, second, "d") == 201
    with monkeypatch.context() as patch:
        patch.setattr("api.tokens._now_ms", lambda: 2**50)
        assert lot(node, second, "e") == 401
    node.services.keys.revoke(client[0])
    assert lot(node, second, "f") == 401
    refused(ask(node, client), "invalid_client", 401)


def test_a_token_is_stored_nowhere_and_another_process_knows_it(
    node: Node, client: tuple[str, str]
) -> None:
    token = ask(node, client).json()["access_token"]
    found = TokenStore(node.services.engine).find(token)
    assert found is not None
    assert found.key_id == client[0]
    for wrong in (token[:-1], token + "A", token.upper(), ""):
        assert TokenStore(node.services.engine).find(wrong) is None
    with node.services.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM access_token").all()
    assert token.encode() not in repr(rows).encode()


def test_tokens_of_one_key_are_bounded(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.tokens.PER_KEY_MAX", 3)
    tokens = TokenStore(node.services.engine)
    for _ in range(3):
        tokens.issue("a" * 16, ["capture"])
    with pytest.raises(TooManyTokens):
        tokens.issue("a" * 16, ["capture"])
    tokens.issue("b" * 16, ["capture"])
    with monkeypatch.context() as patch:
        patch.setattr("api.tokens._now_ms", lambda: 2**50)
        tokens.issue("a" * 16, ["capture"])


def test_the_metadata_leads_to_the_endpoints(node: Node, client: tuple[str, str]) -> None:
    found = node.client.get("/.well-known/oauth-authorization-server").json()
    assert found["grant_types_supported"] == ["client_credentials"]
    assert found["response_types_supported"] == []
    assert "receipts:write" in found["scopes_supported"]
    place = found["token_endpoint"].removeprefix(found["issuer"])
    form = {"grant_type": "client_credentials"}
    assert node.client.post(place, data=form, auth=client).status_code == 200
    assert found["revocation_endpoint"] == f"{found['issuer']}/oauth/revoke"


@given(st.binary(max_size=300))
def test_any_bytes_are_a_form_or_refused(body: bytes) -> None:
    try:
        fields = parse_form(body)
    except OAuthRefused as refused:
        fields = {"error": refused.body["error"]}
    assert all(fields.values())
