"""What instructions do that both the interpreter and translated code need, with their gas.

An error other than REVERT takes all gas (yellow paper, section 9.4.2), so gas need not be exact
when one is raised.
"""

from __future__ import annotations

from typing import Any, Final

from eth.exceptions import FullStack, OutOfBoundsRead, OutOfGas, WriteProtection

from ledger.evm.database import JournaledAccounts

MAX: Final = (1 << 256) - 1
STACK_LIMIT: Final = 1024
GAS_KECCAK: Final = 30
GAS_KECCAK_WORD: Final = 6
GAS_COPY_WORD: Final = 3
_SIGN: Final = 1 << 255
_MEMORY_END_MAX: Final = 1 << 32
"""Memory up to here costs more gas than any block has."""
_GAS_EXPONENT_BYTE: Final = 50
_GAS_WARM: Final = 100
_GAS_COLD_SLOT: Final = 2_100
_GAS_SET: Final = 20_000
_GAS_RESET: Final = 2_900
_GAS_STIPEND: Final = 2_300
_REFUND_CLEAR: Final = 4_800


class Frame:
    """One message while it runs: what instructions work on beside the stack."""

    __slots__ = ("accounts", "address", "code", "computation", "gas", "memory", "message", "meter")

    def __init__(self, computation: Any, accounts: JournaledAccounts) -> None:
        self.computation = computation
        self.accounts = accounts
        self.message = computation.msg
        self.address = self.message.storage_address
        self.code: bytes = self.message.code
        self.memory = computation._memory
        self.meter = computation._gas_meter
        self.gas: int = self.meter.gas_remaining
        """As the interpreter last handed it over: translated code keeps it in a local variable."""


def exhausted(gas: int) -> Exception:
    """The error of an instruction that had too little gas, or else no room on the stack."""
    if gas < 0:
        return OutOfGas(f"out of gas: {-gas} short")
    return FullStack("more than 1024 stack items")


def binary(op: int, one: int, other: int) -> int:
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
        return (other << one) & MAX if one < 256 else 0
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
            return (other - (1 << 256) >> min(one, 256)) & MAX
        return other >> one if one < 256 else 0
    # Flipping the sign bit turns signed order into unsigned order.
    if op == 0x12:
        return 1 if one ^ _SIGN < other ^ _SIGN else 0
    return 1 if one ^ _SIGN > other ^ _SIGN else 0


def exponent_gas(exponent: int, gas: int) -> int:
    """EXP but for its fixed gas (EIP-160): what is left. Raises `OutOfGas`."""
    gas -= _GAS_EXPONENT_BYTE * ((exponent.bit_length() + 7) >> 3)
    if gas < 0:
        raise exhausted(gas)
    return gas


def grow(memory: Any, gas: int, start: int, size: int) -> int:
    """Memory for `size` bytes, not none, at `start`; the gas left (yellow paper, section 9.4.3).

    Takes the place of `memory._bytes` where calldata of a call in progress is a view of it.
    Raises `OutOfGas`.
    """
    end = start + size
    have = len(memory._bytes)
    if end <= have:
        return gas
    if end > _MEMORY_END_MAX:
        raise OutOfGas(f"memory up to byte {end:#x}")
    before, after = have >> 5, (end + 31) >> 5
    gas -= 3 * (after - before) + after * after // 512 - before * before // 512
    if gas < 0:
        raise exhausted(gas)
    try:
        memory._bytes.extend(bytes((after << 5) - have))
    except BufferError:
        memory.extend(start, size)
    return gas


def copy(frame: Frame, op: int, gas: int, start: int, source: int, length: int) -> int:
    """CALLDATACOPY, CODECOPY, RETURNDATACOPY, MCOPY but for their fixed gas; the gas left.

    Raises `OutOfGas`, and `OutOfBoundsRead` for data that was not returned (EIP-211).
    """
    gas -= GAS_COPY_WORD * ((length + 31) >> 5)
    if gas < 0:
        raise exhausted(gas)
    returned = frame.computation.return_data
    if op == 0x3E and source + length > len(returned):
        raise OutOfBoundsRead("RETURNDATACOPY beyond the returned data (EIP-211)")
    if not length:
        return gas
    memory = frame.memory
    gas = grow(memory, gas, max(start, source) if op == 0x5E else start, length)
    if op == 0x37:
        piece = bytes(frame.message.data[source : source + length])
    elif op == 0x39:
        piece = frame.code[source : source + length]
    elif op == 0x3E:
        piece = returned[source : source + length]
    else:
        piece = bytes(memory._bytes[source : source + length])
    memory._bytes[start : start + length] = piece.ljust(length, b"\0")
    return gas


def calldata_word(data: bytes, start: int) -> int:
    """CALLDATALOAD: zeros follow the data."""
    piece = data[start : start + 32]
    size = len(piece)
    word = int.from_bytes(piece, "big")
    return word if size == 32 else word << 8 * (32 - size)


def warm(accounts: JournaledAccounts, address: Any, slot: int, gas: int) -> int:
    """SLOAD's gas (EIP-2929): what is left. Raises `OutOfGas`."""
    if accounts.is_storage_warm(address, slot):
        gas -= _GAS_WARM
    else:
        gas -= _GAS_COLD_SLOT
        accounts.mark_storage_warm(address, slot)
    if gas < 0:
        raise exhausted(gas)
    return gas


def store(frame: Frame, slot: int, value: int, gas: int, set_aside: int) -> int:
    """SSTORE: the gas left (EIP-2200 with the prices of EIP-2929 and EIP-3529).

    `set_aside` is gas of later instructions, all of which run, that was taken off `gas` already.
    Raises `WriteProtection`, and `OutOfGas` with no more than a call stipend or too little gas.
    """
    if frame.message.is_static:
        raise WriteProtection("SSTORE inside a static call")
    if gas + set_aside <= _GAS_STIPEND:
        raise OutOfGas("SSTORE with no more gas than a call stipend (EIP-2200)")
    cost, refund = _cost_of_store(frame.accounts, frame.address, slot, value)
    frame.meter.gas_refunded += refund
    gas -= cost
    if gas < 0:
        raise exhausted(gas)
    return gas


def _cost_of_store(
    accounts: JournaledAccounts, address: Any, slot: int, value: int
) -> tuple[int, int]:
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
