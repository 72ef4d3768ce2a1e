"""The ABCI application: a `Ledger` as CometBFT's state machine.

Consensus methods come from one connection, one at a time. What they may do:
- prepare, process: execute, keep nothing. Bad input is refused, never raised.
- finalize: execute, keep nothing; every node must come to the same answer, so whatever else
  happens is raised and stops the engine.
- commit: the one durable write.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from ledger.chain import Executed, Ledger, NodeEntry
from ledger.consensus.cometbft import abci_pb2 as pb
from ledger.consensus.cometbft.candidates import Candidates, Outcome, digest
from ledger.consensus.cometbft.errors import EngineHalted
from ledger.consensus.cometbft.execution import (
    ProposalRules,
    finalise,
    judge,
    note_time,
    prepare,
    results_of,
)
from ledger.consensus.cometbft.genesis import EngineStart, block_params
from ledger.consensus.cometbft.mark import Mark
from ledger.consensus.cometbft.membership import update, validator_updates, validators_of
from ledger.consensus.cometbft.pool import PoolView
from ledger.consensus.slowness import SlowSenders
from ledger.store import StoreFull

APP_VERSION: Final = 1
"""Of the rules by which blocks are executed; part of the engine's block headers."""
FULL_RETRY_S: Final = 1.0
JUDGEMENT_S_MAX: Final = 600.0

_log = logging.getLogger(__name__)


class Watcher(Protocol):
    """Who is told what happens. Called from the consensus connection; it must not block."""

    def committed(self, mark: Mark, block_made: bool) -> None:
        """A height is durable."""

    def nodes_changed(self, before: tuple[NodeEntry, ...], after: tuple[NodeEntry, ...]) -> None:
        """The consortium's nodes are others now."""

    def misbehaved(self, told: tuple[pb.Misbehavior, ...]) -> None:
        """Validators voted twice or lied. The same may be told again."""

    def full(self, reason: str | None) -> None:
        """The disk is full, or (None) has room again."""


@dataclass(slots=True)
class _Final:
    """A block that is final and not yet kept."""

    mark: Mark
    executed: Executed | None


