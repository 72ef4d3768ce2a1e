"""What a ledger begins with, as its trust file pins it: hashes of both genesis documents."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from ledger.chain import Genesis
from ledger.consensus.cometbft import EngineHalted, engine_genesis
from ledger.consensus.cometbft.home import Home
from nodes.layout import NodeDirectory
from traceability.bundle import GenesisPin, Trust


def pin_of(genesis: Genesis, engine: bytes | None = None) -> GenesisPin:
    """The pin of a ledger; `engine` is the genesis.json that its engine has, if it has one."""
    follows = engine is None or engine == derived_engine_genesis(genesis)
    return GenesisPin(document_hash(genesis), None if follows else sha256(engine or b"").digest())


def pinned(trust: Trust, genesis: Genesis, engine: bytes | None = None) -> Trust:
    """The trust file of this ledger with its pin."""
    return replace(trust, genesis=pin_of(genesis, engine))


def complete_pin(directory: NodeDirectory, genesis: Genesis, *, engine: bool) -> None:
    """Pin the beginning in a node's own trust file, where that was written before there were pins.

    `engine`: whether the node has one. Raises `TrustMalformed`.
    """
    trust = Trust.load(directory.trust)
    if trust.genesis is None:
        pinned(trust, genesis, _engine_genesis(directory) if engine else None).save(directory.trust)


def _engine_genesis(directory: NodeDirectory) -> bytes | None:
    """None before the engine's first start: its beginning follows from the ledger's then."""
    try:
        return Home(directory.engine).genesis.read_bytes()
    except FileNotFoundError:
        return None


def document_hash(genesis: Genesis) -> bytes:
    """SHA-256 of the canonical genesis.json: of all of it, however the file is laid out."""
    return sha256(genesis.document).digest()


def derived_engine_genesis(genesis: Genesis) -> bytes | None:
    """The engine's genesis.json that follows from ours; None where that names no validator."""
    if genesis.nodes is None:
        return None
    try:
        return engine_genesis(genesis)
    except EngineHalted:
        return None
