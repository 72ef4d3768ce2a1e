"""A node that acts in a process of its own, to be killed.

`python -m tests.api.acting_child FOLDER DATABASE_URL KEYS` does what each line of the file KEYS
asks for, under the line as its key, many at once, and prints key, transaction and block of each
that was answered.
"""

from __future__ import annotations

import hashlib
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from api.operations import Idempotency, Operations
from tests.api.acting import make_warehouse, register
from tests.traceability.capture.stack import FARM, make_identity, running


def act(directory: Path, database_url: str, keys: list[str]) -> None:
    with running(directory, make_identity(), database_url=database_url) as stack:
        if stack.head() == 0:
            make_warehouse(stack)
        operations = Operations(
            stack.engine, stack.ledger, stack.projector, stack.signers, stack.nonces
        )
        operations.start()
        telling = threading.Lock()

        def one(key: str) -> None:
            digest = hashlib.sha256(key.encode()).digest()
            call = register(operations, key)
            done = operations.begin(FARM, call, Idempotency(key, digest)).result(60)
            with telling:  # lines of several threads must not run into each other
                print(f"{key} {done.transaction.hex()} {done.block}", flush=True)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(one, keys))
        operations.stop()


if __name__ == "__main__":
    act(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]).read_text().split())
