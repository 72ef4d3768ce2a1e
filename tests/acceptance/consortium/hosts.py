"""Hosts for nodes: a network namespace each, joined by bridges that can be taken apart.

```
  tally-<pid>-hub     g0 ═ bridge of everybody        after partition([[0, 1], [2, 3]]):
     ├ p0 ── eth0 of tally-<pid>-0   198.18.0.10         g0: p0 p1      g1: p2 p3
     ├ p1 ── eth0 of tally-<pid>-1   198.18.0.11
     …
```

Addresses are of RFC 2544's range for tests and exist in these namespaces alone: no interface of the
machine's own is touched, and deleting the namespaces deletes everything. The test speaks to a node
by making its socket inside the node's namespace, so no partition comes between them.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.acceptance.consortium.relays import Relays

NAMED = Path("/var/run/netns")
_OWN = re.compile(r"tally-(\d+)-(?:hub|\d+)")
_C = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x4000_0000


def namespaces_permitted() -> str | None:
    """None where namespaces can be made here, else why not."""
    if os.geteuid() != 0:
        return "making network namespaces needs root"
    if shutil.which("ip") is None:
        return "the program 'ip' (iproute2) is not installed"
    name = f"tally-{os.getpid()}-99"
    done = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return f"no network namespace can be made here: {done.stderr.strip()}"
    try:
        _ip("link", "add", "g0", "netns", name, "type", "bridge")
    except subprocess.CalledProcessError as failed:
        return f"no bridge can be made here: {failed.stderr.strip()}"
    finally:
        _ip("netns", "del", name)
    return None


class NamespaceHosts:
    """One host a node. Use as a context manager; nothing outlives it."""

    separated = True

    def __init__(self, count: int) -> None:
        self.count = count
        self._prefix = f"tally-{os.getpid()}"
        self._hub = f"{self._prefix}-hub"
        self._bridges = 0

    def __enter__(self) -> NamespaceHosts:
        remove_stale()
        try:
            _ip("netns", "add", self._hub)
            self._bridge(0)
            for index in range(self.count):
                self._host(index)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def address(self, index: int) -> str:
        """Where the other hosts find this one."""
        return f"198.18.0.{10 + index}"

    def command(self, index: int) -> list[str]:
        """What stands before a command that is to run on the host."""
        return ["ip", "netns", "exec", self._name(index)]

    def namespace(self, index: int) -> Path | None:
        """The host itself, for what enters it of its own accord (setns(2))."""
        return NAMED / self._name(index)

    def connect(self, index: int, host: str, port: int, timeout_s: float) -> socket.socket:
        """A connection to an address of the host, made inside its namespace."""
        made: list[socket.socket] = []
        failed: list[OSError] = []

        def inside() -> None:  # a namespace is entered by one thread, which then ends
            try:
                _enter(self._name(index))
                made.append(socket.create_connection((host, port), timeout_s))
            except OSError as error:
                failed.append(error)

        thread = threading.Thread(target=inside)
        thread.start()
        thread.join()
        if failed:
            raise failed[0]
        return made[0]

    def partition(self, groups: Sequence[Sequence[int]]) -> None:
        """Only hosts of one group still hear one another."""
        assert sorted(one for group in groups for one in group) == list(range(self.count))
        for number, group in enumerate(groups):
            self._bridge(number)
            for index in group:
                self._in_hub("link", "set", f"p{index}", "master", f"g{number}")

    def heal(self) -> None:
        """Everybody hears everybody again."""
        self.partition([list(range(self.count))])

    def close(self) -> None:
        """Remove the namespaces and end what still runs in them."""
        for name in [*map(self._name, range(self.count)), self._hub]:
            _remove(name)

    def _name(self, index: int) -> str:
        return f"{self._prefix}-{index}"

    def _host(self, index: int) -> None:
        name = self._name(index)
        _ip("netns", "add", name)
        _ip("-n", name, "link", "set", "lo", "up")
        pair = ["type", "veth", "peer", "name", "eth0", "netns", name]
        self._in_hub("link", "add", f"p{index}", *pair)
        self._in_hub("link", "set", f"p{index}", "master", "g0", "up")
        _ip("-n", name, "address", "add", f"{self.address(index)}/24", "dev", "eth0")
        _ip("-n", name, "link", "set", "eth0", "up")

    def _bridge(self, number: int) -> None:
        if number < self._bridges:
            return
        self._in_hub("link", "add", f"g{number}", "type", "bridge")
        self._in_hub("link", "set", f"g{number}", "up")
        self._bridges += 1

    def _in_hub(self, *arguments: str) -> None:
        _ip("-n", self._hub, *arguments)


class LoopbackHosts:
    """All nodes on 127.0.0.1, with relays between them where wished. Use as a context manager."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.relays: Relays | None = None
        """Set by who founds the network; without, there are no partitions."""

    def __enter__(self) -> LoopbackHosts:
        return self

    def __exit__(self, *_: object) -> None:
        if self.relays is not None:
            self.relays.close()

    def address(self, index: int) -> str:
        """The same for all: their ports tell them apart."""
        return "127.0.0.1"

    def command(self, index: int) -> list[str]:
        """Nothing stands before a command."""
        return []

    def namespace(self, index: int) -> Path | None:
        """The one we are in."""
        return None

    def connect(self, index: int, host: str, port: int, timeout_s: float) -> socket.socket:
        """An ordinary connection."""
        return socket.create_connection((host, port), timeout_s)

    def partition(self, groups: Sequence[Sequence[int]]) -> None:
        """Close the relays between the groups."""
        assert self.relays is not None, "these nodes speak to one another directly"
        self.relays.partition(groups)

    def heal(self) -> None:
        """Open all relays."""
        self.partition([list(range(self.count))])


def remove_stale() -> None:
    """Namespaces of test runs that were killed."""
    for path in NAMED.glob("tally-*"):
        found = _OWN.fullmatch(path.name)
        if found and not Path("/proc", found[1]).exists():
            _remove(path.name)


def _remove(name: str) -> None:
    if not (NAMED / name).exists():
        return
    deadline = time.monotonic() + 10
    while (pids := _pids(name)) and time.monotonic() < deadline:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
    subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def _pids(name: str) -> list[int]:
    done = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True, check=True)
    return [int(line) for line in done.stdout.split()]


def _enter(name: str) -> None:
    with (NAMED / name).open() as handle:
        if _C.setns(handle.fileno(), CLONE_NEWNET) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)
