"""Room that parts of a node take."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nodes.operations import disk
from nodes.operations.disk import DiskGauge, measure

pytestmark = pytest.mark.feature("N5")


def test_it_is_what_du_counts(tmp_path: Path) -> None:
    part = tmp_path / "part"
    (part / "deep" / "er").mkdir(parents=True)
    (part / "a").write_bytes(os.urandom(100_000))
    (part / "deep" / "b").write_bytes(os.urandom(50_000))
    os.link(part / "a", part / "deep" / "er" / "same")
    (part / "deep" / "link").symlink_to(tmp_path)
    expected = int(os.popen(f"du -s -B1 {part}").read().split()[0])
    found = measure("part", part)
    assert found.used_bytes == expected
    assert found.complete
    assert 0 < found.free_bytes <= found.total_bytes


def test_a_hole_in_a_file_takes_no_room(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 30)
    assert measure("x", tmp_path / "sparse").used_bytes < 1 << 20


def test_a_database_counts_with_its_journal(tmp_path: Path) -> None:
    (tmp_path / "tally.sqlite").write_bytes(os.urandom(8192))
    alone = measure("database", tmp_path / "tally.sqlite").used_bytes
    (tmp_path / "tally.sqlite-wal").write_bytes(os.urandom(8192))
    assert measure("database", tmp_path / "tally.sqlite").used_bytes == 2 * alone > 0


def test_what_is_not_there_takes_nothing_and_lies_where_it_would(tmp_path: Path) -> None:
    found = measure("engine", tmp_path / "not" / "yet")
    assert found.used_bytes == 0
    assert found.total_bytes == measure("x", tmp_path).total_bytes > 0


def test_counting_ends_at_a_bound_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        (tmp_path / f"{number}").touch()
    monkeypatch.setattr(disk, "ENTRIES_MAX", 10)
    assert not measure("x", tmp_path).complete
    monkeypatch.setattr(disk, "ENTRIES_MAX", 40)
    assert measure("x", tmp_path).complete


def test_folders_are_walked_once_for_many_askers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gauge = DiskGauge({"x": tmp_path})
    first = gauge.parts()[0].used_bytes
    (tmp_path / "more").write_bytes(os.urandom(100_000))
    assert gauge.parts()[0].used_bytes == first
    monkeypatch.setattr(disk, "KEPT_S", -1.0)
    assert gauge.parts()[0].used_bytes > first
