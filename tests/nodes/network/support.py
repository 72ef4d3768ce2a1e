"""Descriptors of made-up members, signed by real keys."""

from __future__ import annotations

from contracts.consortium import Profile, Role
from ledger.crypto import AccountKey
from ledger.tlog import Ed25519Key
from nodes.endpoints import parse_endpoint
from nodes.network.descriptor import Descriptor

ORIGIN = "ledger.example/cold-chain"
TIME = 1_790_000_000


def descriptor(
    organisation: str, number: int, key: AccountKey | None = None, **changed: object
) -> Descriptor:
    """A member's node; `number` makes its addresses its own."""
    account = key or AccountKey.generate()
    values: dict[str, object] = {
        "organisation": organisation,
        "profile": Profile(organisation.title(), "成员"),
        "role": Role.MANUFACTURER,
        "accounts": (account.address,),
        "label": organisation,
        "node_id": bytes([number]) * 20,
        "validator_key": Ed25519Key.generate().public_key,
        "witness_key": Ed25519Key.generate().public_key,
        "p2p": parse_endpoint(f"node-{number}.example:26656"),
        "api": f"https://node-{number}.example",
        **changed,
    }
    return Descriptor(**values).signed(account)  # type: ignore[arg-type]
