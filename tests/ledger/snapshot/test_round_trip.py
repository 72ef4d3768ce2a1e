"""From a chain to a snapshot to a chain."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.chain import Ledger, encode_block
from ledger.evm import decode_transaction, encode_header
from ledger.snapshot import (
    CHUNK_SIZE_BYTES,
    Manifest,
    Restorer,
    SnapshotEmpty,
    manifest,
    stream,
    write_snapshot,
)
from ledger.store import Store, Table
from ledger.tlog import TILE_WIDTH
from ledger.types import Transaction
from tests.ledger.chain.support import sender
from tests.ledger.snapshot.conftest import Made
from tests.ledger.snapshot.support import (
    CREATES_CODE,
    create,
    grow,
    open_at,
    restore,
    snapshot_of,
)

pytestmark = pytest.mark.feature("N4")

SAME = set(Table) - {Table.NODES, Table.META, Table.CODE}


def tables(path: Path) -> dict[Table, dict[bytes, bytes]]:
    with Store.open(path, readonly=True) as store, store.snapshot() as snapshot:
        return {table: dict(snapshot.scan(table)) for table in Table}


def mark_of(height: int) -> bytes:
    return b'{"chain":"test","driver":"test","height":%d}' % height


def replay(source: Ledger, target: Ledger) -> None:
    """The same blocks, executed by another node."""
    for number in range(target.head().header.number + 1, source.head().header.number + 1):
        block = source.committed(number).block
        raws = [one.raw for one in block.transactions]
        target.import_block(encode_block(encode_header(block.header), raws))


def test_a_restored_ledger_is_the_one_that_the_snapshot_was_made_of(tmp_path: Path) -> None:
    with open_at(tmp_path / "a") as source:
        grow(source)
        info, chunks = snapshot_of(source, tmp_path / "snapshots")
        with open_at(tmp_path / "b") as joined:
            head = restore(joined, info, chunks, source.log.root)
            assert head == joined.head() == source.head()
            assert joined.log.head() == source.log.head()
            assert joined.limits() == source.limits()
            for number in range(1, head.header.number + 1):
                assert joined.committed(number) == source.committed(number)
            joined.verify_integrity()
    first, second = tables(tmp_path / "a"), tables(tmp_path / "b")
    for table in SAME:
        assert first[table] == second[table], table
    assert second[Table.NODES].items() <= first[Table.NODES].items()


def test_two_nodes_with_the_same_blocks_make_the_same_snapshot(tmp_path: Path) -> None:
    with open_at(tmp_path / "a") as one, open_at(tmp_path / "b", name="other") as other:
        grow(one)
        replay(one, other)
        one.keep(None, mark_of(17))
        other.keep(None, mark_of(17))
        first = snapshot_of(one, tmp_path / "one")
        assert first == snapshot_of(other, tmp_path / "other")
        assert first[0].height == 17
        # And so does one that was itself made of a snapshot.
        with open_at(tmp_path / "c") as third:
            restore(third, *first, one.log.root)
            assert third.consensus_mark() == mark_of(17)
            assert snapshot_of(third, tmp_path / "third") == first
            grow_on(one, third)
            assert snapshot_of(one, tmp_path / "one") == snapshot_of(third, tmp_path / "third")
            third.verify_integrity()


def grow_on(one: Ledger, other: Ledger) -> None:
    who = sender(3)
    for number in (5, 6, 0):
        head = one.head().header
        one.append_block([decode_transaction(who.call(number))], head.timestamp + 1)
    one.keep(None, mark_of(20))
    replay(one, other)
    other.keep(None, mark_of(20))


@st.composite
def histories(draw: st.DrawFn) -> list[list[tuple[int, str, int]]]:
    """Blocks of (sender, what, number)."""
    what = st.sampled_from(("store", "clear", "fail", "create", "log"))
    call = st.tuples(st.integers(1, 4), what, st.integers(1, 1 << 64))
    return draw(st.lists(st.lists(call, min_size=1, max_size=5), min_size=1, max_size=6))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(history=histories())
def test_any_history_comes_back(history: list[list[tuple[int, str, int]]]) -> None:
    senders = {index: sender(index) for index in range(1, 5)}

    def transaction(index: int, what: str, number: int) -> Transaction:
        who = senders[index]
        if what == "create":
            return decode_transaction(create(who, CREATES_CODE[:-1] + bytes((number % 200,))))
        data = {
            "store": number.to_bytes(32, "big"),
            "clear": bytes(32),
            "fail": b"",
            "log": number.to_bytes(32, "big") + bytes(number % 300),
        }[what]
        raw = who.sign(data=data)
        who.nonce += 1
        return decode_transaction(raw)

    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        with open_at(place / "a") as source, open_at(place / "b") as joined:
            for number, calls in enumerate(history):
                start = source.genesis.block.header.timestamp
                source.append_block([transaction(*call) for call in calls], start + number)
            info, chunks = snapshot_of(source, place / "s")
            restore(joined, info, chunks, source.log.root)
            assert snapshot_of(joined, place / "t") == (info, chunks)
            joined.verify_integrity()


def test_many_chunks_are_taken_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (manifest, stream):
        monkeypatch.setattr(module, "CHUNK_SIZE_BYTES", 700)
    with open_at(tmp_path / "a") as source, open_at(tmp_path / "b") as joined:
        grow(source)
        info, chunks = snapshot_of(source, tmp_path / "s")
        assert info.chunks == len(chunks) > 20
        with Restorer(joined) as restorer:
            restorer.offer(info, source.log.root)
            for index, chunk in enumerate(chunks):
                assert joined.head().header.number == 0
                assert restorer.progress == (index, info.chunks)
                head = restorer.apply(index, chunk)
                assert (head is None) == (index < len(chunks) - 1)
        assert joined.head() == source.head()


def test_chunks_of_full_size(tmp_path: Path) -> None:
    """Blocks larger than a third of a chunk, and a log with full tiles."""
    with open_at(tmp_path / "a") as source, open_at(tmp_path / "b") as joined:
        who, many = sender(1), sender(2)
        start = source.head().header.timestamp
        for number in range(9):
            data = (number + 1).to_bytes(32, "big") + bytes(range(1, 256)) * 1_400
            raw = who.sign(data=data, gas=24_000_000)
            who.nonce += 1
            calls = [decode_transaction(many.call(number * 40 + index)) for index in range(40)]
            source.append_block([decode_transaction(raw)], start)
            source.append_block(calls, start)
        assert source.log.size > TILE_WIDTH
        info, chunks = snapshot_of(source, tmp_path / "s")
        assert info.chunks > 1 or Manifest.of(info).size_bytes <= CHUNK_SIZE_BYTES
        restore(joined, info, chunks, source.log.root)
        for index in range(0, source.log.size, 37):
            assert joined.log.entry(index) == source.log.entry(index)
            proof = joined.log.inclusion_proof(index, source.log.size)
            assert proof == source.log.inclusion_proof(index, source.log.size)


def test_there_is_no_snapshot_of_genesis(tmp_path: Path) -> None:
    with (
        open_at(tmp_path / "a") as source,
        source._open_snapshot() as view,
        pytest.raises(SnapshotEmpty),
    ):
        write_snapshot(view, tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_progress_is_told_to_the_end(tmp_path: Path, made: Made) -> None:
    told: list[tuple[int, int]] = []
    with open_at(tmp_path / "a") as joined:
        restore(joined, made.info, made.chunks, made.root)
        with joined._open_snapshot() as view:
            write_snapshot(view, tmp_path / "s", lambda done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1] > 0
