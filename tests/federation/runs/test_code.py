"""The hash of the software."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from federation.runs import code_hash
from federation.runs.code import hash_of_sources

pytestmark = pytest.mark.feature("D4")


def test_the_hash_is_one_of_this_package() -> None:
    assert re.fullmatch("0x[0-9a-f]{64}", code_hash())
    assert code_hash() == hash_of_sources(Path(__file__).parents[3] / "federation")


def test_a_changed_moved_or_added_file_changes_the_hash(tmp_path: Path) -> None:
    (tmp_path / "room").mkdir()
    source = tmp_path / "room" / "a.py"
    source.write_text("x = 1\n")
    hashes = [hash_of_sources(tmp_path)]
    source.write_text("x = 2\n")
    hashes.append(hash_of_sources(tmp_path))
    source.rename(tmp_path / "a.py")
    hashes.append(hash_of_sources(tmp_path))
    source.write_text("x = 2\n")
    hashes.append(hash_of_sources(tmp_path))
    assert len(set(hashes)) == 4
    (tmp_path / "note.txt").write_text("no source")
    assert hash_of_sources(tmp_path) == hashes[-1]
