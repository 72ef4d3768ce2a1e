"""`tally node keys`: the keys that a node signs with. Bearer keys are `tally key`'s."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ledger.chain import Genesis
from ledger.crypto import (
    KeyKind,
    KeyStore,
    TokenPlace,
    ask_passphrase,
    open_keys,
    passphrase_from_file,
)
from ledger.tlog import open_rotation
from ledger.tlog.note import NOTE_SIZE_BYTES_MAX
from nodes.cli.options import DEFAULT_DIRECTORY, AsJson, Directory, PassphraseFile
from nodes.cli.output import out, print_json
from nodes.errors import NodeError
from nodes.founding import DEVELOPER_LABEL
from nodes.keys import Rotation, Step
from nodes.layout import NodeDirectory
from nodes.network.descriptor import Descriptor
from nodes.operations.errors import NotRunning
from nodes.operations.runfile import RunFile
from nodes.proposals import RpcClient
from nodes.trust_file import change_trust
from traceability.bundle import TrustStore
from traceability.bundle.rotation import rotated

app = typer.Typer(
    help="Make, list, rotate and revoke keys.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

Module = Annotated[
    Path | None,
    typer.Option(
        "--pkcs11", help="PKCS#11 module (a library): the key is made on a token.", dir_okay=False
    ),
]
Token = Annotated[str | None, typer.Option("--token", help="Label of the token.")]
Object = Annotated[str | None, typer.Option("--object", help="Label of the key on the token.")]


class Rotated(StrEnum):
    """What is changed."""

    ACCOUNT = "account"
    LOG = "log"
    VALIDATOR = "validator"


@app.command("new")
def new(
    label: Annotated[
        str, typer.Argument(help="How it is called here: the id of the organisation, as a rule.")
    ],
    directory: Directory = DEFAULT_DIRECTORY,
    module: Module = None,
    token: Token = None,
    object_label: Object = None,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Make the signing key of an account, whose address a member then admits."""
    place = _place(directory)
    keys = open_keys(place.keys, passphrase_file)
    on_token = _token_place(module, token, object_label)
    if on_token is None:
        address = keys.create_account(label).checksum_address
    else:
        address = keys.create_on_token(KeyKind.ACCOUNT, label, on_token).public
    if as_json:
        print_json({"kind": KeyKind.ACCOUNT, "label": label, "address": address})
    else:
        where = f"token {token}" if on_token else f"key file in {place.keys}"
        out.print(f"{address}  ({where})", markup=False)


@app.command("list")
def list_(directory: Directory = DEFAULT_DIRECTORY, as_json: AsJson = False) -> None:
    """List the signing keys of this node."""
    secrets = KeyStore(_place(directory).keys)
    keys = [
        (use, one)
        for use, store in (("", secrets), ("next", secrets.next), ("retired", secrets.retired))
        for one in store.list()
    ]
    if as_json:
        print_json(
            {
                "keys": [
                    {
                        "kind": one.kind,
                        "label": one.label,
                        "public": one.public,
                        "use": use or "current",
                        "token": one.token,
                    }
                    for use, one in keys
                ],
            }
        )
        return
    for use, entry in keys:
        held = f"  on token {entry.token}" if entry.token else ""
        note = f"  {use}" if use else ""
        out.print(f"{entry.kind:10} {entry.label}  {entry.public}{held}{note}", markup=False)


@app.command("rotate")
def rotate(
    kind: Annotated[Rotated, typer.Argument(help="Which key.")],
    label: Annotated[
        str | None, typer.Argument(help="Of an account. Default: the node's organisation's.")
    ] = None,
    directory: Directory = DEFAULT_DIRECTORY,
    module: Module = None,
    token: Token = None,
    object_label: Object = None,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Change a key; given again, it goes on where it was.

    The new key is made here and told to the ledger, and the old one stays in use until the ledger
    has the new one. Account and log: then restart the node. Validator: nothing more.
    """
    place = _place(directory)
    on_token = _token_place(module, token, object_label)
    with _rotation(place, passphrase_file, on_token) as rotation:
        if kind is Rotated.ACCOUNT:
            step = rotation.account(label or _own_account(place))
        elif kind is Rotated.LOG:
            step = rotation.log()
        else:
            step = rotation.validator()
    _tell(step, as_json)


@app.command("revoke")
def revoke(
    name: Annotated[
        str,
        typer.Argument(help="Label or address of an account (`tally node keys list`)."),
    ],
    directory: Directory = DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Refuse an account for ever: on the ledger at once. (Bearer keys: `tally key revoke`.)"""
    place = _place(directory)
    if not _is_account(place, name):
        raise NodeError(
            f"no account {name!r} has its key here (see `tally node keys list`); "
            "a bearer key is revoked by `tally key revoke`"
        )
    with _rotation(place, passphrase_file, None) as rotation:
        _tell(rotation.revoke_account(name), as_json)


@app.command("add-device")
def add_device(
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="0x…, of the device's key.")],
    label: Annotated[
        str | None,
        typer.Option("--account", help="Label of the account that says so. [the organisation's]"),
    ] = None,
    directory: Directory = DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Let a device record for your organisation: on the ledger at once, no vote is needed.

    It may record and nothing else. `tally node keys revoke ADDRESS` ends it.
    """
    place = _place(directory)
    with _rotation(place, passphrase_file, None) as rotation:
        _tell(rotation.add_device(label or _own_account(place), address), as_json)


@app.command("passphrase")
def passphrase(
    directory: Directory = DEFAULT_DIRECTORY,
    passphrase_file: PassphraseFile = None,
    new_file: Annotated[
        Path | None,
        typer.Option(
            "--new-file", help="File with the new passphrase. Default: ask.", dir_okay=False
        ),
    ] = None,
    none: Annotated[
        bool, typer.Option("--none", help="Seal with no passphrase: the file mode protects.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Change the passphrase of all key files. Interrupted, it is simply given again."""
    place = _place(directory)
    keys = open_keys(place.keys, passphrase_file)
    if none and new_file is not None:
        raise NodeError("--none and --new-file exclude each other")
    if none:
        fresh = ""
    elif new_file is not None:
        fresh = passphrase_from_file(new_file)
    else:
        fresh = ask_passphrase("New passphrase", twice=True)
    count = keys.change_passphrase(fresh)
    if as_json:
        print_json({"files": count})
    else:
        out.print(f"{count} key files are sealed with the new passphrase", markup=False)


