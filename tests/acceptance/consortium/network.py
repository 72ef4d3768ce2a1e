"""A consortium of real node processes, each on its own host, that faults can be made to happen to.

Only `tally` and HTTP are used.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Protocol

from tests import warm
from tests.acceptance.consortium import wrong_clock
from tests.acceptance.consortium.hosts import LoopbackHosts
from tests.acceptance.consortium.http import Http, Unreachable
from tests.acceptance.consortium.relays import Relays, owner_of_port
from tests.acceptance.running import STARTED, run_tally

TALLY = [sys.executable, "-m", "nodes"]
WRONG_CLOCK = [sys.executable, "-m", "tests.acceptance.consortium.wrong_clock"]
START_S = 90.0
STOP_S = 40.0
UNLIMITED = 100_000_000
_C = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def found_network(base: Path, hosts: Hosts, *, age_s: float = 0) -> None:
    """A consortium with a node on each host, ready to start (`tally network new`).

    With an age, its genesis says that it was founded so long ago.
    """
    addresses = [hosts.address(index) for index in range(hosts.count)]
    options = [word for address in addresses for word in ("--host", address)]
    done = subprocess.run(
        [*WRONG_CLOCK, "network", "new", str(base), "--members", str(hosts.count), *options],
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "TALLY_HOME": str(base.with_name(f"{base.name}.home")),
            wrong_clock.VARIABLE: str(-age_s),
        },
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    network = Network(base, hosts)
    for member in network.members:
        network.settings(member.index, api__requests_per_minute=UNLIMITED, chain__map_size_gib=4)


def join_by_relays(network: Network, hosts: LoopbackHosts) -> None:
    """Put a relay before each node of a network that has not started (relays.py)."""

    def pids(index: int) -> list[int]:
        process = network.members[index].process
        return [] if process is None else _family_of(process.pid)

    hosts.relays = Relays(lambda port: owner_of_port(port, pids, hosts.count))
    for member in network.members:
        settings = tomllib.loads((member.directory / "node.toml").read_text())
        told = int(settings["consensus"]["p2p_listen"].rpartition(":")[2])
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            own = int(free.getsockname()[1])
        network.settings(member.index, consensus__p2p_listen=f"127.0.0.1:{own}")
        hosts.relays.add(member.index, told, own)


class Hosts(Protocol):
    """Where nodes run."""

    count: int

    def address(self, index: int) -> str: ...

    def command(self, index: int) -> list[str]: ...

    def namespace(self, index: int) -> Path | None: ...

    def connect(self, index: int, host: str, port: int, timeout_s: float) -> socket.socket: ...

    def partition(self, groups: Sequence[Sequence[int]]) -> None: ...

    def heal(self) -> None: ...


@dataclass
class Member:
    """One member's node."""

    index: int
    organisation: str
    directory: Path
    home: Path
    process: warm.Process | None = None
    ready: dict[str, Any] = field(default_factory=dict)
    """What the node said when it was ready."""
    environment: dict[str, str] = field(default_factory=dict)
    """Added to the environment of its next start."""
    program: list[str] = field(default_factory=lambda: list(TALLY))
    """What runs as the node: `tally`, or a dishonest one."""
    wrapper: list[str] = field(default_factory=list)
    """What stands before the program, such as a tracer that slows the disk."""

    @property
    def log(self) -> Path:
        """What the node wrote to stderr, over all its starts."""
        return self.directory.with_name(f"{self.directory.name}.err")

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None


