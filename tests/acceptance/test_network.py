"""A consortium tried out on one machine, joined, left and promoted: by `tally` and HTTP alone."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from ledger.consensus.cometbft import EngineMissing, EngineVersionWrong, find_engine
from tests.acceptance import running
from tests.acceptance.running import RunningNode, run_tally, start_node
from tests.acceptance.stories import documents
from tests.conftest import skip_or_fail
from tests.warm import Process

pytestmark = [pytest.mark.feature("N1"), pytest.mark.timeout(600)]

READY_S = 120.0
AGREE_S = 60.0


@pytest.fixture(scope="module", autouse=True)
def _engine() -> None:
    try:
        find_engine()
    except (EngineMissing, EngineVersionWrong) as missing:
        skip_or_fail(str(missing))


@dataclass
class RunningNetwork:
    """What `tally network up` runs."""

    process: Process
    directory: Path
    home: Path
    nodes: list[dict[str, Any]]

    def tally(self, *arguments: str, stdin: bytes | None = None) -> str:
        """Output of a command that must succeed."""
        done = run_tally(self.home, *arguments, stdin=stdin, timeout_s=300)
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def capture(self, index: int, name: str) -> list[str]:
        """One document through one node; the ids of its events."""
        (body,) = documents(name, 1, 2)
        node = self.nodes[index]
        where = ("--url", node["url"], "--key", node["key"])
        answer = json.loads(self.tally("capture", "-", "--json", *where, stdin=body))
        found: list[str] = answer["captures"][0]["eventIDs"]
        return found

    def roots(self) -> set[tuple[str, str]]:
        """Size and root of each node's log."""
        return {checkpoint(node["url"]) for node in self.nodes}


def checkpoint(url: str) -> tuple[str, str]:
    """Size and root that a node serves."""
    lines = httpx.get(f"{url}/log/checkpoint", trust_env=False).text.splitlines()
    return lines[1], lines[2]


def launch(home: Path, *arguments: str) -> tuple[Process, Iterator[str]]:
    """Start a command that goes on; the lines that it prints."""
    process = running.launch(arguments, home, home.parent / f"{home.name}.err")
    assert process.stdout is not None
    return process, iter(process.stdout.readline, "")


def wait_until(check: Callable[[], bool], timeout_s: float = AGREE_S) -> None:
    deadline = time.monotonic() + timeout_s
    while not check():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.25)


def interrupt(process: Process) -> int:
    """Ctrl-C; the exit code."""
    process.send_signal(signal.SIGINT)
    return process.wait(60)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNetwork]:
    base = tmp_path_factory.mktemp("network")
    home, directory = base / "home", base / "net"
    made = run_tally(home, "network", "new", str(directory), "--members", "4")
    assert made.returncode == 0, made.stderr
    assert "network up" in made.stdout
    process, lines = launch(home, "network", "up", str(directory), "--json")
    line = next(lines, "")
    assert line, (base / "home.err").read_text()
    yield RunningNetwork(process, directory, home, json.loads(line)["nodes"])
    if process.poll() is None:
        interrupt(process)


def test_what_one_node_takes_all_four_hold_under_one_root(network: RunningNetwork) -> None:
    assert len(network.nodes) == 4
    for index in range(3):  # the fourth is a bank, which records no goods
        network.capture(index, f"network-{index}")
    wait_until(lambda: len(network.roots()) == 1)
    for node in network.nodes:
        item = httpx.get(f"{node['url']}/events?perPage=30", trust_env=False).json()
        assert len(item["epcisBody"]["queryResults"]["resultsBody"]["eventList"]) == 6


def test_a_proof_bears_the_cosignatures_of_three_of_four(
    network: RunningNetwork, tmp_path: Path
) -> None:
    (event_id, _) = network.capture(2, "net-proof")
    path = tmp_path / "x.tally-proof.json"

    def verified() -> bool:
        where = ("--url", network.nodes[1]["url"])
        if run_tally(network.home, "proof", event_id, "-o", str(path), *where).returncode:
            return False
        trust = str(network.directory / "trust.json")
        done = run_tally(tmp_path, "verify", str(path), "--trust", trust, "--json")
        return bool(json.loads(done.stdout)["verdict"] == "valid")

    wait_until(verified)


