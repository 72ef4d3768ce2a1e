"""Making a snapshot: out of a consistent view of a store, beside whoever writes it."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path

from ledger.chain.encoding import decode_number, encode_number, pack
from ledger.chain.records import read_consensus_mark, read_genesis, read_head, read_log_head
from ledger.snapshot.errors import SnapshotEmpty, SnapshotFailed
from ledger.snapshot.manifest import Manifest, height_of
from ledger.snapshot.shelf import chunk_name, write_info
from ledger.snapshot.stream import (
    SLOTS_IN_RECORD,
    Kind,
    compress,
    cut,
    encode_slot,
    record,
)
from ledger.snapshot.types import Progress, SnapshotInfo
from ledger.state import EMPTY_CODE_HASH, STATE_ROOT_KEY, RlpMalformed, decode_account, keccak
from ledger.store import Snapshot, Store, Table
from ledger.types import Hash32

PARTIAL_PREFIX = ".partial-"
_TELL_EVERY = 2_000
_LOOK_S = 0.004
_STILL_AFTER_S = 2.0
_LOOK_STILL_S = 0.05


def make_snapshot(
    store_directory: Path | str,
    target: Path | str,
    progress: Progress = lambda _done, _all: None,
    *,
    height: int | None = None,
) -> SnapshotInfo:
    """Write a snapshot of the chain as it is now into a new folder below `target`.

    With `height`, of the chain as soon as it has come to that consensus height. Reads one view of
    the store, which another process may write meanwhile. Two nodes whose stores hold the same
    blocks and mark write the same chunks. The folder `<height>-<format>` appears whole or not at
    all; where there is one already, it is kept. Raises `SnapshotEmpty`, `SnapshotTooLarge`,
    `SnapshotFailed` and `StoreError`s.
    """
    with (
        Store.open(store_directory, readonly=True) as store,
        store.snapshot() if height is None else _view_at(store, height) as snapshot,
    ):
        return write_snapshot(snapshot, target, progress)


def write_snapshot(
    snapshot: Snapshot, target: Path | str, progress: Progress = lambda _done, _all: None
) -> SnapshotInfo:
    """As `make_snapshot`, of a view that is open already."""
    shelf = Path(target)
    source = _Source(snapshot, progress)
    shelf.mkdir(parents=True, exist_ok=True)
    draft = shelf / f"{PARTIAL_PREFIX}{secrets.token_hex(4)}"
    draft.mkdir(mode=0o700)
    try:
        info = _write(draft, source)
        place = shelf / f"{info.height}-{info.format}"
        if not place.exists():
            draft.rename(place)
            _sync(shelf)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return info


def _view_at(store: Store, height: int) -> Snapshot:
    """A view of the chain when it has come to a consensus height.

    Looks so often that it is of that height itself and not of a later one, unless blocks follow
    each other within a few milliseconds.
    """
    last, since = -1, time.monotonic()
    while True:
        snapshot = store.snapshot()
        try:
            now = height_of(read_consensus_mark(snapshot), read_head(snapshot)[0])
        except BaseException:
            snapshot.close()
            raise
        if now >= height:
            return snapshot
        snapshot.close()
        if now != last:
            last, since = now, time.monotonic()
        stands_still = time.monotonic() - since > _STILL_AFTER_S
        time.sleep(_LOOK_STILL_S if stands_still else _LOOK_S)


def _write(draft: Path, source: _Source) -> SnapshotInfo:
    hashes: list[bytes] = []
    size = 0
    for index, chunk in enumerate(cut(source.records())):
        hashes.append(sha256(chunk).digest())
        size += len(chunk)
        _write_file(draft / chunk_name(index), compress(chunk))
    info = source.manifest(size, tuple(hashes)).info()
    _write_file(draft / "snapshot.json", write_info(info))
    _sync(draft)
    return info


def _write_file(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass(slots=True)
class _Counts:
    """What the last record says, each as 8 bytes."""

    blocks: int = 0
    leaves: int = 0
    codes: int = 0
    accounts: int = 0
    slots: int = 0

    def encode(self) -> bytes:
        numbers = (self.blocks, self.leaves, self.codes, self.accounts, self.slots)
        return b"".join(number.to_bytes(8, "big") for number in numbers)


class _Source:
    """The records of one view of a store, in the order of the format."""

    def __init__(self, snapshot: Snapshot, progress: Progress) -> None:
        self._snapshot = snapshot
        self._progress = progress
        self._number, self._hash = read_head(snapshot)
        if self._number == 0:
            raise SnapshotEmpty("the ledger has no block yet: nothing to make a snapshot of")
        self._log = read_log_head(snapshot)
        self._counts = _Counts()
        self._done = 0
        self._all = self._number + snapshot.count(Table.ACCOUNTS) + snapshot.count(Table.SLOTS)

    def records(self) -> Iterator[bytes]:
        """All of them, one at a time."""
        genesis = read_genesis(self._snapshot)
        if genesis is None:
            raise SnapshotFailed("the store holds no genesis: it is damaged")
        yield record(Kind.GENESIS, genesis)
        yield from self._blocks()
        yield from self._codes()
        yield from self._accounts()
        yield record(Kind.END, self._counts.encode())
        self._progress(self._all, self._all)

    def manifest(self, size_bytes: int, chunk_hashes: tuple[bytes, ...]) -> Manifest:
        """What goes with the records."""
        first = self._snapshot.get(Table.HEADERS, encode_number(0))
        root = self._snapshot.get(Table.META, STATE_ROOT_KEY)
        if first is None or root is None:
            raise SnapshotFailed("the store lacks block 0 or a state root: it is damaged")
        return Manifest(
            genesis_hash=Hash32(keccak(first)),
            block_number=self._number,
            block_hash=self._hash,
            state_root=Hash32(root),
            log_size=self._log.size,
            log_root=self._log.root,
            mark=read_consensus_mark(self._snapshot),
            size_bytes=size_bytes,
            chunk_hashes=chunk_hashes,
        )

    def _blocks(self) -> Iterator[bytes]:
        start = encode_number(1)
        read = self._snapshot.scan
        headers, bodies = read(Table.HEADERS, start), read(Table.BODIES, start)
        receipts = read(Table.RECEIPTS, start)
        firsts = (decode_number(value) for _, value in read(Table.LEAF_INDEX, start))
        entries = read(Table.ENTRIES)
        leaf = next(firsts, 0)
        for number in range(1, self._number + 1):
            after = next(firsts, self._log.size)
            leaves = [value for _, value in islice(entries, after - leaf)]
            header, body, receipt = next(headers, None), next(bodies, None), next(receipts, None)
            key = encode_number(number)
            if not header or not body or not receipt or len(leaves) != after - leaf:
                raise SnapshotFailed(f"block {number} is not whole in the store: it is damaged")
            if not header[0] == body[0] == receipt[0] == key:
                raise SnapshotFailed(f"block {number} is missing in the store: it is damaged")
            yield record(Kind.BLOCK, pack((header[1], body[1], receipt[1], pack(leaves))))
            leaf = after
            self._counts.blocks += 1
            self._counts.leaves += len(leaves)
            self._step()

    def _codes(self) -> Iterator[bytes]:
        """Code that an account has: what is stored of former contracts depends on the node."""
        wanted = self._code_hashes()
        for code_hash, code in self._snapshot.scan(Table.CODE):
            if code_hash in wanted:
                yield record(Kind.CODE, code)
                self._counts.codes += 1
        if self._counts.codes != len(wanted):
            raise SnapshotFailed("an account's code is not stored: the store is damaged")

    def _code_hashes(self) -> set[bytes]:
        try:
            found: set[bytes] = {
                decode_account(account).code_hash
                for _, account in self._snapshot.scan(Table.ACCOUNTS)
            }
        except RlpMalformed as error:
            raise SnapshotFailed(f"a stored account is not readable: {error}") from error
        return found - {EMPTY_CODE_HASH}

    def _accounts(self) -> Iterator[bytes]:
        slots = self._snapshot.scan(Table.SLOTS)
        waiting = next(slots, None)
        for address, account in self._snapshot.scan(Table.ACCOUNTS):
            yield record(Kind.ACCOUNT, address + account)
            self._counts.accounts += 1
            self._step()
            while waiting is not None and waiting[0].startswith(address):
                part = [encode_slot(waiting[0][20:], waiting[1])]
                for key, value in slots:
                    waiting = key, value
                    if len(part) == SLOTS_IN_RECORD or not key.startswith(address):
                        break
                    part.append(encode_slot(key[20:], value))
                else:
                    waiting = None
                yield record(Kind.SLOTS, b"".join(part))
                self._counts.slots += len(part)
                self._step(len(part))
        if waiting is not None:
            raise SnapshotFailed("a slot without an account is stored: the store is damaged")

    def _step(self, count: int = 1) -> None:
        before, self._done = self._done, self._done + count
        if before // _TELL_EVERY != self._done // _TELL_EVERY:
            self._progress(min(self._done, self._all), self._all)
