"""The records of a snapshot, in their order, into a staged store."""

from __future__ import annotations

from enum import IntEnum

from ledger.chain import Genesis
from ledger.chain.logs import StoredTiles, sign_head
from ledger.chain.records import (
    encode_head,
    write_consensus_mark,
    write_genesis,
    write_log_head,
    write_state_from,
)
from ledger.closing import Closing
from ledger.evm import encode_header
from ledger.snapshot.accounts import StateIntake
from ledger.snapshot.blocks import BlockIntake
from ledger.snapshot.bounds import RecordBounds
from ledger.snapshot.errors import SnapshotWrong
from ledger.snapshot.manifest import Manifest
from ledger.snapshot.stream import Kind, RecordReader
from ledger.state import STATE_ROOT_KEY
from ledger.store import StagedStore, Table, WriteBatch
from ledger.tlog import NoteSigner, tree_root


class _Stage(IntEnum):
    """How far the stream has come."""

    BEGIN = 0
    BLOCKS = 1
    CODES = 2
    ACCOUNTS = 3
    END = 4


class Intake(Closing):
    """Takes chunks in order; writes only what it has checked, and vouches for it in `finish`."""

    def __init__(self, staged: StagedStore, genesis: Genesis, manifest: Manifest) -> None:
        self._staged = staged
        self._genesis = genesis
        self._manifest = manifest
        bounds = RecordBounds.of(genesis)
        self._blocks = BlockIntake(staged, genesis, manifest, bounds)
        self._state = StateIntake(staged)
        self._reader = RecordReader(self._take, bounds.records)
        self._stage = _Stage.BEGIN

    def feed(self, chunk: bytes) -> None:
        """The next chunk of the stream. Raises `SnapshotWrong`, `StoreFull`."""
        self._reader.feed(chunk)

    def finish(self, signer: NoteSigner) -> None:
        """After the last chunk: the whole must be the chain that the manifest names.

        The log's head is signed only here, when everything is found to agree.
        Raises `SnapshotWrong`, `StoreFull`.
        """
        self._reader.finish()
        if self._stage is not _Stage.END:
            raise SnapshotWrong("the stream ends before its last record")
        manifest, log = self._manifest, self._blocks.leaves
        header, _ = self._blocks.head
        self._blocks.finish()
        if (log.size, log.root()) != (manifest.log_size, manifest.log_root):
            raise SnapshotWrong(
                f"the log has {log.size} leaves and root {log.root().hex()}, not "
                f"{manifest.log_size} and {manifest.log_root.hex()}"
            )
        if header.state_root != manifest.state_root:
            raise SnapshotWrong("the head has another state root than the metadata")
        self._state.finish(header.state_root)
        with self._staged.snapshot() as snapshot:
            if tree_root(StoredTiles(snapshot), log.size) != manifest.log_root:
                raise SnapshotWrong("the tiles do not give the log's root")
        self._write_meta(signer)

    def root_at(self, size: int) -> bytes:
        """Root of the first `size` leaves, after the last one."""
        with self._staged.snapshot() as snapshot:
            return tree_root(StoredTiles(snapshot), size)

    def close(self) -> None:
        """Let go of temporary files."""
        self._blocks.close()
        self._state.close()

    def _write_meta(self, signer: NoteSigner) -> None:
        manifest, batch = self._manifest, WriteBatch()
        write_genesis(batch, self._genesis.document)
        batch.put(Table.META, *encode_head(manifest.block_number, manifest.block_hash))
        batch.put(Table.META, STATE_ROOT_KEY, manifest.state_root)
        origin = self._genesis.origin
        write_log_head(batch, sign_head(origin, manifest.log_size, manifest.log_root, signer))
        if manifest.mark is not None:
            write_consensus_mark(batch, manifest.mark)
        write_state_from(batch, manifest.block_number)
        self._staged.put(batch)

    def _take(self, kind: Kind, payload: bytes) -> None:
        if kind is Kind.GENESIS:
            self._advance(_Stage.BLOCKS, kind, only_from=_Stage.BEGIN)
            self._take_genesis(payload)
        elif kind is Kind.BLOCK:
            self._advance(_Stage.BLOCKS, kind)
            self._blocks.take(payload)
        elif kind is Kind.CODE:
            self._advance(_Stage.CODES, kind)
            self._state.take_code(payload)
        elif kind is Kind.ACCOUNT:
            self._advance(_Stage.ACCOUNTS, kind)
            self._state.take_account(payload)
        elif kind is Kind.SLOTS:
            self._advance(_Stage.ACCOUNTS, kind, only_from=_Stage.ACCOUNTS)
            self._state.take_slots(payload)
        else:
            self._advance(_Stage.END, kind, only_from=_Stage.ACCOUNTS)
            self._take_end(payload)

    def _advance(self, stage: _Stage, kind: Kind, only_from: _Stage | None = None) -> None:
        now = self._stage
        begun = now is not _Stage.BEGIN or only_from is _Stage.BEGIN
        if not begun or now > stage or now is _Stage.END or only_from not in (None, now):
            raise SnapshotWrong(f"a record {kind.name} does not belong here")
        self._stage = stage

    def _take_genesis(self, document: bytes) -> None:
        genesis = self._genesis
        if document != genesis.document:
            raise SnapshotWrong(
                f"the snapshot's genesis document is another than ours ({genesis.origin}, block 0 "
                f"0x{genesis.block.hash.hex()}); all nodes of a ledger have the same, byte by byte"
            )
        self._blocks.take_genesis(encode_header(genesis.block.header), genesis.block.hash)

    def _take_end(self, payload: bytes) -> None:
        blocks, state = self._blocks, self._state
        # Before the counts: an account's slots end with the account.
        counts = (blocks.count, blocks.leaves.size, state.codes, state.accounts, state.slots)
        if payload != b"".join(number.to_bytes(8, "big") for number in counts):
            raise SnapshotWrong("the last record counts otherwise than what came before it")
