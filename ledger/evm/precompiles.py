"""Precompiled contracts: py-evm's, within bounds of time and without needless copies.

py_ecc does elliptic-curve arithmetic in Python: what gas lets into one block would run for a
quarter of an hour. Their work is counted beside gas, and bounded by genesis for each block.
"""

from __future__ import annotations

import time
from typing import Any, Final

from eth.abc import MessageAPI
from eth.exceptions import OutOfGas
from eth.vm.forks.prague.computation import PragueComputation
from eth_typing import Address as EthAddress

from ledger.evm.errors import CallTimeout

_MODEXP: Final = 0x05
_WORK_PER_GAS: Final[dict[int, int]] = {
    0x07: 2,  # BN254 multiplication
    0x08: 5,  # BN254 pairing
    0x0C: 3,  # BLS12-381 multi-exponentiation in G1
    0x0E: 6,  # the same in G2
    0x0F: 12,  # BLS12-381 pairing
    0x10: 1,  # BLS12-381 map to G1
    0x11: 5,  # BLS12-381 map to G2
}
"""Microseconds that py_ecc takes for a gas, roughly, where it takes long. Consensus depends on
these figures: they are part of the chain's rules and never follow the machine."""
_INPUT_SIZE_BYTES_MAX: Final[dict[int, int]] = {
    0x01: 128,
    0x06: 128,
    0x07: 96,
    0x09: 213 + 1,
    0x0A: 192 + 1,
    0x0B: 256 + 1,
    0x0D: 512 + 1,
    0x10: 64 + 1,
    0x11: 128 + 1,
}
"""What those read that cost the same for any input; a byte more where the size must be exact."""
_DEARER_THAN_A_GAS_A_BYTE: Final = (0x08, 0x0C, 0x0E, 0x0F)
_INPUT_BYTES_PER_S: Final[dict[int, int]] = {
    0x08: 800,  # 192 bytes a pair
    0x0C: 8_000,  # 160 bytes a point
    0x0E: 2_500,  # 288 bytes a point
    0x0F: 700,  # 384 bytes a pair
}
"""How fast py_ecc goes through the input of those that may run for minutes."""


def _weighed(precompile: Any, work_per_gas: int) -> Any:
    """The precompiled contract, with its work counted before it begins."""

    def run_weighed(computation: Any) -> Any:
        consume_gas = computation.consume_gas

        def consume(amount: int, reason: str) -> None:
            consume_gas(amount, reason)
            computation.state.add_curve_work(amount * work_per_gas)

        # Every one of them takes its gas first, in one piece.
        computation.consume_gas = consume
        try:
            return precompile(computation)
        finally:
            del computation.consume_gas

    return run_weighed


def _address(number: int) -> EthAddress:
    return EthAddress(number.to_bytes(20, "big"))


def _modexp(computation: Any) -> Any:
    """MODEXP (EIP-198), where py-evm takes whatever is of a base of no bytes for 0.

    The base is then 0, and 0 to the power of 0 is 1. A base of one zero byte says the same, at the
    same price: that of the modulus.
    """
    message = computation.msg
    if int.from_bytes(bytes(message.data[:32]), "big") == 0 and any(message.data[64:96]):
        data = bytes(message.data).ljust(96, b"\0")
        message.data = (1).to_bytes(32, "big") + data[32:96] + b"\0" + data[96:]
    return _OF_PY_EVM[_address(_MODEXP)](computation)


_OF_PY_EVM: Final = PragueComputation.get_precompiles()
PRECOMPILES: Final = (
    _OF_PY_EVM
    | {
        _address(number): _weighed(_OF_PY_EVM[_address(number)], work_per_gas)
        for number, work_per_gas in _WORK_PER_GAS.items()
    }
    | {_address(_MODEXP): _modexp}
)


def narrow_input(message: Any) -> None:
    """Leave of a precompiled contract's input what it reads.

    Calldata is a view of the caller's memory: to copy megabytes for a flat price would take
    minutes a block. Raises `OutOfGas` where the input is certain to cost more than there is.
    """
    number = int.from_bytes(message.code_address, "big")
    data = message.data
    size_max = _INPUT_SIZE_BYTES_MAX.get(number)
    if size_max is not None:
        message.data = bytes(data[:size_max])
    elif number in _DEARER_THAN_A_GAS_A_BYTE:
        if len(data) > message.gas:
            raise OutOfGas("input costs more than a gas a byte")
        message.data = bytes(data)
    elif number == _MODEXP:
        message.data = _modexp_input(data, message.gas)


def _modexp_input(data: Any, gas: int) -> bytes:
    """EIP-2565: base, exponent and modulus of the lengths that stand before them.

    With a base or modulus of n bytes it costs n * n / 192 gas or more, with an exponent of n bytes
    8 * (n - 32) / 3 or more: together their bytes are fewer than 320 and twice the gas.
    """
    head = bytes(data[:96]).ljust(96, b"\0")
    base, exponent, modulus = (int.from_bytes(head[at : at + 32], "big") for at in (0, 32, 64))
    if base == modulus == 0:
        return head
    data = data[: 96 + base + exponent + modulus]
    if len(data) > 512 + 2 * gas:
        raise OutOfGas("operands cost more than half a gas a byte")
    return bytes(data)


def check_time(deadline: float, message: MessageAPI) -> None:
    """Raise `CallTimeout` where the message cannot end by then (`time.monotonic`).

    Looked at before each message, and in loops (`ledger.evm.interpreter`).
    """
    number = int.from_bytes(message.code_address or b"", "big")
    rate = _INPUT_BYTES_PER_S.get(number)
    # With fewer gas than bytes it fails before it begins (`narrow_input`).
    begins = rate is not None and len(message.data) <= message.gas
    needed_s = len(message.data) / rate if begins and rate is not None else 0.0
    if time.monotonic() + needed_s > deadline:
        raise CallTimeout("the call takes too long")
