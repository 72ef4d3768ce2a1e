"""tlog-proof texts, and the leaves that they are about."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.canonical import canonical_json
from ledger.tlog import (
    ENTRY_SIZE_BYTES_MAX,
    EVENT_DATA_SIZE_BYTES_MAX,
    BlockLeaf,
    Checkpoint,
    EntryMalformed,
    EventLeaf,
    InclusionError,
    LargeEventLeaf,
    NoteSigner,
    ProofMalformed,
    TlogError,
    TlogProof,
    decode_leaf,
    inclusion_path,
    leaf_from_fields,
    leaf_hash,
    root_of,
    sign_checkpoint,
)
from ledger.types import Address, Hash32

pytestmark = pytest.mark.feature("L4")

SIGNER = NoteSigner("ledger.example/demo", bytes(32))
LEAVES = [leaf_hash(b"%d" % index) for index in range(11)]
NOTE = sign_checkpoint(Checkpoint(SIGNER.name, 11, root_of(LEAVES)), [SIGNER])
PROOF = TlogProof(6, inclusion_path(LEAVES, 6), NOTE)

hashes = st.binary(min_size=32, max_size=32)
numbers = st.integers(0, 2**53 - 1)
event_leaves = st.builds(
    EventLeaf,
    st.binary(min_size=20, max_size=20).map(Address),
    st.lists(hashes.map(Hash32), max_size=4).map(tuple),
    st.binary(max_size=200),
    numbers,
    numbers,
    hashes.map(Hash32),
    numbers,
)
block_leaves = st.builds(BlockLeaf, hashes.map(Hash32), numbers, numbers)


class TestProofs:
    def test_the_text_is_that_of_the_specification(self) -> None:
        lines = PROOF.encode().split("\n")
        assert lines[:2] == ["c2sp.org/tlog-proof@v1", "index 6"]
        assert lines[6:8] == ["", SIGNER.name]
        assert PROOF.encode().endswith("\n\n" + NOTE)

    def test_verifies_its_leaf_and_no_other(self) -> None:
        assert PROOF.verify(LEAVES[6]).size == 11
        with pytest.raises(InclusionError):
            PROOF.verify(LEAVES[5])

    @given(
        st.integers(0, 2**63 - 1),
        st.lists(hashes, max_size=63).map(tuple),
        st.one_of(st.none(), st.binary(max_size=50)),
    )
    def test_comes_back_from_its_text(
        self, index: int, path: tuple[bytes, ...], extra: bytes | None
    ) -> None:
        proof = TlogProof(index, path, NOTE, extra)
        assert TlogProof.decode(proof.encode()) == proof

    @given(st.data())
    def test_has_one_spelling(self, data: Any) -> None:
        text = PROOF.encode()
        place = data.draw(st.integers(0, len(text) - 1))
        character = data.draw(st.sampled_from("\n A0=é"))
        changed = text[:place] + character + text[place + data.draw(st.integers(0, 1)) :]
        try:
            decoded = TlogProof.decode(changed)
        except ProofMalformed:
            return
        assert decoded.encode() == changed

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "c2sp.org/tlog-proof@v1\nindex 6\n",
            "c2sp.org/tlog-proof@v2\nindex 6\n\nnote\n",
            "c2sp.org/tlog-proof@v1\n\nnote\n",
            "c2sp.org/tlog-proof@v1\nindex\n\nnote\n",
            "c2sp.org/tlog-proof@v1\nindex 06\n\nnote\n",
            "c2sp.org/tlog-proof@v1\nindex -6\n\nnote\n",
            "c2sp.org/tlog-proof@v1\nindex 6 \n\nnote\n",
            "c2sp.org/tlog-proof@v1\nindex 9223372036854775808\n\nnote\n",
            "c2sp.org/tlog-proof@v1\nextra !\nindex 6\n\nnote\n",
            "c2sp.org/tlog-proof@v1\nindex 6\nextra AAAA\n\nnote\n",
            "c2sp.org/tlog-proof@v1\nindex 6\nAAAA\n\nnote\n",
            "c2sp.org/tlog-proof@v1\nindex 6\n" + ("A" * 43 + "=\n") * 64 + "\nnote\n",
            "c2sp.org/tlog-proof@v1\nindex 6\n" + "A" * 300_000 + "\n\nnote\n",
        ],
    )
    def test_other_shapes_are_refused(self, text: str) -> None:
        with pytest.raises(ProofMalformed):
            TlogProof.decode(text)

    @given(st.data())
    def test_a_changed_text_proves_nothing_else(self, data: Any) -> None:
        """Whatever is changed above the signatures, the same leaf, index and root, or an error."""
        text = PROOF.encode()
        place = data.draw(st.integers(0, text.index("— ") - 2))
        character = data.draw(st.characters().filter(lambda other: other != text[place]))
        changed = text[:place] + character + text[place + 1 :]
        try:
            checkpoint = TlogProof.decode(changed).verify(LEAVES[6])
        except TlogError:
            return
        assert checkpoint.root == root_of(LEAVES)
        # What the signature binds and the path does not: a path may be that of several sizes.
        assert (checkpoint.origin, checkpoint.size) != (SIGNER.name, len(LEAVES))


class TestLeaves:
    def test_an_event_is_the_object_of_the_proof_format(self) -> None:
        leaf = EventLeaf(
            Address(b"\xab" * 20), (Hash32(b"\1" * 32),), b"\xff", 7, 99, Hash32(b"\2" * 32), 3
        )
        assert leaf.encode() == canonical_json(
            {
                "type": "event",
                "address": "0x" + "ab" * 20,
                "topics": ["0x" + "01" * 32],
                "data": "0xff",
                "blockNumber": 7,
                "blockTime": 99,
                "transactionHash": "0x" + "02" * 32,
                "logIndex": 3,
            }
        )

    def test_a_block_is_the_object_of_the_proof_format(self) -> None:
        assert BlockLeaf(Hash32(b"\1" * 32), 7, 99).encode() == (
            b'{"blockHash":"0x' + b"01" * 32 + b'","blockNumber":7,"blockTime":99,"type":"block"}'
        )

    @given(event_leaves | block_leaves)
    def test_leaves_come_back(self, leaf: EventLeaf | BlockLeaf) -> None:
        assert decode_leaf(leaf.encode()) == leaf

    def test_every_event_fits_into_a_bundle_of_entries(self) -> None:
        topics = (Hash32(b"\1" * 32),) * 4
        numbers = 2**53 - 1
        for size in (EVENT_DATA_SIZE_BYTES_MAX, EVENT_DATA_SIZE_BYTES_MAX + 1, 1 << 20):
            leaf = EventLeaf(
                Address(bytes(20)), topics, bytes(size), numbers, numbers, topics[0], numbers
            )
            assert len(leaf.encode()) <= ENTRY_SIZE_BYTES_MAX
            decoded = decode_leaf(leaf.encode())
            large = size > EVENT_DATA_SIZE_BYTES_MAX
            assert isinstance(decoded, LargeEventLeaf if large else EventLeaf)
            assert decoded.encode() == leaf.encode()

    @given(event_leaves | block_leaves, st.data())
    def test_only_one_spelling_is_read(self, leaf: EventLeaf | BlockLeaf, data: Any) -> None:
        text = leaf.encode()
        place = data.draw(st.integers(0, len(text)))
        insert = data.draw(st.sampled_from([b" ", b"0", b"A", b'"', b"\n", b"1", b","]))
        changed = text[:place] + insert + text[place + data.draw(st.integers(0, 1)) :]
        try:
            decoded = decode_leaf(changed)
        except EntryMalformed:
            return
        assert decoded.encode() == changed

    @pytest.mark.parametrize(
        "change",
        [
            {"address": "0x" + "AB" * 20},
            {"address": "0x" + "ab" * 19},
            {"address": 5},
            {"topics": ["0x" + "01" * 32] * 5},
            {"topics": ["0x01"]},
            {"topics": {}},
            {"data": "ff"},
            {"data": "0xf"},
            {"data": "0x" + "00" * (EVENT_DATA_SIZE_BYTES_MAX + 1)},
            {"blockNumber": -1},
            {"blockNumber": 1.5},
            {"blockNumber": True},
            {"blockNumber": "7"},
            {"logIndex": None},
            {"type": "block"},
            {"type": []},
            {"extra": 1},
            {"dataDigest": "0x" + "00" * 32},
        ],
    )
    def test_fields_are_strict(self, change: dict[str, Any]) -> None:
        leaf = EventLeaf(Address(bytes(20)), (), b"", 7, 99, Hash32(bytes(32)), 0)
        fields = json.loads(leaf.encode()) | change
        with pytest.raises(EntryMalformed):
            leaf_from_fields(fields)

    def test_missing_fields_are_refused(self) -> None:
        fields = json.loads(
            EventLeaf(Address(bytes(20)), (), b"", 7, 9, Hash32(bytes(32)), 0).encode()
        )
        for name in fields:
            with pytest.raises(EntryMalformed):
                leaf_from_fields({key: value for key, value in fields.items() if key != name})
        for other in (None, [], "x", 1):
            with pytest.raises(EntryMalformed):
                leaf_from_fields(other)
