"""The public credit data as a bank (guest) and a partner (host), with the fixed test set.

from tests.federation.credit import Credit, load_credit

def test_…(shared_data: Path) -> None:
    credit = load_credit(shared_data)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from federation.tables import Table, read_csv, split_label
from tests.conftest import skip_or_fail

TEST_ROWS = 6_066
ROWS = 30_000


@dataclass(frozen=True, slots=True)
class Credit:
    """30,000 clients; guest, host and label have them in the same order."""

    guest: Table
    """The bank's 13 features x0 … x12."""
    host: Table
    """The partner's 10 features x0 … x9."""
    label: NDArray[np.uint8]
    """1: did not pay."""
    train: NDArray[np.int64]
    """The 23,934 rows to train with."""
    test: NDArray[np.int64]
    """The 6,066 rows of the fixed test set."""

    def pooled(self) -> Table:
        """All 23 features as if one party had them: guest_x0 …, host_x0 …."""
        columns = {f"guest_{name}": column for name, column in self.guest.columns.items()}
        columns |= {f"host_{name}": column for name, column in self.host.columns.items()}
        return Table(self.guest.ids, columns)


def load_credit(shared_data: Path) -> Credit:
    """The data set, read once a process. Skips, or fails in CI, where it is not there."""
    folder = shared_data / "credit"
    if not folder.is_dir():
        skip_or_fail("the public credit data is not there")
    return _load(folder)


def is_test_row(name: str) -> bool:
    """Whether that id belongs to the fixed test set."""
    return int(sha256(name.encode()).hexdigest(), 16) % 5 == 0


@cache
def _load(folder: Path) -> Credit:
    guest, label = split_label(read_csv(folder / "default_credit_hetero_guest.csv"), "y")
    host = read_csv(folder / "default_credit_hetero_host.csv")
    place = {name: row for row, name in enumerate(host.ids)}
    host = host.take(np.array([place[name] for name in guest.ids], dtype=np.int64))
    tested = np.array([is_test_row(name) for name in guest.ids])
    train, test = np.flatnonzero(~tested), np.flatnonzero(tested)
    if (guest.rows, test.size) != (ROWS, TEST_ROWS):
        pytest.fail(f"the credit data has {guest.rows} rows, {test.size} of them for testing")
    return Credit(guest, host, label, train, test)
