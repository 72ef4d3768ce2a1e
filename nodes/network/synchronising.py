"""Filling a new node from the others until it is level with them, and checking what came.

The state comes over the engine's peer-to-peer network, from anybody; it counts once it leads to
what the members of the trust file have signed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from ledger.chain import Genesis, Ledger
from ledger.consensus.cometbft import (
    CometBftDriver,
    EngineRefused,
    EngineUnreachable,
    Mark,
    StateSync,
)
from ledger.crypto import KeyStore
from ledger.snapshot import Restorer
from nodes.layout import NodeDirectory
from nodes.network.admission import Tell, peers_among
from nodes.network.anchoring import Anchor, check_signed
from nodes.network.beginning import Beginning
from nodes.network.descriptor import Descriptor
from nodes.network.discarding import discard, discard_stand_in, discard_state
from nodes.network.engine_header import EngineHeader
from nodes.network.errors import JoinRefused, JoinStalled
from nodes.network.progress import Pace, Progress, Watch
from nodes.network.source import MemberSource, Standing, validators_at
from nodes.network.trusting import trust_of_state
from nodes.opening import open_driver, open_ledger, open_snapshots
from nodes.settings import load_settings
from traceability.bundle import Trust

POLL_S: Final = 0.2
VALIDATOR_POLL_S: Final = 2.0
VALIDATOR_TRIES: Final = 30
LIGHT_BLOCKS_AFTER: Final = 2
"""The engine's light client needs two headers above a snapshot's height (statesync)."""

Bar = Callable[[int, int], None]
"""Done and whole, in chunks or heights; 0 for not known."""


@dataclass(frozen=True, slots=True)
class Source:
    """From whom a new node is filled, and what it is to come out as."""

    members: Sequence[MemberSource]
    nodes: Sequence[Standing]
    beginning: Beginning
    trust: Trust
    anchor: Anchor


@dataclass(frozen=True, slots=True)
class Way:
    """How it is filled."""

    replay: bool
    """By executing all blocks, else from a snapshot."""
    otherwise_replay: bool = False
    """Where no snapshot shows up soon."""


def worth_state_sync(source: MemberSource) -> bool:
    """Whether the member has a snapshot that a light client can reach.

    In a network that rests it may not have: the engine makes no height without a transaction.
    """
    view = source.network()
    return any(height + LIGHT_BLOCKS_AFTER <= source.height() for height in view.snapshots)


def synchronise(
    directory: NodeDirectory,
    passphrase: str,
    source: Source,
    *,
    replay: bool,
    pace: Pace,
    tell: Tell,
    bar: Bar = lambda _done, _whole: None,
) -> None:
    """Fill the ledger, check what came, and write the trust file that follows from it.

    By state sync, or with `replay` by executing all blocks; also where no snapshot shows up in
    time, unless the engine does not have all of them. This node signs nothing meanwhile: what it
    would vote on is not checked yet. Serves nobody. Raises `JoinRefused` where what came is not
    the network of the trust file, and `JoinStalled` where nothing comes any more; then nothing of
    it is left but keys and settings.
    """
    otherwise_replay = not replay and not source.beginning.blocks_before
    first = Way(replay, otherwise_replay)
    try:
        try:
            _fill(directory, passphrase, source, first, pace, bar)
        except JoinStalled as stalled:
            if not (otherwise_replay and stalled.before_anything):
                raise
            tell(f"no snapshot for {pace.snapshot_s:.0f} s: executing all blocks instead")
            discard_state(directory)
            _fill(directory, passphrase, source, Way(replay=True), pace, bar)
    except JoinRefused:
        discard(directory)
        raise
    finally:
        discard_stand_in(directory)


def _fill(
    directory: NodeDirectory,
    passphrase: str,
    source: Source,
    way: Way,
    pace: Pace,
    bar: Bar,
) -> None:
    settings = load_settings(directory.settings)
    secrets = KeyStore(directory.keys, passphrase)
    first, trust, anchor = source.members[0], source.trust, source.anchor
    with ExitStack() as closing:
        ledger = open_ledger(directory, settings, Genesis.load(directory.genesis), secrets)
        closing.callback(ledger.close)
        restorer = Restorer(
            ledger,
            trusted=lambda size, root: check_signed(first, trust, size, root),
            checkpoints=(anchor.checkpoint,),
            check_mark=lambda mark: _check_mark(mark, source.beginning.chain_id),
        )
        snapshots = open_snapshots(directory, settings, ledger, restorer)
        if snapshots is None:
            raise JoinRefused('node.toml: consensus.driver must be "cometbft" to join a network')
        closing.callback(snapshots.service.stop)
        own = Descriptor.load(directory.descriptor)
        driver = open_driver(
            directory,
            settings,
            ledger,
            secrets,
            snapshots.service,
            state_sync=None if way.replay else _state_sync(source.members, anchor.header),
            peers=peers_among(source.nodes, own.node_id),
            genesis=source.beginning.engine,
            signs=False,
        )
        assert isinstance(driver, CometBftDriver)
        closing.callback(driver.stop)
        driver.start()
        watch = Watch(pace, waits_for_snapshot=way.otherwise_replay)
        _wait_level(driver, ledger, restorer, source, watch, bar)
        check_validators(ledger, driver)
        trust_of_state(trust, ledger).save(directory.trust)


def _wait_level(
    driver: CometBftDriver,
    ledger: Ledger,
    restorer: Restorer,
    source: Source,
    watch: Watch,
    bar: Bar,
) -> None:
    """Until the engine has caught up and the log holds the cosigned checkpoint."""
    checkpoint = source.anchor.checkpoint
    while True:
        status = driver.status()
        if status.halted:
            raise JoinRefused(f"this node cannot follow the network: {status.error}")
        chunks, whole = restorer.progress
        size = ledger.log.size
        if whole:
            bar(chunks, whole)
        elif size < checkpoint.size:
            bar(size, checkpoint.size)
        if size >= checkpoint.size:
            if ledger.log.root_at(checkpoint.size) != checkpoint.root:
                raise JoinRefused(
                    f"the log that came has another root at size {checkpoint.size} than the "
                    f"members have cosigned: {source.members[0].url} or its engine belongs to a "
                    "fork"
                )
            if driver.engine().catching_up is False:
                return
        watch.saw(
            Progress(size, driver.height(), chunks, whole),
            lambda: _trouble(driver, ledger.log.size, checkpoint.size),
        )
        time.sleep(POLL_S)


def _trouble(driver: CometBftDriver, size: int, wanted: int) -> str:
    """Why nothing comes, as far as it can be told from here."""
    error, engine = driver.status().error, driver.engine()
    if error is not None:
        last = f"; its log ends with: {engine.errors[-1]}" if engine.errors else ""
        return f"{error}{last}"
    if engine.catching_up is None:
        return "the engine does not answer; its log is engine/log in the node's folder"
    if not engine.peers:
        return (
            "no node is connected; are their p2p addresses reachable from here, and this node's "
            "from there?"
        )
    return f"{engine.peers} nodes are connected, {size} of {wanted} log entries are here"


def check_validators(ledger: Ledger, driver: CometBftDriver) -> None:
    """Those that this node's own engine now follows are those that the checked state names.

    This is what makes the engine's headers believable, the anchor's among them. Changes count two
    heights after the block that makes them: asked for are those of the next height, which are known
    also where the network rests (the block after a change is made at once, further ones are not);
    while it works, a moment is given. Raises `JoinRefused`.
    """
    for _ in range(VALIDATOR_TRIES):
        wanted = {
            one.validator_key.hex(): one.power
            for one in ledger.nodes()
            if one.validator_key is not None and one.power
        }
        try:
            if validators_at(driver.engine_rpc, driver.height() + 1) == wanted:
                return
        except (EngineUnreachable, EngineRefused):
            pass
        time.sleep(VALIDATOR_POLL_S)
    raise JoinRefused(
        "the engine's validators are not those that the Network contract names: the network that "
        "was shown is not the one of the trust file"
    )


def _check_mark(mark: bytes | None, chain_id: str) -> None:
    if mark is None or Mark.decode(mark).chain != chain_id:
        raise JoinRefused("it is of another network of the engine")


def _state_sync(sources: Sequence[MemberSource], header: EngineHeader) -> StateSync:
    servers = [source.engine_url for source in sources]
    if len(servers) == 1:  # the engine wants a second opinion also where there is one address
        servers *= 2
    return StateSync(tuple(servers), trust_height=header.height, trust_hash=header.hash)
