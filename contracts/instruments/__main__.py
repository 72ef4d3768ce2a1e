"""`python -m contracts.instruments`: write each table's Solidity; `--check` compares only."""

from __future__ import annotations

import sys
from pathlib import Path

from contracts.instruments.errors import MachineError
from contracts.instruments.machine import load_machine, solidity


def main(arguments: list[str]) -> int:
    """0: written, or all as it should be; 1: a library differs; 2: a table is wrong."""
    if arguments not in ([], ["--check"]):
        print("usage: python -m contracts.instruments [--check]", file=sys.stderr)
        return 2
    different = 0
    for table in sorted(Path(__file__).parents[1].glob("*/machine.toml")):
        room = table.parent
        try:
            machine = load_machine(f"contracts.{room.name}")
        except MachineError as error:
            print(error, file=sys.stderr)
            return 2
        target, text = room / "libraries" / f"{machine.name}Rules.sol", solidity(machine)
        same = target.exists() and target.read_text("utf-8") == text
        different += not same
        if not arguments and not same:
            target.parent.mkdir(exist_ok=True)
            target.write_text(text, "utf-8")
        state = "same" if same else "DIFFERS" if arguments else "wrote"
        print(f"{state} {target.relative_to(room.parent)}")
    return 1 if arguments and different else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
