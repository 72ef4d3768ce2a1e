"""A million random calls over receipts, stock, claims, pledges and settlement together."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.conftest import skip_or_fail

CALLS_MIN: Final = 1_000_000
SEEDS: Final = ("0x7a11", "0x7a12")
"""A run for each of two cores."""


@pytest.fixture
def forge(project_root: Path) -> str:
    """The native program: its npm wrapper exits 0 even where tests fail."""
    installed = "contracts/toolchain/node_modules/@foundry-rs/forge-*/bin/forge"
    programs = sorted(project_root.glob(installed))
    if not programs:
        skip_or_fail("Forge is missing: run contracts/toolchain/check")
    return str(programs[0])


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.feature("F1")
@pytest.mark.feature("F2")
@pytest.mark.feature("F3")
@pytest.mark.feature("F4")
def test_a_million_random_calls_break_nothing(project_root: Path, forge: str) -> None:
    contracts = project_root / "contracts"
    environment = {**os.environ, "FOUNDRY_PROFILE": "long", "NO_COLOR": "1"}
    # Compiled once, so that the runs do not do it side by side.
    build = [forge, "build", "--offline"]
    subprocess.run(build, cwd=contracts, env=environment, check=True, timeout=400)
    chosen = ["--match-contract", "FinanceInvariants", "--match-test", "invariant_"]
    runs = [
        subprocess.Popen(
            [forge, "test", "--offline", *chosen, "--fuzz-seed", seed],
            cwd=contracts,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for seed in SEEDS
    ]
    try:
        said = [run.communicate(timeout=1100)[0] for run in runs]
    finally:
        for run in runs:
            run.kill()
            run.wait()
    for run, output in zip(runs, said, strict=True):
        assert run.returncode == 0, output[-4000:]
    calls = [int(count) for output in said for count in re.findall(r"calls: (\d+)", output)]
    assert len(calls) == len(SEEDS)
    assert sum(calls) >= CALLS_MIN
