"""A command that is written wrongly is told so in one line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from nodes.cli.app import main

pytestmark = pytest.mark.feature("A4")


def said(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["tally", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("grow",), "No such command 'grow'"),
        (("node", "start"), "Missing argument 'DIR'"),
        (("node", "start", "x", "--port", "1"), "No such option: --port"),
        (("dev", "--port", "many"), "Invalid value for '--port'"),
    ],
)
def test_usage_errors_are_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    told: str,
) -> None:
    assert said(monkeypatch, *words) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("tally: ")
    assert told in lines[0]
    assert "--help)" in lines[0]


@pytest.mark.parametrize("key", ["schl\u00fcssel-of-ours", "secret-of-ours\n", "secret of ours"])
@pytest.mark.parametrize("command", [("capture",), ("reconcile", "--account", "x", "--date", "y")])
def test_a_key_that_is_none_is_told_so_and_not_shown(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    command: tuple[str, ...],
    key: str,
) -> None:
    file = tmp_path / "file"
    file.write_text("{}")
    words = (command[0], str(file), *command[1:], "--key", key, "--url", "http://127.0.0.1:1")
    assert said(monkeypatch, *words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("tally: the bearer key has characters that no key has")
    assert "ours" not in line


def test_words_between_colons_stay_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert said(monkeypatch, "dev", "--dir", str(tmp_path), "--member", "Acme:bank:") == 2
    assert "Acme:bank:" in capsys.readouterr().err


def test_help_and_version_are_no_errors(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(monkeypatch, "--version") == 0
    assert said(monkeypatch, "node", "start", "--help") == 0
    assert "Run a node until Ctrl-C" in capsys.readouterr().out
    assert said(monkeypatch) == 2
    assert "Commands" in "".join(capsys.readouterr())
