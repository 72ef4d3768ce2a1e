"""Tables of acts: what they must not say is refused; what is made of them is what stands there."""

from __future__ import annotations

import copy
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.instruments import (
    COMMON_ACTS,
    COMMON_PARTIES,
    Machine,
    MachineError,
    WhilePledged,
    load_machine,
    parse_machine,
    rule_word,
    solidity,
)
from contracts.instruments import __main__ as command
from contracts.instruments.drawing import page
from tests.conftest import skip_or_fail

pytestmark = pytest.mark.feature("F1")

Table = dict[str, Any]

SMALL: Table = {
    "name": "Thing",
    "title": "Some thing",
    "title_zh": "某物",
    "states": ["none", "open", "half-shut", "shut"],
    "parties": ["maker"],
    "common": {"freeze": ["open", "half-shut"], "lock": ["open"], "unlock": ["open", "half-shut"]},
    "act": [
        {"name": "make", "from": ["none"], "to": "open", "by": ["maker"]},
        {"name": "lean-on", "from": ["open"], "to": "half-shut", "by": ["anybody"], "locked": True},
        {
            "name": "close",
            "from": ["open", "half-shut"],
            "to": "shut",
            "by": ["holder", "maker"],
            "pledged": "permit",
            "text": "It is closed.",
            "text_zh": "关闭。",
        },
    ],
}


def changed(change: Callable[[Table], object]) -> Table:
    table = copy.deepcopy(SMALL)
    change(table)
    return table


def test_rows_are_numbered_after_those_of_all_instruments() -> None:
    machine = parse_machine(SMALL)
    assert (machine.title, machine.title_zh) == ("Some thing", "某物")
    assert [act.number for act in machine.acts] == list(range(len(COMMON_ACTS) + 3))
    assert tuple(act.name for act in machine.acts[: len(COMMON_ACTS)]) == COMMON_ACTS
    close = machine.act("close")
    assert close.while_pledged is WhilePledged.PERMIT
    assert (close.while_frozen, close.while_locked) == (False, False)
    assert machine.after(close, "open") == "shut"
    assert machine.after(machine.act("freeze"), "open") == "open"
    with pytest.raises(KeyError):
        machine.act("open")


def test_what_is_frozen_or_locked_can_be_undone_wherever_it_gets_meanwhile() -> None:
    machine = parse_machine(SMALL)
    assert machine.act("unfreeze").states == machine.act("freeze").states
    assert machine.act("unlock").states == {"open", "half-shut"}
    stuck = changed(lambda t: t["common"].pop("unlock"))
    with pytest.raises(MachineError, match="no unlock in half-shut"):
        parse_machine(stuck)
    thaws = changed(lambda t: t["act"][2].update(frozen=True))
    with pytest.raises(MachineError, match="no unfreeze in shut"):
        parse_machine(thaws)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("name"), "name"),
        (lambda t: t.update(name="thing"), "name"),
        (lambda t: t.update(states=["open", "none"]), "shut"),
        (lambda t: t["states"].reverse(), "begin with none"),
        (lambda t: t["states"].append("lost"), "no act leads to lost"),
        (lambda t: t["states"].append("open"), "stands there twice"),
        (lambda t: t.update(states=["none", *(f"s{i}" for i in range(32))]), "states"),
        (lambda t: t["parties"].append("holder"), "party holder"),
        (lambda t: t.update(parties=[f"p{i}" for i in range(25)]), "parties"),
        (lambda t: t["act"].append(t["act"][0]), "act make"),
        (lambda t: t["act"][0].update(name="freeze"), "act freeze"),
        (lambda t: t["act"][0].update(name="Make"), "act.0.name"),
        (lambda t: t["act"][0].update(by=[]), "act.0.by"),
        (lambda t: t["act"][0].update(by=["owner"]), "'owner' is no party"),
        (lambda t: t["act"][0].update({"from": []}), "possible in no state"),
        (lambda t: t["act"][0].update({"from": ["ajar"]}), "'ajar' is no state"),
        (lambda t: t["act"][0].update(to="ajar"), "'ajar' is no state"),
        (lambda t: t["act"][0].pop("to"), "none"),
        (lambda t: t["act"][2].update(to="none"), "none"),
        (lambda t: t["act"][2].update(pledged="maybe"), "act.2.pledged"),
        (lambda t: t["act"][2].update(frozen="yes"), "act.2.frozen"),
        (lambda t: t["act"][2].update(text="a | b"), "act.2.text"),
        (lambda t: t["act"][2].update(unknown=1), "act.2.unknown"),
        (lambda t: t["common"].update(unfreeze=["open"]), "unfreeze"),
        (lambda t: t["common"].update(close=["open"]), "close"),
        (lambda t: t["common"].update(freeze=["none"]), "none"),
        (lambda t: t["common"].update(award=["ajar"]), "'ajar' is no state"),
        (lambda t: t.update(leads={"close": {"open": "shut"}}), "close"),
        (lambda t: t.update(leads={"freeze": {"shut": "open"}}), "not possible in shut"),
        (lambda t: t.update(leads={"freeze": {"open": "ajar"}}), "'ajar' is no state"),
        (lambda t: t.update(leads={"freeze": {"open": "none"}}), "none"),
        (lambda t: t["act"][2].update(leads={"open": "shut"}), "act close: where it leads"),
    ],
)
def test_a_wrong_table_is_refused_and_the_place_named(
    change: Callable[[Table], object], message: str
) -> None:
    with pytest.raises(MachineError) as refused:
        parse_machine(changed(change))
    assert message in str(refused.value)


