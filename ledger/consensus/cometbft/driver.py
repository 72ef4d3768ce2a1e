"""`CometBftDriver`: the members' nodes decide together, by CometBFT as a child process."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ledger.chain import Ledger, NodeEntry
from ledger.consensus.cometbft import abci_pb2 as pb
from ledger.consensus.cometbft.application import Application
from ledger.consensus.cometbft.beginning import find_start
from ledger.consensus.cometbft.config import Sockets, render_config
from ledger.consensus.cometbft.dispatch import Dispatcher
from ledger.consensus.cometbft.enginelog import EngineLog
from ledger.consensus.cometbft.errors import EngineStartFailed, EngineUnreachable
from ledger.consensus.cometbft.heights import peer_heights
from ledger.consensus.cometbft.home import (
    Home,
    ensure_node_key,
    ensure_validator_key,
    write_private,
)
from ledger.consensus.cometbft.locate import find_engine
from ledger.consensus.cometbft.mark import Mark
from ledger.consensus.cometbft.membership import PeerFilter, active_ids, rank_of
from ledger.consensus.cometbft.misbehaviour import Misbehaviours
from ledger.consensus.cometbft.monitor import Monitor, Seen
from ledger.consensus.cometbft.pool import PoolView
from ledger.consensus.cometbft.process import Supervisor
from ledger.consensus.cometbft.protocol import SnapshotService
from ledger.consensus.cometbft.reach import Reach
from ledger.consensus.cometbft.relay import Relay
from ledger.consensus.cometbft.retention import Retention
from ledger.consensus.cometbft.rpc import EngineRpc, read_only
from ledger.consensus.cometbft.server import AbciServer
from ledger.consensus.cometbft.settings import EngineSettings, PeerAddress
from ledger.consensus.cometbft.types import EngineStatus, Peer
from ledger.consensus.types import DriverState, DriverStatus
from ledger.consensus.validator import ValidatorServer
from ledger.crypto.protocol import ValidatorSigner

_PAUSED_WORDS: Final = "the node's disk is full, nothing can be made durable: try again later"

_IDLE_S: Final = 10.0

_log = logging.getLogger(__name__)


class CometBftDriver:
    """A `Driver`. Thread-safe. One for each open ledger; stop it before the ledger is closed."""

    def __init__(
        self,
        ledger: Ledger,
        settings: EngineSettings,
        *,
        snapshots: SnapshotService | None = None,
        validator: ValidatorSigner | None = None,
        find_validator: Callable[[bytes], ValidatorSigner | None] = lambda _: None,
        accept_loss: bool = False,
    ) -> None:
        """`validator` None: the engine signs with the key file in its own folder.

        `find_validator` gives another of the node's validator keys, by its public key, when the
        ledger names that one: the key changes while the node runs. `accept_loss`: as `KeyRing`.

        Raises `EngineHomeInvalid`, `EngineHalted`, `MarkInvalid` where folder and ledger do not
        fit.
        """
        self._ledger = ledger
        self._settings = settings
        self._validator = validator
        self._find_validator = find_validator
        self._accept_loss = accept_loss
        self._home = Home(settings.home)
        self._home.prepare()
        self._begin = find_start(ledger, self._home, settings.genesis)
        self._node_id = ensure_node_key(settings.home)
        if validator is None:
            ensure_validator_key(settings.home)
        self._peer_addresses = tuple(PeerAddress.parse(peer) for peer in settings.peers)
        self._stopping = threading.Event()
        self._control = threading.RLock()
        self._log = EngineLog(self._home.log, self._begin.log_root)
        self._peers = PeerFilter(peer.id for peer in self._peer_addresses)
        self._pool = PoolView(ledger, self._wake_relay)
        application = Application(
            ledger,
            self._begin,
            settings.rules,
            self._pool,
            self,
            retain=Retention(
                self._home.heights, settings.retain_heights, snapshots=snapshots
            ).committed,
            stopping=self._stopping,
        )
        self._dispatcher = Dispatcher(ledger, application, self._pool, self._peers, snapshots)
        self._relay: Relay | None = None
        self._running: _Running | None = None
        self._halt: str | None = None
        self._full: str | None = None
        self._paused = False
        self._blocks = 0
        self._mark: Mark | None = None
        self._reach = Reach()
        self._misbehaviours = Misbehaviours(self._home.misbehaviour)
        self._timer_lock = threading.Lock()
        self._timer: threading.Timer | None = None

    # ---- the driver's seam ------------------------------------------------------------------

    def start(self) -> None:
        """Start the engine and answer it; returns before it is up (`wait_ready`).

        Raises `EngineMissing`, `EngineVersionWrong`, and what `ValidatorServer.start` raises.
        """
        with self._control:
            if self._running is not None:
                return
            program = self._settings.program or find_engine()
            self._stopping.clear()
            self._halt = self._full = None
            running = _Running(self._home.make_run_folder())
            self._running = running
            try:
                self._start(running, program)
            except BaseException:
                self.stop()
                raise

    def _start(self, running: _Running, program: Path) -> None:
        sockets = Sockets(
            running.folder / "abci",
            running.folder / "rpc",
            running.folder / "signer" if self._validator is not None else None,
        )
        running.sockets = sockets
        running.server = AbciServer(sockets.abci, self._dispatcher, self._failed)
        running.server.start()
        if self._validator is not None and sockets.signer is not None:
            running.signer = ValidatorServer(
                sockets.signer,
                self._validator,
                self._home.signer_state,
                chain_id=self._begin.chain_id,
                find=self._find_validator,
                signed_up_to=self.height(),
                accept_loss=self._accept_loss,
            )
            running.signer.start()
            running.signer.committed(self.height(), self._own_key())
        running.rpc = EngineRpc(sockets.rpc)
        running.relay = Relay(
            self._pool,
            running.rpc.broadcast,
            count_max=self._settings.mempool_transactions_max,
            size_bytes_max=self._settings.mempool_size_bytes_max,
        )
        self._relay = running.relay
        self._ledger.relay(running.relay.offer)
        running.supervisor = Supervisor(
            program, self._home, self._log, lambda: self._prepare_engine(running), self._halted
        )
        running.supervisor.start()
        running.monitor = Monitor(running.rpc, self._seen)
        running.monitor.start()
        running.relay.start()

    def stop(self) -> None:
        """End the engine. What is pending stays so; it can be started again."""
        with self._control:
            running, self._running = self._running, None
            self._stopping.set()
            with self._timer_lock:
                if self._timer is not None:
                    self._timer.cancel()
                    self._timer = None
            if running is None:
                return
            self._ledger.relay(None)
            self._relay = None
            running.stop()
            self._home.remove_run_folder()
            self._pool.restarted()
            if self._full is not None:
                self._full = None
                self._ledger.mempool.resume()

    def status(self) -> DriverStatus:
        """Whether it runs, and what is wrong if anything is."""
        running = self._running
        if self._halt is not None:
            return DriverStatus(DriverState.FAILING, self._halt, self._blocks, halted=True)
        if running is None:
            return DriverStatus(DriverState.STOPPED, None, self._blocks)
        if self._full is not None:
            return DriverStatus(DriverState.PAUSED, self._full, self._blocks)
        if self._paused:
            return DriverStatus(DriverState.PAUSED, "the engine is paused", self._blocks)
        failure = running.supervisor.failure if running.supervisor else None
        if running.supervisor and running.supervisor.full:
            return DriverStatus(DriverState.PAUSED, running.supervisor.full, self._blocks)
        failure = failure or self._log.sync_failed
        state = DriverState.RUNNING if failure is None else DriverState.FAILING
        return DriverStatus(state, failure, self._blocks)

    # ---- more -------------------------------------------------------------------------------

    @property
    def chain_id(self) -> str:
        """Of the engine."""
        return self._begin.chain_id

    @property
    def node_id(self) -> bytes:
        """Our own, 20 bytes: by which peers know this node."""
        return self._node_id

    def genesis(self) -> bytes:
        """The engine's genesis.json: what a node that joins a promoted ledger is given."""
        return self._begin.document()

    def height(self) -> int:
        """The last height of the engine that the ledger has made durable; 0 before the first."""
        mark = self._last_mark()
        return mark.height if mark else 0

    def peers(self) -> tuple[Peer, ...]:
        """Nodes that the engine is connected to, as last seen."""
        seen = self._last_seen()
        return seen.peers if seen else ()

    def peer_heights(self) -> dict[bytes, int]:
        """The height that each connected node works on, asked of the engine now.

        Raises `EngineUnreachable`, `EngineRefused`.
        """
        running = self._running
        return peer_heights(running.rpc) if running and running.rpc else {}

    def engine(self) -> EngineStatus:
        """More about the engine, for operators."""
        running, seen, mark = self._running, self._last_seen(), self._last_mark()
        supervisor = running.supervisor if running else None
        return EngineStatus(
            chain_id=self.chain_id,
            node_id=self._node_id,
            pid=supervisor.pid if supervisor else None,
            starts=supervisor.starts if supervisor else 0,
            restarts=supervisor.restarts if supervisor else 0,
            height=mark.height if mark else 0,
            block_time_ns=mark.time_ns if mark else 0,
            catching_up=seen.catching_up if seen else None,
            peers=len(seen.peers) if seen else 0,
            mempool=self._pool.offered_count,
            validator_address=seen.validator_address if seen else None,
            power=seen.power if seen else 0,
            errors=self._log.errors(),
            misbehaviour=self._misbehaviours.cases(),
        )

    def wait_ready(self, timeout_s: float) -> None:
        """Wait until the engine answers. Raises `EngineStartFailed`, saying what is wrong."""
        running = self._running
        monitor = running.monitor if running else None
        if monitor is None or not monitor.wait_answer(timeout_s, lambda: self._halt is not None):
            reason = self.status().error or "it does not answer"
            raise EngineStartFailed(f"the engine is not up: {reason}")

    def engine_rpc(self, method: str, params: Mapping[str, object]) -> dict[str, object]:
        """A read-only method of the engine, for light clients of others.

        Raises `MethodNotAllowed`, `EngineRefused` (with the engine's own error object),
        `EngineUnreachable`.
        """
        checked = read_only(method, params)
        running = self._running
        if running is None or running.rpc is None:
            raise EngineUnreachable("the engine is stopped")
        return running.rpc.call(method, checked)

    def set_peers(self, peers: Sequence[str]) -> None:
        """Other persistent peers, `id@host:port`; counts when the engine is started next.

        New members dial us by themselves. Raises `EngineSettingsInvalid`.
        """
        parsed = tuple(PeerAddress.parse(peer) for peer in peers)
        self._peer_addresses = parsed
        self._peers.known = frozenset(peer.id for peer in parsed)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """The engine is stopped meanwhile: nothing of its folder or the ledger changes."""
        with self._control:
            supervisor = self._running.supervisor if self._running else None
            was = supervisor is not None and self._halt is None
            if supervisor is not None:
                self._paused = True
                supervisor.stop()
                self._wait_idle()
        try:
            yield
        finally:
            with self._control:
                self._paused = False
                if was and supervisor is not None and self._running is not None:
                    supervisor.start()

    def _wait_idle(self) -> None:
        server = self._running.server if self._running else None
        if server is not None and not server.wait_idle(_IDLE_S):
            _log.warning("the application still works for the engine that has ended")

    # ---- what the engine's threads tell -----------------------------------------------------

    def committed(self, mark: Mark, block_made: bool) -> None:
        """A height is durable."""
        running = self._running
        if running is not None and running.signer is not None:
            running.signer.committed(mark.height, self._own_key())
        self._mark = mark
        self._blocks += block_made

    def _own_key(self) -> bytes | None:
        """The validator key that the ledger names for this node now."""
        mine = (node.validator_key for node in self._ledger.nodes() if node.id == self._node_id)
        return next(mine, None)

    def nodes_changed(self, before: tuple[NodeEntry, ...], after: tuple[NodeEntry, ...]) -> None:
        """Members or nodes came or went: v0.38 lets go of a peer only when it is restarted."""
        if active_ids(before) - active_ids(after):
            self._disconnect_in_turn(after)

    def _disconnect_in_turn(self, nodes: tuple[NodeEntry, ...]) -> None:
        """Restart the engine when it is this node's turn, so that never two do it at once."""
        delay_s = (rank_of(self._node_id, nodes) + 1) * self._settings.disconnect_interval_s
        with self._timer_lock:
            if self._stopping.is_set() or self._timer is not None:
                return
            self._timer = threading.Timer(delay_s, self._disconnect)
            self._timer.daemon = True
            self._timer.start()

    def misbehaved(self, told: tuple[pb.Misbehavior, ...]) -> None:
        """Validators voted twice or lied."""
        self._misbehaviours.take(told, self._ledger.nodes())

    def full(self, reason: str | None) -> None:
        """The disk is full, or has room again."""
        self._full = reason
        if reason is None:
            self._ledger.mempool.resume()
        else:
            self._ledger.mempool.pause(_PAUSED_WORDS)

    def _disconnect(self) -> None:
        """Restart the engine if it is connected to a node that may connect no more."""
        with self._timer_lock:
            self._timer = None
        running = self._running
        if running is None or running.supervisor is None or running.monitor is None:
            return
        unwanted = self._unwanted(running.monitor.ask_peers())
        if unwanted:
            names = ", ".join(peer.id.hex() for peer in unwanted)
            running.supervisor.restart(f"no member (any more), and still connected: {names}")

    def _unwanted(self, peers: Sequence[Peer]) -> list[Peer]:
        nodes = self._ledger.nodes()
        return [peer for peer in peers if self._peers.unwanted(peer.id, nodes)]

    def _prepare_engine(self, running: _Running) -> None:
        """Before each start of the engine: its files, and what it has forgotten.

        What was asked by the engine before is answered to the end first: a block that is kept after
        the new one has asked how far we are would be due no more when it comes again.
        """
        assert running.sockets is not None
        assert running.server is not None
        while not running.server.wait_idle(_IDLE_S):
            _log.warning("the application still works for the engine that has ended")
            if self._stopping.is_set():
                return
        running.sockets.rpc.unlink(missing_ok=True)
        if running.sockets.signer is not None:
            running.sockets.signer.unlink(missing_ok=True)
        inactive = {node.id for node in self._ledger.nodes() if not node.active}
        peers = [
            peer
            for peer in self._peer_addresses
            if peer.id != self._node_id and peer.id not in inactive
        ]
        self._peers.catching_up = True
        document = render_config(
            self._settings,
            running.sockets,
            peers,
            state_sync=self._state_sync_due(),
        )
        write_private(self._home.config, document.encode())
        self._pool.restarted()

    def _state_sync_due(self) -> bool:
        untouched = self._last_mark() is None and self._ledger.head().header.number == 0
        return self._settings.state_sync is not None and untouched

    def _seen(self, seen: Seen) -> None:
        self._peers.catching_up = seen.catching_up
        running = self._running
        if running is None or running.supervisor is None:
            return
        running.supervisor.settled()
        if self._log.sync_failed is not None:
            running.supervisor.restart(self._log.sync_failed)
        elif self._unwanted(seen.peers):
            self._disconnect_in_turn(self._ledger.nodes())
        elif self._reach.redial_due(
            self._node_id,
            {peer.id for peer in seen.peers},
            (peer.id for peer in self._peer_addresses),
            self._ledger.nodes(),
            self.height(),
        ):
            running.supervisor.restart("too few members are connected: they are dialled anew")

    def _last_mark(self) -> Mark | None:
        if self._mark is None:  # written by an earlier driver, or restored from a snapshot
            data = self._ledger.consensus_mark()
            self._mark = Mark.decode(data) if data is not None else None
        return self._mark

    def _last_seen(self) -> Seen | None:
        running = self._running
        return running.monitor.seen if running and running.monitor else None

    def _failed(self, fault: BaseException) -> None:
        """The application could not answer: nothing may go on."""
        if not self._stopping.is_set():
            self._halted(f"{type(fault).__name__}: {fault}")

    def _halted(self, reason: str) -> None:
        if self._stopping.is_set():
            return
        if self._halt is None:
            self._halt = reason
            _log.critical("consensus is halted, this node must not serve: %s", reason)
        running = self._running
        if running is not None and running.supervisor is not None:
            running.supervisor.let_go()

    def _wake_relay(self) -> None:
        relay = self._relay
        if relay is not None:
            relay.wake()


class _Running:
    """What exists between start and stop."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sockets: Sockets | None = None
        self.server: AbciServer | None = None
        self.signer: ValidatorServer | None = None
        self.rpc: EngineRpc | None = None
        self.relay: Relay | None = None
        self.supervisor: Supervisor | None = None
        self.monitor: Monitor | None = None

    def stop(self) -> None:
        """End all of it, in the order in which they need each other."""
        if self.relay is not None:
            self.relay.stop()
        if self.monitor is not None:
            self.monitor.stop()
        if self.supervisor is not None:
            self.supervisor.stop()
        if self.server is not None:
            self.server.stop()
        if self.signer is not None:
            self.signer.stop()
        if self.rpc is not None:
            self.rpc.close()
