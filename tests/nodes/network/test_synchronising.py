"""Joining a real consortium: filled, checked, without a vote; or ended with what is wrong."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from contracts.consortium import Profile, Role
from ledger.chain import Genesis
from ledger.consensus.cometbft import CometBftDriver, EngineStart, Peer, engine_genesis
from ledger.consensus.validator import ValidatorServer
from ledger.crypto import NO_PASSPHRASE
from ledger.tlog import Checkpoint
from nodes import observed
from nodes.cli.proposals import propose_in
from nodes.endpoints import PeerEndpoint
from nodes.founding import MemberSpec
from nodes.layout import NodeDirectory
from nodes.network import synchronising
from nodes.network.admission import wait_admitted
from nodes.network.anchoring import Anchor, find_anchor
from nodes.network.beginning import Beginning, adopt_beginning, fetch_beginning
from nodes.network.descriptor import Descriptor
from nodes.network.engine_header import read_header
from nodes.network.errors import JoinRefused, JoinStalled
from nodes.network.identity import NodeSpec, init_node
from nodes.network.ports import free_ports
from nodes.network.progress import Pace
from nodes.network.source import MemberSource
from nodes.network.synchronising import (
    Source,
    Way,
    check_validators,
    synchronise,
    worth_state_sync,
)
from nodes.network.trial import new_network, trial_settings
from nodes.observed import sources_of
from nodes.opening import follow_peers
from nodes.runtime import NodeRuntime
from nodes.serving import serving
from tests.ledger.consensus.cometbft.conftest import cometbft  # noqa: F401
from tests.ledger.consensus.cometbft.network import until
from tests.nodes.network.members import GENESIS, ROOT, TRUST
from tests.nodes.network.test_engine_header import SECOND
from traceability.bundle import Trust

pytestmark = [
    pytest.mark.feature("N1"),
    pytest.mark.consortium,
    pytest.mark.usefixtures("cometbft"),
    pytest.mark.timeout(300),
]

POWER = 4
"""Of who joins, beside the founder's ten: the founder goes on alone."""


@dataclass
class Founded:
    """A consortium of one, whose node runs and serves."""

    node: NodeRuntime
    url: str
    trust: Trust

    @property
    def driver(self) -> CometBftDriver:
        assert isinstance(self.node.driver, CometBftDriver)
        return self.node.driver

    def decide(self, *actions: str) -> None:
        """Its member has the only vote."""
        propose_in(self.node.directory.root, list(actions), "test")


@pytest.fixture
def founded(tmp_path: Path, cometbft: Path) -> Iterator[Founded]:  # noqa: F811
    net = new_network(tmp_path / "net", [MemberSpec("acme", "Acme", "顶点", Role.OPERATOR)])
    place = net.members[0].directory
    with NodeRuntime.open(place.root, NO_PASSPHRASE) as node, serving(node) as addresses:
        found = Founded(node, addresses.api, Trust.load(net.root / "trust.json"))
        found.driver.wait_ready(90)
        yield found


def newcomer(path: Path, name: str = "newcomer") -> NodeDirectory:
    """The folder of a node that is to join."""
    api, rpc, p2p = free_ports("127.0.0.1", 3)
    endpoint = PeerEndpoint("127.0.0.1", p2p)
    spec = NodeSpec(
        name, Profile(name, ""), Role.RETAILER, name, endpoint, f"http://127.0.0.1:{api}"
    )
    place = NodeDirectory(path / name)
    settings = trial_settings(name, "127.0.0.1", api, rpc, endpoint)
    init_node(place, spec, settings, passphrase=NO_PASSPHRASE)
    return place


