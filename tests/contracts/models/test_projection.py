"""Models in SQL: what the chain has told, for whoever may see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import Connection, select

from contracts.consortium import Role
from contracts.instruments.viewer import Viewer
from contracts.models import (
    Budget,
    Due,
    Fault,
    FaultKind,
    Mark,
    binding,
    contribution_digest,
    queries,
    terms_digest,
)
from contracts.models.queries import DataSetQuery, ProjectQuery
from ledger.types import Hash32
from tests.contracts.models.scene import (
    NAMES,
    PARTIES,
    ROLES,
    TERMS,
    ModelScene,
    digest,
    projected,
)
from tests.contracts.tables import Tables

pytestmark = [pytest.mark.feature("D1"), pytest.mark.feature("D6"), pytest.mark.feature("N4")]
ALL = Viewer.everything()
SHAPLEY = (1_500, 5_500, 3_000)


@dataclass
class Lived:
    """A project that has had everything, and another one of the bank and the works alone."""

    scene: ModelScene
    tables: Tables
    project: Hash32
    other: Hash32
    data_set: Hash32
    own_data_set: Hash32
    grants: tuple[Hash32, ...]
    run: Hash32
    aborted: Hash32
    release: Hash32
    batch: Hash32
    payment: Hash32


@pytest.fixture(scope="module")
def lived() -> Lived:
    scene = ModelScene()
    project = scene.agreed()
    data_set = scene.data_set("machine-works")
    bank, power = (scene.grant(project, name) for name in ("town-bank", "power-house"))
    grants = (bank, scene.grant(project, "machine-works", data_set), power)
    draft = scene.run_draft(project, grants)
    run = scene.running(draft)
    scene.round(run, 1, Budget(100, 10))
    fault = Fault("power-house", FaultKind.STALLED, 2, digest("evidence"))
    scene.runs("machine-works", binding.fault_calldata(run, 0, fault, "an hour of silence"))
    scene.round(run, 2, Budget(200, 20))
    scene.runs("town-bank", binding.complete_calldata(run, 0, digest("record")))
    aborted = scene.opened(replace(draft, number="second"))
    scene.runs("power-house", binding.abort_calldata(aborted, 0, digest("reason")))
    release = scene.approved(run)
    scene.releases("town-bank", binding.mark_calldata(release, 0, Mark.CHAMPION))
    scene.releases("town-bank", binding.attribute_calldata(release, 0, SHAPLEY, digest("shap")))
    scene.wait(100)
    batch = scene.counted(scene.calls(release, 100))
    scene.releases("machine-works", binding.dispute_calldata(batch, 0, 120, digest("log")))
    payment = scene.told(scene.payment(project, 1_000))
    scene.releases("machine-works", binding.confirm_calldata(payment, 0))
    scene.told(scene.payment(project, 50))
    scene.models("power-house", binding.amend_calldata(project, 0, replace(TERMS, price=40)))
    shares = replace(TERMS, shares=(5_000, 5_000))
    other = scene.proposed(shares, PARTIES[:2])
    own = scene.data_set("machine-works")
    return Lived(
        scene=scene,
        tables=projected(scene),
        project=project,
        other=other,
        data_set=data_set,
        own_data_set=own,
        grants=grants,
        run=run,
        aborted=aborted,
        release=release,
        batch=batch,
        payment=payment,
    )


def test_the_tables_say_of_a_project_what_the_contracts_say(lived: Lived) -> None:
    with lived.tables.engine.connect() as connection:
        found = queries.find_project(connection, lived.project, ALL)
        assert found is not None
        assert found.project == lived.scene.project(lived.project)
        assert found.project.proposed == replace(TERMS, price=40)
        assert found.standing.state == "agreed"
        assert found.used == lived.scene.used(lived.project) == Budget(300, 30)
        assert found.digest == terms_digest(lived.project, 2, PARTIES, replace(TERMS, price=40))
        grants = queries.project_grants(connection, lived.project, ALL).items
        assert {one.id for one in grants} == set(lived.grants)
        (mine,) = queries.project_grants(
            connection, lived.project, ALL, owner="machine-works"
        ).items
        assert mine.grant.data_set == lived.data_set


def test_the_tables_say_of_a_run_who_did_what(lived: Lived) -> None:
    with lived.tables.engine.connect() as connection:
        found = queries.find_run(connection, lived.run, ALL)
        assert found is not None
        run = found.run
        assert (found.standing.state, run.rounds, run.faults) == ("completed", 2, 1)
        assert (run.spent, run.outcome) == (Budget(300, 30), digest("record"))
        assert run.nodes == tuple(digest(f"node {name}") for name in NAMES)
        rounds = queries.run_rounds(connection, lived.run, ALL).items
        assert [one.round.spent.epsilon for one in rounds] == [100, 200]
        (fault,) = queries.run_faults(connection, lived.run, ALL).items
        assert (fault.by, fault.fault.kind) == ("machine-works", FaultKind.STALLED)
        assert fault.remark == "an hour of silence"
        aborted = queries.project_runs(connection, lived.project, ALL, states=("aborted",)).items
        assert [one.id for one in aborted] == [lived.aborted]
        assert aborted[0].run.nodes == (None, None, None)


def test_the_tables_say_what_a_release_is_and_earns(lived: Lived) -> None:
    with lived.tables.engine.connect() as connection:
        (found,) = queries.project_releases(
            connection, lived.project, ALL, mark=Mark.CHAMPION
        ).items
        assert found == queries.find_release(connection, lived.release, ALL)
        assert found.approved_by == NAMES
        assert [share.party for share in found.release.draft.shares] == list(NAMES)
        assert found.agreed is None
        assert found.proposed is not None
        assert (found.proposed.shares, found.proposed.accepted) == (SHAPLEY, (0,))
        assert found.digest == contribution_digest(lived.release, 1, SHAPLEY, digest("shap"))
        (batch,) = queries.project_batches(connection, lived.project, ALL).items
        assert (batch.batch.amount, sum(batch.amounts)) == (3_700, 3_700)
        assert (batch.standing.state, batch.batch.disputes) == ("disputed", 1)
        (dispute,) = queries.batch_disputes(connection, lived.batch, ALL)
        assert (dispute.party, dispute.count) == ("machine-works", 120)
        dues = {one.payee: one.due for one in queries.project_dues(connection, lived.project, ALL)}
        assert dues == {"machine-works": Due(1_850, 1_000, 50), "power-house": Due(1_110)}
        for payee, due in dues.items():
            assert lived.scene.due(lived.project, "town-bank", payee) == due
        paid = queries.project_payments(connection, lived.project, ALL, states=("confirmed",)).items
        assert [one.id for one in paid] == [lived.payment]


def test_the_history_has_every_act_in_its_order(lived: Lived) -> None:
    with lived.tables.engine.connect() as connection:
        acts = queries.project_history(connection, lived.project, ALL, limit=200).items
        assert [one.place.leaf_index for one in acts] == sorted(
            one.place.leaf_index for one in acts
        )
        told = [(one.kind, one.act) for one in acts]
        assert told[:4] == [("project", act) for act in ("propose", "accept", "accept", "agree")]
        of_run = queries.project_history(connection, lived.project, ALL, record=lived.run).items
        assert [one.act for one in of_run] == [
            *("open", "join", "join", "join", "begin", "round", "fault", "round", "complete"),
        ]
        assert [one.revision for one in of_run] == list(range(1, 10))
        assert of_run[6].detail == "power-house: stalled"
        found: list[int] = []
        after: str | None = None
        while True:
            page = queries.project_history(connection, lived.project, ALL, after=after, limit=7)
            found += [one.place.leaf_index for one in page.items]
            after = page.after
            if after is None:
                break
        assert found == [one.place.leaf_index for one in acts]
        of_data = queries.data_set_history(connection, lived.data_set, ALL)
        assert [one.act for one in of_data] == ["register"]


def seen_by(connection: Connection, lived: Lived, viewer: Viewer) -> dict[str, bool]:
    """What of the project the viewer finds, whichever way he asks."""
    at, project = connection, lived.project
    asked: dict[str, Callable[[], object]] = {
        "project": lambda: queries.find_project(at, project, viewer),
        "data set": lambda: queries.find_data_set(at, lived.data_set, viewer),
        "data set's history": lambda: queries.data_set_history(at, lived.data_set, viewer),
        "grant": lambda: queries.find_grant(at, lived.grants[0], viewer),
        "grants": lambda: queries.project_grants(at, project, viewer).items,
        "run": lambda: queries.find_run(at, lived.run, viewer),
        "runs": lambda: queries.project_runs(at, project, viewer).items,
        "rounds": lambda: queries.run_rounds(at, lived.run, viewer).items,
        "faults": lambda: queries.run_faults(at, lived.run, viewer).items,
        "release": lambda: queries.find_release(at, lived.release, viewer),
        "releases": lambda: queries.project_releases(at, project, viewer).items,
        "batch": lambda: queries.find_batch(at, lived.batch, viewer),
        "batches": lambda: queries.project_batches(at, project, viewer).items,
        "disputes": lambda: queries.batch_disputes(at, lived.batch, viewer),
        "dues": lambda: queries.project_dues(at, project, viewer),
        "payment": lambda: queries.find_payment(at, lived.payment, viewer),
        "payments": lambda: queries.project_payments(at, project, viewer).items,
        "history": lambda: queries.project_history(at, project, viewer).items,
    }
    return {name: bool(ask()) for name, ask in asked.items()}


@pytest.mark.parametrize(
    ("name", "sees", "projects"),
    [
        ("town-bank", True, 2),
        ("machine-works", True, 2),
        ("power-house", True, 1),
        ("market-office", True, 2),
        ("trade-court", True, 2),
        ("other-bank", False, 0),
        ("grain-store", False, 0),
    ],
)
def test_parties_see_their_projects_and_nobody_else_anything(
    lived: Lived, name: str, sees: bool, projects: int
) -> None:
    viewer = Viewer.of(name, ROLES[name])
    with lived.tables.engine.connect() as connection:
        seen = seen_by(connection, lived, viewer)
        assert set(seen.values()) == {sees}, seen
        page = queries.list_projects(connection, ProjectQuery(), viewer)
        assert len(page.items) == projects


def test_nobody_sees_nothing(lived: Lived) -> None:
    with lived.tables.engine.connect() as connection:
        assert set(seen_by(connection, lived, Viewer.nobody()).values()) == {False}


def test_a_data_set_is_its_owners_until_fields_of_it_are_given(lived: Lived) -> None:
    owner, other = (Viewer.of(name, Role.OPERATOR) for name in ("machine-works", "power-house"))
    with lived.tables.engine.connect() as connection:
        assert queries.find_data_set(connection, lived.own_data_set, owner) is not None
        assert queries.find_data_set(connection, lived.own_data_set, other) is None
        mine = DataSetQuery(owner="machine-works")
        assert len(queries.list_data_sets(connection, mine, owner).items) == 2
        shared = queries.list_data_sets(connection, mine, other).items
        assert [one.id for one in shared] == [lived.data_set]


def test_lists_are_filtered_and_come_in_pages(lived: Lived) -> None:
    with lived.tables.engine.connect() as connection:
        first = queries.list_projects(connection, ProjectQuery(limit=1), ALL)
        second = queries.list_projects(connection, ProjectQuery(limit=1, after=first.after), ALL)
        assert [one.id for one in (*first.items, *second.items)] == [lived.other, lived.project]
        assert second.after is None
        for query, ids in (
            (ProjectQuery(states=("proposed",)), [lived.other]),
            (ProjectQuery(party="power-house"), [lived.project]),
            (ProjectQuery(proposer="machine-works"), []),
            (ProjectQuery(number=second.items[0].project.number), [lived.project]),
        ):
            page = queries.list_projects(connection, query, ALL)
            assert [one.id for one in page.items] == ids
        rounds = queries.run_rounds(connection, lived.run, ALL, limit=1)
        rest = queries.run_rounds(connection, lived.run, ALL, after=rounds.after, limit=1)
        assert [one.round.number for one in (*rounds.items, *rest.items)] == [1, 2]


def test_going_through_the_chain_again_gives_the_same_rows(lived: Lived) -> None:
    again = projected(lived.scene)
    handlers = {one.name: one for one in again.handlers}
    with lived.tables.engine.connect() as one, again.engine.begin() as two:
        for name in ("models", "model-runs", "model-releases"):
            tables = handlers[name].metadata.sorted_tables
            rows = 0
            for table in tables:
                found = sorted(one.execute(select(table)).all(), key=str)
                assert found == sorted(two.execute(select(table)).all(), key=str), table.name
                rows += len(found)
            assert rows
            handlers[name].reset(two)
            assert not any(two.execute(select(table)).all() for table in tables)
