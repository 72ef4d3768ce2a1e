"""An observation as Prometheus metrics. Names end in their unit; see docs/operate/README.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from ledger.consensus import DriverState
from ledger.projection import ProjectorState
from nodes.operations.observing import Observer
from nodes.operations.readiness import REASONS, unready
from nodes.operations.settings import OperationsSettings
from nodes.operations.types import Observation

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class NodeCollector(Collector):
    """Takes an observation at each scrape; describes nothing before, so that start is free."""

    def __init__(self, observer: Observer, bounds: OperationsSettings) -> None:
        self._observer = observer
        self._bounds = bounds

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not ask the node."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """All families of one observation."""
        seen = self._observer.observe()
        reasons = {finding.code for finding in unready(seen, self._bounds)}
        yield from _identity(seen)
        yield _gauge("ready", "Whether the node can be given work (1) or not (0).", not reasons)
        yield _by(
            "unready_reason",
            "Why the node is not ready.",
            "reason",
            {code: code in reasons for code in REASONS},
        )
        yield from _chain(seen)
        yield from _mempool(seen)
        yield from _projection(seen)
        yield from _consensus(seen)
        yield from _witness(seen)
        yield from _storage(seen)


def node_registry(observer: Observer, bounds: OperationsSettings) -> CollectorRegistry:
    """A registry of its own: nothing global, several nodes in one process keep apart."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(NodeCollector(observer, bounds))
    ProcessCollector(registry=registry)

    def engine_pid() -> int:
        engine = observer.observe().engine
        # There is no process 0 to read of: the collector then gives nothing.
        return 0 if engine is None or engine.pid is None else engine.pid

    ProcessCollector(namespace="tallystick_engine", pid=engine_pid, registry=registry)
    return registry


def render(registry: CollectorRegistry) -> bytes:
    """The text format that Prometheus scrapes."""
    return generate_latest(registry)


def _gauge(name: str, help_text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"tallystick_{name}", help_text, value=float(value))


def _by(name: str, help_text: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"tallystick_{name}", help_text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], float(value))
    return family


def _identity(seen: Observation) -> Iterator[Metric]:
    about = {"version": seen.version, "origin": seen.origin, "chain_id": str(seen.chain_id)}
    yield InfoMetricFamily("tallystick_node", "What this node is.", value=about)
    yield _gauge(
        "clock_timestamp_seconds",
        "This machine's clock; its distance from the scrape's own time is its error.",
        seen.taken_at,
    )


def _chain(seen: Observation) -> Iterator[Metric]:
    header = seen.head.header
    yield _gauge("head_block_number", "Last block.", header.number)
    yield _gauge("head_block_timestamp_seconds", "Time of the last block.", header.timestamp)
    yield _gauge("log_leaves", "Leaves of the transparency log.", seen.log_size)
    yield CounterMetricFamily(
        "tallystick_blocks_made", "Blocks since the driver started.", value=seen.driver.blocks
    )
    yield _gauge(
        "halted",
        "Whether consensus has stopped for good, because this node may hold something else.",
        seen.driver.halted,
    )
    yield _by(
        "driver_state",
        "What consensus does; 1 for the state it is in.",
        "state",
        {state.value: seen.driver.state is state for state in DriverState},
    )
    refused = CounterMetricFamily(
        "tallystick_submissions_refused",
        "Transactions that clients handed in and the node turned away.",
        labels=["reason"],
    )
    for reason, count in sorted(seen.refusals.items()):
        refused.add_metric([reason], count)
    yield refused


def _mempool(seen: Observation) -> Iterator[Metric]:
    pool = seen.mempool
    yield _by(
        "mempool_transactions",
        "Transactions that wait: pending for the next block, queued for missing nonces.",
        "kind",
        {"pending": pool.pending, "queued": pool.queued},
    )
    yield _gauge("mempool_bytes", "Size of all transactions that wait.", pool.size_bytes)
    yield _gauge("mempool_paused", "Whether all submissions are refused.", pool.paused is not None)


def _projection(seen: Observation) -> Iterator[Metric]:
    projection = seen.projection
    yield _gauge("projection_lag_blocks", "Blocks that SQL has not applied yet.", projection.behind)
    yield _by(
        "projection_state",
        "What the projection does; 1 for the state it is in.",
        "state",
        {state.value: projection.state is state for state in ProjectorState},
    )
    if seen.capture is not None:
        yield _gauge("capture_running", "Whether documents are taken.", seen.capture.running)
        yield _gauge("capture_waiting_jobs", "Jobs under way.", seen.capture.waiting_jobs)
        yield _gauge("capture_waiting_bytes", "Their documents.", seen.capture.waiting_bytes)


def _consensus(seen: Observation) -> Iterator[Metric]:
    engine, membership = seen.engine, seen.membership
    if engine is not None:
        yield _gauge("engine_up", "Whether the consensus engine runs.", engine.up)
        yield CounterMetricFamily(
            "tallystick_engine_restarts",
            "Times the engine was started again after it had ended by itself.",
            value=engine.restarts,
        )
        caught = CounterMetricFamily(
            "tallystick_validator_misbehaviour",
            "Times that a member's validator was proven to have voted twice.",
            labels=["organisation"],
        )
        for name, count in sorted(Counter(one.organisation for one in engine.misbehaviour).items()):
            caught.add_metric([name], count)
        yield caught
        yield _gauge("engine_syncing", "Whether it still fetches blocks.", engine.syncing)
        yield _gauge("consensus_height", "Consensus height, empty blocks included.", engine.height)
        yield _gauge(
            "consensus_lag_heights", "Heights behind the furthest peer.", engine.height_lag
        )
        yield _gauge("peers", "Nodes that this one is connected with.", len(engine.peers))
    if membership is not None:
        yield _gauge("nodes", "Active nodes in the Network contract.", membership.nodes)
        yield _gauge("validators", "Validators with power.", membership.validators)
        yield _gauge("validator_power", "Voting power of this node.", membership.own_power)
        yield _gauge("validators_power", "Voting power of all.", membership.power_total)


def _witness(seen: Observation) -> Iterator[Metric]:
    yield _gauge(
        "fork_evidence",
        "Proofs kept that somebody signed two histories. Any at all is an incident.",
        len(seen.evidence),
    )
    witness = seen.witness
    if witness is None:
        return
    yield _gauge(
        "cosignatures_expected", "Witnesses whose cosignatures are wanted.", len(witness.expected)
    )
    yield _gauge(
        "cosignatures_missing",
        "Witnesses that have not cosigned the newest checkpoint.",
        len(witness.missing),
    )
    yield _gauge(
        "witnesses_unreachable",
        "Witnesses that did not answer when last asked.",
        len(witness.unreachable),
    )
    yield _gauge(
        "witnessed_log_leaves",
        "Leaves of the newest checkpoint with as many cosignatures as verifiers ask for.",
        witness.witnessed_size,
    )


def _storage(seen: Observation) -> Iterator[Metric]:
    yield _by(
        "disk_used_bytes",
        "Room that a part of the node takes.",
        "part",
        {part.name: part.used_bytes for part in seen.disk},
    )
    yield _by(
        "disk_free_bytes",
        "Room left on the disk where a part lies.",
        "part",
        {part.name: part.free_bytes for part in seen.disk},
    )
    yield _gauge("snapshots", "State-sync snapshots that can be served.", len(seen.snapshots))
    if seen.snapshots:
        newest = max(one.made_at for one in seen.snapshots)
        yield _gauge("snapshot_age_seconds", "Age of the newest.", max(0.0, seen.taken_at - newest))
