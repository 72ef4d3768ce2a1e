"""One member's disk is slow, or full: the others do not wait for it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable

import pytest

from tests.acceptance.consortium.disks import DELAYED, fill, slow_disk, small_disk
from tests.acceptance.consortium.network import Network
from tests.acceptance.consortium.scene import Scene
from tests.conftest import skip_or_fail

pytestmark = [pytest.mark.feature("L2"), pytest.mark.consortium, pytest.mark.slow]

FSYNC_MS = 200


@pytest.mark.timeout(300)
def test_a_node_with_a_slow_disk_holds_nobody_up(
    scene: Scene, require: Callable[[str], str]
) -> None:
    network = scene.network
    trace = network.base / "fsyncs"
    network.stop(3)
    network.members[3].wrapper = slow_disk(require("strace"), FSYNC_MS, trace)
    network.start(3)
    before = trace.read_text(errors="replace").count(DELAYED)
    with scene.load([0, 1, 2]) as load:
        began = time.monotonic()
        load.wait_acknowledged(150, 120)
        assert load.longest_pause(began) < 10
    slowed = trace.read_text(errors="replace").count(DELAYED) - before
    assert slowed > 10, "the disk was not slow: nothing was tested"
    scene.check(timeout_s=120)


@pytest.mark.timeout(300)
def test_a_node_with_a_full_disk_waits_the_others_go_on_and_it_recovers(
    make_network: Callable[..., Network],
) -> None:
    if os.geteuid() != 0:
        skip_or_fail("mounting a small file system needs root")
    network = make_network()
    network.settings(3, operations__disk_free_mib_min=1)
    full = network.members[3]
    with small_disk(full.directory, 96), Scene(network) as scene:
        scene.begin()
        with scene.load([0, 1, 2]) as load:
            load.wait_acknowledged(30, 30)
            filler = fill(full.directory)
            began = time.monotonic()
            load.wait_acknowledged(150, 90)
            assert load.longest_pause(began) < 10
            assert network.head(0) > network.head(3), "the full disk has made no difference"
            told = network.tally(3, "node", "status", "--dir", str(full.directory), "--json")
            assert "full" in (told.stdout + told.stderr + network.told(3)).lower()
            if told.returncode == 0:
                assert json.loads(told.stdout)
            filler.unlink()
            recovered = time.monotonic()
            while network.head(3) < network.head(0) - 3:
                assert time.monotonic() < recovered + 90, "it does not go on when room is back"
                time.sleep(0.2)
        scene.check(timeout_s=90)
