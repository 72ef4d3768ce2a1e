"""State, proofs, calls, estimates and fees."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rlp
from eth_abi.abi import encode
from eth_account import Account as Wallet
from eth_hash.auto import keccak
from trie import HexaryTrie

from ledger.chain import Genesis, Ledger
from ledger.rpc.revert import revert_reason
from ledger.tlog import NoteSigner
from tests.ledger.chain.support import (
    CHAIN_ID,
    ECHO,
    ECHO_CODE,
    Sender,
    genesis_document,
    sender,
)
from tests.ledger.rpc.conftest import mine
from tests.ledger.rpc.support import Rpc

pytestmark = pytest.mark.feature("L9")

ADDRESS = "0x" + ECHO.hex()
NOBODY = "0x" + "ee" * 20
REVERTER = "0x" + "4e" * 20
REVERTER_CODE = "0x365f5f37365ffd"
"""Reverts with its calldata."""
RICH = 10**18


@pytest.fixture
def paying(tmp_path: Path, note_signer: NoteSigner) -> Iterator[Rpc]:
    """A server over a ledger where sender 1 has money and one contract reverts as it is told."""
    document = genesis_document()
    document["alloc"]["0x" + sender(1).address.hex()] = {"balance": hex(RICH)}
    document["alloc"][REVERTER] = {"balance": "0x0", "nonce": "0x1", "code": REVERTER_CODE}
    with Ledger.open(
        tmp_path / "paying",
        genesis=Genesis.parse(document),
        signer=note_signer,
        map_size_bytes=1 << 30,
    ) as ledger:
        yield Rpc(ledger)


def shown(number: int) -> str:
    return f"0x{number:064x}"


def test_balance_nonce_code_and_storage(paying: Rpc) -> None:
    account = "0x" + sender(1).address.hex()
    assert paying.call("eth_getBalance", account, "latest") == hex(RICH)
    assert paying.call("eth_getBalance", NOBODY) == "0x0"
    assert paying.call("eth_getTransactionCount", NOBODY, "latest") == "0x0"
    assert paying.call("eth_getCode", ADDRESS, "latest") == "0x" + ECHO_CODE.hex()
    assert paying.call("eth_getCode", NOBODY, "latest") == "0x"
    assert paying.call("eth_getStorageAt", NOBODY, "0x0", "latest") == shown(0)


def test_past_state_stays_readable_by_number_and_by_eip_1898(rpc: Rpc) -> None:
    one = sender(1)
    first = mine(rpc.ledger, one.call(7)).block
    mine(rpc.ledger, one.call(8))
    account = "0x" + one.address.hex()
    block_hash = "0x" + first.hash.hex()
    for block in (
        "0x1",
        {"blockNumber": "0x1"},
        {"blockHash": block_hash},
        {"blockHash": block_hash, "requireCanonical": True},
        block_hash,
    ):
        assert rpc.call("eth_getTransactionCount", account, block) == "0x1"
        assert rpc.call("eth_getStorageAt", ADDRESS, "0x7", block) == shown(7)
        assert rpc.call("eth_getStorageAt", ADDRESS, shown(8), block) == shown(0)
    assert rpc.call("eth_getStorageAt", ADDRESS, "0x8", "latest") == shown(8)
    assert rpc.call("eth_getTransactionCount", account, "earliest") == "0x0"


@pytest.mark.parametrize(
    ("block", "code"),
    [
        ("0x9", -32001),
        ({"blockNumber": "0x9"}, -32001),
        ({"blockHash": "0x" + "11" * 32}, -32001),
        ({"blockHash": "0x" + "11" * 32, "blockNumber": "0x0"}, -32602),
        ({"blockHash": "0x" + "11" * 32, "requireCanonical": "yes"}, -32602),
        ({"blockHash": "0x11"}, -32602),
        ({}, -32602),
        ("newest", -32602),
        (9, -32602),
    ],
)
def test_a_block_that_is_not_here_or_makes_no_sense_is_refused(
    rpc: Rpc, block: object, code: int
) -> None:
    assert rpc.error("eth_getBalance", NOBODY, block)["code"] == code
    assert rpc.error("eth_call", {"to": NOBODY}, block)["code"] == code


def test_pending_transactions_count_where_pending_is_asked_for(rpc: Rpc) -> None:
    one = sender(1)
    rpc.call("eth_sendRawTransaction", "0x" + one.call().hex())
    account = "0x" + one.address.hex()
    assert rpc.call("eth_getTransactionCount", account, "pending") == "0x1"
    assert rpc.call("eth_getTransactionCount", account, "latest") == "0x0"
    assert rpc.call("txpool_status") == {"pending": "0x1", "queued": "0x0"}


# ---- proofs -------------------------------------------------------------------------------------


def prove(root: bytes, key: bytes, nodes: list[str]) -> bytes:
    return HexaryTrie.get_from_proof(
        root, keccak(key), [rlp.decode(bytes.fromhex(one[2:])) for one in nodes]
    )


def test_a_proof_leads_to_the_state_root_for_accounts_and_slots_there_or_not(rpc: Rpc) -> None:
    mine(rpc.ledger, sender(1).call(7))
    root = bytes.fromhex(rpc.call("eth_getBlockByNumber", "latest")["stateRoot"][2:])
    proof = rpc.call("eth_getProof", ADDRESS, ["0x7", shown(9)], "latest")
    storage = bytes.fromhex(proof["storageHash"][2:])
    account = rlp.decode(prove(root, ECHO, proof["accountProof"]))
    assert account[2:] == [storage, bytes.fromhex(proof["codeHash"][2:])]
    assert proof["codeHash"] == "0x" + keccak(ECHO_CODE).hex()
    there, absent = proof["storageProof"]
    assert (there["key"], there["value"]) == ("0x7", "0x7")
    assert rlp.decode(prove(storage, (7).to_bytes(32, "big"), there["proof"])) == b"\x07"
    assert (absent["key"], absent["value"]) == (shown(9), "0x0")
    assert prove(storage, (9).to_bytes(32, "big"), absent["proof"]) == b""


def test_a_proof_of_absence_of_an_account(rpc: Rpc) -> None:
    root = bytes.fromhex(rpc.call("eth_getBlockByNumber", "latest")["stateRoot"][2:])
    proof = rpc.call("eth_getProof", NOBODY, ["0x0"], "latest")
    assert prove(root, bytes.fromhex(NOBODY[2:]), proof["accountProof"]) == b""
    assert (proof["balance"], proof["nonce"]) == ("0x0", "0x0")
    assert proof["codeHash"] == "0x" + keccak(b"").hex()
    assert proof["storageHash"] == "0x" + keccak(rlp.encode(b"")).hex()
    assert proof["storageProof"] == [{"key": "0x0", "value": "0x0", "proof": []}]


def test_too_many_slots_to_prove_are_refused(rpc: Rpc) -> None:
    assert rpc.error("eth_getProof", ADDRESS, ["0x0"] * 1_025, "latest")["code"] == -32602
    assert rpc.error("eth_getProof", ADDRESS, ["0x" + "0" * 65], "latest")["code"] == -32602


# ---- calls --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (b"", "execution reverted"),
        (bytes.fromhex("08c379a0") + encode(["string"], ["no"]), "execution reverted: no"),
        (bytes.fromhex("4e487b71") + encode(["uint256"], [17]), "execution reverted: panic 0x11"),
        (bytes.fromhex("deadbeef") + bytes(32), "execution reverted"),
        (bytes.fromhex("08c379a0") + b"\xff" * 64, "execution reverted"),
        (bytes.fromhex("08c379a0") + encode(["bytes"], [b"\xff\xfe"]), "execution reverted"),
        (b"\x08\xc3", "execution reverted"),
    ],
)
@pytest.mark.parametrize("method", ["eth_call", "eth_estimateGas"])
def test_a_revert_gives_its_reason_and_its_data(
    paying: Rpc, method: str, output: bytes, message: str
) -> None:
    error = paying.error(method, {"to": REVERTER, "data": "0x" + output.hex()}, "latest")
    assert error == {"code": 3, "message": message, "data": "0x" + output.hex()}


def test_a_reason_is_shown_to_a_bounded_length() -> None:
    reason = revert_reason(bytes.fromhex("08c379a0") + encode(["string"], ["x" * 5_000]))
    assert reason == "x" * 1_000


def test_data_and_input_mean_the_same_and_must_agree(rpc: Rpc) -> None:
    one, other = "0x" + "01" * 32, "0x" + "02" * 32
    for fields in ({"data": one}, {"input": one}, {"data": one, "input": one}):
        assert rpc.call("eth_call", {"to": ADDRESS, **fields}) == "0x"
    error = rpc.error("eth_call", {"to": ADDRESS, "data": one, "input": other})
    assert error["code"] == -32602


def test_a_call_without_receiver_creates_and_gives_the_code(rpc: Rpc) -> None:
    assert rpc.call("eth_call", {"data": "0x60015f5360015ff3"}) == "0x01"


def test_a_pending_call_is_in_the_block_that_comes_next(rpc: Rpc) -> None:
    number = {"data": "0x435f5260205ff3"}
    head = rpc.ledger.head().header.number
    answers = [rpc.call("eth_call", number, tag) for tag in ("latest", "pending")]
    assert [int(answer, 16) for answer in answers] == [head, head + 1]


def test_a_call_that_runs_out_of_gas_says_so(rpc: Rpc) -> None:
    data = "0x" + "01" * 32
    error = rpc.error("eth_call", {"to": ADDRESS, "data": data, "gas": hex(25_000)})
    assert (error["code"], error["message"]) == (-32000, "out of gas")
    error = rpc.error("eth_estimateGas", {"to": ADDRESS, "data": data, "gas": hex(25_000)})
    assert (error["code"], error["message"]) == (-32000, "out of gas")
    error = rpc.error("eth_call", {"to": ADDRESS, "gas": "0x1"})
    assert "intrinsic gas too low" in error["message"]


def test_calls_leave_no_trace(rpc: Rpc) -> None:
    rpc.call("eth_call", {"to": ADDRESS, "data": shown(5)})
    rpc.call("eth_estimateGas", {"to": ADDRESS, "data": shown(5)})
    assert rpc.call("eth_getStorageAt", ADDRESS, "0x5", "latest") == shown(0)


ACCESS = [{"address": ADDRESS, "storageKeys": [shown(n) for n in range(8)]}]


@pytest.mark.parametrize("extra", [{}, {"accessList": ACCESS}, {"authorizationList": None}])
def test_an_estimate_is_enough_and_one_less_is_not(rpc: Rpc, extra: dict[str, Any]) -> None:
    one = sender(1)
    if "authorizationList" in extra:
        signed = Wallet.sign_authorization(
            {"chainId": CHAIN_ID, "address": ECHO, "nonce": 0}, sender(3).key
        )
        extra = {
            "authorizationList": [
                {
                    "chainId": hex(CHAIN_ID),
                    "address": ADDRESS,
                    "nonce": "0x0",
                    "yParity": hex(signed.y_parity),
                    "r": hex(signed.r),
                    "s": hex(signed.s),
                }
            ]
        }
        sent: dict[str, Any] = {"authorizationList": [signed]}
    else:
        sent = extra
    call = {"from": "0x" + one.address.hex(), "to": ADDRESS, "data": shown(5), **extra}
    estimate = int(rpc.call("eth_estimateGas", call), 16)
    data = (5).to_bytes(32, "big")
    short = mine(rpc.ledger, one.sign(data=data, gas=estimate - 1, nonce=0, **_only_list(sent)))
    assert short.receipts[0].status == 0
    enough = mine(rpc.ledger, one.sign(data=data, gas=estimate, nonce=1, **sent))
    assert enough.receipts[0].status == 1


def _only_list(sent: dict[str, Any]) -> dict[str, Any]:
    """An authorization works once, so the transaction that fails carries a stale one."""
    if "authorizationList" not in sent:
        return sent
    stale = Wallet.sign_authorization(
        {"chainId": CHAIN_ID, "address": ECHO, "nonce": 5}, sender(4).key
    )
    return {"authorizationList": [stale]}


def test_an_authorization_holds_during_the_call(rpc: Rpc) -> None:
    """EIP-7702: the account runs the code that it lets itself have."""
    signed = Wallet.sign_authorization(
        {"chainId": CHAIN_ID, "address": ECHO, "nonce": 0}, sender(3).key
    )
    entry = {
        "chainId": hex(CHAIN_ID),
        "address": ADDRESS,
        "nonce": "0x0",
        "v": hex(signed.y_parity),
        "r": hex(signed.r),
        "s": hex(signed.s),
    }
    account = "0x" + sender(3).address.hex()
    assert rpc.call("eth_call", {"to": account}) == "0x"
    error = rpc.error("eth_call", {"to": account, "authorizationList": [entry]})
    assert error["code"] == 3


@pytest.mark.parametrize(
    "call",
    [
        "0x",
        {"to": "0x11"},
        {"from": "me"},
        {"gas": 21_000},
        {"value": "0x" + "f" * 65},
        {"data": "0x123"},
        {"accessList": {}},
        {"accessList": [1]},
        {"accessList": [{"address": ADDRESS, "storageKeys": "0x1"}]},
        {"accessList": [{}]},
        {"authorizationList": [{}]},
        {"authorizationList": [{}] * 101},
    ],
)
def test_a_call_that_makes_no_sense_is_refused(rpc: Rpc, call: object) -> None:
    assert rpc.error("eth_call", call)["code"] == -32602
    assert rpc.error("eth_estimateGas", call)["code"] == -32602


def test_what_is_not_done_is_refused_not_ignored(rpc: Rpc) -> None:
    for overrides in (
        {ADDRESS: {"balance": "0x1"}},
        {ADDRESS: {"code": "0x00", "nonce": "0x1"}},
        {ADDRESS: {"code": "0x0"}},
        {"0x01": {"code": "0x00"}},
        {f"0x{number:040x}": {"code": "0x"} for number in range(5)},
        {f"0x{number:040x}": {"code": "0x" + "00" * 24_577} for number in range(4)},
        [],
    ):
        assert rpc.error("eth_call", {"to": ADDRESS}, "latest", overrides)["code"] == -32602


def test_a_call_may_have_code_for_a_proposal_and_a_contract(rpc: Rpc) -> None:
    sizes = (73_728, 24_576)
    code = {f"0x77{at:038x}": {"code": "0x" + "00" * size} for at, size in enumerate(sizes)}
    assert rpc.call("eth_call", {"to": next(iter(code))}, "latest", code) == "0x"


def test_a_call_may_have_other_code_for_itself_only(rpc: Rpc) -> None:
    returns_seven = {"code": "0x60075f5260205ff3"}
    before = rpc.call("eth_call", {"to": NOBODY}, "latest")
    assert rpc.call("eth_call", {"to": NOBODY}, "latest", {NOBODY: returns_seven}) == shown(7)
    assert rpc.call("eth_call", {"to": NOBODY}, "latest") == before
    assert rpc.call("eth_getCode", NOBODY, "latest") == "0x"


# ---- fees ---------------------------------------------------------------------------------------


def test_gas_has_no_price(rpc: Rpc) -> None:
    assert rpc.call("eth_gasPrice") == "0x0"
    assert rpc.call("eth_maxPriorityFeePerGas") == "0x0"
    assert rpc.call("eth_blobBaseFee") == "0x1"


@pytest.mark.parametrize("count", ["0x2", 2])
def test_fee_history_covers_the_blocks_asked_for(rpc: Rpc, count: object) -> None:
    one = sender(1)
    blocks = [mine(rpc.ledger, one.call(number)).block for number in range(3)]
    history = rpc.call("eth_feeHistory", count, "latest", [10, 50.5, 90])
    assert history["oldestBlock"] == "0x2"
    assert history["baseFeePerGas"] == ["0x0"] * 3
    assert history["baseFeePerBlobGas"] == ["0x1"] * 3
    assert history["gasUsedRatio"] == [
        block.header.gas_used / block.header.gas_limit for block in blocks[1:]
    ]
    assert history["blobGasUsedRatio"] == [0, 0]
    assert history["reward"] == [["0x0"] * 3] * 2


def test_fee_history_shows_the_tips_that_were_paid(paying: Rpc) -> None:
    rich, poor = sender(1), sender(2)

    def tip(one: Sender, gwei: int) -> bytes:
        return one.call(gwei, maxFeePerGas=gwei, maxPriorityFeePerGas=gwei)

    mine(paying.ledger, tip(rich, 9), poor.call(1), poor.call(2), tip(rich, 5))
    history = paying.call("eth_feeHistory", "0x1", "latest", [0, 40, 60, 100])
    assert history["reward"] == [["0x0", "0x0", "0x5", "0x9"]]


def test_fee_history_ends_at_genesis_and_without_percentiles_has_no_reward(rpc: Rpc) -> None:
    history = rpc.call("eth_feeHistory", "0x400", "latest")
    assert history["oldestBlock"] == "0x0"
    assert len(history["gasUsedRatio"]) == 1
    assert "reward" not in history


@pytest.mark.parametrize(
    "params",
    [
        ["0x401", "latest", []],
        ["0x1", "0x9", []],
        ["0x1", "latest", [50, 10]],
        ["0x1", "latest", [101]],
        ["0x1", "latest", ["50"]],
        ["0x1", "latest", [1] * 101],
        [-1, "latest", []],
        [True, "latest", []],
        ["0x1"],
    ],
)
def test_a_fee_history_that_makes_no_sense_is_refused(rpc: Rpc, params: list[object]) -> None:
    assert rpc.error("eth_feeHistory", *params)["code"] in (-32602, -32005, -32001)
