"""Fitting a scorecard across parties, held against one party that has everything."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from federation.measures import auc
from federation.scorecard import DataInvalid, ScorecardSettings, SettingsInvalid
from federation.scorecard.coding import EVIDENCE_BITS, WEIGHT_BITS, coded, codings_of
from federation.tables import Table
from tests.federation.credit import load_credit
from tests.federation.scorecard.parties import GUEST, Fitted, World, fit, invented, score

pytestmark = pytest.mark.feature("D3")


def _evidence(world: World, settings: ScorecardSettings) -> NDArray[np.float64]:
    """All columns as log odds against the whole, with a one: (columns, rows)."""
    found = []
    bads = world.label.sum()
    for table in (world.guest, *(world.hosts[name] for name in world.names)):
        codings = codings_of(table, settings.bins, settings.rows_min)
        for coding, groups in zip(codings, coded(codings, table), strict=True):
            known = groups < coding.count
            column = np.zeros(table.rows)
            all_bads = world.label[known].sum()
            all_goods = known.sum() - all_bads
            smoothed = settings.smoothing * coding.count
            for group in range(coding.count):
                rows = groups == group
                bad = world.label[rows].sum()
                good = rows.sum() - bad
                column[rows] = math.log(
                    (bad + settings.smoothing) / (all_bads + smoothed)
                ) - math.log((good + settings.smoothing) / (all_goods + smoothed))
            found.append(column)
    assert 0 < bads < world.guest.rows
    return np.vstack([*found, np.ones(world.guest.rows)])


def _newton(
    columns: NDArray[np.float64],
    label: NDArray[np.uint8],
    start: NDArray[np.float64],
    steps: int,
    ridge: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights after so many steps, and the margins."""
    z = start
    penalty = np.diag([ridge] * (len(columns) - 1) + [0.0])
    for _ in range(steps):
        p = 1 / (1 + np.exp(-z))
        w = p * (1 - p)
        matrix = (columns * w) @ columns.T + penalty
        weights = np.linalg.solve(matrix, columns @ (w * z + label - p))
        z = columns.T @ weights
    return weights, z


def _weights(fitted: Fitted, world: World) -> list[float]:
    assert fitted.guest is not None
    own = [one.weight for one in fitted.guest.features]
    hosts = [one.weight for name in world.names for one in fitted.hosts[name].features]
    intercept = fitted.guest.intercept / (1 << (EVIDENCE_BITS + WEIGHT_BITS))
    return [one / (1 << WEIGHT_BITS) for one in (*own, *hosts)] + [intercept]


@pytest.mark.parametrize("hosts", [1, 3])
@pytest.mark.parametrize("steps", [1, 3])
def test_weights_are_those_of_newton_steps_on_everything_in_one_place(
    hosts: int, steps: int
) -> None:
    world = invented(hosts=hosts)
    settings = ScorecardSettings(
        scheme="plain",
        rehearsal=True,
        bins=5,
        rows_min=10,
        steps=steps,
        keep_signs=False,
        ridge=0.5,
    )
    fitted = fit(world, settings)
    assert not fitted.errors
    columns = _evidence(world, settings)
    own = np.vstack([columns[:2], columns[-1:]])
    start = _newton(own, world.label, np.zeros(world.guest.rows), 25, 0.5)[1]
    wanted, z = _newton(columns, world.label, start, steps, 0.5)
    assert _weights(fitted, world) == pytest.approx(wanted.tolist(), abs=2e-3)
    assert np.abs(score(world, fitted) - z).max() < 5e-3


def test_features_spread_over_hosts_make_the_same_card() -> None:
    apart = invented(hosts=2)
    columns = {
        f"{name}-{field}": column
        for name in apart.names
        for field, column in apart.hosts[name].columns.items()
    }
    joined = World(apart.guest, apart.label, {"one": Table(apart.guest.ids, columns)})
    several, single = fit(apart), fit(joined)
    assert not several.errors
    assert not single.errors
    assert _weights(several, apart) == _weights(single, joined)
    assert np.array_equal(score(apart, several), score(joined, single))


