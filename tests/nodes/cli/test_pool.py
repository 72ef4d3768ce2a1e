"""`tally pool`: an asset book from its file to a proof that a stranger checks."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api.client import Tallystick
from contracts.pools import AssetBook, AssetProofError, AssetRefused, BookError
from ledger.canonical import canonical_json
from nodes.cli.app import main
from nodes.cli.pool_proofs import app
from nodes.errors import NodeError, RequestRefused
from tests.api.conftest import trust_of
from tests.api.feeds import listening
from tests.api.members import Member
from tests.api.pool_scene import RULES as SCENE_RULES
from tests.api.pool_scene import PoolScene
from tests.traceability.capture.stack import make_identity

pytestmark = [pytest.mark.feature("F7"), pytest.mark.feature("A1")]
POOL = f"0x{'5e' * 32}"
ASSETS = """\
reference,balance,daysPastDue,region
LOAN-1,100000,0,JS
LOAN-2,5000,12,ZJ
LOAN-3,90000000,0,JS
"""
RULES = {
    "version": 1,
    "rules": [{"field": "balance", "atMost": 50_000_000}],
    "limits": [{"by": "region", "shareBpMax": 9_000}],
}


class Desk:
    """A servicer's folder, and the command run in it."""

    def __init__(self, folder: Path, pool: str = POOL) -> None:
        self.folder, self.pool = folder, pool
        self.book = folder / "pool.book"
        self.write("assets.csv", ASSETS)
        self.write("rules.json", json.dumps(RULES))

    def write(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text, "utf-8")
        return str(path)

    def run(self, *words: str, code: int = 0) -> dict[str, Any]:
        result = CliRunner().invoke(app, [*words, "--json"], catch_exceptions=False)
        assert result.exit_code == code, result.output
        found: dict[str, Any] = json.loads(result.stdout)
        return found

    def load(self, *more: str, day: str = "2026-11-20") -> dict[str, Any]:
        assets = str(self.folder / "assets.csv")
        return self.run("load", assets, str(self.book), "--pool", self.pool, "--date", day, *more)

    def path(self, name: str) -> str:
        return str(self.folder / name)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_book_is_loaded_under_rules_and_says_what_it_did_not_take(desk: Desk) -> None:
    made = desk.load("--rules", desk.path("rules.json"), "--refused", desk.path("refused.jsonl"))
    state = made["state"]
    assert (state["count"], state["changed"], made["refused"]) == (2, 2, 1)
    assert (state["performing"], state["overdue"]) == ("100000", "5000")
    (line,) = Path(desk.path("refused.jsonl")).read_text().splitlines()
    told = json.loads(line)
    assert told["reference"] == "LOAN-3"
    assert told["reasons"] == ["balance 90000000 is above 50000000"]
    (excess,) = made["excesses"]
    assert (excess["value"], excess["shareBp"]) == ("JS", 9_523)
    with AssetBook(desk.book) as book:
        assert f"0x{book.newest().day.root.hex()}" == state["root"]


def test_a_day_is_updated_and_corrected_and_the_states_are_shown(desk: Desk) -> None:
    desk.load()
    changes = desk.write("c.jsonl", '{"reference":"LOAN-2","daysPastDue":13}\n')
    first = desk.run("update", str(desk.book), changes, "--date", "2026-11-21")
    assert (first["state"]["changed"], first["revision"]) == (1, 1)
    again = desk.write("d.jsonl", '{"reference":"LOAN-2","daysPastDue":0,"balance":4000}\n')
    fixed = desk.run("update", str(desk.book), again, "--date", "2026-11-21", "--correct")
    assert (fixed["revision"], fixed["state"]["overdue"]) == (2, "0")
    states = desk.run("show", str(desk.book))["states"]
    assert [(one["date"], one["revision"]) for one in states] == [
        ("2026-11-20", 1),
        ("2026-11-21", 1),
        ("2026-11-21", 2),
    ]
    shown = CliRunner().invoke(app, ["show", str(desk.book)]).stdout
    assert "2026-11-21 (revision 2)" in shown


