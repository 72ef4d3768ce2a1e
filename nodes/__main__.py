"""`python -m nodes` is `tally`."""

from __future__ import annotations

import gc

from nodes.cli import main


def program() -> None:
    """`tally` as a process of its own, which ends afterwards."""
    try:
        main()
    finally:
        # The interpreter would look through all there is once more, for a second; the system takes
        # the memory back anyway.
        gc.freeze()


if __name__ == "__main__":
    program()
