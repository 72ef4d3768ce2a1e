"""Sums are exact for whoever stays, and end cleanly where too few do."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from federation.channel import Message, MessageUnexpected, PartyGone
from federation.masking import MaskingEnded, SumImpossible, VectorRefused

pytestmark = pytest.mark.feature("D4")

STAGES = ("mask/keys", "mask/shares", "mask/vector", "mask/consent", "mask/unmask")
COUNTED = ("mask/consent", "mask/unmask")
"""Who ends before one of these has sent its vector: it is in the sum."""


@pytest.mark.parametrize("count", [3, 4, 7])
def test_the_sum_is_exact_and_everybody_knows_who_is_in_it(parties, count):
    group = parties(count)
    outcome = group.run()
    members = group.group.members
    assert outcome.total is not None
    assert outcome.total.parties == members
    assert not outcome.total.faults
    assert np.array_equal(outcome.total.values, group.sum_of(members))
    assert outcome.members == dict.fromkeys(members, members)


def ended(group, outcome, dead, stages):
    """The sum of those who sent a vector, and everybody dead named."""
    members = group.group.members
    counted = tuple(
        party for party in members if party not in dead or stages[dead.index(party)] in COUNTED
    )
    assert outcome.error is None, outcome.error
    assert outcome.total.parties == counted
    assert np.array_equal(outcome.total.values, group.sum_of(counted))
    assert {fault.party for fault in outcome.total.faults} == set(dead)
    assert {fault.kind for fault in outcome.total.faults} == {"gone"}
    for party in set(members) - set(dead):
        assert outcome.members[party] == counted


def test_any_one_of_four_may_end_at_any_stage(parties, kill):
    for party, stage in itertools.product(range(4), STAGES):
        group = parties(4, 3)
        dead = (group.group.members[party],)
        group.changes = {dead[0]: kill(stage)}
        ended(group, group.run(), dead, (stage,))


def test_any_two_of_five_may_end_at_any_stages(parties, kill):
    draw = np.random.default_rng(5)
    pairs = list(itertools.combinations(range(5), 2))
    for places in pairs:
        stages = tuple(draw.choice(STAGES, 2))
        group = parties(5, 3)
        dead = tuple(group.group.members[place] for place in places)
        group.changes = {one: kill(stage) for one, stage in zip(dead, stages, strict=True)}
        ended(group, group.run(), dead, stages)


@pytest.mark.slow
def test_every_set_of_dropouts_at_every_stage(parties, kill):
    for places in itertools.combinations(range(5), 2):
        for stages in itertools.product(STAGES, repeat=2):
            group = parties(5, 3)
            dead = tuple(group.group.members[place] for place in places)
            group.changes = {one: kill(stage) for one, stage in zip(dead, stages, strict=True)}
            ended(group, group.run(), dead, stages)


@pytest.mark.parametrize("stage", STAGES)
def test_below_the_threshold_everybody_gets_a_named_end(parties, kill, stage):
    group = parties(4, 3)
    dead = group.group.members[:2]
    group.changes = {one: kill(stage) for one in dead}
    outcome = group.run()
    assert isinstance(outcome.error, MaskingEnded)
    assert set(outcome.error.missing) >= set(dead)
    for one in dead:
        assert one in str(outcome.error)
    for party in group.group.members[2:]:
        end = outcome.members[party]
        if stage == "mask/unmask":
            assert end == group.group.members  # it had given its share, and knows the set
        else:
            assert isinstance(end, MaskingEnded)
            assert dead[0] in str(end)


def test_a_silent_member_is_left_out_and_the_others_wait_for_the_server(parties):
    group = parties(5, 3)
    group.timeout_s = 0.3
    quiet = group.group.members[:2]
    group.changes = {
        one: lambda _to, message: None if message.kind == "mask/vector" else message
        for one in quiet
    }
    outcome = group.run()
    assert outcome.total is not None
    assert outcome.total.parties == group.group.members[2:]
    assert np.array_equal(outcome.total.values, group.sum_of(group.group.members[2:]))
    assert {(fault.party, fault.kind) for fault in outcome.total.faults} == {
        (one, "silent") for one in quiet
    }
    for one in quiet:
        assert isinstance(outcome.members[one], MaskingEnded | PartyGone)
        assert "sent no" in str(outcome.members[one])


def test_who_left_in_one_step_is_not_asked_in_the_next(parties, kill):
    group = parties(4, 3)
    dead = group.group.members[1]
    group.changes = {dead: kill("mask/vector")}
    outcome = group.run("step/2", ("step/1",))
    assert outcome.total is not None
    assert outcome.total.parties == tuple(p for p in group.group.members if p != dead)
    assert not outcome.total.faults


def broken(**body):
    def change(_to: str, message: Message) -> Message:
        if message.kind == "mask/vector":
            return Message(message.kind, {**message.body, **body})
        return message

    return change


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"values": np.zeros(6, dtype="<u8")}, "shape"),
        ({"values": np.zeros(7, dtype="<i8")}, "int64"),
        ({"values": np.zeros((7, 1), dtype="<u8")}, "shape"),
        ({"values": b"\0" * 56}, "array"),
        ({"step": "step/0"}, "step"),
    ],
)
def test_a_vector_that_is_none_is_named_and_left_out(parties, body, words):
    group = parties(5, 3)
    liar = group.group.members[2]
    group.changes = {liar: broken(**body)}
    outcome = group.run()
    rest = tuple(party for party in group.group.members if party != liar)
    assert outcome.total is not None
    assert outcome.total.parties == rest
    assert np.array_equal(outcome.total.values, group.sum_of(rest))
    (fault,) = outcome.total.faults
    assert (fault.party, fault.kind) == (liar, "invalid")
    assert words in fault.detail
    assert isinstance(outcome.members[liar], MaskingEnded)


def test_a_message_of_another_kind_is_named(parties):
    group = parties(5, 3)
    liar = group.group.members[0]
    group.changes = {
        liar: lambda _to, m: Message("mask/unmask", m.body) if m.kind == "mask/shares" else m
    }
    outcome = group.run()
    assert outcome.total is not None
    (fault,) = outcome.total.faults
    assert fault.party == liar
    assert fault.kind == "invalid"
    assert str(MessageUnexpected(liar, "mask/shares", "mask/unmask")) == fault.detail


def test_a_member_refuses_a_vector_of_its_own_beyond_the_bound(parties):
    group = parties(3)
    first = group.group.members[0]
    group.vectors[first] = group.vectors[first].copy()
    group.vectors[first][3] = 1_001
    outcome = group.run()
    assert isinstance(outcome.members[first], VectorRefused)
    assert "1001" in str(outcome.members[first])
    assert isinstance(outcome.error, MaskingEnded)
    assert first in outcome.error.missing


def test_a_sum_beyond_what_the_bounds_allow_is_refused(parties):
    group = parties(4)
    liar = group.group.members[3]
    group.vectors[liar] = np.full(7, 50_000)
    group.bounds[liar] = 50_000
    outcome = group.run()
    assert isinstance(outcome.error, SumImpossible)
    assert outcome.error.parties == group.group.members


def test_wrong_shares_are_found_among_the_others_and_named(parties):
    group = parties(5, 3)
    liar = group.group.members[4]

    def change(_to: str, message: Message) -> Message:
        if message.kind != "mask/unmask":
            return message
        shares = bytearray(message.body["shares"])
        shares[20] ^= 1
        return Message(message.kind, {**message.body, "shares": bytes(shares)})

    group.changes = {liar: change}
    outcome = group.run()
    assert outcome.total is not None
    assert np.array_equal(outcome.total.values, group.sum_of(group.group.members))
    (fault,) = outcome.total.faults
    assert (fault.party, fault.kind) == (liar, "share")
    assert group.group.members[0] in fault.detail


def test_shares_that_cannot_be_opened_are_named_and_not_needed(parties):
    group = parties(5, 3)
    dealer = group.group.members[1]

    def change(_to: str, message: Message) -> Message:
        if message.kind != "mask/shares":
            return message
        sealed = bytearray(message.body["sealed"])
        sealed[0] ^= 1  # the letter to the first of the others
        return Message(message.kind, {**message.body, "sealed": bytes(sealed)})

    group.changes = {dealer: change}
    outcome = group.run()
    assert outcome.total is not None
    assert np.array_equal(outcome.total.values, group.sum_of(group.group.members))
    (fault,) = outcome.total.faults
    assert (fault.party, fault.kind) == (dealer, "share")
    assert group.group.members[0] in fault.detail
