"""`tally network up`: what it shows of its nodes, and what it says where one does not start."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.consensus.cometbft import EngineMissing
from nodes.cli import network
from nodes.cli.network_table import NetworkTable
from nodes.client import NodeAddress, remember, remembered
from nodes.layout import NodeDirectory
from nodes.network import processes
from nodes.network.errors import MemberStopped
from nodes.network.processes import LOG_NAME, MemberProcess, NetworkProcesses
from nodes.network.trial import TrialMember, TrialNetwork

pytestmark = pytest.mark.feature("N1")

MEMBER = "a-member-with-quite-a-long-name"
URL = "http://a-host-with-a-long-name.example:28080"
READY = {"url": URL, "key": "secret", "organisation": MEMBER, "operations": "http://127.0.0.1:1"}
WAITS = "import sys; sys.stdin.readline()"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLY_HOME", str(tmp_path / "home"))


def running(tmp_path: Path, program: str) -> NetworkProcesses:
    """One "node" that does what the program says."""
    place = NodeDirectory(tmp_path / MEMBER)
    place.root.mkdir()
    member = TrialMember(MEMBER, place)
    found = NetworkProcesses(TrialNetwork(tmp_path, "tallystick.example/test", (member,)))
    pipe = subprocess.PIPE
    child = subprocess.Popen([sys.executable, "-c", program], stdin=pipe, stdout=pipe, text=True)
    found.members.append(MemberProcess(member, child))
    return found


@pytest.fixture
def one(tmp_path: Path) -> Iterator[NetworkProcesses]:
    """One node that serves, as far as is known."""
    found = running(tmp_path, f"print({json.dumps(READY)!r}, flush=True); {WAITS}")
    try:
        found.wait_ready(30)
        yield found
    finally:
        found.stop()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"error": "CometBFT v0.38.25 is not installed"}', "CometBFT v0.38.25 is not installed"),
        ("Traceback: no such thing", "no such thing"),
        ("[1]", "\\[1\\]"),
        ('{"url": 1}', "url"),
    ],
)
def test_a_node_that_says_something_else_than_where_it_serves_did_not_start(
    tmp_path: Path, line: str, words: str
) -> None:
    found = running(tmp_path, f"print({line!r}, flush=True)")
    try:
        with pytest.raises(MemberStopped, match=f"node of {MEMBER} did not start: .*{words}"):
            found.wait_ready(30)
    finally:
        found.stop()


def test_without_the_engine_no_node_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network.new(tmp_path / "net", members=1, as_json=True)

    def missing() -> Path:
        raise EngineMissing("CometBFT is not installed")

    monkeypatch.setattr(network, "find_engine", missing)
    monkeypatch.setattr(processes, "_start", lambda *_: pytest.fail("a node was started"))
    with pytest.raises(EngineMissing):
        network.up(tmp_path / "net")


def test_in_a_pipe_no_name_and_no_address_is_cut(
    one: NetworkProcesses, capsys: pytest.CaptureFixture[str]
) -> None:
    with NetworkTable(one) as table:
        table.print_whole()
    (line,) = [line for line in capsys.readouterr().out.splitlines() if MEMBER in line]
    assert URL in line


def test_a_node_that_was_killed_is_told_once_and_the_table_again(
    one: NetworkProcesses, capsys: pytest.CaptureFixture[str]
) -> None:
    printed: list[str] = []
    watch = network.Watch(one, lambda: printed.append("table"))
    assert watch.look() is None
    assert not printed
    one.members[0].process.kill()
    one.members[0].process.wait(30)
    for _ in range(2):
        assert watch.look() == "all nodes have ended"
    assert printed == ["table"]
    told = " ".join(capsys.readouterr().err.split())
    assert told.count(f"node of {MEMBER} has been killed by signal 9") == 1
    assert LOG_NAME in told
    with NetworkTable(one) as table:
        table.print_whole()
    assert "killed by signal 9" in capsys.readouterr().out


def test_a_node_below_a_background_job_ends_too(tmp_path: Path) -> None:
    """A shell has its background jobs ignore SIGINT, and so do all that these start."""
    program = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); print(1, flush=True); "
    found = running(tmp_path, program + "import time; time.sleep(60)")
    process = found.members[0].process
    assert process.stdout is not None
    process.stdout.readline()
    found.stop()
    assert process.returncode == -signal.SIGTERM


def test_meanwhile_commands_act_as_the_first_member(one: NetworkProcesses) -> None:
    before = NodeAddress("http://127.0.0.1:1", "old")
    remember(before)
    with network._remembered(one):
        assert remembered() == NodeAddress(URL, "secret")
    assert remembered() == before
