"""Runs: what does not match the agreement is refused, and the budget is never exceeded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from contracts.models import (
    MODEL_RELEASES_ADDRESS,
    MODEL_RUNS_ADDRESS,
    Budget,
    Fault,
    FaultKind,
    Round,
    RunDraft,
    binding,
    decode_runs_log,
)
from contracts.models.events import BudgetUsed, FaultRecorded, RoundRecorded, RunActed
from ledger.types import Hash32
from tests.contracts.models.scene import CODE, DAY, NAMES, NOTHING, TERMS, ModelScene, digest
from tests.contracts.scene import told

pytestmark = [pytest.mark.feature("D1"), pytest.mark.feature("D3")]


@pytest.fixture
def scene() -> ModelScene:
    return ModelScene()


def refused(scene: ModelScene, by: str, data: bytes) -> str | None:
    return scene.refusal(by, MODEL_RUNS_ADDRESS, data)


def set_up(scene: ModelScene) -> tuple[Hash32, RunDraft]:
    project = scene.agreed()
    return project, scene.run_draft(project, scene.grants(project))


def a_round(number: int = 1, spent: Budget = NOTHING, **changes: object) -> Round:
    made = Round(number, digest(f"round {number}"), spent, NAMES)
    return replace(made, **changes)  # type: ignore[arg-type]


def test_a_run_begins_when_all_have_joined_with_the_agreed_code(scene: ModelScene) -> None:
    _, draft = set_up(scene)
    id_ = scene.opened(draft)
    join = binding.join_calldata
    wrong = join(id_, 0, digest("another code"), digest("node"))
    assert refused(scene, "machine-works", wrong) == "CodeDiffers"
    assert refused(scene, "other-bank", join(id_, 0, CODE, digest("node"))) == "NotEntitled"
    assert refused(scene, "machine-works", join(id_, 0, CODE, Hash32(bytes(32)))) == "HashMissing"
    scene.runs("machine-works", join(id_, 0, CODE, digest("node")))
    assert refused(scene, "machine-works", join(id_, 0, CODE, digest("b"))) == "DoneAlready"
    assert refused(scene, "power-house", join(id_, 0, CODE, digest("node"))) == "InvalidEntry"
    early = binding.round_calldata(id_, 0, a_round())
    assert refused(scene, "town-bank", early) == "WrongState"
    scene.runs("power-house", join(id_, 0, CODE, digest("node b")))
    receipt = scene.runs("town-bank", join(id_, 0, CODE, digest("node c")))
    events = [decode_runs_log(log) for log in told(receipt, MODEL_RUNS_ADDRESS)]
    acts = [(one.act, one.state) for one in events if isinstance(one, RunActed)]
    assert acts == [("join", "opened"), ("begin", "running")]
    (_, begun) = events
    assert isinstance(begun, RunActed)
    assert begun.run.nodes == (digest("node c"), digest("node"), digest("node b"))
    assert begun.run.draft == draft


def wrong_drafts(scene: ModelScene, project: Hash32, draft: RunDraft) -> dict[str, RunDraft]:
    """Runs that do not match the agreement, by what they are refused with and why."""
    other = scene.agreed()
    foreign = scene.grants(other)
    short = scene.grant(project, "machine-works", days=1)
    gone = scene.data_set("machine-works")
    of_gone = scene.grant(project, "machine-works", gone)
    scene.models("machine-works", binding.remove_calldata(gone, 0))
    old = scene.data_set("machine-works")
    of_old = scene.grant(project, "machine-works", old)
    scene.data_set("machine-works", replaces=old)
    revoked = scene.grant(project, "machine-works")
    scene.models("machine-works", binding.revoke_calldata(revoked, 0))
    scene.wait(2 * DAY)
    bank, works, power = draft.grants
    return {
        "AlgorithmNotAllowed": replace(draft, algorithm="another"),
        "CodeNotAllowed": replace(draft, code=digest("another")),
        "ProjectNotOpen no project": replace(draft, project=digest("none")),
        "GrantNotGood of another project": replace(draft, grants=foreign),
        "GrantNotGood over": replace(draft, grants=(bank, short, power)),
        "GrantNotGood its data set taken back": replace(draft, grants=(bank, of_gone, power)),
        "GrantNotGood its data set superseded": replace(draft, grants=(bank, of_old, power)),
        "GrantNotGood revoked": replace(draft, grants=(bank, revoked, power)),
        "GrantNotGood unknown": replace(draft, grants=(bank, digest("x"), power)),
        "InvalidEntry no grant of one": replace(draft, grants=(bank, works)),
        "InvalidEntry a grant twice": replace(draft, grants=(*draft.grants, works)),
        "InvalidEntry a grant of who is not in it": replace(draft, participants=NAMES[:2]),
        "InvalidEntry alone": replace(draft, participants=NAMES[:1], grants=(bank,)),
        "InvalidEntry without the opener": replace(
            draft, participants=NAMES[1:], grants=(works, power)
        ),
        "InvalidEntry one twice": replace(draft, participants=(*NAMES, NAMES[1])),
        "InvalidEntry a stranger": replace(draft, participants=(*NAMES, "other-bank")),
        "BudgetExceeded epsilon": replace(draft, budget=Budget(1_000_001, 0)),
        "BudgetExceeded delta": replace(draft, budget=Budget(0, 10**13 + 1)),
        "HashMissing config": replace(draft, config=Hash32(bytes(32))),
        "HashMissing seed": replace(draft, seed=Hash32(bytes(32))),
    }


def test_a_run_that_does_not_match_the_agreement_is_not_opened(scene: ModelScene) -> None:
    project, draft = set_up(scene)
    for what, wrong in wrong_drafts(scene, project, draft).items():
        said = refused(scene, "town-bank", binding.open_calldata(wrong))
        assert said == what.partition(" ")[0], what
    assert refused(scene, "town-bank", binding.open_calldata(draft)) is None
    assert refused(scene, "other-bank", binding.open_calldata(draft)) == "InvalidEntry"


def closing(scene: ModelScene, project: Hash32, draft: RunDraft) -> None:
    del draft
    scene.models("machine-works", binding.close_calldata(project, 0))


def expiring(scene: ModelScene, project: Hash32, draft: RunDraft) -> None:
    del project, draft
    scene.wait(91 * DAY)


def revoking(scene: ModelScene, project: Hash32, draft: RunDraft) -> None:
    del project
    scene.models("power-house", binding.revoke_calldata(draft.grants[2], 0))


def grants_ending(scene: ModelScene, project: Hash32, draft: RunDraft) -> None:
    del project, draft
    scene.wait(61 * DAY)


def forbidding(scene: ModelScene, project: Hash32, draft: RunDraft) -> None:
    del draft
    scene.amend(project, replace(TERMS, algorithms=("scorecard",)))


def changing_code(scene: ModelScene, project: Hash32, draft: RunDraft) -> None:
    del draft
    scene.amend(project, replace(TERMS, codes=(digest("code 2"),)))


@pytest.mark.parametrize(
    ("happens", "error"),
    [
        (closing, "ProjectNotOpen"),
        (expiring, "ProjectNotOpen"),
        (revoking, "GrantNotGood"),
        (grants_ending, "GrantNotGood"),
        (forbidding, "AlgorithmNotAllowed"),
        (changing_code, "CodeNotAllowed"),
    ],
)
def test_what_no_longer_matches_records_nothing_but_its_end(
    scene: ModelScene, happens: Callable[[ModelScene, Hash32, RunDraft], None], error: str
) -> None:
    project, draft = set_up(scene)
    id_ = scene.running(draft)
    scene.round(id_, 1, Budget(1_000, 0))
    half = replace(draft, number="HALF", budget=Budget())
    opened = scene.opened(half)
    happens(scene, project, draft)
    fault = Fault("machine-works", FaultKind.STALLED, 2, digest("evidence"))
    tries = {
        "round": ("town-bank", binding.round_calldata(id_, 0, a_round(2))),
        "fault": ("power-house", binding.fault_calldata(id_, 0, fault)),
        "complete": ("town-bank", binding.complete_calldata(id_, 0, digest("record"))),
        "join": ("town-bank", binding.join_calldata(opened, 0, CODE, digest("node"))),
        "open": ("town-bank", binding.open_calldata(replace(draft, number="NEW"))),
    }
    for name, (by, data) in tries.items():
        assert refused(scene, by, data) == error, name
    for run in (id_, opened):
        scene.runs("machine-works", binding.abort_calldata(run, 0, digest("reason")))
    assert scene.used(project) == Budget(1_000, 0)


def test_a_data_set_that_is_superseded_lets_its_runs_go_on(scene: ModelScene) -> None:
    project = scene.agreed()
    data = scene.data_set("machine-works")
    bank, _, power = scene.grants(project)
    works = scene.grant(project, "machine-works", data)
    id_ = scene.running(scene.run_draft(project, (bank, works, power)))
    newer = scene.data_set("machine-works", replaces=data)
    scene.round(id_, 1)
    scene.models("machine-works", binding.remove_calldata(newer, 0))
    scene.round(id_, 2)
    scene.models("machine-works", binding.remove_calldata(data, 0))
    third = binding.round_calldata(id_, 0, a_round(3))
    assert refused(scene, "town-bank", third) == "GrantNotGood"


def test_rounds_come_in_order_and_within_what_is_set_aside(scene: ModelScene) -> None:
    _, draft = set_up(scene)
    id_ = scene.running(draft)
    for wrong, error in (
        (a_round(2), "WrongRound"),
        (a_round(0), "WrongRound"),
        (a_round(record=Hash32(bytes(32))), "HashMissing"),
        (a_round(delivered=()), "InvalidEntry"),
        (a_round(delivered=(NAMES[1], NAMES[0])), "InvalidEntry"),
        (a_round(delivered=(NAMES[0], NAMES[0])), "InvalidEntry"),
        (a_round(delivered=("other-bank",)), "InvalidEntry"),
        (a_round(spent=Budget(400_001, 0)), "BudgetExceeded"),
        (a_round(spent=Budget(0, 10**12 + 1)), "BudgetExceeded"),
    ):
        assert refused(scene, "town-bank", binding.round_calldata(id_, 0, wrong)) == error
    by_host = binding.round_calldata(id_, 0, a_round())
    assert refused(scene, "machine-works", by_host) == "NotEntitled"
    first = a_round(spent=Budget(300_000, 10**12), delivered=(NAMES[0], NAMES[2]))
    receipt = scene.runs("town-bank", binding.round_calldata(id_, 0, first))
    (event,) = [decode_runs_log(log) for log in told(receipt, MODEL_RUNS_ADDRESS)]
    assert isinstance(event, RoundRecorded)
    assert (event.round, event.spent) == (first, Budget(300_000, 10**12))
    again = binding.round_calldata(id_, 0, first)
    assert refused(scene, "town-bank", again) == "WrongRound"
    more = binding.round_calldata(id_, 0, a_round(2, Budget(100_001, 0)))
    assert refused(scene, "town-bank", more) == "BudgetExceeded"
    scene.round(id_, 2, Budget(100_000, 0))
    words = scene.words(
        "town-bank", MODEL_RUNS_ADDRESS, binding.round_calldata(id_, 0, a_round(3, Budget(1, 0)))
    )
    assert "are left: epsilon 0 millionths" in words


def test_what_a_run_sets_aside_and_does_not_spend_is_given_back(scene: ModelScene) -> None:
    project, draft = set_up(scene)
    first = scene.running(draft)
    second = scene.opened(replace(draft, number="2", budget=Budget(600_000, 0)))
    assert scene.used(project) == Budget(1_000_000, 10**12)
    third = replace(draft, number="3", budget=Budget(1, 0))
    assert refused(scene, "town-bank", binding.open_calldata(third)) == "BudgetExceeded"
    scene.round(first, 1, Budget(150_000, 10**11))
    receipt = scene.runs("town-bank", binding.complete_calldata(first, 0, digest("record")))
    events = [decode_runs_log(log) for log in told(receipt, MODEL_RUNS_ADDRESS)]
    (used,) = [one.used for one in events if isinstance(one, BudgetUsed)]
    assert used == scene.used(project) == Budget(750_000, 10**11)
    scene.runs("power-house", binding.abort_calldata(second, 0, digest("why")))
    assert scene.used(project) == Budget(150_000, 10**11)
    scene.amend(project, replace(TERMS, budget=Budget(100_000, 0)))
    words = scene.words("town-bank", MODEL_RUNS_ADDRESS, binding.open_calldata(third))
    assert "are left: epsilon 0 millionths, delta 0" in words


def test_faults_name_who_failed_and_stay(scene: ModelScene) -> None:
    _, draft = set_up(scene)
    id_ = scene.opened(draft)
    good = Fault("power-house", FaultKind.NODE, 0, digest("evidence"))
    for wrong, error in (
        (replace(good, party="other-bank"), "InvalidEntry"),
        (replace(good, round=2), "WrongRound"),
        (replace(good, evidence=Hash32(bytes(32))), "HashMissing"),
    ):
        data = binding.fault_calldata(id_, 0, wrong)
        assert refused(scene, "machine-works", data) == error
    stranger = binding.fault_calldata(id_, 0, good)
    assert refused(scene, "other-bank", stranger) == "NotEntitled"
    receipt = scene.runs("machine-works", binding.fault_calldata(id_, 0, good, "unknown node"))
    (event,) = [decode_runs_log(log) for log in told(receipt, MODEL_RUNS_ADDRESS)]
    assert isinstance(event, FaultRecorded)
    assert (event.number, event.by, event.fault) == (1, "machine-works", good)


def test_a_run_ends_once_and_only_after_something_was_done(scene: ModelScene) -> None:
    _, draft = set_up(scene)
    id_ = scene.running(draft)
    complete = binding.complete_calldata(id_, 0, digest("record"))
    assert refused(scene, "town-bank", complete) == "WrongRound"
    scene.round(id_, 1)
    nothing = binding.complete_calldata(id_, 0, Hash32(bytes(32)))
    assert refused(scene, "town-bank", nothing) == "HashMissing"
    assert refused(scene, "machine-works", complete) == "NotEntitled"
    scene.runs("town-bank", complete)
    assert refused(scene, "town-bank", complete) == "WrongState"
    abort = binding.abort_calldata(id_, 0, digest("reason"))
    assert refused(scene, "machine-works", abort) == "WrongState"


def test_only_a_completed_run_is_released(scene: ModelScene) -> None:
    _, draft = set_up(scene)
    running = scene.running(draft)
    offer = binding.offer_calldata(scene.release_draft(running))
    assert scene.refusal("town-bank", MODEL_RELEASES_ADDRESS, offer) == "WrongState"
    unknown = binding.offer_calldata(scene.release_draft(digest("none")))
    assert scene.refusal("town-bank", MODEL_RELEASES_ADDRESS, unknown) == "UnknownRecord"