def test_eligibility_is_checked_over_a_file_and_over_a_book(desk: Desk) -> None:
    rules = ("--rules", desk.path("rules.json"))
    file = desk.run("check", desk.path("assets.csv"), *rules, code=1)
    assert (file["assets"], file["refused"]) == (3, 1)
    desk.load()
    book = desk.run("check", str(desk.book), *rules, code=1)
    assert book["refusals"] == [
        {"line": 2, "reference": "LOAN-3", "reasons": ["balance 90000000 is above 50000000"]}
    ]
    lenient = desk.write("lenient.json", '{"version":1,"rules":[{"field":"region","not":"XX"}]}')
    assert desk.run("check", str(desk.book), "--rules", lenient)["refused"] == 0
    with pytest.raises(NodeError, match="has no rules"):
        desk.run("check", str(desk.book))


BAD = {
    "no such date": (("--date", "2026-02-30"), NodeError),
    "no date": (("--date", "soon"), NodeError),
    "no pool": (("--pool", "0x12"), NodeError),
    "salt": (("--salt-file", "short"), NodeError),
    "twice": (("twice.csv",), AssetRefused),
    "ending": (("assets.txt",), AssetRefused),
    "no number": (("letters.csv",), AssetRefused),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_told_and_leaves_no_book(desk: Desk, name: str) -> None:
    words, error = BAD[name]
    desk.write("twice.csv", "reference,balance\nA,1\nA,2\n")
    desk.write("assets.txt", ASSETS)
    desk.write("letters.csv", "reference,balance\nA,one\n")
    short = desk.write("short", "abc")
    options = {"--pool": desk.pool, "--date": "2026-11-20"}
    file = "assets.csv"
    if words[0].startswith("--"):
        options[words[0]] = short if words[1] == "short" else words[1]
    else:
        (file,) = words
    flat = [part for pair in options.items() for part in pair]
    with pytest.raises(error):
        desk.run("load", desk.path(file), str(desk.book), *flat)
    assert not desk.book.exists()


def test_a_mistake_is_one_line_and_exit_code_2(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.load()
    words = ["tally", "pool", "prove", str(desk.book), "LOAN-9"]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capsys.readouterr().err == "tally: 'LOAN-9' is no asset of this book\n"
    with pytest.raises(BookError):
        desk.run("show", desk.path("assets.csv"))


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("twice.csv", b"reference,balance\nA,1\nB,1\nA,2\n", "lines 2 and 4: 'A' stands there"),
        ("latin.csv", b"reference,balance\nA,1\nB\xe9,2\n", "line 3: not UTF-8 throughout"),
        ("letters.csv", b"reference,balance\nA,one\n", "line 2: balance 'one' is no whole number"),
    ],
)
def test_a_mistake_in_a_file_names_file_and_line(
    desk: Desk, name: str, body: bytes, words: str
) -> None:
    file = desk.folder / name
    file.write_bytes(body)
    with pytest.raises(AssetRefused) as refused:
        desk.run("load", str(file), str(desk.book), "--pool", desk.pool, "--date", "2026-11-20")
    assert str(refused.value).startswith(f"{file}: {words}")


def test_what_is_no_file_of_assets_is_named(desk: Desk) -> None:
    options = ("--pool", desk.pool, "--date", "2026-11-20")
    with pytest.raises(AssetRefused, match=r"^\.: no file; files of assets end with \.csv"):
        desk.run("load", ".", str(desk.book), *options)
    with pytest.raises(AssetProofError, match=r"assets\.csv: no proof of an asset"):
        desk.run("verify", desk.path("assets.csv"))


def test_a_date_that_has_its_state_is_corrected_only_when_asked(desk: Desk) -> None:
    desk.load()
    with pytest.raises(NodeError, match="2026-11-20 has its state already; --correct"):
        desk.run("update", str(desk.book), desk.path("assets.csv"), "--date", "2026-11-20")


