"""A table as the Solidity library that its contract checks by."""

from __future__ import annotations

from typing import Final

from contracts.instruments.machine import COMMON_ACTS, COMMON_PARTIES
from contracts.instruments.types import Act, Machine

_SAME: Final = 255


def rule_word(machine: Machine, act: Act) -> int:
    """The act's word, as `libraries/Rules.sol` reads it."""
    states = sum(1 << machine.states.index(state) for state in act.states)
    parties = sum(1 << machine.parties.index(party) for party in act.by)
    to = _SAME if act.to is None else machine.states.index(act.to)
    return (
        states
        | parties << 32
        | to << 64
        | int(act.while_pledged) << 72
        | int(act.while_frozen) << 80
        | int(act.while_locked) << 81
        | act.number << 88
    )


def solidity(machine: Machine) -> str:
    """The library `<Name>Rules.sol` of a table."""
    own_parties = machine.parties[len(COMMON_PARTIES) :]
    common, own = machine.acts[: len(COMMON_ACTS)], machine.acts[len(COMMON_ACTS) :]
    lines = [
        "// SPDX-License-Identifier: Apache-2.0",
        "pragma solidity ^0.8.24;",
        "",
        f"/// @title Rules of the {machine.name}",
        "/// @notice Made of machine.toml by `python -m contracts.instruments`; do not edit.",
        f"library {machine.name}Rules {{",
        *(
            f"    uint8 internal constant STATE_{_constant(state)} = {number};"
            for number, state in enumerate(machine.states)
        ),
        "",
        *(
            f"    uint256 internal constant PARTY_{_constant(party)} = {1 << bit};"
            for bit, party in enumerate(own_parties, len(COMMON_PARTIES))
        ),
        "",
        *(
            f"    uint256 internal constant {_constant(act.name)} = 0x{rule_word(machine, act):x};"
            for act in own
        ),
        "",
        "    /// @notice The word of an act that all instruments have.",
        "    function common(uint8 act) internal pure returns (uint256) {",
        *(
            f"        if (act == {act.number}) return 0x{rule_word(machine, act):x}; // {act.name}"
            for act in common
        ),
        "        return 0; // nobody's",
        "    }",
        *_led(machine),
        "}",
    ]
    return "\n".join(lines) + "\n"


def _led(machine: Machine) -> list[str]:
    """Where acts of all instruments lead in this one; nothing where all leave it as it is."""
    ways = [
        f"        if (act == {act.number} && state == {machine.states.index(start)})"
        f" return {machine.states.index(end)}; // {act.name}"
        for act in machine.acts
        for start, end in act.leads
    ]
    if not ways:
        return []
    return [
        "",
        "    /// @notice The state that such an act leads to from this one.",
        "    function led(uint8 act, uint8 state) internal pure returns (uint8) {",
        *ways,
        "        return state;",
        "    }",
    ]


def _constant(name: str) -> str:
    return name.replace("-", "_").upper()
