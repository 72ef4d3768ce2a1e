"""The guide of pools works as it stands there, in its order."""

from __future__ import annotations

import os
import re
import shlex
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.acceptance.running import RunningNode, run_tally, start_node
from tests.acceptance.test_guides import EXPORT, GUIDES, run_python

BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def as_a_shell_reads_it(line: str, folder: Path) -> list[str]:
    """Words of a line: files, today and variables put in."""
    line = line.replace("$(date -u +%F)", str(datetime.now(UTC).date()))
    line = re.sub(r"\$\(cat (\S+)\)", lambda found: (folder / found[1]).read_text(), line)
    return shlex.split(re.sub(r"\$(\w+)", lambda found: os.environ[found[1]], line))


@pytest.mark.slow
@pytest.mark.feature("A2")
@pytest.mark.feature("F7")
def test_the_guide_of_pools_runs_from_top_to_bottom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = BLOCK.findall((GUIDES / "pools.md").read_text())
    (_, start), (_, keys), *rest = found
    command, *options = shlex.split(start)[1:]
    assert command == "dev"
    home, directory = tmp_path / "home", tmp_path / "node"
    node: RunningNode = start_node(directory, home, *options)
    try:
        monkeypatch.setenv("TALLY_URL", node.url)
        monkeypatch.chdir(tmp_path)
        exports = EXPORT.findall(keys)
        assert len(exports) == len(keys.splitlines()) == 4
        for name, words in exports:
            made = run_tally(home, *shlex.split(words), "--dir", str(directory))
            assert made.returncode == 0, made.stderr
            monkeypatch.setenv(name, made.stdout.splitlines()[0])
        names: dict[str, object] = {"__name__": "guide"}
        assert [language for language, _ in rest].count("sh") == 2
        for language, block in rest:
            if language == "python":
                run_python(block, names)
                continue
            for line in block.splitlines():
                program, *words = as_a_shell_reads_it(line, tmp_path)
                ended = run_tally(home, *words)
                assert (program, ended.returncode) == ("tally", 0), ended.stdout + ended.stderr
    finally:
        node.stop()
