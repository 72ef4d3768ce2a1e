"""kill -9 while a client acts under Idempotency-Keys: asked again, each thing has happened once."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select

from contracts.stock.tables import lot_table
from ledger.projection import read_transaction
from tests import warm
from tests.traceability.capture.stack import FARM, make_identity, running

pytestmark = [pytest.mark.feature("A1"), pytest.mark.feature("L2")]

KEYS_PER_ROUND = 120


def run(directory: Path, url: str, project: Path, keys: Path, life_s: float | None) -> list[str]:
    """Lines of a node that was killed after so long; None: it comes to its end."""
    command = ("-m", "tests.api.acting_child", str(directory), url, str(keys))
    with warm.start(command, folder=project) as child:
        assert child.stdout is not None
        first = child.stdout.readline()
        if life_s is not None:
            time.sleep(life_s)
            child.kill()
        rest = child.stdout.read()
    assert child.returncode == (0 if life_s is None else -signal.SIGKILL)
    return [line for line in (first + rest).split("\n") if line.count(" ") == 2]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_what_is_asked_for_again_after_kill_9_has_happened_once(
    tmp_path: Path, database_url: str, project_root: Path
) -> None:
    seed = random.Random(7)
    keys: list[str] = []
    told: dict[str, tuple[str, str]] = {}
    for round_ in range(4):
        keys += [f"{round_}-{number}" for number in range(KEYS_PER_ROUND)]
        place = tmp_path / "keys"
        place.write_text("\n".join(reversed(keys)))  # new ones first, then all once more
        last = round_ == 3
        life_s = None if last else seed.uniform(0.2, 1.5)
        for line in run(tmp_path, database_url, project_root, place, life_s):
            key, transaction, block = line.split()
            assert told.setdefault(key, (transaction, block)) == (transaction, block)
    assert sorted(told) == sorted(keys)
    assert len({transaction for transaction, _ in told.values()}) == len(keys)
    with running(tmp_path, make_identity(), database_url=database_url) as stack:
        with read_transaction(stack.engine) as connection:
            count = connection.execute(select(func.count()).select_from(lot_table)).scalar_one()
        assert count == len(keys)
        for transaction, block in told.values():
            found = stack.ledger.receipt(bytes.fromhex(transaction))  # type: ignore[arg-type]
            assert found is not None
            assert (found[0].block_number, found[1].status) == (int(block), 1)
        account = stack.identity.accounts[FARM].address
        assert stack.ledger.pending_nonce(account) >= len(keys)
