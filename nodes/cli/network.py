"""`tally network new` and `up`: a consortium on one machine, for trying out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.live import Live

from ledger.consensus.cometbft import find_engine
from ledger.crypto import new_passphrase, passphrase_for
from nodes.cli.network_table import NetworkTable, ready_fields
from nodes.cli.options import AsJson, AskPassphrase, PassphraseFile
from nodes.cli.output import EXIT_INVALID, err, out, print_json, program
from nodes.client import NodeAddress, forget, remember, remembered
from nodes.network.cast import default_cast, read_cast
from nodes.network.errors import FoundingRefused
from nodes.network.processes import LOG_NAME, MemberProcess, NetworkProcesses
from nodes.network.trial import TrialNetwork, new_network
from nodes.serving import wait_for_stop
from traceability.bundle import Trust, TrustStore

REFRESH_S = 1.0

NetworkFolder = Annotated[
    Path, typer.Argument(metavar="DIR", help="The network's folder.", file_okay=False)
]


def new(
    directory: NetworkFolder,
    members: Annotated[
        int | None, typer.Option("--members", help="How many members; 4 unless named.")
    ] = None,
    organisations: Annotated[
        list[str] | None,
        typer.Option(
            "--organisation",
            help="ID:ROLE:NAME:中文名 of a member, names optional; repeat for each.",
        ),
    ] = None,
    hosts: Annotated[
        list[str] | None,
        typer.Option(
            "--host", help="Address that the nodes listen on; repeat for one each. [127.0.0.1]"
        ),
    ] = None,
    origin: Annotated[
        str | None, typer.Option("--origin", help="Name of the log, if not a drawn one.")
    ] = None,
    ask: AskPassphrase = False,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Write a ready consortium: one folder a member, with keys, genesis and settings.

    Every organisation has one vote. One passphrase encrypts the keys of all: --passphrase-file,
    --ask-passphrase, $TALLY_PASSPHRASE_FILE or $TALLY_PASSPHRASE.

    \b
    Example:  tally network new --members 4 ./net
    """
    if organisations and members not in (None, len(organisations)):
        raise FoundingRefused(f"--members {members}, but {len(organisations)} are named")
    cast = read_cast(organisations) if organisations else default_cast(members or 4)
    network = new_network(
        directory,
        cast,
        hosts=hosts or (),
        origin=origin,
        passphrase=new_passphrase(passphrase_file, ask=ask),
    )
    if as_json:
        print_json(
            {
                "directory": str(network.root),
                "origin": network.origin,
                "genesis": str(network.root / "genesis.json"),
                "trust": str(network.root / "trust.json"),
                "members": [
                    {"organisation": one.organisation, "directory": str(one.directory.root)}
                    for one in network.members
                ],
            }
        )
        return
    out.print(f"A consortium of {len(cast)} in {directory}, log {network.origin}", markup=False)
    for member in cast:
        names = f"{member.name} {member.name_zh}".strip()
        out.print(f"  {member.id:18} {member.role.word:13} {names}", markup=False)
    out.print(f"Run it:         {program()} network up {directory}", markup=False)
    out.print(f"Trust file:     {network.root / 'trust.json'}", markup=False)
    out.print("Each folder is a whole node; node.toml holds its settings, keys/ its secrets.")


def up(
    directory: NetworkFolder,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Run all nodes of a network on this machine, one process each, until Ctrl-C.

    A node that ends is shown, not started again. Its log is node.log in its folder. Meanwhile
    `tally capture` and the like act as the first member; others by --url and --key, the bearer key
    in developer.json of their folders.

    \b
    Example:  tally network up ./net
    """
    network = TrialNetwork.load(directory.absolute())
    find_engine()
    TrustStore().add(Trust.load(network.root / "trust.json"))
    passphrase = passphrase_for(network.members[0].directory.keys, passphrase_file)
    with NetworkProcesses(network, passphrase) as running:
        if not as_json:
            err.print(f"starting {len(network.members)} nodes …")
        running.wait_ready()
        with _remembered(running):
            if as_json:
                print_json(ready_fields(running))
                watch = Watch(running)
                wait_for_stop(watch.look)
            else:
                _show(running)
        failed = [one for one in running.members if one.ended not in (None, 0)]
    if failed:
        raise typer.Exit(EXIT_INVALID)


@contextmanager
def _remembered(running: NetworkProcesses) -> Iterator[None]:
    """While the network runs, commands that name no node act as its first member."""
    ready = running.members[0].ready or {}
    before, own = remembered(), NodeAddress(str(ready["url"]), str(ready["key"]))
    remember(own)
    err.print(
        f"`{program()} capture` acts as {ready['organisation']} at {ready['url']}; another member: "
        "--url, and --key from developer.json in its folder",
        markup=False,
    )
    try:
        yield
    finally:
        forget(own, before)


class Watch:
    """Tells of each node that has ended, once."""

    def __init__(
        self, running: NetworkProcesses, changed: Callable[[], None] = lambda: None
    ) -> None:
        """`changed` is called after each time that something was told."""
        self._running = running
        self._changed = changed
        self._told: set[str] = set()

    def look(self) -> str | None:
        """Tell what is new. Gives the reason to end where all have ended."""
        new = [
            one
            for one in self._running.members
            if one.end is not None and one.member.organisation not in self._told
        ]
        for one in new:
            self._told.add(one.member.organisation)
            log = one.member.directory.root / LOG_NAME
            err.print(
                f"the node of {one.member.organisation} has {_was(one)}; see {log}", markup=False
            )
        if new:
            self._changed()
        return _all_ended(self._running)


def _was(one: MemberProcess) -> str:
    end = one.end or ""
    return f"been {end}" if end.startswith("killed") else end


def _show(running: NetworkProcesses) -> None:
    """The live table on a terminal; elsewhere it is printed once."""
    table = NetworkTable(running)
    with table:
        if not out.is_terminal:
            table.print_whole()
            watch = Watch(running, table.print_whole)
            wait_for_stop(watch.look)
            return
        with Live(table.render(), console=out, auto_refresh=False) as live:
            last = time.monotonic()

            def refresh() -> str | None:
                nonlocal last
                if time.monotonic() - last >= REFRESH_S:
                    last = time.monotonic()
                    live.update(table.render(), refresh=True)
                return _all_ended(running)

            wait_for_stop(refresh)


def _all_ended(running: NetworkProcesses) -> str | None:
    return "all nodes have ended" if all(one.ended is not None for one in running.members) else None
