"""The members vote a new version of the Provenance contract: old and new proofs both verify."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from eth_account import Account

from contracts.consortium import CONSORTIUM_ADDRESS
from contracts.provenance import PROVENANCE_ADDRESS
from contracts.provenance.binding import PROVENANCE_ARTIFACT
from tests.acceptance.running import RunningNode, run_tally, start_node
from tests.acceptance.stories import bare_events

pytestmark = [pytest.mark.feature("N2"), pytest.mark.feature("L4")]

COMETBFT_IS_SLOW = True
"""What differs is the contract."""


def one_object(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def call(node: RunningNode, method: str, *parameters: object) -> Any:
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
    answer = httpx.post(node.rpc, json=request, trust_env=False, timeout=30).json()
    assert "error" not in answer, answer
    return answer["result"]


def deploy(node: RunningNode) -> str:
    """The same contract once more, elsewhere, by an ordinary transaction; its address."""
    nonce = int(call(node, "eth_getTransactionCount", node.account_address, "pending"), 16)
    signed = Account.from_key(node.account_key).sign_transaction(
        {
            "type": 2,
            "chainId": int(call(node, "eth_chainId"), 16),
            "nonce": nonce,
            "gas": 3_000_000,
            "value": 0,
            "data": PROVENANCE_ARTIFACT.bytecode + CONSORTIUM_ADDRESS.rjust(32, b"\0"),
            "maxFeePerGas": 0,
            "maxPriorityFeePerGas": 0,
        }
    )
    sent = call(node, "eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex())
    for _ in range(200):
        receipt = call(node, "eth_getTransactionReceipt", sent)
        if receipt is not None:
            assert receipt["status"] == "0x1"
            return str(receipt["contractAddress"]).lower()
        time.sleep(0.1)
    raise AssertionError("the contract was not deployed")


def proof_of(node: RunningNode, event: bytes, path: Path) -> str:
    """Capture an event and keep its proof; the contract that anchored it."""
    captured = one_object(node.tally("capture", "-", "--json", stdin=event))
    (event_id,) = captured["captures"][0]["eventIDs"]
    assert node.tally("proof", event_id, "-o", str(path)).returncode == 0
    return str(orjson.loads(path.read_bytes())["leaf"]["address"])


def test_proofs_under_both_versions_verify_once_the_trust_file_has_learned(tmp_path: Path) -> None:
    home, verifier, directory = tmp_path / "home", tmp_path / "verifier", tmp_path / "node"
    before, after = (tmp_path / f"{name}.tally-proof.json" for name in ("before", "after"))
    events = bare_events("versions", 2)
    node = start_node(directory, home)
    try:
        assert proof_of(node, events[0], before) == f"0x{PROVENANCE_ADDRESS.hex()}"
        trust = tmp_path / "trust.json"
        trust.write_bytes((directory / "trust.json").read_bytes())
        address = deploy(node)
        voted = node.tally(
            *("proposal", "new", "add-contract", "provenance", address),
            *("--dir", str(directory), "--json"),
        )
        assert one_object(voted)["state"] == "executed"
        assert proof_of(node, events[1], after) == address

        def verify() -> subprocess.CompletedProcess[str]:
            words = (str(before), str(after), "--trust", str(trust), "--offline")
            return run_tally(verifier, "verify", *words)

        refused = verify()
        assert refused.returncode == 1
        assert address in refused.stdout.replace("\n", "")
        assert "tally network update" in " ".join(refused.stdout.split())
        words = ("network", "update", node.url, "--trust", str(trust), "--json")
        assert [one["address"] for one in one_object(run_tally(verifier, *words))["added"]] == [
            address
        ]
        assert verify().returncode == 0
    finally:
        node.stop()
    one_object(run_tally(home, "node", "reindex", str(directory), "--json"))
    again = start_node(directory, home)
    try:
        event_id = orjson.loads(after.read_bytes())["eventID"]
        fetched = tmp_path / "again.tally-proof.json"
        assert again.tally("proof", event_id, "-o", str(fetched)).returncode == 0
        known = again.tally("verify", str(before), str(fetched))
        assert known.returncode == 0, known.stdout
    finally:
        again.stop()
