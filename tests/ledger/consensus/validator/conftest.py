"""CometBFT, and a hardware token."""

from __future__ import annotations

import pytest

from tests.conftest import skip_or_fail
from tests.ledger.consensus.validator.engine import find_program
from tests.ledger.crypto.conftest import hsm

__all__ = ["cometbft", "hsm"]


@pytest.fixture(scope="session")
def cometbft() -> str:
    """Path of CometBFT; skips (fails in CI) where it is not installed."""
    program = find_program()
    if program is None:
        skip_or_fail("CometBFT is not installed: make cometbft")
    return str(program)
