"""`tally node start`: run a node of a consortium, or of its own."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from ledger.crypto import passphrase_for
from nodes.cli.options import AsJson, PassphraseFile
from nodes.cli.output import EXIT_HALTED, err, out, print_json
from nodes.cli.ready import tell_ready
from nodes.errors import NodeError
from nodes.layout import NodeDirectory
from nodes.network.adoption import adopt_genesis
from nodes.network.descriptor import Descriptor
from nodes.operations import NotRunning, RunFile
from nodes.operations.logs import configure_logging
from nodes.runtime import NodeRuntime
from nodes.serving import Addresses, check_ports, serving, wait_for_stop
from nodes.settings import load_settings
from traceability.bundle import TrustStore

FolderArgument = Annotated[
    Path, typer.Argument(metavar="DIR", help="The node's folder.", file_okay=False)
]


def start(
    directory: FolderArgument,
    genesis: Annotated[
        Path | None,
        typer.Option(
            "--genesis", help="At the first start: the genesis that all agreed on.", dir_okay=False
        ),
    ] = None,
    developer: Annotated[
        bool,
        typer.Option(
            "--developer", help="Also show a bearer key and the private key of an app's account."
        ),
    ] = False,
    accept_loss: Annotated[
        bool,
        typer.Option(
            "--accept-loss",
            help="The record of what this validator has signed is lost, and I answer for its not "
            "having voted on the next height.",
        ),
    ] = False,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Run a node until Ctrl-C.

    Exits 4 where it had to stop by itself, because its ledger would no longer be the others'.

    \b
    Example:  tally node start ./node --genesis genesis.json
    """
    place = NodeDirectory(directory.absolute())
    if genesis is None:
        place.check()
    passphrase = passphrase_for(place.keys, passphrase_file)
    if genesis is not None:
        adopt_genesis(place, genesis)
    run_node(place, passphrase, developer=developer, as_json=as_json, accept_loss=accept_loss)


def run_node(
    place: NodeDirectory,
    passphrase: str,
    *,
    developer: bool,
    as_json: bool,
    accept_loss: bool = False,
) -> None:
    """Run the node in a folder until Ctrl-C, or until it has to stop by itself."""
    place.check()
    if place.joining.exists():
        raise NodeError(
            f"{place.root} has not finished joining, and what came is not checked: run "
            "`tally node join` again"
        )
    settings = load_settings(place.settings)
    refuse_second(place)
    check_ports(settings)
    configure_logging(settings.log)
    with (
        NodeRuntime.open(place.root, passphrase, accept_loss=accept_loss) as node,
        serving(node) as addresses,
    ):
        early = node.waits_for_beginning(time.time())
        if early is not None:
            err.print(f"tally: {early}", markup=False)
        if developer:
            _tell_developer(node, addresses, as_json)
        else:
            _tell(node, addresses, as_json)
        stop_or_halt(node)


def refuse_second(place: NodeDirectory) -> None:
    """Raises `NodeError` where a node runs in the folder already."""
    with suppress(NotRunning):
        run = RunFile.find(place.root)
        raise NodeError(f"a node runs in {place.root} already: process {run.pid}, {run.api}")


def stop_or_halt(node: NodeRuntime) -> None:
    """Wait for Ctrl-C. Raises `typer.Exit` where the node stops by itself, saying why."""
    reason = wait_for_stop(node.halted, one_core=node.settings.process.cores == "one")
    if reason is not None:
        err.print(f"tally: the node has stopped: {reason}", markup=False)
        raise typer.Exit(EXIT_HALTED)


def _tell(node: NodeRuntime, addresses: Addresses, as_json: bool) -> None:
    node_id = node.node_id
    if as_json:
        print_json(
            {
                "url": addresses.api,
                "rpc": addresses.rpc,
                "operations": addresses.operations,
                "chainId": node.ledger.chain_id,
                "nodeId": None if node_id is None else node_id.hex(),
                "trust": str(node.directory.trust),
            }
        )
        return
    out.print(f"HTTP API    {addresses.api}   (documentation: {addresses.api}/docs)")
    out.print(f"JSON-RPC    {addresses.rpc}   chain id {node.ledger.chain_id}")
    out.print(f"operations  {addresses.operations}   (token in {node.directory.run})")
    if node_id is not None:
        out.print(f"node id     {node_id.hex()}")
    out.print("Ctrl-C stops the node.")


def _tell_developer(node: NodeRuntime, addresses: Addresses, as_json: bool) -> None:
    organisation = Descriptor.load(node.directory.descriptor).organisation
    TrustStore().add(node.trust, proven=True)
    tell_ready(node, addresses, organisation, _bearer_key(node, organisation), as_json)


def _bearer_key(node: NodeRuntime, organisation: str) -> str:
    """The key of the last start if it is still good, else a new one. The file is its owner's."""
    path = node.directory.developer
    if path.is_file():
        try:
            key = str(json.loads(path.read_text("ascii"))["key"])
        except (ValueError, KeyError, TypeError) as bad:
            raise NodeError(f"{path} is damaged ({bad}); remove it") from bad
        found = node.keys.find(key)
        if found is not None and found.revoked is None and found.organisation == organisation:
            return key
        path.unlink()
    key = node.keys.create(organisation)[0]
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({"key": key}, file)
    return key
