"""When a ledger that one node wrote alone may become a consortium's."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.consortium import Profile, Role
from ledger.chain import Ledger, NodeEntry
from ledger.crypto import NO_PASSPHRASE, KeyStore
from nodes.endpoints import parse_endpoint
from nodes.founding import MemberSpec, found_solo
from nodes.layout import NodeDirectory
from nodes.network.errors import PromotionRefused
from nodes.network.identity import NodeSpec, describe_node
from nodes.network.promotion import promote
from nodes.settings import NodeSettings

pytestmark = pytest.mark.feature("N1")

SPEC = NodeSpec(
    organisation="acme",
    profile=Profile("Acme", "顶点"),
    role=Role.OPERATOR,
    label="acme",
    p2p=parse_endpoint("127.0.0.1:26656"),
    api="http://127.0.0.1:8080",
)


@pytest.fixture
def alone(tmp_path: Path) -> NodeDirectory:
    place = NodeDirectory(tmp_path / "node")
    found_solo(
        place,
        NodeSettings(name="Test"),
        [MemberSpec("acme", "Acme", "顶点", Role.OPERATOR)],
        origin_prefix="tallystick.example/test",
        passphrase=NO_PASSPHRASE,
    )
    return place


def registered(place: NodeDirectory, monkeypatch: pytest.MonkeyPatch, others: int) -> None:
    """The Network contract has this node with power 10, and another with this power."""
    own = describe_node(place, KeyStore(place.keys, NO_PASSPHRASE), SPEC)
    entries = (
        NodeEntry(own.node_id, "acme", True, 10, own.validator_key),
        NodeEntry(bytes(20), "boreal", True, others, bytes(range(32))),
    )
    monkeypatch.setattr(Ledger, "nodes", lambda _self, _block=None: entries)


def test_a_node_that_could_make_no_block_alone_is_not_promoted(
    alone: NodeDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(alone, monkeypatch, others=5)
    before = alone.settings.read_text()
    with pytest.raises(PromotionRefused, match=r"10 of 15 power.* set-power"):
        promote(alone, NO_PASSPHRASE)
    assert alone.settings.read_text() == before
    assert not (alone.engine / "config" / "genesis.json").exists()
