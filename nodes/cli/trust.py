"""`tally network update`: later versions of the Provenance contract for those who verify."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nodes.cli.options import AsJson
from nodes.cli.output import out, print_json
from nodes.client import NodeClient, find_address
from nodes.errors import NodeError
from nodes.trust_file import change_trust
from traceability.bundle import Trust, TrustStore, VersionRecords, proven_versions
from traceability.bundle.succession import VERSIONS_SIZE_BYTES_MAX


def update(
    source: Annotated[
        str | None,
        typer.Argument(
            help="A node's address, or a file with what one answers to GET /log/versions. "
            "Default: $TALLY_URL, else the node last started here."
        ),
    ] = None,
    trust: Annotated[
        Path | None,
        typer.Option(
            "--trust", help="Trust file to extend. Default: what this user knows of the log."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add newly voted versions of the Provenance contract to a trust file.

    The source need not be trusted: each version must be an event of the Directory that the trust
    file names, in the log, under a checkpoint that enough of its members have signed.

    \b
    Example:  tally network update https://ledger.acme.example --trust trust.json
    """
    records = VersionRecords.decode(_read(source))
    before = _known(records.origin) if trust is None else Trust.load(trust)
    versions = proven_versions(records, before)
    if trust is None:
        after = before.with_versions(versions)
        trust = TrustStore().add(after, proven=True)
    else:
        after = change_trust(trust, lambda now: now.with_versions(versions))
    added = [one for one in after.later if one not in before.later]
    if as_json:
        print_json({"trust": str(trust), "added": [one.fields() for one in added]})
        return
    for one in added:
        out.print(f"0x{one.address.hex()}  from block {one.from_block} on", markup=False)
    count = len(after.later) + 1
    out.print(
        f"{trust}: {len(added)} added, {count} version{'s' if count > 1 else ''} of the Provenance "
        "contract",
        markup=False,
    )


def _known(origin: str) -> Trust:
    known = TrustStore().find(origin)
    if known is None:
        raise NodeError(f"no log {origin!r} is known here: name its trust file with --trust")
    return known


def _read(source: str | None) -> bytes:
    """What a node answers, or what stands in a file."""
    if source is None or source.startswith(("http://", "https://")):
        with NodeClient(find_address(source, None)) as node:
            return node.versions()
    try:
        with Path(source).open("rb") as file:
            return file.read(VERSIONS_SIZE_BYTES_MAX + 1)
    except OSError as error:
        raise NodeError(f"{source} cannot be read: {error.strerror}") from error
