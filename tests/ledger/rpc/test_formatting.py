"""Blocks, transactions and receipts: what is answered encodes to what the chain commits to."""

from __future__ import annotations

from typing import Any

import pytest
import rlp
from eth_account import Account as Wallet
from eth_bloom import BloomFilter
from eth_hash.auto import keccak
from trie import HexaryTrie

from ledger.evm import decode_transaction
from ledger.rpc.formatting import transaction_json
from ledger.rpc.params import InvalidParams, quantity
from ledger.types import Hash32, MinedTransaction
from tests.ledger.chain.support import CHAIN_ID, ECHO, EMPTY_INIT, GAS, sender
from tests.ledger.rpc.conftest import mine
from tests.ledger.rpc.support import Rpc

pytestmark = pytest.mark.feature("L9")

ZERO_PRICE = {"maxFeePerGas": None, "maxPriorityFeePerGas": None, "gasPrice": 0}
ACCESS = [{"address": "0x" + ECHO.hex(), "storageKeys": ["0x" + "00" * 31 + "01"]}]
HEADER_FIELDS = [
    "parentHash",
    "sha3Uncles",
    "miner",
    "stateRoot",
    "transactionsRoot",
    "receiptsRoot",
    "logsBloom",
    "difficulty",
    "number",
    "gasLimit",
    "gasUsed",
    "timestamp",
    "extraData",
    "mixHash",
    "nonce",
    "baseFeePerGas",
    "withdrawalsRoot",
    "blobGasUsed",
    "excessBlobGas",
    "parentBeaconBlockRoot",
    "requestsHash",
]
NUMBERS = [
    "difficulty",
    "number",
    "gasLimit",
    "gasUsed",
    "timestamp",
    "baseFeePerGas",
    "blobGasUsed",
    "excessBlobGas",
]


def authorization() -> Any:
    """Sender 3 lets its account run the echo contract's code."""
    return Wallet.sign_authorization(
        {"chainId": CHAIN_ID, "address": ECHO, "nonce": 0}, sender(3).key
    )


def of_each_type() -> dict[int, bytes]:
    """A signed transaction of each type that the chain carries."""
    one = sender(1)
    return {
        0: one.sign(nonce=0, **ZERO_PRICE),
        1: one.sign(nonce=1, accessList=ACCESS, **ZERO_PRICE),
        2: one.sign(nonce=2, accessList=ACCESS),
        4: one.sign(nonce=3, authorizationList=[authorization()]),
    }


def number(text: str) -> int:
    return int(text, 16)


