"""Where the passphrase of key files comes from.

The first of these that is set counts, and nothing else is tried:

1. `TALLY_PASSPHRASE_FILE`: path of a file whose first line is the passphrase;
2. `TALLY_PASSPHRASE`: the passphrase itself;
3. neither: the empty passphrase. Key files keep the same formats, but then only their file
   mode (0600) protects them.

`ask_passphrase` is for commands that a person runs: it asks at the terminal where nothing is set.
PINs of PKCS#11 tokens come likewise from `TALLY_PKCS11_PIN_FILE`, `TALLY_PKCS11_PIN`, or the
terminal; there is no empty PIN.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from getpass import getpass
from pathlib import Path

from ledger.crypto.errors import CryptoError, PassphraseInvalid, PinInvalid

FILE_VARIABLE = "TALLY_PASSPHRASE_FILE"
VARIABLE = "TALLY_PASSPHRASE"
PIN_FILE_VARIABLE = "TALLY_PKCS11_PIN_FILE"
PIN_VARIABLE = "TALLY_PKCS11_PIN"
NO_PASSPHRASE = ""
_SIZE_BYTES_MAX = 1024


def passphrase_from_environment(environment: Mapping[str, str] | None = None) -> str:
    """The passphrase by the rules above; empty where none is set.

    `environment` is `os.environ` by default. Raises `PassphraseInvalid` where the file cannot
    be read, or where the chosen place holds an empty passphrase: that is a mistake, not a wish.
    """
    variables = os.environ if environment is None else environment
    found = _given(variables, FILE_VARIABLE, VARIABLE, PassphraseInvalid)
    return NO_PASSPHRASE if found is None else found


def ask_passphrase(prompt: str, *, twice: bool = False) -> str:
    """Ask a person at the terminal; `twice` for a new passphrase. May be empty.

    Raises `PassphraseInvalid` where there is no terminal, or the two differ.
    """
    if not sys.stdin.isatty():
        raise PassphraseInvalid(
            f"no terminal to ask for the passphrase: set {FILE_VARIABLE} or {VARIABLE}"
        )
    given = getpass(f"{prompt}: ")
    if twice and getpass(f"{prompt} once more: ") != given:
        raise PassphraseInvalid("the two passphrases differ; nothing is changed")
    return given


def passphrase_from_file(path: Path) -> str:
    """The first line of a file. Raises `PassphraseInvalid`."""
    return _from_file(path, str(path), PassphraseInvalid)


def pin_from_environment(token: str, environment: Mapping[str, str] | None = None) -> str:
    """The user PIN of the token of that name: from a file, the environment, or the terminal.

    Raises `PinInvalid` where there is none.
    """
    variables = os.environ if environment is None else environment
    found = _given(variables, PIN_FILE_VARIABLE, PIN_VARIABLE, PinInvalid)
    if found is None and sys.stdin is not None and sys.stdin.isatty():
        found = getpass(f"PIN of token {token}: ")
    if not found:
        raise PinInvalid(f"no PIN for token {token!r}: set {PIN_FILE_VARIABLE} or {PIN_VARIABLE}")
    return found


def _given(
    variables: Mapping[str, str], file: str, plain: str, error: type[CryptoError]
) -> str | None:
    if file in variables:
        return _from_file(Path(variables[file]), f"{file}: {variables[file]}", error)
    if plain in variables:
        return _checked(variables[plain], plain, error)
    return None


def _from_file(path: Path, place: str, error: type[CryptoError]) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_SIZE_BYTES_MAX + 1)
        text = data.decode()
    except (OSError, UnicodeDecodeError) as failed:
        raise error(f"{place} cannot be read: {failed}") from failed
    if len(data) > _SIZE_BYTES_MAX:
        raise error(f"{place} is over {_SIZE_BYTES_MAX} bytes")
    return _checked(text.split("\n", 1)[0].removesuffix("\r"), place, error)


def _checked(secret: str, place: str, error: type[CryptoError]) -> str:
    if not secret:
        raise error(f"{place}: nothing is in it; unset it to use none")
    return secret
