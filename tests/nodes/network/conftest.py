"""Members' nodes for a joiner to ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from nodes.network import admission, anchoring
from tests.nodes.network.members import Member


@pytest.fixture
def members() -> Iterator[Callable[[], Member]]:
    """`members()` is one more that listens."""
    started: list[Member] = []

    def start() -> Member:
        member = Member()
        member.start()
        started.append(member)
        return member

    yield start
    for member in started:
        member.stop()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is waited for comes at once or not at all."""
    monkeypatch.setattr(admission, "POLL_S", 0.01)
    monkeypatch.setattr(anchoring, "POLL_S", 0.01)
    monkeypatch.setattr(anchoring, "TRIES", 3)
