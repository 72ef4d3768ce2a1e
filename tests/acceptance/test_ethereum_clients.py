"""Unmodified web3.py and ethers against a node (L9)."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from web3 import AsyncWeb3, Web3, WebSocketProvider
from web3.exceptions import ContractCustomError, ContractLogicError, Web3RPCError

from tests.acceptance.running import RunningNode

ETHEREUM = Path(__file__).parent / "ethereum"
NOTARY = json.loads((ETHEREUM / "Notary.json").read_text())
KEY = Web3.keccak(text="lot-7")


@pytest.fixture
def web3(node: RunningNode) -> Web3:
    return Web3(Web3.HTTPProvider(node.rpc))


def send(web3: Web3, node: RunningNode, call: Any) -> Any:
    """Build, sign, send and wait, as web3.py's documentation does."""
    account = Account.from_key(node.account_key)
    transaction = call.build_transaction(
        {
            "from": account.address,
            "nonce": web3.eth.get_transaction_count(account.address, "pending"),
        }
    )
    signed = account.sign_transaction(transaction)
    tx_hash = web3.eth.send_raw_transaction(signed.raw_transaction)
    return web3.eth.wait_for_transaction_receipt(tx_hash, timeout=30, poll_latency=0.02)


def deploy(web3: Web3, node: RunningNode, title: str) -> Any:
    factory = web3.eth.contract(abi=NOTARY["abi"], bytecode=NOTARY["bytecode"])
    receipt = send(web3, node, factory.constructor(title))
    assert receipt["status"] == 1
    return web3.eth.contract(address=receipt["contractAddress"], abi=NOTARY["abi"])


@pytest.mark.feature("L9")
def test_web3_deploys_sends_calls_estimates_and_reads_logs(web3: Web3, node: RunningNode) -> None:
    notary = deploy(web3, node, "web3.py")
    assert notary.functions.title().call() == "web3.py"
    sender = {"from": node.account_address}
    assert notary.functions.note(KEY, "picked").estimate_gas(sender) > 21_000
    receipt = send(web3, node, notary.functions.note(KEY, "picked"))
    (event,) = notary.events.Noted().process_receipt(receipt)
    assert event["args"]["text"] == "picked"
    assert notary.functions.notes(KEY).call() == "picked"
    found = notary.events.Noted().get_logs(from_block=0, argument_filters={"key": KEY})
    assert [one["transactionHash"] for one in found] == [receipt["transactionHash"]]


@pytest.mark.feature("L9")
def test_web3_reads_blocks_transactions_and_past_state(web3: Web3, node: RunningNode) -> None:
    notary = deploy(web3, node, "past")
    before = web3.eth.block_number
    receipt = send(web3, node, notary.functions.note(KEY, "later"))
    block = web3.eth.get_block(receipt["blockNumber"], full_transactions=True)
    assert block["hash"] == receipt["blockHash"]
    assert block["transactions"][receipt["transactionIndex"]]["hash"] == receipt["transactionHash"]
    assert block["baseFeePerGas"] == 0
    assert notary.functions.count().call(block_identifier=before) == 0
    assert notary.functions.count().call() == 1
    assert web3.eth.get_block_receipts(block["number"])[0]["gasUsed"] == receipt["gasUsed"]


@pytest.mark.feature("L9")
def test_web3_proof_of_a_slot_leads_to_the_state_root(web3: Web3, node: RunningNode) -> None:
    import rlp
    from trie import HexaryTrie

    notary = deploy(web3, node, "proof")
    send(web3, node, notary.functions.note(KEY, "x"))
    block = web3.eth.get_block("latest")
    proof = web3.eth.get_proof(notary.address, [1], block["number"])
    account = HexaryTrie.get_from_proof(
        block["stateRoot"],
        Web3.keccak(hexstr=notary.address),
        [rlp.decode(bytes(node_)) for node_ in proof["accountProof"]],
    )
    assert rlp.decode(account)[2] == bytes(proof["storageHash"])
    slot = HexaryTrie.get_from_proof(
        bytes(proof["storageHash"]),
        Web3.keccak((1).to_bytes(32, "big")),
        [rlp.decode(bytes(node_)) for node_ in proof["storageProof"][0]["proof"]],
    )
    assert rlp.decode(slot) == b"\x01"


@pytest.mark.feature("L9")
def test_web3_is_told_why_a_call_reverts(web3: Web3, node: RunningNode) -> None:
    notary = deploy(web3, node, "reverts")
    with pytest.raises(ContractLogicError, match="nothing to note"):
        notary.functions.note(KEY, "").call()
    with pytest.raises(ContractCustomError):
        notary.functions.note(KEY, "x" * 65).call()


