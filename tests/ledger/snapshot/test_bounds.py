"""A snapshot that lies makes nobody hold more than a block of this ledger can come to."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.chain import Ledger
from ledger.chain.encoding import pack, unpack
from ledger.chain.membership import BLOCK_GAS_LIMIT_MAX, BLOCK_SIZE_BYTES_MAX
from ledger.evm import decode_transaction, encode_header
from ledger.evm.codec import decode_header
from ledger.snapshot import SnapshotWrong, blocks
from ledger.snapshot.bounds import RecordBounds, receipts_size_max
from ledger.snapshot.stream import RECORD_SIZE_BYTES_MAX, SLOTS_IN_RECORD, Kind, RecordReader
from tests.ledger.chain.support import make_genesis, sender
from tests.ledger.consensus.cometbft.support import Node, consortium_genesis
from tests.ledger.snapshot.conftest import Made
from tests.ledger.snapshot.support import (
    create,
    forged,
    joined,
    open_at,
    records_of,
    restore,
    snapshot_of,
    stream_of,
)

pytestmark = pytest.mark.feature("N4")

LOG0, LOG4 = bytes.fromhex("5f5fa0"), bytes.fromhex("5f5f5f5f5f5fa4")
"""PUSH0 for offset, length and topics; LOG0, LOG4."""


def test_bounds_follow_from_the_ledgers_own(made: Made) -> None:
    genesis = make_genesis()
    bounds = RecordBounds.of(genesis).records
    assert bounds[Kind.GENESIS] == len(genesis.document)
    assert bounds[Kind.CODE] == 24_576
    assert bounds[Kind.SLOTS] == SLOTS_IN_RECORD * 65
    assert bounds[Kind.BLOCK] < 64 << 20
    assert set(bounds) == set(Kind)
    assert all(len(payload) <= bounds[kind] for kind, payload in made.records)


def test_where_members_may_raise_limits_these_count() -> None:
    genesis = consortium_genesis([Node(bytes(20), bytes(range(32)))])
    assert genesis.parameters is not None
    bounds = RecordBounds.of(genesis)
    assert bounds.gas == BLOCK_GAS_LIMIT_MAX
    assert BLOCK_SIZE_BYTES_MAX < bounds.records[Kind.BLOCK] <= RECORD_SIZE_BYTES_MAX


@pytest.mark.parametrize("kind", list(Kind))
def test_a_record_that_is_too_long_is_not_waited_for(kind: Kind) -> None:
    bound = RecordBounds.of(make_genesis()).records[kind]
    taken: list[Kind] = []
    reader = RecordReader(lambda kind, _: taken.append(kind), {kind: bound})
    reader.feed(bytes((kind,)) + bound.to_bytes(4, "big"))
    assert taken == []
    reader = RecordReader(lambda kind, _: taken.append(kind), {kind: bound})
    with pytest.raises(SnapshotWrong, match="possible on this ledger"):
        reader.feed(bytes((kind,)) + (bound + 1).to_bytes(4, "big"))


def test_a_large_record_is_held_once() -> None:
    size = 24 << 20
    held: list[int] = []
    reader = RecordReader(lambda _, payload: held.append(len(payload)), {Kind.BLOCK: size})
    tracemalloc.start()
    try:
        reader.feed(bytes((Kind.BLOCK,)) + size.to_bytes(4, "big"))
        for _ in range(size >> 20):
            reader.feed(bytes(1 << 20))
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held == [size]
    assert after < 1 << 20
    assert peak < 2.3 * size


def test_the_dearest_blocks_there_are_can_be_carried(tmp_path: Path) -> None:
    block_max = RecordBounds.of(make_genesis()).records[Kind.BLOCK]
    with open_at(tmp_path / "a") as ledger:
        start = ledger.head().header.timestamp
        for who, code in ((sender(1), LOG0), (sender(2), LOG4)):
            raw = create(who, code * (45_000 // len(code)), gas=20_000_000)
            ledger.append_block([decode_transaction(raw)], start)
            number = ledger.head().header.number
            assert len(ledger.receipts(number)[0].logs) == 45_000 // len(code)
        info, chunks = snapshot_of(ledger, tmp_path / "s")
        whole = [data for kind, data in records_of(stream_of(info, chunks)) if kind is Kind.BLOCK]
        for block in whole:
            header, _, receipts, _ = unpack(block)
            gas = decode_header(header).gas_used
            assert len(receipts) < receipts_size_max(gas)
            assert len(block) < block_max * gas / 30_000_000
        with open_at(tmp_path / "b") as other:
            assert restore(other, info, chunks, ledger.log.root).hash == ledger.head().hash


def test_receipts_that_no_gas_paid_for_are_not_read(
    made: Made, empty: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = list(made.records)
    place = next(at for at, (kind, _) in enumerate(records) if kind is Kind.BLOCK)
    header, body, _, entries = unpack(records[place][1])
    gas = decode_header(header).gas_used
    stuffed = pack([bytes(receipts_size_max(gas))])
    records[place] = Kind.BLOCK, pack([header, body, stuffed, entries])
    monkeypatch.setattr(blocks, "load_receipts", lambda _: pytest.fail("they were read"))
    with pytest.raises(SnapshotWrong, match=f"bytes of receipts for {gas} gas"):
        restore(empty, *forged(made.info, joined(records)), made.root)


def test_a_block_with_more_gas_than_there_can_be_is_refused(made: Made, empty: Ledger) -> None:
    records = list(made.records)
    place = next(at for at, (kind, _) in enumerate(records) if kind is Kind.BLOCK)
    parts = unpack(records[place][1])
    header = replace(decode_header(parts[0]), gas_used=30_000_001, gas_limit=2**40)
    records[place] = Kind.BLOCK, pack([encode_header(header), *parts[1:]])
    with pytest.raises(SnapshotWrong, match="used 30000001 gas, more than 30000000"):
        restore(empty, *forged(made.info, joined(records)), made.root)
