"""The `tally` command as a first user meets it: nothing but arguments, output and exit codes."""

from __future__ import annotations

import json
import random
import re
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from PIL import Image

from tests.acceptance.running import RunningNode, run_tally, spawn_tally, start_node
from tests.acceptance.stories import documents

pytestmark = pytest.mark.feature("A4")

COMMANDS = (
    *("demo", "dev", "capture", "trace", "qr", "proof", "verify"),
    *("reconcile", "pool", "key", "network", "node", "proposal"),
)
Done = subprocess.CompletedProcess[str]
LINK = "/01/09521002000016/21/A1"
ONE_DRIVER = {"test_settings_that_are_wrong_are_named_with_their_place"}
"""Settings are read before anything is ordered."""


def one_line(done: Done, *words: str, code: int = 2) -> str:
    """Assert a refusal as it should be: exit code, nothing on stdout, one line on stderr."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    line = done.stderr.removesuffix("\n")
    assert line.startswith("tally: ")
    assert "\n" not in line
    assert "Errno" not in line
    for word in words:
        assert word in line
    return line


def one_object(done: Done, code: int = 0) -> dict[str, Any]:
    """The one JSON object on stdout, with nothing around it."""
    assert done.returncode == code, done.stderr
    assert done.stdout.count("\n") == 1
    value = json.loads(done.stdout)
    assert isinstance(value, dict)
    return value


@pytest.fixture(scope="session")
def captured(node: RunningNode, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Two documents of three events on the ledger, through the command line."""
    folder = tmp_path_factory.mktemp("documents")
    files = []
    for index, body in enumerate(documents("cli", 2, 3)):
        path = folder / f"{index}.json"
        path.write_bytes(body)
        files.append(str(path))
    done = node.tally("capture", *files, "--json")
    assert done.stderr == ""
    return {"files": files, **one_object(done)}


