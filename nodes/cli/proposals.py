"""`tally proposal`: what the members decide together.

Exit codes: 0 done, 2 bad input or refused.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from contracts.errors import ContractError
from contracts.governance import Choice, State
from contracts.governance.binding import LIFETIME_DEFAULT_S, LIFETIME_MAX_S
from contracts.wording import describe
from ledger.crypto import AccountSigner, KeyKind, KeyStore, open_keys
from ledger.types import Address
from nodes.cli.options import DEFAULT_DIRECTORY, AsJson
from nodes.cli.output import err, out, print_json
from nodes.layout import NodeDirectory
from nodes.operations import NotRunning, RunFile
from nodes.proposals import (
    ACTIONS,
    Made,
    ProposalClient,
    ProposalError,
    RpcClient,
    Shown,
    parse_actions,
    with_votes,
)

DAY_S = 86_400
LISTED_MAX = 1_000

app = typer.Typer(
    help="Decide together: propose, vote, execute.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

Directory = Annotated[
    Path,
    typer.Option("--dir", help="Folder of the node whose keys sign.", file_okay=False),
]
Rpc = Annotated[
    str | None,
    typer.Option("--rpc", help="A node's JSON-RPC. Default: that of the node running in --dir."),
]
Account = Annotated[
    str | None,
    typer.Option(
        "--account", help="Label of the signing key. Default: the one whose organisation votes."
    ),
]
NoExecute = Annotated[
    bool, typer.Option("--no-execute", help="Do not execute, even where that made it pass.")
]
Number = Annotated[int, typer.Argument(min=1, help="Number of the proposal.", metavar="NUMBER")]

_HELP = "\n".join(
    (
        "Propose one or more actions, with `and` between them.",
        "",
        "Where your organisation's votes suffice, they are done at once.",
        "",
        "\b",
        "Actions:",
        *(
            f"  {name} {action.arguments}\n      {action.summary}"
            for name, action in ACTIONS.items()
        ),
        "",
        "\b",
        "Example:",
        "  tally proposal new suspend-organisation acme and set-votes acme 0 --text 'unpaid'",
    )
)


@app.command("new", help=_HELP, short_help="Propose actions.")
def new(
    actions: Annotated[list[str], typer.Argument(help="What to do.", metavar="ACTION…")],
    text: Annotated[str, typer.Option("--text", help="Why, for those who vote.")] = "",
    days: Annotated[
        float | None,
        typer.Option(
            "--days",
            min=1 / DAY_S,
            max=LIFETIME_MAX_S // DAY_S,
            help=f"Until it expires. Default: {LIFETIME_DEFAULT_S // DAY_S}.",
        ),
    ] = None,
    directory: Directory = DEFAULT_DIRECTORY,
    rpc: Rpc = None,
    account: Account = None,
    no_execute: NoExecute = False,
    votes: Annotated[
        int | None,
        typer.Option("--votes", min=0, help="Votes of the members to admit. Default: 1 each."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what it would be.")] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Propose also what would be refused as things are now."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Propose actions; `_HELP` is what people see."""
    with _client(directory, rpc) as client:
        calls = parse_actions(actions if votes is None else with_votes(actions, votes), client)
        told = [describe(call).words for call in calls]
        if dry_run:
            trouble = client.would_fail(calls)
            _tell_draft([f"0x{call.data.hex()}" for call in calls], told, trouble, as_json)
            return
        signer = _signer(directory, client, account)
        if not force:
            client.check(calls)
        lifetime_s = 0 if days is None else max(1, round(days * DAY_S))
        made = client.propose(signer, calls, text, lifetime_s, execute=not no_execute)
        _tell(made, as_json, told)


@app.command("vote")
def vote(
    proposal: Number,
    choice: Annotated[str, typer.Argument(help="yes or no.", metavar="yes|no")],
    directory: Directory = DEFAULT_DIRECTORY,
    rpc: Rpc = None,
    account: Account = None,
    no_execute: NoExecute = False,
    as_json: AsJson = False,
) -> None:
    """Say yes or no for your organisation. What has passed is executed.

    A vote can be changed until the proposal is decided.
    """
    if choice.upper() not in (Choice.YES.name, Choice.NO.name):
        raise ProposalError(f"say yes or no, not {choice[:20]!r}")
    with _client(directory, rpc) as client:
        signer = _signer(directory, client, account)
        wanted = Choice[choice.upper()]
        _tell(client.vote(signer, proposal, wanted, execute=not no_execute), as_json)


