"""The journal of a run on disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from federation.runs import FileJournal, JournalInvalid, MemoryJournal, Stage, StageRecord
from federation.runs.documents import ATTEMPTS_MAX
from tests.federation.runs.runs import run_of

pytestmark = pytest.mark.feature("D8")

RUN = run_of(Stage("counting", "count"))
RECORDS = [
    StageRecord("counting", "bank", 1, "done", {"rows": 7}),
    StageRecord("counting", "maker", 1, "failed", reason="不可读", blames="bank", lost=True),
]


def write(path: Path) -> None:
    with FileJournal(path, RUN) as journal:
        assert journal.begin("counting") == 1
        for record in RECORDS:
            journal.add(record)


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "journal"
    write(path)
    with FileJournal(path, RUN) as journal:
        assert list(journal.records()) == RECORDS
        assert journal.begin("counting") == 2
    assert path.stat().st_mode & 0o077 == 0


def test_a_try_that_left_no_record_counts(tmp_path: Path) -> None:
    for attempt in (1, 2, 3):
        with FileJournal(tmp_path / "journal", RUN) as journal:
            assert journal.begin("counting") == attempt


def test_cut_short_anywhere_it_has_what_was_whole(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    write(path)
    data = path.read_bytes()
    ends = [n for n, byte in enumerate(data) if byte == 10]
    for length in sorted({0, 1, *(end + step for end in ends for step in (-20, 0, 1, 2))}):
        path.write_bytes(data[:length])
        with FileJournal(path, RUN) as journal:
            whole = data[:length].count(b"\n")
            assert list(journal.records()) == RECORDS[: max(0, whole - 2)]
            journal.add(RECORDS[0])
        with FileJournal(path, RUN) as journal:
            assert journal.records()[-1] == RECORDS[0]


def test_the_journal_of_another_plan_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "journal")
    other = replace(RUN, stages=(Stage("counting", "count", {"offset": 1}),))
    with pytest.raises(JournalInvalid, match="another plan"):
        FileJournal(tmp_path / "journal", other)


def test_rubbish_in_it_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    write(path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], b"rubbish\n", *lines[2:]]))
    with pytest.raises(JournalInvalid, match="line 3"):
        FileJournal(path, RUN)


def test_two_do_not_write_it_at_once(tmp_path: Path) -> None:
    with FileJournal(tmp_path / "journal", RUN) as journal:
        with pytest.raises(JournalInvalid, match="being written"):
            FileJournal(tmp_path / "journal", RUN)
        journal.close()
        journal.close()
        FileJournal(tmp_path / "journal", RUN).close()


def test_a_stage_is_not_tried_without_end() -> None:
    journal = MemoryJournal()
    for _ in range(ATTEMPTS_MAX):
        journal.begin("counting")
    with pytest.raises(JournalInvalid, match="no more"):
        journal.begin("counting")
