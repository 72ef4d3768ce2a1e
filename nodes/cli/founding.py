"""Commands before the first block: keys and descriptor, the agreed genesis, its trust file."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from contracts.consortium import Profile, Role
from ledger.chain import Genesis
from ledger.crypto import new_passphrase
from nodes.cli.options import PORT_MAX, AsJson, AskPassphrase, PassphraseFile
from nodes.cli.output import out, print_json
from nodes.endpoints import check_url, parse_endpoint
from nodes.errors import NodeError
from nodes.layout import NodeDirectory
from nodes.network.adoption import adopt_genesis, write_new
from nodes.network.descriptor import Descriptor
from nodes.network.founding import consortium_genesis, consortium_trust, genesis_hash
from nodes.network.identity import NodeSpec, init_node
from nodes.network.source import MemberSource
from nodes.network.trusting import trust_of_keys
from nodes.operations.runfile import RunFile
from nodes.settings import ApiSettings, ConsensusSettings, NodeSettings, RpcSection
from nodes.trust_file import change_trust
from traceability.bundle import Trust

LOOPBACK = "127.0.0.1"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - the other members must reach it
HTTP_PORT = 80

FolderArgument = Annotated[
    Path, typer.Argument(metavar="DIR", help="The node's folder.", file_okay=False)
]
Organisation = Annotated[
    str, typer.Option("--organisation", help="Id of the member: a-z, 0-9 and -, up to 32.")
]
Name = Annotated[str, typer.Option("--name", help="Name of the member, for people.")]
NameZh = Annotated[str, typer.Option("--name-zh", help="Its Chinese name.")]
RoleOption = Annotated[
    str,
    typer.Option("--role", help="manufacturer, warehouse, carrier, retailer, bank, regulator, …"),
]
P2p = Annotated[str, typer.Option("--p2p", help="HOST:PORT where the other nodes reach this one.")]
Api = Annotated[str, typer.Option("--api", help="URL where people and apps reach it.")]
Label = Annotated[
    str | None,
    typer.Option("--label", help="Name of the node, if the member has several. [the member's id]"),
]


def spec_of(
    organisation: str, name: str, name_zh: str, role: str, label: str | None, p2p: str, api: str
) -> NodeSpec:
    """The node that the options describe. Raises `NodeError`."""
    try:
        return NodeSpec(
            organisation=organisation,
            profile=Profile(name, name_zh),
            role=Role.of(role),
            label=label or organisation,
            p2p=parse_endpoint(p2p),
            api=check_url(api),
        )
    except ValueError as bad:
        raise NodeError(str(bad)) from bad


def settings_of(
    spec: NodeSpec, api_port: int | None = None, rpc_port: int | None = None
) -> NodeSettings:
    """A member's node: it listens where its peers and its users were told.

    An https address is that of a proxy in front of the node, which then listens on loopback.
    `api_port`, `rpc_port`: where they are to be others than those of the address and the default.
    """
    url = urlsplit(spec.api)
    api = ApiSettings(public_url=spec.api)
    if url.scheme == "http":
        host = LOOPBACK if url.hostname in (LOOPBACK, "localhost") else EVERYWHERE
        api = api.model_copy(update={"host": host, "port": url.port or HTTP_PORT})
    if api_port is not None:
        api = api.model_copy(update={"port": api_port})
    return NodeSettings(
        name=spec.profile.name,
        api=api,
        rpc=RpcSection() if rpc_port is None else RpcSection(port=rpc_port),
        consensus=ConsensusSettings(driver="cometbft", p2p_listen=f"{EVERYWHERE}:{spec.p2p.port}"),
    )


def tell_descriptor(place: NodeDirectory, descriptor: Descriptor) -> None:
    """For a person: the file to send, and what to compare."""
    out.print(f"descriptor   {place.descriptor}   (public: send it to the others)", markup=False)
    out.print(f"fingerprint  {descriptor.fingerprint}   (read it out to them)")
    out.print(f"node id      {descriptor.node_id.hex()}")
    out.print(f"account      0x{descriptor.accounts[0].hex()}")


def init(
    directory: FolderArgument,
    organisation: Organisation,
    name: Name,
    role: RoleOption,
    p2p: P2p,
    api: Api,
    name_zh: NameZh = "",
    label: Label = None,
    api_port: Annotated[
        int | None,
        typer.Option(
            "--api-port", min=0, max=PORT_MAX, help="Port to listen on. [that of --api, or 8080]"
        ),
    ] = None,
    rpc_port: Annotated[
        int | None,
        typer.Option("--rpc-port", min=0, max=PORT_MAX, help="Of Ethereum JSON-RPC. [8545]"),
    ] = None,
    developer: Annotated[
        bool, typer.Option("--developer", help="Also make a second account, for apps.")
    ] = False,
    ask: AskPassphrase = False,
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a node's keys, settings and descriptor.

    --passphrase-file, --ask-passphrase, $TALLY_PASSPHRASE_FILE or $TALLY_PASSPHRASE encrypts the
    keys; without any of them only the folder's permissions protect them.

    \b
    Example:  tally node init ./node --organisation acme --name Acme --role manufacturer \\
                  --p2p acme.example:26656 --api https://ledger.acme.example
    """
    spec = spec_of(organisation, name, name_zh, role, label, p2p, api)
    place = NodeDirectory(directory.absolute())
    descriptor = init_node(
        place,
        spec,
        settings_of(spec, api_port, rpc_port),
        passphrase=new_passphrase(passphrase_file, ask=ask),
        developer=developer,
    )
    if as_json:
        print_json(
            {
                "descriptor": str(place.descriptor),
                "fingerprint": descriptor.fingerprint,
                **descriptor.fields(),
            }
        )
    else:
        tell_descriptor(place, descriptor)


