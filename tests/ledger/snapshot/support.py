"""Chains with something of everything, and snapshots of them carried by hand."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from ledger.chain import Genesis, Ledger
from ledger.evm import decode_transaction
from ledger.snapshot import Manifest, Restorer, SnapshotInfo, SnapshotStore, write_snapshot
from ledger.snapshot.stream import Kind, RecordReader, compress, cut, expand, record
from ledger.tlog import NoteSigner
from ledger.types import Block
from tests.ledger.chain.support import EMPTY_INIT, Sender, make_genesis, sender

MAP_SIZE_BYTES = 1 << 30
CREATES_CODE = bytes.fromhex("6001600a5f39" + "60015ff3" + "00")
"""Init code of a contract whose code is one byte, STOP."""


def open_at(path: Path, genesis: Genesis | None = None, name: str = "test") -> Ledger:
    """A ledger in a folder of its own."""
    return Ledger.open(
        path,
        genesis=genesis or make_genesis(),
        signer=NoteSigner(f"tallystick.example/{name}", bytes(range(32))),
        map_size_bytes=MAP_SIZE_BYTES,
    )


def grow(ledger: Ledger, blocks: int = 6, senders: list[Sender] | None = None) -> None:
    """Blocks with events, failures, deletions of slots and new contracts."""
    who = senders or [sender(1), sender(2)]
    start = ledger.head().header.timestamp
    for number in range(blocks):
        raws = [who[0].call(number * 7 + 1), who[1].call(number + 100)]
        if number % 3 == 1:
            raws.append(create(who[0], CREATES_CODE if number % 2 else EMPTY_INIT))
        if number % 3 == 2:
            raws.append(who[1].sign(data=b""))
            who[1].nonce += 1
        if number % 4 == 3:
            raws.append(who[0].sign(data=(8).to_bytes(32, "big") + bytes(40)))
            who[0].nonce += 1
        ledger.append_block([decode_transaction(raw) for raw in raws], start + number)


def create(who: Sender, init: bytes, **changes: Any) -> bytes:
    raw = who.sign(to=None, data=init, **changes)
    who.nonce += 1
    return raw


def chunks_of(store: SnapshotStore, info: SnapshotInfo) -> list[bytes]:
    return [store.chunk(info.height, index) for index in range(info.chunks)]


def snapshot_of(ledger: Ledger, target: Path) -> tuple[SnapshotInfo, list[bytes]]:
    with ledger._open_snapshot() as view:
        info = write_snapshot(view, target)
    return info, chunks_of(SnapshotStore(target), info)


def restore(ledger: Ledger, info: SnapshotInfo, chunks: list[bytes], root: bytes) -> Block:
    """All chunks in order; returns the new head."""
    with Restorer(ledger) as restorer:
        restorer.offer(info, root)
        for index, chunk in enumerate(chunks):
            head = restorer.apply(index, chunk)
    assert head is not None
    return head


def stream_of(info: SnapshotInfo, chunks: list[bytes]) -> bytes:
    """The stream before it was cut and compressed."""
    manifest = Manifest.of(info)
    return b"".join(
        expand(index, chunk, manifest.chunk_size(index), manifest.chunk_hashes[index])
        for index, chunk in enumerate(chunks)
    )


def records_of(stream: bytes) -> list[tuple[Kind, bytes]]:
    """Its records."""
    found: list[tuple[Kind, bytes]] = []
    reader = RecordReader(lambda kind, payload: found.append((kind, payload)))
    reader.feed(stream)
    reader.finish()
    return found


def joined(records: list[tuple[Kind, bytes]]) -> bytes:
    return b"".join(record(kind, payload) for kind, payload in records)


def forged(info: SnapshotInfo, stream: bytes, **changes: Any) -> tuple[SnapshotInfo, list[bytes]]:
    """A snapshot of another stream, whose metadata agrees with it: what a liar offers."""
    parts = list(cut([stream]))
    manifest = replace(
        Manifest.of(info),
        size_bytes=len(stream),
        chunk_hashes=tuple(sha256(part).digest() for part in parts),
        **changes,
    )
    return manifest.info(), [compress(part) for part in parts]