@app.command("execute")
def execute(
    proposal: Number,
    directory: Directory = DEFAULT_DIRECTORY,
    rpc: Rpc = None,
    account: Account = None,
    as_json: AsJson = False,
) -> None:
    """Do what a proposal says that has passed."""
    with _client(directory, rpc) as client:
        signer = _signer(directory, client, account, votes=False)
        _tell(client.execute(signer, proposal), as_json)


@app.command("withdraw")
def withdraw(
    proposal: Number,
    directory: Directory = DEFAULT_DIRECTORY,
    rpc: Rpc = None,
    account: Account = None,
    as_json: AsJson = False,
) -> None:
    """Take back a proposal of your organisation."""
    with _client(directory, rpc) as client:
        signer = _signer(directory, client, account, votes=False)
        _tell(client.withdraw(signer, proposal), as_json)


@app.command("list")
def list_(
    directory: Directory = DEFAULT_DIRECTORY,
    rpc: Rpc = None,
    count: Annotated[
        int, typer.Option("--count", min=1, max=LISTED_MAX, help="How many, from the newest.")
    ] = 20,
    everything: Annotated[
        bool, typer.Option("--all", help="Also what is executed, withdrawn or expired.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List proposals, the newest first."""
    with _client(directory, rpc) as client:
        found: list[Shown] = []
        made = client.count()
        for number in range(made, 0, -1):
            if len(found) == count:
                break
            summary = client.summary(number)
            if everything or summary.state in (State.OPEN, State.PASSED):
                found.append(client.show(number))
            elif time.time() - summary.created > LIFETIME_MAX_S:
                break  # all before it have expired too
    if as_json:
        print_json({"proposals": [_json(shown) for shown in found]})
        return
    if not found:
        decided = f"nothing is open; --all shows {made} decided"
        out.print(decided if made else "nothing was ever proposed")
    for shown in found:
        tally = shown.summary.tally
        out.print(
            f"{shown.id:>5}  {shown.summary.state.word:9}  {tally.yes} yes, {tally.no} no of "
            f"{tally.total}  {shown.made.organisation}: {'; '.join(_words(shown))}",
            markup=False,
        )


@app.command("show")
def show(
    proposal: Number,
    directory: Directory = DEFAULT_DIRECTORY,
    rpc: Rpc = None,
    as_json: AsJson = False,
) -> None:
    """Show a proposal: what it would do, who says what, what it needs."""
    with _client(directory, rpc) as client:
        shown = client.show(proposal)
        waits = shown.summary.state in (State.OPEN, State.PASSED)
        trouble = client.would_fail(shown.made.calls) if waits else None
    if as_json:
        print_json(_json(shown) | {"wouldFail": trouble})
        return
    summary, tally = shown.summary, shown.summary.tally
    out.print(f"proposal {shown.id} of {summary.organisation}: {summary.state.word}", markup=False)
    for words in _words(shown):
        out.print(f"  would {words}", markup=False)
    if shown.made.text:
        # Each line with a mark, so that none can pass for one of ours.
        for number, line in enumerate(shown.made.text.split("\n")):
            head = "" if number else "why"
            out.print(f"{head:9} | {_printable(line)}", markup=False)
    said = ", ".join(f"{organisation} {choice.word}" for organisation, choice in shown.votes)
    out.print(f"votes     {said}", markup=False)
    out.print(
        f"tally     {tally.yes} yes, {tally.no} no of {tally.total}; needs {summary.required}",
        markup=False,
    )
    out.print(f"made      {_time(summary.created)}, expires {_time(summary.expires)}")
    if trouble is not None:
        out.print(f"as things are, executing it would be refused: {trouble}", markup=False)


# ---- the node and the key -----------------------------------------------------------------------


def propose_in(
    directory: Path, actions: list[str], text: str, keys: KeyStore | None = None
) -> Made:
    """Propose with the keys in a running node's folder, saying nothing: for other commands."""
    with _client(directory, None) as client:
        signer = _signer(directory, client, None, keys=keys)
        calls = parse_actions(actions, client)
        client.check(calls)
        return client.propose(signer, calls, text)


@contextmanager
def _client(directory: Path, rpc: str | None) -> Iterator[ProposalClient]:
    place = NodeDirectory(directory)
    with RpcClient(rpc or _rpc_of(directory)) as asked:
        try:
            yield ProposalClient(asked, _origin(place))
        except ContractError as bad:
            raise ProposalError(str(bad)) from bad


def _rpc_of(directory: Path) -> str:
    try:
        return RunFile.find(directory).rpc
    except NotRunning as missing:
        raise ProposalError(f"{missing} with --dir, or a node's JSON-RPC with --rpc") from None


def _origin(place: NodeDirectory) -> str:
    try:
        genesis = json.loads(place.genesis.read_text("utf-8"))
        return str(genesis["tallystick"]["origin"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _signer(
    directory: Path,
    client: ProposalClient,
    label: str | None,
    *,
    votes: bool = True,
    keys: KeyStore | None = None,
) -> AccountSigner:
    """The key of that label, else the one key whose organisation is active and has a vote."""
    store = keys or open_keys(NodeDirectory(directory).keys)
    if label is not None:
        return store.load_account(label)
    able: dict[str, list[str]] = {}
    for entry in store.list():
        if entry.kind is KeyKind.ACCOUNT:
            organisation = client.organisation_of(_address(entry.public))
            if organisation and (not votes or client.votes_of(organisation)):
                able.setdefault(organisation, []).append(entry.label)
    if not able:
        what = "a vote" if votes else "an active account"
        raise ProposalError(f"no key in {directory} belongs to an organisation with {what}")
    if len(able) > 1:
        labels = ", ".join(f"{names[0]} ({who})" for who, names in able.items())
        raise ProposalError(f"say with --account who acts: {labels}")
    (labels_of,) = able.values()
    return store.load_account(labels_of[0])


def _address(text: str) -> Address:
    return Address(bytes.fromhex(text.removeprefix("0x")))


# ---- telling ------------------------------------------------------------------------------------


def _words(shown: Shown) -> list[str]:
    return [describe(call).words for call in shown.made.calls]


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def _tell_draft(data: list[str], told: list[str], trouble: str | None, as_json: bool) -> None:
    if as_json:
        calls = [{"words": words, "data": raw} for words, raw in zip(told, data, strict=True)]
        print_json({"calls": calls, "wouldFail": trouble})
        return
    for words in told:
        out.print(f"would {words}", markup=False)
    if trouble is not None:
        out.print(f"as things are, that would be refused: {trouble}", markup=False)


def _tell(made: Made, as_json: bool, told: list[str] | None = None) -> None:
    if as_json:
        print_json(
            {
                "proposal": made.proposal,
                "state": made.state.word,
                "transaction": made.transaction,
                **({"trouble": made.trouble} if made.trouble else {}),
                **({} if told is None else {"calls": told}),
            }
        )
        return
    for words in told or ():
        out.print(f"  {words}", markup=False)
    if made.trouble:
        err.print(f"voted, passed, not executed because: {made.trouble}", markup=False)
    hints = {
        State.OPEN: f"more votes are needed; others say `tally proposal vote {made.proposal} yes`",
        State.PASSED: f"passed; `tally proposal execute {made.proposal}` does it"
        + (", once that is otherwise" if made.trouble else ""),
        State.EXECUTED: "executed",
        State.WITHDRAWN: "withdrawn",
        State.EXPIRED: "expired",
    }
    out.print(f"proposal {made.proposal}: {hints[made.state]}", markup=False)


def _json(shown: Shown) -> dict[str, object]:
    summary = shown.summary
    return {
        "proposal": shown.id,
        "state": summary.state.word,
        "organisation": summary.organisation,
        "text": shown.made.text,
        "created": _time(summary.created),
        "expires": _time(summary.expires),
        "calls": [
            {
                "contract": described.contract,
                "function": described.function,
                "words": described.words,
                "target": f"0x{call.target.hex()}",
                "data": f"0x{call.data.hex()}",
            }
            for call in shown.made.calls
            for described in [describe(call)]
        ],
        "votes": {organisation: choice.word for organisation, choice in shown.votes},
        "tally": {
            "yes": summary.tally.yes,
            "no": summary.tally.no,
            "total": summary.tally.total,
        },
        "required": [summary.required.numerator, summary.required.denominator],
    }
