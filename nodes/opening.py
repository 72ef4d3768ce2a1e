"""The parts of a node, each opened by its settings. `nodes.runtime` puts them together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from sqlalchemy import Engine

from api import EngineAccess
from contracts.genesis import AllocEntry
from contracts.handlers import consortium_handlers
from ledger.chain import Genesis, Ledger
from ledger.consensus import Driver, SoloDriver
from ledger.consensus.cometbft import (
    LOCAL,
    WIDE,
    CometBftDriver,
    EngineSettings,
    EngineStart,
    StateSync,
    ensure_node_key,
)
from ledger.consensus.cometbft.home import Home
from ledger.crypto import AccountSigner, KeyKind, Sealer
from ledger.crypto import KeyStore as SecretStore
from ledger.evm import PyEvmEngine
from ledger.projection import Projector
from ledger.snapshot import (
    Manifest,
    Restorer,
    SnapshotMaker,
    SnapshotSchedule,
    SnapshotService,
    SnapshotStore,
)
from ledger.tlog import NoteSigner
from ledger.types import Address, CommittedBlock
from ledger.witness import Witness
from ledger.witness.gathering import Gatherer, Pace
from nodes.errors import SettingsInvalid
from nodes.founding import (
    DEVELOPER_LABEL,
    LOG_KEY_LABEL,
    SEALING_KEY_LABEL,
    VALIDATOR_KEY_LABEL,
)
from nodes.layout import NodeDirectory
from nodes.membership import peer_addresses, witness_threshold, witnesses_of
from nodes.network.descriptor import Descriptor
from nodes.settings import NodeSettings
from traceability.projection import PreparedBatches, ProvenanceHandler


@dataclass(frozen=True, slots=True)
class Snapshots:
    """What has to do with snapshots."""

    shelf: SnapshotStore
    maker: SnapshotMaker
    service: SnapshotService


def log_signer(secrets: SecretStore, origin: str) -> NoteSigner:
    """The node's key as that of the log: a consortium's origin is agreed on after keys are made."""
    return NoteSigner(origin, secrets.load_note(LOG_KEY_LABEL).key)


def open_sealer(secrets: SecretStore) -> Sealer:
    """The node's key for secrets in its database; made where there is none yet."""
    if secrets.entry(KeyKind.SEALING, SEALING_KEY_LABEL) is None:
        return secrets.create_sealing(SEALING_KEY_LABEL)
    return secrets.load_sealing(SEALING_KEY_LABEL)


def open_ledger(
    directory: NodeDirectory, settings: NodeSettings, genesis: Genesis, secrets: SecretStore
) -> Ledger:
    """The chain in the node's folder; block 0 is made where there is none."""
    return Ledger.open(
        directory.chain,
        genesis=genesis,
        signer=log_signer(secrets, genesis.origin),
        engine=PyEvmEngine(reference=settings.chain.execution == "reference"),
        map_size_bytes=settings.chain.map_size_gib << 30,
    )


def open_driver(
    directory: NodeDirectory,
    settings: NodeSettings,
    ledger: Ledger,
    secrets: SecretStore,
    snapshots: SnapshotService | None = None,
    *,
    state_sync: StateSync | None = None,
    peers: tuple[str, ...] | None = None,
    genesis: bytes | None = None,
    signs: bool = True,
    accept_loss: bool = False,
) -> Driver:
    """Who decides the order, by `[consensus] driver`. Not started.

    For a node that joins: how it gets the state, the peers (by default those that the ledger
    names) and the engine's genesis.json (by default derived from the ledger's). Without `signs`
    the engine is given a key that no member knows, so that the node follows and never votes.
    `accept_loss`: the operator answers for no vote of a lost record (`KeyRing`). Raises
    `SettingsInvalid` where the ledger is no consortium's, and what the engine's room raises.
    """
    section = settings.consensus
    if section.driver == "solo":
        if ledger.consensus_mark() is not None:
            raise SettingsInvalid(
                'node.toml: consensus.driver: this ledger is agreed on with others: "cometbft"'
            )
        return SoloDriver(ledger, block_interval_ms=settings.chain.block_interval_ms)
    if ledger.genesis.nodes is None:
        raise SettingsInvalid(
            "node.toml: consensus.driver: this ledger's genesis names no Network contract, "
            "so that it can have one node only"
        )
    own = ensure_node_key(directory.engine)
    return CometBftDriver(
        ledger,
        EngineSettings(
            home=directory.engine,
            p2p_listen=section.p2p_listen,
            p2p_external=section.p2p_external,
            peers=peer_addresses(ledger, own) if peers is None else peers,
            genesis=genesis,
            timings=LOCAL if section.timing == "local" else WIDE,
            state_sync=state_sync,
            moniker=own.hex()[:8],
            retain_heights=settings.retained_heights,
        ),
        snapshots=snapshots,
        validator=secrets.load_validator(VALIDATOR_KEY_LABEL) if signs else None,
        find_validator=secrets.find_validator,
        accept_loss=accept_loss,
    )


