"""Starting parties as processes, and the consortium that they belong to."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from federation.channel import (
    Address,
    Authority,
    Identity,
    create_authority,
    issue_identity,
    save_identity,
)

PROJECT = Path(__file__).resolve().parents[3]
RUN = "0x" + "5a" * 32
CODE = bytes(range(32))


@dataclass(frozen=True, slots=True)
class Consortium:
    """An authority and the identities of a bank and a mill, made once for all tests."""

    authority: Authority
    bank: Identity
    mill: Identity


def make_consortium() -> Consortium:
    authority = create_authority("Test consortium")
    return Consortium(
        authority, issue_identity(authority, "bank"), issue_identity(authority, "mill")
    )


class Party:
    """A party in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def outcome(self, timeout_s: float = 60) -> dict[str, Any]:
        """What it printed last, once it has ended."""
        output, _ = self._process.communicate(timeout=timeout_s)
        result: dict[str, Any] = json.loads(output.strip().splitlines()[-1])
        return result

    def wait_until_here(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stdout.readline().strip() == "here"

    def kill(self) -> None:
        self._process.kill()

    def stop(self) -> None:
        """Neither runs nor ends: a machine that hangs."""
        self._process.send_signal(signal.SIGSTOP)


@contextmanager
def party(
    folder: Path,
    identity: Identity,
    peer: str,
    place: Address,
    act: str,
    *,
    run: str = RUN,
    code: bytes = CODE,
    relay: bool = False,
    timeout_s: float = 20,
    silence_s: float = 20,
) -> Iterator[Party]:
    """Run a party; it is killed at the end if it has not ended by itself."""
    save_identity(identity, folder / identity.organisation)
    plan = {
        "identity": str(folder / identity.organisation),
        "run": run,
        "code": code.hex(),
        "peers": {peer: [place.host, place.port]},
        "relay": relay,
        "act": act,
        "timeout_s": timeout_s,
        "silence_s": silence_s,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.federation.channel.party", json.dumps(plan)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Party(process)
    finally:
        process.kill()
        process.communicate()
