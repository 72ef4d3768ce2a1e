"""kill -9 while documents are captured: what was acknowledged is there afterwards, once."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select

from ledger.projection import read_transaction
from ledger.tlog import leaf_hash, root_of
from tests import warm
from tests.traceability.capture.child import EVENTS_PER_DOCUMENT
from tests.traceability.capture.stack import make_identity, running
from traceability.bundle import build_bundle, verify_bundle
from traceability.capture.tables import capture_batch
from traceability.projection.tables import event_repeat
from traceability.query import stored_event

pytestmark = [pytest.mark.feature("T1"), pytest.mark.feature("L2")]


def killed_round(
    directory: Path, database_url: str, project: Path, round_: int, life_s: float
) -> list[str]:
    """Capture ids that a node acknowledged before it was killed."""
    command = ("-m", "tests.traceability.capture.child", str(directory), database_url, str(round_))
    with warm.start(command, folder=project) as child:
        assert child.stdout is not None
        first = child.stdout.readline()
        time.sleep(life_s)
        child.kill()
        rest = child.stdout.read()
    assert child.returncode == -signal.SIGKILL, "the child ended by itself"
    return [line for line in (first + rest).split("\n") if len(line) == 36]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_acknowledged_event_is_provable_after_kill_9(
    tmp_path: Path, database_url: str, project_root: Path
) -> None:
    kill_and_look(tmp_path, database_url, project_root, 20)


def test_every_acknowledged_event_is_provable_after_some_kills(
    tmp_path: Path, project_root: Path
) -> None:
    kill_and_look(tmp_path, f"sqlite:///{tmp_path}/tally.sqlite", project_root, 3)


def kill_and_look(tmp_path: Path, database_url: str, project_root: Path, rounds: int) -> None:
    """So many lives of one node, then what it had acknowledged."""
    acknowledged: list[str] = []
    seed = random.Random(rounds)
    for round_ in range(rounds):
        acknowledged += killed_round(
            tmp_path, database_url, project_root, round_, seed.uniform(0.05, 1.0)
        )
    assert len(acknowledged) > 3 * rounds
    with running(tmp_path, make_identity(), database_url=database_url) as stack:
        jobs = [stack.capture.finished(one).result(120) for one in acknowledged]
        assert [job.errors for job in jobs if not job.success] == []
        assert all(len(job.event_ids) == EVENTS_PER_DOCUMENT for job in jobs)
        while stack.capture.status().waiting_jobs:  # stored, but killed before they were told
            time.sleep(0.05)
        with read_transaction(stack.engine) as connection:
            for job in jobs:
                for event_id in job.event_ids:
                    found = stored_event(connection, event_id)
                    assert found is not None, event_id
            bundle = build_bundle(found, stack.ledger).encode()
            repeats = select(func.count()).select_from(event_repeat)
            assert connection.execute(repeats).scalar_one() == 0, "anchored twice"
        stack.capture._committer.submit(lambda _: None).result(10)  # what is told is written soon
        with read_transaction(stack.engine) as connection:
            states = connection.execute(select(capture_batch.c.state).distinct()).scalars().all()
        assert states == ["anchored"]
        assert verify_bundle(bundle, None).outcome.value == "unknown"
        log = stack.ledger.log
        assert root_of([leaf_hash(log.entry(index)) for index in range(log.size)]) == log.root
