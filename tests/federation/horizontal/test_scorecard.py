"""Scorecards: the same as on pooled rows, whoever has them; resumed, interrupted, refused."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from federation.channel import Message
from federation.horizontal import (
    Cutting,
    ScorecardAlgorithm,
    ScorecardSettings,
    SettingsRefused,
    TableRefused,
    TaskRefused,
    TrainingEnded,
)
from federation.horizontal.documents import evidence
from federation.masking import MaskingEnded
from federation.tables import Table

pytestmark = pytest.mark.feature("D3")


@pytest.fixture
def settings(fields) -> ScorecardSettings:
    return ScorecardSettings(fields, Cutting(bins=4, cells=32, parts=4))


@pytest.fixture
def algorithm(settings) -> ScorecardAlgorithm:
    return ScorecardAlgorithm(settings)


def test_it_is_the_regression_that_scikit_learn_finds_on_pooled_rows(
    consortium, algorithm, settings, rows
):
    table, label = rows(900)
    model = consortium(3).train(algorithm).training.model
    design = evidence(model.knowledge, settings.names, table)
    peer = LogisticRegression(C=1 / settings.ridge, tol=1e-10, max_iter=1_000).fit(design, label)
    assert np.allclose(model.knowledge.weights[1:], peer.coef_[0], atol=1e-5)
    assert model.knowledge.weights[0] == pytest.approx(peer.intercept_[0], abs=1e-5)
    assert np.allclose(model.score(table), peer.decision_function(design), atol=1e-4)


def test_weights_of_evidence_are_those_of_the_pooled_counts(consortium, algorithm, rows):
    table, label = rows(900)
    known = consortium(4).train(algorithm).training.model.knowledge
    for place, name in enumerate(("age", "limit", "used", "late")):
        index = known.bins[place].index(table.column(name))
        prior = label.mean()
        counted = []
        for number in range(known.bins[place].count):
            bads, goods = label[index == number].sum(), (1 - label[index == number]).sum()
            share = (goods + 1 - prior) / (label.size - label.sum())
            counted.append(np.log(share) - np.log((bads + prior) / label.sum()))
        counted = np.array(counted)
        sizes = np.bincount(index, minlength=len(counted))
        centred = counted - (counted * sizes).sum() / sizes.sum()
        assert np.allclose(known.woe[place], centred, atol=1e-9)


def test_it_does_not_matter_how_the_rows_are_dealt(consortium, algorithm, deal, rows):
    models = [
        consortium(parts=deal(*rows(900), banks, seed)).train(algorithm).training.model
        for banks, seed in ((3, 1), (6, 2))
    ]
    assert models[0].knowledge.edges == models[1].knowledge.edges
    assert models[0].knowledge.woe == models[1].knowledge.woe
    assert np.allclose(*(model.knowledge.weights for model in models), atol=1e-7)


def test_every_bank_has_the_servers_model_and_each_round_a_record(consortium, algorithm):
    outcome = consortium(3).train(algorithm)
    model = outcome.training.model.to_json()
    assert all(part.model.to_json() == model for part in outcome.banks.values())
    records = outcome.training.rounds
    assert [one.ask for one in records[:4]] == ["cells", "finer", "woe", "newton"]
    assert [one.number for one in records] == list(range(1, len(records) + 1))
    assert all(one.participants == ["bank-0", "bank-1", "bank-2"] for one in records)
    losses = [one.loss for one in records[3:]]
    assert losses == sorted(losses, reverse=True)
    assert len({one.model for one in records}) == len(records)
    assert json.loads(records[0].to_json())["epsilon_millionths"] == 0
    assert outcome.training.model.digest().hex() in "".join(
        part.model.digest().hex() for part in outcome.banks.values()
    )


@pytest.mark.parametrize("stop_after", [1, 3, 5])
def test_a_training_goes_on_after_any_round(consortium, algorithm, stop_after):
    group = consortium(3)
    whole = group.train(algorithm).training.model
    first = group.train(algorithm, stop_after=stop_after)
    assert first.training is None
    second = group.train(algorithm, states=first.states)
    assert second.training is not None, second.error
    assert second.training.rounds[0].number == stop_after + 1
    assert second.training.model == whole


def test_a_round_that_had_its_sum_is_not_had_again(consortium, algorithm):
    group = consortium(3)
    first = group.train(algorithm, stop_after=3)
    older = group.train(algorithm, stop_after=2)
    states = {**first.states, "operator": older.states["operator"]}
    outcome = group.train(algorithm, states=states)
    assert isinstance(outcome.error, MaskingEnded)
    assert all("has had its sum" in str(end) for end in outcome.banks.values())


def test_a_bank_that_leaves_is_named_and_the_rest_finish(consortium, algorithm, stopped):
    group = consortium(4, threshold=3)

    def leave(_to: str, message: Message) -> Message:
        if message.kind == "mask/vector" and message.body["step"] == "4/newton":
            raise stopped
        return message

    group.changes = {"bank-2": leave}
    outcome = group.train(algorithm)
    assert outcome.training is not None, outcome.error
    (fault,) = outcome.training.faults
    assert (fault.party, fault.step, fault.kind) == ("bank-2", "4/newton", "gone")
    assert outcome.records[2].participants == ["bank-0", "bank-1", "bank-2", "bank-3"]
    assert outcome.records[3].participants == ["bank-0", "bank-1", "bank-3"]
    assert [one["party"] for one in outcome.records[3].faults] == ["bank-2"]
    assert outcome.records[4].faults == []
    for name in ("bank-0", "bank-1", "bank-3"):
        assert outcome.banks[name].model == outcome.training.model


def test_too_few_banks_end_it_for_all_with_names_and_it_goes_on_later(
    consortium, algorithm, stopped
):
    group = consortium(3)

    def leave(_to: str, message: Message) -> Message:
        if message.kind == "mask/keys" and message.body["step"].startswith("5/"):
            raise stopped
        return message

    group.changes = {"bank-1": leave}
    outcome = group.train(algorithm)
    assert isinstance(outcome.error, MaskingEnded)
    assert outcome.error.missing == ("bank-1",)
    for name in ("bank-0", "bank-2"):
        assert "bank-1" in str(outcome.banks[name])
    group.changes = {}
    again = group.train(algorithm, states=outcome.states)
    assert again.training is not None, again.error
    assert again.training.model == group.train(algorithm).training.model


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda b: {**b, "ask": "moments"} if b.get("ask") == "newton" else b, "'moments' 1 times"),
        (lambda b: {**b, "ask": "cells"} if b.get("ask") == "woe" else b, "'cells' 2 times"),
        (lambda b: {**b, "round": 9} if b.get("ask") == "woe" else b, "round 9 comes after"),
        (lambda b: {**b, "settings": bytes(32)} if "settings" in b else b, "not those that we"),
    ],
)
def test_a_bank_answers_only_what_was_agreed(consortium, algorithm, change, words):
    group = consortium(3)

    def lie(_to: str, message: Message) -> Message:
        if message.kind.startswith("horizontal/"):
            return Message(message.kind, change(dict(message.body)))
        return message

    group.changes = {"operator": lie}
    outcome = group.train(algorithm)
    for end in outcome.banks.values():
        assert isinstance(end, TaskRefused)
        assert end.party == "operator"
        assert words in str(end)


def test_a_bank_with_other_settings_is_missing_and_named(consortium, algorithm, settings):
    group = consortium(4, threshold=3)
    group.settings_of = {"bank-0": ScorecardAlgorithm(replace(settings, ridge=2.0))}
    outcome = group.train(algorithm)
    assert isinstance(outcome.banks["bank-0"], TaskRefused)
    assert [fault.party for fault in outcome.training.faults] == ["bank-0"]
    assert outcome.records[0].participants == ["bank-1", "bank-2", "bank-3"]


def test_a_table_that_does_not_fit_is_refused(algorithm, rows):
    table, label = rows(50)
    for bad_table, bad_label, words in (
        (table.without("age"), label, "no field age"),
        (table, label[:-1], "label"),
        (table, label + 1, "label"),
        (Table((), {name: np.empty(0) for name in table.fields}), label[:0], "0 rows"),
    ):
        with pytest.raises(TableRefused, match=words):
            algorithm.side(bad_table, bad_label)


def test_all_of_one_class_ends_it_for_everybody(consortium, algorithm, rows):
    table, label = rows(300)
    ones = [(table.take(np.arange(n, n + 100)), label[:100] * 0) for n in (0, 100, 200)]
    outcome = consortium(parts=ones).train(algorithm)
    assert isinstance(outcome.error, TrainingEnded)
    for end in outcome.banks.values():
        assert isinstance(end, TrainingEnded)
        assert "no bads" in str(end)


@pytest.mark.parametrize(
    "change",
    [
        {"ridge": 0.0},
        {"rounds": 0},
        {"tolerance": 1.0},
        {"smoothing": 0.0},
        {"fields": ()},
        {"cutting": Cutting(bins=1)},
        {"cutting": Cutting(cells=2_000)},
        {"cutting": Cutting(parts=0)},
    ],
)
def test_settings_that_are_none_are_refused(settings, change):
    with pytest.raises(SettingsRefused):
        ScorecardAlgorithm(replace(settings, **change))


def test_fields_need_ranges_and_rising_codes(settings, fields):
    for bad in (
        replace(fields[0], low=4.0),
        replace(fields[0], high=float("inf")),
        replace(fields[3], codes=(1.0, 1.0)),
        replace(fields[3], codes=(1.0,)),
        fields[1],
    ):
        with pytest.raises(SettingsRefused):
            ScorecardAlgorithm(replace(settings, fields=(bad, *fields[1:])))


def test_a_state_of_other_settings_is_refused(consortium, algorithm, settings):
    group = consortium(3)
    states = group.train(algorithm, stop_after=2).states
    other = ScorecardAlgorithm(replace(settings, ridge=3.0))
    with pytest.raises(SettingsRefused, match="other settings"):
        raise group.train(other, states={"operator": states["operator"]}).error
    outcome = group.train(other, states={"bank-0": states["bank-0"]})
    assert isinstance(outcome.banks["bank-0"], SettingsRefused)


@pytest.mark.feature("D4")
def test_nothing_of_a_banks_rows_stands_in_the_transcript(consortium, algorithm):
    group = consortium(3)
    outcome = group.train(algorithm)
    everything = b"|".join(data for _sender, _to, data in outcome.transcript)
    for table, label in group.parts:
        needles = [name.encode() for name in table.ids]
        needles += [name.encode("utf-16-le") for name in table.ids]
        needles += [name.encode().hex().encode() for name in table.ids]
        for column in (table.column("age"), table.column("limit"), table.column("used")):
            values = column[~np.isnan(column)]
            needles += [value.tobytes() for value in values]
            needles += [value.tobytes()[::-1] for value in values]
            needles += [repr(float(value)).encode() for value in values]
        needles += [label.tobytes(), label.astype("<i8").tobytes(), label.astype("<f8").tobytes()]
        assert not [needle for needle in needles if needle in everything]
