"""`node.toml`: what an operator may change, read strictly."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from nodes.endpoints import parse_endpoint
from nodes.errors import SettingsInvalid
from nodes.operations.settings import LogSettings, OperationsSettings

Port = Annotated[int, Field(ge=0, le=65535)]


def _endpoint(text: str) -> str:
    """`HOST:PORT`, or empty."""
    return str(parse_endpoint(text)) if text else text


Endpoint = Annotated[str, AfterValidator(_endpoint)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ApiSettings(_Section):
    """The HTTP API and the consumer page."""

    host: str = "127.0.0.1"
    port: Port = 8080
    """0 takes a free port."""
    public_url: str = ""
    """What QR codes point to; empty: the address above."""
    requests_per_minute: Annotated[int, Field(ge=1)] = 6_000
    """For one key or one address."""


class RpcSection(_Section):
    """Ethereum JSON-RPC."""

    host: str = "127.0.0.1"
    port: Port = 8545


class DatabaseSettings(_Section):
    """The projection."""

    url: str = ""
    """SQLAlchemy URL; empty: a SQLite file in the node's folder."""


class CaptureSettings(_Section):
    """Capture jobs."""

    workers: Annotated[int, Field(ge=0, le=64)] = 1
    """Processes that parse and hash; 0 does it in the serving process."""


class ChainSettings(_Section):
    """The chain's storage and pace."""

    map_size_gib: Annotated[int, Field(ge=1, le=65_536)] = 256
    """Upper bound of the LMDB file; disk is taken only as it fills."""
    block_interval_ms: Annotated[int, Field(ge=0, le=60_000)] = 0
    """Least time between blocks; 0 makes one as soon as something is pending."""
    execution: Literal["fast", "reference"] = "fast"
    """fast: contracts run in our own inner loop, translated where they run often. reference: in
    py-evm's, to the same end and many times slower."""


class ConsensusSettings(_Section):
    """How blocks come about."""

    driver: Literal["solo", "cometbft"] = "solo"
    """solo: this node alone. cometbft: agreed with the other members' nodes."""
    p2p_listen: Endpoint = "0.0.0.0:26656"
    """Where the engine listens for its peers."""
    p2p_external: Endpoint = ""
    """Where peers reach it, if that is another address; empty: as the Network contract says."""
    timing: Literal["local", "wide"] = "local"
    """local: members in one region. wide: round trips of up to a second."""
    retain_heights: Annotated[int, Field(ge=0, le=1_000_000_000)] = 100_000
    """How many of the engine's last blocks stay at least, beside those of the last three weeks; 0
    keeps all. The ledger keeps every block in any case."""


class WitnessSettings(_Section):
    """Vouching for checkpoints, and gathering those of the others."""

    enabled: bool = True
    interval_ms: Annotated[int, Field(ge=50, le=600_000)] = 1_000
    """How often the other members are asked for what is missing."""


RETAIN_HEIGHTS_MIN: Final = 100_000
"""As the engine's settings have it; commands that only read this file need not import an engine."""
SNAPSHOT_MARGIN_HEIGHTS: Final = 10_000
"""That others may make while somebody fetches the oldest snapshot."""


class SnapshotSettings(_Section):
    """Snapshots that joining nodes fetch."""

    interval_heights: Annotated[int, Field(ge=0, le=10_000_000)] = 1_000
    """One at each multiple of so many heights of the engine; 0 makes none."""
    keep: Annotated[int, Field(ge=1, le=100)] = 2
    """How many of the newest stay."""


class ProcessSettings(_Section):
    """The node as a process of this machine."""

    cores: Literal["one", "all"] = "one"
    """one: the node's own threads keep to a core, whichever is freest. all: the system places
    them. What the node starts as processes of their own takes every core in any case."""


class WebhookSection(_Section):
    """Notices sent to the members' own addresses."""

    allow_private_addresses: bool = False
    """Also to private and loopback addresses, and there without TLS."""


