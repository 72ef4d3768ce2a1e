"""Waiting until the members have admitted a node."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from nodes.membership import peers_of
from nodes.network.descriptor import Descriptor
from nodes.network.errors import JoinRefused
from nodes.network.source import MemberSource, Standing

POLL_S: Final = 2.0

Tell = Callable[[str], None]
"""Told of each step, in one line."""


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


def peers_among(nodes: Sequence[Standing], own: bytes) -> tuple[str, ...]:
    """Active nodes but this one as `id@host:port`, for the engine.

    An address that is none is left out: its owner dials us.
    """
    return peers_of((one.id, one.p2p) for one in nodes if one.active and one.id != own.hex())
