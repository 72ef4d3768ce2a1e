"""The contracts and the tables against the plain model, in random stories."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from contracts.instruments.viewer import Viewer
from contracts.models import (
    MODEL_RELEASES_ADDRESS,
    MODEL_RUNS_ADDRESS,
    MODELS_ADDRESS,
    Budget,
    Calls,
    Due,
    Grant,
    Mode,
    Payment,
    RecordKind,
    Round,
    binding,
    queries,
    record_id,
    terms_digest,
)
from contracts.models.queries import ProjectQuery
from ledger.types import Address, Hash32
from tests.contracts.models.model import PARTIES, ModelRun, Refused, World
from tests.contracts.models.scene import CODE, DAY, TERMS, ModelScene, digest, projected
from tests.contracts.scene import CHAIN_ID

ALL = Viewer.everything()
parties = st.sampled_from(PARTIES)
budgets = st.sampled_from((0, 1, 300_000, 400_000, 1_000_001))
picks = st.integers(0, 1 << 16)


class ModelsMachine(RuleBasedStateMachine):
    """Three parties of one project do as they like."""

    def __init__(self) -> None:
        super().__init__()
        self.scene = ModelScene()
        self.project = self.scene.agreed()
        self.world = World(TERMS.budget.epsilon, TERMS.price)
        self.data = {name: self.scene.data_set(name) for name in PARTIES}
        self.grants: list[Hash32] = []
        self.runs: list[Hash32] = []
        self.releases: list[Hash32] = []
        self.payments: list[Hash32] = []
        self.until: dict[tuple[int, str], int] = {}
        for name in PARTIES:
            self.give(name)

    def both(self, by: str, to: Address, data: bytes, change: Callable[[], None]) -> bool:
        """The contract does it exactly when the model does."""
        try:
            change()
            expected = True
        except Refused:
            expected = False
        receipt = self.scene.send(by, to, data)
        assert (receipt.status == 1) == expected, self.scene.words(by, to, data)
        return expected

    @initialize(released=st.booleans())
    def begin(self, released: bool) -> None:
        """Half of the stories begin with a model that is in use."""
        if not released:
            return
        self.open("town-bank", 300_000, 0)
        self.join(list(PARTIES), 0)
        self.round("town-bank", 1, 1, 0, True)
        self.complete("town-bank", 0, True)
        self.offer("machine-works", 0)
        self.approve(["town-bank", "power-house"], 0)
        self.count("town-bank", 1, 500, 0)
        assert self.world.owed["town-bank", "machine-works"] == 9_250

    # ---- agreement ----------------------------------------------------------------------------

    @rule(owner=parties)
    def give(self, owner: str) -> None:
        number, until = self.scene.number(), self.scene.chain.time + 80 * DAY
        content = Grant(owner, number, self.data[owner], self.project, digest("fields"), until)
        place, data = len(self.grants), binding.give_calldata(content)
        if self.both(owner, MODELS_ADDRESS, data, lambda: self.world.give(place, owner)):
            self.grants.append(record_id(RecordKind.GRANT, CHAIN_ID, owner, number))

    @rule(by=parties, pick=picks)
    def revoke(self, by: str, pick: int) -> None:
        place = pick % len(self.grants)
        data = binding.revoke_calldata(self.grants[place], 0)
        self.both(by, MODELS_ADDRESS, data, lambda: self.world.revoke(place, by))

    @rule(by=parties, really=st.integers(0, 30))
    def close(self, by: str, really: int) -> None:
        if really == 7:  # what comes after it is short
            data = binding.close_calldata(self.project, 0)
            self.both(by, MODELS_ADDRESS, data, self.world.close)

    @rule(price=st.integers(0, 1_000))
    def amend(self, price: int) -> None:
        terms = replace(TERMS, price=price)
        first, *others = PARTIES
        data = binding.amend_calldata(self.project, 0, terms)
        if self.both(first, MODELS_ADDRESS, data, lambda: self.world.amend(price)):
            known = self.scene.project(self.project)
            seen = terms_digest(self.project, known.version + 1, known.parties, terms)
            for other in others:
                self.scene.models(other, binding.accept_calldata(self.project, 0, seen))

    # ---- runs ---------------------------------------------------------------------------------

    def usable(self, pick: int) -> tuple[int, ...]:
        """A grant of each party, good ones where there are."""
        chosen = []
        for name in PARTIES:
            own = [n for n, (owner, _) in self.world.grants.items() if owner == name]
            good = [n for n in own if self.world.grants[n][1]]
            chosen.append((good or own)[pick % len(good or own)])
        return tuple(chosen)

    @rule(by=parties, aside=budgets, pick=picks)
    def open(self, by: str, aside: int, pick: int) -> None:
        chosen = self.usable(pick)
        grants = tuple(self.grants[n] for n in chosen)
        draft = self.scene.run_draft(self.project, grants, Budget(aside, 0))
        run = ModelRun(by, aside, chosen)
        data = binding.open_calldata(draft)
        if self.both(by, MODEL_RUNS_ADDRESS, data, lambda: self.world.open(run)):
            self.runs.append(record_id(RecordKind.RUN, CHAIN_ID, by, draft.number))

    @precondition(lambda self: bool(self.runs))
    @rule(who=st.lists(parties, min_size=1, max_size=4), pick=picks)
    def join(self, who: list[str], pick: int) -> None:
        opened = [n for n, run in enumerate(self.world.runs) if run.state == "opened"]
        place = opened[pick % len(opened)] if opened else pick % len(self.runs)
        for by in who:
            data = binding.join_calldata(self.runs[place], 0, CODE, digest(by))
            run = self.world.runs[place]
            self.both(by, MODEL_RUNS_ADDRESS, data, lambda r=run, b=by: self.world.join(r, b))

    @precondition(lambda self: bool(self.runs))
    @rule(by=parties, number=st.integers(0, 2), spent=budgets, pick=picks, own=st.booleans())
    def round(self, by: str, number: int, spent: int, pick: int, own: bool) -> None:
        place = self.running(pick)
        run = self.world.runs[place]
        who = run.opener if own else by
        which = run.rounds + number
        content = Round(which, digest("round"), Budget(spent, 0), PARTIES)
        data = binding.round_calldata(self.runs[place], 0, content)
        self.both(who, MODEL_RUNS_ADDRESS, data, lambda: self.world.round(run, which, who, spent))

    @precondition(lambda self: bool(self.runs))
    @rule(by=parties, pick=picks, own=st.booleans())
    def complete(self, by: str, pick: int, own: bool) -> None:
        place = self.running(pick)
        run = self.world.runs[place]
        who = run.opener if own else by
        data = binding.complete_calldata(self.runs[place], 0, digest("record"))
        self.both(who, MODEL_RUNS_ADDRESS, data, lambda: self.world.complete(run, who))

    @precondition(lambda self: bool(self.runs))
    @rule(by=parties, pick=picks)
    def abort(self, by: str, pick: int) -> None:
        place = pick % len(self.runs)
        data = binding.abort_calldata(self.runs[place], 0, digest("reason"))
        self.both(by, MODEL_RUNS_ADDRESS, data, lambda: self.world.abort(self.world.runs[place]))

    def running(self, pick: int) -> int:
        """A run, one that is running where there is."""
        found = [n for n, run in enumerate(self.world.runs) if run.state == "running"]
        return found[pick % len(found)] if found else pick % len(self.runs)

    # ---- releases -----------------------------------------------------------------------------

    @precondition(lambda self: bool(self.runs))
    @rule(by=parties, pick=picks)
    def offer(self, by: str, pick: int) -> None:
        done = [n for n, run in enumerate(self.world.runs) if run.state == "completed"]
        place = done[pick % len(done)] if done else pick % len(self.runs)
        draft = self.scene.release_draft(self.runs[place])
        run = self.world.runs[place]
        data = binding.offer_calldata(draft)
        if self.both(by, MODEL_RELEASES_ADDRESS, data, lambda: self.world.offer(run, by)):
            self.releases.append(record_id(RecordKind.RELEASE, CHAIN_ID, by, draft.number))

    @precondition(lambda self: bool(self.releases))
    @rule(who=st.lists(parties, min_size=1, max_size=4), pick=picks)
    def approve(self, who: list[str], pick: int) -> None:
        place = pick % len(self.releases)
        for by in who:
            data = binding.approve_calldata(self.releases[place], 0)
            release = self.world.releases[place]
            self.both(
                by,
                MODEL_RELEASES_ADDRESS,
                data,
                lambda r=release, b=by: self.world.approve(r, b),
            )

    @precondition(lambda self: bool(self.releases))
    @rule(by=parties, pick=picks, really=st.integers(0, 8))
    def retire(self, by: str, pick: int, really: int) -> None:
        if really != 5:
            return
        place = pick % len(self.releases)
        data = binding.retire_calldata(self.releases[place], 0)
        release = self.world.releases[place]
        self.both(by, MODEL_RELEASES_ADDRESS, data, lambda: self.world.retire(release))

    @precondition(lambda self: bool(self.releases))
    @rule(by=parties, off=st.integers(-1, 3), count=st.integers(0, 500), pick=picks)
    def count(self, by: str, off: int, count: int, pick: int) -> None:
        place = pick % len(self.releases)
        release = self.world.releases[place]
        first = max(0, release.calls[by] + 1 + (off if off < 1 else 0))
        now = self.scene.chain.time + 1  # when it will be mined
        since = max(self.until.get((place, by), 0), now - 1)
        calls = Calls(
            self.releases[place],
            self.scene.number(),
            Mode.ONLINE,
            first,
            count,
            digest("calls"),
            since,
            now,
        )
        data = binding.count_calldata(calls)
        if self.both(
            by,
            MODEL_RELEASES_ADDRESS,
            data,
            lambda: self.world.count(release, by, first, count),
        ):
            self.until[place, by] = now

    # ---- payments -----------------------------------------------------------------------------

    @rule(payer=parties, payee=parties, pick=picks, amount=st.sampled_from((0, 1, 500, 10_000)))
    def tell(self, payer: str, payee: str, pick: int, amount: int) -> None:
        owing = sorted(self.world.owed)
        if owing and pick % 4:
            payer, payee = owing[pick % len(owing)]
        number = self.scene.number()
        content = Payment(payer, number, self.project, payee, "CNY", amount, digest("shown"))
        data = binding.tell_calldata(content)
        if self.both(
            payer, MODEL_RELEASES_ADDRESS, data, lambda: self.world.tell(payer, payee, amount)
        ):
            self.payments.append(record_id(RecordKind.PAYMENT, CHAIN_ID, payer, number))

    @precondition(lambda self: bool(self.payments))
    @rule(by=parties, pick=picks, state=st.sampled_from(("confirmed", "denied")))
    def answer(self, by: str, pick: int, state: str) -> None:
        place = pick % len(self.payments)
        by = self.world.payments[place][1] if pick % 4 else by
        make = binding.confirm_calldata if state == "confirmed" else binding.deny_calldata
        data = make(self.payments[place], 0)
        self.both(by, MODEL_RELEASES_ADDRESS, data, lambda: self.world.answer(place, by, state))

    # ---- what ought to hold -------------------------------------------------------------------

    @invariant()
    def the_budget_is_what_is_set_aside_or_spent_and_never_exceeded(self) -> None:
        used = self.scene.used(self.project)
        assert used.epsilon == self.world.used <= TERMS.budget.epsilon

    def teardown(self) -> None:
        """The tables, and what each owes each, once the story is over."""
        world = self.world
        with projected(self.scene).engine.connect() as connection:
            (found,) = queries.list_projects(connection, ProjectQuery(), ALL).items
            assert found.used.epsilon == world.used
            runs = queries.project_runs(connection, self.project, ALL, limit=1_000).items
            releases = queries.project_releases(connection, self.project, ALL, limit=1_000).items
            dues = queries.project_dues(connection, self.project, ALL)
        shown = {one.id: (one.standing.state, one.run.spent.epsilon) for one in runs}
        assert shown == {
            id_: (run.state, run.spent) for id_, run in zip(self.runs, world.runs, strict=True)
        }
        assert {one.id: one.standing.state for one in releases} == {
            id_: release.state for id_, release in zip(self.releases, world.releases, strict=True)
        }
        owed = {(one.payer, one.payee): one.due for one in dues}
        for pair, amount in world.owed.items():
            due = Due(amount, world.paid[pair], world.told(*pair))
            assert owed.get(pair, Due()) == due == self.scene.due(self.project, *pair)


_checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
TestModels = pytest.mark.feature("D6")(ModelsMachine.TestCase)
TestModels.settings = settings(
    max_examples=3, stateful_step_count=30, deadline=None, suppress_health_check=_checks
)


@pytest.mark.slow
@pytest.mark.feature("D6")
@pytest.mark.timeout(600)
class TestModelsLong(ModelsMachine.TestCase):
    """As above, more of it."""

    settings = settings(
        max_examples=25, stateful_step_count=80, deadline=None, suppress_health_check=_checks
    )
