"""Banks that send scaled, rubbish or label-flipped updates are named, and do little."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from federation.channel import Message
from federation.horizontal import Cutting, NetAlgorithm, NetSettings, TrainingEnded
from federation.horizontal.robust import clipped_mean, combine, judge, mean, median, trimmed_mean
from federation.measures import auc

pytestmark = pytest.mark.feature("D8")


@pytest.fixture
def settings(fields) -> NetSettings:
    cutting = Cutting(bins=4, cells=16, parts=1)
    return NetSettings(fields, cutting, hidden=5, rounds=8, masked=False, seed=3)


def attack(values):
    def change(_to: str, message: Message) -> Message:
        if message.kind == "horizontal/answer":
            given = message.body["values"]
            new = np.concatenate([given[:2], values(given[2:])])
            return Message(message.kind, {**message.body, "values": new})
        return message

    return change


def rubbish(update):
    drawn = np.random.default_rng(int(abs(update[0]) * 1e9)).normal(0, 1, update.size)
    return drawn * np.linalg.norm(update) / np.linalg.norm(drawn)


ATTACKS = {
    "scaled": (lambda update: 50 * update, {"scaled"}),
    "turned and scaled": (lambda update: -20 * update, {"scaled"}),
    "rubbish": (rubbish, {"rubbish", "against"}),
    "no numbers": (lambda update: update * np.nan, {"rubbish"}),
    "turned": (lambda update: -update, {"against"}),
}


def honest_model(consortium, settings):
    return consortium(5, 1_500, threshold=3).train(NetAlgorithm(settings)).training.model


CASES = [*((name, "mean") for name in ATTACKS), ("turned", "median"), ("rubbish", "trimmed")]


@pytest.mark.parametrize(("name", "how"), CASES)
def test_an_attacker_is_named_and_left_out_and_the_model_is_as_good(
    consortium, settings, rows, name, how
):
    values, kinds = ATTACKS[name]
    group = consortium(5, 1_500, threshold=3)
    group.changes = {"bank-3": attack(values)}
    outcome = group.train(NetAlgorithm(replace(settings, combine=how)))
    assert outcome.training is not None, outcome.error
    assert {fault.party for fault in outcome.training.faults} == {"bank-3"}
    assert {fault.kind for fault in outcome.training.faults} <= kinds
    assert outcome.records[-1].participants == ["bank-0", "bank-1", "bank-2", "bank-4"]
    named = [one for record in outcome.records for one in record.faults]
    assert {one["party"] for one in named} == {"bank-3"}
    assert len(named) == 3  # two warnings, then it is asked no more
    table, label = rows(2_000, 8)
    honest = auc(label, honest_model(consortium, settings).score(table))
    assert auc(label, outcome.training.model.score(table)) > honest - 0.01


def test_flipped_labels_are_seen_in_the_update(consortium, settings, rows):
    group = consortium(5, 1_500, threshold=3)
    table, label = group.parts[1]
    honest = group.train(NetAlgorithm(settings))
    assert not honest.training.faults
    group.parts[1] = (table, (1 - label).astype(np.uint8))
    # Its counts of bads are under masks, where nobody sees that they are turned.
    outcome = group.train(NetAlgorithm(settings))
    assert outcome.training is not None, outcome.error
    assert {fault.party for fault in outcome.training.faults} == {"bank-1"}
    assert {fault.kind for fault in outcome.training.faults} <= {"against", "rubbish"}
    test_table, test_label = rows(2_000, 8)
    honest_auc = auc(test_label, honest.training.model.score(test_table))
    assert auc(test_label, outcome.training.model.score(test_table)) > honest_auc - 0.03


def test_rows_or_a_loss_that_are_none_are_named(consortium, settings):
    def change(_to: str, message: Message) -> Message:
        if message.kind == "horizontal/answer":
            values = message.body["values"].copy()
            values[0] = 1e12
            return Message(message.kind, {**message.body, "values": values})
        return message

    group = consortium(5, 600, threshold=3)
    group.changes = {"bank-0": change}
    outcome = group.train(NetAlgorithm(settings))
    assert [(f.party, f.kind) for f in outcome.training.faults] == [("bank-0", "rubbish")]
    assert isinstance(outcome.banks["bank-0"], TrainingEnded)
    assert "rows or loss" in str(outcome.banks["bank-0"])


def test_a_wrong_answer_is_named_and_too_few_end_it(consortium, settings):
    def change(_to: str, message: Message) -> Message:
        if message.kind == "horizontal/answer":
            return Message(message.kind, {**message.body, "values": np.zeros(3)})
        return message

    group = consortium(4, 600, threshold=4)
    group.changes = {"bank-2": change}
    outcome = group.train(NetAlgorithm(settings))
    assert isinstance(outcome.error, TrainingEnded)
    assert outcome.error.missing == ("bank-2",)
    for name in ("bank-0", "bank-1", "bank-3"):
        assert "bank-2" in str(outcome.banks[name])


rows_of_numbers = st.integers(3, 9).flatmap(
    lambda count: st.lists(
        st.lists(st.floats(-100, 100), min_size=3, max_size=3), min_size=count, max_size=count
    )
)


@examples(max_examples=40)
@given(rows_of_numbers, st.floats(-1e9, 1e9))
def test_one_bad_row_never_leads_the_median_or_trimmed_mean_beyond_the_others(honest, bad):
    updates = np.array([*honest, [bad] * 3])
    good = np.array(honest)
    for combined in (median(updates), trimmed_mean(updates)):
        assert (combined >= good.min(axis=0) - 1e-6).all()
        assert (combined <= good.max(axis=0) + 1e-6).all()
    bound = np.linalg.norm(good, axis=1).max()
    assert np.linalg.norm(clipped_mean(updates, np.ones(len(updates)))) <= bound + 1e-6


@examples(max_examples=40)
@given(rows_of_numbers)
def test_without_liars_all_ways_lie_within_the_updates(honest):
    updates = np.array(honest)
    weights = np.arange(1.0, len(updates) + 1)
    assert np.allclose(mean(updates, weights), np.average(updates, axis=0, weights=weights))
    for how in ("mean", "median", "trimmed"):
        combined = combine(how, updates, weights)
        assert (combined >= updates.min(axis=0) - 1e-9).all()
        assert (combined <= updates.max(axis=0) + 1e-9).all()


def test_banks_with_few_rows_are_not_taken_for_liars(consortium, settings):
    assert not consortium(5, 600, threshold=3).train(NetAlgorithm(settings)).training.faults


def test_among_three_nobody_is_judged_by_direction():
    updates = {"a": np.ones(3), "b": np.ones(3), "c": -np.ones(3)}
    assert judge(updates, updates) == {}
    assert set(judge({**updates, "c": np.full(3, np.inf)}, updates)) == {"c"}
