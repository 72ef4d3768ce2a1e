"""Finality is measured from the moment a transaction was due, and nothing is left out."""

from __future__ import annotations

import asyncio
import os
import time

import pytest

from benchmarks.finality import engine_follower, measure_finality
from benchmarks.kvstore import kvstore_network
from benchmarks.measure import processor_time
from tests.conftest import skip_or_fail

pytestmark = pytest.mark.feature("L3")


def test_processor_time_grows_with_work_and_counts_us_as_no_engine() -> None:
    before = processor_time([os.getpid()])
    deadline = time.process_time() + 0.2
    while time.process_time() < deadline:
        sum(range(1000))
    used = processor_time([os.getpid()]).since(before)
    assert 0.1 < used.application_s < 60
    assert used.engine_s == 0


@pytest.mark.consortium
@pytest.mark.slow
def test_every_transaction_to_cometbfts_kvstore_is_heard_of_once() -> None:
    from ledger.consensus.cometbft import EngineMissing, EngineVersionWrong, find_engine

    try:
        program = find_engine()
    except (EngineMissing, EngineVersionWrong) as missing:
        skip_or_fail(str(missing))
    with kvstore_network(program, 4) as network:
        before = processor_time(network.pids)
        lanes = network.lanes(80, 8, "paced")
        paced = asyncio.run(
            measure_finality(engine_follower, network.urls[0], lanes, pace_per_s=40)
        )
        lanes = network.lanes(400, 8, "windowed")
        windowed = asyncio.run(measure_finality(engine_follower, network.urls[0], lanes, window=10))
        assert processor_time(network.pids).since(before).engine_s > 0
    assert (paced.done, windowed.done) == (80, 400)
    assert paced.seconds > 79 / 40
    assert len(paced.latencies_s) == 80
    assert all(0 < latency < 60 for latency in paced.latencies_s + windowed.latencies_s)
