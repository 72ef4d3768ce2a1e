"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How fast examples are made and run says how busy the machine is, not whether the code is right.
settings.register_profile("tallystick", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tallystick")

PROJECT = Path(__file__).resolve().parent.parent
SHARED_DATA = PROJECT.parent / "shared" / "data"


def require_all() -> bool:
    """Whether a missing optional part is a failure (CI) instead of a skip (a user's machine)."""
    return os.environ.get("TALLY_REQUIRE_ALL") == "1"


def skip_or_fail(reason: str) -> None:
    """Skip, saying why; fail under TALLY_REQUIRE_ALL=1, where nothing may be missing."""
    if require_all():
        pytest.fail(f"{reason} (and TALLY_REQUIRE_ALL=1 allows no skip)")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def project_root() -> Path:
    return PROJECT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the public test data, which lies beside the project and is never part of it."""
    if not SHARED_DATA.is_dir():
        skip_or_fail(f"public test data not found at {SHARED_DATA.name}/ beside the project")
    return SHARED_DATA


@pytest.fixture(scope="session")
def require() -> Callable[[str], str]:
    """`require("node")` gives the program's path, or skips (fails in CI) where it is missing."""

    def find(program: str) -> str:
        path = shutil.which(program)
        if path is None:
            skip_or_fail(f"the program {program!r} is not installed")
        return str(path)

    return find
