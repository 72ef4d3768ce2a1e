"""The inner loop: the commonest instructions in place, all others by py-evm's own code.

py-evm calls some six Python functions an instruction; nine instructions in ten move numbers on
the stack. Those run here, on the same stack, memory and gas meter, with the same gas. Numbers on
the stack are always ints here (py-evm's own code takes ints and bytes alike). Code that runs often
is translated, stretch by stretch (`ledger.evm.translation`).

An error other than REVERT takes all gas (yellow paper, section 9.4.2), so gas need not be exact
when one is raised.
"""

from __future__ import annotations

import time
from typing import Any, Final

from eth.exceptions import Halt, InsufficientStack, InvalidJumpDestination
from eth.vm.logic.invalid import InvalidOpcode

from ledger.evm.analysis import analyse
from ledger.evm.database import JournaledAccounts
from ledger.evm.errors import CallTimeout
from ledger.evm.instructions import (
    GAS_KECCAK,
    GAS_KECCAK_WORD,
    MAX,
    STACK_LIMIT,
    Frame,
    binary,
    calldata_word,
    copy,
    exhausted,
    grow,
    store,
    warm,
)
from ledger.state import keccak

_FIXED: Final = frozenset((0x30, 0x32, 0x38, 0x3A, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x48, 0x4A))
"""ADDRESS, ORIGIN, CODESIZE, GASPRICE, COINBASE to GASLIMIT, CHAINID, BASEFEE, BLOBBASEFEE: the
same all the time that a message runs. py-evm's code says once what it is."""
_READING: Final = frozenset((0x33, 0x34, 0x36, 0x3D, 0x58, 0x59, 0x5A, 0x5F))
_CALLS: Final = frozenset((0xF1, 0xF2, 0xF4, 0xFA))
_JUMPS_A_LOOK: Final = 4
"""Jumps between two looks at the clock: code without a jump ends within some 50 ms."""


