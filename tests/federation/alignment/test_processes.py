"""Alignment between two processes over mutual TLS, as the benchmark measures it."""

from __future__ import annotations

import pytest

from benchmarks.alignment import measure

pytestmark = [pytest.mark.feature("D2"), pytest.mark.slow]


def test_two_processes_align_within_100_bytes_for_each_id() -> None:
    """100 bytes for each pair of rows is 10 MB for 100,000 with 100,000."""
    result = measure(ids=6_000, common=0.5, threads=1)
    assert result.common == 3_000
    assert result.size_bytes < 100 * 6_000
    # all 4 multiplications for each id, and little besides
    assert result.processor_s < 2 * result.limit_processor_s
