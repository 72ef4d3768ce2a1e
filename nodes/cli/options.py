"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object, for machines.")]
Url = Annotated[
    str | None,
    typer.Option("--url", help="The node. Default: $TALLY_URL, else the node last started here."),
]
Key = Annotated[
    str | None,
    typer.Option(
        "--key", help="Your organisation's bearer key. Default: $TALLY_API_KEY, else remembered."
    ),
]
Directory = Annotated[
    Path, typer.Option("--dir", help="The node's folder.", file_okay=False, show_default=True)
]
Folder = Annotated[
    Path | None,
    typer.Argument(
        metavar="DIR", help="The node's folder, as --dir.", file_okay=False, show_default=False
    ),
]
Reference = Annotated[
    bool, typer.Option("--reference", help="Execute by py-evm's own loop: three times as long.")
]
AskPassphrase = Annotated[
    bool, typer.Option("--ask-passphrase", help="Ask for the passphrase of the new keys.")
]
PassphraseFile = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        help="File whose first line opens the keys. Default: $TALLY_PASSPHRASE_FILE, "
        "$TALLY_PASSPHRASE, else you are asked.",
        dir_okay=False,
    ),
]
PORT_MAX = 65_535
DEFAULT_DIRECTORY = Path(".tally")
