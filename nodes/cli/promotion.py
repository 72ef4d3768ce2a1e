"""`tally node promote`: a solo ledger becomes a consortium's, with all its history."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from contracts import network
from ledger.crypto import KeyKind, KeyStore, passphrase_for
from nodes.cli.founding import tell_descriptor
from nodes.cli.options import AsJson, PassphraseFile
from nodes.cli.output import err, out, print_json, program
from nodes.cli.proposals import propose_in
from nodes.cli.standing import stop_node
from nodes.endpoints import check_url, parse_endpoint
from nodes.errors import NodeError
from nodes.founding import DEVELOPER_LABEL
from nodes.layout import NodeDirectory
from nodes.network.descriptor import Descriptor
from nodes.network.identity import NodeSpec, describe_node
from nodes.network.promotion import check_promotable, organisation_of, promote, registered
from nodes.operations import NotRunning
from nodes.operations.runfile import RunFile
from nodes.proposals import RpcClient
from nodes.settings import load_settings, write_settings
from traceability.bundle import TrustStore

POWER = 10
"""Leaves room: four more validators of power 1 can be admitted, one after the other."""


def promote_(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder of the solo node.", file_okay=False)
    ],
    p2p: Annotated[
        str | None, typer.Option("--p2p", help="HOST:PORT where the other nodes will reach it.")
    ] = None,
    api: Annotated[str | None, typer.Option("--api", help="URL where they reach its API.")] = None,
    organisation: Annotated[
        str | None,
        typer.Option("--organisation", help="Whose node it is, if it keeps several accounts."),
    ] = None,
    power: Annotated[
        int, typer.Option("--power", min=1, help="Its voting power in the beginning.")
    ] = POWER,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a solo ledger a consortium's, without losing its history.

    While the node runs: registers it as the first validator, stops it, and switches it over. Then
    start it with `tally node start`. Others join by `tally node join`, with keys of their own and
    with all history: they fetch a snapshot, which is made after the first block from then on.

    \b
    Example:  tally node promote ./node --p2p acme.example:26656 --api https://ledger.acme.example
    """
    place = NodeDirectory(directory.absolute())
    place.check()
    check_promotable(place)
    passphrase = passphrase_for(place.keys, passphrase_file)
    if not place.descriptor.exists():
        _describe(place, passphrase, p2p, api, organisation)
    descriptor = Descriptor.load(place.descriptor)
    run = _running(place)
    if run is not None:
        _register(place, descriptor, power, passphrase, as_json)
        stop_node(place)
    made = promote(place, passphrase)
    if run is not None:
        keep_ports(place, run)
    store = TrustStore()
    if store.find(made.trust.origin) is not None:
        store.add(made.trust, replace=True)
    if as_json:
        print_json(
            {
                "block": made.block_number,
                "engineChain": made.engine_chain,
                "power": made.own_power,
                "powerTotal": made.power,
                "trust": str(place.trust),
            }
        )
        return
    tell_descriptor(place, descriptor)
    out.print(f"blocks 1 to {made.block_number} stay; engine {made.engine_chain} goes on")
    out.print(f"trust file   {place.trust}   (the new one: give it to verifiers)", markup=False)
    out.print(f"start it     {program()} node start {directory}", markup=False)
    how = f"node join {descriptor.api} DIR --trust trust.json …"
    out.print(f"others join  {program()} {how}", markup=False)
    out.print("             Each makes keys of its own. A backup has yours: give it to nobody.")


def _describe(
    place: NodeDirectory,
    passphrase: str,
    p2p: str | None,
    api: str | None,
    organisation: str | None,
) -> None:
    if p2p is None or api is None:
        raise NodeError("--p2p and --api must be given: the others need to reach this node")
    keys = KeyStore(place.keys, passphrase)
    accounts = [
        entry.label
        for entry in keys.list()
        if entry.kind is KeyKind.ACCOUNT and entry.label != DEVELOPER_LABEL
    ]
    if organisation is None and len(accounts) != 1:
        raise NodeError(f"name one of {', '.join(accounts)} with --organisation")
    member = organisation_of(place, organisation or accounts[0])
    try:
        spec = NodeSpec(
            organisation=member.id,
            profile=member.profile,
            role=member.role,
            label=member.id,
            p2p=parse_endpoint(p2p),
            api=check_url(api),
        )
    except ValueError as bad:
        raise NodeError(str(bad)) from bad
    describe_node(place, keys, spec)


def keep_ports(place: NodeDirectory, run: RunFile) -> None:
    """Write down the ports that the node had, which options of `tally dev` may have chosen."""
    settings = load_settings(place.settings)
    api, rpc = urlsplit(run.api).port, urlsplit(run.rpc).port
    if api is None or rpc is None:
        return
    sections = {
        "api": settings.api.model_copy(update={"port": api}),
        "rpc": settings.rpc.model_copy(update={"port": rpc}),
    }
    write_settings(place.settings, settings.model_copy(update=sections))


def _running(place: NodeDirectory) -> RunFile | None:
    try:
        return RunFile.find(place.root)
    except NotRunning:
        return None


def _register(
    place: NodeDirectory, descriptor: Descriptor, power: int, passphrase: str, as_json: bool
) -> None:
    """Propose this node as a validator, unless it is one. Raises `NodeError` if votes lack."""
    with RpcClient(RunFile.find(place.root).rpc) as rpc:

        def is_registered() -> bool:
            call = network.node_calldata(descriptor.node_id)
            output = rpc.call(network.NETWORK_ADDRESS, call)
            found = network.decode_node(descriptor.node_id, output)
            return registered(found[0] if found else None, descriptor)

        if is_registered():
            return
        if not as_json:
            err.print("registering this node as a validator")
        action = ["add-node", str(place.descriptor), str(power)]
        propose_in(place.root, action, "promotion", KeyStore(place.keys, passphrase))
        if not is_registered():
            raise NodeError(
                "this node's organisation alone cannot decide it: when the others have voted, run "
                "the same command again"
            )
