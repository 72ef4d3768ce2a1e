"""The messages of a training; those of the sums in it are `federation.masking`'s.

server → bank   horizontal/start    hash of the settings, last round done, what is known
server → bank   horizontal/task     round, what is asked, what is known; or the end
bank → server   horizontal/answer   numbers that the server may see (nets without masks)
"""

from __future__ import annotations

from typing import Final

START: Final = "horizontal/start"
TASK: Final = "horizontal/task"
ANSWER: Final = "horizontal/answer"
FINISH: Final = "finish"
STOP: Final = "stop"
ASK_CHARACTERS_MAX: Final = 20
REASON_CHARACTERS_MAX: Final = 500
ROUNDS_MAX: Final = 100_000


def step_name(number: int, ask: str) -> str:
    """The name of a round's masked sum."""
    return f"{number}/{ask}"
