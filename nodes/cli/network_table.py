"""What `tally network up` shows of its nodes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from nodes.cli.output import out
from nodes.network.processes import MemberProcess, NetworkProcesses

ASK_TIMEOUT_S = 2.0
WIDTH_MAX = 400


@dataclass(frozen=True, slots=True)
class Seen:
    """One node at one moment."""

    height: str
    root: str
    size: str
    peers: str
    cosignatures: str


NOTHING = Seen("–", "–", "–", "–", "–")


class NetworkTable:
    """Asks all nodes at once and makes a table of the answers. Use as a context manager."""

    def __init__(self, running: NetworkProcesses) -> None:
        self._running = running
        self._askers = ThreadPoolExecutor(len(running.members), thread_name_prefix="table")
        self._http = httpx.Client(timeout=ASK_TIMEOUT_S, trust_env=False)

    def __enter__(self) -> NetworkTable:
        return self

    def __exit__(self, *_: object) -> None:
        self._askers.shutdown()
        self._http.close()

    def render(self) -> Table:
        """The table of this moment."""
        table = Table(box=SIMPLE_HEAD, pad_edge=False)
        for head in ("member", "state", "block", "leaves", "log root", "peers", "cosigned", "URL"):
            table.add_column(head, overflow="fold")  # where there is no room: never cut
        members = self._running.members
        for one, seen in zip(members, self._askers.map(self._ask, members), strict=True):
            url = str(one.ready["url"]) if one.ready else ""
            state = "[green]runs[/]" if one.end is None else f"[red]{one.end}[/]"
            table.add_row(
                one.member.organisation,
                state,
                seen.height,
                seen.size,
                seen.root,
                seen.peers,
                seen.cosignatures,
                url,
            )
        return table

    def print_whole(self) -> None:
        """The table as wide as it needs to be: for files and pipes."""
        Console(file=out.file, width=WIDTH_MAX, highlight=False, emoji=False).print(self.render())

    def _ask(self, one: MemberProcess) -> Seen:
        if one.ended is not None or one.ready is None:
            return NOTHING
        try:
            status = self._http.get(f"{one.ready['url']}/status").raise_for_status().json()
            note = self._http.get(f"{one.ready['url']}/log/checkpoint").raise_for_status().text
            peers = self._http.get(f"{one.ready['operations']}/metrics").raise_for_status().text
            return _seen(status["head"]["number"], note, peers)
        except (httpx.HTTPError, ValueError, KeyError, TypeError, IndexError):
            return NOTHING


def _seen(height: int, note: str, metrics: str) -> Seen:
    """From the answers: a checkpoint is its origin, size, root, a blank line, signatures (C2SP)."""
    text, _, signatures = note.partition("\n\n")
    size, root = text.splitlines()[1:3]
    lines = [line for line in signatures.splitlines() if line.startswith("\u2014 ")]
    found = (line for line in metrics.splitlines() if line.startswith("tallystick_peers "))
    peers = next((line.split()[-1] for line in found), "–")
    return Seen(
        height=str(height),
        root=root[:12],
        size=size,
        peers=peers.removesuffix(".0"),
        cosignatures=str(max(0, len(lines) - 1)),
    )


def ready_fields(running: NetworkProcesses) -> dict[str, object]:
    """For machines: all that each node said when it was ready, and where its folder is."""
    return {
        "directory": str(running.network.root),
        "origin": running.network.origin,
        "trust": str(running.network.root / "trust.json"),
        "nodes": [
            {
                **(one.ready or {}),
                "directory": str(one.member.directory.root),
                "pid": one.process.pid,
            }
            for one in running.members
        ],
    }
