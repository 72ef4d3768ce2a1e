"""Metrics: of a real ledger, by Prometheus' rules, and nothing done when nobody scrapes."""

from __future__ import annotations

import os
import re
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from ledger.evm import TransactionMalformed
from ledger.mempool import NotPermitted
from nodes.operations import (
    EngineView,
    MisbehaviourView,
    OperationsSettings,
    SnapshotView,
    observing,
)
from nodes.operations.blocks import BlockMeter
from nodes.operations.metrics import NodeCollector
from nodes.operations.observing import Observer
from tests.ledger.chain.support import sender
from tests.ledger.projection.support import COUNTED, MemoryChain, add_logs
from tests.nodes.operations.conftest import Listener, Parts, listening
from tests.nodes.operations.observations import WELL

pytestmark = pytest.mark.feature("N5")


def scrape(listener: Listener) -> dict[str, Metric]:
    answer = listener.get("/metrics", token=None)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {family.name: family for family in text_string_to_metric_families(answer.text)}


def value(families: dict[str, Metric], name: str, **labels: str) -> float:
    (found,) = [
        sample.value
        for family in families.values()
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    return found


def test_they_tell_of_the_ledger_as_it_is(parts: Parts, listener: Listener) -> None:
    before = scrape(listener)
    assert value(before, "tallystick_head_block_number") == 0
    parts.mine(3)
    parts.projector.wait_for(3, 30)
    # An observation is shared for half a second.
    fresh = listening(parts)
    after = scrape(fresh)
    fresh.server.stop()
    head = parts.ledger.head().header
    assert value(after, "tallystick_head_block_number") == head.number == 3
    assert value(after, "tallystick_head_block_timestamp_seconds") == head.timestamp
    assert value(after, "tallystick_log_leaves") == parts.ledger.log.size > 0
    assert value(after, "tallystick_projection_lag_blocks") == 0
    assert value(after, "tallystick_blocks_made_total") == 3
    assert value(after, "tallystick_driver_state", state="running") == 1
    assert value(after, "tallystick_driver_state", state="failing") == 0
    assert value(after, "tallystick_ready") == 1
    assert value(after, "tallystick_mempool_transactions", kind="pending") == 0
    assert value(after, "tallystick_disk_used_bytes", part="chain") > 10_000
    assert value(after, "tallystick_disk_free_bytes", part="chain") > 1 << 20
    assert value(after, "process_resident_memory_bytes") > 1 << 20
    assert value(after, "process_cpu_seconds_total") > 0


def test_blocks_are_counted_as_they_come(parts: Parts, listener: Listener) -> None:
    parts.mine(2)
    reverting = parts.someone.sign(data=b"")
    parts.someone.nonce += 1
    parts.ledger.wait_for(parts.ledger.submit(reverting), 30)
    parts.projector.wait_for(3, 30)  # told after us
    families = scrape(listener)
    assert value(families, "tallystick_block_transactions_count") == 3
    assert value(families, "tallystick_block_transactions_bucket", le="1.0") == 3
    assert value(families, "tallystick_block_interval_seconds_count") == 2
    assert value(families, "tallystick_transactions_reverted_total") == 1
    headers = [parts.ledger.header(number) for number in (1, 2, 3)]
    used = sum(header.gas_used for header in headers if header is not None)
    assert value(families, "tallystick_gas_used_total") == used > 0


def test_intervals_and_sizes_fall_into_their_buckets() -> None:
    chain, registry, moments = MemoryChain(), CollectorRegistry(), iter([10.0, 10.2, 17.0])
    meter = BlockMeter(chain, registry, clock=lambda: next(moments))
    meter.start()
    meter.start()
    assert chain.subscribers == 1
    for count in (1, 6, 60):
        chain.add([(COUNTED, b"", [])] * count)
    read = registry.get_sample_value
    assert read("tallystick_block_interval_seconds_bucket", {"le": "0.1"}) == 0
    assert read("tallystick_block_interval_seconds_bucket", {"le": "0.25"}) == 1
    assert read("tallystick_block_interval_seconds_bucket", {"le": "5.0"}) == 1
    assert read("tallystick_block_interval_seconds_bucket", {"le": "10.0"}) == 2
    assert read("tallystick_block_transactions_bucket", {"le": "5.0"}) == 1
    assert read("tallystick_block_transactions_bucket", {"le": "10.0"}) == 2
    assert read("tallystick_block_transactions_sum", {}) == 67
    meter.stop()
    assert chain.subscribers == 0
    add_logs(chain, b"x")
    assert read("tallystick_block_transactions_sum", {}) == 67


def test_refused_submissions_are_counted_by_their_kind(parts: Parts) -> None:
    stranger = sender(99)
    for _ in range(2):
        with pytest.raises(NotPermitted):
            parts.ledger.submit(stranger.sign())
    with pytest.raises(TransactionMalformed):
        parts.ledger.submit(b"\x02nonsense")
    made = listening(parts, refusals=parts.ledger.refusals)
    families = scrape(made)
    made.server.stop()
    name = "tallystick_submissions_refused_total"
    assert value(families, name, reason="NotPermitted") == 2
    assert value(families, name, reason="TransactionMalformed") == 1


def test_an_engine_and_its_process_are_told(parts: Parts) -> None:
    assert WELL.engine is not None
    engine = EngineView(up=True, height=90, peers=WELL.engine.peers, restarts=2, pid=os.getpid())
    made = listening(
        parts,
        engine=lambda: engine,
        membership=lambda: WELL.membership,
        witness=lambda: WELL.witness,
        snapshots=lambda: [SnapshotView(80, 0.0, 5), SnapshotView(60, 0.0, 5)],
    )
    families = scrape(made)
    made.server.stop()
    assert value(families, "tallystick_engine_up") == 1
    assert value(families, "tallystick_engine_restarts_total") == 2
    assert value(families, "tallystick_consensus_height") == 90
    assert value(families, "tallystick_consensus_lag_heights") == 10
    assert value(families, "tallystick_peers") == 3
    assert value(families, "tallystick_validator_power") == 10
    assert value(families, "tallystick_cosignatures_expected") == 4
    assert value(families, "tallystick_snapshots") == 2
    assert value(families, "tallystick_snapshot_age_seconds") > 1_700_000_000
    assert value(families, "tallystick_engine_process_resident_memory_bytes") > 1 << 20


def test_a_validator_that_voted_twice_is_counted_for_its_owner(parts: Parts) -> None:
    cases = [
        MisbehaviourView("ab" * 20, "boreal", "voted twice", height, 1_700_000_000.0)
        for height in (7, 8)
    ]
    well = WELL.engine
    assert well is not None
    made = listening(parts, engine=lambda: replace(well, misbehaviour=tuple(cases)))
    families = scrape(made)
    status = made.get("/status").json()
    made.server.stop()
    name = "tallystick_validator_misbehaviour_total"
    assert value(families, name, organisation="boreal") == 2
    (first, _) = status["consensus"]["engine"]["misbehaviour"]
    assert first == {
        "validator": "ab" * 20,
        "organisation": "boreal",
        "kind": "voted twice",
        "height": 7,
        "time": "2023-11-14T22:13:20Z",
    }
    found = [one["text"] for one in status["alerts"] if one["code"] == "misbehaviour"]
    assert len(found) == 2
    assert "of boreal voted twice at consensus height 7" in found[0]
    assert "misbehaviour" not in [one["code"] for one in status["reasons"]]


def test_a_part_that_fails_hides_only_itself(parts: Parts) -> None:
    def broken() -> EngineView:
        raise OSError("no such socket")

    made = listening(parts, engine=broken)
    families = scrape(made)
    made.server.stop()
    assert "tallystick_engine_up" not in families
    assert value(families, "tallystick_unready_reason", reason="engine") == 1
    assert value(families, "tallystick_ready") == 0
    assert value(families, "tallystick_head_block_number") == 0


def test_names_and_help_follow_the_conventions(parts: Parts) -> None:
    """Prometheus' naming practice: prefix, base units, `_total` for what only grows."""
    made = listening(parts, engine=lambda: WELL.engine, witness=lambda: WELL.witness)
    families = scrape(made)
    made.server.stop()
    ours = [f for f in families.values() if f.name.startswith("tallystick_")]
    assert len(ours) > 25
    for family in ours:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", family.name)
        assert family.documentation, family.name
        assert not re.search(r"_(ms|minutes|kib|mib|count|info_total)$", family.name)
        if family.type == "counter":
            assert all(s.name.endswith(("_total", "_created")) for s in family.samples)
        else:
            assert not any(s.name.endswith("_total") for s in family.samples)


def test_the_node_is_not_asked_before_somebody_scrapes(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observing, "KEPT_S", 60.0)  # however long five scrapes take
    asked: list[int] = []

    def engine() -> EngineView:
        asked.append(1)
        return EngineView(True, 1)

    made = listening(parts, engine=engine)
    assert asked == []
    for _ in range(5):
        scrape(made)
    made.server.stop()
    assert len(asked) == 1  # and askers at one time share an observation


def test_registering_the_collector_asks_nothing(parts: Parts) -> None:
    parts.ledger.close()
    registry = CollectorRegistry()
    registry.register(NodeCollector(Observer(parts.sources), OperationsSettings()))