def admitted(founded: Founded, place: NodeDirectory, closing: ExitStack) -> Source:
    """Everything before the state is fetched."""
    founded.decide("admit", str(place.descriptor), str(POWER), "0")
    member = closing.enter_context(MemberSource(founded.url))
    beginning = fetch_beginning([member], founded.trust)
    adopt_beginning(place, beginning, founded.trust)
    nodes = wait_admitted([member], Descriptor.load(place.descriptor), 30, lambda _: None)
    anchor = find_anchor(member, founded.trust, beginning.chain_id)
    return Source([member], nodes, beginning, founded.trust, anchor)


@pytest.fixture
def signers(monkeypatch: pytest.MonkeyPatch) -> list[ValidatorServer]:
    """Every signer that is started for an engine."""
    started: list[ValidatorServer] = []
    begin = ValidatorServer.start

    def start(self: ValidatorServer) -> None:
        started.append(self)
        begin(self)

    monkeypatch.setattr(ValidatorServer, "start", start)
    return started


def test_without_a_snapshot_all_blocks_are_executed_and_nothing_is_signed(
    founded: Founded, tmp_path: Path, signers: list[ValidatorServer]
) -> None:
    """State sync is tried and finds nothing; this node has power meanwhile, and no vote of it."""
    place, told = newcomer(tmp_path), list[str]()
    record = place.engine / "data" / "signer_state.json"
    unsigned = record.read_bytes()
    with ExitStack() as closing:
        source = admitted(founded, place, closing)
        assert not worth_state_sync(source.members[0])
        signers.clear()
        pace = Pace(stall_s=120, snapshot_s=8)
        synchronise(place, NO_PASSPHRASE, source, replay=False, pace=pace, tell=told.append)
    assert told == ["no snapshot for 8 s: executing all blocks instead"]
    assert not signers, "the joiner's own key must not sign for what is not checked yet"
    assert record.read_bytes() == unsigned
    assert not (place.engine / "config" / "priv_validator_key.json").exists()
    trust = Trust.load(place.trust)
    own = Descriptor.load(place.descriptor).witness(founded.trust.origin)
    assert set(trust.keys) == {*founded.trust.keys, own}
    assert (trust.threshold, trust.genesis) == (2, founded.trust.genesis)
    with NodeRuntime.open(place.root, NO_PASSPHRASE) as node:
        assert isinstance(node.driver, CometBftDriver)
        assert node.ledger.log.size >= source.anchor.checkpoint.size
        node.driver.wait_ready(60)
        founded.decide("set-votes", "newcomer", "1")
        head = founded.node.ledger.head().hash
        until(lambda: node.ledger.head().hash == head, 60, "the block of before")
        assert signers, "now it votes"
        membership = sources_of(founded.node).membership
        assert membership is not None
        assert "lacks the present keys of newcomer" in membership().trust_drift


def test_where_nobody_answers_it_ends_and_can_be_run_again(
    founded: Founded, tmp_path: Path
) -> None:
    place = newcomer(tmp_path)
    keys = sorted(path.name for path in place.keys.iterdir())
    (closed,) = free_ports("127.0.0.1", 1)
    with ExitStack() as closing:
        source = admitted(founded, place, closing)
        away = [replace(one, p2p=f"127.0.0.1:{closed}") for one in source.nodes]
        with pytest.raises(JoinStalled, match="no node is connected"):
            synchronise(
                place,
                NO_PASSPHRASE,
                replace(source, nodes=away),
                replay=True,
                pace=Pace(stall_s=15),
                tell=lambda _: None,
            )
        assert not place.chain.exists()
        assert not place.genesis.exists()
        assert not place.trust.exists()
        assert sorted(path.name for path in place.keys.iterdir()) == keys
        adopt_beginning(place, source.beginning, founded.trust)
        pace = Pace(stall_s=120)
        synchronise(place, NO_PASSPHRASE, source, replay=True, pace=pace, tell=lambda _: None)
    assert Genesis.load(place.genesis) == founded.node.genesis


