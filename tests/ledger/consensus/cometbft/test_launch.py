"""The launcher: what the engine has from it when it begins."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.consensus.cometbft import process as process_module

pytestmark = pytest.mark.feature("L2")


def test_the_launcher_gives_up_where_its_parent_is_gone(tmp_path: Path) -> None:
    launcher = Path(process_module.__file__).with_name("launch.py")
    read, write = os.pipe()
    child = os.posix_spawn(
        sys.executable,
        [sys.executable, str(launcher), "1", "/bin/sleep", "60"],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, write, 2)],
    )
    os.close(write)
    try:
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 1
        assert b"gone" in os.read(read, 1_000)
    finally:
        os.close(read)
        with_suppressed_kill(child)


def with_suppressed_kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def test_the_launcher_lets_timers_be_late_so_that_an_idle_engine_sleeps(tmp_path: Path) -> None:
    launcher = Path(process_module.__file__).with_name("launch.py")
    slack = tmp_path / "slack"
    shell = f"cat /proc/self/timerslack_ns > {slack}"
    subprocess.run(
        [sys.executable, str(launcher), str(os.getpid()), "/bin/sh", "-c", shell],
        check=True,
        timeout=30,
    )
    assert int(slack.read_text()) == 4_000_000
