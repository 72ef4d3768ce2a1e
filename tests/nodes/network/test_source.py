"""What members' nodes answer is bounded and checked before anything is made of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nodes.errors import NodeUnreachable
from nodes.network.errors import JoinRefused
from nodes.network.source import MemberSource, validators_at
from tests.nodes.network.members import Member
from tests.nodes.network.test_engine_header import SECOND

pytestmark = pytest.mark.feature("N1")


@pytest.mark.parametrize("raw", [b"", b"<html>", b"[]", b"{}", b'{"engine": 1}', b"9" * (5 << 20)])
def test_what_is_no_node_is_recognised(members: Callable[[], Member], raw: bytes) -> None:
    member = members()
    member.raw["/network"] = raw
    with pytest.raises(JoinRefused, match="not answer as a node"):
        MemberSource(member.url).network()


@pytest.mark.parametrize("checkpoint", [b"5", b"{}", b"[]", b"true"])
def test_a_checkpoint_is_text_or_none(members: Callable[[], Member], checkpoint: bytes) -> None:
    member = members()
    engine = b'{"height": 2, "snapshots": []}'
    body = b'{"engine": %s, "nodes": [], "checkpoint": %s}'
    member.raw["/network"] = body % (engine, checkpoint)
    with pytest.raises(JoinRefused, match="not answer as a node"):
        MemberSource(member.url).network()
    member.raw["/network"] = body % (engine, b"null")
    assert MemberSource(member.url).network().checkpoint is None


def test_a_node_that_orders_alone_cannot_be_joined(members: Callable[[], Member]) -> None:
    member = members()
    member.raw["/network"] = b'{"engine": null, "nodes": [], "checkpoint": null}'
    with pytest.raises(JoinRefused, match="orders alone"):
        MemberSource(member.url).network()


@pytest.mark.parametrize(
    "raw",
    [
        b'{"jsonrpc": "2.0", "id": 1, "error": {"code": -1, "message": "no such height"}}',
        b'{"result": []}',
        b"null",
    ],
)
def test_what_the_engine_refuses_is_said(members: Callable[[], Member], raw: bytes) -> None:
    member = members()
    member.raw["/engine"] = raw
    with pytest.raises(JoinRefused):
        MemberSource(member.url).height()
    with pytest.raises(JoinRefused):
        validators_at(MemberSource(member.url).engine, 1)


def test_a_header_of_another_height_is_refused(members: Callable[[], Member]) -> None:
    member = members()
    member.headers[7] = SECOND
    with pytest.raises(JoinRefused, match="header 2 where 7"):
        MemberSource(member.url).header(7)


def test_nobody_there_is_said_in_one_line() -> None:
    with pytest.raises(NodeUnreachable, match="no answer from"):
        MemberSource("http://127.0.0.1:1").network()
    with pytest.raises(NodeUnreachable):
        MemberSource("nonsense")


@pytest.mark.parametrize("url", ["http://[v1.a]", "http://a..b", "http://" + "a" * 64])
def test_an_address_that_no_client_understands_is_nobody_there(url: str) -> None:
    """Members write their addresses into the ledger themselves."""
    with pytest.raises(NodeUnreachable, match="no answer from"):
        MemberSource(url).network()
