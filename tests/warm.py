"""Processes of our own programs that need not import everything first.

An interpreter that imports a node takes two to three seconds of a processor, and the tests start
hundreds. Here each comes from a process that has imported already and forks (`tests.warm_server`):
a process of its own in every respect, with its own streams, environment, signals and exit code.
How the real command starts is what `tests.acceptance.running.spawn_tally` is for.

Benchmarks, which look at a process's memory, get a new interpreter; so does who is not on Linux.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any, Final, Protocol

from ledger.cores import on_every_core

PROJECT: Final = Path(__file__).resolve().parent.parent
IMPORTED: Final = (
    "nodes.cli.dev",
    "nodes.cli.start",
    "nodes.cli.demo",
    "nodes.cli.network",
    "nodes.cli.joining",
    "pytest",
    "tests.traceability.capture.stack",
)
"""What most of the commands import."""
START_S: Final = 300
"""The first waits until everything is imported."""
_PR_SET_PDEATHSIG: Final = 1


class Process(Protocol):
    """What tests do with a process, however it was started."""

    stdout: IO[str] | None
    returncode: int | None

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int) -> None: ...
    def kill(self) -> None: ...


class WarmProcess:
    """As `subprocess.Popen`, of a process in a session of its own."""

    def __init__(self, words: list[str], told: socket.socket, stdout: IO[str] | None) -> None:
        self.args = words
        self.stdout = stdout
        self.returncode: int | None = None
        self._told = told
        self._told.settimeout(START_S)
        said = self._told.recv(64)
        assert said, "the process that forks has ended; what it said is on stderr"
        self.pid = int(said)

    def poll(self) -> int | None:
        """The exit code; None while it runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, negative for a signal. Raises `subprocess.TimeoutExpired`."""
        if self.returncode is None:
            self._told.settimeout(timeout)
            try:
                said = self._told.recv(64)
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired(self.args, timeout or 0) from None
            self.returncode = int(said) if said else -signal.SIGKILL
            self._told.close()
        return self.returncode

    def send_signal(self, sig: int) -> None:
        """Nothing once it has ended."""
        if self.poll() is None:
            os.kill(self.pid, sig)

    def kill(self) -> None:
        """kill -9."""
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> WarmProcess:
        return self

    def __exit__(self, *_: object) -> None:
        if self.stdout is not None:
            self.stdout.close()
        self.wait()


Started = WarmProcess | subprocess.Popen[str]


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@cache
def _control(owner: int) -> socket.socket:
    """Where commands are asked for; one server for each process of tests, which ends with it."""
    del owner
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    words = [sys.executable, "-m", "tests.warm_server", str(theirs.fileno()), *IMPORTED]
    with theirs, on_every_core():
        subprocess.Popen(
            words,
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
    return ours


def start(
    words: Sequence[str],
    *,
    stdin: int | IO[Any] = subprocess.DEVNULL,
    stdout: int | IO[Any] = subprocess.PIPE,
    stderr: int | IO[Any] = subprocess.DEVNULL,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    namespace: Path | None = None,
) -> Started:
    """Run `python -m MODULE …` or `python -c CODE …`; `words` are what follows `python`.

    In a session of its own, and in a network namespace where one is given. It is killed when what
    is returned here is gone.
    """
    if sys.platform != "linux" or "PYTEST_CURRENT_TEST" not in os.environ:
        entered = [] if namespace is None else ["ip", "netns", "exec", namespace.name]
        return subprocess.Popen(
            [*entered, sys.executable, *words],
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=environment,
            cwd=folder,
            text=True,
            start_new_session=True,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    read = None
    with theirs, open(os.devnull, "r+b") as nothing:
        given = []
        for stream in (stdin, stdout, stderr):
            if stream == subprocess.DEVNULL:
                given.append(nothing.fileno())
            elif stream == subprocess.PIPE:
                reading, writing = os.pipe()
                read = os.fdopen(reading, encoding="utf-8")
                given.append(writing)
            else:
                given.append(stream if isinstance(stream, int) else stream.fileno())
        asked = {
            "words": list(words),
            "environment": dict(os.environ if environment is None else environment),
            "folder": str(folder or Path.cwd()),
            "namespace": None if namespace is None else str(namespace),
        }
        control = _control(os.getpid())
        socket.send_fds(control, [json.dumps(asked).encode()], [*given, theirs.fileno()])
        if read is not None:
            os.close(writing)
    return WarmProcess(list(words), ours, read)


def run(
    words: Sequence[str],
    *,
    stdin: bytes | None = None,
    timeout_s: float = 120,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    namespace: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run to the end. Raises `subprocess.TimeoutExpired`, after killing it."""
    with (
        tempfile.TemporaryFile() as given,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
    ):
        given.write(stdin or b"")
        given.seek(0)
        process = start(
            words,
            stdin=given,
            stdout=out,
            stderr=err,
            environment=environment,
            folder=folder,
            namespace=namespace,
        )
        try:
            code = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        told = []
        for stream in (out, err):
            stream.seek(0)
            told.append(stream.read().decode())
    return subprocess.CompletedProcess(list(words), code, *told)
