"""`tally node status|peers|metrics`: watching a running node.

Exit codes of `status`: 0 ready, 1 not ready, 2 bad input or no node answers.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from nodes.cli.options import DEFAULT_DIRECTORY, AsJson
from nodes.cli.output import out, print_json
from nodes.client import NodeClient, find_address
from nodes.errors import NodeError
from nodes.operations import NotRunning
from nodes.operations.client import OperatorClient

EXIT_NOT_READY = 1

Folder = Annotated[
    Path | None,
    typer.Option(
        "--dir",
        help="The folder of a node that runs here. Default: .tally, else the node last started.",
        file_okay=False,
        show_default=False,
    ),
]
Address = Annotated[
    str | None,
    typer.Option(
        "--url",
        help="A node elsewhere: its operator's listener ($TALLY_OPERATOR_TOKEN has the token), "
        "or its public address, which tells less.",
    ),
]


def status(directory: Folder = None, url: Address = None, as_json: AsJson = False) -> None:
    """How a running node is: readiness, alerts, head, peers, cosignatures, disk.

    Exits with 0 where it is ready, 1 where it is not, 2 where it cannot be asked.
    """
    operator = _operator(directory, url)
    if operator is None:
        body = _public_status(url)
    else:
        with operator:
            body = operator.status()
    if as_json:
        print_json(body)
    else:
        _show(body)
    if body.get("ready") is not True:
        sys.exit(EXIT_NOT_READY)


def peers(directory: Folder = None, url: Address = None, as_json: AsJson = False) -> None:
    """The nodes that this one is connected with."""
    with _required(directory, url) as operator:
        body = operator.peers()
    if as_json:
        print_json(body)
        return
    connected = body.get("peers")
    if connected is None:
        out.print("This node orders by itself: it has no peers.")
        return
    out.print(f"{len(connected)} peers; own height {body.get('height')}")
    head = ("node", "organisation", "label", "address", "height", "direction", "connected")
    lines = [head, *(tuple(map(_line, _peer(peer))) for peer in connected)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines if connected else ():
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        out.print("  ".join(cells).rstrip(), markup=False)


def _peer(peer: Mapping[str, Any]) -> tuple[object, ...]:
    return (
        peer["id"],
        peer["organisation"] or "unknown",
        peer["label"],
        peer["address"],
        "?" if peer["height"] is None else peer["height"],
        "out" if peer["outbound"] else "in",
        _duration(int(peer["connectedSeconds"])),
    )


def metrics(directory: Folder = None, url: Address = None, as_json: AsJson = False) -> None:
    """The node's metrics as Prometheus reads them."""
    with _required(directory, url) as operator:
        text = operator.metrics()
    if as_json:
        print_json(_samples(text))
    else:
        sys.stdout.write(text)


def _operator(directory: Path | None, url: str | None) -> OperatorClient | None:
    """The operator's listener, or None where only a node's public API can be asked."""
    if directory is not None and url is not None:
        raise NodeError("name either a folder with --dir or an address with --url")
    if url is not None:
        client = OperatorClient.of_url(url)
        if client.is_operators():
            return client
        client.__exit__()
        return None
    try:
        return OperatorClient.of_folder(directory or DEFAULT_DIRECTORY)
    except NotRunning:
        if directory is not None:
            raise
        return None


def _required(directory: Path | None, url: str | None) -> OperatorClient:
    operator = _operator(directory, url)
    if operator is None:
        raise NodeError(
            f"{url} is a node's public address; name its operator's listener"
            if url
            else f"no node runs in {DEFAULT_DIRECTORY}; name its folder with --dir, or its "
            "operator's listener with --url"
        )
    return operator


def _public_status(url: str | None) -> dict[str, Any]:
    with NodeClient(find_address(url or os.environ.get("TALLY_URL"), None)) as node:
        body = node.status()
        health = node.health()
    reasons = [{"code": "node", "text": str(text)} for text in health.get("reasons") or ()]
    return {**body, "ready": health.get("status") == "ok", "reasons": reasons, "alerts": reasons}