class Application:
    """The consensus half. Mempool and peers are `PoolView`'s, snapshots `SnapshotService`'s."""

    def __init__(
        self,
        ledger: Ledger,
        start: EngineStart,
        rules: ProposalRules,
        pool: PoolView,
        watcher: Watcher,
        *,
        retain: Callable[[Mark], int] = lambda _: 0,
        stopping: threading.Event,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`retain`: the lowest height that the engine shall keep after one; 0 keeps all."""
        self._ledger = ledger
        self._start = start
        self._rules = rules
        self._pool = pool
        self._watcher = watcher
        self._retain = retain
        self._stopping = stopping
        self._clock = clock
        self._slow = SlowSenders(ledger.mempool)
        self._candidates = Candidates()
        self._judgement_s = rules.judgement_s_max
        """What this node gives a proposal of others: longer after each that was too slow."""
        self._final: _Final | None = None
        self._finalised_at: float | None = None
        """When the last height was final, by this machine's clock; None: before it was started."""
        self._renewed = False
        """Whether the last height was empty because its time was old."""
        self._stale: set[bytes] = set()
        """Proposals of this height that were refused once because their time was old."""

    # ---- where we are -----------------------------------------------------------------------

    def info(self, _request: pb.RequestInfo) -> pb.ResponseInfo:
        """How far the ledger has come. Raises `EngineHalted` for a mark of another network."""
        mark = self._mark()
        return pb.ResponseInfo(
            data="tallystick",
            version=str(APP_VERSION),
            app_version=APP_VERSION,
            last_block_height=mark.height if mark else 0,
            last_block_app_hash=self._ledger.log.root if mark else b"",
        )

    def init_chain(self, request: pb.RequestInitChain) -> pb.ResponseInitChain:
        """The engine begins. Raises `EngineHalted` where it and the ledger do not fit."""
        start, ledger = self._start, self._ledger
        if request.chain_id != start.chain_id:
            raise EngineHalted(
                f"the engine's genesis is of {request.chain_id!r}, the ledger's of "
                f"{start.chain_id!r}"
            )
        if request.app_state_bytes != start.app_state:
            raise EngineHalted("the engine's genesis names another state than the ledger's")
        head = ledger.head()
        if ledger.log.root != start.log_root or head.hash != start.block_hash:
            raise EngineHalted(
                f"the ledger is at block {head.header.number} with log root "
                f"0x{ledger.log.root.hex()}, the engine begins after block {start.block_number} "
                f"with 0x{start.log_root.hex()}: join by state sync"
            )
        return pb.ResponseInitChain(
            validators=[update(key, power) for key, power in validators_of(ledger.nodes()).items()],
            app_hash=start.log_root,
        )

    # ---- proposals --------------------------------------------------------------------------

    def prepare_proposal(self, request: pb.RequestPrepareProposal) -> pb.ResponsePrepareProposal:
        """What the next block shall have: of our own mempool, executed, and only what fits.

        The engine's block time is that of the votes for the block before. After an idle time this
        is long ago: then an empty block first, whose votes are of now.
        """
        if not self._renewed_lately() and self._is_stale(request.time, self._rules.lag_s_max):
            return pb.ResponsePrepareProposal()
        timestamp = self._timestamp(request.time)
        executed = prepare(self._ledger, self._rules, self._slow, request.max_tx_bytes, timestamp)
        if executed is None:
            return pb.ResponsePrepareProposal()
        raws = [transaction.raw for transaction in executed.block.transactions]
        self._candidates.put(request.height, timestamp, raws, Outcome(executed))
        return pb.ResponsePrepareProposal(txs=raws)

    def process_proposal(self, request: pb.RequestProcessProposal) -> pb.ResponseProcessProposal:
        """Whether to vote for somebody's proposal."""
        refusal = self._refusal(request)
        if refusal is None:
            return pb.ResponseProcessProposal(status=pb.ResponseProcessProposal.ACCEPT)
        _log.warning(
            "proposal %s of 0x%s for height %d is refused: %s",
            request.hash.hex()[:16],
            request.proposer_address.hex(),
            request.height,
            refusal,
        )
        return pb.ResponseProcessProposal(status=pb.ResponseProcessProposal.REJECT)

    def _refusal(self, request: pb.RequestProcessProposal) -> str | None:
        ahead_s = -self._lag_s(request.time)
        if request.time.seconds < 0 or ahead_s > self._rules.ahead_s_max:
            return f"its time is {ahead_s:.0f} s ahead of this machine's clock"
        raws, timestamp = list(request.txs), self._timestamp(request.time)
        if not raws:
            return None
        if self._is_stale(request.time, self._rules.behind_s_max):
            key = digest(raws)
            if key not in self._stale:
                # Once only: what more than two thirds have accepted they cannot take back.
                self._stale.add(key)
                return f"its time is {-ahead_s:.0f} s old: an empty block was due first"
        outcome = self._candidates.get(request.height, timestamp, raws)
        if outcome is None:
            outcome = self._judge(raws, timestamp)
            if not outcome.late:
                self._candidates.put(request.height, timestamp, raws, outcome)
        return outcome.refusal

    def _judge(self, raws: Sequence[bytes], timestamp: int) -> Outcome:
        """Those that accept a block cannot take it back: who is slower must come to accept it."""
        worked = time.thread_time()
        outcome = judge(self._ledger, raws, timestamp, self._judgement_s)
        if outcome.late:
            self._judgement_s = min(2 * self._judgement_s, JUDGEMENT_S_MAX)
        elif outcome.executed is not None:
            note_time(self._slow, outcome.executed, time.thread_time() - worked)
        return outcome

    # ---- final blocks -----------------------------------------------------------------------

    def finalize_block(self, request: pb.RequestFinalizeBlock) -> pb.ResponseFinalizeBlock:
        """More than two thirds accepted the block: execute it. Nothing is kept yet."""
        mark = self._mark()
        due = mark.height + 1 if mark else 1
        if request.height != due:
            raise EngineHalted(f"the engine finalised height {request.height} where {due} was due")
        if request.misbehavior:
            self._watcher.misbehaved(tuple(request.misbehavior))
        raws, timestamp = list(request.txs), self._timestamp(request.time)
        executed = self._execute_final(request.height, timestamp, raws)
        time_ns = request.time.seconds * 10**9 + request.time.nanos
        self._final = _Final(Mark(self._start.chain_id, request.height, time_ns), executed)
        self._renewed = not raws and self._lag_s(request.time) > self._rules.lag_s_max
        self._finalised_at = self._clock()
        response = pb.ResponseFinalizeBlock(
            tx_results=results_of(executed, raws),
            app_hash=executed.log_root if executed else self._ledger.log.root,
        )
        if executed is not None:
            nodes, limits = self._ledger.nodes(), self._ledger.limits()
            if executed.nodes != nodes:
                response.validator_updates.extend(validator_updates(nodes, executed.nodes))
            if block_params(executed.limits) != block_params(limits):
                response.consensus_param_updates.block.CopyFrom(block_params(executed.limits))
        return response

    def _execute_final(self, height: int, timestamp: int, raws: Sequence[bytes]) -> Executed | None:
        if not raws:
            return None
        outcome = self._candidates.get(height, timestamp, raws)
        if outcome is not None and outcome.executed is not None:
            return outcome.executed
        return finalise(self._ledger, raws, timestamp)

    def commit(self, _request: pb.RequestCommit) -> pb.ResponseCommit:
        """Make the final block durable, together with the mark. Waits while the disk is full."""
        final = self._final
        if final is None:
            raise EngineHalted("the engine commits a block that it did not finalise")
        before = self._ledger.nodes()
        self._keep(final)
        self._final = None
        self._candidates.clear()
        self._stale.clear()
        self._judgement_s = self._rules.judgement_s_max
        self._pool.advanced()
        after = self._ledger.nodes()
        if after != before:
            self._watcher.nodes_changed(before, after)
        self._watcher.committed(final.mark, final.executed is not None)
        return pb.ResponseCommit(retain_height=self._retain(final.mark))

    def _keep(self, final: _Final) -> None:
        paused = False
        while True:
            try:
                self._ledger.keep(final.executed, final.mark.encode())
            except StoreFull as full:
                if not paused:
                    paused = True
                    _log.critical("%s: the node waits until there is room", full)
                    self._watcher.full(str(full))
                if self._stopping.wait(FULL_RETRY_S):
                    raise
            else:
                if paused:
                    _log.warning("there is room on the disk again")
                    self._watcher.full(None)
                return

    # ---- the rest ---------------------------------------------------------------------------

    def extend_vote(self, _request: pb.RequestExtendVote) -> pb.ResponseExtendVote:
        """Votes carry nothing of ours."""
        return pb.ResponseExtendVote()

    def verify_vote_extension(
        self, request: pb.RequestVerifyVoteExtension
    ) -> pb.ResponseVerifyVoteExtension:
        """Votes carry nothing of ours: neither must those of others."""
        answer = pb.ResponseVerifyVoteExtension
        empty = not request.vote_extension
        return answer(status=answer.ACCEPT if empty else answer.REJECT)

    def _mark(self) -> Mark | None:
        data = self._ledger.consensus_mark()
        if data is None:
            return None
        mark = Mark.decode(data)
        if mark.chain != self._start.chain_id:
            raise EngineHalted(
                f"the ledger was last written by the network {mark.chain!r}, not by "
                f"{self._start.chain_id!r}"
            )
        return mark

    def _timestamp(self, block_time: pb.Timestamp) -> int:
        """Whole seconds, never before the parent's."""
        return max(block_time.seconds, self._ledger.head().header.timestamp)

    def _is_stale(self, block_time: pb.Timestamp, lag_s_max: float) -> bool:
        """Whether the time is older than need be: the votes that give it are of the last height."""
        if self._lag_s(block_time) <= lag_s_max:
            return False
        last = self._finalised_at
        return last is None or self._clock() - last > lag_s_max

    def _renewed_lately(self) -> bool:
        """Never two empty blocks for the time's sake in a row, however busy this machine is."""
        last = self._finalised_at
        if last is None or not self._renewed:
            return False
        return self._clock() - last < self._rules.behind_s_max

    def _lag_s(self, block_time: pb.Timestamp) -> float:
        return self._clock() - (block_time.seconds + block_time.nanos / 1e9)
