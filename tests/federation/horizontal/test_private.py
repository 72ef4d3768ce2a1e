"""Scorecards under differential privacy: every sum has noise, and the budget holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from federation.channel import Message, local_channels
from federation.horizontal import (
    Cutting,
    Privacy,
    ScorecardAlgorithm,
    ScorecardSettings,
    SettingsRefused,
    TaskRefused,
    fit_as_server,
)
from federation.horizontal.documents import Knowledge
from federation.horizontal.noise import noise_of
from federation.masking import GroupRefused
from federation.measures import auc
from federation.privacy import BudgetExceeded, epsilon_of

pytestmark = pytest.mark.feature("D4")


@pytest.fixture
def settings(fields) -> ScorecardSettings:
    return ScorecardSettings(
        fields, Cutting(bins=4, cells=16, parts=4), privacy=Privacy(epsilon_millionths=4_000_000)
    )


def neighbours(settings, rows, known, ask):
    """The largest distance between what a bank answers with a row and without it."""
    table, label = rows(200, 9)
    algorithm = ScorecardAlgorithm(settings)
    whole = algorithm.side(table, label).work(ask, known).vector
    out = 0.0
    for row in range(0, 200, 7):
        rest = np.delete(np.arange(200), row)
        less = algorithm.side(table.take(rest), label[rest]).work(ask, known).vector
        out = max(out, float(np.linalg.norm((whole - less).astype(float))))
    return out


@pytest.mark.parametrize("ask", ["cells", "woe", "moments", "gradient"])
def test_one_row_changes_an_answer_by_no_more_than_the_noise_is_made_for(settings, rows, ask):
    draw = np.random.default_rng(1)
    edges = [[-1.0, 0.0, 1.0], [-1.0, 1.0], [1.0, 2.0], [0.0, 1.0, 2.0]]
    woe = [draw.uniform(-4, 4, len(one) + 2).tolist() for one in edges]
    known = Knowledge(edges=edges, woe=woe, weights=[-1.0, -0.5, -2.0, -0.1, 3.0], prior=0.3)
    shape = ScorecardAlgorithm(settings).shape(ask, known)
    furthest = neighbours(settings, rows, known, ask)
    assert 0 < furthest <= shape.sensitivity
    # Not far from it either: noise for nothing is paid in accuracy.
    assert shape.sensitivity < 3 * furthest


def test_both_sides_account_the_same_and_stay_within_the_budget(consortium, settings, rows):
    group = consortium(3, 3_000, noisy=True, threshold=3)
    outcome = group.train(ScorecardAlgorithm(settings))
    assert outcome.training is not None, outcome.error
    asks = [one.ask for one in outcome.records]
    assert asks == ["cells", "woe", "moments", "gradient"]
    spent = [one.epsilon_millionths for one in outcome.records]
    assert spent == sorted(spent)
    assert 3_900_000 < spent[-1] <= 4_000_000
    for part in outcome.banks.values():
        assert [one.epsilon_millionths for one in part.spends] == spent
        rho = sum(one.rho_units for one in part.spends) / 10**12
        assert epsilon_of(rho, 1e-5) <= 4.0
    table, label = rows(3_000)
    assert auc(label, outcome.training.model.score(table)) > 0.75


def test_two_trainings_of_the_same_rows_differ_by_noise(consortium, settings):
    group = consortium(3, 900, noisy=True, threshold=3)
    one, other = (group.train(ScorecardAlgorithm(settings)).training.model for _ in range(2))
    assert one.knowledge.weights != other.knowledge.weights
    assert one.knowledge.woe != other.knowledge.woe


def test_the_noise_of_those_who_know_their_own_does_not_count(consortium, settings):
    group = consortium(4, 200, noisy=True, threshold=3).group
    algorithm = ScorecardAlgorithm(settings)
    shape = algorithm.shape("cells", Knowledge())
    noise = noise_of(settings.privacy, group, shape)
    trusting = noise_of(replace(settings.privacy, knowing=0), group, shape)
    assert noise.parties == 2
    assert float(noise.variance / trusting.variance) == pytest.approx(1.5, rel=1e-2)


def test_two_banks_may_train_with_noise_and_not_without(consortium, settings, fields):
    with pytest.raises(GroupRefused):
        consortium(2, 400)
    group = consortium(2, 400, noisy=True)
    assert group.train(ScorecardAlgorithm(settings)).training is not None
    plain = ScorecardAlgorithm(ScorecardSettings(fields, Cutting(bins=4, cells=16)))
    outcome = group.train(plain)
    assert isinstance(outcome.error, SettingsRefused)
    assert all(isinstance(end, SettingsRefused) for end in outcome.banks.values())


def test_where_nobodys_noise_would_be_hidden_it_is_refused(consortium, settings):
    lonely = replace(settings, privacy=replace(settings.privacy, knowing=2))
    outcome = consortium(2, 200, noisy=True).train(ScorecardAlgorithm(lonely))
    assert isinstance(outcome.error, SettingsRefused)
    assert "none is left whose noise hides" in str(outcome.error)


def test_a_second_training_within_one_run_is_refused_by_the_banks(consortium, settings):
    """A server that starts anew does not get more than was agreed."""
    group = consortium(3, 400, noisy=True, threshold=3)
    algorithm = ScorecardAlgorithm(settings)
    first = group.train(algorithm, stop_after=3)
    states = {name: state for name, state in first.states.items() if name != "operator"}
    # As if round 1 were another one: other rounds, the same asks.
    group.changes = {
        "operator": lambda _to, m: (
            Message(m.kind, {**m.body, "round": 50 + int(m.body["round"])})
            if m.kind in ("horizontal/start", "horizontal/task") and "round" in m.body
            else m
        )
    }
    outcome = group.train(algorithm, states=states)
    assert outcome.training is None
    for end in outcome.banks.values():
        assert isinstance(end, TaskRefused | BudgetExceeded)


def test_a_budget_that_is_spent_ends_it_before_anything_is_released(consortium, settings):
    group = consortium(3, 400, noisy=True, threshold=3)
    algorithm = ScorecardAlgorithm(settings)
    first = group.train(algorithm, stop_after=2)
    spent = {}
    for name, state in first.states.items():
        if name.startswith("bank"):
            whole = state.replace(
                b'"spends":[', b'"spends":[["0/other","discrete-gaussian",200000000000,1],'
            )
            spent[name] = whole
    outcome = group.train(algorithm, states={**first.states, **spent})
    assert outcome.training is None
    for end in outcome.banks.values():
        assert isinstance(end, BudgetExceeded)
    assert not any(b"mask/vector" in data for _sender, _to, data in outcome.transcript)


def test_a_group_without_noise_may_still_have_it(consortium, settings):
    outcome = consortium(3, 400).train(ScorecardAlgorithm(settings))
    assert outcome.training is not None


def test_shares_of_the_budget_are_a_whole_at_most(settings):
    for change in ({"cells_share": 0.5}, {"woe_share": 0.0}, {"epsilon_millionths": 0}):
        with pytest.raises(SettingsRefused):
            ScorecardAlgorithm(replace(settings, privacy=replace(settings.privacy, **change)))


def test_only_the_groups_server_leads(consortium, settings):
    group = consortium(3, 100).group
    channels = local_channels("0x0a", ("bank-0", "operator"))
    with pytest.raises(SettingsRefused, match="not the server"):
        fit_as_server(channels["bank-0"], group, ScorecardAlgorithm(settings))
