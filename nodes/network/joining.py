"""Entering a consortium that runs already: admitted, then filled from the others, then checked.

A joiner believes its trust file and nothing else: what it is given must lead to a checkpoint that
enough of those members have cosigned. Members' nodes are asked over HTTP; the state comes over the
engine's peer-to-peer network.
"""

from __future__ import annotations

import shutil
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
    StateSync,
    engine_genesis,
)
from ledger.consensus.cometbft.mark import Mark
from ledger.crypto import KeyStore
from ledger.snapshot import Restorer
from ledger.tlog import Checkpoint, ThresholdNotMet, TlogError, open_checkpoint
from nodes.endpoints import parse_endpoint
from nodes.layout import NodeDirectory
from nodes.network.adoption import write_new
from nodes.network.descriptor import Descriptor
from nodes.network.engine_header import EngineHeader
from nodes.network.errors import JoinRefused
from nodes.network.founders import founding_nodes
from nodes.network.source import MemberSource, Standing, same, validators_at
from nodes.opening import open_driver, open_ledger, open_snapshots
from nodes.settings import load_settings
from traceability.bundle import Trust

POLL_S: Final = 2.0
HEADERS_SEARCHED_MAX: Final = 500
CHECKPOINT_TRIES: Final = 60
VALIDATOR_TRIES: Final = 30
LIGHT_BLOCKS_AFTER: Final = 2
"""The engine's light client needs two headers above a snapshot's height (statesync)."""

Tell = Callable[[str], None]
"""Told of each step, in one line."""
Bar = Callable[[int, int], None]
"""Done and whole, in chunks or heights; 0 for not known."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A header of the engine whose log root enough members have cosigned."""

    header: EngineHeader
    checkpoint: Checkpoint


def fetch_genesis(sources: Sequence[MemberSource], trust: Trust) -> Genesis:
    """The genesis that all sources have, of the ledger of the trust file.

    Raises `JoinRefused`, `GenesisInvalid`.
    """
    document = same(sources, "genesis", [source.genesis() for source in sources])
    genesis = Genesis.decode(document)
    for what, found, known in (
        ("origin", genesis.origin, trust.origin),
        ("chain id", genesis.chain_id, trust.chain_id),
        ("Consortium contract", genesis.contracts.get("consortium"), trust.consortium),
        ("Provenance contract", genesis.contracts.get("provenance"), trust.provenance),
    ):
        if found != known:
            raise JoinRefused(
                f"{sources[0].url} is of another ledger than the trust file: {what} "
                f"{_shown(found)} instead of {_shown(known)}"
            )
    return genesis


def adopt_network(
    directory: NodeDirectory, sources: Sequence[MemberSource], trust: Trust
) -> Genesis:
    """Write genesis and trust file into the folder, where they are not there yet.

    Raises `JoinRefused` where another genesis is there.
    """
    genesis = fetch_genesis(sources, trust)
    if directory.genesis.exists():
        if Genesis.load(directory.genesis) != genesis:
            raise JoinRefused(f"{directory.genesis} is another genesis than that of the network")
    else:
        write_new(directory.genesis, genesis.document)
    if not directory.trust.exists():
        trust.save(directory.trust)
    return genesis


def wait_admitted(
    sources: Sequence[MemberSource], descriptor: Descriptor, timeout_s: float, tell: Tell
) -> tuple[Standing, ...]:
    """Return the network's nodes once this one is among them.

    Raises `JoinRefused` where it is there with another key, or not in time.
    """
    deadline = time.monotonic() + timeout_s
    told = False
    while True:
        nodes = sources[0].network().nodes
        own = next((one for one in nodes if one.id == descriptor.node_id.hex()), None)
        if own is not None and own.active:
            if (own.organisation, own.validator_key) != (
                descriptor.organisation,
                descriptor.validator_key.hex(),
            ):
                raise JoinRefused(
                    "the network knows this node with another organisation or validator key than "
                    "its descriptor.json has: were its keys made anew since?"
                )
            return nodes
        if time.monotonic() > deadline:
            raise JoinRefused(
                f"the members have not admitted this node within {timeout_s:.0f} s; run the same "
                "command again when they have"
            )
        if not told:
            told = True
            tell(
                "waiting to be admitted; a member proposes "
                "`tally proposal new admit descriptor.json`, and the others vote"
            )
        time.sleep(POLL_S)


