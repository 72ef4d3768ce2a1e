"""The application on a real ledger, spoken to as the engine does, without the engine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ledger.chain import Genesis, Ledger, NodeEntry
from ledger.consensus.cometbft import EngineStart, Mark, ProposalRules
from ledger.consensus.cometbft import abci_pb2 as pb
from ledger.consensus.cometbft.application import Application
from ledger.consensus.cometbft.dispatch import Dispatcher
from ledger.consensus.cometbft.membership import PeerFilter
from ledger.consensus.cometbft.pool import PoolView
from ledger.consensus.cometbft.protocol import SnapshotService
from ledger.evm import ExecutionEngine
from ledger.tlog import NoteSigner
from tests.ledger.consensus.cometbft.support import Node, consortium_genesis

KEYS = [bytes([0xA0 + index]) * 32 for index in range(4)]
NODES = [Node(bytes([0xB0 + index]) * 20, key) for index, key in enumerate(KEYS)]


@dataclass
class Told:
    """What the watcher was told."""

    marks: list[tuple[Mark, bool]] = field(default_factory=list)
    changes: list[tuple[tuple[NodeEntry, ...], tuple[NodeEntry, ...]]] = field(default_factory=list)
    full_reasons: list[str | None] = field(default_factory=list)
    misbehaviour: list[pb.Misbehavior] = field(default_factory=list)

    def committed(self, mark: Mark, block_made: bool) -> None:
        self.marks.append((mark, block_made))

    def nodes_changed(self, before: tuple[NodeEntry, ...], after: tuple[NodeEntry, ...]) -> None:
        self.changes.append((before, after))

    def misbehaved(self, told: tuple[pb.Misbehavior, ...]) -> None:
        self.misbehaviour.extend(told)

    def full(self, reason: str | None) -> None:
        self.full_reasons.append(reason)


class Rig:
    """One node. `clock` is its wall clock; block times are given by the test."""

    def __init__(
        self,
        folder: Path,
        genesis: Genesis | None = None,
        *,
        rules: ProposalRules | None = None,
        snapshots: SnapshotService | None = None,
        engine: ExecutionEngine | None = None,
        known_peers: tuple[bytes, ...] = (),
        retain: Callable[[Mark], int] = lambda _: 0,
    ) -> None:
        self.genesis = genesis or consortium_genesis(NODES)
        self.ledger = Ledger.open(
            folder,
            genesis=self.genesis,
            signer=NoteSigner("tallystick.example/test", bytes(range(32))),
            map_size_bytes=1 << 28,
            engine=engine,
        )
        self.told = Told()
        self.stopping = threading.Event()
        self.now = time.time()
        self.woken = 0
        self.pool = PoolView(self.ledger, self._woken)
        self.peers = PeerFilter(known_peers)
        mark = self.ledger.consensus_mark()
        self.height = Mark.decode(mark).height if mark else 0
        self.start = EngineStart.of_genesis(self.genesis)
        self.application = Application(
            self.ledger,
            self.start,
            rules or ProposalRules(),
            self.pool,
            self.told,
            retain=retain,
            stopping=self.stopping,
            clock=lambda: self.now,
        )
        self.dispatcher = Dispatcher(
            self.ledger, self.application, self.pool, self.peers, snapshots
        )

    def _woken(self) -> None:
        self.woken += 1

    def close(self) -> None:
        self.stopping.set()
        self.ledger.close()

    def __enter__(self) -> Rig:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- requests ---------------------------------------------------------------------------

    def ask(self, **request: Any) -> Any:
        """Through the dispatcher, and through bytes both ways, as over the socket."""
        (kind,) = request
        data = pb.Request(**request).SerializeToString()
        answer = self.dispatcher.answer(pb.Request.FromString(data))
        answer = pb.Response.FromString(answer.SerializeToString())
        assert answer.WhichOneof("value") == kind
        return getattr(answer, kind)

    def time(self, at: float | None = None) -> pb.Timestamp:
        at = self.now if at is None else at
        return pb.Timestamp(seconds=int(at), nanos=int(at % 1 * 1e9))

    def init_chain(self, **changes: Any) -> pb.ResponseInitChain:
        fields: dict[str, Any] = {
            "chain_id": self.start.chain_id,
            "app_state_bytes": self.start.app_state,
            "initial_height": 1,
        }
        fields.update(changes)
        answer: pb.ResponseInitChain = self.ask(init_chain=pb.RequestInitChain(**fields))
        return answer

    def info(self) -> pb.ResponseInfo:
        answer: pb.ResponseInfo = self.ask(info=pb.RequestInfo())
        return answer

    def check(self, raw: bytes, *, recheck: bool = False) -> pb.ResponseCheckTx:
        kind = pb.CheckTxType.RECHECK if recheck else pb.CheckTxType.NEW
        answer: pb.ResponseCheckTx = self.ask(check_tx=pb.RequestCheckTx(tx=raw, type=kind))
        return answer

    def prepare(self, *, max_tx_bytes: int = 1 << 20, at: float | None = None) -> list[bytes]:
        answer = self.ask(
            prepare_proposal=pb.RequestPrepareProposal(
                max_tx_bytes=max_tx_bytes, height=self.height + 1, time=self.time(at)
            )
        )
        return list(answer.txs)

    def process(self, txs: list[bytes], *, at: float | None = None) -> bool:
        answer = self.ask(
            process_proposal=pb.RequestProcessProposal(
                txs=txs, height=self.height + 1, time=self.time(at), hash=b"h" * 32
            )
        )
        assert answer.status != pb.ResponseProcessProposal.UNKNOWN
        accepted: bool = answer.status == pb.ResponseProcessProposal.ACCEPT
        return accepted

    def finalize(self, txs: list[bytes], *, at: float | None = None) -> pb.ResponseFinalizeBlock:
        answer: pb.ResponseFinalizeBlock = self.ask(
            finalize_block=pb.RequestFinalizeBlock(
                txs=txs, height=self.height + 1, time=self.time(at)
            )
        )
        return answer

    def commit(self) -> pb.ResponseCommit:
        answer: pb.ResponseCommit = self.ask(commit=pb.RequestCommit())
        self.height += 1
        return answer

    def block(self, txs: list[bytes], *, at: float | None = None) -> pb.ResponseFinalizeBlock:
        """A whole height, accepted by all."""
        answer = self.finalize(txs, at=at)
        self.commit()
        return answer