@pytest.mark.feature("L9")
def test_bad_transactions_are_refused_and_change_nothing(web3: Web3, node: RunningNode) -> None:
    account = Account.from_key(node.account_key)
    nonce = web3.eth.get_transaction_count(account.address)
    base = {"to": account.address, "value": 0, "gas": 21_000, "chainId": web3.eth.chain_id}
    fees = {"maxFeePerGas": 0, "maxPriorityFeePerGas": 0}
    stranger = Account.create()

    def refused(raw: bytes) -> None:
        with pytest.raises((Web3RPCError, ValueError)):
            web3.eth.send_raw_transaction(raw)

    deploy(web3, node, "one more nonce")
    head = web3.eth.block_number
    replayed = account.sign_transaction({**base, **fees, "nonce": nonce}).raw_transaction
    refused(bytes(replayed))
    foreign = account.sign_transaction({**base, **fees, "chainId": 1, "nonce": nonce + 1})
    refused(bytes(foreign.raw_transaction))
    unpermitted = stranger.sign_transaction({**base, **fees, "nonce": 0})
    refused(bytes(unpermitted.raw_transaction))
    good = bytes(account.sign_transaction({**base, **fees, "nonce": nonce + 1}).raw_transaction)
    refused(good[:-1])
    refused(good[:-1] + bytes([good[-1] ^ 1]))
    assert web3.eth.block_number == head
    assert web3.eth.get_transaction_count(account.address, "pending") == nonce + 1


@pytest.mark.feature("L9")
def test_web3_subscribes_over_websocket(web3: Web3, node: RunningNode) -> None:
    async def follow() -> tuple[int, str]:
        async with AsyncWeb3(WebSocketProvider(node.rpc.replace("http", "ws", 1))) as live:
            heads = await live.eth.subscribe("newHeads")
            logs = await live.eth.subscribe("logs", {"topics": []})
            await asyncio.to_thread(deploy_and_note)
            head_number, log_block = None, None
            async for message in live.socket.process_subscriptions():
                if message["subscription"] == heads:
                    head_number = message["result"]["number"]
                elif message["subscription"] == logs:
                    log_block = message["result"]["blockNumber"]
                if head_number is not None and log_block is not None and head_number >= log_block:
                    return head_number, log_block
        raise AssertionError("the subscription ended")

    def deploy_and_note() -> None:
        send(web3, node, deploy(web3, node, "live").functions.note(KEY, "now"))

    head, logged = asyncio.run(asyncio.wait_for(follow(), 30))
    assert head >= logged > 0


@pytest.mark.feature("L9")
def test_web3_batches_and_polls_filters(web3: Web3, node: RunningNode) -> None:
    notary = deploy(web3, node, "filters")
    watch = web3.eth.filter({"address": notary.address})
    blocks = web3.eth.filter("latest")
    receipt = send(web3, node, notary.functions.note(KEY, "polled"))
    assert [one["transactionHash"] for one in watch.get_new_entries()] == [
        receipt["transactionHash"]
    ]
    assert watch.get_new_entries() == []
    assert receipt["blockHash"] in blocks.get_new_entries()
    with web3.batch_requests() as batch:
        batch.add(web3.eth.get_block("latest"))
        batch.add(notary.functions.count())
        block, count = batch.execute()
    assert block["number"] >= receipt["blockNumber"]
    assert count == 1


@pytest.mark.feature("L9")
def test_ethers_deploys_sends_reads_and_subscribes(
    node: RunningNode, require: Callable[[str], str]
) -> None:
    program, npm = require("node"), require("npm")
    if not (ETHEREUM / "node_modules" / "ethers").is_dir():
        subprocess.run([npm, "ci", "--silent"], cwd=ETHEREUM, check=True, timeout=120)
    done = subprocess.run(
        [program, "ethers_client.mjs", node.rpc, node.account_key],
        cwd=ETHEREUM,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    seen = json.loads(done.stdout)
    assert seen.pop("estimate") > 21_000
    assert seen.pop("gasUsed") > 21_000
    assert seen.pop("pushed")["text"] == "picked"
    assert seen == {
        "title": "ethers",
        "callResult": 1,
        "status": 1,
        "eventText": "picked",
        "stored": "picked",
        "logs": 1,
        "blockHash": True,
        "transactionInBlock": True,
        "provenCount": 1,
        "customError": "TooLong",
        "reason": "nothing to note",
        "replayRefused": True,
        "batch": True,
        "heads": True,
    }


@pytest.mark.slow
@pytest.mark.feature("L9")
def test_the_committed_test_contract_is_what_its_source_compiles_to(
    require: Callable[[str], str],
) -> None:
    if not (ETHEREUM.parents[2] / "contracts/toolchain/node_modules/solc").is_dir():
        subprocess.run(
            [require("npm"), "ci", "--silent"],
            cwd=ETHEREUM.parents[2] / "contracts/toolchain",
            check=True,
            timeout=300,
        )
    done = subprocess.run(
        [require("node"), "compile.mjs", "--check"], cwd=ETHEREUM, check=False, timeout=100
    )
    assert done.returncode == 0
