"""From a request to the method that answers it, and the answers that need no ledger."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from ledger.chain import Ledger
from ledger.consensus.cometbft import abci_pb2 as pb
from ledger.consensus.cometbft.application import Application
from ledger.consensus.cometbft.errors import RequestMalformed
from ledger.consensus.cometbft.membership import PeerFilter
from ledger.consensus.cometbft.pool import CODESPACE, PoolView
from ledger.consensus.cometbft.protocol import (
    ApplyResult,
    ChunkVerdict,
    OfferedSnapshot,
    OfferResult,
    SnapshotService,
)

FILTER_ADDRESS: Final = "/p2p/filter/addr/"
FILTER_ID: Final = "/p2p/filter/id/"
REFUSAL_TOLD_EACH_S: Final = 60.0
REFUSALS_REMEMBERED_MAX: Final = 1_024
CODE_UNKNOWN_PATH: Final = 1
CODE_PEER_REFUSED: Final = 2
SNAPSHOTS_MAX: Final = 10
"""CometBFT tells its peers of no more (statesync, recentSnapshots)."""
CHUNK_SIZE_BYTES_MAX: Final = 16 << 20
"""CometBFT carries no larger one (statesync, chunkMsgSize)."""

_log = logging.getLogger(__name__)


class Dispatcher:
    """Answers requests of all four connections. Thread-safe."""

    def __init__(
        self,
        ledger: Ledger,
        application: Application,
        pool: PoolView,
        peers: PeerFilter,
        snapshots: SnapshotService | None,
    ) -> None:
        self._ledger = ledger
        self._application = application
        self._pool = pool
        self._peers = peers
        self._snapshots = snapshots
        self._consensus = threading.Lock()
        self._told: dict[str, float] = {}
        """When the refusal of a peer was told last."""
        methods: dict[str, Callable[[pb.Request], pb.Response]] = {
            "echo": lambda r: pb.Response(echo=pb.ResponseEcho(message=r.echo.message)),
            "flush": lambda _: pb.Response(flush=pb.ResponseFlush()),
            "info": lambda r: pb.Response(info=application.info(r.info)),
            "query": lambda r: pb.Response(query=self._query(r.query)),
            "check_tx": lambda r: pb.Response(check_tx=pool.check(r.check_tx)),
            "list_snapshots": lambda _: pb.Response(list_snapshots=self._list()),
            "load_snapshot_chunk": lambda r: pb.Response(
                load_snapshot_chunk=self._load(r.load_snapshot_chunk)
            ),
            "offer_snapshot": lambda r: pb.Response(offer_snapshot=self._offer(r.offer_snapshot)),
            "apply_snapshot_chunk": lambda r: pb.Response(
                apply_snapshot_chunk=self._apply(r.apply_snapshot_chunk)
            ),
        }
        self._methods: Mapping[str, Callable[[pb.Request], pb.Response]] = MappingProxyType(methods)

    def answer(self, request: pb.Request) -> pb.Response:
        """The answer. Raises `RequestMalformed` for none of the protocol's requests."""
        kind = request.WhichOneof("value")
        if kind is None:
            raise RequestMalformed("a request of no kind that ABCI 2.0 has")
        method = self._methods.get(kind)
        if method is not None:
            return method(request)
        with self._consensus:
            return self._consensus_answer(kind, request)

    def _consensus_answer(self, kind: str, request: pb.Request) -> pb.Response:
        application = self._application
        match kind:
            case "init_chain":
                return pb.Response(init_chain=application.init_chain(request.init_chain))
            case "prepare_proposal":
                prepared = application.prepare_proposal(request.prepare_proposal)
                return pb.Response(prepare_proposal=prepared)
            case "process_proposal":
                judged = application.process_proposal(request.process_proposal)
                return pb.Response(process_proposal=judged)
            case "finalize_block":
                final = application.finalize_block(request.finalize_block)
                return pb.Response(finalize_block=final)
            case "commit":
                return pb.Response(commit=application.commit(request.commit))
            case "extend_vote":
                return pb.Response(extend_vote=application.extend_vote(request.extend_vote))
            case "verify_vote_extension":
                verified = application.verify_vote_extension(request.verify_vote_extension)
                return pb.Response(verify_vote_extension=verified)
        raise RequestMalformed(f"a request {kind!r} that is not answered here")

    # ---- peers ------------------------------------------------------------------------------

    def _query(self, request: pb.RequestQuery) -> pb.ResponseQuery:
        path = request.path
        if path.startswith(FILTER_ADDRESS):
            return pb.ResponseQuery()
        if path.startswith(FILTER_ID):
            refusal = self._peer_refusal(path.removeprefix(FILTER_ID))
            if refusal is None:
                return pb.ResponseQuery()
            self._tell_refusal(path, refusal)
            return pb.ResponseQuery(code=CODE_PEER_REFUSED, codespace=CODESPACE, log=refusal)
        return pb.ResponseQuery(
            code=CODE_UNKNOWN_PATH, codespace=CODESPACE, log="ask the node's own interfaces"
        )

    def _tell_refusal(self, path: str, refusal: str) -> None:
        """Once a minute for each peer: some come many times a second."""
        now = time.monotonic()
        if now - self._told.get(path, -REFUSAL_TOLD_EACH_S) < REFUSAL_TOLD_EACH_S:
            return
        if len(self._told) >= REFUSALS_REMEMBERED_MAX:
            self._told.clear()
        self._told[path] = now
        _log.info("a peer is refused: %s", refusal)

    def _peer_refusal(self, text: str) -> str | None:
        try:
            node_id = bytes.fromhex(text)
        except ValueError:
            return f"{text[:80]!r} is no node id"
        return self._peers.refusal(node_id, self._ledger.nodes())

    # ---- snapshots --------------------------------------------------------------------------

    def _list(self) -> pb.ResponseListSnapshots:
        if self._snapshots is None:
            return pb.ResponseListSnapshots()
        try:
            found = list(self._snapshots.list())[:SNAPSHOTS_MAX]
        except Exception:
            _log.exception("the snapshots cannot be listed")
            return pb.ResponseListSnapshots()
        return pb.ResponseListSnapshots(
            snapshots=[
                pb.Snapshot(
                    height=one.height,
                    format=one.format,
                    chunks=one.chunks,
                    hash=one.hash,
                    metadata=one.metadata,
                )
                for one in found
            ]
        )

    def _load(self, request: pb.RequestLoadSnapshotChunk) -> pb.ResponseLoadSnapshotChunk:
        if self._snapshots is None:
            return pb.ResponseLoadSnapshotChunk()
        try:
            chunk = self._snapshots.load_chunk(request.height, request.format, request.chunk)
        except Exception:
            _log.exception("chunk %d of snapshot %d is not served", request.chunk, request.height)
            return pb.ResponseLoadSnapshotChunk()
        if len(chunk) > CHUNK_SIZE_BYTES_MAX:
            _log.error("chunk %d of snapshot %d is too large", request.chunk, request.height)
            return pb.ResponseLoadSnapshotChunk()
        return pb.ResponseLoadSnapshotChunk(chunk=chunk)

    def _offer(self, request: pb.RequestOfferSnapshot) -> pb.ResponseOfferSnapshot:
        result = OfferResult.ABORT
        if self._snapshots is not None:
            one = request.snapshot
            offered = OfferedSnapshot(one.height, one.format, one.chunks, one.hash, one.metadata)
            try:
                result = self._snapshots.offer(offered, request.app_hash)
            except Exception:
                _log.exception("snapshot %d cannot be taken", one.height)
                result = OfferResult.REJECT
        answer = pb.ResponseOfferSnapshot
        return answer(result=answer.Result.Name(result.value))

    def _apply(self, request: pb.RequestApplySnapshotChunk) -> pb.ResponseApplySnapshotChunk:
        verdict = ChunkVerdict(ApplyResult.ABORT)
        if self._snapshots is not None:
            try:
                verdict = self._snapshots.apply(request.index, request.chunk, request.sender)
            except Exception:
                _log.exception("chunk %d of the snapshot cannot be applied", request.index)
                verdict = ChunkVerdict(ApplyResult.REJECT_SNAPSHOT)
        answer = pb.ResponseApplySnapshotChunk
        return answer(
            result=answer.Result.Name(verdict.result.value),
            refetch_chunks=verdict.refetch,
            reject_senders=verdict.reject_senders,
        )