def test_a_feature_that_only_repeats_others_with_the_wrong_sign_is_left_out() -> None:
    world = invented(rows=3_000, missing=0.0)
    a = world.hosts["host0"].column("a")
    # All that b says is a said worse, so that beside a it is noise to be taken off again.
    b = a + np.random.default_rng(1).normal(size=a.size)
    own = a - 0.5 * (b - a)
    both = World(world.guest, world.label, {"host0": Table(world.guest.ids, {"a": own, "b": b})})
    free = fit(both, ScorecardSettings(scheme="plain", rehearsal=True, keep_signs=False))
    kept = fit(both)
    signs = [[one.weight for one in found.hosts["host0"].features] for found in (free, kept)]
    assert min(signs[0]) != 0
    assert min(signs[1]) >= 0
    for found in (free, kept):
        assert all((one.error > 0) == (one.weight != 0) for one in found.hosts["host0"].features)


def test_each_party_keeps_its_own_part() -> None:
    world = invented(hosts=2)
    fitted = fit(world)
    assert fitted.guest is not None
    assert [one.coding.field for one in fitted.guest.features] == ["c", "d"]
    for name in world.names:
        part = fitted.hosts[name]
        assert (part.party, part.guest) == (name, GUEST)
        assert [one.coding.field for one in part.features] == ["a", "b"]
        assert all(one.error > 0 for one in part.features if one.weight)
        said = fitted.guest.to_json().decode()
        assert str(list(part.features[0].evidence))[1:-1].replace(" ", "") not in said
    assert set(fitted.guest.values) == set(world.names)


@pytest.mark.parametrize(
    ("label", "words"),
    [
        (np.zeros(600, dtype=np.uint8), "some of both"),
        (np.ones(600, dtype=np.uint8), "some of both"),
        (np.full(600, 2, dtype=np.uint8), "1 for a bad one"),
        (np.zeros(599, dtype=np.uint8), "for each row"),
    ],
)
def test_labels_that_teach_nothing_are_refused(label: NDArray[np.uint8], words: str) -> None:
    world = invented()
    fitted = fit(World(world.guest, label, world.hosts))
    assert isinstance(fitted.errors[GUEST], DataInvalid)
    assert words in str(fitted.errors[GUEST])


@pytest.mark.parametrize(
    "wrong",
    [{"bins": 1}, {"bins": 65}, {"rows_min": 0}, {"smoothing": 0.0}, {"ridge": -1.0}, {"steps": 0}],
)
def test_settings_out_of_bounds_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsInvalid, match=next(iter(wrong))):
        ScorecardSettings(**wrong)  # type: ignore[arg-type]


@pytest.mark.feature("D5")
def test_on_the_public_credit_data_the_partner_lifts_the_bank(shared_data: Path) -> None:
    credit = load_credit(shared_data)
    everything = World(credit.guest, credit.label, {"partner": credit.host})
    fitted = fit(everything.take(credit.train))
    test = everything.take(credit.test)
    assert auc(test.label, score(test, fitted)) >= 0.770
    assert fitted.guest is not None
    alone = fitted.guest.margins(test.guest).astype(np.float64)
    assert auc(test.label, alone) < 0.72


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["paillier", "ou"])
def test_sealed_sums_make_the_very_same_card(scheme: str) -> None:
    world = invented(hosts=2, rows=400)
    plain, sealed = fit(world), fit(world, ScorecardSettings(scheme=scheme))
    assert not sealed.errors
    assert plain.guest is not None
    assert sealed.guest is not None
    assert sealed.guest.to_json() == plain.guest.to_json()
    for name in world.names:
        assert sealed.hosts[name].to_json() == plain.hosts[name].to_json()
