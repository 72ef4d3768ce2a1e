"""Taking away what others sent, where it is refused or comes no further."""

from __future__ import annotations

import shutil
from pathlib import Path

from ledger.consensus.cometbft.home import Home
from nodes.layout import NodeDirectory


def discard(directory: NodeDirectory) -> None:
    """Take away what came from a network that is refused; keys and settings stay."""
    discard_state(directory)
    for path in (directory.genesis, directory.trust):
        path.unlink(missing_ok=True)


def would_discard(directory: NodeDirectory, path: Path) -> bool:
    """Whether a file lies, itself or through links, where `discard` takes away what there is."""
    root = directory.root.resolve()
    gone = {name.name for name in (directory.genesis, directory.trust)}
    gone |= {name.name for name in (directory.chain, directory.snapshots, directory.engine)}
    for place in (path.resolve(), path.parent.resolve() / path.name):
        if place.is_relative_to(root) and gone.intersection(place.relative_to(root).parts[:1]):
            return True
    return False


def discard_state(directory: NodeDirectory) -> None:
    """Take away ledger and engine's data; genesis and trust file stay.

    So does what the validator has signed: it must not sign it differently the next time.
    """
    for path in (directory.chain, directory.snapshots):
        shutil.rmtree(path, ignore_errors=True)
    data = directory.engine / "data"
    for path in data.iterdir() if data.is_dir() else ():
        if path.name.startswith("signer_state"):
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    Home(directory.engine).genesis.unlink(missing_ok=True)


def discard_stand_in(directory: NodeDirectory) -> None:
    """Take away the engine's own validator key, which no member knows and nothing needs."""
    for name in ("config/priv_validator_key.json", "data/priv_validator_state.json"):
        (directory.engine / name).unlink(missing_ok=True)