def follow_peers(ledger: Ledger, driver: Driver) -> Callable[[], None]:
    """Tell the driver whenever other nodes come, go or move; returns what ends it."""
    network, permission = ledger.genesis.nodes, ledger.genesis.permission
    if network is None or permission is None or not isinstance(driver, CometBftDriver):
        return lambda: None
    # A node counts while its organisation does, whose standing is in the other contract.
    deciding = {network.contract, permission.contract}

    def on_block(block: CommittedBlock) -> None:
        if any(placed.log.address in deciding for placed in block.logs):
            driver.set_peers(peer_addresses(ledger, driver.node_id))

    return ledger.subscribe(on_block)


def engine_access(driver: Driver, snapshots: Snapshots | None) -> EngineAccess | None:
    """What other nodes may have of this one's engine; None where it orders alone."""
    if not isinstance(driver, CometBftDriver):
        return None
    return EngineAccess(
        chain_id=driver.chain_id,
        genesis=driver.genesis(),
        rpc=driver.engine_rpc,
        height=driver.height,
        snapshots=lambda: [
            (one.height, Manifest.of(one).size_bytes)
            for one in (snapshots.shelf.list() if snapshots else ())
        ],
    )


def open_witness(
    directory: NodeDirectory, settings: NodeSettings, ledger: Ledger, secrets: SecretStore
) -> Witness | None:
    """Who cosigns this node's log, by `[witness]`; None for a node outside a consortium."""
    in_consortium = ledger.genesis.nodes is not None and directory.descriptor.is_file()
    if not settings.witness.enabled or not in_consortium:
        return None
    own = ensure_node_key(directory.engine)
    return Witness.open(
        ledger,
        log_signer(secrets, ledger.origin),
        Descriptor.load(directory.descriptor).label,
        directory.witness,
        directory.evidence,
        peers=lambda: witnesses_of(ledger, own),
        threshold=lambda: witness_threshold(ledger),
    )


def open_gatherer(settings: NodeSettings, witness: Witness) -> Gatherer:
    """Who brings the witness what the other members' nodes say. Not started."""
    return Gatherer(witness, Pace(interval_s=settings.witness.interval_ms / 1000))


def open_snapshots(
    directory: NodeDirectory,
    settings: NodeSettings,
    ledger: Ledger,
    restorer: Restorer | None = None,
) -> Snapshots | None:
    """What joining nodes fetch, by `[snapshots]`; None for a node that orders alone. Not started.

    `restorer`: where this node is itself to be filled from another's snapshot.
    """
    if settings.consensus.driver == "solo":
        return None
    section = settings.snapshots
    shelf = SnapshotStore(directory.snapshots)
    maker = SnapshotMaker(directory.chain, shelf, keep=section.keep)
    # Blocks of before the engine cannot be replayed: without a snapshot nobody could join.
    promoted = _begins_late(directory, ledger)
    schedule = (
        SnapshotSchedule(
            maker, section.interval_heights, soon=lambda: promoted and not _of_the_engine(shelf)
        )
        if section.interval_heights
        else None
    )
    return Snapshots(shelf, maker, SnapshotService(ledger, shelf, restorer, schedule))


def _of_the_engine(shelf: SnapshotStore) -> bool:
    """Whether a snapshot was made since the engine began."""
    return any(Manifest.of(one).mark is not None for one in shelf.list())


def _begins_late(directory: NodeDirectory, ledger: Ledger) -> bool:
    """Whether the engine's first height comes after blocks that were made alone (promotion)."""
    try:
        document = Home(directory.engine).genesis.read_bytes()
    except FileNotFoundError:
        return ledger.consensus_mark() is None and ledger.head().header.number > 0
    return EngineStart.parse(document).block_number > 0


def database_url(directory: NodeDirectory, settings: NodeSettings) -> str:
    """The projection's database: what node.toml names, else SQLite in the folder."""
    return settings.database.url or f"sqlite:///{directory.database.absolute()}"


def make_projector(
    engine: Engine, ledger: Ledger, genesis: Genesis, prepared: PreparedBatches | None = None
) -> Projector:
    """The projector with the handlers of every room."""
    provenance = ProvenanceHandler(prepared, genesis.contracts["provenance"])
    entries = {address: _alloc_entry(genesis, address) for address in genesis.contracts.values()}
    handlers = consortium_handlers(genesis.contracts, entries, {"provenance": provenance})
    return Projector(engine, ledger, handlers)


def signers_of(secrets: SecretStore) -> dict[str, AccountSigner]:
    """Accounts that this node signs for members with, by organisation."""
    return {
        entry.label: secrets.load_account(entry.label)
        for entry in secrets.list()
        if entry.kind is KeyKind.ACCOUNT and entry.label != DEVELOPER_LABEL
    }


def _alloc_entry(genesis: Genesis, address: Address) -> AllocEntry:
    """The contract's entry as the genesis file has it; keys there may be spelled either way."""
    for key, entry in genesis.fields["alloc"].items():
        if bytes.fromhex(key.removeprefix("0x")) == address:
            return cast(AllocEntry, entry)
    raise SettingsInvalid(f"genesis.json places no contract at 0x{address.hex()}")
