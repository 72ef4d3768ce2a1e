"""Where the passphrase of key files comes from.

The first of these that is set counts, and nothing else is tried:

1. `TALLY_PASSPHRASE_FILE`: path of a file whose first line is the passphrase;
2. `TALLY_PASSPHRASE`: the passphrase itself;
3. neither: the empty passphrase. Key files keep the same formats, but then only their file
   mode (0600) protects them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ledger.crypto.errors import PassphraseInvalid

FILE_VARIABLE = "TALLY_PASSPHRASE_FILE"
VARIABLE = "TALLY_PASSPHRASE"
NO_PASSPHRASE = ""
_SIZE_BYTES_MAX = 1024


def passphrase_from_environment(environment: Mapping[str, str] | None = None) -> str:
    """The passphrase by the rules above; empty where none is set.

    `environment` is `os.environ` by default. Raises `PassphraseInvalid` where the file cannot
    be read, or where the chosen place holds an empty passphrase: that is a mistake, not a wish.
    """
    variables = os.environ if environment is None else environment
    if FILE_VARIABLE in variables:
        return _from_file(Path(variables[FILE_VARIABLE]))
    if VARIABLE in variables:
        return _checked(variables[VARIABLE], VARIABLE)
    return NO_PASSPHRASE


def _from_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_SIZE_BYTES_MAX + 1)
        text = data.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise PassphraseInvalid(f"{FILE_VARIABLE}: {path} cannot be read: {error}") from error
    if len(data) > _SIZE_BYTES_MAX:
        raise PassphraseInvalid(f"{FILE_VARIABLE}: {path} is over {_SIZE_BYTES_MAX} bytes")
    return _checked(text.split("\n", 1)[0].removesuffix("\r"), f"{FILE_VARIABLE}: {path}")


def _checked(passphrase: str, place: str) -> str:
    if not passphrase:
        raise PassphraseInvalid(f"{place}: the passphrase is empty; unset it to use none")
    return passphrase
