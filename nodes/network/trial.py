"""A whole consortium on one machine, for trying out: one folder a member, founded and ready."""

from __future__ import annotations

import json
import secrets
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ledger.canonical import JsonError, parse_json
from ledger.crypto import NO_PASSPHRASE
from nodes.endpoints import PeerEndpoint
from nodes.errors import DirectoryNotEmpty, NotANodeDirectory
from nodes.founding import MemberSpec
from nodes.layout import NodeDirectory
from nodes.network.adoption import adopt_genesis
from nodes.network.cast import profile_of
from nodes.network.descriptor import Descriptor
from nodes.network.errors import FoundingRefused
from nodes.network.founding import consortium_genesis
from nodes.network.identity import NodeSpec, init_node
from nodes.network.ports import free_ports
from nodes.operations.settings import OperationsSettings
from nodes.settings import (
    ApiSettings,
    CaptureSettings,
    ChainSettings,
    ConsensusSettings,
    NodeSettings,
    RpcSection,
)

NETWORK_FILE: Final = "network.json"
SIZE_BYTES_MAX: Final = 64 * 1024
MAP_SIZE_GIB: Final = 64
LOOPBACK: Final = "127.0.0.1"
DISK_FREE_MIB_MIN: Final = 256
_PORTS_EACH: Final = 3


class _Member(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    organisation: str
    directory: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,32}$")]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    format: Literal["tallystick-network/1"]
    origin: str
    members: Annotated[list[_Member], Field(min_length=1, max_length=128)]


@dataclass(frozen=True, slots=True)
class TrialMember:
    """A member of a network on one machine."""

    organisation: str
    directory: NodeDirectory


@dataclass(frozen=True, slots=True)
class TrialNetwork:
    """A network on one machine."""

    root: Path
    origin: str
    members: tuple[TrialMember, ...]

    @classmethod
    def load(cls, root: Path) -> TrialNetwork:
        """Read `network.json`. Raises `NotANodeDirectory`, `FoundingRefused`."""
        path = root / NETWORK_FILE
        try:
            with path.open("rb") as opened:
                data = opened.read(SIZE_BYTES_MAX + 1)
        except FileNotFoundError:
            raise NotANodeDirectory(
                f"{root} holds no network ({NETWORK_FILE} is missing); "
                "`tally network new DIR` makes one"
            ) from None
        try:
            file = _File.model_validate(
                parse_json(data, size_bytes_max=SIZE_BYTES_MAX, depth_max=4)
            )
        except (JsonError, ValidationError) as bad:
            raise FoundingRefused(f"{path}: {bad}") from bad
        members = (
            TrialMember(one.organisation, NodeDirectory(root / one.directory))
            for one in file.members
        )
        return cls(root, file.origin, tuple(members))


def new_network(
    root: Path,
    members: Sequence[MemberSpec],
    *,
    hosts: Sequence[str] = (),
    origin: str | None = None,
    passphrase: str = NO_PASSPHRASE,
) -> TrialNetwork:
    """Write the folders of a consortium whose nodes all run here. All or nothing.

    `hosts`: one address for all nodes, or one for each (network namespaces); 127.0.0.1 by default.
    Raises `DirectoryNotEmpty`, `FoundingRefused`.
    """
    if root.exists() and any(root.iterdir()):
        raise DirectoryNotEmpty(f"{root} is not empty; name a new folder")
    chosen = tuple(hosts) or (LOOPBACK,)
    if len(chosen) not in (1, len(members)):
        raise FoundingRefused(f"--host: give one address, or one for each of {len(members)} nodes")
    each = chosen * len(members) if len(chosen) == 1 else chosen
    root = root.absolute()
    draft = root.with_name(f".{root.name}.{secrets.token_hex(4)}")
    draft.mkdir(parents=True, mode=0o700)
    try:
        name = origin or f"tallystick.example/network/{secrets.token_hex(4)}"
        _write(draft, members, each, name, passphrase)
        draft.rename(root)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return TrialNetwork.load(root)


def _write(
    draft: Path, members: Sequence[MemberSpec], hosts: Sequence[str], origin: str, passphrase: str
) -> None:
    descriptors = _init_all(draft, members, hosts, passphrase)
    genesis = draft / "genesis.json"
    genesis.write_bytes(consortium_genesis(descriptors, origin, int(time.time())))
    for member in members:
        trust = adopt_genesis(NodeDirectory(draft / member.id), genesis)
    trust.save(draft / "trust.json")
    fields = {
        "format": "tallystick-network/1",
        "origin": origin,
        "members": [{"organisation": one.id, "directory": one.id} for one in members],
    }
    (draft / NETWORK_FILE).write_text(json.dumps(fields, indent=1) + "\n", "ascii")


def _init_all(
    draft: Path, members: Sequence[MemberSpec], hosts: Sequence[str], passphrase: str
) -> list[Descriptor]:
    if len(set(hosts)) == 1:
        ports = free_ports(hosts[0], _PORTS_EACH * len(members))
    else:
        # The addresses may belong to other network namespaces: they cannot be tried here.
        ports = tuple(8080 + index for index in range(_PORTS_EACH)) * len(members)
    descriptors = []
    for index, (member, host) in enumerate(zip(members, hosts, strict=True)):
        api, rpc, p2p = ports[index * _PORTS_EACH : (index + 1) * _PORTS_EACH]
        endpoint = PeerEndpoint(host, p2p)
        spec = NodeSpec(
            organisation=member.id,
            profile=profile_of(member),
            role=member.role,
            label=member.id,
            p2p=endpoint,
            api=f"http://{PeerEndpoint(host, api)}",
        )
        settings = trial_settings(member.name, host, api, rpc, endpoint)
        descriptors.append(
            init_node(
                NodeDirectory(draft / member.id),
                spec,
                settings,
                passphrase=passphrase,
                developer=True,
            )
        )
    return descriptors


def trial_settings(name: str, host: str, api: int, rpc: int, p2p: PeerEndpoint) -> NodeSettings:
    """Of a node beside others on one machine: no worker processes of its own, free ports."""
    return NodeSettings(
        name=name,
        api=ApiSettings(host=host, port=api),
        rpc=RpcSection(host=host, port=rpc),
        capture=CaptureSettings(workers=0),
        chain=ChainSettings(map_size_gib=MAP_SIZE_GIB),
        consensus=ConsensusSettings(driver="cometbft", p2p_listen=str(p2p), timing="local"),
        operations=OperationsSettings(port=0, disk_free_mib_min=DISK_FREE_MIB_MIN),
    )
