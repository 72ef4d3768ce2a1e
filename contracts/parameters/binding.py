"""Calls and logs of the Parameters contract."""

from __future__ import annotations

from typing import Final

from contracts.abi import Function
from contracts.events import LogDecoder, Values, address_of
from contracts.parameters.genesis import PARAMETERS_ARTIFACT, check_value, parameter_word
from contracts.parameters.types import ParameterChanged
from ledger.types import Log

_SET: Final = Function.of(PARAMETERS_ARTIFACT, "set")
_VALUE: Final = Function.of(PARAMETERS_ARTIFACT, "value")


def set_parameter(name: str, value: int) -> bytes:
    """Change a value; 0 for that of genesis. For a proposal.

    Raises `CalldataValueError` for an unknown name or a value out of bounds.
    """
    check_value(name, value)
    return _SET.calldata(parameter_word(name), value)


def value_calldata(name: str) -> bytes:
    """Calldata of `value`, to be called, not sent."""
    return _VALUE.calldata(parameter_word(name))


def decode_value(output: bytes) -> int:
    """The value, 0 where it is that of genesis. Raises `CalldataError`."""
    return int(_VALUE.result(output)[0])


def decode_log(log: Log) -> ParameterChanged:
    """The event in a log of the contract. Raises `LogError` where it is none of its events."""
    return _EVENTS.decode(log)


def _changed(values: Values) -> ParameterChanged:
    name = values["name"].rstrip(b"\0").decode("latin-1")
    by = address_of(values["by"])
    return ParameterChanged(name, by, values["former"], values["value"])


_EVENTS: Final = LogDecoder[ParameterChanged](PARAMETERS_ARTIFACT, ParameterChanged=_changed)
