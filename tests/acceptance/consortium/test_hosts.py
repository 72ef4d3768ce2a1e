"""The harness itself: what it calls a partition is one, and it leaves nothing behind."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.acceptance.consortium.hosts import NAMED, NamespaceHosts, namespaces_permitted
from tests.conftest import skip_or_fail

pytestmark = [pytest.mark.feature("L2"), pytest.mark.consortium]

PORT = 7_000
ECHO = (
    "import socket, sys\n"
    f"server = socket.create_server((sys.argv[1], {PORT}))\n"
    "while True: server.accept()[0].close()"
)
ASK = f"import socket, sys\nsocket.create_connection((sys.argv[1], {PORT}), 0.5)"


@pytest.fixture
def hosts() -> Iterator[NamespaceHosts]:
    if reason := namespaces_permitted():
        skip_or_fail(reason)
    with NamespaceHosts(4) as made, ExitStack() as closing:
        for index in range(4):
            command = [*made.command(index), sys.executable, "-c", ECHO, made.address(index)]
            process = subprocess.Popen(command)
            closing.callback(process.wait)
            closing.callback(process.kill)
        for index in range(4):
            _wait_listening(made, index)
        yield made


def _wait_listening(hosts: NamespaceHosts, index: int) -> None:
    for _ in range(100):
        try:
            hosts.connect(index, hosts.address(index), PORT, 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"host {index} does not answer")


def heard(hosts: NamespaceHosts, by: int) -> list[int]:
    """Hosts that this one reaches."""
    asked = [
        subprocess.Popen(
            [*hosts.command(by), sys.executable, "-c", ASK, hosts.address(other)],
            stderr=subprocess.DEVNULL,
        )
        for other in range(hosts.count)
    ]
    return [index for index, process in enumerate(asked) if process.wait(30) == 0]


def test_groups_hear_only_themselves_until_they_are_joined_again(hosts: NamespaceHosts) -> None:
    assert heard(hosts, 0) == [0, 1, 2, 3]
    hosts.partition([[0, 1], [2, 3]])
    assert heard(hosts, 0) == [0, 1]
    assert heard(hosts, 3) == [2, 3]
    hosts.partition([[0, 2, 3], [1]])
    assert heard(hosts, 1) == [1]
    hosts.heal()
    assert heard(hosts, 1) == [0, 1, 2, 3]


def test_the_test_reaches_every_host_through_a_partition_and_no_host_has_a_way_out(
    hosts: NamespaceHosts,
) -> None:
    hosts.partition([[0], [1], [2], [3]])
    for index in range(4):
        hosts.connect(index, hosts.address(index), PORT, 1).close()
        routes = subprocess.check_output([*hosts.command(index), "ip", "route"], text=True)
        assert [line.split()[:3] for line in routes.splitlines()] == [
            ["198.18.0.0/24", "dev", "eth0"]
        ]


def test_hosts_and_what_runs_in_them_end_together() -> None:
    if reason := namespaces_permitted():
        skip_or_fail(reason)
    with NamespaceHosts(2) as hosts:
        name = hosts.command(1)[-1]
        process = subprocess.Popen([*hosts.command(1), "sleep", "100"])
        assert (NAMED / name).exists()
    assert process.wait(10) == -9
    assert not (NAMED / name).exists()