@app.command("adopt")
def adopt(
    record: Annotated[
        Path, typer.Argument(help="Record of a rotated log key, from rotations/.", exists=True)
    ],
    trust: Annotated[
        Path | None,
        typer.Argument(
            help="Trust file to bring up to date. Default: what this user knows of the log."
        ),
    ] = None,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Trust the old key no longer (where it may be stolen)."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Trust the key that follows a log's old one, after checking that the old one says so."""
    rotation = open_rotation(_record_text(record))
    if trust is None:
        store = TrustStore()
        known = store.find(rotation.origin)
        if known is None:
            raise NodeError(f"no log {rotation.origin!r} is known here: name the trust file")
        after = rotated(known, rotation, keep_old=not replace)
        trust = store.add(after, replace=True)
    else:
        after = change_trust(trust, lambda now: rotated(now, rotation, keep_old=not replace))
    if as_json:
        print_json({"keys": [key.vkey for key in after.keys]})
    else:
        out.print(f"{trust} trusts {rotation.new.vkey}", markup=False)


# ---- parts --------------------------------------------------------------------------------------


def _record_text(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(NOTE_SIZE_BYTES_MAX + 1)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise NodeError(
            f"{path} is no record of a rotated log key: byte {error.start} is no UTF-8 text"
        ) from error


def _place(directory: Path) -> NodeDirectory:
    place = NodeDirectory(directory)
    place.check()
    return place


def _token_place(module: Path | None, token: str | None, label: str | None) -> TokenPlace | None:
    if module is None and token is None and label is None:
        return None
    if module is None or token is None or label is None:
        raise NodeError("a key on a token needs --pkcs11, --token and --object")
    return TokenPlace(str(module.absolute()), token, label)


@contextmanager
def _rotation(
    place: NodeDirectory, passphrase_file: Path | None, token: TokenPlace | None
) -> Iterator[Rotation]:
    genesis = Genesis.load(place.genesis)
    keys = open_keys(place.keys, passphrase_file)
    rpc: RpcClient | None = None
    with suppress(NotRunning):
        rpc = RpcClient(RunFile.find(place.root).rpc)
    try:
        yield Rotation(
            place,
            keys,
            rpc,
            genesis.contracts["consortium"],
            None if genesis.nodes is None else genesis.nodes.contract,
            genesis.origin,
            token,
        )
    finally:
        if rpc is not None:
            rpc.__exit__()


def _own_account(place: NodeDirectory) -> str:
    """Label of the account that a command without one means."""
    if place.descriptor.is_file():
        return Descriptor.load(place.descriptor).organisation
    labels = [
        one.label
        for one in KeyStore(place.keys).list()
        if one.kind is KeyKind.ACCOUNT and one.label != DEVELOPER_LABEL
    ]
    if len(labels) != 1:
        raise NodeError(f"which account: {', '.join(sorted(labels)) or 'none is here'}?")
    return labels[0]


def _is_account(place: NodeDirectory, name: str) -> bool:
    if name.startswith("0x"):
        return True
    found = KeyStore(place.keys).list()
    return any(one.kind is KeyKind.ACCOUNT and one.label == name for one in found)


def _tell(step: Step, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "kind": step.kind,
                "label": step.label,
                "old": step.old,
                "new": step.new,
                "done": step.done,
                "told": step.told,
            }
        )
        return
    if step.old:
        out.print(f"old  {step.old}", markup=False)
    if step.new:
        out.print(f"new  {step.new}", markup=False)
    out.print(step.told, markup=False)