@pytest.mark.parametrize(("blocks_before", "ways"), [(0, [False, True]), (7, [False])])
def test_a_promoted_ledger_waits_for_a_snapshot_and_is_never_executed_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blocks_before: int, ways: list[bool]
) -> None:
    """The engine does not have the blocks of before: without a snapshot nothing would come."""
    start = EngineStart.parse(engine_genesis(GENESIS))
    engine = replace(start, block_number=blocks_before).document() if blocks_before else None
    beginning = Beginning(GENESIS, engine, start.chain_id)
    anchor = Anchor(read_header(SECOND), Checkpoint(GENESIS.origin, 5, ROOT))
    source = Source([], [], beginning, TRUST, anchor)
    tried: list[bool] = []

    def fill(_place: object, _phrase: object, _source: object, way: Way, *_: object) -> None:
        assert way.otherwise_replay is (not way.replay and not blocks_before)
        tried.append(way.replay)
        raise JoinStalled("nothing", before_anything=way.otherwise_replay)

    monkeypatch.setattr(synchronising, "_fill", fill)
    with pytest.raises(JoinStalled):
        synchronise(
            NodeDirectory(tmp_path), "", source, replay=False, pace=Pace(), tell=lambda _: None
        )
    assert tried == ways


def test_an_engine_with_validators_that_the_state_does_not_name_is_refused(
    founded: Founded, monkeypatch: pytest.MonkeyPatch
) -> None:
    founded.decide("set-votes", "acme", "2")
    check_validators(founded.node.ledger, founded.driver)
    monkeypatch.setattr(synchronising, "VALIDATOR_POLL_S", 0.01)
    (own,) = founded.node.ledger.nodes()
    assert own.validator_key is not None

    def shown(key: bytes, power: int) -> None:
        def rpc(_method: str, _params: Mapping[str, object]) -> dict[str, object]:
            value = base64.b64encode(key).decode()
            one = {"pub_key": {"value": value}, "voting_power": str(power)}
            return {"total": "1", "validators": [one]}

        monkeypatch.setattr(founded.driver, "engine_rpc", rpc)

    shown(own.validator_key, own.power)
    check_validators(founded.node.ledger, founded.driver)
    for key, power in ((b"\x01" * 32, own.power), (own.validator_key, own.power + 1)):
        shown(key, power)
        with pytest.raises(JoinRefused, match="not those that the Network contract names"):
            check_validators(founded.node.ledger, founded.driver)


def test_peers_follow_a_member_that_is_suspended_and_comes_back(
    founded: Founded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its nodes stand in one contract, what the member is worth in the other."""
    place, told = newcomer(tmp_path), list[tuple[str, ...]]()
    founded.decide("admit", str(place.descriptor), "0", "0")
    own = Descriptor.load(place.descriptor)
    dialled = f"{own.node_id.hex()}@{own.p2p}"
    monkeypatch.setattr(founded.driver, "set_peers", lambda peers: told.append(tuple(peers)))
    strange, theirs = bytes(20), (own.node_id, "ab12cd34")
    connected = tuple(
        Peer(node, name, "10.0.0.1:1", True, 1.0, 0, 0) for node, name in (theirs, (strange, "x"))
    )
    monkeypatch.setattr(founded.driver, "peers", lambda: connected)
    view = sources_of(founded.node).engine
    assert view is not None
    assert [one.label for one in view().peers] == ["newcomer", "x"], "that which proposals take"
    assert observed._standing(founded.node, own.node_id) == ""
    assert "not on the ledger" in observed._standing(founded.node, strange)
    end = follow_peers(founded.node.ledger, founded.driver)
    try:
        founded.decide("suspend-organisation", "newcomer")
        until(lambda: bool(told), 10, "the driver is told")
        assert set(told) == {()}, "it may be told the same twice"
        assert "is suspended on the ledger" in observed._standing(founded.node, own.node_id)
        founded.decide("reactivate-organisation", "newcomer")
        until(lambda: (dialled,) in told, 10, "the driver is told")
        assert told == sorted(told), "and nothing else, in this order"
    finally:
        end()
