"""The nodes of a network on one machine as processes: started, watched, ended together."""

from __future__ import annotations

import ctypes
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ledger.crypto import NO_PASSPHRASE
from ledger.crypto.passphrase import FILE_VARIABLE as PASSPHRASE_FILE
from ledger.crypto.passphrase import VARIABLE as PASSPHRASE
from nodes.network.errors import MemberStopped
from nodes.network.trial import TrialMember, TrialNetwork

START_S: Final = 120.0
STOP_S: Final = 30.0
LOG_NAME: Final = "node.log"
LOG_SHOWN_BYTES: Final = 2_000
_PR_SET_PDEATHSIG: Final = 1


@dataclass
class MemberProcess:
    """One node."""

    member: TrialMember
    process: subprocess.Popen[str]
    ready: Mapping[str, Any] | None = None
    """What it said when it was ready (`tally node start --developer --json`)."""

    @property
    def ended(self) -> int | None:
        """Its exit code; None while it runs. Negative: ended by that signal."""
        return self.process.poll()

    @property
    def end(self) -> str | None:
        """How it has ended, in words; None while it runs."""
        code = self.ended
        if code is None:
            return None
        return f"killed by signal {-code}" if code < 0 else f"ended with code {code}"

    def last_words(self) -> str:
        """The end of what it wrote to its log."""
        path = self.member.directory.root / LOG_NAME
        try:
            with path.open("rb") as file:
                file.seek(max(0, path.stat().st_size - LOG_SHOWN_BYTES))
                lines = file.read().decode("utf-8", "replace").strip().splitlines()
        except OSError:
            return ""
        return lines[-1] if lines else ""


class NetworkProcesses:
    """All nodes of a network. Use as a context manager: leaving it ends them."""

    def __init__(self, network: TrialNetwork, passphrase: str = NO_PASSPHRASE) -> None:
        """`passphrase` opens the keys of all of them."""
        self.network = network
        self._environment = dict(os.environ)
        if passphrase:
            self._environment.pop(PASSPHRASE_FILE, None)
            self._environment[PASSPHRASE] = passphrase
        self.members: list[MemberProcess] = []

    def __enter__(self) -> NetworkProcesses:
        try:
            for member in self.network.members:
                self.members.append(MemberProcess(member, _start(member, self._environment)))
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def wait_ready(self, timeout_s: float = START_S) -> None:
        """Return when all nodes serve. Raises `MemberStopped`, naming the first that does not."""
        lines: queue.Queue[tuple[MemberProcess, str]] = queue.Queue()
        for one in self.members:
            threading.Thread(target=_read_line, args=(one, lines), daemon=True).start()
        deadline = time.monotonic() + timeout_s
        for _ in self.members:
            try:
                one, line = lines.get(timeout=max(0.1, deadline - time.monotonic()))
            except queue.Empty:
                late = [one.member.organisation for one in self.members if one.ready is None]
                raise MemberStopped(
                    f"not ready after {timeout_s:.0f} s: {', '.join(late)}; see their {LOG_NAME}"
                ) from None
            if not line:
                one.process.wait(STOP_S)
                raise MemberStopped(
                    f"the node of {one.member.organisation} did not start: {one.last_words()} "
                    f"({one.member.directory.root / LOG_NAME})"
                )
            one.ready = _ready(one, line)

    def stop(self) -> None:
        """Ask all to end, then wait for each; who does not is killed with all it started."""
        for one in self.members:
            if one.ended is None:
                one.process.terminate()  # SIGINT is ignored below a shell's background jobs
        deadline = time.monotonic() + STOP_S
        for one in self.members:
            try:
                one.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(one.process.pid, signal.SIGKILL)
                one.process.wait()


def _ready(one: MemberProcess, line: str) -> Mapping[str, Any]:
    """What a node says that serves. Raises `MemberStopped` where it says something else."""
    try:
        said = json.loads(line)
    except ValueError:
        said = None
    if isinstance(said, dict) and isinstance(said.get("url"), str):
        return said
    words = said.get("error") if isinstance(said, dict) else None
    raise MemberStopped(
        f"the node of {one.member.organisation} did not start: {words or line.strip()[:500]} "
        f"({one.member.directory.root / LOG_NAME})"
    )


def node_command(member: TrialMember) -> Sequence[str]:
    """How a node of the network is started."""
    root = str(member.directory.root)
    return (sys.executable, "-m", "nodes", "node", "start", root, "--developer", "--json")


def _start(member: TrialMember, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    with (member.directory.root / LOG_NAME).open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - this very program
            node_command(member),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment,
            start_new_session=True,  # Ctrl-C is for us; we ask each of them to end
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,
        )


def _end_with_parent() -> None:
    """In the child: end when the parent has gone, however that came about (prctl(2))."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _read_line(one: MemberProcess, lines: queue.Queue[tuple[MemberProcess, str]]) -> None:
    assert one.process.stdout is not None
    lines.put((one, one.process.stdout.readline()))
