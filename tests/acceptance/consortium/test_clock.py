"""One member's clock is hours wrong, its engine's and its node's alike: chain time stays sane."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.consortium import wrong_clock
from tests.acceptance.consortium.engines import OFFSET, build_engine_of_wrong_clock
from tests.acceptance.consortium.network import WRONG_CLOCK, Network, found_network
from tests.acceptance.consortium.scene import Scene

pytestmark = [
    pytest.mark.feature("L2"),
    pytest.mark.consortium,
    pytest.mark.slow,
    pytest.mark.timeout(400),
]

EXIT_HALTED = 4
LATE_S = 8
"""A block is sealed within this time of the moment that it says."""


@pytest.fixture(scope="module")
def wrong_engine(
    cometbft: Path, require: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    return build_engine_of_wrong_clock(require("go"), tmp_path_factory.mktemp("engine"))


def set_wrong(network: Network, index: int, engine: Path, hours: float) -> None:
    """The clock of this node and of its engine is so many hours ahead."""
    script = network.base / f"cometbft-{index}"
    script.write_text(f'#!/bin/sh\n{OFFSET}={hours}h exec {engine} "$@"\n')
    script.chmod(0o755)
    member = network.members[index]
    member.environment["TALLY_COMETBFT"] = str(script)
    member.environment[wrong_clock.VARIABLE] = str(hours * 3600)
    member.program = list(WRONG_CLOCK)


def block_times(scene: Scene, node: int, since: int) -> list[int]:
    """Of the node's blocks after `since`."""
    client = scene.network.rpc(node)
    head = scene.network.head(node)
    blocks = [
        client.call("eth_getBlockByNumber", hex(number), False)
        for number in range(since + 1, head + 1)
    ]
    client.close()
    return [int(block["timestamp"], 16) for block in blocks]


def test_a_clock_hours_ahead_moves_nobody(
    make_network: Callable[..., Network], wrong_engine: Path
) -> None:
    network = make_network()
    set_wrong(network, 3, wrong_engine, 5)
    with Scene(network) as scene:
        scene.begin()
        with scene.load() as load:
            first, began = network.head(0), time.time()
            load.wait_acknowledged(150, 120)
        ended = time.time()
        times = block_times(scene, 0, first)
        assert times == sorted(times)
        assert times[0] >= began - LATE_S
        assert times[-1] <= ended + 1
        assert times[-1] >= ended - LATE_S
        scene.check()


def test_a_clock_hours_behind_stops_its_own_node_alone_which_says_why(
    make_hosts: Callable[..., Any], wrong_engine: Path, tmp_path: Path
) -> None:
    with make_hosts(4) as hosts:
        found_network(tmp_path / "network", hosts, age_s=24 * 3600)
        with Network(tmp_path / "network", hosts) as network, Scene(network) as scene:
            scene.begin()
            stop_a_node_by_its_clock(scene, wrong_engine)


def stop_a_node_by_its_clock(scene: Scene, engine: Path) -> None:
    """Node 3 starts again five hours behind; then its clock is set right."""
    network = scene.network
    network.stop(3)
    set_wrong(network, 3, engine, -5)
    behind = network.members[3]
    network.launch(3)
    with scene.load([0, 1, 2]) as load:
        first, began = network.head(0), time.time()
        load.wait_acknowledged(150, 120)
    times = block_times(scene, 0, first)
    assert times == sorted(times)
    assert began - LATE_S <= times[0] <= times[-1] <= time.time() + 1
    assert times[-1] >= time.time() - LATE_S
    assert behind.process is not None
    assert behind.process.wait(60) == EXIT_HALTED, network.told(3)
    assert "clock is behind" in network.told(3)
    behind.environment.clear()
    behind.program = list(network.members[0].program)
    network.start(3)
    scene.check()


def test_after_an_idle_time_a_block_says_when_it_was_made_not_when_the_last_one_was(
    scene: Scene,
) -> None:
    with scene.load() as load:
        load.wait_acknowledged(10, 30)
    scene.agree()
    time.sleep(12)
    first, began = scene.network.head(0), time.time()
    with scene.load() as load:
        load.wait_acknowledged(10, 30)
    times = block_times(scene, 0, first)
    assert times[0] >= began - 5
    assert times[-1] <= time.time() + 1
    scene.check()
