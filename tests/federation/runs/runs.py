"""Parties and runs for the tests."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from federation.channel import Message, get_int
from federation.runs import (
    Json,
    Party,
    PartyWork,
    Refusal,
    Run,
    Stage,
    StageContext,
    code_hash,
)

PARTIES = ("bank", "maker", "platform")


@dataclass
class AskedGate:
    """Lets everything pass but the stages named; remembers what it was asked."""

    refused: Mapping[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def check(self, run: Run, stage: Stage, /) -> Refusal | None:
        self.asked.append(stage.name)
        reason = self.refused.get(stage.name)
        return None if reason is None else Refusal(reason)


def count(context: StageContext) -> Mapping[str, Json]:
    """Each party tells the others a number; all answer with the sum."""
    mine = len(context.me)
    for other in sorted(context.channel.others):
        context.channel.send(other, Message("test/number", {"number": mine}))
    total = mine
    for done, other in enumerate(sorted(context.channel.others), 1):
        message = context.channel.receive(other, "test/number")
        total += get_int(message, "number", minimum=0, maximum=100)
        context.progress(done, len(context.channel.others), {"total": float(total)})
    tries = context.folder / f"{context.stage.name}.tries"
    tries.write_text(tries.read_text() + "." if tries.exists() else ".")
    return {"total": total, "offset": context.stage.config.get("offset", 0)}


def party(name: str, root: Path, gate: AskedGate | None = None, **works: PartyWork) -> Party:
    """A party that knows `count` and what else is given."""
    return Party(name, {"count": count, **works}, gate or AskedGate(), root / name)


def everybody(root: Path, **works: PartyWork) -> list[Party]:
    return [party(name, root, **works) for name in PARTIES]


def run_of(
    *stages: Stage, parties: tuple[str, ...] = PARTIES, code: str = "", number: str = "0x01ab"
) -> Run:
    return Run(number, "project-7", "0x" + "11" * 32, code or code_hash(), parties, stages)


def wait(seconds: float) -> None:
    threading.Event().wait(seconds)
