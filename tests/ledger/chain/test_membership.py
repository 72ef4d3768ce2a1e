"""Nodes and bounds as blocks find them in storage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger.chain import Genesis, GenesisInvalid, Ledger, NodeEntry
from ledger.chain.membership import BLOCK_GAS_LIMIT_MAX, BLOCK_SIZE_BYTES_MAX
from ledger.chain.permission import mapping_slot
from ledger.evm import decode_transaction
from ledger.evm.errors import GasLimitExceeded, TransactionTooLarge
from ledger.state import keccak
from ledger.tlog import NoteSigner
from tests.ledger.chain.support import Sender, genesis_document, permission_storage, sender, word

NETWORK = bytes.fromhex("7a11000000000000000000000000000000000003")
PARAMETERS = bytes.fromhex("7a11000000000000000000000000000000000006")
SETTER_CODE = "0x6020355f355500"
"""sstore(first word of the calldata, second word)."""
TIME = 0x65000001
IDS = [bytes([index]) * 20 for index in (1, 2, 3)]
KEYS = [bytes([0xA0 + index]) * 32 for index in (1, 2, 3)]


def _node_slots(
    index: int, organisation: bytes, status: int, power: int, key: bytes
) -> dict[str, str]:
    base = mapping_slot(IDS[index].ljust(32, b"\0"), 2)
    first = int.from_bytes(keccak((0).to_bytes(32, "big")), "big")
    return {
        word(first + index): word(IDS[index].ljust(32, b"\0")),
        word(base): word(organisation.ljust(32, b"\0")),
        # What else is packed into the word must not matter.
        word(base + 1): word((0x5A << 72) | (power << 8) | status),
        word(base + 2): word(key),
    }


def _document() -> dict[str, Any]:
    document = genesis_document()
    consortium = permission_storage(
        {sender(1).address: (b"acme", 1)}, {b"acme": 1, b"bank": 1, b"gone": 2}
    )
    nodes = {
        word(0): word(3),
        **_node_slots(0, b"acme", 1, 10, KEYS[0]),
        **_node_slots(1, b"bank", 1, 5, bytes(32)),
        **_node_slots(2, b"gone", 1, 7, KEYS[2]),
    }
    permission = document["tallystick"]["permission"]["contract"]
    document["alloc"][permission] = {"nonce": "0x1", "code": SETTER_CODE, "storage": consortium}
    for address, storage in ((NETWORK, nodes), (PARAMETERS, {})):
        document["alloc"][f"0x{address.hex()}"] = {
            "nonce": "0x1",
            "code": SETTER_CODE,
            "storage": storage,
        }
    document["tallystick"]["nodes"] = {
        "contract": f"0x{NETWORK.hex()}",
        "idsSlot": 0,
        "nodesSlot": 2,
    }
    document["tallystick"]["parameters"] = {
        "contract": f"0x{PARAMETERS.hex()}",
        "valuesSlot": 0,
    }
    return document


@pytest.fixture
def ledger(tmp_path: Path, note_signer: NoteSigner) -> Iterator[Ledger]:
    genesis = Genesis.parse(_document())
    with Ledger.open(tmp_path / "ledger", genesis=genesis, signer=note_signer) as opened:
        yield opened


def _set(ledger: Ledger, who: Sender, contract: bytes, slot: int, value: int) -> None:
    """Write one slot in a block of its own, and see that restarting reads the same."""
    data = slot.to_bytes(32, "big") + value.to_bytes(32, "big")
    raw = who.sign(to=contract, data=data)
    who.nonce += 1
    ledger.append_block([decode_transaction(raw)], TIME)


def _parameter(name: str) -> int:
    return mapping_slot(name.encode().ljust(32, b"\0"), 0)


@pytest.mark.feature("N2")
def test_a_node_counts_while_it_and_its_organisation_are_active(ledger: Ledger) -> None:
    acme, bank, gone = ledger.nodes()
    assert acme == NodeEntry(IDS[0], "acme", True, 10, KEYS[0])
    assert bank == NodeEntry(IDS[1], "bank", True, 0, None)
    assert gone == NodeEntry(IDS[2], "gone", False, 0, KEYS[2])


@pytest.mark.feature("N2")
def test_suspending_the_organisation_takes_its_validators_power_from_that_block_on(
    ledger: Ledger,
) -> None:
    alice = sender(1)
    entry = mapping_slot(b"gone".ljust(32, b"\0"), 1)
    _set(ledger, alice, ledger.genesis.permission.contract, entry, 1)  # type: ignore[union-attr]
    assert [node.power for node in ledger.nodes()] == [10, 0, 7]
    _set(ledger, alice, ledger.genesis.permission.contract, entry, 2)  # type: ignore[union-attr]
    assert [node.power for node in ledger.nodes()] == [10, 0, 0]


@pytest.mark.feature("N2")
def test_execution_tells_the_nodes_after_the_block_before_it_is_kept(ledger: Ledger) -> None:
    place = mapping_slot(IDS[0].ljust(32, b"\0"), 2) + 1
    data = place.to_bytes(32, "big") + ((3 << 8) | 1).to_bytes(32, "big")
    executed = ledger.execute([decode_transaction(sender(1).sign(to=NETWORK, data=data))], TIME)
    assert executed.nodes[0].power == 3
    assert ledger.nodes()[0].power == 10
    ledger.keep(executed, b"")
    assert ledger.nodes() == executed.nodes


@pytest.mark.feature("N2")
def test_the_same_nodes_and_bounds_are_read_after_reopening(
    tmp_path: Path, note_signer: NoteSigner
) -> None:
    alice = sender(1)
    with Ledger.open(tmp_path, genesis=Genesis.parse(_document()), signer=note_signer) as ledger:
        _set(ledger, alice, PARAMETERS, _parameter("blockGasLimit"), 5_000_000)
        found = (ledger.nodes(), ledger.limits())
    with Ledger.open(tmp_path, signer=note_signer) as again:
        assert (again.nodes(), again.limits()) == found
        again.verify_integrity()


@pytest.mark.feature("N2")
def test_a_changed_gas_limit_bounds_the_next_block_and_the_door(ledger: Ledger) -> None:
    alice = sender(1)
    _set(ledger, alice, PARAMETERS, _parameter("blockGasLimit"), 2_000_000)
    assert ledger.head().header.gas_limit == ledger.genesis.gas_limit
    with pytest.raises(GasLimitExceeded):
        ledger.submit(alice.sign(gas=2_000_001))
    ledger.submit(alice.call(7))
    ledger.append_block(ledger.pending(), TIME)
    assert ledger.head().header.gas_limit == 2_000_000
    ledger.verify_integrity()


@pytest.mark.feature("N2")
def test_a_changed_transaction_size_bounds_the_door(ledger: Ledger) -> None:
    alice = sender(1)
    _set(ledger, alice, PARAMETERS, _parameter("transactionSizeBytesMax"), 100_000)
    with pytest.raises(TransactionTooLarge):
        ledger.submit(alice.sign(data=bytes(100_001), gas=20_000_000))


@pytest.mark.feature("N2")
def test_what_is_pending_beyond_a_new_bound_leaves_the_mempool(ledger: Ledger) -> None:
    alice = sender(1)
    large = alice.sign(nonce=1, data=bytes(70_000), gas=10_000_000)
    hungry = alice.sign(nonce=2, gas=20_000_000)
    fine = alice.sign(nonce=3)
    hashes = [ledger.submit(raw) for raw in (large, hungry, fine)]
    _set(ledger, alice, PARAMETERS, _parameter("blockGasLimit"), 15_000_000)
    assert ledger.pending_transaction(hashes[0]) is not None
    with pytest.raises(GasLimitExceeded):
        ledger.wait_for(hashes[1], 1)
    other = sender(1)
    other.nonce = 1
    ledger.mempool.drop(ledger.pending()[0], GasLimitExceeded("room for the next"))
    _set(ledger, other, PARAMETERS, _parameter("transactionSizeBytesMax"), 1 << 16)
    assert ledger.pending_transaction(hashes[2]) is not None
    with pytest.raises(TransactionTooLarge):
        ledger.submit(other.sign(nonce=2, data=bytes(70_000), gas=10_000_000))


@pytest.mark.feature("N2")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("blockGasLimit", 1),
        ("blockGasLimit", BLOCK_GAS_LIMIT_MAX + 1),
        ("blockGasLimit", 2**255),
        ("blockSizeBytesMax", 1),
        ("blockSizeBytesMax", BLOCK_SIZE_BYTES_MAX + 1),
        ("transactionSizeBytesMax", 1),
        ("somethingElse", 3_000_000),
    ],
)
def test_a_bound_that_software_cannot_bear_counts_as_unset(
    ledger: Ledger, name: str, value: int
) -> None:
    before = ledger.limits()
    _set(ledger, sender(1), PARAMETERS, _parameter(name), value)
    assert ledger.limits() == before


@pytest.mark.feature("N2")
def test_genesis_refuses_nodes_without_organisations() -> None:
    document = _document()
    del document["tallystick"]["permission"]
    with pytest.raises(GenesisInvalid, match="needs `permission`"):
        Genesis.parse(document)


@pytest.mark.feature("N2")
def test_genesis_refuses_a_layout_of_a_contract_that_is_not_there() -> None:
    document = _document()
    del document["alloc"][f"0x{PARAMETERS.hex()}"]
    with pytest.raises(GenesisInvalid, match=r"parameters\.contract"):
        Genesis.parse(document)
