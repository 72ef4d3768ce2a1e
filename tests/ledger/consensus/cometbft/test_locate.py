"""Finding the engine's program, and holding it to its version."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ledger.consensus.cometbft import VERSION, EngineMissing, EngineVersionWrong, find_engine

pytestmark = pytest.mark.feature("N1")


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without Go and without the program."""
    for name in ("TALLY_COMETBFT", "GOPATH", "GOBIN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def program(folder: Path, says: str = VERSION, code: int = 0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "cometbft"
    path.write_text(f"#!/bin/sh\necho '{says}'\nexit {code}\n")
    path.chmod(0o755)
    return path


def test_where_there_is_none_the_error_says_what_to_do() -> None:
    with pytest.raises(EngineMissing, match="make cometbft"):
        find_engine()


def test_each_place_is_looked_into_in_its_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = program(tmp_path / "home" / "go" / "bin")
    assert find_engine() == home
    gopath = program(tmp_path / "gopath" / "bin")
    monkeypatch.setenv(
        "GOPATH", os.pathsep.join((str(tmp_path / "empty"), str(gopath.parent.parent)))
    )
    assert find_engine() == gopath
    on_path = program(tmp_path / "path")
    assert find_engine() == on_path
    named = program(tmp_path / "named")
    monkeypatch.setenv("TALLY_COMETBFT", str(named))
    assert find_engine() == named


def test_the_go_tool_is_asked_where_it_installs(tmp_path: Path) -> None:
    installed = program(tmp_path / "elsewhere" / "bin")
    go = tmp_path / "path" / "go"
    go.parent.mkdir()
    go.write_text(f"#!/bin/sh\necho {installed.parent.parent}\n")
    go.chmod(0o755)
    assert find_engine() == installed


@pytest.mark.parametrize(
    ("says", "code"), [("0.37.0", 0), ("1.0.0", 0), ("", 0), ("nonsense", 0), (VERSION, 1)]
)
def test_another_version_is_refused(tmp_path: Path, says: str, code: int) -> None:
    path = program(tmp_path / "path", says, code)
    with pytest.raises(EngineVersionWrong, match=f"v{VERSION} is needed") as refused:
        find_engine()
    assert str(path) in str(refused.value)


@pytest.mark.parametrize("says", [VERSION, f"v{VERSION}", f"{VERSION}+abcdef"])
def test_the_version_may_have_build_details(tmp_path: Path, says: str) -> None:
    assert find_engine_in(tmp_path, says) == tmp_path / "path" / "cometbft"


def find_engine_in(tmp_path: Path, says: str) -> Path:
    program(tmp_path / "path", says)
    return find_engine()


def test_a_wrong_one_is_passed_over_where_a_right_one_is(tmp_path: Path) -> None:
    program(tmp_path / "path", "0.37.0")
    right = program(tmp_path / "home" / "go" / "bin")
    assert find_engine() == right


def test_the_one_that_was_named_is_used_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "path")
    wrong = program(tmp_path / "named", "0.37.0")
    monkeypatch.setenv("TALLY_COMETBFT", str(wrong))
    with pytest.raises(EngineVersionWrong, match=r"0\.37\.0"):
        find_engine()
    monkeypatch.setenv("TALLY_COMETBFT", str(tmp_path / "nowhere"))
    with pytest.raises(EngineMissing, match="nowhere"):
        find_engine()
