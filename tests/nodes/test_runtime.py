"""A node's parts: opened and closed in order, served on free ports."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import httpx
import pytest

from ledger.chain import Ledger
from ledger.crypto import NO_PASSPHRASE
from nodes.errors import NotANodeDirectory, PortTaken
from nodes.layout import NodeDirectory
from nodes.runtime import NodeRuntime
from nodes.serving import lan_address, serving
from nodes.settings import ApiSettings, CaptureSettings, NodeSettings, RpcSection
from tests.nodes.test_folder import found

pytestmark = pytest.mark.feature("A4")


@pytest.fixture
def place(tmp_path: Path) -> NodeDirectory:
    return found(tmp_path / "node")


def quiet(settings: NodeSettings) -> NodeSettings:
    """Free ports, no worker processes."""
    return settings.model_copy(
        update={
            "api": ApiSettings(port=0),
            "rpc": RpcSection(port=0),
            "capture": CaptureSettings(workers=0),
        }
    )


def opened(place: NodeDirectory) -> NodeRuntime:
    return NodeRuntime.open(place.root, NO_PASSPHRASE, quiet)


def test_a_node_serves_its_api_and_its_rpc(place: NodeDirectory) -> None:
    with opened(place) as node, serving(node) as addresses:
        health = httpx.get(f"{addresses.api}/health", trust_env=False)
        chain = httpx.post(addresses.rpc, json={"id": 1, "method": "eth_chainId"}, trust_env=False)
        assert health.is_success
        assert chain.json()["result"] == hex(node.genesis.chain_id)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{addresses.api}/health", trust_env=False)


def test_what_is_closed_can_be_opened_again_and_leaves_no_threads(place: NodeDirectory) -> None:
    before = {one.name for one in threading.enumerate()}
    for _ in range(2):
        with opened(place) as node:
            assert node.ledger.head().header.number == 0
    left = {one.name for one in threading.enumerate() if not one.daemon} - before
    assert left == set()


@pytest.mark.parametrize("broken", ["trust", "settings", "genesis", "database"])
def test_a_node_that_cannot_open_lets_go_of_everything(place: NodeDirectory, broken: str) -> None:
    path: Path = getattr(place, broken)
    good = path.read_bytes() if path.exists() else None
    path.write_bytes(b"not what belongs here" * 100)
    before = threading.active_count()
    with pytest.raises(Exception):  # noqa: B017, PT011 - each part has its own
        opened(place)
    assert threading.active_count() == before
    if good is None:
        path.unlink()
    else:
        path.write_bytes(good)
    with opened(place) as node:
        assert isinstance(node.ledger, Ledger)


def test_two_nodes_cannot_share_a_folder(place: NodeDirectory) -> None:
    with opened(place), pytest.raises(Exception, match=r"(?i)open|use"):
        opened(place)


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotANodeDirectory):
        NodeRuntime.open(tmp_path, NO_PASSPHRASE)


def test_a_taken_port_is_named_and_the_other_let_go(place: NodeDirectory) -> None:
    with socket.socket() as taken, opened(place) as node:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            free = probe.getsockname()[1]
        node.settings = node.settings.model_copy(
            update={"api": ApiSettings(port=free), "rpc": RpcSection(port=port)}
        )
        with pytest.raises(PortTaken, match=f"port {port} on 127.0.0.1"), serving(node):
            pass
        with socket.socket() as again:
            again.bind(("127.0.0.1", free))


def test_this_machines_address_is_one() -> None:
    socket.inet_aton(lan_address())
