"""`python -m ledger.snapshot CHAIN TARGET [--height N]`: make a snapshot in a process of its own.

Prints one JSON object a line: how far it is, at last the snapshot's folder or what went wrong.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import signal
import sys
from pathlib import Path

from ledger.errors import TallystickError
from ledger.snapshot.making import make_snapshot

_PR_SET_PDEATHSIG = 1
_NICENESS = 15


def main() -> int:
    """Entry point. 0 where a snapshot was made, 1 with a message where not."""
    parser = argparse.ArgumentParser(prog="python -m ledger.snapshot", description=__doc__)
    parser.add_argument("chain", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--height", type=int, help="wait until the chain has come to this height")
    parser.add_argument("--parent", type=int, help="end with this process")
    arguments = parser.parse_args()
    _end_with(arguments.parent)
    os.nice(_NICENESS)
    try:
        info = make_snapshot(
            arguments.chain,
            arguments.target,
            lambda done, total: _say(done=done, total=total),
            height=arguments.height,
        )
    except (TallystickError, OSError) as error:
        _say(error=" ".join(str(error).split()))
        return 1
    _say(height=info.height, format=info.format)
    return 0


def _say(**fields: object) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


def _end_with(parent: int | None) -> None:
    """Die when the node does, however it does (prctl(2), Linux)."""
    if parent is None:
        return
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)


if __name__ == "__main__":
    sys.exit(main())
