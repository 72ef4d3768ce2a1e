"""Our node with a clock that is wrong: `python -m … node start DIR` like `tally`.

The engine's clock is another matter (engines.py). Here `time.time`, `time.time_ns` and
`datetime.now` of this process are off by as many seconds as the environment says.
"""

from __future__ import annotations

import datetime
import os
import time

VARIABLE = "TALLY_TEST_CLOCK_OFFSET_S"


def set_clock_wrong(offset_s: float) -> None:
    """Before anything else is imported that takes these functions."""
    seconds, nanoseconds, real = time.time, time.time_ns, datetime.datetime

    class WrongDatetime(real):  # type: ignore[misc, valid-type]
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
            return real.now(tz) + datetime.timedelta(seconds=offset_s)

    time.time = lambda: seconds() + offset_s
    time.time_ns = lambda: nanoseconds() + int(offset_s * 10**9)
    datetime.datetime = WrongDatetime  # type: ignore[misc]


if __name__ == "__main__":
    set_clock_wrong(float(os.environ[VARIABLE]))
    from nodes.cli import main

    main()
