"""Becomes the program given, which from then on dies with the process that started this one.

Run as a file of its own, with nothing but the standard library, so that it starts quickly:
prctl(2), PR_SET_PDEATHSIG survives execve.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """`launch.py PARENT_PID PROGRAM ARGUMENT…`."""
    parent, program = int(sys.argv[1]), sys.argv[2]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            sys.exit("the node is gone already")
    os.execv(program, sys.argv[2:])  # noqa: S606


if __name__ == "__main__":
    main()
