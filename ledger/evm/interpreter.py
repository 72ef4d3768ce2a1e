"""The inner loop: the commonest instructions in place, all others by py-evm's own code.

py-evm calls some six Python functions an instruction; nine instructions in ten move numbers on
the stack. Those run here, on the same stack, memory and gas meter, with the same gas. Numbers on
the stack are always ints here (py-evm's own code takes ints and bytes alike).

An error other than REVERT takes all gas (yellow paper, section 9.4.2), so gas need not be exact
when one is raised.
"""

from __future__ import annotations

import time
from typing import Any, Final

from eth.exceptions import (
    FullStack,
    Halt,
    InsufficientStack,
    InvalidJumpDestination,
    OutOfBoundsRead,
    OutOfGas,
    WriteProtection,
)
from eth.vm.logic.invalid import InvalidOpcode

from ledger.evm.analysis import analyse
from ledger.evm.database import JournaledAccounts
from ledger.evm.errors import CallTimeout
from ledger.state import keccak

_MAX: Final = (1 << 256) - 1
_SIGN: Final = 1 << 255
_STACK_LIMIT: Final = 1023
_MEMORY_END_MAX: Final = 1 << 32
"""Memory up to here costs more gas than any block has."""
_GAS_WARM: Final = 100
_GAS_COLD_SLOT: Final = 2_100
_GAS_SET: Final = 20_000
_GAS_RESET: Final = 2_900
_GAS_STIPEND: Final = 2_300
_REFUND_CLEAR: Final = 4_800
_GAS_KECCAK: Final = 30
_GAS_KECCAK_WORD: Final = 6
_GAS_COPY_WORD: Final = 3
_FIXED: Final = frozenset((0x30, 0x32, 0x38, 0x3A, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x48, 0x4A))
"""ADDRESS, ORIGIN, CODESIZE, GASPRICE, COINBASE to GASLIMIT, CHAINID, BASEFEE, BLOBBASEFEE: the
same all the time that a message runs. py-evm's code says once what it is."""
_READING: Final = frozenset((0x33, 0x34, 0x36, 0x3D, 0x58, 0x59, 0x5A, 0x5F))
_CALLS: Final = frozenset((0xF1, 0xF2, 0xF4, 0xFA))
_JUMPS_A_LOOK: Final = 4
"""Jumps between two looks at the clock: code without a jump ends within some 50 ms."""


def run(computation: Any, accounts: JournaledAccounts) -> None:  # one loop, kept flat for speed
    """Run the computation's code to its end. Raises py-evm's `VMError`s."""
    message = computation.msg
    code: bytes = message.code
    constants, jump_targets = analyse(code)
    size = len(code)
    stack: list[Any] = computation._stack.values
    push, pop = stack.append, stack.pop
    memory = computation._memory
    meter = computation._gas_meter
    stream = computation.code
    opcodes = computation.opcodes
    address = message.storage_address
    fixed: dict[int, int] = {}
    deadline: float | None = computation.state.deadline
    # Where there is no deadline it never comes to 0.
    jumps_left = -1 if deadline is None else _JUMPS_A_LOOK
    gas: int = meter.gas_remaining
    pc = 0
    outside = False
    try:
        while pc < size:
            op = code[pc]
            if 0x60 <= op <= 0x8F:
                # PUSH1..PUSH32, DUP1..DUP16
                gas -= 3
                if gas < 0 or len(stack) > _STACK_LIMIT:
                    raise _exhausted(gas)
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
                push((pop() + pop()) & _MAX)
            elif op == 0x03:
                # SUB
                gas -= 3
                push((pop() - pop()) & _MAX)
            elif 0x10 <= op <= 0x1D:
                # comparisons, bit operations, shifts
                gas -= 3
                one = pop()
                if op == 0x15:
                    push(0 if one else 1)
                elif op == 0x19:
                    push(one ^ _MAX)
                else:
                    push(_binary(op, one, pop()))
            elif 0x51 <= op <= 0x53:
                # MLOAD, MSTORE, MSTORE8
                gas -= 3
                start = pop()
                width = 1 if op == 0x53 else 32
                end = start + width
                if end > len(memory._bytes):
                    gas -= _extension_gas(len(memory._bytes), end)
                    if gas < 0:
                        raise _exhausted(gas)
                    memory.extend(start, width)
                if op == 0x52:
                    memory._bytes[start:end] = pop().to_bytes(32, "big")
                elif op == 0x53:
                    memory._bytes[start] = pop() & 0xFF
                else:
                    push(int.from_bytes(memory._bytes[start:end], "big"))
            elif op == 0x54:
                # SLOAD
                slot = pop()
                if accounts.is_storage_warm(address, slot):
                    gas -= _GAS_WARM
                else:
                    gas -= _GAS_COLD_SLOT
                    accounts.mark_storage_warm(address, slot)
                if gas < 0:
                    raise _exhausted(gas)
                push(accounts.get_storage(address, slot))
            elif op == 0x55:
                # SSTORE
                if message.is_static:
                    raise WriteProtection("SSTORE inside a static call")
                if gas <= _GAS_STIPEND:
                    raise OutOfGas("SSTORE with no more gas than a call stipend (EIP-2200)")
                slot = pop()
                cost, refund = _store(accounts, address, slot, pop())
                gas -= cost
                meter.gas_refunded += refund
            elif op == 0x20:
                # KECCAK256
                start, length = pop(), pop()
                end = start + length
                gas -= _GAS_KECCAK + _GAS_KECCAK_WORD * ((length + 31) >> 5)
                if length and end > len(memory._bytes):
                    gas -= _extension_gas(len(memory._bytes), end)
                    if gas < 0:
                        raise _exhausted(gas)
                    memory.extend(start, length)
                if gas < 0:
                    raise _exhausted(gas)
                push(int.from_bytes(keccak(bytes(memory._bytes[start:end])), "big"))
            elif op == 0x35:
                # CALLDATALOAD
                gas -= 3
                start = pop()
                data = bytes(message.data[start : start + 32])
                push(int.from_bytes(data, "big") << 8 * (32 - len(data)))
            elif op in _READING or op in fixed:
                gas -= 2
                if gas < 0 or len(stack) > _STACK_LIMIT:
                    raise _exhausted(gas)
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
                push((pop() * pop()) & _MAX)
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
                gas -= 3 + _GAS_COPY_WORD * ((length + 31) >> 5)
                if gas < 0:
                    raise _exhausted(gas)
                if op == 0x3E and source + length > len(computation.return_data):
                    raise OutOfBoundsRead("RETURNDATACOPY beyond the returned data (EIP-211)")
                if length:
                    first = max(start, source) if op == 0x5E else start
                    if first + length > len(memory._bytes):
                        gas -= _extension_gas(len(memory._bytes), first + length)
                        if gas < 0:
                            raise _exhausted(gas)
                        memory.extend(first, length)
                    if op == 0x37:
                        piece = bytes(message.data[source : source + length])
                    elif op == 0x39:
                        piece = code[source : source + length]
                    elif op == 0x3E:
                        piece = computation.return_data[source : source + length]
                    else:
                        piece = bytes(memory._bytes[source : source + length])
                    memory._bytes[start : start + length] = piece.ljust(length, b"\0")
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
                gas = meter.gas_remaining
                pc = stream.program_counter
                if stack and type(stack[-1]) is bytes:
                    stack[-1] = int.from_bytes(stack[-1], "big")
                if op in _FIXED:
                    fixed[op] = stack[-1]
            if gas < 0:
                raise _exhausted(gas)
    except IndexError:
        if outside:
            raise
        raise InsufficientStack("an instruction found too few stack items") from None
    meter.gas_remaining = gas


