"""A command that is written wrongly is told so in one line."""

from __future__ import annotations

import sys

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


def test_help_and_version_are_no_errors(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(monkeypatch, "--version") == 0
    assert said(monkeypatch, "node", "start", "--help") == 0
    assert "Run a node until Ctrl-C" in capsys.readouterr().out
    assert said(monkeypatch) == 2
    assert "Commands" in "".join(capsys.readouterr())
