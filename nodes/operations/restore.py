"""Putting a backup back, so that the node contradicts nothing that it has signed since.

A copy of a node is an older node. Two things must not happen when it goes on: that its validator
key votes twice on one height, and that its log signs a second history of sizes it has given out.
"""

from __future__ import annotations

import secrets
import shutil
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ledger.chain import ChainError, Genesis, Ledger
from ledger.chain.signed_before import write_signed_before
from ledger.consensus.cometbft import ensure_node_key
from ledger.crypto import KeyStore
from ledger.store import StoreError
from ledger.tlog import Checkpoint, NoteVerifier, TlogError, open_checkpoint
from nodes.layout import NodeDirectory
from nodes.opening import log_signer, open_ledger
from nodes.operations.backup_errors import BackupDamaged, RestoreRefused
from nodes.operations.backup_files import copy_file, digest_of, files_below, sync_folders
from nodes.operations.backup_manifest import MANIFEST, SIZE_BYTES_MAX, BackupManifest
from nodes.operations.double_signing import raise_last_signed
from nodes.operations.protocol import Progress
from nodes.settings import load_settings
from traceability.bundle import Trust


@dataclass(frozen=True, slots=True)
class Safeguards:
    """What the operator knows of the time after the backup."""

    checkpoint: str | None = None
    """The newest signed note of this log that anybody has: from a peer, a bundle, a web page."""
    heights: Sequence[int] = ()
    """Consensus heights that the network has reached since, as the operator knows them."""
    accept_loss: bool = False
    """Nothing newer is known and the operator answers for there being nothing."""
    ask: Callable[[Ledger, bytes], int] | None = None
    """Asks the members of the restored ledger, but for this node, where no height is given."""

    def reached(self, ledger: Ledger, own: bytes) -> int | None:
        """The height that the network has reached; None where nobody knows. As `ask` raises."""
        if self.heights:
            return max(self.heights)
        return None if self.ask is None or self.accept_loss else self.ask(ledger, own)


@dataclass(frozen=True, slots=True)
class RestoreInfo:
    """What was put back."""

    path: Path
    manifest: BackupManifest
    signed_before: int | None
    """Log size that was signed before and must be reached again; None where nothing is missing."""
    last_signed: int | None
    """Height up to which the validator will sign nothing; None where the node has no validator."""
    needed: bool = False
    """Whether the others have too little power to come past that height without this node."""

    def fields(self) -> dict[str, object]:
        """For people and machines."""
        return {
            "path": str(self.path),
            "blockNumber": self.manifest.block_number,
            "height": self.manifest.height,
            "logSize": self.manifest.log_size,
            "logRoot": self.manifest.log_root,
            "signedBefore": self.signed_before,
            "lastSigned": self.last_signed,
            "needed": self.needed,
            "database": self.manifest.database,
        }


def restore_backup(
    backup: Path,
    directory: NodeDirectory,
    passphrase: str | Callable[[Path], str],
    safeguards: Safeguards,
    progress: Progress = lambda _done, _total: None,
    *,
    whole_check: bool = False,
) -> RestoreInfo:
    """Make a node's folder out of a backup. All or nothing; the folder must be new or empty.

    `passphrase` of the keys, or what finds it for their folder. Every file is held against the
    manifest, then the chain against itself: quickly, or with
    `whole_check` by executing it anew. `progress` counts bytes, then blocks.
    Raises `BackupDamaged`, `RestoreRefused`, and what opening keys and ledger raises.
    """
    root = directory.root.absolute()
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise RestoreRefused(f"{root} is not empty: a backup is put into a new folder")
    root.parent.mkdir(parents=True, exist_ok=True)
    draft = NodeDirectory(root.with_name(f".{root.name}.{secrets.token_hex(4)}"))
    draft.root.mkdir(mode=0o700)
    try:
        manifest = _unpack(backup, draft.root, progress)
        safe = _make_safe(draft, manifest, passphrase, safeguards, progress, whole_check)
        sync_folders(draft.root)
        draft.root.rename(root)  # replaces an empty folder, and nothing else
    except BaseException:
        shutil.rmtree(draft.root, ignore_errors=True)
        raise
    return RestoreInfo(root, manifest, *safe)


# ---- the files ----------------------------------------------------------------------------------


def _unpack(backup: Path, target: Path, progress: Progress) -> BackupManifest:
    if backup.is_dir():
        manifest = BackupManifest.read(backup)
        _copy_all(backup, target, manifest, progress)
        return manifest
    if not backup.is_file():
        raise BackupDamaged(f"{backup} is not there")
    if not tarfile.is_tarfile(backup):
        raise BackupDamaged(f"{backup} is no backup, or its beginning is damaged")
    try:
        return _extract(backup, target, progress)
    except (tarfile.TarError, EOFError) as error:
        raise BackupDamaged(f"{backup}: {error}") from error


def _copy_all(backup: Path, target: Path, manifest: BackupManifest, progress: Progress) -> None:
    present = {path.relative_to(backup).as_posix() for path in files_below(backup)} - {MANIFEST}
    _same_names(backup, present, manifest)
    total = sum(file.size for file in manifest.files.values())
    done = 0
    for name, entry in manifest.files.items():
        copy_file(backup / name, target / name)
        _check_file(target / name, name, manifest)
        done += entry.size
        progress(done, total)


