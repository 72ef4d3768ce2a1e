"""What each party's columns add, measured together and recomputed by each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from federation.channel import Message
from federation.contribution import recompute
from federation.runs import Json, Party, Refusal, Run, RunOutcome, Stage, code_hash, run_embedded
from federation.tables import Table
from federation.works import OwnData, contributing, kept_evidence, works

pytestmark = pytest.mark.feature("D6")

PARTIES = ("bank", "maker", "stranger")
CARD: dict[str, Json] = {"scheme": "plain", "rehearsal": True, "bins": 4, "rows_min": 20}
STAGES = (
    Stage("alignment", "alignment", {"guest": "bank", "commonMin": 100}),
    Stage("shares", "contribution", {"guest": "bank", "testBp": 5_000, "settings": CARD}),
)


class _Open:
    def check(self, run: Run, stage: Stage, /) -> Refusal | None:
        return None


def _do(root: Path) -> RunOutcome:
    """The maker knows what the bank knows and more; the stranger throws dice."""
    draw = np.random.default_rng(11)
    rows = 2_000
    ids = tuple(f"firm-{n}" for n in range(rows))
    bank, maker = draw.normal(size=(2, rows))
    label = (draw.random(rows) < 1 / (1 + np.exp(1 - bank - 2 * maker))).astype(np.uint8)
    columns = {"bank": bank, "maker": maker, "stranger": draw.normal(size=rows)}

    def party(name: str) -> Party:
        own = OwnData(Table(ids, {"x": columns[name]}), label if name == "bank" else None)
        return Party(name, works(lambda run, stage: own), _Open(), root / name)

    run = Run("0x01ab", "project-7", "0x" + "11" * 32, code_hash(), PARTIES, STAGES)
    return run_embedded(run, [party(name) for name in PARTIES])


def test_shares_follow_from_evidence_that_every_party_keeps(tmp_path: Path) -> None:
    outcome = _do(tmp_path)
    assert outcome.finished, outcome.reason
    results = outcome.results("shares")
    assert len({str(one) for one in results.values()}) == 1
    shares = results["stranger"]["shares"]
    assert isinstance(shares, dict)
    assert sum(shares.values()) == 10_000
    assert shares["maker"] > shares["bank"] > shares["stranger"]
    assert shares["stranger"] < 500
    kept = {kept_evidence(next((tmp_path / name).iterdir()), "shares") for name in PARTIES}
    (evidence,) = kept
    found = recompute(evidence)
    values = {frozenset(one.members): one.value for one in found.coalitions}
    assert values[frozenset()] == 0.5
    assert len(values) == 8
    assert values[frozenset(PARTIES)] > values[frozenset({"bank"})] + 0.05


def test_evidence_that_does_not_give_its_shares_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def better_for_the_bank(found: Any) -> bytes:
        return evidence_of(found).replace(
            b'"members":["bank"],"value":0.', b'"members":["bank"],"value":0.9'
        )

    evidence_of = contributing.evidence_of
    monkeypatch.setattr(contributing, "evidence_of", better_for_the_bank)
    outcome = _do(tmp_path)
    assert not outcome.finished
    accused = {one.party for one in outcome.faults}
    assert "bank" in accused
    assert not list(tmp_path.rglob("*.evidence.json"))


@pytest.mark.parametrize("members", [["maker", "nobody"], [], ["stranger", "maker"], ["stranger"]])
def test_a_host_takes_part_only_with_hosts_of_the_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, members: list[str]
) -> None:
    def altered(kind: str, body: dict[str, Any]) -> Message:
        return Message(kind, {"members": members} if "members" in body else body)

    monkeypatch.setattr(contributing, "Message", altered)
    outcome = _do(tmp_path)
    assert not outcome.finished
    assert "bank" in {one.party for one in outcome.faults}