def run(computation: Any, accounts: JournaledAccounts) -> None:  # one loop, kept flat for speed
    """Run the computation's code to its end. Raises py-evm's `VMError`s."""
    frame = Frame(computation, accounts)
    message, memory, meter = frame.message, frame.memory, frame.meter
    code, address, gas = frame.code, frame.address, frame.gas
    constants, jump_targets, stretches = analyse(code)
    ready, visit = stretches.ready, stretches.visit
    size = len(code)
    stack: list[Any] = computation._stack.values
    push, pop = stack.append, stack.pop
    stream = computation.code
    opcodes = computation.opcodes
    fixed: dict[int, int] = {}
    deadline: float | None = computation.state.deadline
    # Where there is no deadline it never comes to 0.
    jumps_left = -1 if deadline is None else _JUMPS_A_LOOK
    pc = 0
    outside = False
    landed = True
    try:
        while pc < size:
            if landed:
                while pc in ready or visit(pc):
                    frame.gas = gas
                    pc = ready[pc](frame, stack)
                    gas = frame.gas
                    jumps_left -= 1
                    if jumps_left == 0:
                        jumps_left = _look(deadline)
                if pc >= size:
                    break
                landed = False
            op = code[pc]
            if 0x60 <= op <= 0x8F:
                # PUSH1..PUSH32, DUP1..DUP16
                gas -= 3
                if gas < 0 or len(stack) >= STACK_LIMIT:
                    raise exhausted(gas)
                if op < 0x80:
                    push(constants[pc])
                    pc += op - 0x5E
                else:
                    push(stack[0x7F - op])
                    pc += 1
                continue
            pc += 1
            if 0x90 <= op <= 0x9F:
                # SWAP1..SWAP16
                gas -= 3
                at = 0x8E - op
                stack[-1], stack[at] = stack[at], stack[-1]
            elif op == 0x5B:
                # JUMPDEST
                gas -= 1
            elif op == 0x57:
                # JUMPI
                gas -= 10
                target = pop()
                landed = True
                if pop():
                    if target not in jump_targets:
                        raise InvalidJumpDestination(f"jump to {target:#x}")
                    pc = target
                    jumps_left -= 1
                    if jumps_left == 0:
                        jumps_left = _look(deadline)
            elif op == 0x56:
                # JUMP
                gas -= 8
                landed = True
                pc = pop()
                if pc not in jump_targets:
                    raise InvalidJumpDestination(f"jump to {pc:#x}")
                jumps_left -= 1
                if jumps_left == 0:
                    jumps_left = _look(deadline)
            elif op == 0x50:
                # POP
                gas -= 2
                pop()
            elif op == 0x01:
                # ADD
                gas -= 3
                push((pop() + pop()) & MAX)
            elif op == 0x03:
                # SUB
                gas -= 3
                push((pop() - pop()) & MAX)
            elif 0x10 <= op <= 0x1D:
                # comparisons, bit operations, shifts
                gas -= 3
                one = pop()
                if op == 0x15:
                    push(0 if one else 1)
                elif op == 0x19:
                    push(one ^ MAX)
                else:
                    push(binary(op, one, pop()))
            elif 0x51 <= op <= 0x53:
                # MLOAD, MSTORE, MSTORE8
                gas -= 3
                start = pop()
                width = 1 if op == 0x53 else 32
                end = start + width
                if end > len(memory._bytes):
                    gas = grow(memory, gas, start, width)
                if op == 0x52:
                    memory._bytes[start:end] = pop().to_bytes(32, "big")
                elif op == 0x53:
                    memory._bytes[start] = pop() & 0xFF
                else:
                    push(int.from_bytes(memory._bytes[start:end], "big"))
            elif op == 0x54:
                # SLOAD
                slot = pop()
                gas = warm(accounts, address, slot, gas)
                push(accounts.get_storage(address, slot))
            elif op == 0x55:
                # SSTORE
                slot, value = pop(), pop()
                gas = store(frame, slot, value, gas, 0)
            elif op == 0x20:
                # KECCAK256
                start, length = pop(), pop()
                gas -= GAS_KECCAK + GAS_KECCAK_WORD * ((length + 31) >> 5)
                if gas < 0:
                    raise exhausted(gas)
                if length:
                    gas = grow(memory, gas, start, length)
                push(int.from_bytes(keccak(bytes(memory._bytes[start : start + length])), "big"))
            elif op == 0x35:
                # CALLDATALOAD
                gas -= 3
                push(calldata_word(message.data, pop()))
            elif op in _READING or op in fixed:
                gas -= 2
                if gas < 0 or len(stack) >= STACK_LIMIT:
                    raise exhausted(gas)
                if op == 0x5F:
                    # PUSH0
                    push(0)
                elif op == 0x36:
                    # CALLDATASIZE
                    push(len(message.data))
                elif op == 0x33:
                    # CALLER
                    push(int.from_bytes(message.sender, "big"))
                elif op == 0x34:
                    # CALLVALUE
                    push(message.value)
                elif op == 0x3D:
                    # RETURNDATASIZE
                    push(len(computation.return_data))
                elif op == 0x58:
                    # PC
                    push(pc - 1)
                elif op == 0x59:
                    # MSIZE
                    push(len(memory._bytes))
                elif op == 0x5A:
                    # GAS
                    push(gas)
                else:
                    push(fixed[op])
            elif op == 0x02:
                # MUL
                gas -= 5
                push((pop() * pop()) & MAX)
            elif op == 0x04 or op == 0x06:
                # DIV, MOD
                gas -= 5
                one, other = pop(), pop()
                if other == 0:
                    push(0)
                else:
                    push(one // other if op == 0x04 else one % other)
            elif op == 0x37 or op == 0x39 or op == 0x3E or op == 0x5E:
                # CALLDATACOPY, CODECOPY, RETURNDATACOPY, MCOPY
                start, source, length = pop(), pop(), pop()
                gas = copy(frame, op, gas - 3, start, source, length)
            else:
                meter.gas_remaining = gas
                stream.program_counter = pc
                outside = True
                if op in _CALLS:
                    computation.is_calling = True
                try:
                    (opcodes.get(op) or InvalidOpcode(op))(computation=computation)
                except Halt:
                    return
                outside = False
                landed = True
                gas = meter.gas_remaining
                pc = stream.program_counter
                if stack and type(stack[-1]) is bytes:
                    stack[-1] = int.from_bytes(stack[-1], "big")
                if op in _FIXED:
                    fixed[op] = stack[-1]
            if gas < 0:
                raise exhausted(gas)
    except IndexError:
        if outside:
            raise
        raise InsufficientStack("an instruction found too few stack items") from None
    meter.gas_remaining = gas


def _look(deadline: float | None) -> int:
    """Jumps until the next look at the clock. Raises `CallTimeout` where it is too late."""
    if deadline is not None and time.monotonic() > deadline:
        raise CallTimeout("the code runs too long")
    return _JUMPS_A_LOOK
