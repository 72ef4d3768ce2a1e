"""The model is the one that pooled columns give, exactly, in every scheme."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.measures import auc
from federation.tables import Table
from federation.trees import (
    DataInvalid,
    GuestPart,
    HostPart,
    HostSplit,
    Leaf,
    OwnSplit,
    Progress,
    TreeSettings,
)
from federation.trees.gradients import random_order

pytestmark = pytest.mark.feature("D3")

Make = Callable[..., Any]


@given(
    rows=st.integers(40, 160),
    fields=st.lists(st.integers(1, 3), min_size=1, max_size=3),
    seed=st.integers(0, 1000),
    depth=st.integers(1, 4),
    sampled=st.sampled_from([{}, {"top_bp": 2000, "other_bp": 3000}]),
)
@settings(max_examples=12)
def test_margins_are_those_of_pooled_columns(
    parties_of: Make,
    pool: Make,
    rehearsal: Make,
    rows: int,
    fields: list[int],
    seed: int,
    depth: int,
    sampled: dict[str, int],
) -> None:
    parties = parties_of(rows, (2, *fields), seed, 0.2)
    if not 0 < parties.label.sum() < rows:
        return
    chosen = rehearsal(depth=depth, trees=3, bins=8, **sampled)
    run, alone = parties.fit(chosen), pool(parties).fit(chosen)
    margins = pool(parties).score(alone)
    assert parties.score(run).tobytes() == margins.tobytes()


@pytest.mark.parametrize("scheme", ["paillier", "ou"])
def test_sealed_sums_give_the_same_model_to_the_last_bit(
    parties_of: Make, rehearsal: Make, scheme: str
) -> None:
    parties = parties_of(150, (2, 2, 1))
    open_run = parties.fit(rehearsal(trees=2, depth=3))
    sealed_run = parties.fit(TreeSettings(trees=2, depth=3, scheme=scheme))
    assert sealed_run.guest.trees == open_run.guest.trees
    assert {name: one.cuts for name, one in sealed_run.hosts.items()} == {
        name: one.cuts for name, one in open_run.hosts.items()
    }
    assert any(sealed_run.guest.splits_of(name) for name in parties.hosts)
    assert parties.score(sealed_run).tobytes() == parties.score(open_run).tobytes()


def test_the_first_split_is_the_best_there_is(parties_of: Make, rehearsal: Make) -> None:
    parties = parties_of(200, (2, 2), missing=0.0)
    run = parties.fit(rehearsal(trees=1, depth=1, bins=255, node_rows_min=2))
    (root, left, right) = run.guest.trees[0]
    p = 1 / (1 + np.exp(-run.guest.base))
    g, h = p - parties.label, np.full(200, p * (1 - p))
    tables = {"bank": parties.guest, **parties.hosts}

    def gain(side: Any) -> float:
        def score(rows: Any) -> float:
            return float(g[rows].sum() ** 2 / (h[rows].sum() + 1))

        light = min(h[side].sum(), h[~side].sum()) < 1
        return -1 if light else score(side) + score(~side) - score(side | ~side)

    best = max(
        (gain(column <= edge), party, name, edge)
        for party, table in tables.items()
        for name, column in table.columns.items()
        for edge in column
    )
    cut = run.hosts[root.party].cuts[0] if isinstance(root, HostSplit) else root.cut
    party = root.party if isinstance(root, HostSplit) else "bank"
    side = tables[party].columns[cut.field] <= cut.edge
    assert gain(side) == pytest.approx(best[0], rel=1e-4)
    assert (party, cut.field) == (best[1], best[2])
    assert left.value == pytest.approx(-0.3 * g[side].sum() / (h[side].sum() + 1), abs=1e-5)
    assert right.value == pytest.approx(-0.3 * g[~side].sum() / (h[~side].sum() + 1), abs=1e-5)


def test_the_model_does_not_hang_on_the_hosts_secret_order(
    parties_of: Make, rehearsal: Make
) -> None:
    parties = parties_of(80, (1, 4), seed=3)
    runs = [parties.fit(rehearsal(depth=4, node_rows_min=2)) for _ in range(3)]
    assert len({run.guest.to_json() for run in runs}) == 1
    assert len({run.hosts["host0"].to_json() for run in runs}) == 1


def test_hosts_raise_what_the_guest_alone_reaches(parties_of: Make, rehearsal: Make) -> None:
    parties = parties_of(1500, (2, 3, 3))
    alone = type(parties)(parties.guest, parties.label, {})
    settings = rehearsal(trees=8)
    with_hosts = auc(parties.label, parties.score(parties.fit(settings)))
    without = auc(parties.label, alone.score(alone.fit(settings)))
    assert with_hosts > without + 0.05


def test_a_guest_without_features_learns_from_hosts_alone(
    parties_of: Make, rehearsal: Make
) -> None:
    parties = parties_of(300, (0, 3))
    run = parties.fit(rehearsal())
    assert run.guest.splits_of("host0") == len(run.hosts["host0"].cuts) > 0
    assert auc(parties.label, parties.score(run)) > 0.6


def test_the_guests_first_trees_ask_no_host(parties_of: Make, rehearsal: Make) -> None:
    parties = parties_of(300, (2, 3))
    run = parties.fit(rehearsal(trees=4, guest_trees=2))
    asked = [any(isinstance(node, HostSplit) for node in tree) for tree in run.guest.trees]
    assert asked[:2] == [False, False]
    assert any(asked[2:])


def test_missing_values_go_where_they_gain_most(rehearsal: Make, parties_of: Make) -> None:
    rows = 400
    values = np.arange(rows, dtype=np.float64)
    values[::2] = np.nan
    label = np.isnan(values).astype(np.uint8)
    label[:40] = 1  # the low values are bad like those that are missing
    ids = tuple(f"r{n}" for n in range(rows))
    shape = parties_of(50, (1, 1))
    parties = type(shape)(Table(ids, {}), label, {"host0": Table(ids, {"v": values})})
    run = parties.fit(rehearsal(trees=1, depth=1, bins=200))
    (cut,) = run.hosts["host0"].cuts
    assert cut.missing_left
    assert cut.edge is not None
    assert 37 <= cut.edge <= 41
    fresh = Table(("a", "b", "c"), {"v": np.array([np.nan, 1.0, 399.0])})
    margins = parties.score(run, Table(("a", "b", "c"), {}), {"host0": fresh})
    assert margins[0] == margins[1] > margins[2]


def test_training_stops_when_the_rows_apart_gain_nothing(parties_of: Make, rehearsal: Make) -> None:
    parties = parties_of(400, (2, 2))
    told: list[Progress] = []
    chosen = rehearsal(trees=60, depth=5, validation_bp=3000, patience=3, node_rows_min=2)
    run = parties.fit(chosen, bank={"progress": told.append})
    curve = [one.validation_auc or 0.0 for one in told]
    best = curve.index(max(curve))
    assert len(curve) < 60
    assert len(curve) == best + 4
    assert len(run.guest.trees) == best + 1
    assert run.guest.splits_of("host0") == len(run.hosts["host0"].cuts)
    assert [one.tree for one in told] == list(range(1, len(curve) + 1))
    assert all(one.auc is not None and one.auc > 0.5 for one in told)


def test_rows_apart_teach_nothing(parties_of: Make, rehearsal: Make) -> None:
    parties = parties_of(300, (2, 2))
    chosen = rehearsal(trees=3, validation_bp=3000, patience=3)
    first = parties.fit(chosen).guest
    flipped = parties.label.copy()
    flipped[random_order(300, "validation", parties.seed)[:90]] ^= 1
    second = type(parties)(parties.guest, flipped, parties.hosts).fit(chosen).guest
    kept = min(len(first.trees), len(second.trees))
    assert kept >= 1
    assert (first.base, first.trees[:kept]) == (second.base, second.trees[:kept])


def test_progress_of_hosts_and_bounds_of_nodes(parties_of: Make, rehearsal: Make) -> None:
    parties = parties_of(200, (2, 2))
    told: list[Progress] = []
    run = parties.fit(rehearsal(trees=3, node_rows_min=60), host0={"progress": told.append})
    assert [(one.tree, one.trees, one.auc) for one in told] == [(n, 3, None) for n in (1, 2, 3)]
    for tree in run.guest.trees:
        assert sum(isinstance(node, Leaf) for node in tree) <= 1 + 200 // 30


@pytest.mark.parametrize("label", [[0] * 50, [1] * 50, [0, 1], [2] * 50])
def test_labels_that_teach_nothing_are_refused(
    parties_of: Make, rehearsal: Make, label: list[int]
) -> None:
    parties = parties_of(50, (1,))
    with pytest.raises(DataInvalid):
        type(parties)(parties.guest, np.array(label, dtype=np.uint8), {}).fit(rehearsal())


def test_a_scale_with_which_totals_could_run_over_is_refused(parties_of: Make) -> None:
    parties = parties_of(9000, (1,))
    with pytest.raises(DataInvalid, match="53 bits"):
        parties.fit(TreeSettings(trees=1, scale_bits=40, scheme="plain", rehearsal=True))


def test_parts_come_back_from_their_json(parties_of: Make, rehearsal: Make) -> None:
    run = parties_of(200, (2, 2)).fit(rehearsal())
    again, host = GuestPart.from_json(run.guest.to_json()), run.hosts["host0"]
    assert again == run.guest
    assert again.digest == run.guest.digest
    assert HostPart.from_json(host.to_json()) == host
    nodes = [node for tree in again.trees for node in tree]
    assert {type(node) for node in nodes} == {Leaf, OwnSplit, HostSplit}
