"""The examples of docs/operate: each says only what exists."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from ledger.consensus.cometbft import VERSION
from nodes.cli.tree import COMMANDS, Branch
from nodes.layout import NodeDirectory
from nodes.operations import MisbehaviourView, SnapshotView
from nodes.settings import load_settings
from tests.nodes.operations.conftest import Parts, listening
from tests.nodes.operations.observations import WELL

pytestmark = [pytest.mark.feature("N5")]

FUNCTIONS = {
    "abs", "and", "by", "changes", "increase", "offset", "on", "or", "predict_linear", "sum",
    "timestamp", "unless", "up",
}  # fmt: skip
LABELS = {"instance", "job"}


@pytest.fixture
def operate(project_root: Path) -> Path:
    return project_root / "docs" / "operate"


def rules(operate: Path) -> list[dict[str, Any]]:
    document = yaml.safe_load((operate / "alerts.yml").read_text("utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def exported(parts: Parts) -> dict[str, set[str]]:
    """Every sample of a node that has all parts, with the values of its labels."""
    assert WELL.engine is not None
    engine = replace(
        WELL.engine, misbehaviour=(MisbehaviourView("ab" * 20, "acme", "voted twice", 7, 0.0),)
    )
    made = listening(
        parts,
        refusals=lambda: {"NonceTooLow": 1},
        engine=lambda: engine,
        membership=lambda: WELL.membership,
        witness=lambda: WELL.witness,
        snapshots=lambda: [SnapshotView(1, 0.0, 1)],
    )
    text = made.get("/metrics", token=None).text
    made.server.stop()
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            pairs = {f'{name}="{value}"' for name, value in sample.labels.items()}
            found.setdefault(sample.name, set()).update(pairs)
    return found


def test_alerts_ask_for_metrics_and_labels_that_exist(parts: Parts, operate: Path) -> None:
    known = exported(parts)
    asked: set[str] = set()
    for rule in rules(operate):
        expression = rule["expr"]
        for name, selector in re.findall(r"(tallystick_\w+)(?:\{([^}]*)\})?", expression):
            assert name in known, f"{rule['alert']}: there is no {name}"
            pairs = set(filter(None, selector.split(",")))
            assert pairs <= known[name], f"{rule['alert']}: {name} has no {pairs - known[name]}"
            asked.add(name)
        words = set(
            re.findall(
                r"[a-z_]{2,}", re.sub(r'"[^"]*"|\{[^}]*\}|\[[^]]*\]|\d+[smhd]', "", expression)
            )
        )
        assert words - FUNCTIONS - LABELS <= known.keys(), rule["alert"]
    wanted = {
        "halted", "consensus_lag_heights", "peers", "cosignatures_missing", "fork_evidence",
        "disk_free_bytes", "projection_lag_blocks",
    }  # fmt: skip
    assert {f"tallystick_{name}" for name in wanted} <= asked


def test_alerts_are_whole_and_each_is_explained(operate: Path) -> None:
    names = [rule["alert"] for rule in rules(operate)]
    assert len(set(names)) == len(names) >= 10
    page = (operate / "README.md").read_text("utf-8")
    for rule in rules(operate):
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"].keys() == {"summary", "description"}
        assert re.fullmatch(r"(\d+[smhd])?", rule.get("for", ""))
        assert rule["expr"].count("(") == rule["expr"].count(")")
        assert f"`{rule['alert']}`" in page, f"README.md does not say what to do: {rule['alert']}"


def test_prometheus_loads_those_rules_and_asks_the_documented_port(operate: Path) -> None:
    document = yaml.safe_load((operate / "prometheus.yml").read_text("utf-8"))
    assert [(operate / name).is_file() for name in document["rule_files"]] == [True]
    (job,) = document["scrape_configs"]
    assert job["job_name"] == "tallystick"
    port = job["static_configs"][0]["targets"][0].rpartition(":")[2]
    assert f"port = {port}" in (operate / "prometheus.yml").read_text("utf-8")


def test_the_unit_is_accepted_by_systemd_and_hardened(
    operate: Path, tmp_path: Path, require: Callable[[str], str]
) -> None:
    analyze = require("systemd-analyze")
    text = (operate / "tally-node.service").read_text("utf-8")
    for needed in (
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "LoadCredential=passphrase:",
        "Restart=on-failure",
        "TimeoutStopSec=",
        "MemoryMax=",
    ):
        assert needed in text
    unit = tmp_path / "tally-node.service"
    unit.write_text(re.sub(r"(?m)^ExecStart=.*", "ExecStart=/bin/true", text), "utf-8")
    checked = subprocess.run(
        [analyze, "verify", str(unit)], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, "")
    scored = subprocess.run(
        [analyze, "security", "--offline=yes", "--threshold=20", str(unit)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert scored.returncode == 0, scored.stdout[-300:]


def test_unit_and_image_run_commands_and_read_variables_that_exist(
    operate: Path, project_root: Path
) -> None:
    code = "".join(
        path.read_text("utf-8")
        for top in ("ledger", "nodes")
        for path in (project_root / top).rglob("*.py")
    )
    for name in ("tally-node.service", "Containerfile"):
        text = (operate / name).read_text("utf-8")
        for variable in re.findall(r"\b(TALLY_[A-Z_]+)=", text):
            assert f'"{variable}"' in code, f"{name}: nobody reads {variable}"
        assert "node start" in text or '"node", "start"' in text
    assert "TALLY_PASSPHRASE_FILE=%d/passphrase" in (operate / "tally-node.service").read_text()


def test_the_image_has_the_engine_that_this_software_wants(
    operate: Path, project_root: Path
) -> None:
    text = (operate / "Containerfile").read_text("utf-8")
    assert re.search(r"(?m)^ARG COMETBFT=v(.+)$", text)[1] == VERSION  # type: ignore[index]
    assert re.search(r"(?m)^USER (?!0|root)", text)
    assert "HEALTHCHECK" in text
    for source in re.findall(r"(?m)^COPY (?!--from)(.+) \S+$", text):
        for path in source.split():
            assert (project_root / path).exists(), path
    packages = [p for p in project_root.iterdir() if (p / "__init__.py").exists()]
    copied = text.split()
    assert all(p.name in copied for p in packages if p.name in ("ledger", "api", "nodes"))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_compose_founds_is_four_nodes_of_one_ledger(
    operate: Path, tmp_path: Path, project_root: Path
) -> None:
    """The script of `founding` is run as it stands, with the volumes' places moved."""
    document = yaml.safe_load((operate / "compose.yaml").read_text("utf-8"))
    services = document["services"]
    nodes = {name: one for name, one in services.items() if name != "founding"}
    assert len(nodes) == 4
    for name, one in nodes.items():
        assert one["volumes"] == [f"{name}:/data"]
        assert name in document["volumes"]
        assert one["cap_drop"] == ["ALL"]
        assert one["depends_on"]["founding"]["condition"] == "service_completed_successfully"
    assert len({port for one in nodes.values() for port in one["ports"]}) == 4
    (script,) = services["founding"]["command"]
    for place in services["founding"]["volumes"]:
        name, _, path = place.partition(":")
        assert name in document["volumes"]
        (tmp_path / Path(path).relative_to("/")).mkdir(parents=True)
    tally = tmp_path / "bin" / "tally"
    tally.parent.mkdir()
    tally.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m nodes "$@"\n')
    tally.chmod(0o755)
    moved = (
        script.replace("$$", "$")
        .replace("/tmp/", f"{tmp_path}/")
        .replace("cd /nodes", f"cd {tmp_path}/nodes")
        .replace("chown", "true")
    )
    for _ in range(2):  # the second start finds everything there
        done = subprocess.run(
            ["/bin/sh", "-euc", moved],
            env={
                **os.environ,
                "PATH": f"{tally.parent}:{os.environ['PATH']}",
                "PYTHONPATH": str(project_root),
                "TALLY_HOME": str(tmp_path / "home"),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    folders = [NodeDirectory(tmp_path / "nodes" / str(n) / "node") for n in (1, 2, 3, 4)]
    assert len({folder.genesis.read_bytes() for folder in folders}) == 1
    for folder in folders:
        folder.check()
        settings = load_settings(folder.settings)
        assert settings.api.host == "0.0.0.0"
        assert settings.operations.host == settings.rpc.host == "127.0.0.1"
        assert settings.consensus.driver == "cometbft"


def test_the_page_names_metrics_and_paths_that_exist(parts: Parts, operate: Path) -> None:
    page = (operate / "README.md").read_text("utf-8")
    table = page[page.index("## Metrics") :]
    known = {name for name in exported(parts) if not name.endswith("_created")}
    bases = {re.sub(r"_(bucket|sum|count)$", "", name) for name in known}
    bases |= {f"tallystick_capture_{name}" for name in ("running", "waiting_jobs", "waiting_bytes")}
    named = set(re.findall(r"`([a-z_]+)(?:\{[a-z]+\})?`", table))
    named = {f"tallystick_{name}" for name in named if not name.startswith(("process", "tally"))}
    ours = {name for name in bases if name.startswith("tallystick_")}
    skipped = {name for name in ours if "engine_process" in name} | {"tallystick_node_info"}
    assert named == ours - skipped


@pytest.mark.parametrize("page", ["docs/operate/README.md", "docs/threat-model.md", "README.md"])
def test_commands_on_the_pages_exist(project_root: Path, page: str) -> None:
    text = (project_root / page).read_text("utf-8")
    known = {" ".join(path) for path in commands()}
    groups = {path[0] for path in commands() if len(path) > 1} | {"node keys"}
    name = r"(?!command)[a-z]+(?:-[a-z]+)*"
    called = re.findall(rf"\btally ((?:node |network |proposal )?(?:keys )?{name})", text)
    assert called or "threat" in page
    for command in called:
        assert command in known | groups, f"{page}: there is no `tally {command}`"


def commands() -> list[tuple[str, ...]]:
    """Every command by its words."""
    found: list[tuple[str, ...]] = []
    for name, entry in COMMANDS.items():
        below = entry.commands if isinstance(entry, Branch) else {}
        found += [(name, inner) for inner in below] or [(name,)]
    for module, words in (
        ("nodes.cli.keys", ("node", "keys")),
        ("nodes.cli.proposals", ("proposal",)),
    ):
        app = importlib.import_module(module).app
        found += [(*words, command.name) for command in app.registered_commands]
    return found
