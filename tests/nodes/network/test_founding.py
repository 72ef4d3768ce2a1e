"""The genesis of a consortium: the same for all who make it, and about just these nodes."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from contracts.consortium import Profile
from ledger.chain import Genesis
from ledger.consensus.cometbft import EngineStart, engine_genesis
from ledger.crypto import NO_PASSPHRASE, AccountKey
from nodes.errors import NodeError
from nodes.layout import NodeDirectory
from nodes.network.adoption import adopt_genesis
from nodes.network.cast import default_cast, read_cast
from nodes.network.descriptor import Descriptor
from nodes.network.errors import FoundingRefused, GenesisForeign
from nodes.network.founders import VALIDATOR_POWER, founding_nodes
from nodes.network.founding import (
    consortium_genesis,
    consortium_trust,
    genesis_hash,
    more_than_two_thirds,
)
from nodes.network.trial import TrialNetwork, new_network
from nodes.settings import load_settings
from tests.nodes.network.support import ORIGIN, TIME, descriptor
from traceability.bundle import Trust

pytestmark = pytest.mark.feature("N1")

FOUNDERS = [descriptor(name, number) for number, name in enumerate(("mill", "store", "bank"), 1)]
DATA = consortium_genesis(FOUNDERS, ORIGIN, TIME)
GENESIS = Genesis.decode(DATA)


# ---- the same for all ---------------------------------------------------------------------------


def test_the_order_of_descriptors_does_not_matter() -> None:
    for order in itertools.permutations(FOUNDERS):
        assert consortium_genesis(order, ORIGIN, TIME) == DATA


def test_another_log_time_or_node_makes_another_ledger() -> None:
    others = [
        consortium_genesis(FOUNDERS, f"{ORIGIN}-2", TIME),
        consortium_genesis(FOUNDERS, ORIGIN, TIME + 1),
        consortium_genesis(FOUNDERS[:2], ORIGIN, TIME),
        consortium_genesis([*FOUNDERS[:2], descriptor("bank", 3)], ORIGIN, TIME),
    ]
    genesises = [GENESIS, *(Genesis.decode(other) for other in others)]
    assert len({one.chain_id for one in genesises}) == len(genesises)
    assert len({genesis_hash(one) for one in genesises}) == len(genesises)


def test_the_hash_is_of_what_the_file_says_however_it_is_laid_out() -> None:
    compact = json.dumps(json.loads(DATA)).encode()
    assert compact != DATA
    assert genesis_hash(Genesis.decode(compact)) == genesis_hash(GENESIS)


def test_each_node_validates_alike_and_is_reached_as_its_descriptor_says() -> None:
    nodes = {node.id: node for node in founding_nodes(GENESIS)}
    assert len(nodes) == 3
    for founder in FOUNDERS:
        node = nodes[founder.node_id]
        assert (node.organisation, node.power) == (founder.organisation, VALIDATOR_POWER)
        assert node.validator_key == founder.validator_key
        assert node.contact.p2p == str(founder.p2p)
        assert node.contact.api == founder.api
        assert node.contact.witness_key == founder.witness(ORIGIN).vkey


def test_the_engine_begins_with_the_founders_as_validators() -> None:
    start = EngineStart.parse(engine_genesis(GENESIS))
    assert dict(start.validators) == {one.validator_key: VALIDATOR_POWER for one in FOUNDERS}
    assert start.genesis_hash == GENESIS.block.hash


def test_verifiers_ask_for_more_than_two_thirds_of_the_founders() -> None:
    trust = consortium_trust(GENESIS)
    assert trust.threshold == 3
    assert {key.vkey for key in trust.keys} == {one.witness(ORIGIN).vkey for one in FOUNDERS}
    assert (trust.origin, trust.chain_id) == (ORIGIN, GENESIS.chain_id)
    for count in range(1, 129):
        least = more_than_two_thirds(count)
        assert least * 3 > count * 2 >= (least - 1) * 3


def test_an_organisation_with_two_nodes_is_one_member_with_the_accounts_of_both() -> None:
    second = descriptor("bank", 4, label="bank-2", profile=FOUNDERS[2].profile)
    genesis = Genesis.decode(consortium_genesis([*FOUNDERS, second], ORIGIN, TIME))
    assert len(founding_nodes(genesis)) == 4


# ---- what cannot be one -------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["label", "node_id", "validator_key", "witness_key", "p2p", "api"])
def test_two_nodes_cannot_have_the_same(what: str) -> None:
    other = descriptor("twin", 9, **{what: getattr(FOUNDERS[0], what)})
    words = {"label": "label", "p2p": "p2p address", "api": "API address"}
    with pytest.raises(FoundingRefused, match=words.get(what, what.replace("_", " "))):
        consortium_genesis([*FOUNDERS, other], ORIGIN, TIME)


def test_two_organisations_cannot_share_an_account() -> None:
    key = AccountKey.generate()
    pair = [descriptor("one", 1, key), descriptor("two", 2, key)]
    with pytest.raises(FoundingRefused, match=r"one and two|two and one"):
        consortium_genesis(pair, ORIGIN, TIME)


def test_an_organisation_has_one_name_and_role() -> None:
    second = descriptor("bank", 4, label="bank-2", profile=Profile("Another"))
    with pytest.raises(FoundingRefused, match="bank"):
        consortium_genesis([*FOUNDERS, second], ORIGIN, TIME)


def test_founders_and_a_time_are_needed() -> None:
    with pytest.raises(FoundingRefused, match="no descriptor"):
        consortium_genesis([], ORIGIN, TIME)
    with pytest.raises(FoundingRefused, match="--time"):
        consortium_genesis(FOUNDERS, ORIGIN, 0)


# ---- a whole one on one machine -----------------------------------------------------------------


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> TrialNetwork:
    return new_network(tmp_path_factory.mktemp("trial") / "net", default_cast(4))


def test_each_member_has_a_folder_with_the_same_genesis_and_trust(network: TrialNetwork) -> None:
    assert TrialNetwork.load(network.root) == network
    assert len(network.members) == 4
    genesis = (network.root / "genesis.json").read_bytes()
    for member in network.members:
        place = member.directory
        place.check()
        assert place.genesis.read_bytes() == genesis
        assert Trust.load(place.trust) == Trust.load(network.root / "trust.json")
        assert place.root.stat().st_mode & 0o077 == 0
        assert place.keys.stat().st_mode & 0o077 == 0


def test_all_ports_are_different_and_as_the_descriptors_say(network: TrialNetwork) -> None:
    ports = set()
    for member in network.members:
        settings = load_settings(member.directory.settings)
        own = Descriptor.load(member.directory.descriptor)
        assert settings.consensus.driver == "cometbft"
        assert settings.consensus.p2p_listen == str(own.p2p)
        assert own.api == f"http://127.0.0.1:{settings.api.port}"
        ports |= {settings.api.port, settings.rpc.port, own.p2p.port}
    assert len(ports) == 12


def test_nothing_is_written_where_something_is(network: TrialNetwork, tmp_path: Path) -> None:
    with pytest.raises(NodeError, match="not empty"):
        new_network(network.root, default_cast(4))
    with pytest.raises(FoundingRefused, match="one address, or one for each"):
        new_network(tmp_path / "net", default_cast(3), hosts=["127.0.0.1", "127.0.0.2"])
    assert list(tmp_path.iterdir()) == []


def test_every_member_can_listen_on_an_address_of_its_own(tmp_path: Path) -> None:
    hosts = [f"127.0.0.{number}" for number in (2, 3)]
    made = new_network(tmp_path / "net", default_cast(2), hosts=hosts)
    found = [Descriptor.load(one.directory.descriptor).p2p.host for one in made.members]
    assert found == hosts


def test_no_network_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(NodeError, match="tally network new"):
        TrialNetwork.load(tmp_path)
    (tmp_path / "network.json").write_text('{"format": "tallystick-network/1"}')
    with pytest.raises(FoundingRefused, match=r"network\.json"):
        TrialNetwork.load(tmp_path)
    outside = {"organisation": "a", "directory": "../a"}
    fields = {"format": "tallystick-network/1", "origin": "x", "members": [outside]}
    (tmp_path / "network.json").write_text(json.dumps(fields))
    with pytest.raises(FoundingRefused, match="directory"):
        TrialNetwork.load(tmp_path)


# ---- adopting -----------------------------------------------------------------------------------


def test_a_genesis_is_adopted_once_and_never_replaced(
    network: TrialNetwork, tmp_path: Path
) -> None:
    place = network.members[0].directory
    adopt_genesis(place, network.root / "genesis.json")
    own = Descriptor.load(place.descriptor)
    path = tmp_path / "other.json"
    path.write_bytes(consortium_genesis([*FOUNDERS, own], ORIGIN, TIME))
    with pytest.raises(GenesisForeign, match="never changes"):
        adopt_genesis(place, path)
    path.write_bytes(DATA)
    with pytest.raises(GenesisForeign, match="not in this genesis"):
        adopt_genesis(place, path)


def test_a_genesis_with_other_keys_of_this_node_is_refused(tmp_path: Path) -> None:
    place = NodeDirectory(tmp_path / "node")
    place.root.mkdir()
    own = descriptor("mill", 1, witness_key=FOUNDERS[1].witness_key)
    place.descriptor.write_bytes(own.encode())
    path = tmp_path / "genesis.json"
    path.write_bytes(DATA)
    with pytest.raises(GenesisForeign, match="validator key"):
        adopt_genesis(place, path)
    assert not place.genesis.exists()
    assert not place.trust.exists()


# ---- the cast -----------------------------------------------------------------------------------


def test_the_default_cast_has_distinct_members_with_both_names() -> None:
    cast = default_cast(20)
    assert len({member.id for member in cast}) == 20
    assert all(member.name and member.name_zh for member in cast)
    assert [member.role.word for member in cast[:4]] == [
        "manufacturer",
        "warehouse",
        "carrier",
        "bank",
    ]
    for count in (0, 33, -1):
        with pytest.raises(FoundingRefused, match="1 to 32"):
            default_cast(count)


def test_members_are_named_on_the_command_line() -> None:
    (mill, bank) = read_cast(["mill:manufacturer:The Mill:磨坊", "b:bank"])
    assert (mill.id, mill.name, mill.name_zh, mill.role.word) == (
        "mill",
        "The Mill",
        "磨坊",
        "manufacturer",
    )
    assert (bank.name, bank.name_zh) == ("b", "")
    for wrong in (["Mill:bank"], ["mill:king"], ["mill"], ["a:bank", "a:bank"]):
        with pytest.raises(FoundingRefused, match="--organisation"):
            read_cast(wrong)


def test_a_passphrase_seals_all_keys_of_a_network(tmp_path: Path) -> None:
    from ledger.crypto import KeyStore, PassphraseWrong

    made = new_network(tmp_path / "net", default_cast(1), passphrase="secret words")
    (member,) = made.members
    assert KeyStore(member.directory.keys, "secret words").load_validator("validator")
    with pytest.raises(PassphraseWrong):
        KeyStore(member.directory.keys, NO_PASSPHRASE).load_validator("validator")
