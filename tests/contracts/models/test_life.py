"""A model from the agreement to the money, on the real EVM."""

from __future__ import annotations

import pytest

from contracts.models import (
    MODEL_RELEASES_ADDRESS,
    Budget,
    binding,
    decode_releases_log,
    parts_of,
)
from contracts.models.events import CallsCounted, DueChanged
from tests.contracts.models.scene import SHARES, ModelScene
from tests.contracts.scene import told

pytestmark = [pytest.mark.feature("D1"), pytest.mark.feature("D6")]


def test_a_model_is_agreed_trained_released_used_and_paid_for() -> None:
    scene = ModelScene()
    project = scene.agreed()
    known = scene.project(project)
    assert (scene.state(project), known.version, known.proposed) == ("agreed", 1, None)
    run = scene.completed(scene.run_draft(project, scene.grants(project)))
    assert scene.state(run) == "completed"
    assert scene.used(project) == Budget(100_000, 10**11)  # what was not spent is given back
    release = scene.approved(run)
    assert scene.state(release) == "live"
    scene.wait(100)
    receipt = scene.releases("town-bank", binding.count_calldata(scene.calls(release, 101)))
    events = [decode_releases_log(log) for log in told(receipt, MODEL_RELEASES_ADDRESS)]
    counted, *dues = events
    assert isinstance(counted, CallsCounted)
    assert counted.batch.amount == 101 * 37 == sum(counted.amounts)
    assert counted.amounts == parts_of(3_737, SHARES) == (747, 1_868, 1_122)
    assert [(one.payee, one.due.accrued) for one in dues if isinstance(one, DueChanged)] == [
        ("machine-works", 1_868),
        ("power-house", 1_122),
    ]
    paid = scene.told(scene.payment(project, 1_868))
    assert scene.due(project, "town-bank", "machine-works").reported == 1_868
    scene.releases("machine-works", binding.confirm_calldata(paid, 0))
    due = scene.due(project, "town-bank", "machine-works")
    assert (due.accrued, due.paid, due.reported, due.outstanding) == (1_868, 1_868, 0, 0)
