"""From an agreement on a real ledger to scores: each asks its own tables before each stage."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from contracts.models import Grant, Part, RecordKind, RunDraft, binding, record_id
from federation.projects import (
    Agreement,
    LedgerGate,
    Limits,
    Member,
    NodeFacts,
    SharedField,
    SharedFields,
)
from federation.runs import Party, Run, RunOutcome, Stage, code_hash, run_embedded, run_hash
from federation.tables import Table
from federation.works import OwnData, works
from ledger.types import Hash32
from tests.contracts.models.scene import CHAIN_ID, DAY, NAMES, ModelScene, digest, projected
from tests.federation.projects.scene import stages

pytestmark = [pytest.mark.feature("D1"), pytest.mark.feature("D6")]

BANK, MAKER, POWER = NAMES
FIELDS = {
    name: SharedFields(fields=(SharedField(name="shared"),), salt="cd" * 16) for name in NAMES
}
CODE = Hash32(bytes.fromhex(code_hash()[2:]))


class Story:
    """An agreement that all have accepted, fields that all have granted, a run that all joined."""

    def __init__(self) -> None:
        self.scene = ModelScene()
        self.agreement = Agreement(
            title="Credit of machine buyers",
            purpose="Scores for loans to buyers of machines",
            purpose_zh="设备买方贷款评分",
            parties=tuple(
                Member(organisation=name, part="guest" if name == BANK else "host")
                for name in NAMES
            ),
            algorithms=("scorecard",),
            codes=(bytes(CODE),),
            price=50,
            currency="CNY",
            until=self.scene.chain.time + 30 * DAY,
            limits=Limits(common_rows_min=100, rehearsal=True),
        )
        terms, parties = self.agreement.terms(), self.agreement.ledger_parties()
        assert [one.part for one in parties] == [Part.GUEST, Part.HOST, Part.HOST]
        self.project = self.scene.agreed(terms, parties)
        self.grants = {name: self._grant(name) for name in NAMES}
        self.run = self._open()

    def _grant(self, owner: str) -> Hash32:
        number, until = self.scene.number(), self.scene.chain.time + DAY
        data = self.scene.data_set(owner)
        fields = FIELDS[owner].hash
        content = Grant(owner, number, data, self.project, fields, until)
        self.scene.models(owner, binding.give_calldata(content))
        return record_id(RecordKind.GRANT, CHAIN_ID, owner, number)

    def _open(self) -> Run:
        number = self.scene.number()
        id_ = record_id(RecordKind.RUN, CHAIN_ID, BANK, number)
        parts = tuple(replace(stage, config={**stage.config, "guest": BANK}) for stage in stages())
        run = Run(
            "0x" + id_.hex(),
            "0x" + self.project.hex(),
            "0x" + self.agreement.hash.hex(),
            code_hash(),
            NAMES,
            parts,
        )
        draft = RunDraft(
            project=self.project,
            number=number,
            algorithm="scorecard",
            code=CODE,
            config=Hash32(bytes.fromhex(run_hash(run)[2:])),
            seed=digest("seed"),
            budget=self.agreement.terms().budget,
            participants=NAMES,
            grants=tuple(self.grants.values()),
        )
        assert self.scene.opened(draft) == id_
        for name in NAMES:
            self.scene.runs(name, binding.join_calldata(id_, 0, CODE, digest(f"node {name}")))
        return run

    def do(self, root: Path, run: Run | None = None, stage: Stage | None = None) -> RunOutcome:
        """All parties, each with the tables of its own node."""
        draw = np.random.default_rng(5)
        hidden, ids = draw.normal(size=400), tuple(f"firm-{n}" for n in range(400))
        label = (draw.random(400) < 1 / (1 + np.exp(-hidden - 1))).astype(np.uint8)
        now = float(self.scene.chain.time)

        def party(name: str) -> Party:
            columns = {"shared": hidden + draw.normal(size=400), "kept": hidden}
            own = OwnData(FIELDS[name].of(Table(ids, columns)), label if name == BANK else None)
            facts = NodeFacts(projected(self.scene).engine, name, lambda: now)
            fields = {self.grants[name]: FIELDS[name]}
            gate = LedgerGate(name, self.agreement, fields, facts)
            return Party(name, works(lambda run, stage: own), gate, root / name)

        return run_embedded(run or self.run, [party(name) for name in NAMES])


@pytest.fixture
def story() -> Story:
    return Story()


def test_what_all_agreed_to_on_the_ledger_is_done(story: Story, tmp_path: Path) -> None:
    outcome = story.do(tmp_path)
    assert outcome.finished, outcome.reason
    assert outcome.results("card")[BANK]["rows"] == 320


def _refusals(outcome: RunOutcome) -> dict[str, str]:
    return {one.party: one.reason for one in outcome.faults if one.kind == "refused"}


def test_fields_taken_back_on_the_ledger_end_it_for_everybody(story: Story, tmp_path: Path) -> None:
    story.scene.models(POWER, binding.revoke_calldata(story.grants[POWER], 0))
    refused = _refusals(story.do(tmp_path))
    assert set(refused) == set(NAMES)
    assert all("is revoked" in reason for reason in refused.values())


def test_other_settings_than_those_on_the_ledger_are_refused(story: Story, tmp_path: Path) -> None:
    easier = replace(
        story.run,
        stages=tuple(replace(stage, timeout_s=stage.timeout_s - 1) for stage in story.run.stages),
    )
    refused = _refusals(story.do(tmp_path, easier))
    assert set(refused) == set(NAMES)
    assert all("whose hash stands on the ledger" in reason for reason in refused.values())


def test_amended_terms_end_a_run_under_the_old_ones(story: Story, tmp_path: Path) -> None:
    dearer = replace(story.agreement, price=70)
    story.scene.amend(story.project, dearer.terms())
    refused = _refusals(story.do(tmp_path))
    assert set(refused) == set(NAMES)
    assert all("the terms in force" in reason for reason in refused.values())


def test_an_aborted_run_is_not_gone_on_with(story: Story, tmp_path: Path) -> None:
    id_ = Hash32(bytes.fromhex(story.run.id[2:]))
    story.scene.runs(BANK, binding.abort_calldata(id_, 0, digest("reason")))
    refused = _refusals(story.do(tmp_path))
    assert set(refused) == set(NAMES)
    assert all("the run is aborted" in reason for reason in refused.values())


def test_who_is_no_party_sees_no_run(story: Story) -> None:
    facts = NodeFacts(projected(story.scene).engine, "grain-store")
    assert facts.run(Hash32(bytes.fromhex(story.run.id[2:]))) is None
