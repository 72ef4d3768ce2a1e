"""The page's JavaScript under Node's own test runner; its tables against those of the rooms."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.feature("T5")


def run(*command: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.mark.feature("T2")
def test_all_javascript_tests_pass(
    require: Callable[[str], str], project_root: Path, shared_data: Path
) -> None:
    tests = sorted(str(path) for path in (project_root / "tests" / "js").glob("*.test.mjs"))
    assert len(tests) >= 5
    done = run(
        require("node"), "--test", *tests, cwd=project_root, TALLY_SHARED_DATA=str(shared_data)
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_shared_tables_are_those_of_the_python_rooms(
    require: Callable[[str], str], project_root: Path, tmp_path: Path
) -> None:
    web = project_root / "api" / "web"
    done = run(require("node"), str(web / "build" / "tables.mjs"), str(tmp_path), cwd=project_root)
    assert done.returncode == 0, done.stderr
    for fresh in sorted(tmp_path.iterdir()):
        kept = web / "static" / "verify" / "tables" / fresh.name
        assert kept.read_text() == fresh.read_text(), (
            f"{kept.name} is out of date: run api/web/build/check --write"
        )
