"""One small chain and its snapshot, made once; and an empty ledger to restore it into."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ledger.chain import Ledger
from ledger.snapshot import SnapshotInfo
from ledger.snapshot.stream import Kind
from ledger.types import Hash32
from tests.ledger.snapshot.support import grow, open_at, records_of, snapshot_of, stream_of


@dataclass(frozen=True)
class Made:
    """A snapshot and what it was made of."""

    info: SnapshotInfo
    chunks: list[bytes]
    stream: bytes
    records: list[tuple[Kind, bytes]]
    root: bytes
    """Of the log."""
    head: Hash32
    roots: tuple[bytes, ...]
    """Of the log, by size."""


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    place = tmp_path_factory.mktemp("source")
    with open_at(place / "chain") as source:
        grow(source, 5)
        info, chunks = snapshot_of(source, place / "snapshots")
        stream = stream_of(info, chunks)
        roots = tuple(source.log.root_at(size) for size in range(source.log.size + 1))
        head = source.head().hash
    return Made(info, chunks, stream, records_of(stream), roots[-1], head, roots)


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Ledger]:
    with open_at(tmp_path / "empty") as ledger:
        yield ledger
