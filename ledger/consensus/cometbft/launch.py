"""Becomes the program given, which from then on dies with the process that started this one.

Run as a file of its own, with nothing but the standard library, so that it starts quickly:
prctl(2), PR_SET_PDEATHSIG survives execve. So does the timer slack: an idle engine has a ticker of
100 microseconds and wakes a thousand times a second for it, which is half of its processor time.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_TIMERSLACK = 29
_TIMER_SLACK_NS = 4_000_000
"""How much later than asked a timer may be; what comes over a socket is not delayed."""


def main() -> None:
    """`launch.py PARENT_PID PROGRAM ARGUMENT…`."""
    parent, program = int(sys.argv[1]), sys.argv[2]
    if sys.platform == "linux":
        prctl = ctypes.CDLL(None, use_errno=True).prctl
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        prctl(_PR_SET_TIMERSLACK, _TIMER_SLACK_NS, 0, 0, 0)
        if os.getppid() != parent:
            sys.exit("the node is gone already")
    os.execv(program, sys.argv[2:])  # noqa: S606


if __name__ == "__main__":
    main()
