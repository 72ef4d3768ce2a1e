"""Commands for whoever runs a node."""

from __future__ import annotations

from pathlib import Path

from ledger.chain import Genesis, Ledger
from ledger.crypto import open_keys
from ledger.projection import open_database, upgrade
from nodes.cli.options import (
    DEFAULT_DIRECTORY,
    AsJson,
    Directory,
    Folder,
    PassphraseFile,
    Reference,
)
from nodes.cli.output import out, print_json, progress
from nodes.layout import NodeDirectory
from nodes.opening import database_url, make_projector, open_ledger
from nodes.settings import load_settings


def _open(directory: NodeDirectory, passphrase_file: Path | None) -> tuple[Genesis, Ledger]:
    directory.check()
    genesis = Genesis.load(directory.genesis)
    secrets = open_keys(directory.keys, passphrase_file)
    settings = load_settings(directory.settings)
    ledger = open_ledger(directory, settings, genesis, secrets)
    return genesis, ledger


def reindex(
    folder: Folder = None,
    directory: Directory = DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Rebuild the SQL tables from the chain alone. The node must not be running.

    \b
    Example:  tally node reindex ./node
    """
    place = NodeDirectory(folder or directory)
    genesis, ledger = _open(place, passphrase_file)
    try:
        engine = open_database(database_url(place, load_settings(place.settings)))
        upgrade(engine)
        head = ledger.head().header.number
        with progress("blocks", head, not as_json) as done:
            make_projector(engine, ledger, genesis).rebuild(lambda applied, _: done(applied))
        engine.dispose()
    finally:
        ledger.close()
    if as_json:
        print_json({"blocks": head, "reindexed": True})
    else:
        out.print(f"{head} blocks applied anew")


def check(
    folder: Folder = None,
    directory: Directory = DEFAULT_DIRECTORY,
    reference: Reference = False,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Derive the whole ledger again from its blocks and compare. The node must not be running.

    \b
    Example:  tally node check ./node
    """
    _, ledger = _open(NodeDirectory(folder or directory), passphrase_file)
    try:
        head = ledger.head().header.number
        with progress("blocks", head, not as_json) as done:
            ledger.verify_integrity(lambda checked, _: done(checked), reference=reference)
        size = ledger.log.size
    finally:
        ledger.close()
    if as_json:
        print_json({"blocks": head, "logSize": size, "intact": True})
    else:
        out.print(f"{head} blocks and {size} log leaves are as their transactions make them")
