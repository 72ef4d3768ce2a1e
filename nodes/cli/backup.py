"""`tally node backup|restore|snapshot`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
import typer

from ledger.crypto import passphrase_for
from ledger.snapshot import SnapshotMaker, SnapshotStore
from nodes.cli.options import DEFAULT_DIRECTORY, AsJson, Directory, PassphraseFile
from nodes.cli.output import out, print_json, progress
from nodes.errors import NodeError, NodeUnreachable
from nodes.layout import NodeDirectory
from nodes.operations import NotRunning
from nodes.operations.backup import make_backup
from nodes.operations.client import OperatorClient
from nodes.operations.heights import ask_members
from nodes.operations.restore import Safeguards, restore_backup
from nodes.settings import load_settings

CHECKPOINT_SIZE_BYTES_MAX: Final = 64 * 1024
_TIMEOUT_S: Final = 30.0
_MIB: Final = 1 << 20

Target = Annotated[
    Path,
    typer.Argument(
        metavar="TARGET",
        help="A new folder for the backup, or one file NAME.tar.",
        show_default=False,
    ),
]
Backup = Annotated[
    Path,
    typer.Argument(metavar="BACKUP", help="The backup: a folder or a .tar file.", exists=True),
]
NewFolder = Annotated[
    Path, typer.Argument(metavar="DIR", help="The node's folder: new or empty.", file_okay=False)
]


def backup(
    target: Target, directory: Directory = DEFAULT_DIRECTORY, as_json: AsJson = False
) -> None:
    """Back a node up, whether it runs or not. Keys stay encrypted as they are.

    \b
    A PostgreSQL database is not part of it: run pg_dump first, then this, so that the database
    is the older of the two.
    Example:  tally node backup /backups/2026-01-01.tar --dir ./node
    """
    place = NodeDirectory(directory)
    place.check()
    with _running(directory) as node, _bar("parts", as_json) as told:
        if node is not None:
            made: Mapping[str, Any] = node.backup(target.absolute(), told)
        else:
            made = make_backup(place, target, told).fields()
    if as_json:
        print_json(dict(made))
        return
    out.print(
        f"{made['path']}: block {made['blockNumber']}, log size {made['logSize']}, "
        f"{int(made['bytes']) / _MIB:.1f} MiB in {made['files']} files",
        markup=False,
    )
    if not made.get("databaseIncluded", True):
        out.print("The SQL database is another server's: back it up with its own tools (pg_dump).")


def restore(
    backup: Backup,
    folder: NewFolder,
    checkpoint: Annotated[
        str | None,
        typer.Option(
            "--checkpoint",
            help="The newest checkpoint of this log that is known: a file, or an address.",
        ),
    ] = None,
    last_height: Annotated[
        int | None,
        typer.Option("--last-height", min=1, help="Consensus height the network has reached."),
    ] = None,
    peers: Annotated[
        list[str] | None,
        typer.Option(
            "--peer",
            help="Address of another validator's HTTP API to ask for the height, beside those in "
            "the Network contract.",
        ),
    ] = None,
    accept_loss: Annotated[
        bool,
        typer.Option(
            "--accept-loss", help="Nothing was signed after the backup, and I answer for it."
        ),
    ] = False,
    passphrase_file: PassphraseFile = None,
    whole_check: Annotated[
        bool, typer.Option("--check", help="Execute the whole chain anew and compare.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a node's folder out of a backup. The old node must never run again.

    \b
    A validator must not vote twice: the other members are asked which height the network has
    reached, unless --last-height says it. Nodes with more than two thirds of the power must
    answer, and be up to date themselves; with fewer than four validators give --last-height.
    Example:  tally node restore /backups/2026-01-01.tar ./node --checkpoint last.txt
    """
    heights = [] if last_height is None else [last_height]
    note = None if checkpoint is None else _read_checkpoint(checkpoint)
    with _bar("restoring", as_json) as told:
        done = restore_backup(
            backup,
            NodeDirectory(folder),
            lambda keys: passphrase_for(keys, passphrase_file),
            Safeguards(
                note,
                heights,
                accept_loss,
                lambda ledger, own: ask_members(ledger, own, peers or ()),
            ),
            told,
            whole_check=whole_check,
        )
    if as_json:
        print_json(done.fields())
        return
    manifest = done.manifest
    out.print(
        f"{done.path}: block {manifest.block_number}, log size {manifest.log_size}", markup=False
    )
    if done.signed_before is not None:
        out.print(
            f"This log had signed size {done.signed_before}: it makes no block before it has the "
            "missing ones again."
        )
    if done.last_signed is not None:
        out.print(f"The validator signs nothing up to height {done.last_signed}.")
    if done.needed:
        out.print(
            "The others have too little power to pass that height without it. If they stand still, "
            "and this validator surely voted on nothing after the backup, restore with "
            "--accept-loss.",
        )
    url = load_settings(NodeDirectory(done.path).settings).database.url
    if url and manifest.database == "sqlite":
        out.print(f"node.toml names the database {url}: put tally.sqlite there.", markup=False)
    if manifest.database == "other":
        out.print("Put the SQL database back from its own dump, or run `tally node reindex`.")


def snapshot(directory: Directory = DEFAULT_DIRECTORY, as_json: AsJson = False) -> None:
    """Make a snapshot that joining nodes can fetch, whether the node runs or not.

    \b
    Example:  tally node snapshot --dir ./node
    """
    place = NodeDirectory(directory)
    place.check()
    with _running(directory) as node, _bar("records", as_json) as told:
        if node is not None:
            made: Mapping[str, Any] = node.snapshot(None, told)
        else:
            keep = load_settings(place.settings).snapshots.keep
            shelf = SnapshotStore(place.snapshots)
            info = SnapshotMaker(place.chain, shelf, keep=keep).make(told)
            made = {"height": info.height, "chunks": info.chunks, "hash": info.hash.hex()}
    if as_json:
        print_json(dict(made))
    else:
        out.print(f"snapshot of height {made['height']}, {made['chunks']} chunks")


@contextmanager
def _running(directory: Path) -> Iterator[OperatorClient | None]:
    """The node that runs in a folder; None where none does."""
    try:
        client = OperatorClient.of_folder(directory)
    except NotRunning:
        yield None
        return
    with client:
        yield client


@contextmanager
def _bar(label: str, as_json: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar in thousandths, whatever the unit of the work."""
    with progress(label, 1_000, not as_json) as told:
        yield lambda done, total: told(1_000 * done // total if total else 0)


def _read_checkpoint(place: str) -> str:
    """A signed note out of a file or from an address; a node's own address will do."""
    if not place.startswith(("http://", "https://")):
        with Path(place).open("rb") as file:
            return _text(file.read(CHECKPOINT_SIZE_BYTES_MAX + 1), place)
    url = (
        place
        if place.rstrip("/").endswith("/checkpoint")
        else f"{place.rstrip('/')}/log/checkpoint"
    )
    try:
        answer = httpx.get(url, timeout=_TIMEOUT_S, trust_env=False).raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as failed:
        raise NodeUnreachable(f"no checkpoint from {url}: {failed}") from failed
    return _text(answer.content, url)


def _text(data: bytes, place: str) -> str:
    if len(data) > CHECKPOINT_SIZE_BYTES_MAX:
        raise NodeError(f"{place} is too long for a checkpoint")
    try:
        return data.decode()
    except UnicodeDecodeError as bad:
        raise NodeError(f"{place} is no checkpoint") from bad
