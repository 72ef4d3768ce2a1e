"""JSON-RPC 2.0: what is answered to which body."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.chain import Ledger
from ledger.rpc.dispatch import all_methods
from ledger.rpc.types import RpcContext
from tests.ledger.rpc.support import Rpc

pytestmark = pytest.mark.feature("L9")

CHAIN_ID = {"jsonrpc": "2.0", "id": 7, "method": "eth_chainId", "params": []}
FIELDS = [
    "to",
    "from",
    "data",
    "input",
    "gas",
    "value",
    "blockHash",
    "blockNumber",
    "fromBlock",
    "toBlock",
    "address",
    "topics",
    "accessList",
    "storageKeys",
    "authorizationList",
    "chainId",
    "nonce",
    "yParity",
    "r",
    "s",
]
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["0x", "0x0", "0x1", "latest", "pending", "0x" + "11" * 20, "0x" + "22" * 32])
    | st.from_regex(r"0x[0-9a-f]{1,70}", fullmatch=True),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(FIELDS),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


def test_a_request_is_answered_with_its_id(rpc: Rpc) -> None:
    answer = rpc.ask(CHAIN_ID)
    assert answer == {"jsonrpc": "2.0", "id": 7, "result": hex(rpc.ledger.chain_id)}


@pytest.mark.parametrize("identity", ["a", 0, -1, 1.5, None])
def test_any_kind_of_id_comes_back(rpc: Rpc, identity: object) -> None:
    assert rpc.ask({**CHAIN_ID, "id": identity})["id"] == identity


@pytest.mark.parametrize("identity", [True, [1], {"a": 1}])
def test_an_id_of_another_kind_is_refused(rpc: Rpc, identity: object) -> None:
    answer = rpc.ask({**CHAIN_ID, "id": identity})
    assert answer["error"]["code"] == -32600
    assert answer["id"] is None


@pytest.mark.parametrize("body", [b"", b"{", b'{"a":1}}', b"\xff", b"NaN", b'"\\ud800"'])
def test_what_is_no_json_is_a_parse_error(rpc: Rpc, body: bytes) -> None:
    status, answer = rpc.post(body)
    parsed = json.loads(answer)
    assert (status, parsed["error"]["code"], parsed["id"]) == (200, -32700, None)


def test_json_nested_too_deeply_is_a_parse_error(rpc: Rpc) -> None:
    _, answer = rpc.post(b"[" * 100_000)
    assert json.loads(answer)["error"]["code"] == -32700


@pytest.mark.parametrize("body", [1, "eth_chainId", None, {}, {"id": 1}, {"method": 1, "id": 1}])
def test_what_is_no_request_is_refused(rpc: Rpc, body: object) -> None:
    assert rpc.ask(body)["error"]["code"] == -32600


def test_an_unknown_method_is_named(rpc: Rpc) -> None:
    error = rpc.error("eth_mine")
    assert error["code"] == -32601
    assert "eth_mine" in error["message"]


def test_named_parameters_are_refused_and_none_are_none(rpc: Rpc) -> None:
    assert rpc.ask({**CHAIN_ID, "params": {"a": 1}})["error"]["code"] == -32602
    assert "result" in rpc.ask({**CHAIN_ID, "params": None})
    assert "result" in rpc.ask({"id": 1, "method": "eth_chainId"})


def test_a_notification_has_no_answer(rpc: Rpc) -> None:
    request = {"jsonrpc": "2.0", "method": "eth_chainId"}
    assert rpc.post(json.dumps(request).encode()) == (204, b"")
    assert rpc.post(json.dumps([request, request]).encode()) == (204, b"")


def test_a_batch_is_answered_in_order_without_its_notifications(rpc: Rpc) -> None:
    silent = {"jsonrpc": "2.0", "method": "eth_chainId"}
    answers = rpc.ask([CHAIN_ID, silent, 1, {**CHAIN_ID, "id": 8, "method": "no"}])
    assert [one["id"] for one in answers] == [7, None, 8]
    assert [one.get("error", {}).get("code") for one in answers] == [None, -32600, -32601]


def test_an_empty_or_too_long_batch_is_refused_as_a_whole(open_ledger: Ledger) -> None:
    rpc = Rpc(open_ledger, batch_requests_max=3)
    assert rpc.ask([])["error"]["code"] == -32600
    assert len(rpc.ask([CHAIN_ID] * 3)) == 3
    assert rpc.ask([CHAIN_ID] * 4)["error"]["code"] == -32600


def test_a_batch_whose_answer_grows_too_large_ends_in_errors(open_ledger: Ledger) -> None:
    rpc = Rpc(open_ledger, batch_answer_bytes_max=4_000)
    block = {**CHAIN_ID, "method": "eth_getBlockByNumber", "params": ["0x0", False]}
    answers = rpc.ask([{**block, "id": number} for number in range(10)])
    assert [one["id"] for one in answers] == list(range(10))
    kinds = ["result" in one for one in answers]
    assert kinds == sorted(kinds, reverse=True)
    assert True in kinds
    assert {one["error"]["code"] for one in answers if "error" in one} == {-32005}


def test_a_batch_that_takes_too_long_ends_in_errors(open_ledger: Ledger) -> None:
    rpc = Rpc(open_ledger, batch_time_s_max=-1.0)
    answers = rpc.ask([CHAIN_ID, {"method": "eth_chainId"}, 1])
    assert [one["error"]["code"] for one in answers] == [-32005, -32600]
    assert answers[0]["id"] == 7


def test_a_body_that_is_too_large_is_refused(open_ledger: Ledger) -> None:
    rpc = Rpc(open_ledger, body_bytes_max=200)
    assert rpc.post(json.dumps(CHAIN_ID).encode().ljust(200))[0] == 200
    status, answer = rpc.post(json.dumps(CHAIN_ID).encode().ljust(201))
    assert status == 413
    assert json.loads(answer)["error"]["code"] == -32600


def test_only_post_asks_and_pages_of_any_origin_may(rpc: Rpc) -> None:
    assert rpc.post(b"", "OPTIONS") == (204, b"")
    assert rpc.post(b"", "GET")[0] == 405


@pytest.mark.parametrize("name", ["eth_subscribe", "eth_unsubscribe"])
def test_subscriptions_exist_on_websockets_only(rpc: Rpc, name: str) -> None:
    assert rpc.error(name, "newHeads")["code"] == -32601


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_no_parameters_ever_lead_to_an_internal_error(rpc: Rpc, data: st.DataObject) -> None:
    names = sorted(all_methods(RpcContext(rpc.ledger, rpc.settings)))
    name = data.draw(st.sampled_from(names))
    params = data.draw(st.lists(JSON, max_size=4))
    answer = rpc.ask({"jsonrpc": "2.0", "id": 1, "method": name, "params": params})
    if "error" in answer:
        assert answer["error"]["code"] != -32603, answer
        assert len(answer["error"]["message"]) < 500


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=JSON | st.dictionaries(st.sampled_from(["id", "method", "params", "jsonrpc"]), JSON))
def test_no_body_ever_leads_to_an_internal_error(rpc: Rpc, body: Any) -> None:
    status, raw = rpc.post(json.dumps(body).encode())
    if status == 204:
        return
    answers = json.loads(raw)
    for answer in answers if isinstance(answers, list) else [answers]:
        assert answer["jsonrpc"] == "2.0"
        assert ("error" in answer) != ("result" in answer)
        assert answer.get("error", {}).get("code") != -32603
