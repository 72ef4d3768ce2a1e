"""Every act in every state by every party: possible exactly where the table says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import pytest

from contracts.models import (
    ACTS,
    MACHINE,
    MODEL_RELEASES_ADDRESS,
    MODEL_RUNS_ADDRESS,
    MODELS_ADDRESS,
    DataSet,
    Fault,
    FaultKind,
    Mark,
    Round,
    binding,
)
from ledger.types import Address, Hash32
from tests.contracts.models.scene import CODE, NAMES, NOTHING, TERMS, ModelScene, digest

pytestmark = [pytest.mark.feature("D1"), pytest.mark.feature("D6")]

Calls = dict[str, bytes]
TABLE_REFUSALS: Final = {"NotEntitled", "WrongState"}
STRANGERS: Final = ("other-bank", "market-office", "trade-court")
FROM_NOTHING: Final = {"propose", "register", "give", "open", "offer", "count", "pay", "tell"}
FOLLOWING: Final = {"agree", "adopt", "begin", "go-live"}


def of_project(id_: Hash32) -> Calls:
    return {
        "accept": binding.accept_calldata(id_, 0, digest("x")),
        "refuse": binding.refuse_calldata(id_, 0),
        "withdraw": binding.withdraw_calldata(id_, 0),
        "amend": binding.amend_calldata(id_, 0, replace(TERMS, price=1)),
        "decline": binding.decline_calldata(id_, 0),
        "close": binding.close_calldata(id_, 0),
    }


def of_data(id_: Hash32) -> Calls:
    newer = DataSet("machine-works", "NEW", digest("s"), 1, digest("c"), digest("q"), id_)
    return {
        "supersede": binding.register_calldata(newer),
        "remove": binding.remove_calldata(id_, 0),
    }


def of_grant(id_: Hash32) -> Calls:
    return {"revoke": binding.revoke_calldata(id_, 0)}


def of_run(id_: Hash32) -> Calls:
    fault = Fault("power-house", FaultKind.STALLED, 1, digest("evidence"))
    return {
        "join": binding.join_calldata(id_, 0, CODE, digest("node")),
        "round": binding.round_calldata(id_, 0, Round(1, digest("r"), NOTHING, NAMES)),
        "fault": binding.fault_calldata(id_, 0, fault),
        "complete": binding.complete_calldata(id_, 0, digest("record")),
        "abort": binding.abort_calldata(id_, 0, digest("reason")),
    }


def of_release(id_: Hash32) -> Calls:
    return {
        "approve": binding.approve_calldata(id_, 0),
        "reject": binding.reject_calldata(id_, 0),
        "retire": binding.retire_calldata(id_, 0),
        "mark": binding.mark_calldata(id_, 0, Mark.CHALLENGER),
        "attribute": binding.attribute_calldata(id_, 0, (1, 2, 9_997), digest("e")),
        "concur": binding.concur_calldata(id_, 0, digest("x")),
    }


def of_batch(id_: Hash32) -> Calls:
    return {"dispute": binding.dispute_calldata(id_, 0, 99, digest("log"))}


def of_payment(id_: Hash32) -> Calls:
    return {"confirm": binding.confirm_calldata(id_, 0), "deny": binding.deny_calldata(id_, 0)}


PROJECT_PARTIES: Final = {
    "town-bank": {"anybody", "party", "proposer"},
    "machine-works": {"anybody", "party"},
}
OWNED: Final = {"machine-works": {"anybody", "owner"}, "town-bank": {"anybody"}}
RUN_PARTIES: Final = {
    "town-bank": {"anybody", "party", "participant", "opener"},
    "machine-works": {"anybody", "party", "participant"},
}
RELEASE_PARTIES: Final = {
    "town-bank": {"anybody", "party", "label-holder"},
    "machine-works": {"anybody", "party"},
}
BATCH_PARTIES: Final = {
    "town-bank": {"anybody", "party", "asker"},
    "machine-works": {"anybody", "party", "counterparty"},
}
PAYMENT_PARTIES: Final = {
    "town-bank": {"anybody", "payer"},
    "machine-works": {"anybody", "payee"},
    "power-house": {"anybody"},
}


def project_in(scene: ModelScene, state: str) -> Hash32:
    if state in ("proposed", "refused", "withdrawn"):
        id_ = scene.proposed()
        if state == "refused":
            scene.models("machine-works", binding.refuse_calldata(id_, 0))
        if state == "withdrawn":
            scene.models("town-bank", binding.withdraw_calldata(id_, 0))
        return id_
    id_ = scene.agreed()
    if state == "closed":
        scene.models("machine-works", binding.close_calldata(id_, 0))
    return id_


def data_in(scene: ModelScene, state: str) -> Hash32:
    id_ = scene.data_set("machine-works")
    if state == "superseded":
        scene.data_set("machine-works", replaces=id_)
    if state == "withdrawn":
        scene.models("machine-works", binding.remove_calldata(id_, 0))
    return id_


def grant_in(scene: ModelScene, state: str) -> Hash32:
    id_ = scene.grant(scene.agreed(), "machine-works")
    if state == "revoked":
        scene.models("machine-works", binding.revoke_calldata(id_, 0))
    return id_


def run_in(scene: ModelScene, state: str) -> Hash32:
    project = scene.agreed()
    draft = scene.run_draft(project, scene.grants(project))
    if state == "opened":
        return scene.opened(draft)
    if state == "completed":
        return scene.completed(draft)
    id_ = scene.running(draft)
    if state == "aborted":
        scene.runs("machine-works", binding.abort_calldata(id_, 0, digest("reason")))
    return id_


def release_in(scene: ModelScene, state: str) -> Hash32:
    _, run = scene.trained()
    if state in ("offered", "rejected"):
        id_ = scene.offered(run)
        if state == "rejected":
            scene.releases("town-bank", binding.reject_calldata(id_, 0))
        return id_
    id_ = scene.approved(run)
    if state == "retired":
        scene.releases("town-bank", binding.retire_calldata(id_, 0))
    return id_


def batch_in(scene: ModelScene, state: str) -> Hash32:
    _, release = scene.live()
    scene.wait(100)
    id_ = scene.counted(scene.calls(release, 10))
    if state == "disputed":
        scene.releases("power-house", binding.dispute_calldata(id_, 0, 1, digest("log")))
    return id_


def payment_in(scene: ModelScene, state: str) -> Hash32:
    project, release = scene.live()
    scene.wait(100)
    scene.counted(scene.calls(release, 100))
    id_ = scene.told(scene.payment(project, 100))
    end = {"confirmed": binding.confirm_calldata, "denied": binding.deny_calldata}.get(state)
    if end is not None:
        scene.releases("machine-works", end(id_, 0))
    return id_


Kind = tuple[
    Address, Callable[[ModelScene, str], Hash32], Callable[[Hash32], Calls], dict[str, set[str]]
]
KINDS: Final[dict[str, Kind]] = {
    "project": (MODELS_ADDRESS, project_in, of_project, PROJECT_PARTIES),
    "data": (MODELS_ADDRESS, data_in, of_data, OWNED),
    "grant": (MODELS_ADDRESS, grant_in, of_grant, OWNED),
    "run": (MODEL_RUNS_ADDRESS, run_in, of_run, RUN_PARTIES),
    "release": (MODEL_RELEASES_ADDRESS, release_in, of_release, RELEASE_PARTIES),
    "batch": (MODEL_RELEASES_ADDRESS, batch_in, of_batch, BATCH_PARTIES),
    "payment": (MODEL_RELEASES_ADDRESS, payment_in, of_payment, PAYMENT_PARTIES),
}
STATES: Final = {
    "project": ("proposed", "agreed", "closed", "refused", "withdrawn"),
    "data": ("registered", "superseded", "withdrawn"),
    "grant": ("given", "revoked"),
    "run": ("opened", "running", "completed", "aborted"),
    "release": ("offered", "live", "retired", "rejected"),
    "batch": ("counted", "disputed"),
    "payment": ("told", "confirmed", "denied"),
}


@pytest.mark.parametrize(
    ("kind", "state"), [(kind, state) for kind, states in STATES.items() for state in states]
)
def test_the_table_is_what_the_contracts_do(kind: str, state: str) -> None:
    scene = ModelScene()
    to, reach, calls, parties = KINDS[kind]
    id_ = reach(scene, state)
    assert scene.state(id_) == state
    before = scene.standing(to, id_)
    asked = {**parties, **{name: {"anybody"} for name in STRANGERS}}
    for name, data in calls(id_).items():
        act = MACHINE.act(name)
        for who, mine in asked.items():
            answer = scene.refusal(who, to, data)
            if name == "supersede" and who != "machine-works":
                assert answer == "InvalidEntry", who  # it would not be its own
                continue
            where = f"{name} by {who} while {state}: {answer}"
            if not mine & set(act.by):
                assert answer == "NotEntitled", where
            elif state not in act.states:
                assert answer == "WrongState", where
            else:
                assert answer not in TABLE_REFUSALS, where
    assert scene.standing(to, id_) == before


def test_every_state_and_act_of_the_table_is_tried() -> None:
    reached = {state for states in STATES.values() for state in states}
    assert reached == set(MACHINE.states) - {"none"}
    tried = {name for _, _, calls, _ in KINDS.values() for name in calls(digest("x"))}
    assert tried | FROM_NOTHING | FOLLOWING == set(ACTS[10:])
