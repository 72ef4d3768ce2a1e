"""`tally key`: bearer keys for acting over HTTP, with scopes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api import KeyStore
from api.principals import CAPTURE, SCOPES
from contracts.consortium import find_organisation
from ledger.projection import open_database, read_transaction, upgrade
from nodes.cli.options import DEFAULT_DIRECTORY, AsJson, Directory
from nodes.cli.output import out, print_json
from nodes.errors import NodeError
from nodes.layout import NodeDirectory
from nodes.opening import database_url
from nodes.settings import load_settings

app = typer.Typer(
    help="Make, list and revoke bearer keys for the HTTP interface.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

Scopes = Annotated[
    list[str] | None,
    typer.Option(
        "--scope",
        help="What the key may do, as receipts:write, stock:* or supervise; give it several "
        "times. `tally key scopes` lists them. Default: capture.",
        show_default=False,
    ),
]
Instruments = Annotated[
    list[str] | None,
    typer.Option(
        "--instrument",
        help="Id (0x…) of a record: the key is for these only. Several times.",
        show_default=False,
    ),
]


@app.command("create")
def create(
    organisation: Annotated[str, typer.Argument(help="Id of the organisation the key acts for.")],
    directory: Directory = DEFAULT_DIRECTORY,
    scope: Scopes = None,
    instrument: Instruments = None,
    as_json: AsJson = False,
) -> None:
    """Make a bearer key, which is an OAuth client as well. It is shown once and never again."""
    store = _store(directory, organisation)
    secret, made = store.create(organisation, scope or (CAPTURE,), instrument or ())
    if as_json:
        print_json(
            {
                "key": secret,
                "id": made.key_id,
                "organisation": organisation,
                "scopes": sorted(made.scopes),
                "instruments": None if made.instruments is None else sorted(made.instruments),
            }
        )
        return
    out.print(secret, markup=False)
    out.print(
        f"id {made.key_id} (client_id of OAuth), for {organisation}: "
        f"{', '.join(sorted(made.scopes))}; it is not shown again",
        markup=False,
    )


@app.command("list")
def list_(directory: Directory = DEFAULT_DIRECTORY, as_json: AsJson = False) -> None:
    """List the bearer keys, with what they may do."""
    found = _store(directory).list()
    if as_json:
        print_json(
            {
                "keys": [
                    {
                        "id": one.key_id,
                        "organisation": one.organisation,
                        "scopes": sorted(one.scopes),
                        "instruments": None if one.instruments is None else sorted(one.instruments),
                        "lastFour": one.last_four,
                        "revoked": one.revoked.isoformat() if one.revoked else None,
                    }
                    for one in found
                ]
            }
        )
        return
    for one in found:
        state = "revoked" if one.revoked else " ".join(sorted(one.scopes))
        bound = f"  for {len(one.instruments)} records" if one.instruments else ""
        out.print(
            f"{one.key_id}  {one.organisation}  …{one.last_four}  {state}{bound}", markup=False
        )


@app.command("revoke")
def revoke(
    key_id: Annotated[str, typer.Argument(help="Id of the key.")],
    directory: Directory = DEFAULT_DIRECTORY,
    as_json: AsJson = False,
) -> None:
    """Refuse a bearer key, and the tokens it has got, from now on."""
    revoked = _store(directory).revoke(key_id)
    if as_json:
        print_json({"id": revoked.key_id, "organisation": revoked.organisation})
    else:
        out.print(f"{key_id} of {revoked.organisation} is revoked", markup=False)


@app.command("scopes")
def scopes(as_json: AsJson = False) -> None:
    """List what a key may be given."""
    if as_json:
        print_json({"scopes": sorted(SCOPES)})
        return
    for one in sorted(SCOPES):
        out.print(one, markup=False)


def _store(directory: Path, organisation: str | None = None) -> KeyStore:
    place = NodeDirectory(directory)
    place.check()
    engine = open_database(database_url(place, load_settings(place.settings)))
    upgrade(engine)
    if organisation is not None:
        with read_transaction(engine) as connection:
            if find_organisation(connection, organisation) is None:
                raise NodeError(
                    f"no organisation {organisation!r} is on this ledger; a key could never be used"
                )
    return KeyStore(engine)
