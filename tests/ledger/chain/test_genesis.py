"""The genesis file: geth's format, strictly, and the block it makes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from eth.vm.forks.prague.headers import PragueBlockHeader

from ledger.chain import Genesis, GenesisInvalid, GenesisMismatch, GenesisMissing, Ledger
from ledger.state import EMPTY_TRIE_ROOT
from ledger.tlog import NoteSigner
from tests.ledger.chain.support import ECHO, PERMISSION, genesis_document, make_genesis

pytestmark = pytest.mark.feature("L1")


def test_the_genesis_block_hashes_as_py_evm_hashes_the_same_header() -> None:
    header = make_genesis(extraData="0x7a11", baseFeePerGas="0x0").block.header
    reference = PragueBlockHeader(
        difficulty=0,
        block_number=0,
        gas_limit=30_000_000,
        timestamp=0x65000000,
        coinbase=bytes(20),
        parent_hash=bytes(32),
        uncles_hash=header.uncles_hash,
        state_root=header.state_root,
        transaction_root=EMPTY_TRIE_ROOT,
        receipt_root=EMPTY_TRIE_ROOT,
        bloom=0,
        gas_used=0,
        extra_data=b"\x7a\x11",
        mix_hash=bytes(32),
        nonce=bytes(8),
        base_fee_per_gas=0,
        withdrawals_root=EMPTY_TRIE_ROOT,
        blob_gas_used=0,
        excess_blob_gas=0,
        parent_beacon_block_root=bytes(32),
        requests_hash=header.requests_hash,
    )
    block = make_genesis(extraData="0x7a11", baseFeePerGas="0x0").block
    assert block.hash == reference.hash


def test_a_plain_geth_file_permits_everybody_and_has_geths_base_fee() -> None:
    document = genesis_document()
    del document["tallystick"]
    genesis = Genesis.parse(document)
    assert genesis.permission is None
    assert genesis.block.header.base_fee_per_gas == 1_000_000_000
    assert make_genesis().block.header.base_fee_per_gas == 0


def test_the_section_is_read() -> None:
    document = genesis_document()
    document["tallystick"]["limits"] = {"transactionSizeBytesMax": 2048, "blockSizeBytesMax": 4096}
    document["tallystick"]["contracts"] = {"echo": f"0x{ECHO.hex()}"}
    genesis = Genesis.parse(document)
    assert genesis.origin == "tallystick.example/test"
    assert genesis.contracts == {"echo": ECHO}
    assert genesis.permission is not None
    assert genesis.permission.contract == PERMISSION
    assert (genesis.limits.transaction_size_bytes_max, genesis.limits.block_size_bytes_max) == (
        2048,
        4096,
    )


def test_spellings_of_geth_mean_the_same(tmp_path: Path) -> None:
    plain = genesis_document()
    other = genesis_document(
        gasLimit=30_000_000, timestamp=str(0x65000000), mixhash="0x" + 64 * "0"
    )
    other["alloc"] = {name.removeprefix("0x").upper(): v for name, v in plain["alloc"].items()}
    file = tmp_path / "genesis.json"
    file.write_text(json.dumps(other))
    assert Genesis.load(file).block.hash == Genesis.parse(plain).block.hash


def _without(key: str) -> dict[str, Any]:
    document = genesis_document()
    del document[key]
    return document


def _section(**changes: Any) -> dict[str, Any]:
    document = genesis_document()
    document["tallystick"].update(changes)
    return document


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ([], "file"),
        (_without("config"), "config"),
        (_without("gasLimit"), "gasLimit"),
        (genesis_document(gasLimit="many"), "gasLimit"),
        (genesis_document(gasLimit=True), "gasLimit"),
        (genesis_document(number=1), "number"),
        (genesis_document(unheardOf=1), "unheardOf"),
        (genesis_document(extraData="0x" + "00" * 33), "extraData"),
        (genesis_document(config={"chainId": 0}), "config.chainId"),
        (genesis_document(config={"chainId": 1, "pragueTime": 5}), "pragueTime"),
        (genesis_document(config={"chainId": 1, "osakaTime": 0}), "osakaTime"),
        (genesis_document(config={"chainId": 1, "londonBlock": 7}), "londonBlock"),
        (genesis_document(alloc={"0x12": {}}), "alloc"),
        (genesis_document(alloc={"0x" + "a" * 40: {}, "A" * 40: {}}), "twice"),
        (genesis_document(alloc={"0x" + "a" * 40: {"storage": {"0x1": "0x" + "f" * 65}}}), "alloc"),
        (genesis_document(alloc={"0x" + "a" * 40: {"nonce": str(2**64)}}), "alloc"),
        (_section(origin="two words"), "origin"),
        (_section(contracts={"echo": "0x" + "1" * 40}), "no code"),
        (_section(permission={"contract": f"0x{ECHO.hex()}"}), "permission"),
        (_section(limits={"transactionSizeBytesMax": 4096, "blockSizeBytesMax": 2048}), "limits"),
        (_section(surprise=1), "surprise"),
    ],
)
def test_a_wrong_file_is_refused_and_the_place_named(document: object, place: str) -> None:
    with pytest.raises(GenesisInvalid, match=place):
        Genesis.parse(document)


def test_a_file_that_is_no_json_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "genesis.json"
    file.write_text('{"config": {}, "config": {}}')
    with pytest.raises(GenesisInvalid, match=r"genesis\.json"):
        Genesis.load(file)
    with pytest.raises(GenesisInvalid, match="cannot be read"):
        Genesis.load(tmp_path / "none.json")


def test_a_directory_keeps_its_genesis(tmp_path: Path, note_signer: NoteSigner) -> None:
    small: dict[str, Any] = {"map_size_bytes": 1 << 28, "signer": note_signer}
    with pytest.raises(GenesisMissing):
        Ledger.open(tmp_path / "a", **small)
    with Ledger.open(tmp_path / "a", genesis=make_genesis(), **small) as ledger:
        first = ledger.head().hash
    with Ledger.open(tmp_path / "a", **small) as ledger:
        assert ledger.head().hash == first
        assert ledger.genesis == make_genesis()
    for other in (make_genesis(permitted=3), Genesis.parse(_section(origin="other.example/log"))):
        with pytest.raises(GenesisMismatch):
            Ledger.open(tmp_path / "a", genesis=other, **small)
    with Ledger.open(tmp_path / "a", genesis=make_genesis(), **small) as ledger:
        assert ledger.head().hash == first