def find_anchor(source: MemberSource, trust: Trust) -> Anchor:
    """A header whose `app_hash` is the root of a checkpoint that k of n have cosigned.

    Raises `JoinRefused` where none is found, or what is shown is signed by too few.
    """
    problem = "no checkpoint"
    for _ in range(CHECKPOINT_TRIES):
        note = source.network().checkpoint
        try:
            if note is None:
                raise JoinRefused(f"{source.url} has no checkpoint that enough members have signed")
            checkpoint = open_checkpoint(note, trust.keys, trust.threshold, trust.origin)
            header = _header_with(source, checkpoint.root)
            if header is not None:
                return Anchor(header, checkpoint)
            problem = "no header of the engine has the root of the cosigned checkpoint"
        except (ThresholdNotMet, JoinRefused) as bad:
            problem = str(bad)
        except TlogError as bad:
            raise JoinRefused(f"{source.url}: the checkpoint is refused: {bad}") from None
        time.sleep(POLL_S / 2)
    raise JoinRefused(f"nothing can be trusted yet: {problem}")


def synchronise(
    directory: NodeDirectory,
    passphrase: str,
    sources: Sequence[MemberSource],
    nodes: Sequence[Standing],
    trust: Trust,
    anchor: Anchor,
    *,
    replay: bool,
    bar: Bar = lambda _done, _whole: None,
) -> None:
    """Fill the ledger from the others until it is level with them, and check what came.

    By state sync, or with `replay` by executing all blocks. Serves nobody meanwhile. Raises
    `JoinRefused` where what came is not the network of the trust file; then nothing of it is left.
    """
    settings = load_settings(directory.settings)
    secrets = KeyStore(directory.keys, passphrase)
    genesis = Genesis.load(directory.genesis)
    with ExitStack() as closing:
        ledger = open_ledger(directory, settings, genesis, secrets)
        closing.callback(ledger.close)

        def of_this_network(mark: bytes | None) -> None:
            assert isinstance(driver, CometBftDriver)
            if mark is None or Mark.decode(mark).chain != driver.chain_id:
                raise JoinRefused("it is of another network of the engine")

        restorer = Restorer(
            ledger,
            trusted=lambda size, root: check_signed(sources[0], trust, size, root),
            checkpoints=(anchor.checkpoint,),
            check_mark=of_this_network,
        )
        snapshots = open_snapshots(directory, settings, ledger, restorer)
        if snapshots is None:
            raise JoinRefused('node.toml: consensus.driver must be "cometbft" to join a network')
        closing.callback(snapshots.service.stop)
        driver = open_driver(
            directory,
            settings,
            ledger,
            secrets,
            snapshots.service,
            state_sync=None if replay else _state_sync(sources, anchor.header),
            peers=_peers(nodes, directory),
            genesis=_engine_genesis(sources, genesis),
        )
        assert isinstance(driver, CometBftDriver)
        closing.callback(driver.stop)
        driver.start()
        try:
            _wait_level(driver, ledger, restorer, anchor, sources[0], bar)
            _check_validators(ledger, driver)
        except JoinRefused:
            closing.close()
            discard(directory)
            raise


def check_signed(source: MemberSource, trust: Trust, size: int, root: bytes) -> None:
    """That enough members have signed a log that begins with the one of this size and root.

    What only the sender of a snapshot says is believed no further than they have signed. Raises
    `JoinRefused`.
    """
    problem = "no checkpoint"
    for _ in range(CHECKPOINT_TRIES):
        note = source.network().checkpoint
        try:
            if note is not None:
                found = open_checkpoint(note, trust.keys, trust.threshold, trust.origin)
                if found.size >= size:
                    source.check_consistency(size, root, found)
                    return
                problem = f"the newest signed checkpoint has size {found.size}"
        except ThresholdNotMet as few:
            problem = str(few)
        except TlogError as bad:
            raise JoinRefused(f"{source.url}: the checkpoint is refused: {bad}") from None
        time.sleep(POLL_S / 2)
    raise JoinRefused(f"too few members have signed the log up to size {size}: {problem}")


