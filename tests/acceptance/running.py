"""Starting a real node in its own process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

TALLY = [sys.executable, "-m", "nodes"]
START_S = 60
consensus = "solo"
"""With which driver nodes begin that are started here; conftest.py sets it, test by test."""
STARTED: list[subprocess.Popen[str]] = []
"""Every node that was started here, so that none outlives the tests."""


@dataclass
class RunningNode:
    """A node that `tally dev` started."""

    process: subprocess.Popen[str]
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
    """Run `tally …` with its own user folder."""
    done = subprocess.run(
        [*TALLY, *arguments],
        input=stdin,
        capture_output=True,
        timeout=timeout_s,
        env={**os.environ, "TALLY_HOME": str(home)},
        check=False,
    )
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
    )


def start_node(directory: Path, home: Path, *options: str) -> RunningNode:
    """Start `tally dev` on free ports and wait until it says it is ready."""
    process = subprocess.Popen(
        [
            *TALLY,
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
        stdout=subprocess.PIPE,
        stderr=(directory.parent / f"{directory.name}.err").open("a"),
        text=True,
        env={**os.environ, "TALLY_HOME": str(home)},
        start_new_session=True,
    )
    STARTED.append(process)
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
