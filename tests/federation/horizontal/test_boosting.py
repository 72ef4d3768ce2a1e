"""Boosted trees on masked histograms: as on pooled rows, to the last split."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingClassifier

from federation.horizontal import (
    BoostingAlgorithm,
    BoostingSettings,
    Cutting,
    DocumentInvalid,
    Forest,
    SettingsRefused,
)
from federation.horizontal.documents import Node, Tree
from federation.horizontal.growing import best_split
from federation.measures import auc
from federation.tables import Table

pytestmark = pytest.mark.feature("D3")


@pytest.fixture
def settings(fields) -> BoostingSettings:
    return BoostingSettings(fields, Cutting(bins=16, cells=32, parts=4), trees=2, depth=3)


def test_it_does_not_matter_how_the_rows_are_dealt(consortium, settings, deal, rows):
    algorithm = BoostingAlgorithm(settings)
    models = [
        consortium(parts=deal(*rows(500), banks, seed)).train(algorithm).training.model
        for banks, seed in ((3, 1), (5, 2))
    ]
    for one, other in zip(models[0].trees, models[1].trees, strict=True):
        assert [(n.field, n.bin, n.missing) for n in one.nodes] == [
            (n.field, n.bin, n.missing) for n in other.nodes
        ]
        values = [[n.value for n in tree.nodes] for tree in (one, other)]
        assert np.allclose(*values, atol=1e-5)


@pytest.mark.slow
def test_it_learns_as_much_as_scikit_learns_trees(consortium, settings, rows):
    train, test = rows(3_000, 1), rows(3_000, 2)
    order = np.array_split(np.arange(3_000), 3)
    parts = [(train[0].take(part), train[1][part]) for part in order]
    whole = replace(settings, trees=20)
    model = consortium(parts=parts).train(BoostingAlgorithm(whole)).training.model
    peer = HistGradientBoostingClassifier(
        max_iter=20,
        max_depth=3,
        learning_rate=0.3,
        min_samples_leaf=1,
        l2_regularization=1.0,
        early_stopping=False,
    ).fit(train[0].matrix(model.fields), train[1])
    ours = auc(test[1], model.score(test[0]))
    theirs = auc(test[1], peer.decision_function(test[0].matrix(model.fields)))
    assert ours > theirs - 0.01
    assert ours > 0.75


def test_the_loss_falls_and_every_level_has_a_record(consortium, settings):
    outcome = consortium(3, 600).train(BoostingAlgorithm(settings))
    asks = [one.ask for one in outcome.records]
    assert asks[:3] == ["cells", "finer", "rate"]
    assert set(asks[3:]) == {"level"}
    assert len(asks) == 3 + 2 * 3
    losses = [one.loss for one in outcome.records[3::3]]
    assert losses == sorted(losses, reverse=True)
    assert all(part.model == outcome.training.model for part in outcome.banks.values())


@pytest.mark.parametrize("stop_after", [2, 5])
def test_it_goes_on_in_the_midst_of_a_tree(consortium, settings, stop_after):
    group = consortium(3, 300)
    algorithm = BoostingAlgorithm(replace(settings, trees=2))
    whole = group.train(algorithm).training.model
    first = group.train(algorithm, stop_after=stop_after)
    second = group.train(algorithm, states=first.states)
    assert second.training is not None, second.error
    assert second.training.model == whole


def test_it_stops_where_nothing_gains(consortium, settings):
    algorithm = BoostingAlgorithm(replace(settings, gain_min=1e8))
    model = consortium(3, 300).train(algorithm).training.model
    assert len(model.trees) == 1
    assert len(model.trees[0].nodes) == 1


@given(st.integers(0, 1 << 30))
def test_the_best_split_is_the_best_of_all(seed):
    settings = BoostingSettings((), ridge=0.5, weight_min=0.7)
    draw = np.random.default_rng(seed)
    sizes = draw.integers(2, 6, 3)
    parts = [(draw.normal(0, 1, size), draw.uniform(0, 1, size)) for size in sizes]
    slope, curve = draw.normal(0, 1), draw.uniform(2, 3)
    for slopes, curves in parts:  # every field adds up to the same
        slopes *= slope / slopes.sum() if slopes.sum() else 1
        curves *= curve / curves.sum()
    gains = {}
    for field, (slopes, curves) in enumerate(parts):
        for cut, missing in itertools.product(range(len(slopes) - 2), (True, False)):
            left = [*range(cut + 1), *([len(slopes) - 1] if missing else [])]
            g, h = slopes[left].sum(), curves[left].sum()
            if h >= 0.7 and curves.sum() - h >= 0.7:
                gains[field, cut, missing] = 0.5 * (
                    g**2 / (h + 0.5)
                    + (slopes.sum() - g) ** 2 / (curves.sum() - h + 0.5)
                    - slopes.sum() ** 2 / (curves.sum() + 0.5)
                )
    found = best_split(parts, settings)
    top = max(gains.values(), default=0.0)
    if top <= 1e-12:
        assert found is None or found.gain < 1e-9
    else:
        assert found is not None
        assert found.gain == pytest.approx(top)
        chosen = gains[found.field, found.bin, found.missing_left]
        assert chosen == pytest.approx(top)
        assert found.left[0] + found.right[0] == pytest.approx(slope)


def test_missing_values_go_where_the_split_says():
    nodes = [
        Node(field=0, bin=0, missing="right", left=1, right=2),
        Node(value=-1.0),
        Node(value=1.0),
    ]
    table = Table(("a", "b", "c"), {"x": np.array([0.0, 5.0, np.nan])})
    forest = Forest(fields=["x"], edges=[[1.0]], base=0.5, trees=[Tree(nodes=nodes)])
    assert forest.score(table).tolist() == [-0.5, 1.5, 1.5]
    again = Forest.from_json(forest.to_json())
    assert again == forest
    left = nodes[0].model_copy(update={"missing": "left"})
    turned = forest.model_copy(update={"trees": [Tree(nodes=[left, *nodes[1:]])]})
    assert turned.score(table).tolist() == [-0.5, 1.5, -0.5]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"right":2', b'"right":1'),
        (b'"right":2', b'"right":0'),
        (b'"right":2', b'"right":3'),
        (b'"field":0', b'"field":1'),
        (b'"edges":[[1.0]]', b'"edges":[[1.0,1.0]]'),
        (b'"base":0.5', b'"base":NaN'),
        (b'"base":0.5', b'"base":1e7'),
        (b'"base":0.5', b'"base":0.5,"more":1'),
        (b"horizontal-forest/1", b"horizontal-forest/2"),
    ],
)
def test_a_forest_that_is_none_is_refused(old, new):
    nodes = [Node(field=0, left=1, right=2), Node(value=-1.0), Node(value=1.0)]
    forest = Forest(fields=["x"], edges=[[1.0]], base=0.5, trees=[Tree(nodes=nodes)])
    data = forest.to_json().replace(b'"edges":[[1]]', b'"edges":[[1.0]]')
    assert old in data
    with pytest.raises(DocumentInvalid):
        Forest.from_json(data.replace(old, new))


@given(st.binary(max_size=80) | st.text(max_size=80).map(str.encode))
def test_whatever_is_read_as_a_forest_is_one_or_is_refused(data):
    with pytest.raises(DocumentInvalid):
        Forest.from_json(data)


@pytest.mark.parametrize(
    "change",
    [{"trees": 0}, {"depth": 9}, {"learning_rate": 0.0}, {"ridge": -1.0}, {"weight_min": 0.0}],
)
def test_settings_that_are_none_are_refused(settings, change):
    with pytest.raises(SettingsRefused):
        BoostingAlgorithm(replace(settings, **change))
