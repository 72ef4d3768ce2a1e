"""A node for the tests of capture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.traceability.capture.stack import Identity, Stack, make_identity, running


@pytest.fixture(scope="session")
def identity() -> Identity:
    return make_identity()


@pytest.fixture
def stack(tmp_path: Path, identity: Identity) -> Iterator[Stack]:
    with running(tmp_path, identity) as stack:
        yield stack
