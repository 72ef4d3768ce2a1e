"""Executing what proposers propose: our own proposal, somebody's proposal, a final block."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ledger.chain import (
    BlockEmpty,
    BlockInvalid,
    Deadlines,
    Dropped,
    Executed,
    Ledger,
    TransactionFailed,
)
from ledger.consensus.cometbft import abci_pb2 as pb
from ledger.consensus.cometbft.candidates import Outcome
from ledger.consensus.cometbft.errors import EngineHalted
from ledger.consensus.slowness import SlowSenders
from ledger.consensus.solo import HOLD_S, TRANSACTIONS_MAX_DEFAULT
from ledger.consensus.wire import uvarint
from ledger.evm import TimeLimitExceeded, TransactionRefused, decode_transaction
from ledger.mempool import Mempool
from ledger.state import keccak
from ledger.types import Hash32, Transaction

BUSY_HOLD_S: Final = 3.0
"""How long a sender is passed over whose transaction did not end on a busy machine."""
FAILURES_MAX: Final = 8
"""Transactions that break the engine, of one proposal; then it is empty."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ProposalRules:
    """Bounds of what this node proposes and accepts, that are not the chain's own."""

    transactions_max: int = TRANSACTIONS_MAX_DEFAULT
    """Of a proposal of ours."""
    execution_s_max: float = 0.3
    """No transaction is begun later than this in executing a proposal of ours. The others wait for
    it (`Timings.propose_ms`), and must then execute it as well."""
    proposal_s_max: float = 0.7
    """What would still run by then is left to the next proposal."""
    transaction_s_max: float = 1.0
    """As first of a proposal it may run so long: that costs a round (the second waits for 1.2 s).
    Longer, and it is dropped."""
    judgement_s_max: float = 5.0
    """A proposal that takes longer here is refused; if it comes again it has twice the time, so
    that a slow machine stops nobody for ever."""
    lag_s_max: float = 2.0
    """A block with transactions is not proposed if its time is longer ago."""
    behind_s_max: float = 60.0
    """A proposal with transactions is refused once if its time is longer ago, and so is the last
    height: its proposer should have proposed an empty block first."""
    ahead_s_max: float = 60.0
    """A proposal is refused if its time is further ahead of this machine's clock."""


def prepare(
    ledger: Ledger,
    rules: ProposalRules,
    slow: SlowSenders,
    size_bytes_max: int,
    timestamp: int,
) -> Executed | None:
    """Our own proposal, of what our mempool has. None where it has nothing that can be included.

    What can never be included, and what runs too long, leaves the mempool. A transaction that
    breaks the engine is passed over for a while, with all its sender's. `size_bytes_max` counts as
    `encoded_size`.
    """
    pool, bound = ledger.mempool, min(size_bytes_max, ledger.limits().block_size_bytes_max)
    for _ in range(FAILURES_MAX):
        chosen = pool.select(transactions_max=rules.transactions_max, size_bytes_max=bound)
        transactions = _fitting(chosen, size_bytes_max)
        if not transactions:
            return None
        worked = time.thread_time()
        in_time = _until(time.monotonic() + rules.execution_s_max, transactions)
        deadlines = Deadlines.after(rules.transaction_s_max, rules.proposal_s_max)
        try:
            executed = ledger.execute(in_time, timestamp, deadlines=deadlines)
            note_time(slow, executed, time.thread_time() - worked)
            return executed
        except BlockEmpty as empty:
            late = next((o for o in empty.dropped if isinstance(o.reason, TimeLimitExceeded)), None)
            if late is not None:
                busy = time.thread_time() - worked < rules.transaction_s_max / 2
                _pass_over(pool, slow, late, busy=busy)
                return None  # the round is lost: the others have waited long enough
            never = [one for one in empty.dropped if one.final]
            for one in never:
                pool.drop(one.transaction, one.reason)
            if not never:
                return None
        except TransactionFailed as failed:
            _log.critical("%s; its sender is held for %g s", failed, HOLD_S, exc_info=failed)
            pool.hold(failed.transaction.sender, HOLD_S)
    return None


def _pass_over(pool: Mempool, slow: SlowSenders, late: Dropped, *, busy: bool) -> None:
    """It did not end, though it was the first: the machine's fault where that is `busy`."""
    if busy:
        _log.warning("this machine is too busy to execute a proposal in time")
        pool.hold(late.transaction.sender, BUSY_HOLD_S)  # the others go first
        return
    hold_s = slow.refuse(late.transaction, late.reason)
    _log.warning("%s; its sender is held for %g s", late.reason, hold_s)


