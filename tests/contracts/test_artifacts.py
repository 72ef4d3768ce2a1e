"""The committed artifacts, and the gate that keeps them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from contracts.artifact import load_artifact
from contracts.errors import ArtifactError

ROOMS = [
    ("contracts.claims", "Claims"),
    ("contracts.consortium", "Consortium"),
    ("contracts.directory", "Directory"),
    ("contracts.financing", "Applications"),
    ("contracts.financing", "Financing"),
    ("contracts.financing", "Pricing"),
    ("contracts.governance", "Governance"),
    ("contracts.models", "Models"),
    ("contracts.models", "Releases"),
    ("contracts.models", "Runs"),
    ("contracts.network", "Network"),
    ("contracts.parameters", "Parameters"),
    ("contracts.pledges", "Pledges"),
    ("contracts.pools", "PoolBook"),
    ("contracts.pools", "Pools"),
    ("contracts.provenance", "Provenance"),
    ("contracts.receipts", "Receipts"),
    ("contracts.receivables", "Receivables"),
    ("contracts.settlement", "Deposits"),
    ("contracts.settlement", "Settlement"),
    ("contracts.stock", "Stock"),
]
CODE_SIZE_BYTES_MAX = 24_576
"""EIP-170."""


def check(project: Path, step: str, timeout_s: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(project / "contracts/toolchain/check"), step],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        env={**os.environ, "NO_COLOR": "1"},
        check=False,
    )


@pytest.fixture
def project(project_root: Path, require: Callable[[str], str]) -> Path:
    require("node")
    require("npm")
    if not (project_root / "contracts/toolchain/node_modules").is_dir():
        if os.environ.get("TALLY_REQUIRE_ALL") == "1":
            return project_root
        pytest.skip("contracts/toolchain/node_modules is missing: run contracts/toolchain/check")
    return project_root


@pytest.mark.parametrize(("package", "name"), ROOMS)
def test_artifacts_hold_what_users_need(package: str, name: str, project_root: Path) -> None:
    artifact = load_artifact(package, name)
    assert 0 < len(artifact.deployed_bytecode) <= CODE_SIZE_BYTES_MAX
    assert artifact.deployed_bytecode[:20] in artifact.bytecode
    raw = json.loads(
        (project_root / package.replace(".", "/") / "artifacts" / f"{name}.json").read_text()
    )
    assert raw["compiler"]["settings"]["evmVersion"] == "prague"
    assert raw["compiler"]["version"].startswith("0.8.")
    assert len(raw["sourceHash"]) == 64


def test_a_missing_artifact_is_told() -> None:
    with pytest.raises(ArtifactError, match="cannot be read"):
        load_artifact("contracts.consortium", "Nothing")


def test_an_immutable_must_be_given_where_there_is_one() -> None:
    provenance = load_artifact("contracts.provenance", "Provenance")
    consortium = load_artifact("contracts.consortium", "Consortium")
    for wrong in (
        lambda: provenance.runtime(),
        lambda: provenance.runtime(b"short"),
        lambda: consortium.runtime(),
    ):
        with pytest.raises(ArtifactError):
            wrong()


def test_nothing_of_the_toolchain_names_a_download_address(project_root: Path) -> None:
    lock = json.loads((project_root / "contracts/toolchain/package-lock.json").read_text())
    assert lock["packages"]
    for name, package in lock["packages"].items():
        assert "resolved" not in package, name
        foreign = package.get("optional") and package.get("os") != ["linux"]
        other_cpu = package.get("optional") and package.get("cpu") != ["x64"]
        assert not name or foreign or other_cpu or "integrity" in package, name


@pytest.mark.slow
@pytest.mark.feature("S5")
def test_artifacts_are_what_the_sources_compile_to(project: Path) -> None:
    done = check(project, "artifacts", 110)
    assert done.returncode == 0, done.stdout + done.stderr
    for _, name in ROOMS:
        assert f"/artifacts/{name}.json" in done.stdout


@pytest.mark.slow
@pytest.mark.feature("S5")
@pytest.mark.timeout(1200)
def test_forge_and_slither_pass(project: Path) -> None:
    forge = check(project, "forge", 700)
    assert forge.returncode == 0, forge.stdout[-4000:] + forge.stderr[-4000:]
    assert "0 failed" in forge.stdout
    slither = check(project, "slither", 450)
    assert slither.returncode == 0, slither.stdout[-4000:] + slither.stderr[-4000:]
    assert slither.stdout.count("0 result(s) found") == len(ROOMS)


@pytest.mark.feature("S5")
def test_a_changed_source_is_noticed(project: Path, tmp_path: Path) -> None:
    """The same gate over a copy whose artifact differs by one byte."""
    copy = tmp_path / "contracts"
    (copy / "toolchain").mkdir(parents=True)
    for part in ("consortium", "governance", "network", "provenance"):
        for source in (project / "contracts" / part).rglob("*"):
            if source.suffix in (".sol", ".json"):
                target = copy / part / source.relative_to(project / "contracts" / part)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(source.read_bytes())
    toolchain = project / "contracts/toolchain"
    (copy / "toolchain/build.mjs").write_bytes((toolchain / "build.mjs").read_bytes())
    (copy / "toolchain/node_modules").symlink_to(toolchain / "node_modules")
    source = copy / "provenance/Provenance.sol"
    source.write_text(source.read_text().replace("COUNT_MAX = 10_000", "COUNT_MAX = 10_001"))
    done = subprocess.run(
        ["node", str(copy / "toolchain/build.mjs"), "--check"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 1
    assert "DIFFERS provenance/artifacts/Provenance.json" in done.stdout
    assert "same consortium/artifacts/Consortium.json" in done.stdout


@pytest.mark.slow
@pytest.mark.feature("S5")
@pytest.mark.parametrize(("claim", "code"), [("true", 0), ("false", 1)])
def test_a_failing_forge_test_fails_the_gate(
    project: Path, tmp_path: Path, claim: str, code: int
) -> None:
    toolchain = tmp_path / "contracts/toolchain"
    toolchain.mkdir(parents=True)
    for part in ("check", "solc", "package-lock.json"):
        shutil.copy2(project / "contracts/toolchain" / part, toolchain / part)
    (toolchain / "node_modules").symlink_to(project / "contracts/toolchain/node_modules")
    shutil.copy2(project / "contracts/foundry.toml", tmp_path / "contracts/foundry.toml")
    (tmp_path / "contracts/Claim.t.sol").write_text(
        "// SPDX-License-Identifier: Apache-2.0\npragma solidity 0.8.37;\n"
        f"contract ClaimTest {{ function test_claim() public pure {{ assert({claim}); }} }}\n"
    )
    done = check(tmp_path, "forge", 100)
    assert done.returncode == code, done.stdout + done.stderr
    assert "1 passed" in done.stdout if code == 0 else "1 failed" in done.stdout