WORDS = st.sampled_from(["none", "open", "half-shut", "shut", "maker", "holder", "freeze", "x"])
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8), WORDS)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(["name", "from", "to", "by", "freeze"]), inner, max_size=3),
    ),
    max_leaves=8,
)


@given(st.data())
def test_any_change_gives_a_sound_machine_or_is_refused(data: st.DataObject) -> None:
    table = copy.deepcopy(SMALL)
    for _ in range(data.draw(st.integers(1, 3))):
        spot: Any = table
        while True:
            keys = list(spot) if isinstance(spot, dict) else list(range(len(spot)))
            place = data.draw(st.sampled_from(keys)) if keys else None
            if place is None:
                break
            inner = spot[place]
            if not isinstance(inner, dict | list) or data.draw(st.booleans()):
                spot[place] = data.draw(VALUES)
                break
            spot = inner
    try:
        machine = parse_machine(table)
    except MachineError:
        return
    assert_sound(machine)


@given(st.dictionaries(st.sampled_from(sorted(SMALL)), VALUES))
def test_anything_at_all_is_refused_in_words(table: Table) -> None:
    try:
        machine = parse_machine(table)
    except MachineError:
        return
    assert_sound(machine)


def assert_sound(machine: Machine) -> None:
    """Its words are read back as its rows, as `Rules.sol` reads them."""
    assert machine.states[0] == "none"
    assert machine.parties[: len(COMMON_PARTIES)] == COMMON_PARTIES
    for act in machine.acts:
        word = rule_word(machine, act)
        assert {s for i, s in enumerate(machine.states) if word >> i & 1} == act.states
        assert {p for i, p in enumerate(machine.parties) if word >> 32 + i & 1} == set(act.by)
        assert word >> 88 == act.number
        to = word >> 64 & 255
        assert (None if to == 255 else machine.states[to]) == act.to
        assert (word >> 72 & 255, word >> 80 & 1, word >> 81 & 1) == (
            act.while_pledged,
            act.while_frozen,
            act.while_locked,
        )
    assert page(machine).endswith("\n")
    assert solidity(machine).count(";") >= len(machine.acts)


# ---- what is made of a table --------------------------------------------------------------------


def test_a_page_says_all_of_the_table() -> None:
    drawn = page(parse_machine(SMALL))
    assert drawn.startswith("# Some thing · 某物\n")
    assert "    [*] --> open: make\n" in drawn
    assert "    open --> half_shut: lean-on\n" in drawn
    assert "    shut --> [*]\n" in drawn
    row = "| 12 | `close` | holder or maker | open, half-shut | shut | by permit | no | no |"
    assert f"{row} It is closed.<br>关闭。 |" in drawn
    assert "| 0 | `freeze` | authority | open, half-shut | the same | yes | yes | yes |" in drawn


