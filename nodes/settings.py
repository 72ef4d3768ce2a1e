"""`node.toml`: what an operator may change, read strictly."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nodes.errors import SettingsInvalid

Port = Annotated[int, Field(ge=0, le=65535)]


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


class NodeSettings(_Section):
    """The whole file."""

    name: str = "Tallystick node"
    api: ApiSettings = ApiSettings()
    rpc: RpcSection = RpcSection()
    database: DatabaseSettings = DatabaseSettings()
    capture: CaptureSettings = CaptureSettings()
    chain: ChainSettings = ChainSettings()


TEMPLATE = """\
# Settings of one Tallystick node. What is left out has the value shown.
name = {name}

[api]
host = {api_host}
port = {api_port}
# Where QR codes point to, if not the address above.
public_url = {public_url}
requests_per_minute = {requests_per_minute}

[rpc]
host = {rpc_host}
port = {rpc_port}

[database]
# SQLAlchemy URL such as postgresql+psycopg://user@host/name; empty: SQLite in this folder.
url = {database_url}

[capture]
workers = {workers}

[chain]
map_size_gib = {map_size_gib}
block_interval_ms = {block_interval_ms}
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
    path.write_text(
        TEMPLATE.format(
            name=_text(settings.name),
            api_host=_text(settings.api.host),
            api_port=settings.api.port,
            public_url=_text(settings.api.public_url),
            requests_per_minute=settings.api.requests_per_minute,
            rpc_host=_text(settings.rpc.host),
            rpc_port=settings.rpc.port,
            database_url=_text(settings.database.url),
            workers=settings.capture.workers,
            map_size_gib=settings.chain.map_size_gib,
            block_interval_ms=settings.chain.block_interval_ms,
        ),
        "utf-8",
    )


def _text(value: str) -> str:
    """A TOML basic string: what JSON escapes, TOML escapes alike, but for DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
