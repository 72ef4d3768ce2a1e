"""Networks that fall apart, and are joined again."""

from __future__ import annotations

import time

import pytest

from tests.acceptance.consortium.scene import Scene

pytestmark = [pytest.mark.feature("L2"), pytest.mark.consortium]

HEAL_S = 90.0
"""Until a connection that was cut is made anew: the engine tries again every few seconds."""


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_two_halves_both_stop_and_go_on_together(scene: Scene) -> None:
    network = scene.network
    with scene.load() as load:
        load.wait_acknowledged(40, 30)
        network.hosts.partition([[0, 1], [2, 3]])
        time.sleep(2)
        stopped = [network.head(index) for index in range(4)]
        time.sleep(6)
        assert [network.head(index) for index in range(4)] == stopped, "a half has made blocks"
        assert max(stopped) - min(stopped) <= 1
        network.hosts.heal()
        load.wait_acknowledged(60, HEAL_S)
    scene.check(timeout_s=HEAL_S)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_majority_goes_on_and_the_one_cut_off_catches_up(scene: Scene) -> None:
    network = scene.network
    with scene.load([0, 1, 2]) as load:
        load.wait_acknowledged(40, 30)
        cut = time.monotonic()
        network.hosts.partition([[0, 1, 2], [3]])
        time.sleep(1)
        alone = network.head(3)
        load.wait_acknowledged(120, 60)
        assert load.longest_pause(cut) < 10
        assert network.head(3) <= alone + 1, "a node that is alone has made blocks"
        assert network.head(0) > alone + 1
        network.hosts.heal()
        deadline = time.monotonic() + HEAL_S
        while network.head(3) < network.head(0) - 2:
            assert time.monotonic() < deadline, "the node that was cut off does not catch up"
            time.sleep(0.2)
    scene.check(timeout_s=HEAL_S)
