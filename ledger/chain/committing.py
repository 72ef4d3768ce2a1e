"""From an executed block to the one batch that makes it durable."""

from __future__ import annotations

from ledger.chain.builder import Parent
from ledger.chain.genesis import Genesis
from ledger.chain.logs import extend_log, place_logs, write_leaves
from ledger.chain.membership import (
    ChangedStorage,
    read_limits,
    read_nodes,
    touches_membership,
)
from ledger.chain.records import write_block, write_log_head
from ledger.chain.types import Candidate, Executed, LogHead, NodeEntry
from ledger.state import write_changes
from ledger.store import Snapshot, WriteBatch


def complete(
    genesis: Genesis,
    snapshot: Snapshot,
    parent: Parent,
    candidate: Candidate,
    log_size: int,
    nodes: tuple[NodeEntry, ...],
) -> Executed:
    """What else follows from a block: the log after it, the nodes and the bounds.

    `log_size` and `nodes` are those before the block.
    """
    logs = place_logs(candidate.block, candidate.receipts, log_size)
    tiles, size, root = extend_log(snapshot, log_size, logs.leaves)
    limits = parent.limits
    if touches_membership(genesis, candidate.changes):
        after = ChangedStorage(parent.state, candidate.changes)
        nodes, limits = read_nodes(genesis, after), read_limits(genesis, after)
    return Executed(candidate, logs, tiles, size, root, nodes, limits)


def batch_of(executed: Executed, head: LogHead) -> WriteBatch:
    """Everything of the block and the log's new head, to be committed at once."""
    batch = WriteBatch()
    write_changes(batch, executed.candidate.changes)
    write_block(batch, executed.block, executed.receipts)
    leaves = executed.logs.leaves
    first = executed.log_size - len(leaves)
    write_leaves(batch, executed.tiles, first, executed.block.header.number, leaves)
    write_log_head(batch, head)
    return batch
