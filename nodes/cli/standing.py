"""`tally node leave`, `suspend`, `replace`: proposals about nodes, said in one word."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Annotated

import typer

from contracts import network
from contracts.governance import State
from nodes.cli.options import DEFAULT_DIRECTORY, AsJson
from nodes.cli.output import err, out, print_json
from nodes.cli.proposals import new as propose
from nodes.cli.proposals import propose_in
from nodes.errors import NodeError
from nodes.layout import NodeDirectory
from nodes.network.descriptor import Descriptor
from nodes.operations import NotRunning
from nodes.operations.runfile import RunFile
from nodes.proposals import ProposalClient, RpcClient

POLL_S = 2.0
STOP_S = 60.0
WAIT_S = 14 * 24 * 3600.0

FolderArgument = Annotated[
    Path, typer.Argument(metavar="DIR", help="The node's folder.", file_okay=False)
]
Directory = Annotated[
    Path, typer.Option("--dir", help="Folder of the node whose keys sign.", file_okay=False)
]
Text = Annotated[str, typer.Option("--text", help="Why, for those who vote.")]


def suspend(
    node: Annotated[str, typer.Argument(metavar="NODE", help="Label or id of the node.")],
    directory: Directory = DEFAULT_DIRECTORY,
    text: Text = "",
    as_json: AsJson = False,
) -> None:
    """Propose that a node stops counting; its peers then let go of it.

    `tally proposal new reactivate-node NODE` is the way back.

    \b
    Example:  tally node suspend northway --dir ./node --text "key may be stolen"
    """
    propose(["suspend-node", node], text=text, directory=directory, as_json=as_json)


def replace(
    old: Annotated[str, typer.Argument(metavar="OLD", help="Label or id of the old node.")],
    descriptor: Annotated[
        Path, typer.Argument(metavar="DESCRIPTOR", help="descriptor.json of the new one.")
    ],
    directory: Directory = DEFAULT_DIRECTORY,
    power: Annotated[
        int | None, typer.Option("--power", min=0, help="Of the new node. [that of the old one]")
    ] = None,
    text: Text = "",
    as_json: AsJson = False,
) -> None:
    """Propose a new node of the same member for an old one: both in one step.

    \b
    Example:  tally node replace acme ./new/descriptor.json --dir ./node
    """
    new = Descriptor.load(descriptor)
    with RpcClient(RunFile.find(directory).rpc) as rpc:
        node = ProposalClient(rpc).node_named(old)
        output = rpc.call(network.NETWORK_ADDRESS, network.node_calldata(node))
        found = network.decode_node(node, output)
    if found is None:
        raise NodeError(f"the node {old} is gone already")
    if found[0].organisation != new.organisation:
        raise NodeError(
            f"{old} is a node of {found[0].organisation}, the new one of {new.organisation}: "
            "remove the one and admit the other by proposals of their own"
        )
    chosen = found[0].power if power is None else power
    actions = ["remove-node", node.hex(), "and", "add-node", str(descriptor), str(chosen)]
    propose(actions, text=text, directory=directory, as_json=as_json)


def leave(
    directory: FolderArgument,
    whole_member: Annotated[
        bool, typer.Option("--member", help="The member leaves as well, for ever.")
    ] = False,
    wait_s: Annotated[
        float, typer.Option("--wait", min=0, help="Seconds to wait for the others' votes.")
    ] = WAIT_S,
    text: Text = "",
    as_json: AsJson = False,
) -> None:
    """Propose that this node is removed; when it is, stop it.

    A member without a vote has another one propose it, and waits.

    \b
    Example:  tally node leave ./node
    """
    place = NodeDirectory(directory.absolute())
    own = Descriptor.load(place.descriptor)
    run = RunFile.find(place.root)
    with RpcClient(run.rpc) as rpc:
        if _is_registered(rpc, own.node_id):
            actions = ["remove-node", own.node_id.hex()]
            if whole_member:
                actions += ["and", "remove-organisation", own.organisation]
            proposal = None
            if ProposalClient(rpc).votes_of(own.organisation):
                proposal = propose_in(place.root, actions, text or "leaves").proposal
            _wait_removed(rpc, own.node_id, proposal, " ".join(actions), wait_s)
    stop_node(place)
    if as_json:
        print_json({"left": True, "node": own.node_id.hex()})
    else:
        out.print(f"{own.label} is no node of the consortium any more, and has stopped")


def _is_registered(rpc: RpcClient, node: bytes) -> bool:
    output = rpc.call(network.NETWORK_ADDRESS, network.node_calldata(node))
    return network.decode_node(node, output) is not None


def _wait_removed(
    rpc: RpcClient, node: bytes, proposal: int | None, actions: str, wait_s: float
) -> None:
    """Until the members have removed the node. Raises `NodeError` where they do not."""
    deadline = time.monotonic() + wait_s
    client, told = ProposalClient(rpc), False
    while _is_registered(rpc, node):
        refused = (State.WITHDRAWN, State.EXPIRED)
        if proposal is not None and client.summary(proposal).state in refused:
            raise NodeError("the proposal was not accepted: this node stays, and goes on")
        if time.monotonic() > deadline:
            raise NodeError(
                "the others have not agreed yet: this node goes on; run the same again later"
            )
        if not told:
            told = True
            err.print(
                f"waiting for the others to say `tally proposal vote {proposal} yes`"
                if proposal is not None
                else f"your organisation has no vote: ask one to `tally proposal new {actions}`",
                markup=False,
            )
        time.sleep(POLL_S)


def stop_node(place: NodeDirectory) -> None:
    """Ask the node's process to end, and wait until it has. Raises `NodeError`."""
    try:
        pid = RunFile.find(place.root).pid
        os.kill(pid, signal.SIGTERM)
    except (NotRunning, ProcessLookupError):
        return
    deadline = time.monotonic() + STOP_S
    while not _has_ended(pid):
        if time.monotonic() > deadline:
            raise NodeError(f"the node in {place.root} (process {pid}) does not end")
        time.sleep(POLL_S / 10)


def _has_ended(pid: int) -> bool:
    """Gone, or only waiting for its parent to notice (proc(5): state Z)."""
    try:
        os.kill(pid, 0)
        stat = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except ProcessLookupError:
        return True
    except OSError:  # no proc(5) here, or gone between the two
        return Path("/proc/self").exists()
    return stat.rpartition(")")[2].split()[0] in ("Z", "X")
