"""`PyEvmEngine`: the execution seam, filled by py-evm."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from eth.exceptions import (
    FullStack,
    InsufficientFunds,
    InsufficientStack,
    InvalidInstruction,
    InvalidJumpDestination,
    OutOfBoundsRead,
    OutOfGas,
    ReservedBytesInCode,
    Revert,
    StackDepthLimit,
    VMError,
    WriteProtection,
)
from eth_typing import Address as EthAddress
from lru import LRU

from ledger.evm.backends import require_native_backends
from ledger.evm.errors import CallFailed, CallTimeout
from ledger.evm.execution import PyEvmExecution
from ledger.evm.machine import LedgerState
from ledger.evm.messages import Outcome, run_message
from ledger.evm.protocol import BlockEnvironment, CallRequest, CallResult
from ledger.evm.transactions import INIT_CODE_SIZE_BYTES_MAX, floor_gas_of, intrinsic_gas_of
from ledger.state import StateReader
from ledger.state.nodes import Node
from ledger.state.trie import NodeCache

require_native_backends()

CALL_GAS_MAX: Final = 50_000_000
"""Bound on the gas of `eth_call` and `eth_estimateGas`, whatever is asked for."""
CALL_TIME_S_MAX: Final = 5.0
"""Bound on their time, looked at before each message call: gas does not price slow contracts."""
NODE_CACHE_ENTRIES: Final = 100_000
_ESTIMATE_RUNS_MAX: Final = 64

_WORDS: Final[tuple[tuple[type[VMError], str], ...]] = (
    (OutOfGas, "out of gas"),
    (InvalidInstruction, "invalid opcode"),
    (InvalidJumpDestination, "invalid jump destination"),
    (InsufficientStack, "stack underflow"),
    (FullStack, "stack limit reached"),
    (StackDepthLimit, "max call depth exceeded"),
    (WriteProtection, "write protection"),
    (OutOfBoundsRead, "return data out of bounds"),
    (InsufficientFunds, "insufficient balance for transfer"),
    (ReservedBytesInCode, "invalid code: must not begin with 0xef"),
)


@dataclass(frozen=True, slots=True)
class _Run:
    result: CallResult
    gas_spent: int
    late: bool = False
    """The time was up: nothing is known of the outcome."""


class PyEvmEngine:
    """Prague rules, base fee zero. Thread-safe: what it shares is a cache of trie nodes."""

    def __init__(
        self,
        call_gas_max: int = CALL_GAS_MAX,
        node_cache_entries: int = NODE_CACHE_ENTRIES,
        call_time_s_max: float = CALL_TIME_S_MAX,
        *,
        reference: bool = False,
    ) -> None:
        """`reference`: run py-evm's own inner loop, a third as fast, instead of ours."""
        self._reference = reference
        self._call_gas_max = call_gas_max
        self._call_time_s_max = call_time_s_max
        cache: LRU[bytes, Node] = LRU(node_cache_entries)
        self._nodes: NodeCache = cache

    def begin(self, parent: StateReader, env: BlockEnvironment) -> PyEvmExecution:
        """Start a block on top of `parent`."""
        return PyEvmExecution(parent, env, self._nodes, reference=self._reference)

    def call(self, state: StateReader, env: BlockEnvironment, request: CallRequest) -> CallResult:
        """Execute without recording. Needs neither funds nor a nonce; gas and time are bounded."""
        gas = min(request.gas, self._call_gas_max)
        return self._run(self._machine(state, env), request, gas).result

    def estimate_gas(self, state: StateReader, env: BlockEnvironment, request: CallRequest) -> int:
        """Least gas with which the call succeeds. Raises `CallFailed` if none does."""
        machine = self._machine(state, env)
        high = min(request.gas, self._call_gas_max, env.gas_limit)
        first = self._run(machine, request, high)
        if first.result.reverted or first.result.error is not None:
            raise CallFailed(
                first.result.error or "execution reverted",
                first.result.output,
                first.result.reverted,
            )
        low = first.result.gas_used - 1
        # What was spent suffices, unless the code looks at its gas or passes on 63/64 of it.
        guess: int | None = first.gas_spent
        for _ in range(_ESTIMATE_RUNS_MAX):
            if low + 1 >= high:
                break
            middle = guess if guess is not None and low < guess < high else (low + high) // 2
            guess = None
            run = self._run(machine, request, middle)
            result = run.result
            if run.late:
                raise CallFailed(str(result.error), b"", False)
            if result.reverted or result.error is not None:
                low = middle
            else:
                high = middle
        return high

    def _machine(self, state: StateReader, env: BlockEnvironment) -> LedgerState:
        machine = LedgerState(state, env, reference=self._reference)
        machine.deadline = time.monotonic() + self._call_time_s_max
        return machine

    def _run(self, machine: LedgerState, request: CallRequest, gas: int) -> _Run:
        """Execute on `machine` and leave it as it was."""
        creates = request.to is None
        intrinsic = intrinsic_gas_of(
            request.data,
            creates=creates,
            access_addresses=len(request.access_list),
            access_slots=sum(len(slots) for _, slots in request.access_list),
            authorizations=len(request.authorization_list),
        )
        floor = floor_gas_of(request.data)
        refusal = None
        if gas < max(intrinsic, floor):
            refusal = f"intrinsic gas too low: have {gas}, want {max(intrinsic, floor)}"
        elif creates and len(request.data) > INIT_CODE_SIZE_BYTES_MAX:
            refusal = f"max initcode size exceeded: {len(request.data)} bytes"
        if refusal is not None:
            return _Run(CallResult(b"", 0, False, refusal), 0)
        accounts = machine.accounts
        sender = EthAddress(request.sender)
        checkpoint = accounts.record()
        machine.curve_work = 0
        try:
            if accounts.get_balance(sender) < request.value:
                accounts.set_balance(sender, request.value)
            for address, code in request.code:
                accounts.set_code(EthAddress(address), code)
            outcome = run_message(
                machine,
                sender=request.sender,
                to=request.to,
                value=request.value,
                data=request.data,
                gas=gas,
                intrinsic=intrinsic,
                floor=floor,
                access_list=request.access_list,
                authorization_list=request.authorization_list,
            )
        except CallTimeout:
            words = f"execution aborted (timeout = {self._call_time_s_max:g}s)"
            return _Run(CallResult(b"", 0, False, words), 0, late=True)
        finally:
            accounts.discard(checkpoint)
            accounts.forget_originals()
        return _Run(_result(outcome), outcome.gas_spent)


def _result(outcome: Outcome) -> CallResult:
    computation = outcome.computation
    output = bytes(computation.output)
    if computation.is_success:
        return CallResult(output, outcome.gas_used, False, None)
    error = computation.error
    if isinstance(error, Revert):
        return CallResult(output, outcome.gas_used, True, None)
    for kind, words in _WORDS:
        if isinstance(error, kind):
            return CallResult(b"", outcome.gas_used, False, words)
    return CallResult(b"", outcome.gas_used, False, str(error) or type(error).__name__)
