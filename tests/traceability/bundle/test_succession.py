"""Later versions of the Provenance contract: taken over from the log's own proof, or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from contracts.abi import EventKind
from contracts.directory.genesis import DIRECTORY_ARTIFACT, contract_name_word
from contracts.genesis import DIRECTORY_ADDRESS, GOVERNANCE_ADDRESS
from contracts.provenance import PROVENANCE_ADDRESS
from ledger.canonical import canonical_json
from ledger.tlog import BlockLeaf, EventLeaf, Note, NoteSigner, TlogProof
from ledger.types import Address, Hash32
from tests.traceability.bundle.support import BLOCK_TIME, ORIGIN, World, events, signer
from traceability.bundle import (
    VERSIONS_MAX,
    Outcome,
    ProvenanceVersion,
    Trust,
    TrustConflict,
    TrustMalformed,
    TrustStore,
    VersionRecord,
    VersionRecords,
    VersionsUnproven,
    proven_versions,
    verify_bundle,
)

pytestmark = pytest.mark.feature("L4")

SECOND, THIRD = Address(b"\x22" * 20), Address(b"\x33" * 20)
TOPIC = Hash32(EventKind.of(DIRECTORY_ARTIFACT, "VersionAdded").topic)


def name_version(
    world: World,
    place: Address,
    *,
    name: str = "provenance",
    by: Address = DIRECTORY_ADDRESS,
) -> tuple[int, int]:
    """A block in which the contract `by` names a version; the leaf's index, the block's number."""
    world.blocks += 1
    topics = (
        TOPIC,
        Hash32(contract_name_word(name)),
        Hash32(place.rjust(32, b"\0")),
        Hash32(GOVERNANCE_ADDRESS.rjust(32, b"\0")),
    )
    data = encode(["uint256", "bytes32", "string"], [1, b"\x09" * 32, "https://x.example"])
    leaf = EventLeaf(by, topics, data, world.blocks, BLOCK_TIME, Hash32(b"\x05" * 32), 0)
    block = BlockLeaf(Hash32(b"\x06" * 32), world.blocks, BLOCK_TIME)
    return world.append(leaf.encode(), block.encode()), world.blocks


def record(world: World, index: int, note: str | None = None) -> VersionRecord:
    path = world.inclusion_proof(index, len(world.entries))
    proof = TlogProof(index, path, world.checkpoint() if note is None else note)
    return VersionRecord(world.entry(index), proof.encode())


def records_of(*records: VersionRecord, origin: str = ORIGIN) -> VersionRecords:
    return VersionRecords(origin, records)


def trust_of(world: World, threshold: int = 1, **changes: Any) -> Trust:
    return world.trust(threshold, **{"directory": DIRECTORY_ADDRESS, **changes})


class TestProven:
    def test_a_version_that_the_directory_has_named_is_believed_from_that_block_on(self) -> None:
        world = World()
        (before,) = world.anchor(events(1), address=SECOND)
        index, block = name_version(world, SECOND)
        (after,) = world.anchor(events(1), address=SECOND)
        trust = trust_of(world)
        records = records_of(record(world, index))
        assert VersionRecords.decode(records.encode()) == records
        found = proven_versions(records, trust)
        assert found == (ProvenanceVersion(SECOND, block),)
        extended = trust.with_versions(found)
        verdicts = [verify_bundle(world.bundle(one).encode(), extended) for one in (before, after)]
        assert [one.outcome for one in verdicts] == [Outcome.INVALID, Outcome.VALID]
        assert "believed from block 2" in verdicts[0].reason
        unknown = verify_bundle(world.bundle(after).encode(), trust)
        assert unknown.outcome is Outcome.INVALID
        assert f"0x{SECOND.hex()} is none that the trust file names" in unknown.reason

    def test_versions_are_ordered_by_the_block_that_named_them_first(self) -> None:
        world = World()
        named = [name_version(world, one) for one in (SECOND, THIRD, PROVENANCE_ADDRESS, SECOND)]
        records = [record(world, index) for index, _ in named]
        found = proven_versions(records_of(*reversed(records)), trust_of(world))
        assert found == (ProvenanceVersion(SECOND, 1), ProvenanceVersion(THIRD, 2))
        late = trust_of(world).with_versions(
            proven_versions(records_of(records[3]), trust_of(world))
        )
        assert late.later == (ProvenanceVersion(SECOND, 4),)
        assert late.with_versions(found).later == found

    def test_nothing_to_prove_is_no_version(self) -> None:
        assert proven_versions(records_of(), trust_of(World())) == ()

    def test_as_many_members_must_have_signed_as_for_a_proof(self) -> None:
        keys = [signer("a.example", 2), signer("b.example", 3), signer("c.example", 4)]
        world = World(signers=keys)
        index, block = name_version(world, SECOND)
        records = records_of(record(world, index))
        for threshold in (1, 2, 3):
            found = proven_versions(records, trust_of(world, threshold))
            assert found == (ProvenanceVersion(SECOND, block),)
        world.signers = keys[:1]
        few = records_of(record(world, index))
        trust = trust_of(World(signers=keys), 2)
        with pytest.raises(VersionsUnproven, match="not proven"):
            proven_versions(few, trust)

    @pytest.mark.parametrize(
        ("make", "reason"),
        [
            (lambda world: name_version(world, SECOND, by=THIRD), "has not named"),
            (lambda world: name_version(world, SECOND, name="consortium"), "'consortium'"),
            (
                lambda world: (world.anchor(events(1), address=DIRECTORY_ADDRESS)[0].leaf_index, 0),
                "not proven",
            ),
            (lambda world: (name_version(world, SECOND)[0] + 1, 0), "has not named"),
        ],
        ids=["another contract", "another name", "another event", "a block's leaf"],
    )
    def test_anything_else_in_the_log_is_no_version(
        self, make: Callable[[World], tuple[int, int]], reason: str
    ) -> None:
        world = World()
        index, _ = make(world)
        with pytest.raises(VersionsUnproven, match=reason):
            proven_versions(records_of(record(world, index)), trust_of(world))

    def test_one_unproven_record_spoils_all(self) -> None:
        world = World()
        good, _ = name_version(world, SECOND)
        bad, _ = name_version(world, THIRD, by=SECOND)
        with pytest.raises(VersionsUnproven):
            proven_versions(records_of(record(world, good), record(world, bad)), trust_of(world))

    def test_another_leaf_another_place_and_another_log_prove_nothing(self) -> None:
        world, stranger = World(), World(signers=(signer(seed=9),))
        index, _ = name_version(world, SECOND)
        name_version(stranger, SECOND)
        trust = trust_of(world)
        right = record(world, index)
        moved = replace(right, proof=record(world, index + 1).proof)
        edited = replace(
            right, leaf=right.leaf.replace(SECOND.hex().encode(), THIRD.hex().encode())
        )
        unsigned = replace(right, proof=record(stranger, index).proof)
        spaced = replace(right, leaf=right.leaf + b" ")
        other_note = Note.decode(world.checkpoint()).text + "\n"
        bare = record(world, index, note=other_note)
        extra = replace(TlogProof.decode(right.proof), extra=b"x").encode()
        for spoiled in (moved, edited, unsigned, spaced, bare, replace(right, proof=extra)):
            with pytest.raises(VersionsUnproven):
                proven_versions(records_of(spoiled), trust)
        with pytest.raises(VersionsUnproven, match=r"other\.example"):
            proven_versions(records_of(right, origin="other.example"), trust)

    def test_a_checkpoint_of_another_log_by_the_same_keys_proves_nothing(self) -> None:
        key = NoteSigner("member.example", b"\3" * 32)
        world = World(signers=(key,), origin="other.example/log")
        index, _ = name_version(world, SECOND)
        with pytest.raises(VersionsUnproven, match="not proven"):
            proven_versions(
                records_of(record(world, index)), trust_of(World(signers=(key,), origin=ORIGIN))
            )

    def test_a_trust_file_without_directory_cannot_be_extended(self) -> None:
        world = World()
        index, _ = name_version(world, SECOND)
        with pytest.raises(VersionsUnproven, match="get the log's trust file anew"):
            proven_versions(records_of(record(world, index)), world.trust())


class TestFile:
    WORLD = World()
    RECORD = record(WORLD, name_version(WORLD, SECOND)[0])

    @pytest.mark.parametrize(
        "change",
        [
            {"format": "tallystick-versions/2"},
            {"origin": ""},
            {"origin": None},
            {"records": None},
            {"records": [{}]},
            {"records": [{"leaf": {}, "proof": 1}]},
            {"records": [{"leaf": "x", "proof": ""}]},
            {"records": [{"leaf": {}, "proof": "", "more": 1}]},
            {"more": 1},
        ],
    )
    def test_is_strict(self, change: dict[str, Any]) -> None:
        fields = json.loads(records_of(self.RECORD).encode()) | change
        with pytest.raises(VersionsUnproven):
            VersionRecords.decode(canonical_json(fields))

    def test_has_a_bound(self) -> None:
        most = records_of(*[self.RECORD] * VERSIONS_MAX)
        assert VersionRecords.decode(most.encode()) == most
        with pytest.raises(VersionsUnproven, match="records"):
            VersionRecords.decode(records_of(*[self.RECORD] * (VERSIONS_MAX + 1)).encode())

    @given(st.binary(max_size=200))
    def test_other_bytes_are_refused(self, data: bytes) -> None:
        with pytest.raises(VersionsUnproven):
            VersionRecords.decode(data)

    @given(st.data())
    def test_no_byte_can_be_changed_unnoticed(self, data: st.DataObject) -> None:
        whole = bytearray(records_of(self.RECORD).encode())
        place = data.draw(st.integers(0, len(whole) - 1))
        whole[place] = data.draw(st.integers(0, 255).filter(lambda byte: byte != whole[place]))
        trust = trust_of(self.WORLD)
        try:
            found = proven_versions(VersionRecords.decode(bytes(whole)), trust)
        except VersionsUnproven:
            return
        # White space, and the spelling of texts, are nobody's business: what is said is the same.
        assert found == (ProvenanceVersion(SECOND, 1),)


class TestTrust:
    TRUST = World().trust(directory=DIRECTORY_ADDRESS)

    def test_is_written_as_one_address_while_there_is_one(self) -> None:
        first = f"0x{PROVENANCE_ADDRESS.hex()}"
        assert self.TRUST.fields()["contracts"] == {
            "consortium": "0x7a11000000000000000000000000000000000001",
            "provenance": first,
            "directory": f"0x{DIRECTORY_ADDRESS.hex()}",
        }
        more = self.TRUST.with_versions([ProvenanceVersion(SECOND, 7)])
        contracts = more.fields()["contracts"]
        assert isinstance(contracts, dict)
        assert contracts["provenance"] == [
            first,
            {"address": f"0x{SECOND.hex()}", "fromBlock": 7},
        ]
        for trust in (self.TRUST, more):
            assert Trust.parse(trust.encode()) == trust

    def test_holds_no_more_than_its_bound(self) -> None:
        versions = [
            ProvenanceVersion(Address(number.to_bytes(20, "big")), number)
            for number in range(1, VERSIONS_MAX + 1)
        ]
        full = self.TRUST.with_versions(versions[:-1])
        assert Trust.parse(full.encode()) == full
        with pytest.raises(TrustMalformed, match="at most 32"):
            self.TRUST.with_versions(versions)
        assert self.TRUST.with_versions_that_fit(versions) == full

    def test_believes_each_version_from_its_block_on(self) -> None:
        trust = self.TRUST.with_versions([ProvenanceVersion(SECOND, 7)])
        found = [trust.believed_from(one) for one in (PROVENANCE_ADDRESS, SECOND, THIRD)]
        assert found == [0, 7, None]

    def test_the_store_keeps_what_only_one_file_says(self, tmp_path: Path) -> None:
        store = TrustStore(tmp_path)
        second, third = ProvenanceVersion(SECOND, 7), ProvenanceVersion(THIRD, 9)
        store.add(World().trust())
        store.add(self.TRUST.with_versions([second]), proven=True)
        store.add(self.TRUST.with_versions([third]), proven=True)
        both = self.TRUST.with_versions([second, third])
        assert store.find(ORIGIN) == both
        store.add(World().trust())
        assert store.find(ORIGIN) == both
        with pytest.raises(TrustConflict):
            store.add(replace(both, directory=THIRD))
        with pytest.raises(TrustConflict):
            store.add(replace(World().trust(), provenance=SECOND))
        assert store.find(ORIGIN) == both

    def test_the_store_takes_no_directory_on_a_files_word(self, tmp_path: Path) -> None:
        """Whoever chooses the Directory proves whatever versions he likes."""
        store = TrustStore(tmp_path)
        store.add(World().trust())
        with pytest.raises(TrustConflict, match="names no Directory"):
            store.add(self.TRUST)
        assert store.find(ORIGIN) == World().trust()
        store.add(self.TRUST, proven=True)
        assert store.find(ORIGIN) == self.TRUST

    def test_the_store_takes_no_version_on_a_files_word(self, tmp_path: Path) -> None:
        """The folder of a network may come from anybody."""
        store = TrustStore(tmp_path)
        known = self.TRUST.with_versions([ProvenanceVersion(SECOND, 7)])
        store.add(known)
        for version in (ProvenanceVersion(THIRD, 9), ProvenanceVersion(SECOND, 6)):
            with pytest.raises(TrustConflict, match="tally network update"):
                store.add(known.with_versions([version]))
            assert store.find(ORIGIN) == known
        store.add(self.TRUST.with_versions([ProvenanceVersion(SECOND, 8)]))
        assert store.find(ORIGIN) == known
