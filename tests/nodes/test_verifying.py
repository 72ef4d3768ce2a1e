"""`tally verify` and `tally trace` remember what they saw, and say what fork evidence proves."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from ledger.canonical import canonical_json
from nodes.cli import history as history_module
from nodes.cli.output import EXIT_INVALID, EXIT_UNKNOWN, EXIT_VALID
from nodes.cli.records import trace
from nodes.cli.verification import verify
from nodes.client import NodeAddress, remember
from tests.ledger.witness.web import Answer, Site, consistency, serving
from tests.traceability.bundle.support import ORIGIN, World, events

pytestmark = [pytest.mark.feature("L4"), pytest.mark.feature("L5")]

Run = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TALLY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("TALLY_URL", raising=False)
    return tmp_path / "home"


@pytest.fixture
def trust(tmp_path: Path) -> Path:
    path = tmp_path / "trust.json"
    World().trust().save(path)
    return path


@pytest.fixture
def run(trust: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """`run(files, **options)`: exit code and the JSON object."""

    def call(*files: Path, **options: Any) -> tuple[int, dict[str, Any]]:
        given: dict[str, Any] = {"trust": trust, "url": None, "offline": False, **options}
        with pytest.raises(typer.Exit) as done:
            verify(list(files), as_json=True, **given)
        found = json.loads(capsys.readouterr().out)
        assert isinstance(found, dict)
        return done.value.exit_code, found

    return call


class Log:
    """A log that grows, with a site that proves it; `salt` makes it another after two batches."""

    def __init__(self, directory: Path, *, salt: bool = False) -> None:
        self.world, self.directory, self.salt = World(), directory, salt
        self.made = 0
        self.bundles: list[dict[str, Any]] = []

    def proof(self) -> Path:
        """One more batch, and the proof file of its event."""
        number = 10 + self.made if self.salt and self.made >= 2 else self.made
        stored = self.world.anchor(events(20)[number : number + 1])
        self.made += 1
        data = self.world.bundle(stored[0]).encode()
        self.bundles.append(json.loads(data))
        path = self.directory / f"{self.salt}-{self.made}.tally-proof.json"
        path.write_bytes(data)
        return path

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        if path == "/log/consistency":
            sizes = int(query["from"]), int(query["to"])
            return 200, {}, consistency(ORIGIN, *sizes, self.world.consistency_proof(*sizes))
        organisation = {"id": "green-valley", "name": "Green Valley", "nameZh": "", "role": "x"}
        journey = [
            {"relation": "self", "about": "x", "organisation": organisation, "bundle": one}
            for one in self.bundles
        ]
        item = {"epc": "https://id.gs1.org/01/1", "journey": journey, "truncated": False}
        return 200, {}, canonical_json(item)


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


@pytest.fixture
def site(log: Log) -> Iterator[Site]:
    with serving(log.answer) as site:
        yield site


def test_the_first_proof_is_remembered_without_asking_anybody(run: Run, log: Log) -> None:
    code, answer = run(log.proof(), url="http://127.0.0.1:9")
    assert (code, answer["verdict"], answer["history"]["kind"]) == (EXIT_VALID, "valid", "first")


def test_a_log_that_goes_on_is_proven_by_the_server(run: Run, log: Log, site: Site) -> None:
    run(log.proof())
    code, answer = run(log.proof(), url=site.url)
    assert (code, answer["history"]["kind"]) == (EXIT_VALID, "consistent")
    assert (answer["history"]["seenSize"], answer["history"]["size"]) == (2, 4)
    assert site.asked == ["/log/consistency?from=2&to=4"]
    assert run(log.proof(), url=site.url)[1]["history"]["seenSize"] == 4


def test_the_node_last_started_here_is_asked(run: Run, log: Log, site: Site) -> None:
    run(log.proof())
    remember(NodeAddress(site.url, "secret"))
    assert run(log.proof())[1]["history"]["kind"] == "consistent"


@pytest.mark.parametrize("options", [{"offline": True}, {"url": "http://127.0.0.1:9"}, {}])
def test_out_of_reach_leaves_the_verdict_as_it_is(
    run: Run, log: Log, options: dict[str, Any]
) -> None:
    run(log.proof())
    code, answer = run(log.proof(), **options)
    assert (code, answer["verdict"], answer["history"]["kind"]) == (EXIT_VALID, "valid", "unknown")


def test_offline_asks_nobody(run: Run, log: Log, site: Site) -> None:
    run(log.proof())
    assert run(log.proof(), url=site.url, offline=True)[1]["history"]["kind"] == "unknown"
    assert site.asked == []


def test_another_history_is_told_loudly_and_kept(
    run: Run,
    log: Log,
    site: Site,
    tmp_path: Path,
    trust: Path,
    home: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    other = Log(tmp_path, salt=True)
    for _ in range(3):
        genuine, forged = log.proof(), other.proof()
    assert run(genuine)[0] == EXIT_VALID
    code, answer = run(forged, url=site.url)
    assert (code, answer["verdict"], answer["history"]["kind"]) == (EXIT_INVALID, "valid", "broken")
    (kept,) = (home / "evidence").iterdir()
    assert answer["history"]["evidence"] == str(kept)
    with pytest.raises(typer.Exit) as done:
        verify([forged], trust=trust, url=None, offline=True, as_json=False)
    assert done.value.exit_code == EXIT_INVALID
    said = capsys.readouterr()
    assert "CONTRADICTS WHAT WAS SEEN" in said.err
    assert str(kept) in said.err
    assert len(list((home / "evidence").iterdir())) == 1
    # What was seen stays: the genuine log is still fine.
    assert run(genuine)[1]["history"]["kind"] == "same"


def test_a_proof_that_fails_is_kept_as_an_open_accusation(
    run: Run, log: Log, site: Site, tmp_path: Path, home: Path
) -> None:
    other = Log(tmp_path, salt=True)
    for _ in range(3):
        log.proof()
        other.proof()
    run(log.proof())
    other.proof()
    longer = other.proof()
    with serving(other.answer) as liar:
        code, answer = run(longer, url=liar.url)
    assert (code, answer["history"]["kind"]) == (EXIT_INVALID, "broken")
    (kept,) = (home / "evidence").iterdir()
    code, answer = run(kept)
    assert (code, answer["weight"], answer["kind"]) == (EXIT_UNKNOWN, "claimed", "broken-proof")
    assert site.asked == []


def test_evidence_is_explained_with_a_trust_file(
    run: Run,
    log: Log,
    tmp_path: Path,
    trust: Path,
    home: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    other = Log(tmp_path, salt=True)
    for _ in range(3):
        genuine, forged = log.proof(), other.proof()
    run(genuine)
    run(forged)
    (kept,) = (home / "evidence").iterdir()
    code, answer = run(kept)
    assert (code, answer["weight"]) == (EXIT_VALID, "proven")
    assert answer["signedBoth"] == [ORIGIN]
    assert answer["history"] is None
    assert run(kept, trust=None)[0] == EXIT_UNKNOWN
    with pytest.raises(typer.Exit):
        verify([kept], trust=trust, url=None, offline=False, as_json=False)
    said = capsys.readouterr().out
    assert "evidence of a fork" in said
    assert "contradicts itself" in said
    spoiled = tmp_path / "spoiled.json"
    spoiled.write_bytes(kept.read_bytes().replace(b'"foundAt":', b'"foundAt":1'))
    assert run(spoiled)[0] == EXIT_VALID  # when it was found, nobody signs
    spoiled.write_bytes(kept.read_bytes().replace(b"\\n6\\n", b"\\n7\\n"))
    assert run(spoiled)[0] == EXIT_INVALID


def test_trace_asks_the_node_that_it_shows(
    log: Log, site: Site, trust: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log.proof()
    trace("/01/09521002000016/21/0", url=site.url, trust=trust, as_json=True)
    assert json.loads(capsys.readouterr().out)["histories"][0]["kind"] == "first"
    log.proof()
    trace("/01/09521002000016/21/0", url=site.url, trust=trust, as_json=True)
    answer = json.loads(capsys.readouterr().out)
    assert (answer["verdict"], answer["histories"][0]["kind"]) == ("valid", "consistent")


def test_trace_of_another_history_is_invalid(
    log: Log, trust: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Log(tmp_path, salt=True)
    for one in (log, other):
        for _ in range(3):
            one.proof()
    for one, code in ((log, None), (other, EXIT_INVALID)):
        with serving(one.answer) as site:
            if code is None:
                trace("/01/09521002000016/21/0", url=site.url, trust=trust, as_json=False)
                assert history_module.WORDS[history_module.HistoryKind.FIRST] in (
                    capsys.readouterr().out
                )
                continue
            with pytest.raises(typer.Exit) as done:
                trace("/01/09521002000016/21/0", url=site.url, trust=trust, as_json=False)
            assert done.value.exit_code == code
            assert "CONTRADICTS" in capsys.readouterr().err