def note_time(slow: SlowSenders, executed: Executed, duration_s: float) -> None:
    """A proposal took so much processor time. If it is all one transaction's, its sender waits.

    Not by the clock: on a busy machine the innocent would wait.
    """
    if len(executed.block.transactions) == 1:
        slow.took(executed.block.transactions[0].sender, duration_s)


def judge(ledger: Ledger, raws: Sequence[bytes], timestamp: int, limit_s: float) -> Outcome:
    """Somebody's proposal, executed strictly: one bad transaction, and it is refused whole.

    So is one that takes longer than `limit_s`; of another machine, or at another time, that may
    not hold (`Outcome.late`).
    """
    limit = ledger.limits().transaction_size_bytes_max
    transactions: list[Transaction] = []
    for place, raw in enumerate(raws):
        try:
            transactions.append(_decoded(ledger, raw, limit))
        except TransactionRefused as refused:
            return Outcome(None, f"transaction {place}: {refused}")
    try:
        deadlines = Deadlines.after(limit_s)
        return Outcome(ledger.execute(transactions, timestamp, strict=True, deadlines=deadlines))
    except (BlockInvalid, BlockEmpty) as refused:
        late = isinstance(refused.__cause__, TimeLimitExceeded)
        return Outcome(None, str(refused), late=late)
    except TransactionFailed as failed:
        _log.critical("%s; the proposal is refused", failed, exc_info=failed)
        return Outcome(None, str(failed))


def finalise(ledger: Ledger, raws: Sequence[bytes], timestamp: int) -> Executed | None:
    """A final block: what cannot be included is left out, by every node alike.

    Raises `EngineHalted` where a transaction breaks the execution engine: more than two thirds
    have executed it, so that the fault is of this machine, or all stop at the same block.
    """
    limit = ledger.limits().transaction_size_bytes_max
    transactions: list[Transaction] = []
    for raw in raws:
        try:
            transactions.append(_decoded(ledger, raw, limit))
        except TransactionRefused as refused:
            _log.error("a final block holds what is no transaction: %s", refused)
    try:
        return ledger.execute(transactions, timestamp)
    except BlockEmpty as empty:
        _log.error("a final block holds nothing that can be included: %s", empty)
        return None
    except TransactionFailed as failed:
        raise EngineHalted(f"{failed}: the others may have executed it, so nothing is kept") from (
            failed
        )


def results_of(executed: Executed | None, raws: Sequence[bytes]) -> list[pb.ExecTxResult]:
    """One for each transaction of the final block: code 0 and its gas, or code 1 and why not."""
    included = list(executed.block.transactions) if executed else []
    reasons = {one.transaction.raw: str(one.reason) for one in executed.dropped} if executed else {}
    results: list[pb.ExecTxResult] = []
    place = 0
    for raw in raws:
        if executed and place < len(included) and included[place].raw == raw:
            gas, used = included[place].gas, executed.receipts[place].gas_used
            results.append(pb.ExecTxResult(code=0, gas_wanted=gas, gas_used=used))
            place += 1
        else:
            reason = reasons.get(raw, "it cannot be part of a block")
            results.append(pb.ExecTxResult(code=1, log=reason, codespace="tallystick"))
    return results


def encoded_size(raw: bytes) -> int:
    """Bytes of a transaction in the engine's block (a length-delimited field of Data)."""
    return 1 + len(uvarint(len(raw))) + len(raw)


def _fitting(chosen: Sequence[Transaction], size_bytes_max: int) -> list[Transaction]:
    """As many of the first as the engine's block holds."""
    fitting: list[Transaction] = []
    for transaction in chosen:
        size_bytes_max -= encoded_size(transaction.raw)
        if size_bytes_max < 0:
            break
        fitting.append(transaction)
    return fitting


def _until(deadline: float, transactions: Iterable[Transaction]) -> Iterator[Transaction]:
    """Those that are begun in time, the first in any case."""
    for place, transaction in enumerate(transactions):
        if place and time.monotonic() > deadline:
            return
        yield transaction


def _decoded(ledger: Ledger, raw: bytes, size_bytes_max: int) -> Transaction:
    """With its sender: from the mempool where it is pending, for recovering senders is dear."""
    found = ledger.pending_transaction(Hash32(keccak(raw)))
    return found if found is not None else decode_transaction(raw, size_bytes_max)
