"""The engine: what a block refuses, what calls and estimates answer, what the environment shows."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from eth.vm.forks.cancun.constants import BEACON_ROOTS_ADDRESS, BEACON_ROOTS_CONTRACT_CODE
from eth.vm.forks.prague.constants import HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CONTRACT_CODE
from eth_account import Account as Wallet

from ledger.evm import (
    BlockEnvironment,
    CallFailed,
    CallRequest,
    ChainIdMismatch,
    FeeInvalid,
    GasLimitExceeded,
    InsufficientFunds,
    IntrinsicGasTooLow,
    NonceTooHigh,
    NonceTooLow,
    PyEvmEngine,
    PyEvmExecution,
    SenderIsContract,
    TransactionRefused,
    contract_address,
    decode_transaction,
    require_native_backends,
)
from ledger.state import (
    Account,
    GenesisAccount,
    StateChanges,
    Trie,
    build_genesis_state,
    decode_account,
    keccak,
)
from ledger.types import Address, Hash32, Transaction

pytestmark = pytest.mark.feature("L1")

WALLET = Wallet.from_key(b"\x21" * 32)
SENDER = Address(bytes.fromhex(WALLET.address[2:]))
POOR = Address(b"\x99" * 20)
COINBASE = Address(b"\xbb" * 20)
COUNTER, REVERTER, LOOPER, TELLER, SPLITTER = (Address(bytes([n]) * 20) for n in range(0xC0, 0xC5))
CODES = {
    # slot 0 += 1, then LOG1 with the new value as data and topic 7
    COUNTER: "60005460010180600055600052600760206000a100",
    # revert with the 32 bytes of calldata
    REVERTER: "60006000356000526020 6000fd",
    LOOPER: "5b600056",
    # returns nine words: what the opcodes 33 34 43 42 46 48 44 41 3a give
    TELLER: "336000523460205243604052426060524660805248"
    "60a0524460c0524160e0523a610100526101206000f3",
    # calls COUNTER with all the gas it has and passes a failure on
    SPLITTER: "6000600060006000600073" + "c0" * 20 + "5af1602957 60006000fd5b00",
}


class MemoryState:
    """A parent state in memory, made of one `StateChanges`."""

    def __init__(self, changes: StateChanges) -> None:
        self.changes = changes
        self.root = changes.root

    def account(self, address: Address) -> Account | None:
        return self.changes.accounts.get(address)

    def storage(self, address: Address, slot: int) -> int:
        return self.changes.storage.get(address, {}).get(slot, 0)

    def code(self, code_hash: Hash32) -> bytes:
        return self.changes.code.get(code_hash, b"")

    def node(self, node_hash: Hash32) -> bytes | None:
        return self.changes.nodes.get(node_hash)


def state(**extra: GenesisAccount) -> MemoryState:
    alloc = {at: GenesisAccount(nonce=1, code=bytes.fromhex(code)) for at, code in CODES.items()}
    alloc[SENDER] = GenesisAccount(balance=10**9)
    for address, entry in extra.items():
        alloc[Address(bytes.fromhex(address.removeprefix("x")))] = entry
    return MemoryState(build_genesis_state(alloc))


def environment(**changes: Any) -> BlockEnvironment:
    env = BlockEnvironment(
        chain_id=7,
        number=300,
        timestamp=1_767_225_600,
        gas_limit=30_000_000,
        coinbase=COINBASE,
        mix_hash=Hash32(b"\x0d" * 32),
        parent_hash=Hash32(b"\x0e" * 32),
        block_hash=lambda number: Hash32(number.to_bytes(32, "big")),
    )
    return replace(env, **changes)


def transaction(**changes: Any) -> Transaction:
    fields = {
        "chainId": 7, "nonce": 0, "gas": 100_000, "to": COUNTER, "value": 0, "data": b"",
        "maxFeePerGas": 0, "maxPriorityFeePerGas": 0,
    }  # fmt: skip
    signed = WALLET.sign_transaction(fields | changes)
    return decode_transaction(bytes(signed.raw_transaction))


def begin(parent: MemoryState | None = None, **changes: Any) -> PyEvmExecution:
    return PyEvmEngine().begin(parent or state(), environment(**changes))


def test_block_counts_gas_and_makes_logs_and_receipts() -> None:
    block = begin()
    first = block.apply(transaction(nonce=0))
    second = block.apply(transaction(nonce=1))
    assert (first.status, second.status) == (1, 1)
    assert second.cumulative_gas_used == first.gas_used + second.gas_used == block.gas_used
    (log,) = second.logs
    assert log.address == COUNTER
    assert log.topics == (Hash32((7).to_bytes(32, "big")),)
    assert log.data == (2).to_bytes(32, "big")
    changes = block.seal()
    assert changes.storage == {COUNTER: {0: 2}}
    sender = changes.accounts[SENDER]
    assert sender is not None
    assert sender.nonce == 2
    with pytest.raises(RuntimeError, match="sealed"):
        block.apply(transaction(nonce=2))


def test_failed_transaction_costs_its_gas_and_leaves_nothing_else() -> None:
    block = begin()
    receipt = block.apply(transaction(to=LOOPER, gas=50_000))
    assert (receipt.status, receipt.gas_used, receipt.logs) == (0, 50_000, ())
    assert block.seal().storage == {}


def test_creation_names_the_contract_in_the_receipt() -> None:
    block = begin()
    receipt = block.apply(transaction(to=b"", data=bytes.fromhex("60ff60005360016000f3")))
    assert receipt.contract_address == contract_address(SENDER, 0)
    changes = block.seal()
    created = changes.accounts[contract_address(SENDER, 0)]
    assert created is not None
    assert created.nonce == 1
    assert changes.code[created.code_hash] == b"\xff"


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"chainId": 8}, ChainIdMismatch, "signed for chain 8; this is chain 7"),
        ({"nonce": 1}, NonceTooHigh, "have 1, want 0"),
        ({"gas": 20_999}, IntrinsicGasTooLow, "have 20999, want 21000"),
        ({"gas": 30_000_001}, GasLimitExceeded, "30000000 of 30000000 left"),
        ({"value": 10**9 + 1}, InsufficientFunds, "have 1000000000, want 1000000001"),
        ({"maxFeePerGas": 10**5}, InsufficientFunds, "want 10000000000"),
        ({"maxPriorityFeePerGas": 1}, FeeInvalid, "above maxFeePerGas 0"),
    ],
)
def test_refused_transaction_names_the_reason_and_changes_nothing(
    changes: dict[str, Any], error: type[TransactionRefused], words: str
) -> None:
    block = begin()
    with pytest.raises(error, match=words):
        block.apply(transaction(**changes))
    receipt = block.apply(transaction())
    assert receipt.cumulative_gas_used == receipt.gas_used
    other = begin()
    other.apply(transaction())
    assert block.seal() == other.seal()


def test_used_nonce_is_refused() -> None:
    block = begin()
    block.apply(transaction())
    with pytest.raises(NonceTooLow, match="have 0, want 1"):
        block.apply(transaction())


def test_gas_limit_is_that_of_what_the_block_has_left() -> None:
    block = begin(gas_limit=120_000)
    used = block.apply(transaction(gas=120_000)).gas_used
    with pytest.raises(GasLimitExceeded, match=f"{120_000 - used} of 120000 left"):
        block.apply(transaction(nonce=1, gas=120_000))


def test_sender_with_code_is_refused_unless_it_is_a_delegation() -> None:
    with pytest.raises(SenderIsContract, match="EIP-3607"):
        begin(state(**{"x" + SENDER.hex(): GenesisAccount(code=b"\0")})).apply(transaction())
    delegation = b"\xef\x01\x00" + COUNTER
    parent = state(**{"x" + SENDER.hex(): GenesisAccount(balance=5, code=delegation)})
    assert begin(parent).apply(transaction()).status == 1


def test_fees_go_from_sender_to_coinbase_and_the_rest_comes_back() -> None:
    block = begin()
    receipt = block.apply(transaction(maxFeePerGas=9, maxPriorityFeePerGas=4, value=0))
    changes = block.seal()
    sender, coinbase = changes.accounts[SENDER], changes.accounts[COINBASE]
    assert sender is not None
    assert coinbase is not None
    assert sender.balance == 10**9 - 4 * receipt.gas_used
    assert coinbase.balance == 4 * receipt.gas_used


def test_calldata_floor_is_charged() -> None:
    receipt = begin().apply(transaction(data=b"\1" * 1000, to=POOR))
    assert receipt.gas_used == 21_000 + 10 * 4 * 1000


def words_of(data: bytes) -> Sequence[int]:
    return [int.from_bytes(data[at : at + 32], "big") for at in range(0, len(data), 32)]


def test_call_sees_the_block_and_needs_neither_funds_nor_nonce() -> None:
    env = environment()
    result = PyEvmEngine().call(state(), env, CallRequest(POOR, TELLER, 12, b"", 1_000_000))
    assert (result.error, result.reverted) == (None, False)
    assert words_of(result.output) == [
        int.from_bytes(POOR, "big"), 12, 300, 1_767_225_600, 7, 0,
        int.from_bytes(b"\x0d" * 32, "big"), int.from_bytes(COINBASE, "big"), 0,
    ]  # fmt: skip


def test_call_changes_nothing() -> None:
    engine, parent = PyEvmEngine(), state()
    request = CallRequest(POOR, COUNTER, 0, b"", 10**6)
    machine_gas = engine.estimate_gas(parent, environment(), request)
    first = engine.call(parent, environment(), request)
    assert first.error is None
    # Warm or set slots that stayed would make the second cheaper.
    assert engine.call(parent, environment(), request) == first
    assert first.gas_used == machine_gas
    assert parent.changes == state().changes


def test_call_from_a_contract_address_is_allowed() -> None:
    result = PyEvmEngine().call(state(), environment(), CallRequest(LOOPER, TELLER, 0, b"", 10**6))
    assert words_of(result.output)[0] == int.from_bytes(LOOPER, "big")


def test_revert_data_comes_back() -> None:
    reason = b"\x08\xc3\x79\xa0" + b"\x05" * 28
    request = CallRequest(POOR, REVERTER, 0, reason, 1_000_000)
    result = PyEvmEngine().call(state(), environment(), request)
    assert (result.reverted, result.error, result.output) == (True, None, reason)
    with pytest.raises(CallFailed, match="reverted") as caught:
        PyEvmEngine().estimate_gas(state(), environment(), request)
    assert (caught.value.reverted, caught.value.output) == (True, reason)


def test_other_failures_are_told_in_words() -> None:
    engine, env = PyEvmEngine(), environment()
    result = engine.call(state(), env, CallRequest(POOR, LOOPER, 0, b"", 100_000))
    assert (result.error, result.reverted, result.gas_used) == ("out of gas", False, 100_000)
    result = engine.call(state(), env, CallRequest(POOR, None, 0, b"\xfe", 100_000))
    assert result.error == "invalid opcode"
    result = engine.call(state(), env, CallRequest(POOR, COUNTER, 0, b"", 100))
    assert result.error == "intrinsic gas too low: have 100, want 21000"


def test_gas_of_a_call_is_bounded_whatever_is_asked() -> None:
    engine = PyEvmEngine(call_gas_max=200_000)
    result = engine.call(state(), environment(), CallRequest(POOR, LOOPER, 0, b"", 2**63))
    assert result.gas_used == 200_000


@pytest.mark.feature("L9")
@pytest.mark.parametrize("target", [COUNTER, SPLITTER, TELLER, POOR, None])
def test_estimate_is_the_least_gas_that_suffices(target: Address | None) -> None:
    engine, parent, env = PyEvmEngine(), state(), environment()
    data = bytes.fromhex("60ff60005360016000f3") if target is None else b""
    request = CallRequest(SENDER, target, 0, data, 30_000_000)
    gas = engine.estimate_gas(parent, env, request)
    assert engine.call(parent, env, replace(request, gas=gas)).error is None
    less = engine.call(parent, env, replace(request, gas=gas - 1))
    assert less.error is not None or less.reverted
    to = b"" if target is None else target
    assert begin(parent).apply(transaction(to=to, data=data, gas=gas)).status == 1


def test_estimate_of_what_never_ends_fails() -> None:
    with pytest.raises(CallFailed, match="out of gas"):
        PyEvmEngine(call_gas_max=100_000).estimate_gas(
            state(), environment(), CallRequest(POOR, LOOPER, 0, b"", 10**8)
        )


def test_blockhash_answers_for_the_last_256_blocks_only() -> None:
    for number, expected in ((299, 299), (44, 44), (43, 0), (300, 0), (2**199, 0)):
        code = b"\x78" + number.to_bytes(25, "big") + bytes.fromhex("4060005260206000f3")
        parent = state(xdd0000000000000000000000000000000000dddd=GenesisAccount(code=code))
        to = Address(bytes.fromhex("dd0000000000000000000000000000000000dddd"))
        result = PyEvmEngine().call(parent, environment(), CallRequest(POOR, to, 0, b"", 10**6))
        assert words_of(result.output) == [expected]


def test_system_contracts_are_called_where_deployed() -> None:
    parent = state(
        **{
            "x" + HISTORY_STORAGE_ADDRESS.hex(): GenesisAccount(
                nonce=1, code=HISTORY_STORAGE_CONTRACT_CODE
            ),
            "x" + BEACON_ROOTS_ADDRESS.hex(): GenesisAccount(
                nonce=1, code=BEACON_ROOTS_CONTRACT_CODE
            ),
        }
    )
    root = Hash32(b"\x0f" * 32)
    changes = begin(parent, parent_beacon_block_root=root).seal()
    assert changes.storage[Address(HISTORY_STORAGE_ADDRESS)] == {
        299: int.from_bytes(b"\x0e" * 32, "big")
    }
    at = 1_767_225_600 % 8191
    assert changes.storage[Address(BEACON_ROOTS_ADDRESS)] == {
        at: 1_767_225_600,
        at + 8191: int.from_bytes(root, "big"),
    }
    assert begin().seal().accounts == {}


def test_deepest_call_stack_runs_in_a_thread() -> None:
    # calls itself with all gas, then stores: 1024 levels with enough gas
    code = bytes.fromhex("600060006000600060003 05af15060016000540160005500".replace(" ", ""))
    parent = state(xdd0000000000000000000000000000000000dddd=GenesisAccount(code=code))
    to = Address(bytes.fromhex("dd0000000000000000000000000000000000dddd"))
    results: list[Any] = []

    def run() -> None:
        engine = PyEvmEngine(call_gas_max=10**14)
        results.append(engine.call(parent, environment(), CallRequest(POOR, to, 0, b"", 10**14)))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert results[0].error is None


def test_sealed_root_leads_to_the_changed_accounts() -> None:
    parent = state()
    block = begin(parent)
    block.apply(transaction())
    changes = block.seal()
    nodes = {**parent.changes.nodes, **changes.nodes}
    trie = Trie(lambda node_hash: nodes.get(Hash32(node_hash)), changes.root)
    for address in (SENDER, COUNTER):
        data = trie.get(keccak(address))
        assert data is not None
        assert decode_account(data) == changes.accounts[address]
    counter = changes.accounts[COUNTER]
    assert counter is not None
    slots = Trie(lambda node_hash: nodes.get(Hash32(node_hash)), counter.storage_root)
    assert slots.get(keccak(bytes(32))) == b"\x01"


def test_missing_coincurve_is_told_loudly() -> None:
    require_native_backends()
    done = subprocess.run(
        [sys.executable, "-c", "import ledger.evm"],
        env=os.environ | {"ECC_BACKEND_CLASS": "eth_keys.backends.NativeECCBackend"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "BackendMissing: eth-keys does not use coincurve" in done.stderr