def test_each_nodes_operator_sees_three_peers(network: RunningNetwork) -> None:
    for node in network.nodes:

        def status(directory: str = node["directory"]) -> dict[str, Any]:
            done = run_tally(network.home, "node", "status", "--dir", directory, "--json")
            found: dict[str, Any] = json.loads(done.stdout)
            return found

        wait_until(lambda: status()["consensus"]["engine"]["peers"] == 3)
        assert status()["membership"]["validators"] == 4
        mode = (Path(node["directory"]) / "run.json").stat().st_mode
        assert mode & 0o777 == 0o600


def admit(network: RunningNetwork, descriptor: Path) -> None:
    """Propose a new member, and let enough others agree."""
    first, *others = (node["directory"] for node in network.nodes)
    said = network.tally(
        "proposal", "new", "admit", str(descriptor), "--votes", "0", "--dir", first, "--json"
    )
    number = str(json.loads(said)["proposal"])
    for directory in others[:2]:
        network.tally("proposal", "vote", number, "yes", "--dir", directory)


def leave(network: RunningNetwork, base: Path, place: Path) -> None:
    """A member without a vote leaves: another proposes it, enough agree."""
    leaving, _ = launch(base / "home", "node", "leave", str(place), "--json")
    node = json.loads((place / "descriptor.json").read_text())["node"]["id"]
    first, *others = (one["directory"] for one in network.nodes)
    said = network.tally("proposal", "new", "remove-node", node, "--dir", first, "--json")
    for directory in others[:2]:
        number = str(json.loads(said)["proposal"])
        network.tally("proposal", "vote", number, "yes", "--dir", directory)
    assert leaving.wait(120) == 0
    for one in network.nodes:
        wait_until(lambda url=one["url"]: node not in nodes_of(url))  # type: ignore[misc]


def nodes_of(url: str) -> set[str]:
    """Ids of the nodes that a node says there are."""
    view = httpx.get(f"{url}/network", trust_env=False).json()
    return {node["id"] for node in view["nodes"]}


@pytest.mark.slow
@pytest.mark.parametrize("how", ["state-sync", "replay"])
def test_a_new_member_joins_checks_what_it_gets_and_follows(
    network: RunningNetwork, tmp_path: Path, how: str
) -> None:
    url = network.nodes[0]["url"]
    short = how[:4]
    network.capture(1, f"a-{short}")
    if how == "state-sync":
        network.tally("node", "snapshot", "--dir", network.nodes[0]["directory"])
    network.capture(1, f"b-{short}")
    network.capture(1, f"c-{short}")
    port = {"state-sync": 19_871, "replay": 19_881}[how]
    trust = str(network.directory / "trust.json")
    place = tmp_path / "newcomer"
    process, lines = launch(
        tmp_path / "home",
        *("node", "join", url, str(place), "--trust", trust, "--json", "--developer"),
        *("--also", network.nodes[1]["url"]),
        *("--organisation", f"newcomer-{how}", "--name", "Newcomer", "--role", "retailer"),
        *("--p2p", f"127.0.0.1:{port}", "--api", f"http://127.0.0.1:{port + 1}"),
        *(["--replay"] if how == "replay" else []),
    )
    descriptor = Path(json.loads(next(lines))["descriptor"])
    settings = place / "node.toml"
    text = (
        settings.read_text()
        .replace("port = 8545", "port = 0")
        .replace("workers = 1", "workers = 0")
    )
    settings.write_text(text)
    admit(network, descriptor)
    ready = json.loads(next(lines))
    try:
        wait_until(lambda: checkpoint(ready["url"]) in network.roots())
        told = (tmp_path / "home.err").read_text()
        assert ("fetching a snapshot" if how == "state-sync" else "executing all blocks") in told
        joined = RunningNetwork(process, place, network.home, [*network.nodes, ready])
        joined.capture(4, f"new-{short}")
        wait_until(lambda: len(joined.roots()) == 1)
        leave(network, tmp_path, place)
        assert process.wait(60) == 0, "who has left stops"
    finally:
        if process.poll() is None:
            interrupt(process)


