"""Headers, receipts, blooms and list roots, against py-evm and known values."""

from __future__ import annotations

import pytest
import rlp
from eth.rlp.logs import Log as ReferenceLog
from eth.rlp.receipts import Receipt as ReferenceReceipt
from eth.vm.forks.prague.blocks import PragueBlockHeader
from eth_bloom import BloomFilter
from hypothesis import given, settings
from hypothesis import strategies as st
from trie import HexaryTrie

from ledger.evm import (
    EMPTY_REQUESTS_HASH,
    EMPTY_ROOT,
    EMPTY_UNCLES_HASH,
    bloom_of,
    decode_header,
    decode_receipt,
    encode_header,
    encode_receipt,
    header_hash,
    receipts_root,
    transactions_root,
)
from ledger.state import RlpMalformed
from ledger.types import Address, Hash32, Header, Log, Receipt

pytestmark = pytest.mark.feature("L1")

hashes = st.binary(min_size=32, max_size=32).map(Hash32)
uints = st.integers(0, 2**64 - 1)
logs = st.builds(
    Log,
    address=st.binary(min_size=20, max_size=20).map(Address),
    topics=st.lists(hashes, max_size=4).map(tuple),
    data=st.binary(max_size=70),
)
headers = st.builds(
    Header,
    parent_hash=hashes,
    uncles_hash=hashes,
    coinbase=st.binary(min_size=20, max_size=20).map(Address),
    state_root=hashes,
    transactions_root=hashes,
    receipts_root=hashes,
    bloom=st.integers(0, 2**2048 - 1),
    difficulty=uints,
    number=uints,
    gas_limit=uints,
    gas_used=uints,
    timestamp=uints,
    extra_data=st.binary(max_size=32),
    mix_hash=hashes,
    nonce=st.binary(min_size=8, max_size=8),
    base_fee_per_gas=uints,
    withdrawals_root=hashes,
    blob_gas_used=uints,
    excess_blob_gas=uints,
    parent_beacon_block_root=hashes,
    requests_hash=hashes,
)


def h(text: str) -> Hash32:
    return Hash32(bytes.fromhex(text))


def test_empty_roots_are_the_well_known_ones() -> None:
    assert h("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421") == EMPTY_ROOT
    assert (
        h("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347") == EMPTY_UNCLES_HASH
    )
    assert (
        h("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855") == EMPTY_REQUESTS_HASH
    )
    assert transactions_root([]) == receipts_root([]) == EMPTY_ROOT


def test_hash_of_a_known_prague_header() -> None:
    """Block 0x2d of the public test chain of the Ethereum execution API's own test suite."""
    bloom_bits = [2007, 1926, 1823, 1755, 1454, 1409, 1401, 1285, 1064, 711, 708, 613]
    header = Header(
        parent_hash=h("5728fa3c576e9a3752567c117c855c453c366645ed30f9490bb30b230a99b751"),
        uncles_hash=EMPTY_UNCLES_HASH,
        coinbase=Address(bytes(20)),
        state_root=h("56852e5aa0d8282b17c5bf8bc232b237080bd5d8bd2bca5ea885a222ebc9d281"),
        transactions_root=h("e5dd57ce3d51101d81f5dd866b2c0a878d44245ef8f96836c07210a529b0a438"),
        receipts_root=h("2c86b2791cdd088d3c3e9d6225f71724d3e8c67bdd13cd6208831058cee1043f"),
        bloom=sum(1 << bit for bit in bloom_bits),
        difficulty=0,
        number=0x2D,
        gas_limit=0xBEBC200,
        gas_used=0x54A92,
        timestamp=0x1C2,
        extra_data=b"",
        mix_hash=Hash32(bytes(32)),
        nonce=bytes(8),
        base_fee_per_gas=0x56A6C98,
        withdrawals_root=EMPTY_ROOT,
        blob_gas_used=0,
        excess_blob_gas=0,
        parent_beacon_block_root=h(
            "4b118bd31ed2c4eeb81dc9e3919e9989994333fe36f147c2930f12c53f0d3c78"
        ),
        requests_hash=h("57cac3e52cdcd73e52bd9e54956e0eae370f00ed41f68edc78266bdb46c3a543"),
    )
    assert header_hash(header) == h(
        "e02dd6dfcd01b2afca0e56cd1d09535398be984b97b3e8be7bfba38ea17fc633"
    )


@settings(max_examples=50, deadline=None)
@given(header=headers)
def test_header_hash_is_that_of_py_evm_and_decoding_is_the_inverse(header: Header) -> None:
    names = {"transactions_root": "transaction_root", "receipts_root": "receipt_root"}
    names["number"] = "block_number"
    fields = {names.get(f, f): getattr(header, f) for f in Header.__slots__}
    assert PragueBlockHeader(**fields).hash == header_hash(header)
    assert decode_header(encode_header(header)) == header


@settings(max_examples=100, deadline=None)
@given(entries=st.lists(logs, max_size=6))
def test_bloom_is_that_of_the_reference(entries: list[Log]) -> None:
    reference = BloomFilter()
    for log in entries:
        reference.extend([log.address, *log.topics])
    assert bloom_of(entries) == int(reference)


@settings(max_examples=50, deadline=None)
@given(
    entries=st.lists(
        st.tuples(st.sampled_from([0, 1, 2, 4]), st.integers(0, 1), st.lists(logs, max_size=3)),
        max_size=140,
    )
)
def test_receipts_round_trip_and_their_root_is_that_of_py_evm(
    entries: list[tuple[int, int, list[Log]]],
) -> None:
    receipts: list[Receipt] = []
    references: list[bytes] = []
    cumulative = 0
    for kind, status, found in entries:
        cumulative += 21_000
        bloom = bloom_of(found)
        receipts.append(Receipt(kind, status, 21_000, cumulative, tuple(found), bloom, None))
        reference = ReferenceReceipt(
            state_root=b"\x01" if status else b"",
            gas_used=cumulative,
            bloom=bloom,
            logs=[
                ReferenceLog(
                    log.address, [int.from_bytes(topic, "big") for topic in log.topics], log.data
                )
                for log in found
            ],
        )
        references.append((bytes([kind]) if kind else b"") + rlp.encode(reference))
    assert [encode_receipt(receipt) for receipt in receipts] == references
    assert receipts_root(receipts) == _root(references)
    for receipt in receipts:
        before = receipt.cumulative_gas_used - receipt.gas_used
        assert decode_receipt(encode_receipt(receipt), before, None) == receipt


def _root(items: list[bytes]) -> bytes:
    trie = HexaryTrie({})
    for index, item in enumerate(items):
        trie[rlp.encode(index)] = item
    root: bytes = trie.root_hash
    return root


@pytest.mark.parametrize("data", [b"", b"\xc0", b"\x02\xc0", b"\xff", b"\x01"])
def test_malformed_header_or_receipt_is_refused(data: bytes) -> None:
    with pytest.raises(RlpMalformed):
        decode_header(data)
    with pytest.raises(RlpMalformed):
        decode_receipt(data, 0, None)


def test_receipt_below_the_gas_before_it_is_refused() -> None:
    data = encode_receipt(Receipt(2, 1, 21_000, 21_000, (), 0, None))
    with pytest.raises(RlpMalformed, match="cumulative gas 21000"):
        decode_receipt(data, 30_000, None)