def worth_state_sync(source: MemberSource) -> bool:
    """Whether the member has a snapshot that a light client can reach."""
    view = source.network()
    return any(height + LIGHT_BLOCKS_AFTER <= source.height() for height in view.snapshots)


def _header_with(source: MemberSource, root: bytes) -> EngineHeader | None:
    newest = source.height()
    for height in range(newest, max(0, newest - HEADERS_SEARCHED_MAX), -1):
        header = source.header(height)
        if header.app_hash == root:
            return header
    return None


def _state_sync(sources: Sequence[MemberSource], header: EngineHeader) -> StateSync:
    servers = [source.engine_url for source in sources]
    if len(servers) == 1:  # the engine wants a second opinion also where there is one address
        servers *= 2
    return StateSync(tuple(servers), trust_height=header.height, trust_hash=header.hash)


def _peers(nodes: Sequence[Standing], directory: NodeDirectory) -> tuple[str, ...]:
    own = Descriptor.load(directory.descriptor).node_id.hex()
    found = []
    for one in nodes:
        if one.active and one.id != own:
            try:
                found.append(f"{one.id}@{parse_endpoint(one.p2p)}")
            except ValueError:
                continue
    return tuple(found)


def _engine_genesis(sources: Sequence[MemberSource], genesis: Genesis) -> bytes | None:
    """None where it follows from ours; else (a promoted ledger) what all sources have."""
    given = same(sources, "engine genesis", [source.engine_genesis() for source in sources])
    founded = any(node.power for node in founding_nodes(genesis))
    return None if founded and given == engine_genesis(genesis) else given


def _wait_level(
    driver: CometBftDriver,
    ledger: Ledger,
    restorer: Restorer,
    anchor: Anchor,
    source: MemberSource,
    bar: Bar,
) -> None:
    """Until the engine has caught up and the log holds the cosigned checkpoint."""
    target = anchor.checkpoint.size
    while True:
        status = driver.status()
        if status.halted:
            raise JoinRefused(f"this node cannot follow the network: {status.error}")
        chunks, whole = restorer.progress
        if whole:
            bar(chunks, whole)
        elif ledger.log.size < target:
            bar(ledger.log.size, target)
        if ledger.log.size >= target:
            if ledger.log.root_at(target) != anchor.checkpoint.root:
                raise JoinRefused(
                    f"the log that came has another root at size {target} than the members have "
                    f"cosigned: {source.url} or its engine belongs to a fork"
                )
            if driver.engine().catching_up is False:
                return
        time.sleep(POLL_S / 10)


def _check_validators(ledger: Ledger, driver: CometBftDriver) -> None:
    """Those that this node's own engine now follows are those that the checked state names.

    Changes count two heights after the block that makes them, so that a moment is given.
    """
    for _ in range(VALIDATOR_TRIES):
        wanted = {
            one.validator_key.hex(): one.power
            for one in ledger.nodes()
            if one.validator_key is not None and one.power
        }
        try:
            if validators_at(driver.engine_rpc, driver.height()) == wanted:
                return
        except (EngineUnreachable, EngineRefused):
            pass
        time.sleep(POLL_S)
    raise JoinRefused(
        "the engine's validators are not those that the Network contract names: the network that "
        "was shown is not the one of the trust file"
    )


def discard(directory: NodeDirectory) -> None:
    """Take away what came from a network that is refused; keys and settings stay.

    So does what the validator has signed: it must not sign it differently the next time.
    """
    for path in (directory.chain, directory.snapshots):
        shutil.rmtree(path, ignore_errors=True)
    data = directory.engine / "data"
    for path in data.iterdir() if data.is_dir() else ():
        if path.name.startswith("signer_state"):
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    for path in (
        directory.engine / "config" / "genesis.json",
        directory.genesis,
        directory.trust,
    ):
        path.unlink(missing_ok=True)


def _shown(value: object) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)
