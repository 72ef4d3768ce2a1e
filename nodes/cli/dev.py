"""`tally dev`: a node of one's own for building apps against."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from contracts.consortium import Role, organisation_id_word
from ledger.crypto import new_passphrase, passphrase_for
from nodes.cli.options import DEFAULT_DIRECTORY, PORT_MAX, AsJson, Directory, PassphraseFile
from nodes.cli.ready import tell_ready
from nodes.cli.start import refuse_second, stop_or_halt
from nodes.client import NodeAddress, remember, remembered
from nodes.endpoints import PeerEndpoint
from nodes.errors import NodeError
from nodes.founding import MemberSpec, found_solo
from nodes.layout import NodeDirectory
from nodes.network.cast import profile_of
from nodes.network.identity import NodeSpec, first_validator
from nodes.network.ports import free_ports
from nodes.operations.logs import configure_logging
from nodes.operations.settings import LogSettings
from nodes.runtime import NodeRuntime
from nodes.serving import check_ports, serving
from nodes.settings import ConsensusSettings, NodeSettings, load_settings
from traceability.bundle import TrustStore

LOOPBACK = "127.0.0.1"
DEV_MEMBER = MemberSpec("dev-operator", "Development operator", "开发运营方", Role.OPERATOR)


class Consensus(StrEnum):
    """Who decides the order."""

    SOLO = "solo"
    COMETBFT = "cometbft"


def dev(
    directory: Directory = DEFAULT_DIRECTORY,
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on.")] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", min=0, max=PORT_MAX, help="HTTP API; 0 takes a free one."),
    ] = None,
    rpc_port: Annotated[
        int | None,
        typer.Option(
            "--rpc-port", min=0, max=PORT_MAX, help="Ethereum JSON-RPC; 0 takes a free one."
        ),
    ] = None,
    member: Annotated[
        list[str] | None,
        typer.Option(
            "--member",
            help="ID:ROLE of a further member, for the first start; repeat for more. "
            "`tally key create ID` then gives its bearer key.",
        ),
    ] = None,
    consensus: Annotated[
        Consensus | None,
        typer.Option(
            "--consensus",
            help="For the first start. solo: no other program. cometbft: a consortium of one "
            "validator, with the engine of a real one.",
        ),
    ] = None,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Run a node in a folder (made at the first start) with a member you can act as.

    \b
    Example:  tally dev --member acme:warehouse
    """
    directory = directory.absolute()
    place = NodeDirectory(directory)
    if place.genesis.exists():
        passphrase = passphrase_for(place.keys, passphrase_file)
    else:
        passphrase = new_passphrase(passphrase_file)
    members = [_member(text) for text in member or ()]
    if place.genesis.exists() and members:
        raise NodeError(
            f"{directory} has its members already; --member counts at the first start only"
        )
    if not place.genesis.exists():
        # Ports that are named at the first start stay the node's.
        blank = NodeSettings(name="Development node")
        settings = _adjusted(blank, None, port or None, rpc_port or None)
        _found(place, settings, members, consensus or Consensus.SOLO, passphrase)
    elif consensus and consensus != (driver := load_settings(place.settings).consensus.driver):
        raise NodeError(f"{directory} runs with {driver}; --consensus counts at the first start")
    shown = LogSettings(format=load_settings(place.settings).log.format, level="warning")
    configure_logging(shown)
    refuse_second(place)
    check_ports(_adjusted(load_settings(place.settings), host, port, rpc_port))
    with NodeRuntime.open(
        directory, passphrase, lambda settings: _adjusted(settings, host, port, rpc_port)
    ) as node:
        key = _key(node)
        TrustStore().add(node.trust, proven=True)
        with serving(node) as addresses:
            remember(NodeAddress(addresses.api, key))
            tell_ready(node, addresses, DEV_MEMBER.id, key, as_json)
            stop_or_halt(node)


def _found(
    place: NodeDirectory,
    settings: NodeSettings,
    members: list[MemberSpec],
    consensus: Consensus,
    passphrase: str,
) -> None:
    own_node = None
    if consensus is Consensus.COMETBFT:
        p2p = PeerEndpoint(LOOPBACK, free_ports(LOOPBACK, 1)[0])
        section = ConsensusSettings(driver="cometbft", p2p_listen=str(p2p))
        settings = settings.model_copy(update={"consensus": section})
        own_node = first_validator(
            NodeSpec(
                organisation=DEV_MEMBER.id,
                profile=profile_of(DEV_MEMBER),
                role=DEV_MEMBER.role,
                label=DEV_MEMBER.id,
                p2p=p2p,
                api=f"http://{LOOPBACK}:{settings.api.port}",
            )
        )
    found_solo(
        place,
        settings,
        [DEV_MEMBER, *members],
        origin_prefix="tallystick.example/dev",
        passphrase=passphrase,
        developer_of=DEV_MEMBER.id,
        own_node=own_node,
    )


def _member(text: str) -> MemberSpec:
    organisation, _, role = text.partition(":")
    try:
        organisation_id_word(organisation)
        return MemberSpec(organisation, organisation, "", Role.of(role or "manufacturer"))
    except ValueError as bad:
        raise NodeError(f"--member {text}: {bad}; write ID:ROLE such as acme:warehouse") from bad


def _key(node: NodeRuntime) -> str:
    """The bearer key of the last start if it is still good here, else a new one."""
    known = remembered()
    if known is not None and known.key is not None:
        found = node.keys.find(known.key)
        if found and found.revoked is None and found.organisation == DEV_MEMBER.id:
            return known.key
    return node.keys.create(DEV_MEMBER.id)[0]


def _adjusted(
    settings: NodeSettings, host: str | None, port: int | None, rpc_port: int | None
) -> NodeSettings:
    api = settings.api.model_copy(
        update={
            name: value for name, value in (("host", host), ("port", port)) if value is not None
        }
    )
    rpc = settings.rpc.model_copy(update={} if rpc_port is None else {"port": rpc_port})
    return settings.model_copy(update={"api": api, "rpc": rpc})
