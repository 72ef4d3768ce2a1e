"""A party that sends what it should not is named, and nothing comes of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from federation.channel import ChannelError, MessageInvalid, Value
from federation.scorecard import PartsWrong, PartyWrong, ScorecardError, ScorecardSettings
from federation.sums import SumsError
from tests.federation.scorecard.parties import GUEST, PLAIN, Alter, World, fit, invented

pytestmark = pytest.mark.feature("D8")

Body = dict[str, Value]
WORLD = invented(rows=200, hosts=2)


def _with(**changed: Any) -> Alter:
    return lambda body: body | changed


def _rows(change: Any) -> Alter:
    return lambda body: body | {"rows": change([list(one) for one in body["rows"]])}  # type: ignore[union-attr, arg-type]


def _plain(*values: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    data = b"".join(one.to_bytes(128, "big", signed=True) for one in values)
    return np.frombuffer(data, dtype=np.uint8).reshape(-1, 128)


HOST_LIES: list[tuple[str, Alter]] = [
    ("scorecard/counts", _with(rows=[])),
    ("scorecard/counts", _with(rows="all")),
    ("scorecard/counts", _rows(lambda rows: [[-1, *rows[0][1:]], *rows[1:]])),
    ("scorecard/counts", _rows(lambda rows: [[10**9, *rows[0][1:]], *rows[1:]])),
    ("scorecard/counts", _rows(lambda rows: [[0] * len(one) for one in rows])),
    ("scorecard/counts", _rows(lambda rows: rows[:1])),
    ("scorecard/counts", _with(bads=_plain(-1))),
    ("scorecard/counts", _with(bads=_plain(1 << 900))),
    ("scorecard/counts", _with(bads=np.zeros((1, 5), dtype=np.uint8))),
    ("scorecard/counts", lambda body: {"rows": body["rows"]}),
    ("scorecard/counts", _with(more=1)),
    ("scorecard/moments", _with(guest=_plain(1))),
    ("scorecard/moments", _with(own=_plain(-(1 << 50)))),
    ("scorecard/moments", lambda body: {"guest": body["guest"], "own": body["own"]}),
    ("scorecard/moments", _with(hosts=[{"party": "host1", "features": 2, "totals": _plain(1)}])),
]


@pytest.mark.parametrize("number", range(len(HOST_LIES)))
def test_a_host_that_lies_is_named_by_the_guest(number: int) -> None:
    kind, alter = HOST_LIES[number]
    fitted = fit(WORLD, liar=("host1", kind, alter))
    error = fitted.errors[GUEST]
    assert isinstance(error, PartyWrong | MessageInvalid)
    assert error.party == "host1"
    assert fitted.guest is None


@pytest.mark.parametrize(
    ("kind", "alter"),
    [
        ("scorecard/rows", _with(features=0)),
        ("scorecard/rows", _with(rows=[])),
        ("scorecard/rows", _with(rows=[np.zeros((3, 128), dtype=np.uint8)])),
        ("scorecard/rows", _with(rows=[7])),
        ("scorecard/seed", _with(seed=b"short")),
    ],
)
def test_a_host_that_lies_to_another_is_named_by_it(kind: str, alter: Alter) -> None:
    fitted = fit(WORLD, liar=("host0", kind, alter))
    error = fitted.errors["host1"]
    assert isinstance(error, PartyWrong | MessageInvalid)
    assert error.party == "host0"
    assert fitted.guest is None


@pytest.mark.parametrize(
    ("kind", "alter"),
    [
        ("scorecard/begin", _with(rows=199)),
        ("scorecard/begin", _with(settings=PLAIN.body() | {"rows_min": 1})),
        ("scorecard/begin", _with(offer={"scheme": "paillier"})),
        ("scorecard/begin", _with(offer={"scheme": [1]})),
        ("scorecard/begin", _with(label=np.zeros((199, 128), dtype=np.uint8))),
        ("scorecard/begin", _with(more=1)),
        ("scorecard/evidence", _with(evidence=[[1]])),
        ("scorecard/evidence", _with(evidence=[["1"], [2]])),
        ("scorecard/evidence", _with(evidence=[1])),
        ("scorecard/step", _with(groups=[])),
        ("scorecard/step", _with(weights=np.zeros((1, 128), dtype=np.uint8))),
        ("scorecard/weights", _with(weights=[1, True])),
        ("scorecard/weights", _with(weights=[1 << 40, 1])),
        ("scorecard/weights", _with(errors=np.array([1.0, np.nan]))),
        ("scorecard/weights", _with(errors=np.array([-1.0, 1.0]))),
    ],
)
def test_a_guest_that_lies_is_named_by_the_hosts(kind: str, alter: Alter) -> None:
    fitted = fit(WORLD, liar=(GUEST, kind, alter))
    named = [
        error
        for name, error in fitted.errors.items()
        if name != GUEST and isinstance(error, ScorecardError | ChannelError | SumsError)
    ]
    assert any(getattr(error, "party", "") == GUEST for error in named), fitted.errors
    assert not fitted.hosts


def test_a_key_that_hides_nothing_is_not_taken_where_another_scheme_was_agreed() -> None:
    fitted = fit(WORLD, PLAIN, host_settings=ScorecardSettings(scheme="paillier"))
    for name in WORLD.names:
        error = fitted.errors[name]
        assert isinstance(error, PartyWrong)
        assert error.party == GUEST


def test_who_has_other_rows_than_the_others_says_so() -> None:
    fewer = WORLD.hosts["host1"].take(np.arange(150))
    fitted = fit(World(WORLD.guest, WORLD.label, {**WORLD.hosts, "host1": fewer}))
    error = fitted.errors["host1"]
    assert isinstance(error, PartyWrong)
    assert "150" in str(error)
    assert fitted.guest is None


@pytest.mark.parametrize(("hosts", "raised"), [(1, PartyWrong), (2, PartsWrong)])
@pytest.mark.parametrize("part", [-(2**63), 2**62])
def test_parts_that_are_no_margins_are_told_and_nobody_innocent_is_named(
    hosts: int, raised: type[Exception], part: int
) -> None:
    told = np.full(200, part, dtype=np.int64).astype(np.uint64)
    liar = (f"host{hosts - 1}", "scorecard/forward", _with(margins=told))
    settings = ScorecardSettings(scheme="plain", rehearsal=True, steps=2)
    error = fit(invented(rows=200, hosts=hosts), settings, liar=liar).errors[GUEST]
    assert isinstance(error, raised)
    assert getattr(error, "party", "host0") == "host0"
