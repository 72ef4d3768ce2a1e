"""A small ledger for the tests of this room."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.chain import Genesis, Ledger
from ledger.consensus import SoloDriver
from ledger.tlog import NoteSigner
from tests.ledger.chain.support import make_genesis


@pytest.fixture(scope="session")
def small_genesis() -> Genesis:
    """Four permitted accounts (`tests.ledger.chain.support.sender(1…4)`) and the echo contract."""
    return make_genesis()


@pytest.fixture
def note_signer() -> NoteSigner:
    return NoteSigner("tallystick.example/test", bytes(range(32)))


@pytest.fixture
def open_ledger(
    tmp_path: Path, small_genesis: Genesis, note_signer: NoteSigner
) -> Iterator[Ledger]:
    """A ledger without a driver: blocks are made by `append_block`."""
    with Ledger.open(
        tmp_path / "ledger", genesis=small_genesis, signer=note_signer, map_size_bytes=1 << 30
    ) as ledger:
        yield ledger


@pytest.fixture
def solo_ledger(open_ledger: Ledger) -> Iterator[Ledger]:
    """A ledger whose solo driver makes blocks."""
    driver = SoloDriver(open_ledger)
    driver.start()
    yield open_ledger
    driver.stop()