class NodeSettings(_Section):
    """The whole file."""

    name: str = "Tallystick node"
    api: ApiSettings = ApiSettings()
    rpc: RpcSection = RpcSection()
    database: DatabaseSettings = DatabaseSettings()
    capture: CaptureSettings = CaptureSettings()
    chain: ChainSettings = ChainSettings()
    consensus: ConsensusSettings = ConsensusSettings()
    operations: OperationsSettings = OperationsSettings()
    log: LogSettings = LogSettings()
    witness: WitnessSettings = WitnessSettings()
    snapshots: SnapshotSettings = SnapshotSettings()
    webhooks: WebhookSection = WebhookSection()
    process: ProcessSettings = ProcessSettings()

    @model_validator(mode="after")
    def _blocks_after_snapshots(self) -> Self:
        """Who joins by the oldest snapshot kept must find the engine's blocks after it."""
        retained, shelf = self.consensus.retain_heights, self.snapshots
        if not retained:
            return self
        if retained < RETAIN_HEIGHTS_MIN:
            raise ValueError(
                f"consensus.retain_heights is {retained}: 0 (all) or at least {RETAIN_HEIGHTS_MIN}"
                ", for within so many heights a double vote can be shown"
            )
        needed = shelf.keep * shelf.interval_heights + SNAPSHOT_MARGIN_HEIGHTS
        if retained < needed:
            raise ValueError(
                f"consensus.retain_heights is {retained}, but {shelf.keep} snapshots, one every "
                f"{shelf.interval_heights} heights, need {needed}: a node that joins by the oldest "
                "of them must find all blocks after it. Raise it (0 keeps all), or make snapshots "
                "more often"
            )
        return self

    @property
    def retained_heights(self) -> int:
        """Heights that the engine keeps; 0 for all, also where no snapshots are made here."""
        return self.consensus.retain_heights if self.snapshots.interval_heights else 0


TEMPLATE = """\
# Settings of one Tallystick node. What is left out has the value shown.
name = {name}

[api]
host = {api.host}
port = {api.port}
# Where QR codes point to, if not the address above.
public_url = {api.public_url}
requests_per_minute = {api.requests_per_minute}

[rpc]
host = {rpc.host}
port = {rpc.port}

[database]
# SQLAlchemy URL such as postgresql+psycopg://user@host/name; empty: SQLite in this folder.
url = {database.url}

[capture]
workers = {capture.workers}

[chain]
map_size_gib = {chain.map_size_gib}
# Least time between two blocks of a node that orders alone.
block_interval_ms = {chain.block_interval_ms}
# "reference" has contracts run by py-evm's own inner loop: the same outcome, many times slower.
execution = {chain.execution}

[consensus]
# "solo": this node alone decides the order. "cometbft": the members' nodes agree on it.
driver = {consensus.driver}
# Where the engine listens for the other nodes, and where they reach it if elsewhere.
p2p_listen = {consensus.p2p_listen}
p2p_external = {consensus.p2p_external}
# "local": members in one region. "wide": round trips of up to a second.
timing = {consensus.timing}
# So many of the engine's last blocks stay at least (and those of the last three weeks), for nodes
# that were away; older ones go, the ledger keeps everything. At least 100000 and enough for the
# oldest snapshot; 0 keeps all, and so does a node that makes no snapshots.
retain_heights = {consensus.retain_heights}

[operations]
# Metrics, health, status, backup: for the operator. Port 0 takes a free one; run.json says which.
host = {operations.host}
port = {operations.port}
requests_per_minute = {operations.requests_per_minute}
# The node counts as ready within these bounds.
projection_lag_blocks_max = {operations.projection_lag_blocks_max}
height_lag_max = {operations.height_lag_max}
disk_free_mib_min = {operations.disk_free_mib_min}
peers_min = {operations.peers_min}

[log]
# "text" for people, "json" for machines; levels debug, info, warning, error, critical.
format = {log.format}
level = {log.level}

[witness]
# Cosign the log's checkpoints, and gather the other members' cosignatures.
enabled = {witness.enabled}
interval_ms = {witness.interval_ms}

[snapshots]
# One at each multiple of so many heights of the engine, for nodes that join; 0 makes none.
interval_heights = {snapshots.interval_heights}
keep = {snapshots.keep}

[webhooks]
# Whether notices are sent to private and loopback addresses too, and there without TLS: whoever
# has a key could then have the node POST to machines of its own network.
allow_private_addresses = {webhooks.allow_private_addresses}

[process]
# "one": the node's own threads keep to one core, whichever has the least other work, and do more
# there than on several (Linux). "all": the system places them. The consensus engine and other
# processes that the node starts take every core in any case.
cores = {process.cores}
"""


def load_settings(path: Path) -> NodeSettings:
    """Read `node.toml`. Raises SettingsInvalid with the place and the reason."""
    try:
        return NodeSettings.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as bad:
        raise SettingsInvalid(f"{path}: {bad}") from bad
    except ValidationError as bad:
        first = bad.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise SettingsInvalid(f"{path}: {place}: {first['msg']}") from bad


def write_settings(path: Path, settings: NodeSettings) -> None:
    """Write a commented `node.toml`."""
    values = {
        name: SimpleNamespace(**{key: _toml(one) for key, one in value.items()})
        if isinstance(value, dict)
        else _toml(value)
        for name, value in settings.model_dump().items()
    }
    path.write_text(TEMPLATE.format(**values), "utf-8")


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else _text(str(value))


def _text(value: str) -> str:
    """A TOML basic string: what JSON escapes, TOML escapes alike, but for DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
