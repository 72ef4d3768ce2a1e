"""`tally node join` and `promote`: into a running consortium, or from one node to many."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from ledger.crypto import new_passphrase, passphrase_for
from nodes.cli.founding import (
    settings_of,
    spec_of,
    tell_descriptor,
)
from nodes.cli.options import AsJson, AskPassphrase, PassphraseFile
from nodes.cli.output import err, print_json, progress
from nodes.cli.start import run_node
from nodes.errors import NodeError
from nodes.layout import NodeDirectory
from nodes.network.admission import wait_admitted
from nodes.network.anchoring import find_anchor
from nodes.network.beginning import Beginning, adopt_beginning, demand_pin, fetch_beginning
from nodes.network.choosing import by_replay
from nodes.network.descriptor import Descriptor
from nodes.network.discarding import discard, would_discard
from nodes.network.founding import genesis_hash
from nodes.network.identity import init_node
from nodes.network.marker import holding_marker
from nodes.network.progress import SNAPSHOT_S, STALL_S, Pace
from nodes.network.source import MemberSource
from nodes.network.synchronising import Source, synchronise
from nodes.operations.logs import configure_logging
from nodes.operations.settings import LogSettings
from traceability.bundle import Trust

WAIT_S = 3 * 24 * 3600.0
CHUNKS = 1_000


def join(
    url: Annotated[str, typer.Argument(metavar="URL", help="A member's node.")],
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder of the new node.", file_okay=False)
    ],
    trust: Annotated[
        Path, typer.Option("--trust", help="Trust file, from a member you trust.", dir_okay=False)
    ],
    also: Annotated[
        list[str] | None,
        typer.Option("--also", help="Another member's node, asked beside it; repeat for more."),
    ] = None,
    organisation: Annotated[
        str | None, typer.Option("--organisation", help="Id of the member; of a new folder.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="Its name; of a new folder.")] = None,
    name_zh: Annotated[str, typer.Option("--name-zh", help="Its Chinese name.")] = "",
    role: Annotated[str | None, typer.Option("--role", help="Its role; of a new folder.")] = None,
    p2p: Annotated[
        str | None, typer.Option("--p2p", help="HOST:PORT for the other nodes; of a new folder.")
    ] = None,
    api: Annotated[str | None, typer.Option("--api", help="Its URL; of a new folder.")] = None,
    label: Annotated[str | None, typer.Option("--label", help="Name of the node.")] = None,
    wait_s: Annotated[
        float, typer.Option("--wait", min=0, help="Seconds to wait for being admitted.")
    ] = WAIT_S,
    replay: Annotated[
        bool, typer.Option("--replay", help="Execute all history instead of fetching the state.")
    ] = False,
    given_hash: Annotated[
        str | None,
        typer.Option(
            "--genesis-hash",
            help="Hash of the genesis, as a member reads it out; for a trust file without one.",
        ),
    ] = None,
    timeout_s: Annotated[
        float,
        typer.Option("--timeout", min=1, help="Seconds without progress before it gives up."),
    ] = STALL_S,
    no_start: Annotated[
        bool, typer.Option("--no-start", help="End once it is level with the others.")
    ] = False,
    developer: Annotated[
        bool, typer.Option("--developer", help="As for `tally node start`.")
    ] = False,
    ask: AskPassphrase = False,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Enter a consortium that runs already, and run the node.

    Makes keys and descriptor (in a new folder), waits until the members have admitted it, fetches
    the state, checks it against the trust file, and starts. Run it again to go on where it ended.

    \b
    Example:  tally node join https://ledger.acme.example ./node --trust trust.json \\
                  --organisation newcomer --name Newcomer --role retailer \\
                  --p2p newcomer.example:26656 --api https://ledger.newcomer.example
    """
    place = NodeDirectory(directory.absolute())
    spec = None
    if not place.descriptor.exists():
        given = {"--organisation": organisation, "--name": name, "--role": role}
        given |= {"--p2p": p2p, "--api": api}
        missing = [option for option, value in given.items() if value is None]
        if missing:
            raise NodeError(f"{directory} is new: {', '.join(missing)} must be given")
        spec = spec_of(
            organisation or "", name or "", name_zh, role or "", label, p2p or "", api or ""
        )
    enters = place.joining.exists() or not place.chain.exists()
    if enters and would_discard(place, trust):
        raise NodeError(
            f"{trust} lies where `join` takes away what is refused: copy it to a place outside "
            f"{directory}, and name that one"
        )
    known = Trust.load(trust)
    with ExitStack() as closing:
        sources = [closing.enter_context(MemberSource(one)) for one in (url, *(also or ()))]
        beginning = None
        if enters:
            known = demand_pin(known, given_hash)
            beginning = fetch_beginning(sources, known)  # before anything is written
        if spec is None:
            passphrase = passphrase_for(place.keys, passphrase_file)
        else:
            passphrase = new_passphrase(passphrase_file, ask=ask)
            init_node(place, spec, settings_of(spec), passphrase=passphrase, developer=developer)
        _tell_own(place, as_json)
        if beginning is not None:
            # The engine's own log stays in its folder; people are told the steps.
            configure_logging(LogSettings(level="critical"))
            pace = Pace(timeout_s, min(timeout_s, SNAPSHOT_S))
            with holding_marker(place) as unfinished:
                if unfinished:
                    discard(place)  # the last try ended before all was checked
                _enter(place, passphrase, sources, known, beginning, wait_s, replay, pace)
                place.joining.unlink()
            _say("level with the others; the state is the one that they have signed")
    if not no_start:
        run_node(place, passphrase, developer=developer, as_json=as_json)


def _tell_own(place: NodeDirectory, as_json: bool) -> None:
    descriptor = Descriptor.load(place.descriptor)
    if as_json:
        print_json({"descriptor": str(place.descriptor), "fingerprint": descriptor.fingerprint})
    else:
        tell_descriptor(place, descriptor)


def _enter(
    place: NodeDirectory,
    passphrase: str,
    sources: list[MemberSource],
    trust: Trust,
    beginning: Beginning,
    wait_s: float,
    replay: bool,
    pace: Pace,
) -> None:
    adopt_beginning(place, beginning, trust)
    genesis = beginning.genesis
    _say(f"genesis of {genesis.origin}, hash {genesis_hash(genesis)}, is that of the trust file")
    descriptor = Descriptor.load(place.descriptor)
    nodes = wait_admitted(sources, descriptor, wait_s, _say)
    _say(f"admitted as {descriptor.organisation}; {len(nodes)} nodes")
    anchor = find_anchor(sources[0], trust, beginning.chain_id)
    _say(
        f"checkpoint of size {anchor.checkpoint.size} is signed by "
        f"{trust.threshold} of {len(trust.keys)}; header {anchor.header.height} has its root"
    )
    replays = by_replay(sources[0], beginning, replay, wait_s, _say)
    _say(_how(replays, asked=replay))
    with progress("synchronising", CHUNKS) as show:
        synchronise(
            place,
            passphrase,
            Source(sources, nodes, beginning, trust, anchor),
            replay=replays,
            pace=pace,
            tell=_say,
            bar=lambda done, whole: show(done * CHUNKS // max(1, whole)),
        )


def _how(replays: bool, *, asked: bool) -> str:
    if not replays:
        return "fetching a snapshot"
    why = "" if asked else ": no snapshot has two heights of the engine above it yet"
    return f"executing all blocks{why}"


def _say(line: str) -> None:
    err.print(line, markup=False)