class Network:
    """Members and what can happen to them. Use as a context manager."""

    def __init__(self, base: Path, hosts: Hosts) -> None:
        """`base`: what `found_network` made, or a copy of it."""
        self.base = base
        self.hosts = hosts
        told = json.loads((base / "network.json").read_text())["members"]
        self.members = [
            Member(index, one["organisation"], base / one["directory"], base / f"{index}.home")
            for index, one in enumerate(told)
        ]
        assert len(self.members) <= hosts.count

    def __enter__(self) -> Network:
        return self

    def __exit__(self, *_: object) -> None:
        for member in self.members:
            if member.runs:
                self.kill(member.index)

    def start(self, *indexes: int) -> None:
        """Start nodes, by default all, and wait until each says that it is ready."""
        chosen = [self.members[index] for index in indexes] or self.members
        for member in chosen:
            self.launch(member.index)
        for member in chosen:
            self.wait_ready(member.index)

    def launch(self, index: int) -> None:
        """Start a node and do not wait."""
        member = self.members[index]
        assert not member.runs
        words = ("node", "start", str(member.directory), "--developer", "--json")
        with member.log.open("a") as log:
            if member.program == TALLY and not member.wrapper:
                member.process = warm.start(
                    [*TALLY[1:], *words],
                    stderr=log,
                    environment=self._environment(member),
                    namespace=self.hosts.namespace(index),
                )
                STARTED.append(member.process)
                return
            member.process = subprocess.Popen(
                [*self.hosts.command(index), *member.wrapper, *member.program, *words],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=self._environment(member),
                start_new_session=True,
                preexec_fn=_die_with_the_test,
            )
        STARTED.append(member.process)

    def wait_ready(self, index: int) -> None:
        """Read the line that a node prints when it serves."""
        member = self.members[index]
        assert member.process is not None
        assert member.process.stdout is not None
        line = member.process.stdout.readline()
        if not line:
            member.process.wait(START_S)
            raise AssertionError(f"{member.organisation} did not start:\n{self.told(index)}")
        told = json.loads(line)
        assert "error" not in told, f"{member.organisation} did not start: {told}"
        member.ready = told

    def told(self, index: int) -> str:
        """The end of what a node wrote to stderr."""
        return self.members[index].log.read_text(errors="replace")[-4000:]

    def stop(self, index: int) -> None:
        """Ask a node to end, as an operator does (SIGTERM), and wait for it."""
        process = self._running(index)
        process.send_signal(signal.SIGTERM)
        try:
            assert process.wait(STOP_S) == 0, self.told(index)
        except subprocess.TimeoutExpired:
            self.kill(index)
            raise AssertionError(f"node {index} did not stop within {STOP_S:g} s") from None

    def kill(self, index: int) -> None:
        """kill -9 of the node, its engine and its workers, at one moment."""
        process = self._running(index)
        for group in _groups_of(process.pid):
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        process.wait(30)

    def pause(self, index: int) -> None:
        """Freeze a node and its engine (SIGSTOP)."""
        for group in _groups_of(self._running(index).pid):
            os.killpg(group, signal.SIGSTOP)

    def resume(self, index: int) -> None:
        """Let a frozen node go on."""
        for group in _groups_of(self._running(index).pid):
            os.killpg(group, signal.SIGCONT)

    def api(self, index: int) -> Http:
        """A client of the node's HTTP interface."""
        return self._client(index, "url")

    def rpc(self, index: int) -> Http:
        """A client of the node's JSON-RPC."""
        return self._client(index, "rpc")

    def head(self, index: int) -> int:
        """Number of the node's newest block. Raises Unreachable."""
        client = self.rpc(index)
        try:
            return int(str(client.call("eth_blockNumber")), 16)
        finally:
            client.close()

    def tally(self, index: int, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command line on a member's host, as its operator would."""
        member = self.members[index]
        return warm.run(
            [*TALLY[1:], *arguments],
            timeout_s=300,
            environment=self._environment(member),
            namespace=self.hosts.namespace(index),
        )

    def settings(self, index: int, **values: object) -> None:
        """Change settings in a stopped node's `node.toml`: section__key=value."""
        path = self.members[index].directory / "node.toml"
        text = path.read_text()
        for name, value in values.items():
            section, key = name.split("__")
            shown = json.dumps(value)
            text, found = re.subn(
                rf"(?ms)(^\[{section}\]$(?:(?!^\[).)*?^{key} = )[^\n]*$",
                lambda match, shown=shown: match[1] + shown,  # type: ignore[misc]
                text,
                count=1,
            )
            assert found == 1, f"node.toml has no {section}.{key}"
        path.write_text(text)

    def check_on_disk(self, *indexes: int) -> list[dict[str, Any]]:
        """`tally node check` of stopped nodes. It speaks to nobody, so hosts do not matter."""
        members = [self.members[index] for index in indexes]
        checks = [
            _checkers().submit(
                run_tally, one.home, "node", "check", "--dir", str(one.directory), "--json"
            )
            for one in members
        ]
        answers: list[dict[str, Any]] = []
        for member, check in zip(members, checks, strict=True):
            done = check.result()
            assert done.returncode == 0, f"{member.organisation}:\n{done.stdout}{done.stderr}"
            answers.append(json.loads(done.stdout))
            assert answers[-1]["intact"] is True, answers[-1]
        return answers

    def indexes(self) -> Iterator[int]:
        """Of the nodes that run."""
        return (member.index for member in self.members if member.runs)

    def _client(self, index: int, name: str) -> Http:
        url = self.members[index].ready.get(name)
        if url is None:
            raise Unreachable(f"node {index} was never ready")

        def dial(host: str, port: int, timeout_s: float) -> socket.socket:
            return self.hosts.connect(index, host, port, timeout_s)

        return Http(url, dial)

    def _running(self, index: int) -> warm.Process:
        process = self.members[index].process
        assert process is not None
        assert process.poll() is None, f"node {index} has ended:\n{self.told(index)}"
        return process

    def _environment(self, member: Member) -> Mapping[str, str]:
        return {
            **os.environ,
            "TALLY_HOME": str(member.home),
            **member.environment,
        }


@cache
def _checkers() -> ProcessPoolExecutor:
    """Two processes for all tests: what they import is much more than what they check."""
    return ProcessPoolExecutor(2, get_context("spawn"), _die_with_the_test)


def _die_with_the_test() -> None:
    _C.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _groups_of(pid: int) -> set[int]:
    """Process groups of a process and of all its descendants."""
    groups = {pid}
    for one in _family_of(pid):
        with suppress(OSError):
            groups.add(os.getpgid(one))
    return groups


def _family_of(pid: int) -> list[int]:
    """A process and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found, queue = [pid], [pid]
    while queue:
        more = children.get(queue.pop(), [])
        found += more
        queue += more
    return found
