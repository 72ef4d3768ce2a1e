"""Suspended organisations do nothing; a former version takes on nothing new."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contracts.consortium import Status, set_organisation_status
from contracts.genesis import CONSORTIUM_ADDRESS
from contracts.models import (
    MODEL_RELEASES_ADDRESS,
    MODEL_RUNS_ADDRESS,
    MODELS_ADDRESS,
    Round,
    binding,
)
from contracts.models.genesis import MODELS_ARTIFACT, RELEASES_ARTIFACT, RUNS_ARTIFACT
from tests.contracts.models.scene import NAMES, NOTHING, PARTIES, TERMS, ModelScene, digest
from tests.contracts.scene import govern
from tests.contracts.test_former_versions import FORMER, voted

pytestmark = [pytest.mark.feature("D1"), pytest.mark.feature("D8")]


def suspend(scene: ModelScene, name: str) -> None:
    call = (CONSORTIUM_ADDRESS, set_organisation_status(name, Status.SUSPENDED))
    assert govern(scene.chain, call).status == 1


def test_a_suspended_party_does_nothing_and_the_others_stop_its_run() -> None:
    scene = ModelScene()
    project = scene.agreed()
    draft = scene.run_draft(project, scene.grants(project))
    run = scene.running(draft)
    suspend(scene, "town-bank")  # who has opened it
    content = Round(1, digest("r"), NOTHING, NAMES)
    data = binding.round_calldata(run, 0, content)
    assert scene.refusal("town-bank", MODEL_RUNS_ADDRESS, data) == "CallerNotActive"
    scene.runs("machine-works", binding.abort_calldata(run, 0, digest("suspended")))
    again = replace(draft, number="again")
    opening = binding.open_calldata(again)
    assert scene.refusal("machine-works", MODEL_RUNS_ADDRESS, opening) == "PartyNotActive"


def test_what_a_suspended_party_would_have_delivered_is_no_part_of_a_round() -> None:
    scene = ModelScene()
    project = scene.agreed()
    run = scene.running(scene.run_draft(project, scene.grants(project)))
    suspend(scene, "power-house")
    everybody = Round(1, digest("r"), NOTHING, NAMES)
    data = binding.round_calldata(run, 0, everybody)
    assert scene.refusal("town-bank", MODEL_RUNS_ADDRESS, data) == "PartyNotActive"
    rest = replace(everybody, delivered=NAMES[:2])
    scene.runs("town-bank", binding.round_calldata(run, 0, rest))


def test_nothing_is_proposed_to_a_suspended_organisation() -> None:
    scene = ModelScene()
    suspend(scene, "power-house")
    data = binding.propose_calldata("P", PARTIES, TERMS)
    assert scene.refusal("town-bank", MODELS_ADDRESS, data) == "PartyNotActive"


def test_records_begin_in_the_current_versions_alone_and_live_on_in_former_ones() -> None:
    scene = ModelScene()
    project, run = scene.trained()
    opening = binding.open_calldata(scene.run_draft(project, scene.grants(project)))
    offering = binding.offer_calldata(scene.release_draft(run))
    release = scene.approved(run)
    for name, artifact, place, by, data in (
        ("models", MODELS_ARTIFACT, MODELS_ADDRESS, "town-bank", None),
        ("model-runs", RUNS_ARTIFACT, MODEL_RUNS_ADDRESS, "town-bank", opening),
        ("model-releases", RELEASES_ARTIFACT, MODEL_RELEASES_ADDRESS, "town-bank", offering),
    ):
        made = data or binding.propose_calldata("P", PARTIES, TERMS)
        assert scene.refusal(by, place, made) is None
        voted(scene.chain, name, artifact)
        assert scene.refusal(by, place, made) == FORMER
    scene.wait(100)
    scene.counted(scene.calls(release, 10))
    scene.models("machine-works", binding.close_calldata(project, 0))
    assert scene.due(project, "town-bank", "power-house").accrued == 111
