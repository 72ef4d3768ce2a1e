"""`tally reconcile`: statements held against a node's ledger."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tests.acceptance.running import run_tally
from tests.api.feeds import listening
from tests.api.test_clearing import Market, open_market
from tests.contracts.settlement.statement_samples import Line, camt053, csv_text
from tests.traceability.capture.stack import BANK, FARM, Identity, make_identity

pytestmark = [pytest.mark.feature("A4"), pytest.mark.feature("F10")]

Done = subprocess.CompletedProcess[str]
Tally = Callable[..., Done]


@pytest.fixture(scope="module")
def identity() -> Identity:
    return make_identity()


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory, identity: Identity) -> Iterator[Market]:
    with ExitStack() as exits:
        yield open_market(exits, tmp_path_factory.mktemp("market"), identity)


@pytest.fixture(scope="module")
def url(market: Market) -> Iterator[str]:
    with listening(market.node.app) as found:
        yield found


@pytest.fixture
def tally(market: Market, url: str, tmp_path: Path) -> Tally:
    """`tally(body, …)` runs the command on a file with that body, for all days of the story."""
    days = dict(part.split("=") for part in market.days().split("&"))

    def run(body: bytes, *options: str, account: str = market.account) -> Done:
        file = tmp_path / "statement"
        file.write_bytes(body)
        address = ("--url", url, "--key", market.bank.secret)
        span = ("--date", days["date"], "--to", days["to"])
        return run_tally(
            tmp_path, "reconcile", str(file), "--account", account, *span, *address, *options
        )

    return run


def test_a_statement_that_agrees_is_told_so_whatever_its_format(
    market: Market, tally: Tally
) -> None:
    for body in (csv_text(market.lines()), camt053(market.lines(), 8)):
        done = tally(body, "--json")
        assert (done.returncode, done.stderr) == (0, "")
        answer = json.loads(done.stdout)
        assert answer["agrees"] is True
        assert len(answer["matched"]) == 4
    named = tally(csv_text(market.lines()), account=f"{BANK}/{FARM}/CNY")
    assert named.returncode == 0
    assert named.stdout.endswith("4 agree\nThey agree.\n")


def test_every_difference_is_a_line_and_the_exit_code_says_so(market: Market, tally: Tally) -> None:
    issued, first, second, _ = market.lines()
    stranger = Line(first.day, 4_242, reference="X-9")
    body = csv_text([issued, issued, first, replace(second, amount=-1), stranger])
    done = tally(body)
    assert done.returncode == 1
    told = done.stdout.splitlines()
    assert told[0].endswith("2 agree")
    assert told[-1] == "They differ."
    assert [line.partition(":")[0].strip() for line in told[1:-1]] == [
        "not on the ledger",
        "not in the statement",
        "another amount",
        "told twice",
    ]
    assert f"line 6: {first.day} 42.42 CNY X-9" in told[1]
    assert tally(body, "--json").returncode == 1
    balances = tally(camt053(market.lines(), opening=7))
    assert "another balance: opening balance: 0 here, 7 there (hundredths of CNY)" in (
        balances.stdout
    )


@pytest.mark.parametrize(
    ("body", "options", "account", "words"),
    [
        (b"", (), None, "it is empty"),
        (b"date,amount\n", (), None, "column currency is missing"),
        (b"<!DOCTYPE a []><a/>", (), None, "document type"),
        (b"x" * (8 * 1024 * 1024 + 1), (), None, "more than 8388608 bytes"),
        (csv_text([]), ("--date", "yesterday"), None, "date"),
        (b"datum,amount,currency\n", (), None, "'datum' is not known; there are date, amount"),
        (csv_text([]), ("--key", "tally_nobody"), None, "by --key or TALLY_API_KEY"),
        (csv_text([]), ("--url", "http://127.0.0.1:1"), None, "start a node with `tally dev`"),
        (csv_text([]), (), f"0x{'7' * 64}", "404"),
        (csv_text([]), (), f"{BANK}/{FARM}/EUR", "no account"),
        (csv_text([]), (), "interbank", "currency"),
        (csv_text([]), ("--url", "node"), None, "no address of a node"),
    ],
)
def test_what_cannot_be_compared_is_one_line_and_exit_code_2(
    market: Market,
    tally: Tally,
    body: bytes,
    options: tuple[str, ...],
    account: str | None,
    words: str,
) -> None:
    done = tally(body, *options, account=account or market.account)
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("tally: ")
    assert words in line


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    wanted = ("reconcile", "nowhere.csv", "--account", "interbank", "--date", "2027-01-01")
    done = run_tally(tmp_path, *wanted)
    assert done.returncode == 2
    assert "nowhere.csv" in done.stderr
