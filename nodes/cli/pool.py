"""`tally pool`: the asset book of a securitisation, which stays with the servicer.

The ledger has the roots; the book has every asset, every state and every proof. Exit codes: 0 done
or valid, 1 refused by rules or invalid, 2 bad input, 3 undecided.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from contracts.pools import AssetBook, BookState, Excess, examine, examined_rows, load_book
from nodes.cli.options import AsJson, Key, Url
from nodes.cli.output import EXIT_INVALID, err, out, print_json, progress
from nodes.cli.pool_files import (
    SHOWN_MAX,
    SUFFIXES,
    Refusals,
    counted,
    day_of,
    pool_of,
    rows_of,
    rules_of,
    salt_of,
    state_body,
)
from nodes.cli.pool_sending import send_states
from nodes.errors import NodeError

app = typer.Typer(
    help="Keep a pool's asset book: load, update, check, commit, prove, verify.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

BookFile = Annotated[Path, typer.Argument(metavar="BOOK", help="The asset book: one file.")]
AssetFile = Annotated[
    Path, typer.Argument(metavar="ASSETS", help=".csv with a header, or .jsonl, of assets.")
]
PoolId = Annotated[str, typer.Option("--pool", help="Id of the pool: 0x and 64 hex digits.")]
Day = Annotated[str, typer.Option("--date", help="YYYY-MM-DD.", metavar="DATE")]
RulesFile = Annotated[
    Path | None, typer.Option("--rules", help="Eligibility rules, JSON.", dir_okay=False)
]
RefusedFile = Annotated[
    Path | None,
    typer.Option("--refused", help="File for what the rules do not take, JSON lines."),
]


@app.command("load")
def load(
    assets: AssetFile,
    book: BookFile,
    pool: PoolId,
    on: Day,
    rules: RulesFile = None,
    admit_until: Annotated[
        str | None, typer.Option("--admit-until", help="Last date on which assets come in.")
    ] = None,
    salt: Annotated[
        Path | None,
        typer.Option("--salt-file", help="Bytes that hide the references. Default: random ones."),
    ] = None,
    refused: RefusedFile = None,
    as_json: AsJson = False,
) -> None:
    """Make the book of a pool out of a file of assets, all or nothing.

    Columns: reference, balance (hundredths), and if they matter daysPastDue, state and kind; every
    other one is an attribute of the asset. What it prints is the first state, as `commit` sends it.
    """
    told = Refusals(refused)
    with told, rows_of(assets, not as_json) as rows:
        report = load_book(
            book,
            rows,
            pool=pool_of(pool),
            day=day_of(on),
            rules=None if rules is None else rules_of(rules),
            admit_until=None if admit_until is None else day_of(admit_until),
            salt=None if salt is None else salt_of(salt),
            refuse=told,
        )
    with AssetBook(book) as made:
        state = made.newest()
    _print_state(book, state, told, report.excesses, as_json)


@app.command("update")
def update(
    book: BookFile,
    changes: Annotated[
        Path, typer.Argument(metavar="CHANGES", help="What is new or different, .csv or .jsonl.")
    ],
    on: Day,
    correct: Annotated[
        bool, typer.Option("--correct", help="Another revision of the newest date's state.")
    ] = False,
    refused: RefusedFile = None,
    as_json: AsJson = False,
) -> None:
    """Make the state of the next date. What is wrong changes nothing.

    A line of changes names the reference and what is different.
    """
    told = Refusals(refused)
    with AssetBook(book) as opened, told, rows_of(changes, not as_json) as rows:
        day = day_of(on)
        if not correct and opened.state(day) is not None:
            newest = opened.newest().date
            raise NodeError(
                f"{book}: {day} has its state already; --correct makes another revision of the "
                f"newest date's, {newest}"
            )
        report = (opened.correct if correct else opened.update)(day, rows, told)
    _print_state(book, report.state, told, (), as_json)


@app.command("check")
def check(
    place: Annotated[
        Path, typer.Argument(metavar="ASSETS|BOOK", help="A file of new assets, or a book.")
    ],
    rules: RulesFile = None,
    refused: RefusedFile = None,
    as_json: AsJson = False,
) -> None:
    """Hold assets against eligibility rules, with the reasons; a book by its own without --rules.

    Exits 1 where an asset is not eligible or a value has too large a share.
    """
    told = Refusals(refused)
    with told:
        if place.suffix in SUFFIXES:
            if rules is None:
                raise NodeError("a file of assets has no rules of its own: name them by --rules")
            with rows_of(place, not as_json) as rows:
                found = examine(examined_rows(rows), rules_of(rules), told)
        else:
            with AssetBook(place) as opened:
                wanted = opened.rules if rules is None else rules_of(rules)
                if wanted is None:
                    raise NodeError(f"{place}: the book has no rules: name them by --rules")
                count = opened.newest().day.count
                with progress("checking", count, not as_json) as done:
                    found = examine(counted(opened.examined(), done), wanted, told)
    if as_json:
        print_json(
            {
                "assets": found.assets,
                "refused": found.refused,
                "refusals": told.shown,
                "excesses": [_excess(one) for one in found.excesses],
            }
        )
    else:
        told.print()
        _print_excesses(found.excesses)
        out.print(f"{place}: {found.assets - found.refused} of {found.assets} are eligible")
    if found.refused or found.excesses:
        raise typer.Exit(EXIT_INVALID)


@app.command("show")
def show(book: BookFile, as_json: AsJson = False) -> None:
    """Show the states of a book, the oldest first."""
    with AssetBook(book) as opened:
        states, rules = opened.states(), opened.rules
        pool = f"0x{opened.pool.hex()}"
    if as_json:
        shown = [{"revision": one.revision, **state_body(one)} for one in states]
        hash_ = None if rules is None else f"0x{rules.hash.hex()}"
        print_json({"pool": pool, "rules": hash_, "states": shown})
        return
    out.print(f"pool {pool}", markup=False)
    for one in states:
        day = one.day
        corrected = f" (revision {one.revision})" if one.revision > 1 else ""
        out.print(
            f"{one.date}{corrected}  {day.count} assets, {day.changed} changed, performing "
            f"{day.performing}, overdue {day.overdue}, defaulted {day.defaulted}",
            markup=False,
        )


@app.command("commit")
def commit(
    book: BookFile,
    reason: Annotated[
        str, typer.Option("--reason", help="Why, where a state corrects another one.")
    ] = "",
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Send the states that the ledger has not got yet, in their order. The servicer's key."""

    with AssetBook(book) as opened:
        pool, states = f"0x{opened.pool.hex()}", opened.states()
    sent = send_states(pool, states, reason, url, key)
    if as_json:
        print_json({"pool": pool, "committed": sent})
        return
    for one in sent:
        out.print(f"{one['date']}: committed in block {one['block']}, leaf {one['leaf']}")
    if not sent:
        out.print("the ledger has every state of this book")


