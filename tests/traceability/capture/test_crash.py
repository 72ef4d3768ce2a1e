"""kill -9 while documents are captured: what was acknowledged is there afterwards, once."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select

from ledger.projection import read_transaction
from ledger.tlog import leaf_hash, root_of
from tests.traceability.capture.stack import FARM, Identity, document, event, make_identity, running
from traceability.bundle import build_bundle, verify_bundle
from traceability.capture import CaptureSettings
from traceability.capture.tables import capture_batch
from traceability.projection.tables import event_repeat
from traceability.query import stored_event

pytestmark = [pytest.mark.feature("T1"), pytest.mark.feature("L2")]
EVENTS_PER_DOCUMENT = 3


def capture_until_killed(
    directory: Path, identity: Identity, acknowledged: int, round_: int
) -> None:
    """In the child: take documents in as fast as it goes; each acknowledgement goes to the pipe."""
    settings = CaptureSettings(workers=0, transactions_in_flight_max=3)
    with running(directory, identity, settings) as stack:
        for number in range(100_000):
            events = (event(f"{round_}-{number}-{n}") for n in range(EVENTS_PER_DOCUMENT))
            capture_id = stack.capture.submit(document(*events), FARM)
            os.write(acknowledged, f"{capture_id}\n".encode())


def killed_round(directory: Path, identity: Identity, round_: int, life_s: float) -> list[str]:
    """Capture ids that a child acknowledged before it was killed."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - it ends by SIGKILL
        os.close(reader)
        try:
            capture_until_killed(directory, identity, writer, round_)
        finally:
            os._exit(1)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        first = stream.readline()
        time.sleep(life_s)
        os.kill(child, signal.SIGKILL)
        rest = stream.read()
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the child ended by itself"
    return [line.decode() for line in (first + rest).split(b"\n") if len(line) == 36]


@pytest.mark.parametrize(
    "rounds", [3, pytest.param(20, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
)
def test_every_acknowledged_event_is_provable_after_kill_9(tmp_path: Path, rounds: int) -> None:
    identity = make_identity()
    acknowledged: list[str] = []
    seed = random.Random(rounds)
    for round_ in range(rounds):
        acknowledged += killed_round(tmp_path, identity, round_, seed.uniform(0.05, 1.0))
    assert len(acknowledged) > 3 * rounds
    with running(tmp_path, identity) as stack:
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
