"""Nothing that is not the ledger's true history gets in, whoever made the hashes agree."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.chain import Genesis, Ledger, NotAtGenesis
from ledger.chain.encoding import load_receipts, pack, unpack
from ledger.evm import encode_header
from ledger.evm.codec import decode_header
from ledger.snapshot import (
    ChunkOutOfTurn,
    ChunkWrong,
    FormatUnknown,
    Manifest,
    OfferRefused,
    Restorer,
    SnapshotError,
    SnapshotInfo,
    SnapshotWrong,
)
from ledger.snapshot.manifest import snapshot_hash
from ledger.snapshot.stream import Kind, compress, expand
from ledger.state import decode_account, encode_account, keccak
from ledger.tlog import Checkpoint
from ledger.types import Hash32
from tests.ledger.chain.support import genesis_document, make_genesis
from tests.ledger.snapshot.conftest import Made
from tests.ledger.snapshot.support import forged, grow, joined, open_at, restore, snapshot_of

pytestmark = pytest.mark.feature("N4")

shared = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def refused(ledger: Ledger, info: SnapshotInfo, chunks: list[bytes], root: bytes) -> str:
    """Why; the ledger must be as empty as it was, and without a trace on the disk."""
    with pytest.raises(SnapshotError) as why:
        restore(ledger, info, chunks, root)
    assert ledger.head().header.number == 0
    assert ledger.log.size == 0
    assert ledger.block(1) is None
    return str(why.value)


def test_any_flipped_bit_of_a_chunk_is_a_wrong_chunk(made: Made) -> None:
    manifest = Manifest.of(made.info)
    size, digest, same = manifest.chunk_size(0), manifest.chunk_hashes[0], 0
    for place in range(len(made.chunks[0])):
        spoilt = bytearray(made.chunks[0])
        spoilt[place] ^= 1 << place % 8
        try:
            assert expand(0, bytes(spoilt), size, digest) == made.stream
            same += 1
        except ChunkWrong:
            continue
    # zlib leaves a few bits free that say nothing, such as those of codes that do not occur
    # (RFC 1950, FLEVEL; RFC 1951, 3.2.7): the content is what counts, and it is the same.
    assert same < len(made.chunks[0]) / 100


def test_a_wrong_chunk_is_asked_for_again_and_the_right_one_goes_on(
    made: Made, empty: Ledger
) -> None:
    wrong = (
        b"",
        made.chunks[0][:-1],
        made.chunks[0] + b"\0",
        compress(made.stream[:-1]),
        compress(made.stream + b"\0"),
        compress(made.stream[::-1]),
        bytes(9 << 20),
        compress(bytes(64 << 20)),
    )
    with Restorer(empty) as restorer:
        restorer.offer(made.info, made.root)
        for chunk in wrong:
            with pytest.raises(ChunkWrong):
                restorer.apply(0, chunk)
        for index in (1, -1, 7):
            with pytest.raises(ChunkOutOfTurn):
                restorer.apply(index, made.chunks[0])
        assert restorer.progress == (0, 1)
        head = restorer.apply(0, made.chunks[0])
        assert head is not None
        assert head.hash == made.head
        with pytest.raises(ChunkOutOfTurn):
            restorer.apply(0, made.chunks[0])


@shared
@given(data=st.data())
def test_any_flipped_byte_of_the_stream_is_refused(
    made: Made, empty: Ledger, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(made.stream) - 1))
    flip = data.draw(st.integers(1, 255))
    spoilt = bytearray(made.stream)
    spoilt[place] ^= flip
    refused(empty, *forged(made.info, bytes(spoilt)), made.root)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_every_byte_of_the_stream_counts(made: Made, empty: Ledger) -> None:
    for place in range(len(made.stream)):
        spoilt = bytearray(made.stream)
        spoilt[place] ^= 1 << place % 8
        refused(empty, *forged(made.info, bytes(spoilt)), made.root)


def test_no_record_can_be_left_out_doubled_or_moved(made: Made, empty: Ledger) -> None:
    for place in range(len(made.records)):
        without = made.records[:place] + made.records[place + 1 :]
        refused(empty, *forged(made.info, joined(without)), made.root)
        twice = made.records[: place + 1] + made.records[place:]
        refused(empty, *forged(made.info, joined(twice)), made.root)
        if place:
            moved = list(made.records)
            moved[place - 1], moved[place] = moved[place], moved[place - 1]
            refused(empty, *forged(made.info, joined(moved)), made.root)


@shared
@given(st.data())
def test_parts_of_blocks_cannot_be_exchanged(
    made: Made, empty: Ledger, data: st.DataObject
) -> None:
    blocks = [place for place, (kind, _) in enumerate(made.records) if kind is Kind.BLOCK]
    one, other = data.draw(st.permutations(blocks))[:2]
    part = data.draw(st.integers(0, 3))
    first, second = unpack(made.records[one][1]), unpack(made.records[other][1])
    if first[part] == second[part]:
        return
    first[part] = second[part]
    records = list(made.records)
    records[one] = (Kind.BLOCK, pack(first))
    refused(empty, *forged(made.info, joined(records)), made.root)


def place_of(made: Made, kind: Kind, nth: int = 0) -> int:
    return [place for place, (found, _) in enumerate(made.records) if found is kind][nth]


def changed(made: Made, kind: Kind, payload: bytes, nth: int = 0) -> bytes:
    records = list(made.records)
    records[place_of(made, kind, nth)] = (kind, payload)
    return joined(records)


def without_events(made: Made) -> tuple[int, bytes]:
    """A block with one bit flipped in a transaction that the log says nothing of."""
    blocks = [unpack(payload) for kind, payload in made.records if kind is Kind.BLOCK]
    for nth, (header, body, receipts, entries) in enumerate(blocks):
        raws = unpack(body)
        for index, receipt in enumerate(load_receipts(unpack(receipts))):
            if not receipt.logs and receipt.contract_address is None:
                raws[index] = raws[index][:-1] + bytes((raws[index][-1] ^ 1,))
                return nth, pack((header, pack(raws), receipts, entries))
    raise AssertionError("all transactions have events")


def with_code_of_nobody(made: Made) -> list[tuple[Kind, bytes]]:
    """One more code, in its place."""
    codes = [payload for kind, payload in made.records if kind is Kind.CODE]
    codes = sorted([*codes, b"\x5f\x5f"], key=keccak)
    first = place_of(made, Kind.CODE)
    rest = made.records[first + len(codes) - 1 : -1]
    counts = made.records[-1][1]
    end = (Kind.END, counts[:16] + len(codes).to_bytes(8, "big") + counts[24:])
    return made.records[:first] + [(Kind.CODE, code) for code in codes] + [*rest, end]


def test_each_kind_of_record_is_refused_in_words(made: Made, empty: Ledger) -> None:
    slots = made.records[place_of(made, Kind.SLOTS)][1]
    account = made.records[place_of(made, Kind.ACCOUNT)][1]
    header, body, receipts, entries = unpack(made.records[place_of(made, Kind.BLOCK)][1])
    leaves = unpack(entries)
    other = genesis_document(timestamp="0x65000001")
    silent, spoilt = without_events(made)
    found = decode_account(account[20:])
    richer = replace(found, balance=found.balance + 1)
    orphan = encode_header(replace(decode_header(header), parent_hash=Hash32(bytes(32))))
    blocks = [unpack(payload) for kind, payload in made.records if kind is Kind.BLOCK]
    nth = next(nth for nth, parts in enumerate(blocks) if any(one[0] for one in unpack(parts[2])))
    parts = blocks[nth]
    elsewhere = [one[:1] + bytes(20) + one[21:] if one[0] else one for one in unpack(parts[2])]
    nowhere = [b"\0" + one[21:] if one[0] else one for one in unpack(parts[2])]
    wrongly = [bytes((20,)) + bytes(20) + one[1:] for one in unpack(receipts)]
    cases: list[tuple[bytes, str]] = [
        (changed(made, Kind.GENESIS, Genesis.parse(other).document), "genesis"),
        (changed(made, Kind.SLOTS, slots[:-1] + bytes((slots[-1] ^ 1,))), "storage root"),
        (changed(made, Kind.SLOTS, b""), "no slots"),
        (changed(made, Kind.SLOTS, slots[:32] + b"\x02\x00\x01"), "leading zero"),
        (changed(made, Kind.SLOTS, slots[:32] + b"\x00"), "leading zero"),
        (changed(made, Kind.SLOTS, slots[:32] + b"\x21" + b"\xff" * 33), "leading zero"),
        (changed(made, Kind.CODE, b"\x5f"), "code"),
        (changed(made, Kind.ACCOUNT, account[:-1] + bytes((account[-1] ^ 1,))), "code"),
        (changed(made, Kind.ACCOUNT, account[:20]), "account"),
        (changed(made, Kind.ACCOUNT, account[:20] + encode_account(richer)), "state root"),
        (joined(with_code_of_nobody(made)), "no account has"),
        (changed(made, Kind.BLOCK, pack((header, body, receipts, pack(leaves[1:])))), "entries"),
        (changed(made, Kind.BLOCK, pack((header, body, receipts))), "3 parts"),
        (changed(made, Kind.BLOCK, pack((header, pack(()), pack(()), entries))), "0 transactions"),
        (changed(made, Kind.BLOCK, made.records[1][1] + b"\0"), "parts"),
        (changed(made, Kind.BLOCK, pack((header, body, pack(wrongly), entries))), "wrongly"),
        (changed(made, Kind.BLOCK, pack((*parts[:2], pack(elsewhere), parts[3])), nth), "another"),
        (changed(made, Kind.BLOCK, pack((*parts[:2], pack(nowhere), parts[3])), nth), "another"),
        (changed(made, Kind.BLOCK, pack((orphan, body, receipts, entries))), "has parent"),
        (changed(made, Kind.BLOCK, spoilt, silent), "transactions are not those"),
        (changed(made, Kind.END, made.records[-1][1][:-1] + b"\xff"), "counts"),
        (made.stream + b"\0", "within a record"),
        (made.stream[:-1], "within a record"),
        (made.stream + joined([made.records[-1]]), "does not belong"),
        (b"\x03" + b"\xff" * 4 + made.stream, "4294967295 bytes"),
        (b"\x09" + bytes(4) + made.stream, "kind 9"),
    ]
    for stream, word in cases:
        assert word in refused(empty, *forged(made.info, stream), made.root), word
    assert restore(empty, made.info, made.chunks, made.root).hash == made.head


@pytest.mark.parametrize(
    "changes",
    [
        {"block_number": 4},
        {"block_number": 6},
        {"block_hash": bytes(32)},
        {"state_root": bytes(32)},
        {"log_size": 3},
        {"genesis_hash": bytes(32)},
        {"log_root": bytes(32)},
    ],
)
def test_metadata_must_be_that_of_the_content(
    made: Made, empty: Ledger, changes: dict[str, Any]
) -> None:
    refused(empty, *forged(made.info, made.stream, **changes), made.root)


def test_an_offer_must_agree_with_itself(made: Made, empty: Ledger) -> None:
    info = made.info
    with Restorer(empty) as restorer:
        for wrong in (
            SnapshotInfo(info.height + 1, info.format, info.chunks, info.hash, info.metadata),
            SnapshotInfo(info.height, info.format, info.chunks + 1, info.hash, info.metadata),
            SnapshotInfo(info.height, info.format, info.chunks, bytes(32), info.metadata),
            SnapshotInfo(info.height, info.format, info.chunks, info.hash, b"{}"),
        ):
            with pytest.raises(OfferRefused):
                restorer.offer(wrong, made.root)
        with pytest.raises(FormatUnknown):
            restorer.offer(SnapshotInfo(info.height, 2, 1, info.hash, info.metadata), made.root)
        with pytest.raises(OfferRefused, match="root"):
            restorer.offer(info, bytes(32))
        with pytest.raises(ChunkOutOfTurn):
            restorer.apply(0, made.chunks[0])


@shared
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_metadata_does_more_than_be_refused(made: Made, metadata: bytes) -> None:
    digest = snapshot_hash(5, metadata)
    with pytest.raises(OfferRefused):
        Manifest.of(SnapshotInfo(5, 1, 1, digest, metadata))


def test_another_ledgers_snapshot_is_refused(tmp_path: Path, empty: Ledger) -> None:
    other = make_genesis(timestamp="0x65000009")
    with open_at(tmp_path / "other", other) as source:
        grow(source, 2)
        info, chunks = snapshot_of(source, tmp_path / "snapshots")
        assert "genesis" in refused(empty, info, chunks, source.log.root)


def test_a_fork_of_the_same_genesis_is_refused_by_a_cosigned_checkpoint(
    made: Made, empty: Ledger
) -> None:
    size = 4
    true = Checkpoint(empty.origin, size, made.roots[size])
    false = Checkpoint(empty.origin, size, bytes(32))
    beyond = Checkpoint(empty.origin, len(made.roots) + 5, bytes(32))
    with Restorer(empty, checkpoints=(true, false)) as restorer:
        restorer.offer(made.info, made.root)
        with pytest.raises(SnapshotError, match="another root at size 4"):
            restorer.apply(0, made.chunks[0])
    assert empty.block(1) is None
    with Restorer(empty, checkpoints=(true, beyond)) as restorer:
        restorer.offer(made.info, made.root)
        assert restorer.apply(0, made.chunks[0]) is not None


def test_whoever_is_asked_to_trust_has_the_last_word(made: Made, empty: Ledger) -> None:
    asked: list[tuple[int, bytes]] = []

    def trusted(size: int, root: bytes) -> None:
        asked.append((size, root))
        assert empty.block(1) is None  # nothing is visible yet
        if len(asked) == 1:
            raise ValueError("not consistent")

    with Restorer(empty, trusted=trusted) as restorer:
        restorer.offer(made.info, made.root)
        with pytest.raises(SnapshotError, match="not consistent"):
            restorer.apply(0, made.chunks[0])
        restorer.offer(made.info, made.root)
        assert restorer.apply(0, made.chunks[0]) is not None
    assert asked == [(len(made.roots) - 1, made.root)] * 2


def test_a_mark_that_the_driver_would_not_leave_is_refused(made: Made, empty: Ledger) -> None:
    seen: list[bytes | None] = []

    def check(mark: bytes | None) -> None:
        seen.append(mark)
        if mark is None:
            raise ValueError("none")

    marked, chunks = forged(made.info, made.stream, mark=b'{"chain":"x","height":5}')
    with Restorer(empty, check_mark=check) as restorer:
        with pytest.raises(OfferRefused, match="consensus mark: none"):
            restorer.offer(made.info, made.root)
        restorer.offer(marked, made.root)
        assert restorer.apply(0, chunks[0]) is not None
    assert seen == [None, b'{"chain":"x","height":5}']
    assert empty.consensus_mark() == seen[1]


def test_a_ledger_with_blocks_takes_none(made: Made, empty: Ledger) -> None:
    restore(empty, made.info, made.chunks, made.root)
    with Restorer(empty) as restorer, pytest.raises(NotAtGenesis):
        restorer.offer(made.info, made.root)


def test_a_snapshot_wrong_in_itself_ends_the_offer(made: Made, empty: Ledger) -> None:
    info, chunks = forged(made.info, made.stream[:-1])
    with Restorer(empty) as restorer:
        restorer.offer(info, made.root)
        with pytest.raises(SnapshotWrong):
            restorer.apply(0, chunks[0])
        with pytest.raises(ChunkOutOfTurn, match="offer one"):
            restorer.apply(0, chunks[0])
