"""A node waits until the members have admitted it, as who it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nodes import membership
from nodes.network.admission import peers_among, wait_admitted
from nodes.network.errors import JoinRefused
from nodes.network.source import MemberSource, Standing
from tests.nodes.network.members import Member
from tests.nodes.network.support import descriptor

pytestmark = [pytest.mark.feature("N1"), pytest.mark.usefixtures("impatient")]

OWN = descriptor("newcomer", 9)
STANDING = {
    "id": OWN.node_id.hex(),
    "organisation": "newcomer",
    "status": "active",
    "validatorKey": OWN.validator_key.hex(),
    "p2p": str(OWN.p2p),
}


def test_a_node_waits_until_it_is_admitted(members: Callable[[], Member]) -> None:
    member, told = members(), list[str]()

    def tell(line: str) -> None:
        told.append(line)
        member.nodes = [STANDING]

    assert len(wait_admitted([MemberSource(member.url)], OWN, 30, tell)) == 1
    assert "proposal new admit" in told[0]


@pytest.mark.parametrize("changed", [{"validatorKey": "ab" * 32}, {"organisation": "other"}])
def test_a_node_that_was_admitted_as_somebody_else_is_told(
    members: Callable[[], Member], changed: dict[str, str]
) -> None:
    member = members()
    member.nodes = [{**STANDING, **changed}]
    with pytest.raises(JoinRefused, match="another organisation or validator key"):
        wait_admitted([MemberSource(member.url)], OWN, 30, lambda _: None)


def test_waiting_ends(members: Callable[[], Member]) -> None:
    member = members()
    member.nodes = [{**STANDING, "status": "suspended"}]
    with pytest.raises(JoinRefused, match="not admitted this node within 0 s"):
        wait_admitted([MemberSource(member.url)], OWN, 0, lambda _: None)


def test_peers_are_the_others_that_count_and_can_be_dialled(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def node(number: int, p2p: str, *, active: bool = True) -> Standing:
        return Standing(bytes([number]).hex() * 20, "x", active, None, p2p)

    nodes = [
        node(1, "one.example:1"),
        node(2, "two.example:2"),
        node(3, "three.example:3", active=False),
        node(4, "nowhere"),
        node(5, "[::1%x]:5"),
        Standing("no id", "x", True, None, "six.example:6"),
    ]
    assert peers_among(nodes, b"\x01" * 20) == ("02" * 20 + "@two.example:2",)
    assert len([one for one in caplog.messages if "is not dialled" in one]) == 3


def test_what_the_engine_refuses_keeps_no_node_from_starting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Even if the two ever differ in what an address is."""

    def generous(text: str) -> str:
        return text

    monkeypatch.setattr(membership, "parse_endpoint", generous)
    good = ("02" * 20, "two.example:2")
    found = membership.peers_of([("01" * 20, "[::1%x]:26656"), good, ("03" * 20, "x:99999")])
    assert found == ("02" * 20 + "@two.example:2",)
