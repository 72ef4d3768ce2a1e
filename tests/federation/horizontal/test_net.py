"""Nets by federated averaging: right gradients, the same under masks, pulled by FedProx."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from federation.horizontal import (
    Cutting,
    DocumentInvalid,
    Net,
    NetAlgorithm,
    NetSettings,
    SettingsRefused,
)
from federation.horizontal.net import _margins, _slope
from federation.measures import auc

pytestmark = pytest.mark.feature("D3")


@pytest.fixture
def settings(fields) -> NetSettings:
    cutting = Cutting(bins=4, cells=16, parts=1)
    return NetSettings(fields, cutting, hidden=5, rounds=3, epochs=1, seed=3)


def test_the_gradient_is_that_of_the_log_loss():
    draw = np.random.default_rng(2)
    rows, label = draw.normal(0, 1, (20, 3)), draw.integers(0, 2, 20).astype(float)
    weights = draw.normal(0, 1, 4 * (3 + 2) + 1)

    def loss(at: np.ndarray) -> float:
        margins = _margins(rows, at, 4)[1]
        return float(np.mean(np.logaddexp(0, margins) - label * margins))

    steps = np.eye(weights.size) * 1e-6
    wanted = [(loss(weights + step) - loss(weights - step)) / 2e-6 for step in steps]
    assert np.allclose(_slope(rows, label, weights, 4), wanted, atol=1e-8)


def test_it_learns_and_repeats_itself(consortium, settings, rows):
    longer = NetAlgorithm(replace(settings, rounds=12, epochs=2))
    group = consortium(3, 1_200)
    one, other = (group.train(longer) for _ in range(2))
    assert one.training.model == other.training.model
    table, label = rows(2_000, 8)
    assert auc(label, one.training.model.score(table)) > 0.75
    losses = [record.loss for record in one.records[2:]]
    assert losses[-1] < losses[0] - 0.02
    assert [record.ask for record in one.records] == ["cells", "woe"] + ["update"] * 12


def test_under_masks_it_is_the_weighted_mean_of_what_would_be_seen(
    consortium, settings, deal, rows
):
    table, label = rows(900)
    parts = [
        (table.take(np.arange(*r)), label[slice(*r)]) for r in ((0, 500), (500, 800), (800, 900))
    ]
    masked = consortium(parts=parts).train(NetAlgorithm(settings)).training.model
    seen = consortium(parts=parts).train(NetAlgorithm(replace(settings, masked=False)))
    assert np.allclose(masked.knowledge.weights, seen.training.model.knowledge.weights, atol=1e-4)


def test_fedprox_holds_banks_to_the_common_model(consortium, settings):
    group = consortium(3, 600)
    moves = []
    for pull in (0.0, 5.0):
        algorithm = NetAlgorithm(replace(settings, pull=pull, rounds=1))
        start = group.train(algorithm, stop_after=2)
        before = Net(
            fields=["age", "limit", "used", "late"],
            hidden=5,
            knowledge=algorithm.known(_known(start.states["operator"])),
        )
        after = group.train(algorithm, states=start.states).training.model
        moves.append(np.linalg.norm(np.subtract(after.knowledge.weights, before.knowledge.weights)))
    assert moves[1] < 0.8 * moves[0]


def _known(state: bytes) -> bytes:
    from federation.horizontal import ServerState

    return ServerState.from_json(state).known.encode()


def test_a_banks_own_update_is_bounded_by_itself(consortium, settings):
    group = consortium(3, 300)
    bound = NetAlgorithm(replace(settings, norm_max=0.01, rounds=1))
    first = group.train(bound, stop_after=2)
    start = np.array(bound.known(_known(first.states["operator"])).weights)
    end = group.train(bound, states=first.states).training.model.knowledge.weights
    assert 0.003 < np.linalg.norm(end - start) <= 0.0101


def test_it_goes_on_after_any_round(consortium, settings):
    group = consortium(3, 300)
    algorithm = NetAlgorithm(settings)
    whole = group.train(algorithm).training.model
    first = group.train(algorithm, stop_after=4)
    assert group.train(algorithm, states=first.states).training.model == whole


def test_a_model_reads_back_and_one_of_another_size_is_refused(consortium, settings):
    model = consortium(3, 300).train(NetAlgorithm(settings)).training.model
    assert Net.from_json(model.to_json()) == model
    with pytest.raises(DocumentInvalid, match="another number of weights"):
        Net.from_json(model.to_json().replace(b'"hidden":5', b'"hidden":6'))


@pytest.mark.parametrize(
    "change",
    [
        {"hidden": 0},
        {"rounds": 0},
        {"batch": 0},
        {"learning_rate": 0.0},
        {"pull": -1.0},
        {"norm_max": 0.0},
        {"combine": "median"},
        {"combine": "vote", "masked": False},
        {"seed": -1},
    ],
)
def test_settings_that_are_none_are_refused(settings, change):
    with pytest.raises(SettingsRefused):
        NetAlgorithm(replace(settings, **change))
