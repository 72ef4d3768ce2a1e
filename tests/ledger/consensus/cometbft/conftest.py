"""An application on a real ledger, and the engine's program."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.consensus.cometbft import EngineMissing, EngineVersionWrong, find_engine
from tests.conftest import skip_or_fail
from tests.ledger.consensus.cometbft.rig import Rig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """One node of four, whose engine has begun."""
    with Rig(tmp_path / "ledger") as rig:
        rig.init_chain()
        yield rig


@pytest.fixture(scope="session")
def cometbft() -> Path:
    """The engine's program, or a loud skip."""
    try:
        return find_engine()
    except (EngineMissing, EngineVersionWrong) as missing:
        skip_or_fail(str(missing))
        raise
