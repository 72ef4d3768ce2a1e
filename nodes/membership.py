"""The consortium's nodes as the ledger has them now: who they are, and how they are reached."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from contracts.network import Contact, stored_node
from ledger.chain import Ledger, NodeEntry
from ledger.chain.permission import mapping_slot
from ledger.consensus.cometbft import EngineSettingsInvalid, PeerAddress
from ledger.state.protocol import StateReader
from ledger.tlog import NoteVerifier
from ledger.types import Address
from ledger.witness import PeerWitness, cosigner_of_text, label_of
from nodes.endpoints import parse_endpoint

WITNESS_THRESHOLD = "witnessThreshold"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Member:
    """A node and how to reach it."""

    entry: NodeEntry
    contact: Contact

    @property
    def label(self) -> str:
        """By which members name the node: the last part of its witness key's name."""
        return self.contact.witness_key.partition("+")[0].rpartition("/")[2]


def members_of(ledger: Ledger) -> tuple[Member, ...]:
    """All registered nodes at the head; empty where the ledger is no consortium's."""
    layout = ledger.genesis.nodes
    if layout is None:
        return ()
    entries = ledger.nodes()
    with ledger.state() as state:
        words = StoredWords(state, layout.contract)
        return tuple(Member(one, stored_node(words, one.id).contact) for one in entries)


def peer_addresses(ledger: Ledger, own: bytes) -> tuple[str, ...]:
    """Active nodes but this one as `id@host:port`, for the engine.

    An address that is none is left out: its owner dials us.
    """
    return peers_of(
        (one.entry.id.hex(), one.contact.p2p)
        for one in members_of(ledger)
        if one.entry.active and one.entry.id != own
    )


def peers_of(nodes: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Node ids (hex) with their `host:port` as `id@host:port`, for the engine.

    What others wrote is left out, with a line in the log, where the engine's room would refuse it:
    one member's address must not keep the others from starting.
    """
    found = []
    for node, address in nodes:
        try:
            found.append(str(PeerAddress.parse(f"{node}@{parse_endpoint(address)}")))
        except (ValueError, EngineSettingsInvalid) as bad:
            _log.warning("node %s is not dialled: %s", node[:40], bad)
    return tuple(found)


def witnesses_of(ledger: Ledger, own: bytes) -> tuple[PeerWitness, ...]:
    """The other active nodes as witnesses; a key that is none of this log does not count."""
    return tuple(one for node, one in _witnesses(ledger) if node != own)


def active_witnesses(ledger: Ledger) -> tuple[NoteVerifier, ...]:
    """Witness keys of all active nodes, this one's among them."""
    return tuple(one.verifier for _, one in _witnesses(ledger))


def _witnesses(ledger: Ledger) -> Iterator[tuple[bytes, PeerWitness]]:
    """Active nodes with their ids, as witnesses."""
    for member in members_of(ledger):
        if not member.entry.active:
            continue
        verifier = cosigner_of_text(member.contact.witness_key, ledger.origin)
        if verifier is not None:
            label = label_of(verifier.name, ledger.origin) or verifier.name
            yield member.entry.id, PeerWitness(label, verifier, member.contact.api)


def witness_threshold(ledger: Ledger) -> int:
    """How many cosignatures a verifier of this consortium should ask for.

    What the members have set (Parameters), else more than two thirds of the active nodes.
    """
    layout = ledger.genesis.parameters
    active = sum(1 for one in ledger.nodes() if one.active)
    if layout is not None:
        slot = mapping_slot(WITNESS_THRESHOLD.encode().ljust(32, b"\0"), layout.values_slot)
        with ledger.state() as state:
            chosen = state.storage(layout.contract, slot)
        if 0 < chosen <= active:
            return chosen
    return active * 2 // 3 + 1


class StoredWords(Mapping[int, int]):
    """A contract's storage as a mapping of slots."""

    def __init__(self, state: StateReader, address: Address) -> None:
        self._state = state
        self._address = address

    def __getitem__(self, slot: int) -> int:
        return self._state.storage(self._address, slot)

    def __iter__(self) -> Iterator[int]:
        return iter(())  # slots are known by what is asked for, not listed

    def __len__(self) -> int:
        return 0
