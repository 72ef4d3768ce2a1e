"""Whether the stored parts of a chain agree: quickly at each start, wholly for operators."""

from __future__ import annotations

from collections.abc import Callable

from ledger.chain.builder import BlockBuilder, Parent
from ledger.chain.encoding import encode_number, sized_block
from ledger.chain.errors import BlockInvalid, ChainDamaged, SignerMismatch
from ledger.chain.genesis import Genesis
from ledger.chain.logs import StoredTiles, first_leaf, place_logs
from ledger.chain.records import (
    read_head,
    read_header,
    read_location,
    read_log_head,
    read_number,
    read_receipts,
    read_state_from,
    read_transactions,
)
from ledger.chain.types import Head, LogHead
from ledger.evm import contract_address, receipts_root, transactions_root
from ledger.state import (
    FlatState,
    FlatTrie,
    NodeMissing,
    StateError,
    StateInconsistent,
    TrieState,
)
from ledger.store import Snapshot, Table
from ledger.tlog import (
    BlockLeaf,
    NoteSigner,
    TlogError,
    append_leaves,
    leaf_hash,
    open_checkpoint,
    tree_root,
)
from ledger.tlog.tiles import TileOverlay
from ledger.types import Block, Hash32, Receipt

Progress = Callable[[int, int], None]
"""Called with the number of blocks checked and of all blocks."""


def load_head(snapshot: Snapshot, genesis: Genesis, signer: NoteSigner) -> Head:
    """The head of a stored chain, after checking that its parts agree.

    Raises `ChainDamaged`, `SignerMismatch`.
    """
    number, block_hash = read_head(snapshot)
    header = read_header(snapshot, number)
    if header is None or header[1] != block_hash:
        raise ChainDamaged(f"the head, block {number}, is not stored as it was: restore a backup")
    block = sized_block(header[0], read_transactions(snapshot, number))
    if FlatState(snapshot).root != block.header.state_root:
        raise ChainDamaged(f"the stored state is not that after block {number}: restore a backup")
    log = read_log_head(snapshot)
    _check_log(snapshot, block, log)
    _check_checkpoint(log, genesis.origin, signer)
    return Head(block, log)


def _check_log(snapshot: Snapshot, block: Block, log: LogHead) -> None:
    number = block.header.number
    try:
        root = tree_root(StoredTiles(snapshot), log.size)
    except TlogError as error:
        raise ChainDamaged(f"the log is incomplete: {error}") from error
    if root != log.root:
        raise ChainDamaged("the log's tiles do not give the log's root: restore a backup")
    if number == 0:
        if log.size:
            raise ChainDamaged(f"the log has {log.size} leaves before the first block")
        return
    last = snapshot.get(Table.ENTRIES, encode_number(log.size - 1)) if log.size else None
    if last != BlockLeaf(block.hash, number, block.header.timestamp).encode():
        raise ChainDamaged(f"the log does not end with block {number}: restore a backup")
    if tree_root(StoredTiles(snapshot), first_leaf(snapshot, number)) != block.header.extra_data:
        raise ChainDamaged(f"block {number} does not name the log's root before it")


def _check_checkpoint(log: LogHead, origin: str, signer: NoteSigner) -> None:
    try:
        checkpoint = open_checkpoint(log.checkpoint, (signer.verifier,), 1, origin)
    except TlogError as error:
        raise SignerMismatch(
            f"the stored checkpoint is not signed by {signer.vkey}: {error}; "
            "open the ledger with the key that made it"
        ) from error
    if (checkpoint.size, checkpoint.root) != (log.size, log.root):
        raise ChainDamaged("the stored checkpoint is not that of the log")


def verify_chain(
    snapshot: Snapshot, genesis: Genesis, builder: BlockBuilder, progress: Progress
) -> None:
    """Derive everything anew from genesis and the transactions, and compare.

    Executes every block. Where the chain came out of a snapshot, blocks up to that one cannot be
    executed for want of their states: these are held against headers, log and each other only.
    Raises `ChainDamaged`, naming the first block that is not as it was.
    """
    last, _ = read_head(snapshot)
    parent = genesis.block
    if read_header(snapshot, 0) != (parent.header, parent.hash):
        raise ChainDamaged("the genesis block is not that of the genesis file")
    kept_from = read_state_from(snapshot)
    size, root = 0, tree_root(StoredTiles(snapshot), 0)
    for number in range(1, last + 1):
        progress(number - 1, last)
        if number <= kept_from:
            block, receipts = _verify_linked(snapshot, parent, root)
        else:
            block, receipts = _verify_executed(snapshot, genesis, builder, parent, root)
        _verify_places(snapshot, block)
        size, root = _verify_leaves(snapshot, block, receipts, size)
        parent = block
    log = read_log_head(snapshot)
    if (size, root) != (log.size, log.root):
        raise ChainDamaged("the log's head is not that of its leaves")
    _verify_flat_state(snapshot, parent)
    progress(last, last)


