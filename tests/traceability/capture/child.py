"""A node in a process of its own, to be killed.

`python -m tests.traceability.capture.child FOLDER DATABASE_URL ROUND` takes documents in
as fast as it goes and prints each acknowledged capture id.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.traceability.capture.stack import FARM, document, event, make_identity, running
from traceability.capture import CaptureSettings

EVENTS_PER_DOCUMENT = 3


def capture(directory: Path, database_url: str, round_: str) -> None:
    settings = CaptureSettings(workers=0, transactions_in_flight_max=3)
    with running(directory, make_identity(), settings, database_url=database_url) as stack:
        for number in range(100_000):
            events = (event(f"{round_}-{number}-{n}") for n in range(EVENTS_PER_DOCUMENT))
            print(stack.capture.submit(document(*events), FARM), flush=True)


if __name__ == "__main__":
    capture(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
