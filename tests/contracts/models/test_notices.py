"""Who is told what: the parties of a project of all its acts, the owner of its data sets."""

from __future__ import annotations

import orjson
import pytest
from sqlalchemy import select

from contracts.models import (
    MODEL_RELEASES_ADDRESS,
    MODELS_ADDRESS,
    Fault,
    FaultKind,
    Mark,
    binding,
)
from contracts.models.notices import notices, release_notices
from contracts.notices.tables import notice_party_table, notice_table
from ledger.types import Hash32
from tests.contracts.models.scene import NAMES, ModelScene, digest, projected
from tests.contracts.scene import told

pytestmark = [pytest.mark.feature("D1"), pytest.mark.feature("A1")]


@pytest.fixture(scope="module")
def feed() -> tuple[Hash32, list[tuple[str, str, set[str]]]]:
    """A project, and what was told since: kind, record and to whom."""
    scene = ModelScene()
    project = scene.agreed()
    grants = scene.grants(project)
    run = scene.running(scene.run_draft(project, grants))
    fault = Fault("power-house", FaultKind.DROPPED, 1, digest("evidence"))
    scene.runs("machine-works", binding.fault_calldata(run, 0, fault))
    scene.round(run, 1)
    scene.runs("town-bank", binding.complete_calldata(run, 0, digest("record")))
    release = scene.approved(run)
    scene.releases("town-bank", binding.mark_calldata(release, 0, Mark.CHAMPION))
    shares = binding.attribute_calldata(release, 0, (1_000, 4_000, 5_000), digest("shap"))
    scene.releases("town-bank", shares)
    scene.wait(100)
    batch = scene.counted(scene.calls(release, 100))
    scene.releases("machine-works", binding.dispute_calldata(batch, 0, 120, digest("log")))
    paid = scene.told(scene.payment(project, 1_000))
    scene.releases("machine-works", binding.confirm_calldata(paid, 0))
    scene.models("power-house", binding.revoke_calldata(grants[2], 0))
    scene.models("machine-works", binding.close_calldata(project, 0))
    with projected(scene).engine.connect() as connection:
        parties: dict[str, set[str]] = {}
        for row in connection.execute(select(notice_party_table)):
            parties.setdefault(row.position, set()).add(row.organisation)
        query = select(notice_table).order_by(notice_table.c.position)
        rows = connection.execute(query).all()
    return project, [(row.kind, row.record, parties.get(row.position, set())) for row in rows]


def test_all_parties_are_told_of_every_act_of_their_project_and_nobody_else(
    feed: tuple[Hash32, list[tuple[str, str, set[str]]]],
) -> None:
    project, rows = feed
    of_project = [(kind, who) for kind, record, who in rows if record == f"0x{project.hex()}"]
    assert {kind for kind, _ in of_project} == {
        *("model-project.propose", "model-project.accept", "model-project.agree"),
        *("model-project.close", "model-grant.give", "model-grant.revoke"),
        *("model-run.open", "model-run.join", "model-run.begin", "model-run.fault"),
        *("model-run.round", "model-run.complete", "model-release.offer"),
        *("model-release.approve", "model-release.go-live", "model-release.mark"),
        *("model-release.attribute", "model-calls.counted", "model-calls.disputed"),
        *("model-due.changed", "model-payment.tell", "model-payment.confirm"),
    }
    for kind, who in of_project:
        assert who == set(NAMES), kind


def test_a_data_set_is_told_to_its_owner_alone(
    feed: tuple[Hash32, list[tuple[str, str, set[str]]]],
) -> None:
    _, rows = feed
    registered = [who for kind, _, who in rows if kind == "model-data.register"]
    assert sorted(name for who in registered for name in who) == sorted(NAMES)
    assert all(len(who) == 1 for who in registered)


def test_bodies_are_json_with_amounts_as_text() -> None:
    scene = ModelScene()
    project = scene.proposed()
    logs = told(scene.receipts[-1], MODELS_ADDRESS)
    (notice,) = [one for log in logs for one in notices(log)]
    body = orjson.loads(orjson.dumps(notice.body))
    assert (notice.id, body["state"]) == (f"0x{project.hex()}", "proposed")
    terms = body["record"]["proposed"]
    assert (terms["price"], terms["budget"]) == (
        "37",
        {"epsilon": "1000000", "delta": "10000000000000"},
    )
    assert body["record"]["parties"][0] == {"organisation": "town-bank", "part": "guest"}
    for name in NAMES[1:]:
        scene.accept(project, name)
    _, release = scene.live(project)
    scene.wait(10)
    receipt = scene.releases("town-bank", binding.count_calldata(scene.calls(release, 2)))
    found = [one for log in told(receipt, MODEL_RELEASES_ADDRESS) for one in release_notices(log)]
    counted = orjson.loads(orjson.dumps(found[0].body))
    assert (counted["record"]["amount"], counted["amounts"]) == ("74", ["14", "37", "23"])
    assert counted["record"]["calls"]["count"] == 2
