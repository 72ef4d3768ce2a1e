"""Other people's code accepts our checkpoints and proofs, and refuses altered ones."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.tlog import TlogProof
from tests.ledger.witness.support import LABELS, log_signer, members, peer, verifier_of

pytestmark = [pytest.mark.feature("L4"), pytest.mark.timeout(300)]

SIZES = 12


def cases(directory: Path) -> dict[str, object]:
    """What four members' real ledgers produce, as `accepts_test.go` reads it."""
    checkpoints, inclusion, consistency = [], [], []
    with members(directory, *LABELS, threshold=3) as made:
        first = made[0]
        heads = []
        for number in range(SIZES):
            for member in made:
                member.block(number + 1)
                member.settle()
            for other in made[1:]:
                text = other.witness.cosignature_text(0)
                first.witness.meet_cosignatures(peer(other.label), text)
            checkpoints.append(first.ledger.log.checkpoint())
            heads.append(first.size)
        log = first.ledger.log
        for note, size in zip(checkpoints, heads, strict=True):
            for index in range(0, size, 3):
                proof = TlogProof(index, log.inclusion_proof(index, size), note).encode()
                leaf = base64.b64encode(log.entry(index)).decode()
                inclusion.append({"leaf": leaf, "proof": proof})
        for earlier in heads:
            for later in heads:
                if earlier < later:
                    path = [
                        base64.b64encode(one).decode()
                        for one in log.consistency_proof(earlier, later)
                    ]
                    consistency.append({"from": earlier, "to": later, "proof": path})
        return {
            "origin": first.ledger.origin,
            "logKey": log_signer(first.label).vkey,
            "witnessKeys": [verifier_of(label).vkey for label in LABELS],
            "checkpoints": checkpoints,
            "inclusion": inclusion,
            "consistency": consistency,
        }


def test_go_accepts_what_our_nodes_sign_and_prove(
    require: Callable[[str], str], project_root: Path, tmp_path: Path
) -> None:
    go = require("go")
    path = tmp_path / "cases.json"
    path.write_text(json.dumps(cases(tmp_path)))
    done = subprocess.run(
        [go, "test", "-count=1", "-v", "./..."],
        cwd=project_root / "tests" / "go",
        env={**os.environ, "TALLY_GO_CASES": str(path), "GOFLAGS": "-mod=readonly"},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("--- PASS") == 4, done.stdout
    assert "SKIP" not in done.stdout
