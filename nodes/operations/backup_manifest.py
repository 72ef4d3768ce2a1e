"""`manifest.json` of a backup: every file with its size and hash, and what the ledger was."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from nodes.operations.backup_errors import BackupDamaged

MANIFEST: Final = "manifest.json"
FORMAT: Final = "tallystick-backup/1"
SIZE_BYTES_MAX: Final = 256 << 20
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        alias_generator=to_camel,
        populate_by_name=True,
    )


class BackupFile(_Strict):
    """One file."""

    size: Annotated[int, Field(ge=0)]
    sha256: Hash
    mode: Annotated[int, Field(ge=0, le=0o777)]
    """Permissions."""


class BackupManifest(_Strict):
    """The whole file."""

    format: Literal["tallystick-backup/1"]
    software: str
    """Version of Tallystick that made it."""
    made_at: str
    """RFC 3339, UTC."""
    name: str
    """The node's, in node.toml."""
    origin: str
    chain_id: int
    genesis_hash: Hash
    block_number: Annotated[int, Field(ge=0)]
    block_hash: Hash
    log_size: Annotated[int, Field(ge=0)]
    log_root: Hash
    height: int | None
    """Of consensus, as the chain's copy has it; None for a solo ledger."""
    database: Literal["sqlite", "other"]
    """`other`: the SQL database is not in the backup; its own tools back it up."""
    engine: bool
    """Whether the engine's folder is in the backup."""
    files: dict[str, BackupFile]
    """By path below the node's folder, with `/` between names."""

    def encode(self) -> bytes:
        """As it is written."""
        fields = self.model_dump(mode="json", by_alias=True)
        return json.dumps(fields, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"

    @classmethod
    def read(cls, folder: Path) -> BackupManifest:
        """Out of a backup. Raises `BackupDamaged`."""
        path = folder / MANIFEST
        try:
            with path.open("rb") as file:
                data = file.read(SIZE_BYTES_MAX + 1)
        except FileNotFoundError:
            raise BackupDamaged(f"{folder} is no backup: {MANIFEST} is missing") from None
        return cls.decode(data, str(path))

    @classmethod
    def decode(cls, data: bytes, place: str) -> BackupManifest:
        """Read `encode` back. Raises `BackupDamaged`."""
        if len(data) > SIZE_BYTES_MAX:
            raise BackupDamaged(f"{place} is larger than {SIZE_BYTES_MAX} bytes")
        try:
            manifest = cls.model_validate_json(data)
        except ValidationError as bad:
            first = bad.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "file"
            raise BackupDamaged(f"{place}: {where}: {first['msg']}") from bad
        for name in manifest.files:
            parts = PurePosixPath(name).parts
            plain = parts and not any(part in ("..", ".", "/", "") for part in parts)
            if not plain or str(PurePosixPath(name)) != name or "\\" in name or "\0" in name:
                raise BackupDamaged(f"{place}: {name!r} is no path below the node's folder")
        return manifest


def software_version() -> str:
    """Of this installation."""
    return version("tallystick")
