"""The genesis of a consortium, made from the founders' descriptors alone.

Whoever has the same descriptors, origin and time makes the same bytes, so members make it each for
themselves and compare its hash.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Sequence
from hashlib import sha256
from typing import Final

from ledger.canonical import canonical_json
from ledger.chain import Genesis
from ledger.tlog import NoteVerifier
from nodes.founding import CHAIN_ID_LOWEST, genesis_document
from nodes.network.descriptor import Descriptor
from nodes.network.errors import FoundingRefused
from nodes.network.founders import consortium_contracts, founding_nodes
from nodes.pinning import document_hash, pin_of
from traceability.bundle import Trust

MEMBERS_MAX: Final = 128
CHAIN_IDS: Final = 1 << 30
TIME_MIN: Final = 1_577_836_800
"""2020-01-01: an earlier time is a slip."""
TIME_MAX: Final = 1 << 33


def consortium_genesis(descriptors: Sequence[Descriptor], origin: str, timestamp: int) -> bytes:
    """The `genesis.json` of these founders, each organisation with one vote.

    The order of the descriptors does not matter. `timestamp`: seconds since 1970, agreed on as
    everything else. Raises `FoundingRefused` and what makes the genesis invalid.
    """
    founders = sorted(descriptors, key=lambda one: (one.organisation, one.label))
    _check(founders)
    if not TIME_MIN <= timestamp <= TIME_MAX:
        raise FoundingRefused(f"--time {timestamp}: seconds since 1970 are meant")
    contracts = consortium_contracts(founders, origin)
    document = genesis_document(
        contracts, origin, _chain_id(founders, origin, timestamp), timestamp
    )
    data = json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"
    Genesis.parse(json.loads(data))
    return data


def genesis_hash(genesis: Genesis) -> str:
    """SHA-256 of the canonical genesis in hex, in groups of eight, for comparing over the phone.

    However the file is laid out, it is the same for all that agree.
    """
    digits = document_hash(genesis).hex()
    return " ".join(digits[at : at + 8] for at in range(0, len(digits), 8))


def consortium_trust(genesis: Genesis) -> Trust:
    """The trust file that follows from a genesis: more than two thirds of its nodes vouch.

    Raises `GenesisForeign` where it is no consortium's.
    """
    keys = [NoteVerifier.parse(node.contact.witness_key) for node in founding_nodes(genesis)]
    return Trust(
        name=genesis.origin,
        origin=genesis.origin,
        keys=tuple(sorted(keys, key=lambda key: key.name)),
        threshold=more_than_two_thirds(len(keys)),
        chain_id=genesis.chain_id,
        consortium=genesis.contracts["consortium"],
        provenance=genesis.contracts["provenance"],
        directory=genesis.contracts.get("directory"),
        genesis=pin_of(genesis),
    )


def more_than_two_thirds(count: int) -> int:
    """The least number that is more than two thirds of `count`."""
    return count * 2 // 3 + 1


def _chain_id(founders: Sequence[Descriptor], origin: str, timestamp: int) -> int:
    """Another one for each ledger, and the same for whoever founds the same one."""
    content = canonical_json(
        {"origin": origin, "time": timestamp, "nodes": [dict(one.fields()) for one in founders]}
    )
    return CHAIN_ID_LOWEST + int.from_bytes(sha256(content).digest()[:8], "big") % CHAIN_IDS


def _check(founders: Sequence[Descriptor]) -> None:
    if not founders:
        raise FoundingRefused("no descriptor is given: at least one founder is needed")
    if len(founders) > MEMBERS_MAX:
        raise FoundingRefused(f"{len(founders)} founders, at most {MEMBERS_MAX}")
    for what, of in _DISTINCT:
        _check_distinct(founders, what, of)
    by_id: dict[str, Descriptor] = {}
    for one in founders:
        known = by_id.setdefault(one.organisation, one)
        if (one.profile, one.role) != (known.profile, known.role):
            raise FoundingRefused(
                f"two descriptors of {one.organisation} name it differently or give it other roles"
            )
    owners: dict[bytes, str] = {}
    for one in founders:
        for account in one.accounts:
            if owners.setdefault(account, one.organisation) != one.organisation:
                raise FoundingRefused(
                    f"account 0x{account.hex()} is named by {one.organisation} and "
                    f"{owners[account]}"
                )


def _check_distinct(
    founders: Sequence[Descriptor], what: str, of: Callable[[Descriptor], Hashable]
) -> None:
    seen: dict[Hashable, Descriptor] = {}
    for one in founders:
        other = seen.setdefault(of(one), one)
        if other is not one:
            raise FoundingRefused(
                f"the nodes {other.label} of {other.organisation} and {one.label} of "
                f"{one.organisation} have the same {what}: each node has its own"
            )


_DISTINCT: Final[tuple[tuple[str, Callable[[Descriptor], Hashable]], ...]] = (
    ("label", lambda one: one.label),
    ("node id", lambda one: one.node_id),
    ("validator key", lambda one: one.validator_key),
    ("witness key", lambda one: one.witness_key),
    ("p2p address", lambda one: one.p2p),
    ("API address", lambda one: one.api),
)