# ---- for people ---------------------------------------------------------------------------------


def _show(body: Mapping[str, Any]) -> None:
    for fork in body.get("forks") or ():
        out.print(
            f"FORK  {_line(fork['signer'])} signed two histories: {_line(fork['summary'])}\n"
            f"      evidence {_line(fork['id'])}, found {fork['found']}; tell the other members",
            style="bold red",
            markup=False,
        )
    ready = body.get("ready") is True
    style = "bold green" if ready else "bold red"
    out.print("READY" if ready else "NOT READY", style=style, markup=False)
    for alert in body.get("alerts") or ():
        if alert.get("code") != "fork":
            out.print(
                f"!  {alert.get('code')}: {_line(alert.get('text'))}", style="yellow", markup=False
            )
    for name, value in _rows(body):
        out.print(f"{name:14} {_line(value)}", markup=False)


def _rows(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "node", f"{body.get('name', '')}  ({body.get('origin', '')}, chain {body.get('chainId')})"
    head, log = body.get("head") or {}, body.get("log") or {}
    yield "head", f"block {head.get('number')} of {head.get('time')}  {head.get('hash')}"
    yield "log", f"{log.get('size')} leaves"
    consensus = body.get("consensus")
    if consensus:
        yield "consensus", _consensus(consensus)
    membership = body.get("membership")
    if membership:
        yield (
            "members",
            (
                f"{membership['nodes']} nodes, {membership['validators']} validators; own power "
                f"{membership['ownPower']} of {membership['powerTotal']}"
            ),
        )
    witness = body.get("witness")
    if witness:
        wanted, missing = len(witness["expected"]), len(witness["missing"])
        yield (
            "witnesses",
            (
                f"{wanted - missing} of {wanted} have cosigned size {witness['size']}; "
                f"{witness['threshold']} are asked for, reached at size {witness['witnessedSize']}"
            ),
        )
    pool = body.get("mempool")
    if pool:
        yield (
            "mempool",
            f"{pool['pending']} pending, {pool['queued']} queued, {pool['bytes']} bytes",
        )
    projection = body.get("projection") or {}
    yield "projection", f"{projection.get('state')}, {projection.get('behind')} blocks behind"
    capture = body.get("capture")
    if capture:
        state = "running" if capture.get("running") else "stopped"
        yield "capture", f"{state}, {capture.get('waitingJobs')} jobs wait"
    for part in body.get("disk") or ():
        used, free = _size(part["usedBytes"]), _size(part["freeBytes"])
        yield f"disk {part['part']}", f"{used} used, {free} free"
    for one in (body.get("snapshots") or ())[-1:]:
        yield "snapshot", f"height {one['height']} of {one['made']}, {_size(one['bytes'])}"


def _consensus(consensus: Mapping[str, Any]) -> str:
    engine = consensus.get("engine")
    if engine is None:
        return f"{consensus['state']}, this node alone"
    syncing = ", fetching blocks" if engine["syncing"] else ""
    return (
        f"{consensus['state']}, height {engine['height']} ({engine['heightLag']} behind), "
        f"{engine['peers']} peers, {engine['restarts']} restarts{syncing}"
    )


def _line(value: object) -> str:
    """Other nodes choose some of these words: nothing in them may steer a terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(value))


def _size(size_bytes: int) -> str:
    size = float(size_bytes)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if size >= 100 or unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def _duration(seconds: int) -> str:
    minutes, s = divmod(seconds, 60)
    hours, m = divmod(minutes, 60)
    days, h = divmod(hours, 24)
    return f"{days}d {h}h" if days else f"{h}h {m}m" if h else f"{m}m {s}s"


def _samples(text: str) -> dict[str, float]:
    """`name{labels}` and value of each line."""
    found: dict[str, float] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            found[name] = float(value)
    return found
