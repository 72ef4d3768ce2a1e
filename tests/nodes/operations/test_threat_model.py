"""docs/threat-model.md: every claim names a test, and every test named exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.feature("N5")

NAMED = re.compile(r"`([\w./-]+\.(?:py|sol))::(\w+)`")
ACTORS = (
    "Outsider",
    "One dishonest member",
    "Dishonest proposer",
    "Up to a third of the power",
    "More than a third, up to two thirds",
    "More than two thirds",
    "Operator of a node, and whoever breaks into it",
    "Thief of a key",
    "Dishonest server toward a consumer",
    "Dishonest snapshot server toward a newcomer",
    "Dishonest witness",
)
LAYERS = {"network", "consensus", "contract", "key", "server", "client"}


@pytest.fixture
def page(project_root: Path) -> str:
    return (project_root / "docs" / "threat-model.md").read_text("utf-8")


def sections(page: str) -> dict[str, str]:
    parts = re.split(r"(?m)^## (.+)$", page)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def rows(section: str) -> list[list[str]]:
    """Cells of a table's rows, without its head."""
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_test_named_exists(page: str, project_root: Path) -> None:
    named = NAMED.findall(page)
    assert len(named) > 60
    missing = []
    for path, name in named:
        file = project_root / path
        text = file.read_text("utf-8") if file.is_file() else ""
        word = "function" if path.endswith(".sol") else "def"
        if re.search(rf"\b{word} {name}\b", text) is None:
            missing.append(f"{path}::{name}")
    assert missing == []


def test_every_actor_is_there_and_every_claim_about_one_names_a_test(page: str) -> None:
    found = sections(page)
    assert set(ACTORS) <= found.keys()
    for actor in ACTORS:
        assert "Remains" in found[actor] or actor == "More than two thirds"
        table = rows(found[actor])
        assert len(table) >= 3, actor
        for row in table:
            assert len(row) == 4, row
            unstopped = row[1].startswith("nothing stops it")
            assert unstopped or NAMED.search(row[3]), f"{actor}: {row[0]}: no test"
            if actor != "Thief of a key":
                assert set(row[2].split(", ")) <= LAYERS, row


def test_a_test_named_is_written_as_one(page: str) -> None:
    """What looks like a test's name is one that the first test above looks for."""
    loose = re.findall(r"`[^`]*(?:\btest_|\btestFuzz_)[^`]*`", page)
    assert all(NAMED.fullmatch(one) for one in loose)
