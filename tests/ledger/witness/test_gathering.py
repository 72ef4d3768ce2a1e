"""Cosignatures come over HTTP; slow, dead and hostile peers do no harm."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from ledger.tlog import TlogError, open_checkpoint
from ledger.witness import Gatherer, Pace
from tests.ledger.witness.support import ORIGIN, Member, members, verifier_of
from tests.ledger.witness.web import Site, of_member, serving

pytestmark = pytest.mark.feature("L4")

FAST = Pace(interval_s=0.05, delay_s=0.01, heartbeat_s=0.4, backoff_s=0.4, timeout_s=1.0)


def until(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


@contextmanager
def network(
    directory: Path, *labels: str, pace: Pace = FAST
) -> Iterator[tuple[list[Member], dict[str, Site]]]:
    """Members that serve and ask each other."""
    with ExitStack() as exits:
        made = exits.enter_context(members(directory, *labels))
        sites = {one.label: exits.enter_context(serving(of_member(one))) for one in made}
        for one in made:
            one.urls.update({label: site.url for label, site in sites.items()})
            gatherer = Gatherer(one.witness, pace)
            gatherer.start()
            exits.callback(gatherer.close)
        yield made, sites


def is_signed(member: Member, threshold: int, *labels: str) -> bool:
    keys = [verifier_of(label) for label in labels]
    try:
        checkpoint = open_checkpoint(member.ledger.log.checkpoint(), keys, threshold, ORIGIN)
    except TlogError:
        return False
    return checkpoint.size == member.size


def test_every_member_serves_a_checkpoint_that_all_have_signed(tmp_path: Path) -> None:
    labels = ("amber", "birch", "cedar")
    with network(tmp_path, *labels) as (made, _):
        for number in range(1, 6):
            for member in made:
                member.block(number)
        for member in made:
            until(lambda member=member: is_signed(member, 3, *labels))
            assert member.witness.status().missing == ()
            assert member.witness.status().witnessed_size == member.size