def _stored_block(snapshot: Snapshot, number: int) -> Block:
    stored = read_header(snapshot, number)
    if stored is None:
        raise ChainDamaged(f"block {number} is not stored")
    return sized_block(stored[0], read_transactions(snapshot, number))


def _verify_executed(
    snapshot: Snapshot, genesis: Genesis, builder: BlockBuilder, parent: Block, root: bytes
) -> tuple[Block, tuple[Receipt, ...]]:
    number = parent.header.number + 1
    block = _stored_block(snapshot, number)

    def hash_of(wanted: int) -> Hash32 | None:
        found = read_header(snapshot, wanted)
        return None if found is None else found[1]

    try:
        state = TrieState(snapshot, parent.header.state_root)
        before = Parent.of(genesis, parent, root, state, hash_of)
        candidate = builder.validate(before, block.header, block.transactions)
    except (BlockInvalid, NodeMissing, StateError) as error:
        raise ChainDamaged(f"block {number} is not as it was: {error}") from error
    if candidate.receipts != read_receipts(snapshot, number):
        raise ChainDamaged(f"the receipts of block {number} are not as they were")
    return block, candidate.receipts


def _verify_linked(
    snapshot: Snapshot, parent: Block, root: bytes
) -> tuple[Block, tuple[Receipt, ...]]:
    number = parent.header.number + 1
    block, receipts = _stored_block(snapshot, number), read_receipts(snapshot, number)
    header = block.header
    if (header.number, header.parent_hash) != (number, parent.hash):
        raise ChainDamaged(f"block {number} does not follow block {number - 1}")
    if header.extra_data != root:
        raise ChainDamaged(f"block {number} does not name the log's root before it")
    if header.transactions_root != transactions_root(block.transactions):
        raise ChainDamaged(f"the transactions of block {number} are not as they were")
    created = [
        contract_address(one.sender, one.nonce) if one.to is None else None
        for one in block.transactions
    ]
    same = [receipt.contract_address for receipt in receipts] == created
    if not same or header.receipts_root != receipts_root(receipts):
        raise ChainDamaged(f"the receipts of block {number} are not as they were")
    return block, receipts


def _verify_places(snapshot: Snapshot, block: Block) -> None:
    number = block.header.number
    if read_number(snapshot, block.hash) != number:
        raise ChainDamaged(f"block {number} is not found by its hash")
    for index, transaction in enumerate(block.transactions):
        location = read_location(snapshot, transaction.hash)
        if location is None or (location.block_number, location.index) != (number, index):
            raise ChainDamaged(f"transaction {index} of block {number} is not found by its hash")


def _verify_leaves(
    snapshot: Snapshot, block: Block, receipts: tuple[Receipt, ...], size: int
) -> tuple[int, bytes]:
    number = block.header.number
    if first_leaf(snapshot, number) != size:
        raise ChainDamaged(f"the leaf index of block {number} is wrong")
    leaves = place_logs(block, receipts, size).leaves
    end = size + len(leaves)
    stored = snapshot.scan(Table.ENTRIES, encode_number(size), stop=encode_number(end))
    if tuple(value for _, value in stored) != leaves:
        raise ChainDamaged(f"the log's leaves of block {number} are not as they were")
    tiles = StoredTiles(snapshot)
    changed = append_leaves(tiles, size, [leaf_hash(leaf) for leaf in leaves])
    for place, tile in changed.items():
        kept = tiles.tile(*place)
        if kept is None or not kept.startswith(tile):
            raise ChainDamaged(f"tile {place[1]} of level {place[0]} is not that of its leaves")
    return end, tree_root(TileOverlay(tiles, changed), end)


def _verify_flat_state(snapshot: Snapshot, head: Block) -> None:
    """Build the trie anew from the flat tables: root and nodes must be the head's."""

    def compare(node_hash: bytes, node: bytes) -> None:
        if snapshot.get(Table.NODES, node_hash) != node:
            raise ChainDamaged(f"trie node 0x{node_hash.hex()} of the head is not stored")

    slots = snapshot.scan(Table.SLOTS)
    waiting = next(slots, None)
    with FlatTrie(compare) as trie:
        try:
            for address, encoded in snapshot.scan(Table.ACCOUNTS):
                trie.account(address, encoded)
                while waiting is not None and waiting[0].startswith(address):
                    trie.slot(waiting[0][len(address) :], waiting[1])
                    waiting = next(slots, None)
            root = trie.root()
        except StateInconsistent as error:
            raise ChainDamaged(f"the flat state: {error}") from error
    if waiting is not None:
        raise ChainDamaged("storage without an account in the flat state")
    if root != head.header.state_root:
        raise ChainDamaged("the flat state is not that of the head: restore a backup")
