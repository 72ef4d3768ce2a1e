"""Online backup: everything that a node cannot make again, as of one moment, while it works.

The order is what makes the parts fit: first the SQL database, then the chain, at last the engine.
Each part is then as old as or older than the one that it is caught up from when the node starts:
the projection from the chain, the chain from the engine's blocks. That is how parts stand after a
power cut, so that a restored node does nothing that a node does not do anyhow.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tarfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy.engine import make_url

from ledger.chain import Genesis
from ledger.chain.records import read_consensus_mark, read_head, read_log_head
from ledger.chain.signed_before import FILE_NAME as SIGNED_BEFORE
from ledger.snapshot.manifest import height_of
from ledger.store import Snapshot, Store
from nodes.layout import NodeDirectory
from nodes.operations.backup_errors import BackupFailed
from nodes.operations.backup_files import (
    copy_file,
    copy_folder,
    copy_sqlite,
    digest_of,
    files_below,
    stage_engine,
    sync_file,
    sync_folders,
)
from nodes.operations.backup_manifest import (
    FORMAT,
    MANIFEST,
    BackupFile,
    BackupManifest,
    software_version,
)
from nodes.operations.protocol import Progress, Work
from nodes.settings import load_settings

ARCHIVE_SUFFIX: Final = ".tar"
_PLAIN_FILES: Final = (
    "genesis.json",
    "node.toml",
    "trust.json",
    "descriptor.json",
    "developer.json",
)
_FOLDERS: Final = ("keys", "rotations", "witness", "evidence")
_STAGING: Final = ".backup-"
_STEPS: Final = 7

Paused = Callable[[], AbstractContextManager[None]]
CopyChain = Callable[[Path], None]


@dataclass(frozen=True, slots=True)
class BackupInfo:
    """A backup that was made."""

    path: Path
    """A folder, or a .tar file of it."""
    manifest: BackupManifest

    @property
    def size_bytes(self) -> int:
        """Of all files."""
        return sum(file.size for file in self.manifest.files.values())

    def fields(self) -> dict[str, object]:
        """For people and machines."""
        manifest = self.manifest
        return {
            "path": str(self.path),
            "bytes": self.size_bytes,
            "files": len(manifest.files),
            "blockNumber": manifest.block_number,
            "height": manifest.height,
            "logSize": manifest.log_size,
            "logRoot": manifest.log_root,
            "databaseIncluded": manifest.database == "sqlite",
        }


def make_backup(
    directory: NodeDirectory,
    target: Path,
    progress: Progress = lambda _done, _total: None,
    *,
    copy_chain: CopyChain | None = None,
    paused: Paused = nullcontext,
) -> BackupInfo:
    """Back a node's folder up into `target`: a new folder, or one file if it ends in `.tar`.

    `copy_chain` copies the chain from within the process that has it open (`Ledger.copy`); without
    it the chain is opened beside whoever has it. `paused` holds the engine still while its files
    are linked (`CometBftDriver.paused`); without it the engine must not be running. Keys are
    copied as they are: encrypted, if they were. All or nothing.
    Raises `BackupFailed`, `NotANodeDirectory`, `SettingsInvalid`, `StoreError`s, OSError.
    """
    directory.check()
    target = target.absolute()
    if target.exists():
        raise BackupFailed(f"{target} is there already: name a new one for each backup")
    if target.is_relative_to(directory.root.absolute()) and target != directory.root.absolute():
        raise BackupFailed(f"{target} lies in the node's own folder: a backup belongs elsewhere")
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    draft.mkdir(mode=0o700)
    try:
        manifest = _fill(directory, draft, progress, copy_chain, paused)
        if target.suffix == ARCHIVE_SUFFIX:
            archive = draft.with_name(draft.name + ARCHIVE_SUFFIX)
            try:
                _pack(draft, archive)
                archive.rename(target)
            finally:
                archive.unlink(missing_ok=True)
        else:
            draft.rename(target)
        sync_file(target.parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    progress(_STEPS, _STEPS)
    return BackupInfo(target, manifest)


def backup_work(
    directory: NodeDirectory,
    folder: Path,
    *,
    copy_chain: CopyChain | None = None,
    paused: Paused = nullcontext,
) -> Work:
    """`make_backup` as the operator's listener calls it.

    Without a target, backups go below `folder`, named by the time.
    """

    def work(target: Path | None, progress: Progress) -> Mapping[str, object]:
        place = target or folder / f"backup-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        made = make_backup(directory, place, progress, copy_chain=copy_chain, paused=paused)
        return made.fields()

    return work


def _fill(
    directory: NodeDirectory,
    draft: Path,
    progress: Progress,
    copy_chain: CopyChain | None,
    paused: Paused,
) -> BackupManifest:
    settings = load_settings(directory.settings)
    progress(0, _STEPS)
    database = _copy_database(directory, draft, settings.database.url)
    progress(1, _STEPS)
    (copy_chain or _copy_from_beside(directory))(draft / "chain")
    before = directory.chain / SIGNED_BEFORE
    if before.exists():
        copy_file(before, draft / "chain" / SIGNED_BEFORE)
    progress(2, _STEPS)
    has_engine = _copy_engine(directory, draft, paused)
    progress(3, _STEPS)
    for name in _FOLDERS:
        copy_folder(directory.root / name, draft / name)
    progress(4, _STEPS)
    for name in _PLAIN_FILES:
        if (directory.root / name).is_file():
            copy_file(directory.root / name, draft / name)
    progress(5, _STEPS)
    files = {
        path.relative_to(draft).as_posix(): BackupFile(
            size=path.stat().st_size, sha256=digest_of(path), mode=path.stat().st_mode & 0o777
        )
        for path in files_below(draft)
    }
    progress(6, _STEPS)
    manifest = _manifest(directory, draft, settings.name, database, has_engine, files)
    with (draft / MANIFEST).open("xb") as file:
        file.write(manifest.encode())
        file.flush()
        os.fsync(file.fileno())
    sync_folders(draft)
    return manifest


def _copy_database(directory: NodeDirectory, draft: Path, url: str) -> bool:
    """Whether the SQL database is a SQLite file, which then is in the backup."""
    path = directory.database
    if url:
        parsed = make_url(url)
        if parsed.get_backend_name() != "sqlite":
            return False
        path = Path(parsed.database or "")
    if path.is_file():
        copy_sqlite(path, draft / directory.database.name)
    return True


def _copy_from_beside(directory: NodeDirectory) -> CopyChain:
    def copy(target: Path) -> None:
        with Store.open(directory.chain, readonly=True) as store:
            store.copy(target)

    return copy


def _copy_engine(directory: NodeDirectory, draft: Path, paused: Paused) -> bool:
    if not directory.engine.is_dir():
        return False
    for left in directory.root.glob(f"{_STAGING}*"):  # by a backup whose process was killed
        shutil.rmtree(left, ignore_errors=True)
    staging = directory.root / f"{_STAGING}{secrets.token_hex(4)}"
    try:
        with paused():
            stage_engine(directory.engine, staging)
        copy_folder(staging, draft / "engine")
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return True


def _manifest(
    directory: NodeDirectory,
    draft: Path,
    name: str,
    has_database: bool,
    has_engine: bool,
    files: dict[str, BackupFile],
) -> BackupManifest:
    genesis = Genesis.load(directory.genesis)
    with Store.open(draft / "chain", readonly=True) as store, store.snapshot() as snapshot:
        number, block_hash = read_head(snapshot)
        log = read_log_head(snapshot)
        height = _height(snapshot, number)
    for leftover in (draft / "chain").glob("*-lock"):
        leftover.unlink()
    return BackupManifest(
        format=FORMAT,
        software=software_version(),
        made_at=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        name=name,
        origin=genesis.origin,
        chain_id=genesis.chain_id,
        genesis_hash=genesis.block.hash.hex(),
        block_number=number,
        block_hash=block_hash.hex(),
        log_size=log.size,
        log_root=log.root.hex(),
        height=height,
        database="sqlite" if has_database else "other",
        engine=has_engine,
        files=files,
    )


def _height(snapshot: Snapshot, number: int) -> int | None:
    mark = read_consensus_mark(snapshot)
    return None if mark is None else height_of(mark, number)


def _pack(folder: Path, archive: Path) -> None:
    """The folder as one file; the manifest comes first, so that it can be read without the rest."""
    with archive.open("xb") as file:
        os.fchmod(file.fileno(), 0o600)
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
            tar.add(folder / MANIFEST, MANIFEST)
            for path in files_below(folder):
                name = path.relative_to(folder).as_posix()
                if name != MANIFEST:
                    tar.add(path, name)
        file.flush()
        os.fsync(file.fileno())