# ---- what is printed ----------------------------------------------------------------------------


def _excess(one: Excess) -> dict[str, Any]:
    return {
        "by": one.by,
        "value": one.value,
        "balance": str(one.balance),
        "shareBp": one.share_bp,
        "shareBpMax": one.share_bp_max,
    }


def _print_excesses(excesses: Sequence[Excess]) -> None:
    for one in excesses[:SHOWN_MAX]:
        err.print(
            f"  too much: {one.by} {one.value or '(none)'} has {one.share_bp / 100:.2f} % of the "
            f"balance, at most {one.share_bp_max / 100:.2f} % may be",
            markup=False,
        )
    if len(excesses) > SHOWN_MAX:
        err.print(f"  … and {len(excesses) - SHOWN_MAX} more")


def _print_state(
    book: Path, state: BookState, told: Refusals, excesses: Sequence[Excess], as_json: bool
) -> None:
    if as_json:
        print_json(
            {
                "book": str(book),
                "revision": state.revision,
                "state": state_body(state),
                "refused": told.count,
                "refusals": told.shown,
                "excesses": [_excess(one) for one in excesses],
            }
        )
        return
    told.print()
    _print_excesses(excesses)
    day = state.day
    out.print(
        f"{book}: {state.date}, revision {state.revision}: {day.count} assets, {day.changed} "
        f"changed, {told.count} not taken; root 0x{day.root.hex()}",
        markup=False,
    )
