"""Starting a real node in its own process (tests/warm.py)."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
import tomllib
import traceback
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import nodes.cli
from nodes.cli import main
from tests import warm

RUN_A_NODE = ("demo", "dev", "network up", "node start", "node join")
PROGRAM = str(Path(nodes.cli.__file__).parents[1] / "__main__.py")
TALLY = ("-m", "nodes")
START_S = 60
consensus = "solo"
"""With which driver nodes begin that are started here; conftest.py sets it, test by test."""
STARTED: list[warm.Process] = []
"""Every node that was started here, so that none outlives the tests."""


@dataclass
class RunningNode:
    """A node that `tally dev` started."""

    process: warm.Process
    directory: Path
    home: Path
    url: str
    rpc: str
    key: str
    organisation: str
    account_address: str
    account_key: str

    @property
    def driver(self) -> str:
        """Which driver its settings name."""
        settings = tomllib.loads((self.directory / "node.toml").read_text())
        return str(settings["consensus"]["driver"])

    def tally(
        self, *arguments: str, stdin: bytes | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the command line as this user would."""
        return run_tally(self.home, *arguments, stdin=stdin)

    def kill(self) -> None:
        """kill -9 of the node and its workers."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)

    def stop(self) -> None:
        """Ask the node to stop, as Ctrl-C does."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()


def run_tally(
    home: Path, *arguments: str, stdin: bytes | None = None, timeout_s: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run `tally …` with its own user folder, as a shell would: arguments, streams, exit code.

    Commands that run a node do it in a process of their own, which need not import everything first
    (tests/warm.py). For the others the entry point of the command is called here; `spawn_tally` is
    for tests of what only the command as it is started by a shell shows.
    """
    runs_a_node = " ".join(arguments[:2]).startswith(RUN_A_NODE) and "--help" not in arguments
    if runs_a_node or threading.current_thread() is not threading.main_thread():
        environment = {**os.environ, "TALLY_HOME": str(home)}
        words = [*TALLY, *arguments]
        return warm.run(words, stdin=stdin, timeout_s=timeout_s, environment=environment)
    streams = [io.TextIOWrapper(io.BytesIO(data), "utf-8") for data in (stdin or b"", b"", b"")]
    with ExitStack() as restored:
        replaced = dict(zip(("stdin", "stdout", "stderr"), streams, strict=True))
        # The command line sets an excepthook that would otherwise stay with the tests.
        replaced |= {"argv": [PROGRAM, *arguments], "excepthook": sys.excepthook}
        for name, value in replaced.items():
            restored.enter_context(mock.patch.object(sys, name, value))
        restored.enter_context(mock.patch.dict(os.environ, {"TALLY_HOME": str(home)}))
        code = _exit_code_of(main)
    told = []
    for stream in streams[1:]:
        stream.flush()
        told.append(stream.buffer.getvalue().decode())  # type: ignore[attr-defined]
    return subprocess.CompletedProcess([*TALLY, *arguments], code, *told)


def _exit_code_of(command: Callable[[], None]) -> int:
    """What the interpreter would exit with; as there, a traceback goes to stderr."""
    try:
        command()
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            return ended.code or 0
        sys.stderr.write(f"{ended.code}\n")
        return 1
    except Exception:
        traceback.print_exc()
        return 1
    return 0


def spawn_tally(
    home: Path, *arguments: str, stdin: bytes | None = None, timeout_s: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run `tally …` as a shell does: an interpreter that begins with nothing."""
    done = subprocess.run(
        [sys.executable, *TALLY, *arguments],
        input=stdin,
        capture_output=True,
        timeout=timeout_s,
        env={**os.environ, "TALLY_HOME": str(home)},
        check=False,
    )
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
    )


def launch(arguments: Sequence[str], home: Path, told: Path) -> warm.Process:
    """Start a command that goes on, in a session of its own; its stderr goes to `told`."""
    with told.open("a") as stderr:
        environment = {**os.environ, "TALLY_HOME": str(home)}
        process = warm.start([*TALLY, *arguments], stderr=stderr, environment=environment)
    STARTED.append(process)
    return process


def start_node(directory: Path, home: Path, *options: str) -> RunningNode:
    """Start `tally dev` on free ports and wait until it says it is ready."""
    process = launch(
        [
            "dev",
            "--dir",
            str(directory),
            "--port",
            "0",
            "--rpc-port",
            "0",
            "--json",
            *([] if (directory / "genesis.json").exists() else ["--consensus", consensus]),
            *options,
        ],
        home,
        told=directory.parent / f"{directory.name}.err",
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        process.wait(START_S)
        raise AssertionError(
            "the node did not start: "
            + (directory.parent / f"{directory.name}.err").read_text()[-2000:]
        )
    ready = json.loads(line)
    return RunningNode(
        process=process,
        directory=directory,
        home=home,
        url=ready["url"],
        rpc=ready["rpc"],
        key=ready["key"],
        organisation=ready["organisation"],
        account_address=ready["account"]["address"],
        account_key=ready["account"]["privateKey"],
    )
