"""Runs and records as JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.runs import (
    RunInvalid,
    Stage,
    StageRecord,
    conversation_id,
    read_record,
    read_run,
    run_document,
    run_hash,
    write_record,
    write_run,
)
from tests.federation.runs.runs import run_of

pytestmark = pytest.mark.feature("D1")

RUN = run_of(
    Stage("aligning", "alignment", {"pad": True, "to": [1, 2.5, None]}, timeout_s=60),
    Stage("training", "trees", parties=("bank", "maker")),
)


def test_a_run_comes_back_as_it_was() -> None:
    assert read_run(write_run(RUN)) == RUN


def test_the_hash_is_of_everything() -> None:
    changed = [
        replace(RUN, id="0x02"),
        replace(RUN, project="other"),
        replace(RUN, parties=("bank", "maker", "other")),
        replace(RUN, stages=RUN.stages[:1]),
        replace(RUN, stages=(replace(RUN.stages[0], config={"pad": False}), RUN.stages[1])),
    ]
    assert len({run_hash(one) for one in [RUN, *changed]}) == len(changed) + 1


def test_no_two_tries_share_a_conversation() -> None:
    other = replace(RUN, id="0x02")
    ids = {
        conversation_id(run, stage, attempt)
        for run in (RUN, other)
        for stage in run.stages
        for attempt in (1, 2)
    }
    assert len(ids) == 8


@pytest.mark.parametrize(
    ("place", "change"),
    [
        ("id", {"id": "7"}),
        ("id", {"id": "0x"}),
        ("project", {"project": "two words"}),
        ("agreement", {"agreement": "0x11"}),
        ("code", {"code": "0x" + "G" * 64}),
        ("parties", {"parties": ()}),
        ("parties", {"parties": ("bank", "bank", "maker", "platform")}),
        ("parties", {"parties": ("Bank", "maker")}),
        ("parties", {"parties": tuple(f"p{n}" for n in range(65))}),
        ("stages", {"stages": ()}),
        ("stages", {"stages": (Stage("a", "b"), Stage("a", "c"))}),
        ("stages", {"stages": (Stage("a b", "b"),)}),
        ("stages", {"stages": (Stage("a\n", "b"),)}),
        ("stages", {"stages": (Stage("a", "b", timeout_s=0),)}),
        ("stages", {"stages": (Stage("a", "b", parties=("stranger",)),)}),
        ("stages", {"stages": (Stage("a", "b", parties=("bank", "bank")),)}),
        ("run", {"stages": (Stage("a", "b", {"x": float("inf")}),)}),
        ("run", {"stages": (Stage("a", "b", {"x": "y" * 300_000}),)}),
    ],
)
def test_a_run_beyond_its_bounds_is_refused(place: str, change: dict[str, object]) -> None:
    with pytest.raises(RunInvalid) as caught:
        write_run(replace(RUN, **change))  # type: ignore[arg-type]  # fields by name
    assert place in caught.value.place


def test_what_is_nested_too_deeply_is_refused() -> None:
    deep: object = 1
    for _ in range(20):
        deep = [deep]
    with pytest.raises(RunInvalid):
        write_run(replace(RUN, stages=(Stage("a", "b", {"x": deep}),)))  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"id":"0x01"}',
        b"\xff",
        b'{"id":"0x01","id":"0x01"}',
    ],
)
def test_what_is_no_run_is_refused(data: bytes) -> None:
    with pytest.raises(RunInvalid):
        read_run(data)


def test_an_unknown_field_is_refused() -> None:
    document = {**run_document(RUN), "also": 1}
    with pytest.raises(RunInvalid, match="also"):
        read_run(json.dumps(document).encode())


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_of_a_peer_raise_anything_else(data: bytes) -> None:
    for read in (read_run, read_record):
        try:
            read(data)
        except RunInvalid:
            continue
        raise AssertionError("nothing that short is valid")


numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-1e15, 1e15)
jsons: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | numbers | st.text(st.characters(codec="utf-8"), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=8), jsons, max_size=4),
    st.text(st.characters(codec="utf-8"), max_size=500),
    st.integers(1, 1000),
)
def test_a_record_comes_back_as_it_was(result: dict[str, object], reason: str, n: int) -> None:
    record = StageRecord(
        "training",
        "bank",
        n,
        "failed",
        result,  # type: ignore[arg-type]  # any JSON
        reason,
        "maker",
        True,
        n,
    )
    assert read_record(write_record(record)) == record
