"""`tally demo`: a small consortium with a story, from forest to shop or from grain to money."""

from __future__ import annotations

import json
import secrets
import shutil
import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from api.client import Tallystick
from contracts.consortium import Role
from ledger.crypto import NO_PASSPHRASE
from ledger.tlog import TlogError, TlogProof, leaf_hash, open_checkpoint
from nodes.cli.options import PORT_MAX
from nodes.cli.output import EXIT_INVALID, out, print_json, program, progress
from nodes.client import NodeAddress, NodeClient, forget, remember, remembered
from nodes.demo.grain import FINANCE_ORGANISATIONS, SCOPES, GrainStory, Scene
from nodes.demo.places import StoryOrganisation
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


class Story(StrEnum):
    """What the demo tells."""

    FOREST = "forest"
    FINANCE = "finance"


def demo(
    story_name: Annotated[
        Story,
        typer.Option(
            "--story",
            help="forest: berries, from the forest to the shop; finance: grain and banks.",
        ),
    ] = Story.FOREST,
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
    """Build a small consortium with a story, and verify every record of it offline."""
    if story_name is Story.FINANCE:
        with _consortium(FINANCE_ORGANISATIONS, once, host, port) as (node, addresses):
            _finance(node, addresses, once, as_json)
        return
    before = remembered()
    with _consortium(ORGANISATIONS, once, host, port) as (node, addresses):
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
    if told.verified != len(told.event_ids):
        raise typer.Exit(EXIT_INVALID)


@contextmanager
def _consortium(
    organisations: Sequence[StoryOrganisation], once: bool, host: str | None, port: int | None
) -> Iterator[tuple[NodeRuntime, Addresses]]:
    """A running node of a ledger of its own, which ends with the demo."""
    name = f"demo-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    place = NodeDirectory(user_directory() / "demo" / name)
    place.root.parent.mkdir(parents=True, exist_ok=True)
    settings = _settings(once, host, port)
    members = [
        OPERATOR,
        *(MemberSpec(o.id, o.name, o.name_zh, Role.of(o.role)) for o in organisations),
    ]
    found_solo(
        place,
        settings,
        members,
        origin_prefix="tallystick.example/demo",
        passphrase=NO_PASSPHRASE,
    )
    try:
        with NodeRuntime.open(place.root, NO_PASSPHRASE) as node:
            public = lan_address() if settings.api.host == EVERYWHERE else None
            with serving(node, public) as addresses:
                yield node, addresses
    finally:
        # Each run is a ledger of its own; its proofs and its trust stay valid without it.
        shutil.rmtree(place.root, ignore_errors=True)
        with suppress(OSError):  # another demo is there, or its proof file
            place.root.parent.rmdir()


def _finance(node: NodeRuntime, addresses: Addresses, once: bool, as_json: bool) -> None:
    """Tell the story of the grain, scene by scene, and check each scene's proof offline."""
    url, trust = _local(node, addresses), Trust.load(node.directory.trust)
    scenes: list[tuple[Scene, bool | None]] = []
    with ExitStack() as closing:
        members = {
            member.id: closing.enter_context(
                Tallystick(url, key=node.keys.create(member.id, SCOPES)[0])
            )
            for member in FINANCE_ORGANISATIONS
        }
        for scene in GrainStory(members, int(time.time())).tell():
            valid = None if scene.leaf is None else _leaf_is_proven(members, scene.leaf, trust)
            scenes.append((scene, valid))
            if not as_json:
                _show_scene(scene, valid)
    proven = sum(1 for _, valid in scenes if valid)
    refused = [scene.refusal for scene, _ in scenes if scene.refusal]
    if as_json:
        print_json(
            {
                "story": Story.FINANCE,
                "scenes": [
                    {
                        "text": scene.text,
                        "textZh": scene.text_zh,
                        "leaf": scene.leaf,
                        "refusal": scene.refusal,
                        "proven": valid,
                        "balances": dict(scene.balances),
                    }
                    for scene, valid in scenes
                ],
                "proven": proven,
                "refused": refused,
                "checkpoint": node.ledger.log.checkpoint(),
            }
        )
    else:
        out.print(
            f"\n{proven} records of {len(FINANCE_ORGANISATIONS)} organisations were checked "
            f"offline and are valid; {len(refused)} attempts were refused by the contracts, as "
            "they must be."
        )
    if any(valid is False for _, valid in scenes):
        raise typer.Exit(EXIT_INVALID)
    if not once and not as_json:
        out.print(f"The node answers at {addresses.api} (GET /openapi.json).", markup=False)
        out.print("Ctrl-C ends the demo and removes its ledger.")
        wait_for_stop()


def _leaf_is_proven(members: Mapping[str, Tallystick], leaf: int, trust: Trust) -> bool:
    """Whether the log's entry is proven under a checkpoint that the trust file's members signed,
    to whichever member it is for."""
    answers = (member.ask(f"/log/proof/{leaf}") for member in members.values())
    told = next((one for one in answers if one["entry"] is not None), None)
    if told is None:
        return False
    try:
        proof = TlogProof.decode(str(told["proof"]))
        proof.verify(leaf_hash(bytes.fromhex(str(told["entry"])[2:])))
        open_checkpoint(proof.checkpoint_note, trust.keys, trust.threshold, trust.origin)
    except TlogError:
        return False
    return proof.index == leaf


def _show_scene(scene: Scene, valid: bool | None) -> None:
    mark = {None: "–", True: "✓", False: "✗"}[valid]
    if scene.refusal is not None:
        mark = f"refused: {scene.refusal}"
    elif scene.leaf is not None:
        mark = f"{mark} leaf {scene.leaf}"
    out.print(f"  {scene.text}  {scene.text_zh}  [{mark}]", markup=False, highlight=False)


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


def _local(node: NodeRuntime, addresses: Addresses) -> str:
    """Where the node answers on this machine."""
    if node.settings.api.host != EVERYWHERE:
        return addresses.api
    return f"http://127.0.0.1:{addresses.api.rsplit(':', 1)[1]}"


def _tell(node: NodeRuntime, addresses: Addresses, as_json: bool) -> Told:
    """Capture the story over HTTP, each step with its own organisation's key, and verify it all."""
    local = _local(node, addresses)
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
