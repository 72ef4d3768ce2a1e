"""Genesis storage of nodes is what the contract's own functions would have written."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest

from contracts.errors import CalldataValueError, GenesisError
from contracts.genesis import CONSORTIUM_ADDRESS, NETWORK_ADDRESS
from contracts.network import (
    Contact,
    FoundingNode,
    NodeStatus,
    add_node,
    decode_add_node,
    decode_node,
    decode_node_ids,
    founding_nodes_of,
    genesis_account,
    node_calldata,
    node_ids_calldata,
    nodes_layout,
    rotate_validator_key,
    set_power,
)
from contracts.network.genesis import NETWORK_ARTIFACT
from tests.contracts.governance.model import node_of
from tests.contracts.scene import FARM, OPERATOR, MemoryChain, entries, govern, key

NODES = (
    node_of(1, OPERATOR.id, 10),
    replace(
        node_of(2, FARM.id, 7),
        contact=Contact("n" * 200 + ".example:1", "https://" + "x" * 80, "k" * 40 + "+00000000+x"),
    ),
    replace(node_of(3, FARM.id, 0), validator_key=None),
    node_of(4, FARM.id, 0),
)
SETTLED_SLOT = 7
HALF = 2**128


@pytest.mark.feature("N1")
def test_genesis_storage_equals_what_the_contract_writes() -> None:
    chain = MemoryChain.of(entries(votes={OPERATOR.id: 1}))
    calls = [(NETWORK_ADDRESS, add_node(node)) for node in NODES]
    assert govern(chain, *calls).status == 1
    written = chain.words(NETWORK_ADDRESS)
    written[SETTLED_SLOT] %= HALF  # the block of the last change is another one
    entry = genesis_account(*NODES)["storage"]
    assert {int(slot, 16): int(word, 16) for slot, word in entry.items()} == written


@pytest.mark.feature("N1")
def test_genesis_code_is_what_deployment_leaves(chain: MemoryChain) -> None:
    arguments = CONSORTIUM_ADDRESS.rjust(32, b"\0")
    deployed = chain.send(key(1), None, NETWORK_ARTIFACT.bytecode + arguments)
    assert deployed.contract_address is not None
    account = chain.state.account(deployed.contract_address)
    assert account is not None
    assert genesis_account()["code"] == f"0x{chain.state.code(account.code_hash).hex()}"


@pytest.mark.feature("N1")
def test_nodes_are_read_back_from_the_entry_and_by_calls() -> None:
    assert founding_nodes_of(genesis_account(*NODES)) == NODES
    chain = MemoryChain.of(entries(nodes=NODES))

    def answer(data: bytes) -> bytes:
        return chain.call(key(1).address, NETWORK_ADDRESS, data).output

    assert decode_node_ids(answer(node_ids_calldata())) == tuple(node.id for node in NODES)
    for node in NODES:
        assert decode_node(node.id, answer(node_calldata(node.id))) == (node, NodeStatus.ACTIVE)
        assert decode_add_node(add_node(node)) == node
    assert decode_node(b"x" * 20, answer(node_calldata(b"x" * 20))) is None


@pytest.mark.feature("N1")
def test_layout_is_what_the_specification_says() -> None:
    """docs/consortium.md, "Who is in"."""
    expected = {"contract": f"0x{NETWORK_ADDRESS.hex()}", "idsSlot": 0, "nodesSlot": 2}
    assert nodes_layout() == expected


def test_an_entry_that_says_more_than_its_nodes_is_refused() -> None:
    entry = genesis_account(*NODES)
    for slot in (5, 7, 8, 2**200):
        changed = copy.deepcopy(entry)
        changed["storage"][f"0x{slot:064x}"] = f"0x{3:064x}"
        with pytest.raises(GenesisError):
            founding_nodes_of(changed)


@pytest.mark.parametrize(
    "wrong",
    [
        replace(NODES[0], id=b"short"),
        replace(NODES[0], id=bytes(20)),
        replace(NODES[0], power=-1),
        replace(NODES[0], power=1_000_000_001),
        replace(NODES[0], validator_key=None),
        replace(NODES[0], validator_key=bytes(32)),
        replace(NODES[0], contact=Contact("", "", "k")),
        replace(NODES[0], contact=Contact("two words:1", "", "k")),
        replace(NODES[0], contact=Contact("a:1", "", "")),
        replace(NODES[0], contact=Contact("a:1", "x" * 513, "k")),
        replace(NODES[0], contact=Contact("ä:1", "", "k")),
        replace(NODES[0], organisation="Upper"),
    ],
    ids=range(12),
)
def test_nodes_that_the_contract_would_refuse_are_refused(wrong: FoundingNode) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - GenesisError or OrganisationIdError
        genesis_account(wrong)


def test_ids_and_keys_stand_once_and_belong_to_founders() -> None:
    with pytest.raises(GenesisError, match="twice"):
        genesis_account(NODES[0], replace(NODES[1], validator_key=NODES[0].validator_key))
    with pytest.raises(GenesisError, match="no founder"):
        entries(nodes=[node_of(1, "nobody", 1)])
    with pytest.raises(GenesisError, match="no founder"):
        entries(votes={"nobody": 1})
    with pytest.raises(GenesisError, match="vote"):
        entries(votes={OPERATOR.id: 0})


def test_values_that_do_not_fit_are_refused() -> None:
    with pytest.raises(CalldataValueError):
        set_power(NODES[0].id, 1_000_000_001)
    with pytest.raises(CalldataValueError):
        rotate_validator_key(NODES[0].id, b"short")
    with pytest.raises(GenesisError):
        set_power(b"short", 1)