@pytest.fixture(scope="session")
def bundle(
    node: RunningNode, captured: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A proof of the first event."""
    path = tmp_path_factory.mktemp("proof") / "event.tally-proof.json"
    event_id = captured["captures"][0]["eventIDs"][0]
    answer = one_object(node.tally("proof", event_id, "-o", str(path), "--json"))
    size = path.stat().st_size
    assert answer == {"eventID": event_id, "bundle": str(path), "sizeBytes": size}
    return path


# ---- help ---------------------------------------------------------------------------------------


def test_help_names_every_command_in_a_whole_sentence(tmp_path: Path) -> None:
    done = spawn_tally(tmp_path, "--help")
    assert done.returncode == 0
    lines = done.stdout.split("Commands:")[1].strip().splitlines()
    assert {line.split()[0] for line in lines} == set(COMMANDS)
    assert all(line.rstrip().endswith(".") and "..." not in line for line in lines)
    assert "tally " in spawn_tally(tmp_path, "--version").stdout


NETWORK_COMMANDS = [f"network {name}" for name in ("new", "up", "genesis", "trust", "update")]
LIFE_COMMANDS = [
    f"node {name}"
    for name in ("init", "adopt", "start", "join", "leave", "suspend", "replace", "promote")
]
CARE_COMMANDS = [
    f"node {name}"
    for name in ("status", "peers", "metrics", "backup", "restore", "snapshot", "reindex", "check")
]
KEY_COMMANDS = [
    *(f"node keys {name}" for name in ("new", "list", "revoke", "add-device")),
    *(f"key {name}" for name in ("create", "list", "revoke", "scopes")),
]
ALL_COMMANDS = [*COMMANDS, *NETWORK_COMMANDS, *LIFE_COMMANDS, *CARE_COMMANDS, *KEY_COMMANDS]


@pytest.mark.parametrize("command", ALL_COMMANDS)
def test_each_command_has_help_that_offers_json(tmp_path: Path, command: str) -> None:
    done = run_tally(tmp_path, *command.split(), "--help")
    assert done.returncode == 0
    assert "Usage: " in done.stdout
    groups = ("key", "network", "node", "pool", "proposal")
    assert command in groups or "--json" in done.stdout


@pytest.mark.parametrize("command", ["network", "node", *NETWORK_COMMANDS, *LIFE_COMMANDS])
def test_commands_of_a_consortium_show_an_example(tmp_path: Path, command: str) -> None:
    assert "tally " in run_tally(tmp_path, *command.split(), "--help").stdout.partition("\n")[2]


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "capture",
        "dev --port x",
        "dev --port 65536",
        "qr",
        "node nonsense",
        "node keys revoke",
    ],
)
def test_a_wrong_command_line_is_explained(tmp_path: Path, line: str) -> None:
    done = run_tally(tmp_path, *line.split())
    assert done.returncode == 2
    assert done.stdout == ""
    (said,) = done.stderr.splitlines()
    assert said.startswith("tally: ")
    assert "--help)" in said


# ---- demo and verify ----------------------------------------------------------------------------


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """One demo: the user's folder and what was printed."""
    home = tmp_path_factory.mktemp("demo")
    done = spawn_tally(home, "demo", "--once", "--json")
    assert done.stderr == ""
    return home, one_object(done)


def test_the_demo_tells_verifies_and_leaves_a_proof(told: tuple[Path, dict[str, Any]]) -> None:
    home, answer = told
    assert set(answer) == {"events", "checkpoint", "verified", "url", "bundle"}
    assert answer["events"] == answer["verified"] > 10
    assert answer["checkpoint"].startswith("tallystick.example/demo")
    assert "/01/" in answer["url"]
    verified = run_tally(home, "verify", answer["bundle"], "--json")
    assert one_object(verified)["verdict"] == "valid"
    assert run_tally(home, "verify", answer["bundle"]).returncode == 0


def test_a_changed_bundle_is_never_valid(told: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    home, answer = told
    good = Path(answer["bundle"]).read_bytes()
    draw = random.Random(7)
    paths = []
    for index, place in enumerate([0, len(good) - 1, *draw.sample(range(1, len(good) - 1), 300)]):
        changed = bytearray(good)
        changed[place] ^= 1 << draw.randrange(8)
        path = tmp_path / f"{index}-{place}.tally-proof.json"
        path.write_bytes(changed)
        paths.append(str(path))
    done = run_tally(home, "verify", "--json", *paths)
    verdicts = [one["verdict"] for one in one_object(done, code=1)["bundles"]]
    assert len(verdicts) == len(paths)
    assert "valid" not in verdicts
    for path in paths[:3]:
        assert run_tally(home, "verify", path).returncode in (1, 3)


def test_a_log_that_is_not_known_gives_unknown(
    told: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    _, answer = told
    done = run_tally(tmp_path, "verify", answer["bundle"])
    assert done.returncode == 3
    assert "--trust" in done.stdout
    assert (
        one_object(run_tally(tmp_path, "verify", answer["bundle"], "--json"), code=3)["verdict"]
        == "unknown"
    )


@pytest.mark.parametrize("content", [b"", b"garbage", b"{}", b"\x00\xff" * 999, b"[" * 99_999])
def test_garbage_is_invalid(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.tally-proof.json"
    path.write_bytes(content)
    done = run_tally(tmp_path, "verify", str(path))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_the_worst_verdict_counts(told: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    home, answer = told
    garbage = tmp_path / "garbage"
    garbage.write_bytes(b"{}")
    assert spawn_tally(home, "verify", answer["bundle"], str(garbage)).returncode == 1


def test_a_file_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    one_line(spawn_tally(tmp_path, "verify", "/nowhere"), "/nowhere: No such file")
    one_line(run_tally(tmp_path, "verify", str(tmp_path)), f"{tmp_path}: Is a directory")
    one_line(run_tally(tmp_path, "verify", "x", "--trust", "/nowhere"), "/nowhere")
    garbage = tmp_path / "trust.json"
    garbage.write_text("{}")
    one_line(run_tally(tmp_path, "verify", "x", "--trust", str(garbage)), str(garbage))


# ---- a node: capture, trace, proof, status ------------------------------------------------------


def test_capture_gives_the_ids_of_the_events(captured: dict[str, Any]) -> None:
    for name, one in zip(captured["files"], captured["captures"], strict=True):
        assert one["file"] == name
        assert one["success"] is True
        assert len(one["eventIDs"]) == 3
        assert all(event_id.startswith("ni:///sha-256;") for event_id in one["eventIDs"])


def test_capture_reads_stdin_and_speaks_to_people(node: RunningNode) -> None:
    (body,) = documents("cli-stdin", 1, 2)
    done = node.tally("capture", "-", stdin=body)
    assert done.returncode == 0
    assert "2 events on the ledger" in done.stdout
    assert done.stdout.count("ni:///") == 2
    accepted = one_object(node.tally("capture", "-", "--no-wait", "--json", stdin=body))
    assert accepted["captures"][0]["running"] is True


def test_a_refused_document_is_named_with_place_and_reason_and_others_go_through(
    node: RunningNode, tmp_path: Path
) -> None:
    bad, broken, good = tmp_path / "bad.json", tmp_path / "broken.json", tmp_path / "good.json"
    (body,) = documents("cli-good", 1, 1)
    good.write_bytes(body)
    wrong = json.loads(body)
    wrong["epcisBody"]["eventList"][0]["eventTime"] = "yesterday"
    bad.write_text(json.dumps(wrong))
    broken.write_text('{"@context": ')
    done = node.tally("capture", str(bad), str(broken), str(good))
    assert done.returncode == 2
    assert f"{good}: 1 event on the ledger" in done.stdout
    assert f"{bad}: refused" in done.stderr
    assert "eventTime" in done.stderr
    assert f"{broken}: refused" in done.stderr
    assert "Traceback" not in done.stderr
    answer = one_object(node.tally("capture", str(bad), str(good), "--json"), code=2)
    assert [one["success"] for one in answer["captures"]] == [False, True]
    assert any("eventTime" in line for line in answer["captures"][0]["errors"])


def test_capture_without_the_right_key_is_refused(node: RunningNode, captured: Any) -> None:
    done = node.tally("capture", captured["files"][0], "--key", "tk_wrong")
    assert done.returncode == 2
    assert "401" in done.stderr
    assert "Traceback" not in done.stderr


def test_capture_of_a_file_that_cannot_be_read(node: RunningNode, tmp_path: Path) -> None:
    one_line(node.tally("capture", str(tmp_path / "no.json")), "no.json: No such file")


def test_trace_shows_the_journey_with_checked_proofs(
    node: RunningNode, captured: dict[str, Any]
) -> None:
    event = json.loads(Path(captured["files"][0]).read_text())["epcisBody"]["eventList"][0]
    epc = (event.get("epcList") or event.get("childEPCs") or [event.get("parentID")])[0]
    answer = one_object(node.tally("trace", epc, "--json"))
    assert answer["journey"]
    assert {one["verdict"] for one in answer["journey"]} == {"valid"}
    shown = node.tally("trace", epc)
    assert shown.returncode == 0
    assert "valid" in shown.stdout
    one_line(node.tally("trace", "/01/09521002000016/21/NOSUCH"), "404")
    one_line(node.tally("trace", "/01/09521002000017/21/A"), "check digit is 7, but must be 6")
    one_line(node.tally("trace", "nonsense"), "nonsense")


def test_a_proof_is_a_file_that_anybody_checks(
    node: RunningNode, bundle: Path, tmp_path: Path
) -> None:
    trust = str(node.directory / "trust.json")
    answer = one_object(run_tally(tmp_path, "verify", str(bundle), "--trust", trust, "--json"))
    assert answer["verdict"] == "valid"
    assert answer["statement"]["organisation"] == node.organisation
    assert {one["outcome"] for one in answer["steps"]} == {"valid"}
    said = run_tally(tmp_path, "verify", str(bundle), "--trust", trust).stdout
    assert "it has not been changed since" in said
    one_line(node.tally("proof", "ni:///sha-256;" + "0" * 64 + "?ver=CBV2.0"), "404")
    event_id = json.loads(bundle.read_text())["eventID"]
    one_line(node.tally("proof", event_id, "-o", "/nowhere/x"), "/nowhere/x: No such file")


def test_status_tells_head_and_log(node: RunningNode, captured: Any) -> None:
    assert one_object(node.tally("node", "status", "--json"))
    assert node.tally("node", "status").stdout.count("\n") > 1


@pytest.mark.parametrize(
    "command", [["node", "status"], ["trace", LINK], ["proof", "x"], ["capture", "-"]]
)
def test_a_node_that_cannot_be_reached_is_said_in_one_line(
    tmp_path: Path, command: list[str]
) -> None:
    for url in ("http://127.0.0.1:1", "nonsense", "http://["):
        one_line(run_tally(tmp_path, *command, "--url", url, stdin=b"{}"), url)


# ---- labels -------------------------------------------------------------------------------------


@pytest.mark.feature("T4")
def test_a_label_is_read_back_by_an_independent_reader(tmp_path: Path) -> None:
    path = tmp_path / "label.png"
    answer = one_object(run_tally(tmp_path, "qr", LINK, "-o", str(path), "--json"))
    assert answer == {"uri": f"https://id.gs1.org{LINK}", "file": str(path)}
    with Image.open(path) as image:
        (code,) = zxingcpp.read_barcodes(image)
    assert code.text == answer["uri"]
    based = ("--base", "https://shop.example")
    moved = one_object(run_tally(tmp_path, "qr", LINK, *based, "--json"))
    assert moved == {"uri": f"https://shop.example{LINK}"}


@pytest.mark.feature("T4")
def test_a_label_in_the_terminal_is_read_back_too(tmp_path: Path) -> None:
    shown = re.sub(r"\x1b\[[0-9;]*m", "", run_tally(tmp_path, "qr", LINK).stdout)
    rows = [line for line in shown.splitlines() if set(line) & set("█▀▄")]
    half = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}
    width = max(map(len, rows))
    image = Image.new("L", (width, 2 * len(rows)), 0)
    for y, row in enumerate(rows):
        for x, character in enumerate(row):
            upper, lower = half[character]
            image.putpixel((x, 2 * y), 255 * upper)
            image.putpixel((x, 2 * y + 1), 255 * lower)
    big = image.resize((width * 6, 12 * len(rows)), Image.Resampling.NEAREST)
    (code,) = zxingcpp.read_barcodes(big)
    assert code.text == f"https://id.gs1.org{LINK}"


@pytest.mark.feature("T4")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["/01/09521002000017/21/A1"], "check digit is 7, but must be 6"),
        (["nonsense"], "nonsense"),
        ([LINK, "-o", "label.gif"], ".png or .svg"),
        ([LINK, "-o", "/nowhere/label.png"], "/nowhere/label.png: No such file"),
        ([LINK, "--base", "shop"], "--base shop"),
        ([LINK, "-o", "x.png", "--dpi", "1"], "dpi"),
        ([LINK, "-o", "x.png", "--module-mm", "0"], "mm"),
        (["https://shop.example/01/09521002000017"], "check digit"),
    ],
)
def test_a_label_that_cannot_be_made_is_refused(
    tmp_path: Path, arguments: list[str], words: str
) -> None:
    one_line(run_tally(tmp_path, "qr", *arguments), words)


# ---- running a node -----------------------------------------------------------------------------


def test_keys_are_made_listed_and_revoked(node: RunningNode, captured: dict[str, Any]) -> None:
    where = ("--dir", str(node.directory))
    made = one_object(node.tally("key", "create", node.organisation, *where, "--json"))
    file = captured["files"][0]
    good = node.tally("capture", file, "--key", made["key"], "--json")
    assert good.returncode == 0
    listed = one_object(node.tally("key", "list", *where, "--json"))
    assert made["id"] in [one["id"] for one in listed["keys"]]
    assert made["key"] not in json.dumps(listed)
    assert made["id"] in node.tally("key", "list", *where).stdout
    one_object(node.tally("key", "revoke", made["id"], *where, "--json"))
    assert one_object(node.tally("key", "list", *where, "--json"))["keys"][-1]["revoked"]
    one_line(node.tally("key", "revoke", "nosuch", *where), "nosuch")
    one_line(node.tally("key", "create", "nosuch", *where), "nosuch")
    one_line(node.tally("key", "list", "--dir", str(node.home)), "not a node's folder")
    one_line(node.tally("node", "keys", "revoke", made["id"], *where), "tally key revoke")


def test_maintenance_waits_until_the_node_has_stopped(node: RunningNode) -> None:
    for command in ("reindex", "check"):
        one_line(node.tally("node", command, "--dir", str(node.directory)))
    one_line(node.tally("dev", "--dir", str(node.directory), "--port", "0", "--rpc-port", "0"))


@pytest.mark.parametrize("command", ["reindex", "check"])
def test_maintenance_needs_a_nodes_folder(tmp_path: Path, command: str) -> None:
    one_line(run_tally(tmp_path, "node", command, "--dir", str(tmp_path)), "not a node's folder")


def test_a_stopped_node_is_checked_reindexed_and_started_again(
    tmp_path: Path, bundle: Path
) -> None:
    home, directory = tmp_path / "home", tmp_path / "node"
    started = start_node(directory, home)
    where = ("--dir", str(directory))
    (body,) = documents("cli-restart", 1, 3)
    captured = one_object(started.tally("capture", "-", "--json", stdin=body))
    event_id = captured["captures"][0]["eventIDs"][0]
    key = started.key
    started.stop()
    assert started.process.returncode == 0

    checked = one_object(run_tally(home, "node", "check", *where, "--json"))
    assert checked["intact"] is True
    assert checked["logSize"] > checked["blocks"] > 0
    assert str(checked["logSize"]) in run_tally(home, "node", "check", *where).stdout
    (directory / "tally.sqlite").rename(tmp_path / "old.sqlite")
    reindexed = one_object(run_tally(home, "node", "reindex", *where, "--json"))
    assert reindexed == {"blocks": checked["blocks"], "reindexed": True}
    assert "applied anew" in run_tally(home, "node", "reindex", *where).stdout

    again = start_node(directory, home)
    try:
        assert again.key != key, "the key went with the database"
        path = tmp_path / "x.tally-proof.json"
        assert again.tally("proof", event_id, "-o", str(path)).returncode == 0
        assert run_tally(home, "verify", str(path)).returncode == 0
        assert run_tally(home, "verify", str(bundle)).returncode == 3
    finally:
        again.stop()
    third = start_node(directory, home)
    third.stop()
    assert third.key == again.key, "a key that is still good is kept"


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        where = ("--dir", str(tmp_path / "node"))
        words = (f"port {port}", "taken")
        api, rpc = ("--port", port, "--rpc-port", "0"), ("--port", "0", "--rpc-port", port)
        one_line(spawn_tally(tmp_path, "dev", *where, *api), *words)
        one_line(run_tally(tmp_path, "dev", *where, *rpc), *words)


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep me")
    one_line(run_tally(tmp_path / "home", "dev", "--dir", str(tmp_path)), "not empty")
    assert (tmp_path / "mine.txt").read_text() == "keep me"
    shutil.rmtree(tmp_path / "home", ignore_errors=True)


def test_settings_that_are_wrong_are_named_with_their_place(tmp_path: Path) -> None:
    started = start_node(tmp_path / "node", tmp_path / "home")
    started.stop()
    settings = tmp_path / "node" / "node.toml"
    settings.write_text(settings.read_text().replace("map_size_gib = 256", "map_size_gib = 0"))
    for command in (["dev"], ["node", "reindex"], ["node", "check"]):
        done = run_tally(tmp_path, *command, "--dir", str(tmp_path / "node"))
        one_line(done, "node.toml: chain.map_size_gib")
