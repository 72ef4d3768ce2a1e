"""Stored parts and settings: canonical, and refused where they are no model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from federation.tables import Table
from federation.trees import (
    DataInvalid,
    GuestPart,
    PartInvalid,
    SettingsInvalid,
    TreeSettings,
)

pytestmark = pytest.mark.feature("D7")

Make = Callable[..., Any]


@pytest.fixture(scope="module")
def run(parties_of: Make, rehearsal: Make) -> Any:
    return parties_of(200, (2, 2)).fit(rehearsal())


def test_the_hash_is_of_the_canonical_json(run: Any) -> None:
    for part in (run.guest, run.hosts["host0"]):
        data = part.to_json()
        assert rfc8785.dumps(json.loads(data)) == data
        assert hashlib.sha256(data).digest() == part.digest


def test_json_that_is_not_canonical_is_refused(run: Any) -> None:
    data = run.guest.to_json()
    for other in (data + b" ", json.dumps(json.loads(data)).encode()):
        with pytest.raises(PartInvalid, match="canonical"):
            GuestPart.from_json(other)


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one.pop("run"),
        lambda one: one.update(more=1),
        lambda one: one.update(format="tallystick/trees-guest/2"),
        lambda one: one.update(rows=0),
        lambda one: one["settings"].update(trees=0),
        lambda one: one["settings"].update(surprise=1),
        lambda one: one.update(hosts=[]),
        lambda one: one["trees"][0].append({"leaf": 1.0}),
        lambda one: one["trees"][0][0].update(left=2),
        lambda one: one["trees"][0][0].update(left=400),
        lambda one: one["trees"].append([{"leaf": 1.0}, {"leaf": 2.0}]),
        lambda one: one["trees"].append([]),
        lambda one: one["trees"].append(
            [{"party": "host0", "number": 999, "left": 1, "right": 2}, {"leaf": 1}, {"leaf": 2}]
        ),
    ],
)
def test_a_part_that_is_no_model_is_refused(run: Any, change: Callable[[Any], None]) -> None:
    body = json.loads(run.guest.to_json())
    change(body)
    with pytest.raises(PartInvalid):
        GuestPart.from_json(rfc8785.dumps(body))


@given(st.data())
def test_damaged_parts_raise_nothing_but_that(run: Any, data: st.DataObject) -> None:
    for part in (run.guest, run.hosts["host0"]):
        stored = bytearray(part.to_json())
        place = data.draw(st.integers(0, len(stored) - 1))
        stored[place] ^= data.draw(st.integers(1, 255))
        try:
            type(part).from_json(bytes(stored))
        except PartInvalid:
            continue


def test_only_the_models_own_parties_may_ask_it(parties_of: Make, run: Any) -> None:
    parties = parties_of(200, (2, 2, 1))
    with pytest.raises(DataInvalid, match="own guest"):
        parties.score(type(run)(run.guest, dict.fromkeys(parties.hosts, run.hosts["host0"])))


def test_a_table_without_a_field_of_the_model_is_refused(parties_of: Make, run: Any) -> None:
    parties = parties_of(200, (2, 2))
    with pytest.raises(DataInvalid, match="no field"):
        parties.score(run, Table(parties.guest.ids, {}))


def test_new_rows_are_scored_one_by_one_as_together(parties_of: Make, run: Any) -> None:
    parties = parties_of(200, (2, 2), seed=5)
    together = parties.score(run)
    for place in (0, 77, 199):
        row = np.array([place])
        hosts = {name: table.take(row) for name, table in parties.hosts.items()}
        assert parties.score(run, parties.guest.take(row), hosts).tolist() == [together[place]]


@pytest.mark.parametrize(
    "wrong",
    [
        {"trees": 0},
        {"trees": True},
        {"depth": 9},
        {"bins": 1},
        {"bins": 256},
        {"learning_rate": float("nan")},
        {"l2": 0.0},
        {"gamma": -1.0},
        {"node_rows_min": 1},
        {"top_bp": 0, "other_bp": 0},
        {"top_bp": 6000, "other_bp": 5000},
        {"top_bp": 5000},
        {"guest_trees": 31},
        {"key_bits": 1024},
        {"scale_bits": 41},
        {"patience": 3},
        {"validation_bp": 1000},
        {"scheme": "rot13"},
        {"scheme": "plain"},
    ],
)
def test_settings_that_cannot_be_meant_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsInvalid):
        TreeSettings(**wrong)


def test_settings_have_one_hash_however_they_are_written() -> None:
    assert TreeSettings(l2=1).digest == TreeSettings(l2=1.0).digest
    assert TreeSettings().digest != TreeSettings(trees=31).digest
