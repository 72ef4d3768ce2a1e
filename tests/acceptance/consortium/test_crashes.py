"""Nodes that die, and come back."""

from __future__ import annotations

import random
import time

import pytest

from tests.acceptance.consortium.agreement import checkpoint
from tests.acceptance.consortium.scene import Scene

pytestmark = [pytest.mark.feature("L2"), pytest.mark.consortium, pytest.mark.timeout(300)]

PAUSE_S_MAX = 10.0
"""How long a consortium may stand still when one of four is gone."""


def test_one_of_four_killed_under_load_stops_nothing_and_catches_up(scene: Scene) -> None:
    with scene.load() as load:
        load.wait_acknowledged(40, 30)
        killed = time.monotonic()
        scene.network.kill(3)
        load.wait_acknowledged(120, 60)
        assert load.longest_pause(killed) < PAUSE_S_MAX
        scene.network.start(3)
        load.wait_acknowledged(40, 30)
    scene.check()


@pytest.mark.slow
def test_two_killed_stop_the_chain_until_one_returns_and_nothing_is_lost(scene: Scene) -> None:
    network = scene.network
    with scene.load() as load:
        load.wait_acknowledged(40, 30)
        network.kill(2)
        network.kill(3)
        time.sleep(1.5)
        stopped = network.head(0)
        done = len(load.acknowledged)
        time.sleep(4)
        assert network.head(0) == network.head(1) == stopped, "half of the power made a block"
        assert len(load.acknowledged) - done <= 0, "something was acknowledged without a quorum"
        client = network.api(0)
        assert checkpoint(client) is not None, "a node that waits still serves what it has"
        client.close()
        network.start(2)
        load.wait_acknowledged(40, 60)
        network.start(3)
        load.wait_acknowledged(40, 30)
    scene.check()


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_rolling_restart_under_load_is_not_noticed(scene: Scene) -> None:
    network = scene.network
    with scene.load() as load:
        load.wait_acknowledged(40, 30)
        began = time.monotonic()
        for index in range(4):
            network.stop(index)
            load.wait_acknowledged(20, 60)
            network.start(index)
            target = max(network.head(one) for one in range(4))
            deadline = time.monotonic() + 60
            while network.head(index) < target:
                assert time.monotonic() < deadline, f"node {index} does not catch up"
                time.sleep(0.1)
        load.wait_acknowledged(40, 30)
        assert load.longest_pause(began) < PAUSE_S_MAX
    scene.check()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_kill_9_of_random_nodes_at_random_moments_loses_nothing(scene: Scene) -> None:
    draw, network = random.Random(7), scene.network
    with scene.load() as load:
        for _ in range(12):
            load.wait_acknowledged(draw.randrange(5, 40), 90)
            victims = draw.sample(range(4), draw.choice((1, 1, 2, 3, 4)))
            for index in victims:
                network.kill(index)
            time.sleep(draw.uniform(0, 1.5))
            for index in victims:
                network.launch(index)
            for index in victims:
                network.wait_ready(index)
        load.wait_acknowledged(40, 60)
    scene.check()


@pytest.mark.slow
def test_a_node_that_was_frozen_goes_on_where_it_stood(scene: Scene) -> None:
    with scene.load([0, 1, 2]) as load:
        load.wait_acknowledged(20, 30)
        scene.network.pause(3)
        paused = time.monotonic()
        load.wait_acknowledged(100, 60)
        assert load.longest_pause(paused) < PAUSE_S_MAX
        scene.network.resume(3)
        load.wait_acknowledged(20, 30)
    scene.check()
