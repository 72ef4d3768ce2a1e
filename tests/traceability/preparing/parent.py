"""A process with a worker, to be killed: prints the worker's process id."""

from __future__ import annotations

import time

from traceability.preparing import ErrorBehaviour, PreparingSettings, Workers
from traceability.preparing.prepare import _SAMPLE


def main() -> None:
    workers = Workers(PreparingSettings(workers=1))
    workers.start()
    workers.submit(_SAMPLE, ErrorBehaviour.ROLLBACK).result(60)
    print(*workers.process_ids(), flush=True)
    time.sleep(60)


if __name__ == "__main__":
    main()
