"""Instruments' tables (`machine.toml`): read, checked, and turned into Solidity.

One table says who may do what in which state. The contract's own checks are made of it, the Python
model and the tests read it, and the pages in `docs/instruments` are drawn from it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any, Final

from contracts.instruments.errors import MachineError
from contracts.instruments.types import Act, Machine, WhilePledged

COMMON_PARTIES: Final = (
    "anybody",
    "holder",
    "pledgee",
    "authority",
    "pledges",
    "settlement",
    "financing",
    "itself",
)
"""By bit, as in `libraries/Rules.sol`."""

_COMMON: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    ("freeze", "authority", {"pledged": "free", "frozen": True, "locked": True}),
    ("unfreeze", "authority", {"pledged": "free", "frozen": True, "locked": True}),
    ("award", "authority", {"pledged": "free", "frozen": True}),
    ("permit", "pledgee", {"pledged": "free"}),
    ("encumber", "pledges", {"pledged": "no"}),
    ("disencumber", "pledges", {"pledged": "free"}),
    ("seize", "pledges", {"pledged": "free"}),
    ("lock", "settlement", {"pledged": "no"}),
    ("unlock", "settlement", {"pledged": "free", "frozen": True, "locked": True}),
    ("settle", "settlement", {"pledged": "no", "locked": True}),
)
"""Acts of all instruments, by number: name, party, the rest."""

_SAME: Final = 255


def load_machine(package: str) -> Machine:
    """The table of the room `package` (as `contracts.receipts`). Raises `MachineError`."""
    try:
        text = files(package).joinpath("machine.toml").read_text("utf-8")
        return parse_machine(tomllib.loads(text))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise MachineError(f"{package}: its table cannot be read: {error}") from error


def parse_machine(table: Mapping[str, Any]) -> Machine:
    """Check a table and number its rows. Raises `MachineError`."""
    try:
        states = tuple(table["states"])
        parties = (*COMMON_PARTIES, *table["parties"])
        common = table["common"]
        rows = [
            {"name": name, "by": [party], "from": common.get(name, []), **rest}
            for name, party, rest in _COMMON
        ]
        rows[1]["from"] = common["freeze"]  # what was frozen can be released
        rows[8]["from"] = common.get("unlock", common["lock"])
        rows += table["act"]
        acts = tuple(_act(number, row, states, parties) for number, row in enumerate(rows))
        machine = Machine(table["name"], states, parties, acts)
    except (KeyError, TypeError, ValueError) as error:
        raise MachineError(f"table: {type(error).__name__}: {error}") from error
    _check(machine)
    return machine


def _act(number: int, row: Mapping[str, Any], states: Sequence[str], parties: Sequence[str]) -> Act:
    known = {"name", "from", "to", "by", "pledged", "frozen", "locked", "text", "text_zh"}
    if unknown := set(row) - known:
        raise MachineError(f"act {row['name']}: unknown keys {', '.join(sorted(unknown))}")
    for state in (*row["from"], *([row["to"]] if "to" in row else [])):
        if state not in states:
            raise MachineError(f"act {row['name']}: {state!r} is no state")
    for party in row["by"]:
        if party not in parties:
            raise MachineError(f"act {row['name']}: {party!r} is no party")
    return Act(
        number=number,
        name=row["name"],
        states=frozenset(row["from"]),
        to=row.get("to"),
        by=tuple(row["by"]),
        while_pledged=WhilePledged[row.get("pledged", "no").upper()],
        while_frozen=bool(row.get("frozen", False)),
        while_locked=bool(row.get("locked", False)),
        text=row.get("text", ""),
        text_zh=row.get("text_zh", ""),
    )


def _check(machine: Machine) -> None:
    names = [act.name for act in machine.acts]
    if len(set(names)) != len(names):
        raise MachineError(f"{machine.name}: an act stands in the table twice")
    if machine.states[0] != "none" or len(machine.states) > 32:
        raise MachineError(f"{machine.name}: states begin with none and are at most 32")
    if len(machine.parties) > 32:
        raise MachineError(f"{machine.name}: at most 24 parties of its own")
    reached = {"none"} | {act.to for act in machine.acts if act.to is not None}
    if lost := set(machine.states) - reached:
        raise MachineError(f"{machine.name}: no act leads to {', '.join(sorted(lost))}")


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
    common, own = machine.acts[: len(_COMMON)], machine.acts[len(_COMMON) :]
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
        "}",
    ]
    return "\n".join(lines) + "\n"


def _constant(name: str) -> str:
    return name.replace("-", "_").upper()