def _extract(archive: Path, target: Path, progress: Progress) -> BackupManifest:
    """Out of a .tar file: only the plain files that its manifest names."""
    with tarfile.open(archive, mode="r|") as tar:
        first = tar.next()
        stream = tar.extractfile(first) if first is not None and first.name == MANIFEST else None
        if stream is None:
            raise BackupDamaged(f"{archive} is no backup: it does not begin with {MANIFEST}")
        manifest = BackupManifest.decode(stream.read(SIZE_BYTES_MAX + 1), f"{archive}: {MANIFEST}")
        total = sum(file.size for file in manifest.files.values())
        done, seen = 0, set[str]()
        while (member := tar.next()) is not None:
            entry = manifest.files.get(member.name)
            stream = tar.extractfile(member) if member.isreg() else None
            if entry is None or stream is None or member.name in seen or member.size != entry.size:
                raise BackupDamaged(f"{archive}: {member.name!r} is not in its manifest as it is")
            place = target / member.name
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with place.open("xb") as file:
                shutil.copyfileobj(stream, file)
            _check_file(place, member.name, manifest)
            seen.add(member.name)
            done += entry.size
            progress(done, total)
        _same_names(archive, seen, manifest)
    return manifest


def _same_names(place: Path, present: set[str], manifest: BackupManifest) -> None:
    for name in sorted(manifest.files.keys() - present):
        raise BackupDamaged(f"{place}: {name} is missing")
    for name in sorted(present - manifest.files.keys()):
        raise BackupDamaged(f"{place}: {name} is not in the manifest")


def _check_file(path: Path, name: str, manifest: BackupManifest) -> None:
    entry = manifest.files[name]
    if path.stat().st_size != entry.size or digest_of(path) != entry.sha256:
        raise BackupDamaged(f"{name} is not as it was when the backup was made")
    path.chmod(entry.mode)


# ---- what it must not contradict ----------------------------------------------------------------


def _make_safe(
    draft: NodeDirectory,
    manifest: BackupManifest,
    passphrase: str | Callable[[Path], str],
    safeguards: Safeguards,
    progress: Progress,
    whole_check: bool,
) -> tuple[int | None, int | None, bool]:
    """Log size that must be reached again; height up to which nothing is signed; `needed`."""
    draft.check()
    unlock = passphrase if isinstance(passphrase, str) else passphrase(draft.keys)
    keys = KeyStore(draft.keys, unlock)
    with _open(draft, keys) as ledger:
        log = ledger.log.head()
        found = (ledger.head().hash.hex(), log.size, log.root.hex())
        if found != (manifest.block_hash, manifest.log_size, manifest.log_root):
            raise BackupDamaged("the chain is not the one that the manifest tells of")
        if whole_check:
            ledger.verify_integrity(progress)
        is_solo = ledger.consensus_mark() is None
        trusted = Trust.load(draft.trust).keys if draft.trust.is_file() else ()
        known = _known_checkpoint(ledger, keys, trusted, safeguards.checkpoint)
        last = None if is_solo else _bar_votes(draft, ledger, keys, manifest, safeguards)
        needed = last is not None and _is_needed(ledger, ensure_node_key(draft.engine))
    if is_solo and known is None and not safeguards.accept_loss:
        raise RestoreRefused(
            f"this log ends at size {manifest.log_size} in the backup. If it has signed more "
            "since, going on would fork it: give the newest checkpoint that anybody has (a file, "
            "or the address of one), or accept the loss if there was nothing after the backup"
        )
    missing = None
    if known is not None and known.size > manifest.log_size and not safeguards.accept_loss:
        assert safeguards.checkpoint is not None
        write_signed_before(draft.chain, safeguards.checkpoint)
        missing = known.size
    return missing, last, needed


def _bar_votes(
    draft: NodeDirectory,
    ledger: Ledger,
    keys: KeyStore,
    manifest: BackupManifest,
    safeguards: Safeguards,
) -> int | None:
    own = ensure_node_key(draft.engine)

    def reached() -> int | None:
        return safeguards.reached(ledger, own)

    return raise_last_signed(draft, keys, manifest, reached, safeguards.accept_loss)


def _is_needed(ledger: Ledger, own: bytes) -> bool:
    """Whether the other validators have no more than two thirds of the power."""
    total = sum(one.power for one in ledger.nodes())
    others = sum(one.power for one in ledger.nodes() if one.id != own)
    return others * 3 <= total * 2 < 3 * total


def _open(draft: NodeDirectory, keys: KeyStore) -> Ledger:
    try:
        settings = load_settings(draft.settings)
        return open_ledger(draft, settings, Genesis.load(draft.genesis), keys)
    except (ChainError, StoreError) as error:
        raise BackupDamaged(f"the chain in the backup cannot be opened: {error}") from error


def _known_checkpoint(
    ledger: Ledger, keys: KeyStore, trusted: Sequence[NoteVerifier], note: str | None
) -> Checkpoint | None:
    """The newest known checkpoint, signed by this node's own key or one of its trust file."""
    if note is None:
        return None
    verifiers = (log_signer(keys, ledger.origin).verifier, *trusted)
    try:
        known = open_checkpoint(note, verifiers, 1, ledger.origin)
    except TlogError as error:
        raise RestoreRefused(f"the given checkpoint: {error}") from error
    if known.size <= ledger.log.size and ledger.log.root_at(known.size) != known.root:
        raise RestoreRefused(
            f"this log has signed another root for size {known.size} than the backup has: the "
            "backup is of another history. Keep the checkpoint: it is evidence"
        )
    return known
