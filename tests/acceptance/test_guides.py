"""What the guides tell a reader to do works as it stands there, in its order."""

from __future__ import annotations

import io
import re
import shlex
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from tests.acceptance.running import RunningNode, run_tally, start_node

GUIDES = Path(__file__).parents[2] / "docs/guides"
COMETBFT_IS_SLOW = True
"""What a reader does is the same."""
EXPORT = re.compile(r"export (\w+)=\$\(tally (.*) \| head -n1\)")


def blocks(guide: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", guide, re.MULTILINE | re.DOTALL)


def run_python(code: str, names: dict[str, object]) -> None:
    """Run a block; what its prints say must be what stands behind them."""
    expected = re.findall(r"^ *print\(.*\)  # (.*)$", code, re.MULTILINE)
    assert code.count("print(") == len(expected), "each print says what comes of it"
    said = io.StringIO()
    with redirect_stdout(said):
        exec(compile(code, "guide", "exec"), names)
    assert said.getvalue().splitlines() == expected


@pytest.mark.feature("A2")
@pytest.mark.feature("F3")
def test_the_finance_guide_runs_from_top_to_bottom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guide = (GUIDES / "finance.md").read_text()
    start, keys = blocks(guide, "sh")
    command, *options = shlex.split(start)[1:]
    assert command == "dev"
    home, directory = tmp_path / "home", tmp_path / "node"
    node: RunningNode = start_node(directory, home, *options)
    try:
        monkeypatch.setenv("TALLY_URL", node.url)
        exports = EXPORT.findall(keys)
        assert len(exports) == len(keys.splitlines()) == 4
        for name, words in exports:
            made = run_tally(home, *shlex.split(words), "--dir", str(directory))
            assert made.returncode == 0, made.stderr
            monkeypatch.setenv(name, made.stdout.splitlines()[0])
        names: dict[str, object] = {"__name__": "guide"}
        python = blocks(guide, "python")
        assert len(python) == 10
        for block in python:
            run_python(block, names)
    finally:
        node.stop()
