"""`python -m contracts.instruments`: write each table's Solidity and page; `--check` compares."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from contracts.instruments.drawing import page
from contracts.instruments.errors import MachineError
from contracts.instruments.machine import load_machine
from contracts.instruments.solidity import solidity

_PROJECT = Path(__file__).resolve().parents[2]


def main(arguments: list[str]) -> int:
    """0: written, or all as it should be; 1: a file differs; 2: a table is wrong."""
    if arguments not in ([], ["--check"]):
        print("usage: python -m contracts.instruments [--check]", file=sys.stderr)
        return 2
    try:
        made = list(_made())
    except MachineError as error:
        print(error, file=sys.stderr)
        return 2
    different = 0
    for target, text in made:
        same = target.exists() and target.read_text("utf-8") == text
        different += not same
        if not arguments and not same:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, "utf-8")
        state = "same" if same else "DIFFERS" if arguments else "wrote"
        print(f"{state} {target.relative_to(_PROJECT)}")
    return 1 if arguments and different else 0


def _made() -> Iterator[tuple[Path, str]]:
    """Every file that is made of a table, and what belongs there."""
    for table in sorted((_PROJECT / "contracts").glob("*/machine.toml")):
        room = table.parent
        machine = load_machine(f"contracts.{room.name}")
        yield room / "libraries" / f"{machine.name}Rules.sol", solidity(machine)
        yield _PROJECT / "docs/instruments" / f"{machine.name.lower()}.md", page(machine)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
