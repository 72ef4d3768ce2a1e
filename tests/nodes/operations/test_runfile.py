"""run.json: found while its process lives, for its owner's eyes alone."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from nodes.operations import NotRunning, RunFile, RunFileInvalid, new_token
from nodes.operations.runfile import process_start

pytestmark = pytest.mark.feature("N5")


@pytest.fixture
def run() -> RunFile:
    return RunFile.of_this_process(
        operations="http://127.0.0.1:1", api="http://a", rpc="http://r", token=new_token()
    )


def test_what_is_written_is_found(tmp_path: Path, run: RunFile) -> None:
    run.write(tmp_path)
    assert RunFile.find(tmp_path) == run
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_nobody_else_can_read_it(tmp_path: Path, run: RunFile) -> None:
    old = os.umask(0)
    try:
        (tmp_path / "run.json").write_text("an older one")
        run.write(tmp_path)
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "run.json").stat().st_mode) == 0o600
    (tmp_path / "run.json").chmod(0o640)
    with pytest.raises(RunFileInvalid, match="chmod 600"):
        RunFile.find(tmp_path)


def test_without_a_node_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotRunning, match="name the folder of one that runs"):
        RunFile.find(tmp_path)


def test_a_dead_process_is_not_running(tmp_path: Path, run: RunFile) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    replace(run, pid=child.pid, started=1).write(tmp_path)
    with pytest.raises(NotRunning, match="ended"):
        RunFile.find(tmp_path)


def test_a_process_number_that_passed_to_another_program_is_not_running(
    tmp_path: Path, run: RunFile
) -> None:
    assert run.started == process_start(os.getpid()) > 0
    replace(run, started=run.started - 1).write(tmp_path)
    with pytest.raises(NotRunning):
        RunFile.find(tmp_path)


def test_only_the_own_file_is_taken_away(tmp_path: Path, run: RunFile) -> None:
    replace(run, token=new_token()).write(tmp_path)
    run.remove(tmp_path)
    assert (tmp_path / "run.json").exists()
    run.write(tmp_path)
    run.remove(tmp_path)
    run.remove(tmp_path)
    assert not (tmp_path / "run.json").exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        json.dumps({"pid": 0, "started": 0, "operations": "http://x", "token": "t" * 40}),
        json.dumps({"pid": 1, "started": 0, "operations": "file:///x", "token": "t" * 40}),
        json.dumps({"pid": 1, "started": 0, "operations": "http://x", "token": "short"}),
        "x" * 20_000,
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    (tmp_path / "run.json").chmod(0o600)
    with pytest.raises(RunFileInvalid, match=r"run\.json"):
        RunFile.find(tmp_path)


def test_tokens_differ_and_are_long() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert min(map(len, tokens)) >= 43
