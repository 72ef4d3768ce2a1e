"""Contribution measured, and recomputed from its evidence."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from federation.contribution import (
    Coalition,
    EvidenceInvalid,
    GameInvalid,
    Method,
    evidence_of,
    measure_contribution,
    recompute,
    source_uplifts,
    value_of_scores,
)
from federation.contribution.shapley import all_coalitions, exact_values, orders
from ledger.canonical import canonical_json
from tests.federation.credit import load_credit

pytestmark = pytest.mark.feature("D6")

SEVEN = tuple("abcdefg")


def glove(coalition: Coalition) -> float:
    """One left glove, two right ones: a pair is worth 1 (Shapley: 2/3, 1/6, 1/6)."""
    return float("left" in coalition and len(coalition) > 1)


def diminishing(coalition: Coalition) -> float:
    """What each adds to few is more than what it adds to many."""
    return 0.5 + 0.3 * (1 - 0.5 ** sum(ord(name) - 96 for name in coalition))


def test_the_glove_game_is_shared_as_the_textbook_says() -> None:
    found = measure_contribution(("left", "right-1", "right-2"), glove, seed=0)
    assert [one.shapley for one in found.parties] == [2 / 3, 1 / 6, 1 / 6]
    assert found.shares_bp == {"left": 6_667, "right-1": 1_667, "right-2": 1_666}
    assert [one.last for one in found.parties] == [1.0, 0.0, 0.0]
    assert [one.first for one in found.parties] == [0.0, 0.0, 0.0]
    assert (found.method, found.seed, len(found.coalitions)) == (Method.EXACT, None, 8)


def test_each_coalition_is_asked_for_once_small_ones_first() -> None:
    asked: list[Coalition] = []

    def value(coalition: Coalition) -> float:
        asked.append(coalition)
        return diminishing(coalition)

    measure_contribution("abcd", value, seed=0)
    assert asked == all_coalitions("abcd")
    asked.clear()
    measure_contribution(SEVEN, value, seed=5, pairs=20)
    assert len(asked) == len(set(asked)) < 128
    assert [len(c) for c in asked] == sorted(len(c) for c in asked)


def test_sampled_values_are_near_the_exact_ones_as_near_as_their_errors_say() -> None:
    exact = measure_contribution_exactly(SEVEN)
    off = []
    for seed in range(12):
        found = measure_contribution(SEVEN, diminishing, seed=seed, pairs=30)
        assert found.method is Method.SAMPLED
        assert sum(one.shapley for one in found.parties) == pytest.approx(
            diminishing(frozenset(SEVEN)) - 0.5, abs=1e-12
        )
        off += [(one.shapley - exact[one.party]) / one.error for one in found.parties]
    assert abs(np.mean(off)) < 0.5
    assert np.std(off) == pytest.approx(1.0, abs=0.25)


def measure_contribution_exactly(parties: tuple[str, ...]) -> dict[str, float]:
    values = {c: Fraction(diminishing(c)) for c in all_coalitions(parties)}
    return {party: float(value) for party, value in exact_values(parties, values).items()}


def test_the_error_is_the_deviation_of_pairs_over_the_root_of_their_number() -> None:
    pairs: dict[str, list[float]] = {name: [] for name in SEVEN}
    for order in orders(SEVEN, seed=4, pairs=6):
        for name in SEVEN:
            gains = []
            for walked in (order, order[::-1]):
                before = frozenset(walked[: walked.index(name)])
                gains.append(diminishing(before | {name}) - diminishing(before))
            pairs[name].append(sum(gains) / 2)
    found = measure_contribution(SEVEN, diminishing, seed=4, pairs=6)
    for one in found.parties:
        gains = pairs[one.party]
        assert one.shapley == pytest.approx(np.mean(gains), abs=1e-12)
        assert one.error == pytest.approx(np.std(gains, ddof=1) / 6**0.5, rel=1e-9)


def test_a_game_in_which_all_add_alone_has_no_sampling_error() -> None:
    found = measure_contribution(SEVEN, lambda c: len(c) / 8, seed=3, pairs=4)
    assert [(one.shapley, one.error) for one in found.parties] == [(0.125, 0.0)] * 7
    assert sum(found.shares_bp.values()) == 10_000


def test_the_sampled_orders_are_these_on_every_machine_and_all_alike_likely() -> None:
    assert ["".join(order) for order in orders(("a", "b", "c"), seed=7, pairs=3)] == [
        "bca",
        "cba",
        "abc",
    ]
    firsts = [order[0] for order in orders(SEVEN, seed=1, pairs=3_500)]
    assert all(420 < firsts.count(name) < 580 for name in SEVEN)  # 500, four deviations: 83


@pytest.mark.parametrize("parties", [("a",), ("a", "b", "c", "d"), SEVEN])
def test_anybody_recomputes_the_shares_from_the_evidence(parties: tuple[str, ...]) -> None:
    found = measure_contribution(parties, diminishing, seed=9, pairs=10)
    evidence = evidence_of(found)
    assert canonical_json(json.loads(evidence)) == evidence
    assert recompute(evidence) == found


def _with(document: dict[str, Any], path: tuple[Any, ...], value: object) -> bytes:
    changed = json.loads(json.dumps(document))
    at = changed
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return canonical_json(changed)


def _in_order(coalition: dict[str, Any]) -> tuple[int, list[str]]:
    return len(coalition["members"]), coalition["members"]


@pytest.mark.parametrize("parties", [("a", "b", "c"), SEVEN])
def test_evidence_that_says_anything_else_is_refused(parties: tuple[str, ...]) -> None:
    evidence = evidence_of(measure_contribution(parties, diminishing, seed=9, pairs=5))
    good = json.loads(evidence)
    share = good["parties"][0]["shareBp"]
    stranger = {"members": ["stranger"], "value": 0.5}
    changes: list[tuple[tuple[Any, ...], object]] = [
        (("parties", 0, "shareBp"), share + 1),
        (("parties", 0, "shapley"), 0.25),
        (("parties", 0, "error"), 0.25),
        (("parties", 0, "last"), 0.25),
        (("parties", 0, "party"), "z"),
        (("parties", 1), good["parties"][0]),
        (("parties",), []),
        (("coalitions", 3, "value"), 0.9),
        (("coalitions", 3, "value"), "0.9"),
        (("coalitions", 3, "value"), 1e12),
        (("coalitions",), good["coalitions"][:-1]),
        (("coalitions",), [*good["coalitions"], good["coalitions"][0]]),
        (("coalitions", 1, "members"), ["stranger"]),
        (("coalitions",), sorted([*good["coalitions"], stranger], key=_in_order)),
        (("coalitions",), good["coalitions"][::-1]),
        (("seed",), 10 if good["seed"] is not None else 1),
        (("method",), "sampled" if good["method"] == "exact" else "exact"),
        (("rule",), "other/1"),
        (("format",), "tallystick-contribution/2"),
        (("more",), 1),
    ]
    for path, value in changes:
        with pytest.raises(EvidenceInvalid, match="evidence"):
            recompute(_with(good, path, value))
    for rubbish in (b"", b"[]", evidence + b" ", evidence[:-1]):
        with pytest.raises(EvidenceInvalid):
            recompute(rubbish)


def test_games_out_of_bounds_are_refused() -> None:
    for parties in ((), ("a", "a"), tuple(str(n) for n in range(65)), ("",), ("x" * 65,)):
        with pytest.raises(GameInvalid):
            measure_contribution(parties, diminishing, seed=0)
    for value in (float("nan"), float("inf"), 2e9):
        with pytest.raises(GameInvalid, match="value"):
            measure_contribution(("a",), lambda c, v=value: v, seed=0)
    for seed, pairs in ((-1, 5), (2**53, 5), (0, 0), (0, 10_001)):
        with pytest.raises(GameInvalid, match="pairs"):
            measure_contribution(SEVEN, diminishing, seed=seed, pairs=pairs)
    with pytest.raises(GameInvalid, match="coalitions"):
        measure_contribution(
            tuple(f"p{n:02d}" for n in range(60)), diminishing, seed=0, pairs=10_000
        )


def test_on_the_public_data_bank_and_partner_share_what_their_columns_add(
    shared_data: Path,
) -> None:
    credit = load_credit(shared_data)
    columns = {"bank": credit.guest.matrix(), "partner": credit.host.matrix()}
    train, test = credit.train[:6_000], credit.test
    scores: dict[Coalition, np.ndarray] = {}
    for coalition in all_coalitions(columns)[1:]:
        x = np.hstack([columns[name] for name in sorted(coalition)])
        model = LogisticRegression(max_iter=300).fit(x[train], credit.label[train])
        scores[coalition] = model.decision_function(x[test])
    label = credit.label[test]
    found = measure_contribution(columns, value_of_scores(label, scores, baseline=0.5), seed=0)
    bank, partner = found.parties
    assert bank.shapley + partner.shapley == pytest.approx(bank.first + partner.last, abs=1e-12)
    assert partner.share_bp > bank.share_bp > 1_000  # the partner's columns say more
    (uplift,) = source_uplifts(label, scores, ["bank"], seed=1, times=200)
    assert uplift.added.value == pytest.approx(partner.last, abs=1e-12)
    assert uplift.added == uplift.missed  # of two, what it adds is what is missed
    assert uplift.added.low > 0.01
    with pytest.raises(GameInvalid, match="base"):
        source_uplifts(label, scores, ["bank", "partner"], seed=1)
    del scores[frozenset(("bank",))]
    with pytest.raises(GameInvalid, match="no scores"):
        source_uplifts(label, scores, ["bank"], seed=1)