def raw(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def integer(text: str) -> bytes:
    """RLP scalar."""
    value = number(text)
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def access_list(entries: list[dict[str, Any]]) -> list[Any]:
    return [[raw(one["address"]), [raw(key) for key in one["storageKeys"]]] for one in entries]


def encoded(shown: dict[str, Any]) -> bytes:
    """EIP-2718 encoding of a transaction from nothing but its JSON."""
    nonce, gas, value, to = (shown[name] for name in ("nonce", "gas", "value", "to"))
    body = [integer(gas), raw(to) if to else b"", integer(value), raw(shown["input"])]
    signature = [integer(shown[name]) for name in ("v", "r", "s")]
    kind = number(shown["type"])
    if kind == 0:
        return rlp.encode([integer(nonce), integer(shown["gasPrice"]), *body, *signature])
    start = [integer(shown["chainId"]), integer(nonce)]
    if kind == 1:
        fees = [integer(shown["gasPrice"])]
    else:
        fees = [integer(shown["maxPriorityFeePerGas"]), integer(shown["maxFeePerGas"])]
    rest = [access_list(shown["accessList"])]
    if kind == 4:
        rest.append(
            [
                [
                    integer(one["chainId"]),
                    raw(one["address"]),
                    integer(one["nonce"]),
                    integer(one["yParity"]),
                    integer(one["r"]),
                    integer(one["s"]),
                ]
                for one in shown["authorizationList"]
            ]
        )
    return bytes([kind]) + rlp.encode([*start, *fees, *body, *rest, *signature])


@pytest.fixture
def block(rpc: Rpc) -> Any:
    """A block with one transaction of each type, as answered with whole transactions."""
    mine(rpc.ledger, *of_each_type().values())
    return rpc.call("eth_getBlockByNumber", "0x1", True)


@pytest.mark.parametrize("kind", [0, 1, 2, 4])
def test_a_transaction_re_encodes_to_what_was_signed(block: Any, kind: int) -> None:
    signed = of_each_type()[kind]
    (shown,) = [one for one in block["transactions"] if number(one["type"]) == kind]
    assert encoded(shown) == signed
    assert raw(shown["hash"]) == keccak(signed)
    assert raw(shown["from"]) == sender(1).address
    assert Wallet.recover_transaction(signed).lower() == shown["from"]


def test_every_way_to_a_transaction_leads_to_the_same(rpc: Rpc, block: Any) -> None:
    for index, shown in enumerate(block["transactions"]):
        assert rpc.call("eth_getTransactionByHash", shown["hash"]) == shown
        place = hex(index)
        assert rpc.call("eth_getTransactionByBlockNumberAndIndex", "latest", place) == shown
        assert rpc.call("eth_getTransactionByBlockHashAndIndex", block["hash"], place) == shown
        assert raw(rpc.call("debug_getRawTransaction", shown["hash"])) == encoded(shown)
    assert rpc.call("eth_getTransactionByBlockNumberAndIndex", "0x1", "0x4") is None
    assert rpc.call("eth_getTransactionByBlockNumberAndIndex", "0x9", "0x0") is None
    assert rpc.call("eth_getTransactionByHash", "0x" + "00" * 32) is None


def test_a_pending_transaction_has_no_place_yet(rpc: Rpc) -> None:
    signed = of_each_type()[0]
    rpc.call("eth_sendRawTransaction", "0x" + signed.hex())
    shown = rpc.call("eth_getTransactionByHash", "0x" + keccak(signed).hex())
    assert encoded(shown) == signed
    for name in ("blockHash", "blockNumber", "blockTimestamp", "transactionIndex"):
        assert shown[name] is None
    assert rpc.call("eth_getTransactionReceipt", shown["hash"]) is None


def test_a_pending_transaction_shows_the_most_it_would_pay() -> None:
    """execution-apis: gasPrice is the fee cap until a block says what was paid."""
    pending = decode_transaction(sender(1).sign(maxFeePerGas=9, maxPriorityFeePerGas=2))
    mined = MinedTransaction(pending, Hash32(bytes(32)), 1, 1, 0)
    assert transaction_json(pending)["gasPrice"] == "0x9"
    assert transaction_json(mined)["gasPrice"] == "0x2"


def test_a_block_hashes_to_its_hash_and_its_transactions_to_their_root(
    rpc: Rpc, block: Any
) -> None:
    header = [
        integer(block[name]) if name in NUMBERS else raw(block[name]) for name in HEADER_FIELDS
    ]
    assert raw(block["hash"]) == keccak(rlp.encode(header))
    assert raw(rpc.call("debug_getRawHeader", "0x1")) == rlp.encode(header)
    tree = HexaryTrie({})
    for index, shown in enumerate(block["transactions"]):
        tree[rlp.encode(index)] = encoded(shown)
    assert tree.root_hash == raw(block["transactionsRoot"])
    whole = raw(rpc.call("debug_getRawBlock", block["hash"]))
    assert rlp.decode(whole)[0] == header
    assert number(block["size"]) == len(whole)
    assert block["uncles"] == []
    assert block["withdrawals"] == []


def test_a_block_by_hash_without_whole_transactions_lists_their_hashes(
    rpc: Rpc, block: Any
) -> None:
    short = rpc.call("eth_getBlockByHash", block["hash"], False)
    assert short.pop("transactions") == [one["hash"] for one in block["transactions"]]
    assert short == {name: value for name, value in block.items() if name != "transactions"}
    assert rpc.call("eth_getBlockByHash", block["hash"])["hash"] == block["hash"]
    assert rpc.call("eth_getBlockTransactionCountByHash", block["hash"]) == "0x4"
    assert rpc.call("eth_getBlockTransactionCountByNumber", "0x0") == "0x0"


@pytest.mark.parametrize("tag", ["latest", "pending", "safe", "finalized", "0x1"])
def test_final_blocks_are_latest_safe_and_finalized(rpc: Rpc, block: Any, tag: str) -> None:
    assert rpc.call("eth_getBlockByNumber", tag, True) == block


def test_blocks_that_are_not_here_are_null(rpc: Rpc) -> None:
    assert rpc.call("eth_getBlockByNumber", "0x1", False) is None
    assert rpc.call("eth_getBlockByHash", "0x" + "11" * 32, False) is None
    assert rpc.call("eth_getBlockReceipts", "0x1") is None
    assert rpc.call("eth_getBlockTransactionCountByNumber", "0x1") is None
    assert rpc.call("eth_getUncleCountByBlockNumber", "0x1") is None
    assert rpc.call("eth_getUncleCountByBlockNumber", "0x0") == "0x0"
    assert rpc.call("eth_getUncleByBlockNumberAndIndex", "0x0", "0x0") is None


def test_receipts_re_encode_to_the_receipts_root(rpc: Rpc, block: Any) -> None:
    receipts = rpc.call("eth_getBlockReceipts", block["hash"])
    tree = HexaryTrie({})
    gas_before = 0
    for index, shown in enumerate(receipts):
        logs = [
            [raw(one["address"]), [raw(t) for t in one["topics"]], raw(one["data"])]
            for one in shown["logs"]
        ]
        fields = [integer(shown["status"]), integer(shown["cumulativeGasUsed"])]
        body = rlp.encode([*fields, raw(shown["logsBloom"]), logs])
        kind = number(shown["type"])
        tree[rlp.encode(index)] = (bytes([kind]) if kind else b"") + body
        assert number(shown["cumulativeGasUsed"]) - gas_before == number(shown["gasUsed"])
        gas_before = number(shown["cumulativeGasUsed"])
        assert rpc.call("eth_getTransactionReceipt", shown["transactionHash"]) == shown
    assert tree.root_hash == raw(block["receiptsRoot"])
    assert gas_before == number(block["gasUsed"])
    encodings = rpc.call("debug_getRawReceipts", "0x1")
    assert [tree[rlp.encode(index)] for index in range(4)] == [raw(one) for one in encodings]


def test_logs_of_a_receipt_are_placed_and_in_its_bloom(rpc: Rpc, block: Any) -> None:
    seen = [log for receipt in rpc.call("eth_getBlockReceipts", "0x1") for log in receipt["logs"]]
    assert [number(one["logIndex"]) for one in seen] == list(range(len(seen)))
    assert len(seen) >= 3
    for one in seen:
        shown = block["transactions"][number(one["transactionIndex"])]
        assert one["transactionHash"] == shown["hash"]
        assert (one["blockHash"], one["blockNumber"]) == (block["hash"], "0x1")
        assert one["blockTimestamp"] == block["timestamp"]
        assert one["removed"] is False
        assert raw(one["address"]) in BloomFilter(number(block["logsBloom"]))


def test_a_creation_names_its_contract_and_no_receiver(rpc: Rpc) -> None:
    mine(rpc.ledger, sender(1).sign(to=b"", data=EMPTY_INIT))
    (receipt,) = rpc.call("eth_getBlockReceipts", "latest")
    created = keccak(rlp.encode([sender(1).address, b""]))[12:]
    assert (receipt["to"], receipt["contractAddress"]) == (None, "0x" + created.hex())
    assert rpc.call("eth_getTransactionByHash", receipt["transactionHash"])["to"] is None


def test_a_reverted_transaction_has_status_zero(rpc: Rpc) -> None:
    mine(rpc.ledger, sender(1).sign(data=b"", gas=GAS))
    (receipt,) = rpc.call("eth_getBlockReceipts", "latest")
    assert (receipt["status"], receipt["logs"]) == ("0x0", [])
    assert number(receipt["logsBloom"]) == 0
    assert len(receipt["logsBloom"]) == 514


@pytest.mark.parametrize("text", ["0x", "0x01", "1", "0X1", "", "0x1g", " 0x1", "0x1\n", 1, None])
def test_a_quantity_has_one_spelling(text: object) -> None:
    with pytest.raises(InvalidParams, match="hex quantity"):
        quantity(text, "index")