def test_an_act_of_all_instruments_leads_where_the_table_says() -> None:
    """In the model, on the page, in the contract; where it says nothing, it stays as it is."""
    leading = {"freeze": {"half-shut": "open"}}
    machine = parse_machine(changed(lambda t: t.update(leads=leading)))
    freeze = machine.act("freeze")
    assert machine.after(freeze, "half-shut") == machine.after(freeze, "open") == "open"
    assert "open from half-shut, otherwise the same" in page(machine)
    assert "    half_shut --> open: freeze\n" in page(machine)
    assert "if (act == 0 && state == 2) return 1; // freeze\n" in solidity(machine)
    assert "function led" not in solidity(parse_machine(SMALL))


def test_a_table_of_what_is_no_instrument_has_no_common_acts() -> None:
    drawn = page(parse_machine(changed(lambda t: t.update(common={}))))
    assert "Acts of all instruments" not in drawn


@pytest.mark.parametrize("room", ["receipts", "receivables"])
def test_every_act_is_told_in_both_languages(room: str) -> None:
    for act in load_machine(f"contracts.{room}").acts:
        assert act.text, act.name
        assert act.text_zh, act.name


def test_a_missing_table_is_told() -> None:
    with pytest.raises(MachineError, match=r"contracts\.claims: its table cannot be read"):
        load_machine("contracts.claims")


@pytest.fixture
def project(tmp_path: Path, project_root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the tables and of what is made of them."""
    for table in (project_root / "contracts").glob("*/machine.toml"):
        room = tmp_path / "contracts" / table.parent.name
        room.mkdir(parents=True)
        shutil.copy2(table, room)
        shutil.copytree(table.parent / "libraries", room / "libraries")
    shutil.copytree(project_root / "docs/instruments", tmp_path / "docs/instruments")
    monkeypatch.setattr(command, "_PROJECT", tmp_path)
    return tmp_path


def test_what_stands_in_the_project_is_made_of_the_tables(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command.main(["--check"]) == 0
    out = capsys.readouterr().out
    assert "same contracts/receipts/libraries/ReceiptRules.sol" in out
    assert "same docs/instruments/receipt.md" in out


def test_check_finds_a_change_and_writing_mends_it(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn = project / "docs/instruments/receipt.md"
    library = project / "contracts/receipts/libraries/ReceiptRules.sol"
    before = drawn.read_text("utf-8"), library.read_text("utf-8")
    drawn.write_text(before[0].replace("by permit", "yes"), "utf-8")
    library.unlink()
    assert command.main(["--check"]) == 1
    out = capsys.readouterr().out
    assert "DIFFERS docs/instruments/receipt.md" in out
    assert "DIFFERS contracts/receipts/libraries/ReceiptRules.sol" in out
    assert not library.exists()
    assert command.main([]) == 0
    assert (drawn.read_text("utf-8"), library.read_text("utf-8")) == before
    assert command.main(["--check"]) == 0


def test_the_command_tells_wrong_usage_and_wrong_tables(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["--write"]) == 2
    assert "usage" in capsys.readouterr().err
    wrong = changed(lambda t: t["states"].append("lost"))
    monkeypatch.setattr(command, "load_machine", lambda _: parse_machine(wrong))
    assert command.main([]) == 2
    assert "no act leads to lost" in capsys.readouterr().err


def test_the_tables_are_toml_that_says_nothing_else(project_root: Path) -> None:
    tables = sorted((project_root / "contracts").glob("*/machine.toml"))
    assert len(tables) >= 2
    for table in tables:
        parse_machine(tomllib.loads(table.read_text("utf-8")))


def test_the_gate_of_contracts_compares_the_tables(
    project_root: Path, require: Callable[[str], str]
) -> None:
    require("node")
    require("npm")
    if not (project_root / "contracts/toolchain/node_modules").is_dir():
        skip_or_fail("contracts/toolchain/node_modules is missing: run contracts/toolchain/check")
    gate = [str(project_root / "contracts/toolchain/check"), "tables"]
    done = subprocess.run(gate, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "same docs/instruments/receipt.md" in done.stdout
