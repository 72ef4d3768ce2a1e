"""`tally node keys`: bearer keys for writing over HTTP, and account keys."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from api import ApiKey, KeyStore
from contracts.consortium import find_organisation
from ledger.crypto import KeyStore as SecretStore
from ledger.crypto import passphrase_from_environment
from ledger.projection import open_database, read_transaction, upgrade
from nodes.cli.options import DEFAULT_DIRECTORY, AsJson, Directory
from nodes.cli.output import out, print_json
from nodes.errors import NodeError
from nodes.layout import NodeDirectory
from nodes.opening import database_url
from nodes.settings import load_settings

app = typer.Typer(
    help="Make, list and revoke keys.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


class Kind(StrEnum):
    """What is made."""

    API = "api"
    ACCOUNT = "account"


@app.command("new")
def new(
    organisation: Annotated[str, typer.Argument(help="Id of the organisation the key acts for.")],
    directory: Directory = DEFAULT_DIRECTORY,
    kind: Annotated[
        Kind,
        typer.Option(
            "--kind",
            help="api: a bearer key for the HTTP interface. account: a signing key (encrypted with "
            "$TALLY_PASSPHRASE or $TALLY_PASSPHRASE_FILE) whose address a member then admits.",
        ),
    ] = Kind.API,
    as_json: AsJson = False,
) -> None:
    """Make a key. A bearer key is shown once and never again."""
    place = NodeDirectory(directory)
    place.check()
    if kind is Kind.ACCOUNT:
        key = SecretStore(place.keys, passphrase_from_environment()).create_account(organisation)
        if as_json:
            print_json({"kind": kind, "label": organisation, "address": key.checksum_address})
        else:
            out.print(f"{key.checksum_address}  (key file in {place.keys})", markup=False)
        return
    store = _api_keys(place, must_know=organisation)
    secret, made = store.create(organisation)
    if as_json:
        print_json({"kind": kind, "key": secret, **_json(made)})
    else:
        out.print(secret, markup=False)
        out.print(f"id {made.key_id}, for {organisation}; it is not shown again", markup=False)


@app.command("list")
def list_(directory: Directory = DEFAULT_DIRECTORY, as_json: AsJson = False) -> None:
    """List the bearer keys and the signing keys of this node."""
    place = NodeDirectory(directory)
    place.check()
    api_keys = _api_keys(place).list()
    signing = SecretStore(place.keys).list()
    if as_json:
        print_json(
            {
                "api": [_json(one) for one in api_keys],
                "signing": [
                    {"kind": one.kind, "label": one.label, "public": one.public} for one in signing
                ],
            }
        )
        return
    for key in api_keys:
        state = "revoked" if key.revoked else "active"
        out.print(
            f"api      {key.key_id}  {key.organisation}  …{key.last_four}  {state}", markup=False
        )
    for entry in signing:
        out.print(f"{entry.kind:8} {entry.label}  {entry.public}", markup=False)


@app.command("revoke")
def revoke(
    key_id: Annotated[str, typer.Argument(help="Id of a bearer key, from `tally node keys list`.")],
    directory: Directory = DEFAULT_DIRECTORY,
    as_json: AsJson = False,
) -> None:
    """Refuse a bearer key from now on."""
    place = NodeDirectory(directory)
    place.check()
    revoked = _api_keys(place).revoke(key_id)
    if as_json:
        print_json(_json(revoked))
    else:
        out.print(f"{key_id} of {revoked.organisation} is revoked", markup=False)


def _api_keys(place: NodeDirectory, must_know: str | None = None) -> KeyStore:
    engine = open_database(database_url(place, load_settings(place.settings)))
    upgrade(engine)
    if must_know is not None:
        with read_transaction(engine) as connection:
            if find_organisation(connection, must_know) is None:
                raise NodeError(
                    f"no organisation {must_know!r} is on this ledger; a key could never be used"
                )
    return KeyStore(engine)


def _json(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.key_id,
        "organisation": key.organisation,
        "scopes": sorted(key.scopes),
        "lastFour": key.last_four,
        "created": key.created.isoformat(),
        "revoked": key.revoked.isoformat() if key.revoked else None,
    }