def genesis(
    descriptors: Annotated[
        list[Path], typer.Argument(metavar="DESCRIPTOR…", help="descriptor.json of each founder.")
    ],
    origin: Annotated[
        str, typer.Option("--origin", help="Name of the log, e.g. ledger.example/cold-chain.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write.")] = Path(
        "genesis.json"
    ),
    moment: Annotated[
        str | None,
        typer.Option(
            "--time",
            help="2026-01-31T12:00:00Z, or seconds since 1970: all give the same. [now]",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make the genesis of a consortium from its founders' descriptors.

    Whoever gives the same descriptors, origin and time gets the same file: compare the hash, and
    the fingerprints of the descriptors, by phone.

    \b
    Example:  tally network genesis */descriptor.json --origin ledger.example/cold-chain \\
                  --time 2026-01-31T12:00:00Z
    """
    founders = [Descriptor.load(path) for path in descriptors]
    timestamp = int(time.time()) if moment is None else _seconds(moment)
    data = consortium_genesis(founders, origin, timestamp)
    try:
        write_new(output, data)
    except FileExistsError:
        if output.read_bytes() != data:
            raise NodeError(f"{output} exists and is another genesis; name a new file") from None
    digest = genesis_hash(Genesis.decode(data))
    if as_json:
        print_json(
            {
                "genesis": str(output),
                "time": timestamp,
                "hash": digest.replace(" ", ""),
                "founders": {one.label: one.fingerprint for one in founders},
            }
        )
        return
    shown = datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    out.print(f"{output}  --time {shown}", markup=False)
    for one in sorted(founders, key=lambda one: one.label):
        out.print(f"  {one.label:20} {one.fingerprint}   {one.profile.name}", markup=False)
    out.print(f"hash  {digest}")
    out.print("Every founder must see this hash before any node starts.")


def _seconds(text: str) -> int:
    """Whole seconds since 1970 of an RFC 3339 time with a zone, or as they are."""
    if text.isascii() and text.isdigit() and len(text) < 12:
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or moment.microsecond:
        raise NodeError(
            f"--time {text[:40]!r}: write a time with its zone such as 2026-01-31T12:00:00Z"
        )
    return int(moment.timestamp())


def trust(
    source: Annotated[
        Path,
        typer.Argument(metavar="GENESIS|DIR", help="The agreed genesis.json, or a node's folder."),
    ],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="File to write. [trust.json; of a node, its own]"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the trust file that verifiers of this consortium's log need.

    Of a genesis: its founders vouch. Of the folder of a node that runs: its trust file with the
    keys of all nodes that count by now, those of before beside them.

    \b
    Example:  tally network trust genesis.json -o trust.json
              tally network trust ./node
    """
    if source.is_dir():
        place = NodeDirectory(source.absolute())
        with MemberSource(RunFile.find(place.root).api) as own:
            active = [node.witness_key for node in own.network().nodes if node.active]
        target = output or place.trust
        if output is None:
            made = change_trust(target, lambda trust: trust_of_keys(trust, active))
        else:
            made = trust_of_keys(Trust.load(place.trust), active)
            made.save(target)
    else:
        made = consortium_trust(Genesis.load(source))
        target = output or Path("trust.json")
        made.save(target)
    count = made.members.count
    if as_json:
        print_json(
            {"trust": str(target), "threshold": made.threshold, "keys": len(made.keys)}
            | {"members": count}
        )
    else:
        out.print(f"{target}: {made.threshold} of {count} members vouch", markup=False)
        if source.is_dir() and output is None:
            out.print("The node serves it from its next start on.")


def adopt(
    directory: FolderArgument,
    genesis: Annotated[
        Path, typer.Option("--genesis", help="The genesis that all agreed on.", dir_okay=False)
    ],
    as_json: AsJson = False,
) -> None:
    """Take the agreed genesis into a node's folder, if this node is in it.

    \b
    Example:  tally node adopt ./node --genesis genesis.json
    """
    place = NodeDirectory(directory.absolute())
    made = adopt_genesis(place, genesis)
    digest = genesis_hash(Genesis.load(place.genesis))
    if as_json:
        print_json({"genesis": str(place.genesis), "hash": digest.replace(" ", "")})
    else:
        out.print(f"{made.origin}: this node is one of {len(made.keys)}", markup=False)
        out.print(f"hash  {digest}")
