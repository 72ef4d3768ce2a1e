"""Opening a key store for a command: the passphrase from a file, the environment, or a person."""

from __future__ import annotations

import sys
from pathlib import Path

from ledger.crypto.keystore import KeyStore
from ledger.crypto.passphrase import (
    NO_PASSPHRASE,
    ask_passphrase,
    passphrase_from_environment,
    passphrase_from_file,
)


def open_keys(directory: Path, passphrase_file: Path | None = None) -> KeyStore:
    """The key store with its passphrase, found as `passphrase_for` does."""
    return KeyStore(directory, passphrase_for(directory, passphrase_file))


def new_passphrase(passphrase_file: Path | None = None, *, ask: bool = False) -> str:
    """The passphrase of keys that are to be made.

    From `passphrase_file` where it is given; else, with `ask`, typed twice by a person; else from
    the environment, and empty where nothing is set. Raises `PassphraseInvalid`.
    """
    if passphrase_file is not None:
        return passphrase_from_file(passphrase_file)
    if ask:
        return ask_passphrase("Passphrase of the new keys", twice=True)
    return passphrase_from_environment()


def passphrase_for(directory: Path, passphrase_file: Path | None = None) -> str:
    """The passphrase of the keys in a folder.

    From `passphrase_file` where it is given; else from the environment; else, where the keys are
    sealed and a person sits at the terminal, asked for. Raises `PassphraseInvalid`.
    """
    if passphrase_file is not None:
        return passphrase_from_file(passphrase_file)
    found = passphrase_from_environment()
    at_terminal = sys.stdin is not None and sys.stdin.isatty()
    if found == NO_PASSPHRASE and at_terminal and not KeyStore(directory).opens():
        return ask_passphrase(f"Passphrase of the keys in {directory}")
    return found
