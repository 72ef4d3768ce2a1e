"""The inner loop: the commonest instructions in place, all others by py-evm's own code.

py-evm calls some six Python functions an instruction; nine instructions in ten move numbers on
the stack. Those run here, on the same stack, memory and gas meter, with the same gas. Numbers on
the stack are always ints here (py-evm's own code takes ints and bytes alike).

An error other than REVERT takes all gas (yellow paper, section 9.4.2), so gas need not be exact
when one is raised.
"""

from __future__ import annotations

from typing import Any, Final

from eth.exceptions import (
    FullStack,
    Halt,
    InsufficientStack,
    InvalidJumpDestination,
    OutOfGas,
    WriteProtection,
)
from eth.vm.logic.invalid import InvalidOpcode

from ledger.evm.analysis import analyse
from ledger.evm.database import JournaledAccounts
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
            elif op == 0x56:
                # JUMP
                gas -= 8
                pc = pop()
                if pc not in jump_targets:
                    raise InvalidJumpDestination(f"jump to {pc:#x}")
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
            elif 0x10 <= op <= 0x1C and op != 0x1A:
                # comparisons, bit operations, shifts to the left and (unsigned) to the right
                gas -= 3
                one = pop()
                if op == 0x15:
                    push(0 if one else 1)
                elif op == 0x19:
                    push(one ^ _MAX)
                else:
                    push(_binary(op, one, pop()))
            elif op == 0x52 or op == 0x51:
                # MSTORE, MLOAD
                gas -= 3
                start = pop()
                end = start + 32
                if end > len(memory._bytes):
                    gas -= _extension_gas(len(memory._bytes), end)
                    if gas < 0:
                        raise _exhausted(gas)
                    memory.extend(start, 32)
                if op == 0x52:
                    memory._bytes[start:end] = pop().to_bytes(32, "big")
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
            elif op == 0x36 or op == 0x33 or op == 0x34 or op == 0x5F:
                # CALLDATASIZE, CALLER, CALLVALUE, PUSH0
                gas -= 2
                if gas < 0 or len(stack) > _STACK_LIMIT:
                    raise _exhausted(gas)
                if op == 0x36:
                    push(len(message.data))
                elif op == 0x33:
                    push(int.from_bytes(message.sender, "big"))
                else:
                    push(message.value if op == 0x34 else 0)
            else:
                meter.gas_remaining = gas
                stream.program_counter = pc
                outside = True
                try:
                    (opcodes.get(op) or InvalidOpcode(op))(computation=computation)
                except Halt:
                    return
                outside = False
                gas = meter.gas_remaining
                pc = stream.program_counter
                if stack and type(stack[-1]) is bytes:
                    stack[-1] = int.from_bytes(stack[-1], "big")
            if gas < 0:
                raise _exhausted(gas)
    except IndexError:
        if outside:
            raise
        raise InsufficientStack("an instruction found too few stack items") from None
    meter.gas_remaining = gas


def _binary(op: int, one: int, other: int) -> int:
    """LT, GT, SLT, SGT, EQ, AND, OR, XOR, SHL or SHR of two words; `one` was on top."""
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


def _exhausted(gas: int) -> Exception:
    if gas < 0:
        return OutOfGas(f"out of gas: {-gas} short")
    return FullStack("more than 1024 stack items")
