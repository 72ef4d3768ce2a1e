"""Whose word counts when a restored validator asks which height the network has reached."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from contracts.consortium import Role
from ledger.chain import Genesis, Ledger
from ledger.crypto import NO_PASSPHRASE, KeyStore
from nodes.errors import NodeUnreachable
from nodes.founding import MemberSpec
from nodes.membership import members_of
from nodes.network.trial import new_network
from nodes.opening import open_ledger
from nodes.operations.backup_errors import RestoreRefused
from nodes.operations.heights import SPREAD_HEIGHTS_MAX, Ask, ask_members
from nodes.settings import load_settings
from tests.nodes.network.members import Member

pytestmark = pytest.mark.feature("N4")

NAMES = ("acme", "boreal", "cobalt", "delta")


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    members = [MemberSpec(name, name.title(), "成员", Role.MANUFACTURER) for name in NAMES]
    place = new_network(tmp_path_factory.mktemp("net"), members).members[0].directory
    keys = KeyStore(place.keys, NO_PASSPHRASE)
    opened = open_ledger(place, load_settings(place.settings), Genesis.load(place.genesis), keys)
    yield opened
    opened.close()


def ids(ledger: Ledger) -> list[bytes]:
    """Of the members in the order of `NAMES`; the first one is restored."""
    by_name = {one.organisation: one.id for one in ledger.nodes()}
    return [by_name[name] for name in NAMES]


def saying(
    ledger: Ledger, heights: Mapping[str, int], others: Mapping[str, str] | None = None
) -> Ask:
    """Members that say these heights at their addresses; all others are silent."""
    names = {one.contact.api: one.entry for one in members_of(ledger)}
    more = dict(others or {})

    def ask(url: str) -> tuple[str, int]:
        if url in more:
            return more[url], 77
        entry = names[url]
        if entry.organisation not in heights:
            raise NodeUnreachable("down")
        return entry.id.hex(), heights[entry.organisation]

    return ask


def asked(ledger: Ledger, **heights: int) -> int:
    return ask_members(ledger, ids(ledger)[0], (), saying(ledger, heights))


def test_the_highest_of_those_that_say_one_counts(ledger: Ledger) -> None:
    assert asked(ledger, boreal=5, cobalt=9, delta=7) == 9
    assert asked(ledger, boreal=9, cobalt=9, delta=9) == 9


@pytest.mark.parametrize("heights", [{}, {"boreal": 90}, {"delta": 1}, {"boreal": 5, "cobalt": 9}])
def test_two_thirds_of_the_power_and_less_are_not_believed(
    ledger: Ledger, heights: dict[str, int]
) -> None:
    with pytest.raises(RestoreRefused, match="more than two thirds") as why:
        asked(ledger, **heights)
    assert "--last-height" in str(why.value)
    assert "down" in str(why.value)


def test_the_own_word_does_not_count(ledger: Ledger) -> None:
    with pytest.raises(RestoreRefused, match="20 of 40 power"):
        asked(ledger, acme=9, boreal=9, cobalt=9)


def test_a_height_far_above_the_others_is_not_believed(ledger: Ledger) -> None:
    with pytest.raises(RestoreRefused, match=r"cobalt .* says height 20009, but .* only 9"):
        asked(ledger, boreal=9, cobalt=9 + 2 * SPREAD_HEIGHTS_MAX, delta=8)
    most = 9 + SPREAD_HEIGHTS_MAX
    assert asked(ledger, boreal=9, cobalt=most, delta=8) == most


def test_an_address_counts_for_the_node_that_it_is(ledger: Ledger) -> None:
    own, boreal, cobalt, delta = ids(ledger)
    more = {"http://b": boreal.hex(), "http://c": cobalt.hex(), "http://d": delta.hex()}
    more |= {"http://b2": boreal.hex(), "http://x": "ab" * 20, "http://o": own.hex()}
    ask = saying(ledger, {}, more)
    two = ["http://b", "http://c"]
    assert ask_members(ledger, own, [*two, "http://d"], ask) == 77
    for third in ("http://b2", "http://x", "http://o"):
        with pytest.raises(RestoreRefused, match="20 of 40 power"):
            ask_members(ledger, own, [*two, third], ask)


def test_who_answers_in_anothers_place_does_not_count(ledger: Ledger) -> None:
    own, boreal, cobalt, _ = ids(ledger)
    api = {one.entry.id: one.contact.api for one in members_of(ledger)}
    ask = saying(ledger, {"boreal": 77, "delta": 77}, {api[cobalt]: boreal.hex()})
    with pytest.raises(RestoreRefused, match=f"is node {boreal.hex()}, not {cobalt.hex()}"):
        ask_members(ledger, own, (), ask)


def test_what_is_no_height_does_not_count(ledger: Ledger) -> None:
    with pytest.raises(RestoreRefused, match="is no height"):
        asked(ledger, boreal=-1, cobalt=2**60, delta=4)


def test_with_three_validators_the_others_are_never_enough(tmp_path: Path) -> None:
    members = [MemberSpec(name, name.title(), "成员", Role.MANUFACTURER) for name in NAMES[:3]]
    place = new_network(tmp_path, members).members[0].directory
    keys = KeyStore(place.keys, NO_PASSPHRASE)
    three = open_ledger(place, load_settings(place.settings), Genesis.load(place.genesis), keys)
    try:
        own = next(one.id for one in three.nodes() if one.organisation == "acme")
        with pytest.raises(RestoreRefused, match=r"20 of 30 .* do not have\).*--last-height"):
            ask_members(three, own, (), saying(three, {"boreal": 9, "cobalt": 9}))
    finally:
        three.close()


@pytest.mark.parametrize("behind", ["true", "null", '"false"', None])
def test_who_is_itself_catching_up_does_not_count(ledger: Ledger, behind: str | None) -> None:
    """Asked over HTTP, as nodes answer."""
    own, *others = ids(ledger)

    def status(node: bytes, height: int, catching_up: str | None) -> bytes:
        sync = {"latest_block_height": str(height)}
        if catching_up is not None:
            sync["catching_up"] = json.loads(catching_up)
        result = {"node_info": {"id": node.hex()}, "sync_info": sync}
        return json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}).encode()

    with ExitStack() as stack:
        members = []
        for number, node in enumerate(others):
            member = Member()
            member.raw["/engine"] = status(node, 20 + number, "false")
            member.start()
            stack.callback(member.stop)
            members.append(member)
        urls = [one.url for one in members]
        assert ask_members(ledger, own, urls) == 22
        members[1].raw["/engine"] = status(others[1], 5, behind)
        with pytest.raises(RestoreRefused, match="20 of 40 power") as why:
            ask_members(ledger, own, urls)
        reason = "not readable" if behind is None else "still catching up, at height 5"
        assert reason in str(why.value)
