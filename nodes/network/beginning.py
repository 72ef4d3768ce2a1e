"""What a ledger begins with, as the members' nodes show it: only what the trust file pins counts.

Block 0's hash binds the state alone. How nodes read that state, the "tallystick" section, stands in
no block, and neither does the engine's beginning of a promoted ledger: hence the pin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from ledger.chain import Genesis
from ledger.consensus.cometbft import EngineHomeInvalid, EngineStart
from nodes.layout import NodeDirectory
from nodes.network.adoption import write_new
from nodes.network.errors import JoinRefused
from nodes.network.source import MemberSource, same
from nodes.pinning import derived_engine_genesis, document_hash
from traceability.bundle import GenesisPin, Trust

HASH_SIZE_BYTES: Final = 32
_NEWER: Final = (
    "ask a member you trust for a newer one (the trust.json of its node, or `tally network trust`)"
)


@dataclass(frozen=True, slots=True)
class Beginning:
    """The two genesis documents of one network."""

    genesis: Genesis
    engine: bytes | None
    """The engine's genesis.json; None where it follows from the ledger's."""
    chain_id: str
    """Of the engine's network."""

    @property
    def blocks_before(self) -> int:
        """Blocks that were made before the engine began, and that it does not have."""
        return 0 if self.engine is None else EngineStart.parse(self.engine).block_number


def demand_pin(trust: Trust, given_hash: str | None = None) -> Trust:
    """The trust with the pin that a joiner needs: the file's own, or one given by hand.

    `given_hash`: SHA-256 of the canonical genesis.json in hex, with spaces or without, as `tally
    network genesis` and `tally node adopt` show it. Raises `JoinRefused`.
    """
    if given_hash is None:
        if trust.genesis is None:
            raise JoinRefused(
                f"the trust file does not say which genesis is meant: {_NEWER}, or give the hash "
                "that a member reads out to you with --genesis-hash"
            )
        return trust
    try:
        digest = bytes.fromhex(given_hash)
    except ValueError:
        digest = b""
    if len(digest) != HASH_SIZE_BYTES:
        raise JoinRefused(f"--genesis-hash {given_hash[:80]!r}: 64 hexadecimal digits are meant")
    if trust.genesis is None:
        return replace(trust, genesis=GenesisPin(digest))
    if trust.genesis.document != digest:
        raise JoinRefused(
            f"--genesis-hash {digest.hex()} is not that of the trust file, "
            f"{trust.genesis.document.hex()}: find out which of the two is right"
        )
    return trust


def fetch_beginning(sources: Sequence[MemberSource], trust: Trust) -> Beginning:
    """What all sources begin with, if it is what the trust file pins. Nothing is written.

    Raises `JoinRefused`, `NodeUnreachable`, `GenesisInvalid`.
    """
    genesis = _genesis(sources, trust)
    given = same(sources, "engine genesis", [source.engine_genesis() for source in sources])
    derived = derived_engine_genesis(genesis)
    _check_engine(sources[0], given, derived, trust)
    try:
        start = EngineStart.parse(given)
    except EngineHomeInvalid as bad:
        raise JoinRefused(f"{sources[0].url}: {bad}") from None
    if start.genesis_hash != genesis.block.hash:
        raise JoinRefused(f"{sources[0].url}: its engine is of another ledger than its genesis")
    return Beginning(genesis, None if given == derived else given, start.chain_id)


def adopt_beginning(directory: NodeDirectory, beginning: Beginning, trust: Trust) -> None:
    """Write genesis and trust file into the folder, where they are not there yet.

    Raises `JoinRefused` where another genesis is there.
    """
    if directory.genesis.exists():
        if Genesis.load(directory.genesis) != beginning.genesis:
            raise JoinRefused(f"{directory.genesis} is another genesis than that of the network")
    else:
        write_new(directory.genesis, beginning.genesis.document)
    if not directory.trust.exists():
        trust.save(directory.trust)


def _genesis(sources: Sequence[MemberSource], trust: Trust) -> Genesis:
    document = same(sources, "genesis", [source.genesis() for source in sources])
    genesis = Genesis.decode(document)
    url = sources[0].url
    for what, found, known in (
        ("origin", genesis.origin, trust.origin),
        ("chain id", genesis.chain_id, trust.chain_id),
        ("Consortium contract", genesis.contracts.get("consortium"), trust.consortium),
        ("Provenance contract", genesis.contracts.get("provenance"), trust.provenance),
    ):
        if found != known:
            raise JoinRefused(
                f"{url} is of another ledger than the trust file: {what} "
                f"{_shown(found)} instead of {_shown(known)}"
            )
    pin = _pin(trust)
    if document_hash(genesis) != pin.document:
        raise JoinRefused(
            f"{url} shows another genesis than the trust file pins: hash "
            f"{document_hash(genesis).hex()} instead of {pin.document.hex()}; it is of a fork, or "
            f"the trust file is: {_NEWER}"
        )
    return genesis


def _check_engine(source: MemberSource, given: bytes, derived: bytes | None, trust: Trust) -> None:
    pin = _pin(trust)
    if pin.engine is not None:
        if sha256(given).digest() != pin.engine:
            raise JoinRefused(
                f"{source.url} shows another beginning of the engine than the trust file pins: "
                f"hash {sha256(given).hexdigest()} instead of {pin.engine.hex()}"
            )
    elif derived is None:
        raise JoinRefused(
            "this ledger was begun by one node alone, and the trust file does not say where the "
            f"consortium took over: {_NEWER}"
        )
    elif given != derived:
        raise JoinRefused(
            f"{source.url} shows a beginning of the engine that does not follow from the genesis: "
            "it is of a fork, or runs other software"
        )


def _pin(trust: Trust) -> GenesisPin:
    if trust.genesis is None:
        raise JoinRefused("the trust file does not say which genesis is meant")
    return trust.genesis


def _shown(value: object) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)
