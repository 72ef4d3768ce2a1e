"""What a member can make the others spend: memory and time that gas does not price."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from ledger.evm import CallRequest, WorkLimitExceeded
from ledger.evm.analysis import _remembered, _remembered_large, analyse
from ledger.rpc.params import OVERRIDE_CODE_BYTES_MAX
from ledger.types import Address
from tests.ledger.evm.test_reference_loop import (
    CONTRACTS,
    OURS,
    SENDER,
    MemoryState,
    called,
    environment,
    push,
    transaction,
)

MEGABYTE = 1 << 20
LOOP_END = b"\x60\x01\x90\x03\x80\x61"
FAILING_CONTRACT = CONTRACTS[1]


def calling(to: bytes, input_size: int, turns: int, gas: bytes = b"\x5a") -> bytes:
    """Expands memory to `input_size`, then calls with all of it as calldata, again and again."""
    head = push(1) + push(input_size - 32) + b"\x52" + push(turns, 2)
    body = b"\x5b\x5f\x5f" + push(input_size) + b"\x5f\x5f\x73" + to + gas + b"\xf1\x50"
    return head + body + LOOP_END + len(head).to_bytes(2, "big") + b"\x57"


def state_of(code: bytes) -> MemoryState:
    state = MemoryState()
    state.put(SENDER, b"", nonce=0)
    state.put(CONTRACTS[0], code)
    state.put(FAILING_CONTRACT, b"\xfe")
    return state


@pytest.mark.feature("L1")
@pytest.mark.parametrize("to", [bytes(19) + b"\x05", bytes(19) + b"\x06", FAILING_CONTRACT])
def test_calls_with_a_megabyte_of_calldata_neither_keep_nor_copy_it(to: bytes) -> None:
    """A call costs a hundred gas: the 2,500 of them would hold or copy 2.5 gigabytes."""
    state = state_of(calling(to, MEGABYTE, 2_500, gas=push(200)))
    tracemalloc.start()
    began = time.process_time()
    _, _, reverted, failed = called(OURS, state, b"", 16_000_000)
    took_s = time.process_time() - began
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert not reverted
    assert not failed
    assert peak < 24 * MEGABYTE
    assert took_s < 10


@pytest.mark.feature("L1")
def test_logs_refunds_and_deletions_of_inner_calls_count_once_and_only_if_nothing_failed() -> None:
    """The inner contract logs and clears a slot; the outer one calls it twice, once to fail."""
    inner = bytes.fromhex("5f6001555f5fa05f35600f570000fe5bfe")
    target = CONTRACTS[2]
    call = b"\x5f\x5f\x60\x20\x5f\x5f\x73" + target + b"\x61\xff\xff\xf1\x50"
    state = state_of(call + b"\x60\x01\x5f\x52" + call)
    state.put(target, inner)
    execution = OURS.begin(state, environment())
    receipt = execution.apply(transaction(0, CONTRACTS[0], b"", 400_000))
    assert receipt.status == 1
    assert [log.address for log in receipt.logs] == [target]


@pytest.mark.feature("L1")
def test_what_is_remembered_of_code_stays_small() -> None:
    """Creation code of 48 kB costs 35,000 gas: a block could bring thousands, all different."""
    before = _remembered.cache_info()
    analyse(b"\x5b" * 49_152)
    assert _remembered.cache_info() == before
    assert before.maxsize is not None
    large = _remembered_large.cache_info()
    assert large.maxsize is not None
    assert large.currsize
    assert large.maxsize * 2 * OVERRIDE_CODE_BYTES_MAX < 4 * MEGABYTE
    for number, piece in enumerate((b"\x5b", b"\x60\x5b", b"\x61\x5b\x5b")):
        code = (piece * 24_576)[:24_572] + number.to_bytes(4, "big")
        tracemalloc.start()
        analyse(code)
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert held * before.maxsize < 200 * MEGABYTE


@pytest.mark.feature("L1")
@pytest.mark.parametrize("piece", [b"\x5b", b"\x61\x5b\x5b"])
def test_the_analysis_of_large_code_takes_no_more_than_the_code(piece: bytes) -> None:
    code = (piece * 49_152)[:49_152]
    tracemalloc.start()
    kept = [analyse(number.to_bytes(3, "big") + code) for number in range(10)]
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(kept) == 10
    assert held < 10 * 3 * len(code)


@pytest.mark.feature("L3")
def test_a_call_with_large_code_that_calls_itself_stays_small() -> None:
    """Each frame of 160 had an analysis of its own: gigabytes, and 30 ms for each."""
    calls = b"\x5f\x5f\x5f\x5f\x5f\x30\x5a\xf1\x00"
    code = calls + b"\x5b" * (OVERRIDE_CODE_BYTES_MAX - len(calls))
    request = CallRequest(
        sender=SENDER,
        to=CONTRACTS[0],
        value=0,
        data=b"",
        gas=3_000_000,
        code=((CONTRACTS[0], code),),
    )
    tracemalloc.start()
    result = OURS.call(state_of(b""), environment(), request)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert result.error is None
    assert not result.reverted
    assert peak < 40 * MEGABYTE


@pytest.mark.feature("L1")
def test_creation_code_that_creates_itself_again_and_again_stays_small() -> None:
    """Other code in each frame: its first word, never run, is a number that counts down."""
    size = 49_152
    # CODECOPY all of it to 0; the number after PUSH32 less one; CREATE with it.
    body = b"\x61\xc0\x00\x5f\x5f\x39\x03\x60\x01\x52\x61\xc0\x00\x5f\x5f\xf0\x00"
    code = b"\x7f" + (1 << 200).to_bytes(32, "big") + b"\x60\x01\x90" + body
    code += b"\x5b" * (size - len(code))
    state = state_of(b"")
    execution = OURS.begin(state, environment())
    tracemalloc.start()
    receipt = execution.apply(transaction(0, None, code, 10_000_000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert receipt.status == 1
    assert peak < 64 * MEGABYTE


# -- elliptic curves -----------------------------------------------------------------------------

PAIRING = Address(bytes(19) + b"\x08")
ONE_PAIR_WORK = 5 * (45_000 + 34_000)


def pairings(calls: int) -> bytes:
    """Calls the pairing check with the pair of two points at infinity; how many it did is stored.

    Zero points are quick, whatever is counted for them.
    """
    body = b"\x5f\x5f\x60\xc0\x5f\x5f\x60\x08\x62\x01\x86\xa0\xf1\x5f\x54\x01\x5f\x55"
    return b"\x5f\x5f\x55" + body * calls + b"\x5f\x54\x5f\x52\x60\x20\x5f\xf3"


@pytest.mark.feature("L1")
def test_a_transaction_has_half_of_a_blocks_curve_work_and_fails_only_in_the_calls_beyond() -> None:
    state = state_of(pairings(10))
    execution = OURS.begin(state, environment(curve_work_max=2 * 4 * ONE_PAIR_WORK))
    receipt = execution.apply(transaction(0, CONTRACTS[0], b"", 10_000_000))
    assert receipt.status == 1
    assert execution._state.accounts.get_storage(CONTRACTS[0], 0) == 4


@pytest.mark.feature("L1")
def test_what_a_block_has_no_curve_work_left_for_waits_and_changes_nothing() -> None:
    state = state_of(pairings(3))
    execution = OURS.begin(state, environment(curve_work_max=6 * ONE_PAIR_WORK - 1))
    # Alone it would take three; half of the bound lets it do two.
    execution.apply(transaction(0, CONTRACTS[0], b"", 10_000_000))
    execution.apply(transaction(1, CONTRACTS[0], b"", 10_000_000))
    with pytest.raises(WorkLimitExceeded, match="must wait"):
        execution.apply(transaction(2, CONTRACTS[0], b"", 10_000_000))
    assert execution._state.accounts.get_nonce(SENDER) == 2
    # What needs no curves goes on, and no other transaction begins such work only to lose it.
    execution.apply(transaction(2, CONTRACTS[1], b"", 100_000))
    assert execution._state.curve_work_left == 0


@pytest.mark.feature("L1")
def test_a_call_without_the_gas_for_it_uses_up_no_curve_work() -> None:
    body = b"\x5f\x5f\x60\xc0\x5f\x5f\x60\x08\x61\x01\x00\xf1\x50"
    state = state_of(body * 50)
    execution = OURS.begin(state, environment())
    execution.apply(transaction(0, CONTRACTS[0], b"", 1_000_000))
    assert execution._state.curve_work == 0


@pytest.mark.slow
@pytest.mark.feature("L1")
def test_a_block_full_of_real_pairings_does_not_take_minutes() -> None:
    """A hundred million gas would buy 2,500 pairs, ten minutes."""
    one = (1).to_bytes(32, "big") + (2).to_bytes(32, "big")
    two = bytes.fromhex(
        "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2"
        "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"
        "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b"
        "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa"
    )
    code = push(192, 2) + b"\x5f\x5f\x37" + b"\x5b\x5f\x5f\x60\xc0\x5f\x5f\x60\x08\x5a\xf1\x50"
    code = code.replace(b"\x5a\xf1", push(90_000, 3) + b"\xf1") + b"\x60\x06\x56"
    state = state_of(code)
    execution = OURS.begin(state, environment(gas_limit=100_000_000))
    began = time.process_time()
    nonce = 0
    for _ in range(10):
        try:
            execution.apply(transaction(nonce, CONTRACTS[0], one + two, 10_000_000))
            nonce += 1
        except WorkLimitExceeded:
            continue
    assert nonce >= 1
    assert time.process_time() - began < 60
