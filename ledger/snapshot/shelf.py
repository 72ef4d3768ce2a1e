"""The snapshots that a node keeps and serves."""

from __future__ import annotations

import json
import re
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path

from ledger.canonical import CanonicalError, canonical_json
from ledger.snapshot.errors import SnapshotError, SnapshotMissing
from ledger.snapshot.manifest import METADATA_SIZE_BYTES_MAX, Manifest
from ledger.snapshot.types import SnapshotInfo

KEPT_DEFAULT = 2
_INFO_FILE = "snapshot.json"
_FOLDER = re.compile(r"[1-9][0-9]{0,18}-[1-9][0-9]{0,8}")
_PARTIAL = ".partial-"


def chunk_name(index: int) -> str:
    """File name of a chunk in a snapshot's folder."""
    return f"{index:05d}.chunk"


def write_info(info: SnapshotInfo) -> bytes:
    """What stands in a snapshot's folder beside its chunks."""
    fields = {
        "height": info.height,
        "format": info.format,
        "chunks": info.chunks,
        "hash": info.hash.hex(),
        "metadata": json.loads(info.metadata),
    }
    return json.dumps(fields, sort_keys=True).encode() + b"\n"


class SnapshotStore:
    """Snapshots in folders `<height>-<format>` of one directory. Thread-safe.

    Chunks are served as they lie there, several at once and while others are made or removed.
    """

    def __init__(self, directory: Path | str) -> None:
        self._directory = Path(directory)
        self._lock = threading.Lock()
        self._known: dict[str, SnapshotInfo] = {}

    @property
    def directory(self) -> Path:
        """Where they lie."""
        return self._directory

    def list(self) -> Sequence[SnapshotInfo]:
        """All whole snapshots, newest first. What is damaged is passed over."""
        found: dict[str, SnapshotInfo] = {}
        with self._lock:
            for folder in self._folders():
                info = self._known.get(folder.name) or _read_info(folder)
                if info is not None:
                    found[folder.name] = info
            self._known = found
        return sorted(found.values(), key=lambda info: (info.height, info.format), reverse=True)

    def chunk(self, height: int, index: int, format: int | None = None) -> bytes:  # noqa: A002
        """A chunk as it is sent; `format` where there are several. Raises `SnapshotMissing`."""
        for info in self.list():
            if info.height == height and format in (None, info.format):
                if not 0 <= index < info.chunks:
                    break
                path = self._directory / f"{height}-{info.format}" / chunk_name(index)
                try:
                    return path.read_bytes()
                except OSError as error:
                    raise SnapshotMissing(f"{path} cannot be read: {error.strerror}") from error
        raise SnapshotMissing(f"no chunk {index} of a snapshot of height {height} here")

    def prune(self, keep: int = KEPT_DEFAULT) -> tuple[SnapshotInfo, ...]:
        """Remove all but the newest `keep`, and what is not whole. Returns what was removed.

        Not while a snapshot is being made into the same directory by somebody else.
        """
        if keep < 0:
            raise ValueError(f"{keep} snapshots cannot be kept")
        removed = tuple(self.list()[keep:])
        kept = {f"{info.height}-{info.format}" for info in self.list()[:keep]}
        for folder in [*self._folders(), *self._directory.glob(f"{_PARTIAL}*")]:
            if folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)
        return removed

    def _folders(self) -> tuple[Path, ...]:
        if not self._directory.is_dir():
            return ()
        return tuple(p for p in self._directory.iterdir() if _FOLDER.fullmatch(p.name))


def _read_info(folder: Path) -> SnapshotInfo | None:
    try:
        path = folder / _INFO_FILE
        if path.stat().st_size > 2 * METADATA_SIZE_BYTES_MAX:
            return None
        fields = json.loads(path.read_bytes())
        metadata = canonical_json(fields["metadata"])
        info = SnapshotInfo(
            fields["height"],
            fields["format"],
            fields["chunks"],
            bytes.fromhex(fields["hash"]),
            metadata,
        )
        Manifest.of(info)
    except (OSError, ValueError, KeyError, TypeError, CanonicalError, SnapshotError):
        return None
    if f"{info.height}-{info.format}" != folder.name:
        return None
    whole = all((folder / chunk_name(index)).is_file() for index in range(info.chunks))
    return info if whole else None
