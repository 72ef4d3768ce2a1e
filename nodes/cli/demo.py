"""`tally demo`: a small consortium, a story of its own, and a code to scan."""

from __future__ import annotations

import json
import secrets
import shutil
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from contracts.consortium import Role
from ledger.crypto import NO_PASSPHRASE
from nodes.cli.options import PORT_MAX
from nodes.cli.output import EXIT_INVALID, out, print_json, program, progress
from nodes.client import NodeAddress, NodeClient, forget, remember, remembered
from nodes.demo.story import ITEMS, ORGANISATIONS, story
from nodes.errors import NodeError, RequestRefused
from nodes.founding import MemberSpec, found_solo
from nodes.layout import NodeDirectory, user_directory
from nodes.runtime import NodeRuntime
from nodes.serving import Addresses, lan_address, serving, wait_for_stop
from nodes.settings import ApiSettings, NodeSettings, RpcSection
from traceability.bundle import Outcome, Trust, TrustStore, verify_bundle
from traceability.labels import qr_terminal

OPERATOR = MemberSpec("demo-operator", "Demo operator", "演示运营方", Role.OPERATOR)
PORT = 8080
EVERYWHERE = "0.0.0.0"  # noqa: S104 - a phone must reach the demo


@dataclass(frozen=True, slots=True)
class Told:
    """What came of telling the story."""

    event_ids: tuple[str, ...]
    verified: int
    """Events whose proof was checked offline and found valid."""
    bundle: Path
    """The proof of the story's last event."""
    address: NodeAddress
    """The node, with the key of the story's first organisation."""


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="Build, verify everything offline, and end.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object, for machines.")
    ] = False,
    host: Annotated[
        str | None,
        typer.Option(
            "--host", help="Address to listen on. Default: all, so that a phone can see it."
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port", min=0, max=PORT_MAX, help="Default: 8080, or a free one where it is taken."
        ),
    ] = None,
) -> None:
    """Build a small consortium with a story from forest to shop, and show its QR code."""
    name = f"demo-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    place = NodeDirectory(user_directory() / "demo" / name)
    place.root.parent.mkdir(parents=True, exist_ok=True)
    settings = _settings(once, host, port)
    members = [
        OPERATOR,
        *(MemberSpec(o.id, o.name, o.name_zh, Role.of(o.role)) for o in ORGANISATIONS),
    ]
    found_solo(
        place,
        settings,
        members,
        origin_prefix="tallystick.example/demo",
        passphrase=NO_PASSPHRASE,
    )
    before = remembered()
    try:
        with NodeRuntime.open(place.root, NO_PASSPHRASE) as node:
            public = lan_address() if settings.api.host == EVERYWHERE else None
            with serving(node, public) as addresses:
                told = _tell(node, addresses, as_json)
                TrustStore().add(node.trust, proven=True)
                _show(node, addresses, told, once, as_json)
                if not once:
                    remember(told.address)
                    try:
                        wait_for_stop()
                    finally:
                        forget(told.address, before)
                    out.print("The demo's ledger is gone; its proof file can still be checked.")
    finally:
        # Each run is a ledger of its own; its proofs and its trust stay valid without it.
        shutil.rmtree(place.root, ignore_errors=True)
    if told.verified != len(told.event_ids):
        raise typer.Exit(EXIT_INVALID)


def _settings(once: bool, host: str | None, port: int | None) -> NodeSettings:
    listen = host or ("127.0.0.1" if once else EVERYWHERE)
    chosen = port if port is not None else (0 if once or not _free(listen, PORT) else PORT)
    return NodeSettings(
        name="Demo consortium",
        api=ApiSettings(host=listen, port=chosen),
        rpc=RpcSection(port=0),
    )


def _free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            probe.bind((host, port))
            return True
    return False


def _tell(node: NodeRuntime, addresses: Addresses, as_json: bool) -> Told:
    """Capture the story over HTTP, each step with its own organisation's key, and verify it all."""
    local = addresses.api
    if node.settings.api.host == EVERYWHERE:
        local = f"http://127.0.0.1:{local.rsplit(':', 1)[1]}"
    steps = story(datetime.now(UTC))
    keys = {member.id: node.keys.create(member.id)[0] for member in ORGANISATIONS}
    event_ids: list[str] = []
    with progress("telling the story", len(steps), not as_json) as done:
        for index, step in enumerate(steps, 1):
            with NodeClient(NodeAddress(local, keys[step.organisation])) as client:
                document = json.dumps(step.document, ensure_ascii=False).encode()
                outcome = client.wait(client.submit(document))
            if not outcome.success:
                raise RequestRefused(f"the story's step {index}: " + "; ".join(outcome.errors))
            event_ids += outcome.event_ids
            done(index)
    address = NodeAddress(local, keys[ORGANISATIONS[0].id])
    return _verify(node, address, event_ids, as_json)


def _verify(node: NodeRuntime, address: NodeAddress, event_ids: list[str], as_json: bool) -> Told:
    """Fetch every proof and check it with nothing but the trust file."""
    trust = Trust.load(node.directory.trust)
    verified = 0
    data = b""
    with NodeClient(address) as client, progress("verifying", len(event_ids), not as_json) as done:
        for index, event_id in enumerate(event_ids, 1):
            data = client.proof(event_id)
            verified += verify_bundle(data, trust).outcome is Outcome.VALID
            done(index)
    if not data:
        raise NodeError("the story has no events")
    bundle = user_directory() / "demo" / f"{node.directory.root.name}.tally-proof.json"
    bundle.write_bytes(data)
    return Told(tuple(event_ids), verified, bundle, address)


def _show(node: NodeRuntime, addresses: Addresses, told: Told, once: bool, as_json: bool) -> None:
    url = addresses.api + ITEMS[0].path
    if as_json:
        print_json(
            {
                "events": len(told.event_ids),
                "checkpoint": node.ledger.log.checkpoint(),
                "verified": told.verified,
                "url": url,
                "bundle": str(told.bundle),
            }
        )
        return
    out.print(
        f"{len(told.event_ids)} events of {len(ORGANISATIONS)} organisations are on the ledger; "
        f"{told.verified} proofs were checked offline and are valid."
    )
    out.print(f"A proof bundle:  {told.bundle}", markup=False)
    out.print(f"Check it:        {program()} verify {told.bundle}", markup=False)
    if once:
        return
    sys.stdout.write("\n" + qr_terminal(url) + "\n")
    out.print(f"Scan the code with a phone in this network, or open  {url}", markup=False)
    for item in ITEMS[1:]:
        out.print(f"  {item.fate} ({item.fate_zh}): {addresses.api}{item.path}", markup=False)
    out.print("Ctrl-C ends the demo and removes its ledger.")
