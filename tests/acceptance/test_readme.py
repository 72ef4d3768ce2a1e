"""What the README tells a newcomer to do works as it stands there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.acceptance.running import RunningNode, run_tally, start_node

README = Path(__file__).parents[2] / "README.md"


@pytest.mark.feature("A4")
def test_commands_of_the_readme_run_in_their_order(
    node: RunningNode, project_root: Path, tmp_path: Path
) -> None:
    block = README.read_text().split("## Record something yourself")[1].split("```")[1]
    commands = re.findall(r"\.venv/bin/tally (.*?)(?:\s+#.*)?$", block, re.MULTILINE)
    assert [one.split()[0] for one in commands] == [
        "dev",
        "capture",
        "trace",
        "qr",
        "proof",
        "verify",
    ]
    for command in commands[1:]:
        words = [
            str(project_root / word)
            if word.startswith("examples/")
            else str(tmp_path / word)
            if word.endswith((".svg", ".tally-proof.json"))
            else word.strip("'")
            for word in command.split()
        ]
        done = node.tally(*words)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    assert (tmp_path / "label.svg").read_text().lstrip().startswith("<")


@pytest.mark.feature("A4")
def test_members_of_a_development_node_get_keys_and_capture(
    tmp_path: Path, project_root: Path
) -> None:
    home, directory = tmp_path / "home", tmp_path / "node"
    node = start_node(directory, home, "--member", "acme:warehouse")
    try:
        made = run_tally(home, "key", "create", "acme", "--dir", str(directory), "--json")
        key = json.loads(made.stdout)["key"]
        example = str(project_root / "examples/first-events.json")
        done = run_tally(home, "capture", example, "--key", key, "--json")
        assert done.returncode == 0, done.stderr
        answer = run_tally(home, "trace", "/01/09521005000013/21/A1", "--json")
        item = json.loads(answer.stdout)
        assert item["verdict"] == "valid"
        assert {step["organisation"]["id"] for step in item["journey"]} == {"acme"}
    finally:
        node.stop()
    again = run_tally(home, "dev", "--dir", str(directory), "--member", "late:bank")
    assert again.returncode == 2
    assert "first start" in again.stderr


@pytest.mark.feature("T5")
def test_a_journey_is_called_valid_only_if_every_record_is(
    node: RunningNode, project_root: Path, tmp_path: Path
) -> None:
    example = str(project_root / "examples/first-events.json")
    assert node.tally("capture", example).returncode == 0
    epc = "/01/09521005000013/21/A1"
    assert "All records are authentic" in node.tally("trace", epc).stdout
    stranger = run_tally(tmp_path, "trace", epc, "--url", node.url)
    assert stranger.returncode == 3
    assert "authentic" not in stranger.stdout
    assert "nothing here vouches" in stranger.stdout
