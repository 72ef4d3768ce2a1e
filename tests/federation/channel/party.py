"""A party in a process of its own, for tests: `python -m tests.federation.channel.party <plan>`.

The plan is JSON: identity (folder), run, code (hex), peers (id → address, or via a relay), act.
What came of it is printed as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from federation.channel import (
    Address,
    ChannelError,
    Message,
    TlsChannel,
    ViaRelay,
    load_identity,
    open_tls_channel,
)


def echo(channel: TlsChannel) -> str:
    """Send back what comes until told to stop."""
    (other,) = channel.others
    while True:
        message = channel.receive(other, "test/echo")
        if "stop" in message.body:
            return "stopped"
        channel.send(other, message)


def stall(channel: TlsChannel) -> str:
    """Say nothing, but be there."""
    print("here", flush=True)
    time.sleep(60)
    return "slept"


def flood(channel: TlsChannel) -> str:
    """Send without being asked, as much as goes."""
    (other,) = channel.others
    while True:
        channel.send(other, Message("test/flood", {"data": bytes(1 << 16)}))


ACTS: dict[str, Callable[[TlsChannel], str]] = {"echo": echo, "stall": stall, "flood": flood}


def main() -> None:
    plan: dict[str, Any] = json.loads(sys.argv[1])
    identity = load_identity(Path(plan["identity"]))
    peers = {
        party: ViaRelay(Address(*place)) if plan["relay"] else Address(*place)
        for party, place in plan["peers"].items()
    }
    try:
        channel = open_tls_channel(
            plan["run"],
            identity.organisation,
            identity,
            peers,
            code=bytes.fromhex(plan["code"]),
            connect_timeout_s=60,
            timeout_s=plan["timeout_s"],
            silence_s=plan["silence_s"],
        )
        result = {"result": ACTS[plan["act"]](channel), "sent": channel.traffic.sent_bytes}
        channel.close()
    except ChannelError as error:
        result = {"error": type(error).__name__, "party": error.party, "text": str(error)}
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