def test_a_proof_says_what_it_is_of(desk: Desk) -> None:
    desk.load()
    proof = str(desk.folder / "one.json")
    result = CliRunner().invoke(app, ["prove", str(desk.book), "LOAN-1", "-o", proof])
    assert "LOAN-1: asset outside this ledger 0x" in result.output
    assert "owed 100000 hundredths of the pool's currency on 2026-11-20" in result.output


# ---- with a node --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PoolScene]:
    folder = tmp_path_factory.mktemp("pools")
    with ExitStack() as exits:
        yield PoolScene(exits, folder, f"sqlite:///{folder / 'tally.sqlite'}")


@pytest.fixture(scope="module")
def url(scene: PoolScene) -> Iterator[str]:
    with listening(scene.node.app) as found:
        yield found


def key_of(member: Member) -> tuple[str, str]:
    return "--key", member.secret


def test_states_are_committed_in_order_and_an_asset_is_proved_to_a_stranger(
    scene: PoolScene, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALLY_HOME", str(tmp_path / "home"))
    desk = Desk(tmp_path, scene.active())
    day = scene.today.isoformat()
    node = ("--url", url)
    servicer = (*node, *key_of(scene.servicer))
    desk.load(day=day)
    book = str(desk.book)
    (sent,) = desk.run("commit", book, *servicer)["committed"]
    assert (sent["date"], sent["revision"]) == (day, 1)
    assert desk.run("commit", book, *servicer)["committed"] == []
    proof = desk.path("one.json")
    desk.run("prove", book, "LOAN-2", "--attributes", "-o", proof)
    changes = desk.write("c.jsonl", '{"reference":"LOAN-2","balance":4999}\n')
    desk.run("update", book, changes, "--date", day, "--correct")
    with pytest.raises(NodeError, match="--reason"):
        desk.run("commit", book, *servicer)
    (fixed,) = desk.run("commit", book, "--reason", "wrong file", *servicer)["committed"]
    assert fixed["revision"] == 2

    # An investor asks the node; whoever has the state and the trust file needs none.
    trust = desk.write("trust.json", trust_of(scene.node.stack).encode().decode())
    asked = desk.run("verify", proof, "--trust", trust, *node, *key_of(scene.north))
    assert (asked["verdict"], asked["by"], asked["revision"]) == ("valid", "loan-service", 1)
    assert asked["signers"] == [scene.node.stack.ledger.origin]
    assert asked["attributes"] == {"region": "ZJ"}
    path = f"/pools/{desk.pool}/days/{day}?revision=1&evidence=true"
    state = desk.write("state.json", json.dumps(scene.north.get(path)))
    offline = ("verify", proof, "--state", state)
    assert desk.run(*offline, "--trust", trust)["verdict"] == "valid"
    text = CliRunner().invoke(app, [*offline, "--trust", trust]).stdout
    assert "committed by loan-service" in text

    # Nothing vouches for it: undecided. Something is false: invalid.
    assert desk.run(*offline, code=3)["verdict"] == "unknown"
    other = ("--contract", f"0x{'12' * 20}")
    assert desk.run(*offline, "--trust", trust, *other, code=3)["verdict"] == "unknown"
    document = json.loads(Path(proof).read_text())
    document["asset"]["balance"] = "5001"
    forged = desk.write("forged.json", json.dumps(document))
    refused = desk.run("verify", forged, "--state", state, "--trust", trust, code=1)
    assert "another root" in refused["steps"][0]["reason"]
    newer = desk.write("newer.json", json.dumps(scene.north.get(path.replace("n=1", "n=2"))))
    wrong = desk.run("verify", proof, "--state", newer, "--trust", trust, code=1)
    assert "revision 2" in wrong["steps"][0]["reason"]


def test_a_forged_state_is_no_state(
    scene: PoolScene, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALLY_HOME", str(tmp_path / "home"))
    desk = Desk(tmp_path, scene.active())
    day = scene.today.isoformat()
    desk.load(day=day)
    desk.run("commit", str(desk.book), "--url", url, *key_of(scene.servicer))
    proof = desk.path("one.json")
    desk.run("prove", str(desk.book), "LOAN-1", "-o", proof)
    with pytest.raises(RequestRefused):
        desk.run("verify", proof, "--url", url, *key_of(scene.stranger))
    told = scene.north.get(f"/pools/{desk.pool}/days/{day}?evidence=true")
    entry = told["evidence"]["entry"]
    leaf = json.loads(bytes.fromhex(entry[2:]))
    later = canonical_json({**leaf, "blockNumber": leaf["blockNumber"] + 1})
    another = {**told["evidence"], "entry": f"0x{later.hex()}"}
    state = desk.write("state.json", json.dumps({**told, "evidence": another}))
    trust = desk.write("trust.json", trust_of(scene.node.stack).encode().decode())
    found = desk.run("verify", proof, "--state", state, "--trust", trust, code=1)
    assert (found["verdict"], found["by"]) == ("invalid", None)
    for malformed in ({"entry": "0xzz", "proof": ""}, {"entry": entry, "proof": "no"}, {}):
        state = desk.write("state.json", json.dumps({**told, "evidence": malformed}))
        with pytest.raises(AssetProofError):
            desk.run("verify", proof, "--state", state)


def test_a_state_that_others_have_signed_is_undecided(
    scene: PoolScene, url: str, tmp_path: Path
) -> None:
    desk = Desk(tmp_path, scene.active())
    desk.load(day=scene.today.isoformat())
    servicer = ("--url", url, *key_of(scene.servicer))
    desk.run("commit", str(desk.book), *servicer)
    proof = desk.path("one.json")
    desk.run("prove", str(desk.book), "LOAN-1", "-o", proof)
    known = trust_of(scene.node.stack)
    stranger = make_identity("strangers").signer.verifier
    others = replace(known, keys=(stranger,))
    trust = desk.write("trust.json", others.encode().decode())
    found = desk.run("verify", proof, "--trust", trust, *servicer, code=3)
    assert [one["outcome"] for one in found["steps"]] == ["valid", "valid", "unknown"]


def test_the_client_reads_all_of_a_pool(scene: PoolScene, url: str) -> None:
    pool, day = scene.active(), scene.today.isoformat()
    with Tallystick(url, key=scene.servicer.secret) as servicer:
        servicer.pools.act(pool, "commit", scene.state(scene.today))
        for number in (1, 2):
            body = scene.collection(f"0x{number:02x}{pool[4:]}")
            servicer.pools.act(pool, "collect", body)
        assert servicer.pools.period(pool, 1)["revision"] == 2
    with Tallystick(url, key=scene.trustee.secret) as trustee:
        trustee.pools.act(pool, "distribute", {"period": 1, "end": day}, revision=2)
    with Tallystick(url, key=scene.north.secret) as fund:
        assert [one["period"] for one in fund.pools.periods(pool)] == [1]
        assert [one["number"] for one in fund.pools.collections(pool, period=1, page=1)] == [1, 2]
        assert [one["date"] for one in fund.pools.days(pool)] == [day]
        assert fund.pools.day(pool, day, revision=1)["count"] == 3
        assert list(fund.pools.instruments(pool)) == []
        assert json.loads(fund.pools.rules(pool)) == SCENE_RULES
        assert pool in {one["id"] for one in fund.pools.list(holder="north-fund", page=2)}
        paid = list(fund.pools.payments(pool, payee="north-fund"))
        flows = list(fund.pools.trace(pool, 1, payment=paid[0]["number"], page=1))
        assert sum(int(one["amount"]) for one in flows) == int(paid[0]["amount"])
        assert [one["act"] for one in fund.pools.history(pool)] == ["create", "accept", "accept"]
