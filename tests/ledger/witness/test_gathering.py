"""Cosignatures come over HTTP; slow, dead and hostile peers do no harm."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from ledger.tlog import TlogError, open_checkpoint
from ledger.witness import EvidenceKind, Gatherer, Pace
from tests.ledger.witness.support import ORIGIN, Member, members, verifier_of
from tests.ledger.witness.web import Answer, Handler, Site, consistency, of_member, serving

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


def test_nothing_is_asked_while_nothing_is_missing(tmp_path: Path) -> None:
    pace = Pace(interval_s=0.05, delay_s=0.01, heartbeat_s=60, backoff_s=0.4, timeout_s=1.0)
    with network(tmp_path, "amber", "birch", pace=pace) as (made, sites):
        for member in made:
            member.block(1)
        for member in made:
            until(lambda member=member: is_signed(member, 2, "amber", "birch"))
        time.sleep(0.3)
        asked = {label: len(site.asked) for label, site in sites.items()}
        time.sleep(0.7)
        assert {label: len(site.asked) for label, site in sites.items()} == asked


def test_each_new_head_is_gathered_long_before_the_next_heartbeat(tmp_path: Path) -> None:
    pace = Pace(interval_s=0.1, delay_s=0.01, heartbeat_s=60, backoff_s=0.4, timeout_s=1.0)
    with members(tmp_path, "amber", "birch") as (amber, birch), serving(of_member(birch)) as site:
        amber.urls["birch"] = site.url
        amber.witness.refresh()
        gatherer = Gatherer(amber.witness, pace)
        amber.block(1)  # before anybody asks: nothing may be lost of what comes later
        amber.settle()
        gatherer.start()
        try:
            for number in range(1, 5):
                birch.block(number)
                if number > 1:
                    amber.block(number)
                until(lambda: is_signed(amber, 2, "amber", "birch"), 3)
                time.sleep(0.3)
        finally:
            gatherer.close()


def test_a_slow_heartbeat_goes_on(tmp_path: Path) -> None:
    with network(tmp_path, "amber", "birch") as (_, sites):
        until(lambda: sites["birch"].asked.count("/log/checkpoint") >= 3)


def test_peers_are_asked_at_most_once_an_interval(tmp_path: Path) -> None:
    pace = Pace(interval_s=0.3, delay_s=0.01, heartbeat_s=60, backoff_s=0.4, timeout_s=1.0)
    with network(tmp_path, "amber", "birch", pace=pace) as (made, sites):
        began = time.monotonic()
        for number in range(1, 31):
            for member in made:
                member.block(number)
        until(lambda: is_signed(made[0], 2, "amber", "birch"))
        passed = time.monotonic() - began
        # Each site is asked by one peer alone.
        assert len(sites["birch"].asked) <= 2 + passed / pace.interval_s


def test_a_dead_peer_is_named_and_heard_again_when_it_comes_back(tmp_path: Path) -> None:
    with network(tmp_path, "amber", "birch") as (made, sites):
        amber, birch = made
        alive, sites["birch"].handler = sites["birch"].handler, lambda *_: (503, {}, b"")
        for member in made:
            member.block(1)
        until(lambda: amber.witness.status().unreachable == (f"{ORIGIN}/birch",))
        assert "503" in amber.witness.status().peers[0].trouble
        sites["birch"].handler = alive
        until(lambda: is_signed(amber, 2, "amber", "birch"))
        assert amber.witness.status().unreachable == ()
        assert birch.witness.status().unreachable == ()


def test_a_new_member_is_asked_and_one_that_left_no_longer(tmp_path: Path) -> None:
    with network(tmp_path, "amber", "birch") as (made, sites):
        amber, birch = made
        until(lambda: is_signed(amber, 2, "amber", "birch"))
        url = amber.urls.pop("birch")
        time.sleep(1.0)
        before = len(sites["birch"].asked)
        time.sleep(0.6)
        assert len(sites["birch"].asked) == before
        for member in (amber, birch):
            member.block(1)
        assert not is_signed(amber, 2, "amber", "birch")
        amber.urls["birch"] = url
        until(lambda: is_signed(amber, 2, "amber", "birch"))


def test_a_fork_is_found_over_http_once(tmp_path: Path) -> None:
    with network(tmp_path, "amber", "birch") as (made, _):
        amber, birch = made
        for number in range(3):
            amber.block(number + 1)
            birch.block(number + 11)
        for member in made:
            until(lambda member=member: member.witness.status().evidence == 1)
        time.sleep(1.0)
        assert [member.witness.evidence.count() for member in made] == [1, 1]
        assert "forked" in amber.witness.status().peers[0].trouble


def test_a_peer_ahead_of_us_proves_that_it_goes_on(tmp_path: Path) -> None:
    with network(tmp_path, "amber", "birch") as (made, sites):
        amber, birch = made
        for number in range(2):
            amber.block(number + 1)
        for number in range(6):
            birch.block(number + 1)
        until(lambda: any("/log/consistency" in path for path in sites["birch"].asked))
        time.sleep(0.3)
        assert amber.witness.evidence.count() == 0
        assert amber.witness.status().unreachable == ()


def forge(member: Member) -> Handler:
    """A peer whose proofs do not hold."""
    honest = of_member(member)

    def answer(path: str, query: dict[str, str]) -> Answer:
        if path != "/log/consistency":
            return honest(path, query)
        earlier, later = int(query["from"]), int(query["to"])
        path_ = tuple(bytes([7]) * 32 for _ in range(4))
        return 200, {}, consistency(ORIGIN, earlier, later, path_)

    return answer


def test_a_broken_proof_is_kept(tmp_path: Path) -> None:
    with network(tmp_path, "amber", "birch") as (made, sites):
        amber, birch = made
        sites["birch"].handler = forge(birch)
        amber.block(1)
        for number in range(4):
            birch.block(number + 1)
        until(lambda: amber.witness.evidence.count() == 1)
        (evidence,) = amber.witness.evidence.list()
        assert evidence.kind is EvidenceKind.BROKEN_PROOF


HOSTILE: dict[str, tuple[Handler, str]] = {
    "flood": (lambda *_: (200, {}, b"x" * (4 << 20)), "more than"),
    "endless": (lambda *_: (200, {"Content-Length": str(1 << 40)}, b"x" * (2 << 20)), "more than"),
    "redirect": (lambda *_: (302, {"Location": "http://127.0.0.1:9/"}, b""), "status 302"),
    "compressed": (lambda *_: (200, {"Content-Encoding": "gzip"}, b"\x1f\x8b"), "compressed"),
    "garbage": (lambda *_: (200, {}, b"\xff\xfe\x00"), "decode"),
    "empty": (lambda *_: (200, {}, b""), "refused|not whole"),  # by either question
    "refusal": (lambda *_: (404, {}, b"no"), "status 404"),
    "other log": (lambda *_: (200, {}, b"other.example\n"), "other.example|refused"),
    "silence": (lambda *_: (time.sleep(3), (200, {}, b""))[1], "within 1 s|Timeout"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_answers_are_refused_and_hold_up_nobody(tmp_path: Path, kind: str) -> None:
    labels = ("amber", "birch", "cedar")
    answer, reason = HOSTILE[kind]
    with network(tmp_path, *labels) as (made, sites):
        amber, *others = made
        sites["cedar"].handler = answer
        for member in made:
            member.block(1)
        until(lambda: is_signed(amber, 2, "amber", "birch"), 5)
        until(lambda: amber.witness.status().unreachable == (f"{ORIGIN}/cedar",))
        (trouble,) = [one.trouble for one in amber.witness.status().peers if one.trouble]
        assert re.search(reason, trouble), trouble
        assert amber.witness.evidence.count() == 0
        assert others[0].witness.evidence.count() == 0


def test_a_false_signature_is_refused(tmp_path: Path) -> None:
    with network(tmp_path, "amber", "birch") as (made, sites):
        amber, birch = made
        honest = of_member(birch)

        def flipped(path: str, query: dict[str, str]) -> Answer:
            status, headers, body = honest(path, query)
            return status, headers, body.replace(f"{ORIGIN}/birch ".encode(), b"x ")

        sites["birch"].handler = flipped
        for member in made:
            member.block(1)
        until(lambda: amber.witness.status().unreachable != ())
        assert not is_signed(amber, 2, "amber", "birch")


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "http://[", "file:///etc/passwd", "x"])
def test_addresses_that_are_none_are_not_asked(tmp_path: Path, url: str) -> None:
    with network(tmp_path, "amber", "birch") as (made, _):
        amber, _birch = made
        amber.urls["birch"] = url
        until(lambda: amber.witness.status().unreachable == (f"{ORIGIN}/birch",))


@pytest.mark.parametrize("more", ["/admin?drop=all&x=", "/admin?", "#", "/\\x"])
def test_a_member_does_not_choose_what_is_asked_of_whom(tmp_path: Path, more: str) -> None:
    """Inside another member's network a path and a query may do something."""
    with network(tmp_path, "amber", "birch") as (made, sites):
        amber, _ = made
        before = len(sites["birch"].asked)
        amber.urls["birch"] = sites["birch"].url + more
        amber.block(1)
        until(lambda: amber.witness.status().unreachable == (f"{ORIGIN}/birch",))
        (trouble,) = [one.trouble for one in amber.witness.status().peers]
        assert "no address that is asked" in trouble
        assert not any("admin" in one for one in sites["birch"].asked[before:])


def test_closing_at_once_does_not_hang(tmp_path: Path) -> None:
    with members(tmp_path, "amber", "birch") as (amber, _):
        for _ in range(3):
            gatherer = Gatherer(amber.witness, FAST)
            gatherer.start()
            began = time.monotonic()
            gatherer.close()
            gatherer.close()
            assert time.monotonic() - began < 3