@pytest.mark.slow
def test_nobody_joins_by_a_trust_file_of_others(network: RunningNetwork, tmp_path: Path) -> None:
    made = run_tally(tmp_path, "network", "new", str(tmp_path / "other"), "--members", "1")
    assert made.returncode == 0
    trust = str(tmp_path / "other" / "trust.json")
    done = run_tally(
        tmp_path / "home",
        *("node", "join", network.nodes[0]["url"], str(tmp_path / "node"), "--trust", trust),
        *("--organisation", "x", "--name", "X", "--role", "bank"),
        *("--p2p", "127.0.0.1:19861", "--api", "http://127.0.0.1:19862"),
    )
    assert done.returncode == 2
    assert "another ledger than the trust file: origin" in done.stderr


def test_a_node_that_dies_is_not_started_again_and_ctrl_c_ends_the_others(
    tmp_path: Path,
) -> None:
    home, directory = tmp_path / "home", tmp_path / "net"
    assert run_tally(home, "network", "new", str(directory), "--members", "2").returncode == 0
    process, lines = launch(home, "network", "up", str(directory), "--json")
    nodes = json.loads(next(lines))["nodes"]
    os.kill(nodes[0]["pid"], signal.SIGKILL)
    time.sleep(2)
    with pytest.raises(httpx.ConnectError):
        httpx.get(nodes[0]["url"], trust_env=False)
    assert httpx.get(f"{nodes[1]['url']}/health", trust_env=False).status_code in (200, 503)
    assert interrupt(process) == 1, "one of them had failed"
    for node in nodes:
        assert not Path(f"/proc/{node['pid']}").exists()


def test_when_the_starter_is_killed_its_nodes_end_with_it(tmp_path: Path) -> None:
    home, directory = tmp_path / "home", tmp_path / "net"
    assert run_tally(home, "network", "new", str(directory), "--members", "1").returncode == 0
    process, lines = launch(home, "network", "up", str(directory), "--json")
    (node,) = json.loads(next(lines))["nodes"]
    process.kill()
    process.wait(30)
    wait_until(lambda: not Path(f"/proc/{node['pid']}").exists(), 30)


def solo_node(directory: Path, home: Path) -> RunningNode:
    """A node that orders alone at its first start, whatever driver the other tests use."""
    options = () if (directory / "genesis.json").exists() else ("--consensus", "solo")
    return start_node(directory, home, *options)


@pytest.mark.slow
def test_a_solo_ledger_is_promoted_with_its_history(tmp_path: Path) -> None:
    home, directory = tmp_path / "home", tmp_path / "node"
    solo = solo_node(directory, home)
    (body,) = documents("promotion", 1, 2)
    where = ("--url", solo.url, "--key", solo.key)
    done = run_tally(home, "capture", "-", "--json", *where, stdin=body)
    (event_id, _) = json.loads(done.stdout)["captures"][0]["eventIDs"]
    old = tmp_path / "old.tally-proof.json"
    assert run_tally(home, "proof", event_id, "-o", str(old), *where[:2]).returncode == 0
    before = (directory / "trust.json").read_bytes()
    reach = ("--p2p", "127.0.0.1:19851", "--api", solo.url)
    promoted = run_tally(home, "node", "promote", str(directory), *reach, "--json")
    assert promoted.returncode == 0, promoted.stderr
    answer = json.loads(promoted.stdout)
    assert answer["power"] == answer["powerTotal"] == 10
    assert solo.process.wait(30) == 0, "it was stopped"
    assert "cometbft" in (directory / "node.toml").read_text()

    again = solo_node(directory, home)
    try:
        (more,) = documents("later", 1, 2)
        key = ("--url", again.url, "--key", again.key)
        assert run_tally(home, "capture", "-", *key, stdin=more).returncode == 0
        new = tmp_path / "new.tally-proof.json"
        assert run_tally(home, "proof", event_id, "-o", str(new), *key[:2]).returncode == 0
        earlier = tmp_path / "trust-of-before.json"
        earlier.write_bytes(before)
        for trust in (earlier, directory / "trust.json"):
            for proof in (old, new):
                checked = run_tally(tmp_path, "verify", str(proof), "--trust", str(trust))
                assert checked.returncode == 0, checked.stdout
        twice = run_tally(home, "node", "promote", str(directory))
        assert twice.returncode == 2
        assert "already" in twice.stderr
    finally:
        again.stop()
    intact = run_tally(home, "node", "check", str(directory), "--json", timeout_s=300)
    assert json.loads(intact.stdout)["intact"] is True