def _binary(op: int, one: int, other: int) -> int:
    """Of two words: 0x10 to 0x1D but ISZERO and NOT; `one` was on top."""
    if op == 0x16:
        return one & other
    if op == 0x14:
        return 1 if one == other else 0
    if op == 0x10:
        return 1 if one < other else 0
    if op == 0x11:
        return 1 if one > other else 0
    if op == 0x1C:
        return other >> one if one < 256 else 0
    if op == 0x1B:
        return (other << one) & _MAX if one < 256 else 0
    if op == 0x17:
        return one | other
    if op == 0x18:
        return one ^ other
    if op == 0x1A:
        # BYTE: 0 is the most significant
        return other >> 8 * (31 - one) & 0xFF if one < 32 else 0
    if op == 0x1D:
        # SAR
        if other & _SIGN:
            return (other - (1 << 256) >> min(one, 256)) & _MAX
        return other >> one if one < 256 else 0
    # Flipping the sign bit turns signed order into unsigned order.
    if op == 0x12:
        return 1 if one ^ _SIGN < other ^ _SIGN else 0
    return 1 if one ^ _SIGN > other ^ _SIGN else 0


def _extension_gas(size_bytes: int, end: int) -> int:
    """Gas for memory to grow to `end` (yellow paper, appendix G and section 9.4.3)."""
    if end > _MEMORY_END_MAX:
        raise OutOfGas(f"memory up to byte {end:#x}")
    before, after = size_bytes >> 5, (end + 31) >> 5
    return 3 * (after - before) + after * after // 512 - before * before // 512


def _store(accounts: JournaledAccounts, address: Any, slot: int, value: int) -> tuple[int, int]:
    """SSTORE: gas and refund (EIP-2200 with the prices of EIP-2929 and EIP-3529)."""
    current = accounts.get_storage(address, slot)
    original = accounts.get_storage(address, slot, from_journal=False)
    cost = 0
    refund = 0
    if not accounts.is_storage_warm(address, slot):
        accounts.mark_storage_warm(address, slot)
        cost = _GAS_COLD_SLOT
    if current == value:
        return cost + _GAS_WARM, 0
    accounts.set_storage(address, slot, value)
    if original == current:
        if original == 0:
            return cost + _GAS_SET, 0
        return cost + _GAS_RESET, _REFUND_CLEAR if value == 0 else 0
    if original != 0:
        if current == 0:
            refund -= _REFUND_CLEAR
        if value == 0:
            refund += _REFUND_CLEAR
    if original == value:
        refund += (_GAS_SET if original == 0 else _GAS_RESET) - _GAS_WARM
    return cost + _GAS_WARM, refund


def _look(deadline: float | None) -> int:
    """Jumps until the next look at the clock. Raises `CallTimeout` where it is too late."""
    if deadline is not None and time.monotonic() > deadline:
        raise CallTimeout("the code runs too long")
    return _JUMPS_A_LOOK


def _exhausted(gas: int) -> Exception:
    if gas < 0:
        return OutOfGas(f"out of gas: {-gas} short")
    return FullStack("more than 1024 stack items")
