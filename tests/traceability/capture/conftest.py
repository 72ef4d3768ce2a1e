"""A node for the tests of capture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.ledger.projection.support import database_url
from tests.traceability.capture.stack import Identity, Stack, make_identity, running

__all__ = ["database_url", "identity", "stack", "start"]


Start = Callable[..., AbstractContextManager[Stack]]


@pytest.fixture(scope="session")
def identity() -> Identity:
    return make_identity()


@pytest.fixture
def start(tmp_path: Path, identity: Identity, database_url: str) -> Start:
    """`with start(settings) as stack`: a node on each database; called again it is the same."""

    def running_node(*settings: Any, **options: Any) -> AbstractContextManager[Stack]:
        return running(tmp_path, identity, *settings, **{"database_url": database_url, **options})

    return running_node


@pytest.fixture
def stack(start: Start) -> Iterator[Stack]:
    with start() as stack:
        yield stack
