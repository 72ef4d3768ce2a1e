"""Trust files follow the consortium: nobody's key is lost, and nobody asks for less."""

from __future__ import annotations

import pytest

from ledger.tlog import Ed25519Key, NoteVerifier, SignatureType
from nodes.network.trusting import drift_of, extended, trust_of_keys
from tests.nodes.network.members import FOUNDERS, TRUST
from tests.nodes.network.support import ORIGIN
from traceability.bundle.trust import KEYS_MAX

pytestmark = pytest.mark.feature("N1")

ACTIVE = [one.witness(ORIGIN) for one in FOUNDERS]


def witness(label: str) -> NoteVerifier:
    key = Ed25519Key.generate().public_key
    return NoteVerifier(f"{ORIGIN}/{label}", SignatureType.COSIGNATURE, key)


NEWCOMER = witness("newcomer")


def test_a_newcomer_is_added_and_the_threshold_grows() -> None:
    trust = extended(TRUST, [*ACTIVE, NEWCOMER], 4)
    assert set(trust.keys) == {*ACTIVE, NEWCOMER}
    assert (trust.threshold, trust.members.count) == (4, 5)
    assert trust.genesis == TRUST.genesis
    assert trust_of_keys(TRUST, [key.vkey for key in (*ACTIVE, NEWCOMER)]) == trust


def test_old_keys_stay_and_what_is_asked_for_never_sinks() -> None:
    rotated = NoteVerifier(ACTIVE[0].name, SignatureType.COSIGNATURE, NEWCOMER.public_key)
    trust = extended(TRUST, [rotated], 1)
    assert set(trust.keys) == {*ACTIVE, rotated}
    assert (trust.threshold, trust.members.count) == (3, 4)


def test_a_node_that_left_is_counted_no_longer_than_the_file_says() -> None:
    assert extended(TRUST, ACTIVE[:3], 3) == TRUST


def test_keys_of_other_logs_and_malformed_ones_do_not_count() -> None:
    other = NoteVerifier("other.example/x", SignatureType.COSIGNATURE, NEWCOMER.public_key)
    assert trust_of_keys(TRUST, [other.vkey, "nonsense", *(key.vkey for key in ACTIVE)]) == TRUST


def test_a_trust_file_holds_no_more_keys_than_it_can() -> None:
    trust = extended(TRUST, [witness(f"n-{number}") for number in range(KEYS_MAX)], 80)
    assert len(trust.keys) == KEYS_MAX
    assert not set(ACTIVE) & set(trust.keys)
    assert trust.threshold == 80


def test_an_operator_is_told_whom_the_file_lacks() -> None:
    assert drift_of(TRUST, ACTIVE).words == ""
    drift = drift_of(TRUST, [*ACTIVE[1:], NEWCOMER])
    assert (drift.missing, drift.gone) == (("newcomer",), ("member-0",))
    assert drift.words == "it lacks the present keys of newcomer"


def test_who_left_is_no_matter_until_it_outweighs_those_who_stay() -> None:
    """Old keys stay for old proofs: that alone is nothing to do."""
    assert drift_of(TRUST, ACTIVE[1:]).words == ""
    assert "too few active nodes" in drift_of(TRUST, ACTIVE[2:]).words
    drift = drift_of(TRUST, ACTIVE[3:])
    assert "member-0, member-1, member-2 have gone and could still vouch" in drift.words


def test_a_changed_key_is_lacking_until_it_is_listed_and_the_old_one_may_stay() -> None:
    rotated = NoteVerifier(ACTIVE[0].name, SignatureType.COSIGNATURE, NEWCOMER.public_key)
    active = [rotated, *ACTIVE[1:]]
    assert drift_of(TRUST, active).missing == ("member-0",)
    assert drift_of(extended(TRUST, active, 3), active).words == ""


def test_the_logs_own_name_is_nobodys_in_particular() -> None:
    own = NoteVerifier(ORIGIN, SignatureType.ED25519, NEWCOMER.public_key)
    assert drift_of(extended(TRUST, [own], 3), ACTIVE).words == ""
