"""`tally node keys adopt` with a file that is no record of a rotated key."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.tlog.note import NOTE_SIZE_BYTES_MAX
from tests.nodes.cli.test_usage import said

pytestmark = pytest.mark.feature("N2")


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n\xff",
        b"",
        b"a note\n\nby nobody\n",
        b"\0" * 100,
        "é".encode() * NOTE_SIZE_BYTES_MAX,
        b"a" * (NOTE_SIZE_BYTES_MAX + 1),
    ],
    ids=["binary", "empty", "other text", "zeros", "cut in a letter", "too long"],
)
def test_what_is_no_record_is_told_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    data: bytes,
) -> None:
    record = tmp_path / "record.txt"
    record.write_bytes(data)
    assert said(monkeypatch, "node", "keys", "adopt", str(record)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("tally: ")


def test_the_file_that_is_no_text_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record = tmp_path / "record.txt"
    record.write_bytes(b"\xff")
    said(monkeypatch, "node", "keys", "adopt", str(record))
    assert f"{record} is no record of a rotated log key" in capsys.readouterr().err
