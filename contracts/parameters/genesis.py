"""The Parameters contract in genesis: code and values, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from contracts.artifact import load_artifact
from contracts.errors import CalldataValueError, GenesisError
from contracts.genesis import (
    GOVERNANCE_ADDRESS,
    PARAMETERS_ADDRESS,
    AllocEntry,
    constructed,
    read_back,
)
from contracts.parameters.types import BOUNDS
from contracts.storage import Layout, Words
from ledger.types import Address

PARAMETERS_ARTIFACT: Final = load_artifact("contracts.parameters", "Parameters")
_LAYOUT: Final = Layout.of(PARAMETERS_ARTIFACT)


def parameters_layout(parameters: Address = PARAMETERS_ADDRESS) -> dict[str, str | int]:
    """The `parameters` part of a genesis file: where the ledger finds its bounds."""
    return {"contract": f"0x{parameters.hex()}", "valuesSlot": _LAYOUT.place("_values").slot}


def check_value(name: str, value: int) -> None:
    """Raises `CalldataValueError` for what the contract would refuse."""
    if name not in BOUNDS:
        raise CalldataValueError(f"parameter {name[:40]!r} is none of {', '.join(BOUNDS)}")
    low, high = BOUNDS[name]
    if value and not low <= value <= high:
        raise CalldataValueError(f"{name} = {value} is not within {low} to {high}, nor 0")


def parameter_word(name: str) -> bytes:
    """The name as bytes32."""
    return name.encode("ascii").ljust(32, b"\0")


def genesis_account(
    values: Mapping[str, int], authority: Address = GOVERNANCE_ADDRESS
) -> AllocEntry:
    """The `alloc` entry of the contract. Raises `GenesisError` for values out of bounds."""
    try:
        for name, value in values.items():
            check_value(name, value)
    except CalldataValueError as error:
        raise GenesisError(f"genesis: {error}") from error
    stored = {parameter_word(name): value for name, value in values.items() if value}
    return constructed(PARAMETERS_ARTIFACT, authority, {"_values": stored})


def founding_values_of(account: AllocEntry) -> dict[str, int]:
    """Values by name in an `alloc` entry, all known names. Raises `GenesisError`."""
    return read_back("Parameters", "known names", account, _founding_values, genesis_account)


def _founding_values(words: Words) -> dict[str, int]:
    return {name: _LAYOUT.number(words, "_values", parameter_word(name)) for name in BOUNDS}
