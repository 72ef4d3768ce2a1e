"""From one node that orders alone to a consortium, on the same ledger."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.consortium import Organisation, find_organisation
from contracts.network import FoundingNode
from ledger.chain import Genesis, Ledger
from ledger.consensus.cometbft import CometBftDriver
from ledger.crypto import KeyStore
from ledger.projection import open_database, read_transaction, upgrade
from nodes.layout import NodeDirectory
from nodes.membership import active_witnesses
from nodes.network.descriptor import Descriptor
from nodes.network.errors import PromotionRefused
from nodes.network.founding import more_than_two_thirds
from nodes.network.trusting import extended
from nodes.opening import database_url, open_driver, open_ledger
from nodes.pinning import pinned
from nodes.settings import NodeSettings, load_settings, write_settings
from traceability.bundle import Trust


@dataclass(frozen=True, slots=True)
class Promoted:
    """What came of it."""

    block_number: int
    """Of the last block that was made alone."""
    engine_chain: str
    """Name of the engine's network."""
    own_power: int
    power: int
    """Of all validators."""
    trust: Trust


def organisation_of(directory: NodeDirectory, organisation: str) -> Organisation:
    """The member as the ledger knows it. Raises `PromotionRefused`."""
    engine = open_database(database_url(directory, load_settings(directory.settings)))
    try:
        upgrade(engine)
        with read_transaction(engine) as connection:
            found = find_organisation(connection, organisation)
    finally:
        engine.dispose()
    if found is None:
        raise PromotionRefused(f"{organisation!r} is no member of this ledger")
    return found


def check_promotable(directory: NodeDirectory) -> None:
    """Raises `PromotionRefused` where the ledger cannot or need not be promoted."""
    if load_settings(directory.settings).consensus.driver != "solo":
        raise PromotionRefused(f"{directory.root} is a consortium's node already")
    if Genesis.load(directory.genesis).nodes is None:
        raise PromotionRefused(
            "this ledger's genesis places no Network contract, so that no other node can ever be "
            "registered; found a new ledger, and capture into it what shall go on"
        )


def registered(node: FoundingNode | None, descriptor: Descriptor) -> bool:
    """Whether the Network contract has this node as a validator with the key of its folder."""
    return node is not None and node.power > 0 and node.validator_key == descriptor.validator_key


def promote(directory: NodeDirectory, passphrase: str) -> Promoted:
    """Turn a stopped solo node into a node of the consortium that its ledger names.

    The engine begins where the ledger ends; nothing of the history changes. Again changes nothing.
    Raises `PromotionRefused` where this node is no validator by then, or could not make blocks
    before others have joined: they join by a snapshot, which is made after the first block.
    """
    check_promotable(directory)
    descriptor = Descriptor.load(directory.descriptor)
    settings = load_settings(directory.settings)
    secrets = KeyStore(directory.keys, passphrase)
    ledger = open_ledger(directory, settings, Genesis.load(directory.genesis), secrets)
    try:
        own_power, power = _powers(ledger, descriptor)
        if own_power * 3 <= power * 2:
            raise PromotionRefused(
                f"this node has {own_power} of {power} power, and nobody else has the ledger yet: "
                "no block would ever be made. Start it again as it is, take power from the others "
                "(`tally proposal new set-power NODE 1`), promote it, and give the power back when "
                "their nodes have joined"
            )
        after = _as_member(settings, descriptor)
        driver = open_driver(directory, after, ledger, secrets)  # writes the engine's beginning
        assert isinstance(driver, CometBftDriver)
        promoted = Promoted(
            ledger.head().header.number,
            driver.chain_id,
            own_power,
            power,
            _trust(ledger, Trust.load(directory.trust), driver.genesis()),
        )
    finally:
        ledger.close()
    promoted.trust.save(directory.trust)
    write_settings(directory.settings, after)
    return promoted


def _powers(ledger: Ledger, descriptor: Descriptor) -> tuple[int, int]:
    nodes = ledger.nodes()
    own = next((one for one in nodes if one.id == descriptor.node_id), None)
    if own is None or not own.power or own.validator_key != descriptor.validator_key:
        raise PromotionRefused(
            "the Network contract does not have this node as a validator with its key: start the "
            "node and run the same command again, which then proposes it"
        )
    return own.power, sum(one.power for one in nodes)


def _as_member(settings: NodeSettings, descriptor: Descriptor) -> NodeSettings:
    section = settings.consensus.model_copy(
        update={"driver": "cometbft", "p2p_listen": f"0.0.0.0:{descriptor.p2p.port}"}
    )
    return settings.model_copy(update={"consensus": section})


def _trust(ledger: Ledger, before: Trust, engine: bytes) -> Trust:
    """More than two thirds of the active nodes vouch from now on; the engine begins here.

    The keys of before stay beside them, so that this node's part in old proofs still counts.
    """
    witnesses = active_witnesses(ledger)
    trust = extended(before, witnesses, more_than_two_thirds(len(witnesses)))
    return pinned(trust, ledger.genesis, engine)
