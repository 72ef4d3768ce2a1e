"""A bundle is valid as it was made, and never after anything in it was changed."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.canonical import canonical_json
from ledger.tlog import NoteSigner, TlogProof, leaf_hash
from ledger.types import Address
from tests.traceability.bundle.support import (
    BLOCK_TIME,
    ORIGIN,
    SUBMITTER,
    World,
    event_json,
    events,
    signer,
    small_world,
)
from traceability.bundle import (
    Bundle,
    NotProvableYet,
    Outcome,
    StepName,
    Verdict,
    build_bundle,
    verify_bundle,
)
from traceability.epcis import event_id

pytestmark = pytest.mark.feature("L4")

WORLD, STORED = small_world()
TRUST = WORLD.trust()
DATA = [WORLD.bundle(stored).encode() for stored in STORED]
FIELDS = [json.loads(data) for data in DATA]


def written(fields: object) -> bytes:
    return canonical_json(fields) + b"\n"


def step(verdict: Verdict, name: str) -> Outcome:
    return next(one.outcome for one in verdict.steps if one.name == name)


def failed_at(verdict: Verdict) -> str:
    assert verdict.outcome is Outcome.INVALID
    assert verdict.statement is None
    (failed,) = [one for one in verdict.steps if one.outcome is Outcome.INVALID]
    assert failed.reason == verdict.reason
    after = verdict.steps[verdict.steps.index(failed) + 1 :]
    assert all(one.outcome is Outcome.NOT_CHECKED for one in after)
    return failed.name


class TestValid:
    @pytest.mark.parametrize("data", DATA)
    def test_every_event_of_every_batch(self, data: bytes) -> None:
        verdict = verify_bundle(data, TRUST)
        assert verdict.outcome is Outcome.VALID
        assert [one.name for one in verdict.steps] == list(StepName)
        assert all(one.outcome is Outcome.VALID and one.reason for one in verdict.steps)

    def test_says_who_recorded_what_and_when(self) -> None:
        statement = verify_bundle(DATA[5], TRUST).statement
        assert statement is not None
        assert statement.event_id == STORED[5].event_id
        assert (statement.organisation, statement.submitter) == ("green-valley", SUBMITTER)
        assert (statement.block_number, statement.leaf_index, statement.tree_size) == (2, 2, 6)
        assert statement.record_time.timestamp() == BLOCK_TIME
        assert (statement.origin, statement.signers) == (ORIGIN, (ORIGIN,))

    def test_still_valid_below_a_later_checkpoint(self) -> None:
        world, stored = small_world()
        for serial in range(300):
            world.append(b"later %d" % serial)
        data = world.bundle(stored[0]).encode()
        assert verify_bundle(data, world.trust()).outcome is Outcome.VALID

    def test_k_of_n_members(self) -> None:
        members = [signer(f"member{seed}.example", seed).cosigner() for seed in (2, 3, 4)]
        world = World(signers=(signer(), *members[:2]))
        (stored,) = world.anchor(events(1))
        data = world.bundle(stored).encode()
        keys = tuple(one.verifier for one in members)
        assert verify_bundle(data, world.trust(2, keys=keys)).outcome is Outcome.VALID
        verdict = verify_bundle(data, world.trust(3, keys=keys))
        assert verdict.outcome is Outcome.UNKNOWN
        assert "2 of 3" in verdict.reason

    def test_an_event_not_yet_below_the_checkpoint_has_no_bundle(self) -> None:
        with pytest.raises(NotProvableYet):
            build_bundle(replace(STORED[0], leaf_index=6), WORLD)


class TestUnknown:
    """Missing trust is never `invalid`, and never `valid`."""

    def test_without_trust(self) -> None:
        verdict = verify_bundle(DATA[0], None)
        assert verdict.outcome is Outcome.UNKNOWN
        assert step(verdict, "leaf") is step(verdict, "checkpoint") is Outcome.UNKNOWN
        assert step(verdict, "inclusion") is Outcome.VALID
        assert ORIGIN in verdict.reason
        assert verdict.statement is not None

    def test_with_the_trust_of_another_log(self) -> None:
        other = WORLD.trust(origin="other.example", provenance=Address(b"\7" * 20))
        verdict = verify_bundle(DATA[0], other)
        assert verdict.outcome is Outcome.UNKNOWN
        assert "other.example" in verdict.reason

    def test_signed_by_a_key_that_is_not_trusted(self) -> None:
        trust = WORLD.trust(keys=(signer(seed=9).verifier,))
        verdict = verify_bundle(DATA[0], trust)
        assert verdict.outcome is Outcome.UNKNOWN
        assert "0 of 1" in verdict.reason

    def test_without_trust_what_is_false_is_still_invalid(self) -> None:
        fields = copy.deepcopy(FIELDS[0])
        fields["event"]["disposition"] = "damaged"
        assert failed_at(verify_bundle(written(fields), None)) == "event"


class TestNotChecked:
    def test_a_later_format_is_not_judged(self) -> None:
        verdict = verify_bundle(written(FIELDS[0] | {"format": "tallystick-proof/2"}), TRUST)
        assert verdict.outcome is Outcome.NOT_CHECKED
        assert "tallystick-proof/2" in verdict.reason
        assert verdict.statement is None


class TestForgery:
    """Whole, well-made bundles that say something else."""

    def test_another_log_of_the_same_origin(self) -> None:
        forged = World(signers=(NoteSigner(ORIGIN, b"\x66" * 32),))
        (stored,) = forged.anchor(events(1))
        verdict = verify_bundle(forged.bundle(stored).encode(), TRUST)
        assert verdict.outcome is Outcome.UNKNOWN

    def test_another_log_that_claims_the_trusted_key(self) -> None:
        """A fork: other leaves, with the signature taken from the true checkpoint."""
        forged = World()
        (stored,) = forged.anchor([*events(2)][1:])
        forged.append(b"x", b"y", b"z", b"w")
        data = json.loads(forged.bundle(stored).encode())
        true_signature = FIELDS[0]["proof"].rsplit("\n\n", 1)[1]
        data["proof"] = data["proof"].rsplit("\n\n", 1)[0] + "\n\n" + true_signature
        assert failed_at(verify_bundle(written(data), TRUST)) == "checkpoint"

    def test_another_contract(self) -> None:
        world = World()
        (stored,) = world.anchor(events(1), address=Address(b"\x66" * 20))
        assert failed_at(verify_bundle(world.bundle(stored).encode(), TRUST)) == "leaf"

    def test_another_event_of_the_contract(self) -> None:
        world = World()
        (stored,) = world.anchor(events(1), topic=b"\x66" * 32)
        assert failed_at(verify_bundle(world.bundle(stored).encode(), TRUST)) == "leaf"

    def test_another_count(self) -> None:
        world = World()
        stored = world.anchor(events(3), count=4)
        assert failed_at(verify_bundle(world.bundle(stored[0]).encode(), TRUST)) == "leaf"

    def test_a_block_leaf_in_place_of_the_event_s(self) -> None:
        fields = FIELDS[0] | {"leaf": json.loads(WORLD.entries[1])}
        assert failed_at(verify_bundle(written(fields), TRUST)) == "leaf"

    def test_the_batch_root_itself_as_a_batch_of_one(self) -> None:
        fields = copy.deepcopy(FIELDS[0])
        fields["batch"] = {"index": 0, "count": 1, "path": []}
        assert failed_at(verify_bundle(written(fields), TRUST)) == "leaf"

    def test_a_recomputed_event_id_does_not_help(self) -> None:
        fields = copy.deepcopy(FIELDS[0])
        fields["event"]["disposition"] = "damaged"
        fields["eventID"] = event_id(fields["event"])
        assert failed_at(verify_bundle(written(fields), TRUST)) == "leaf"

    def test_what_the_hash_id_leaves_out_is_bound_all_the_same(self) -> None:
        for addition in (
            {"eventID": "urn:uuid:00000000-0000-4000-8000-000000000000"},
            {"errorDeclaration": {"declarationTime": "2026-01-02T00:00:00.000Z"}},
        ):
            fields = copy.deepcopy(FIELDS[0])
            fields["event"] |= addition
            assert event_id(fields["event"]) == fields["eventID"]
            assert failed_at(verify_bundle(written(fields), TRUST)) == "leaf"

    def test_a_record_time_of_the_event_s_own_is_refused_even_if_anchored(self) -> None:
        world = World()
        (event,) = events(1)
        body = dict(event.body) | {"recordTime": "2020-01-01T00:00:00.000Z"}
        claimed = replace(event, body=body, event_id=event.event_id)
        (stored,) = world.anchor((claimed,))
        assert failed_at(verify_bundle(world.bundle(stored).encode(), TRUST)) == "event"

    def test_a_time_that_no_calendar_has_is_refused(self) -> None:
        world = World()
        (stored,) = world.anchor(events(1), block_time=2**53 - 1)
        assert failed_at(verify_bundle(world.bundle(stored).encode(), TRUST)) == "leaf"

    def test_extra_data_in_the_proof_is_refused(self) -> None:
        proof = replace(TlogProof.decode(FIELDS[0]["proof"]), extra=b"unsigned")
        verdict = verify_bundle(written(FIELDS[0] | {"proof": proof.encode()}), TRUST)
        assert failed_at(verdict) == "inclusion"

    @pytest.mark.parametrize("name", ["event", "eventID", "batch", "leaf", "proof"])
    def test_parts_exchanged_between_bundles(self, name: str) -> None:
        for one, other in ((0, 5), (5, 8), (6, 0), (0, 6)):
            fields = FIELDS[one] | {name: FIELDS[other][name]}
            failed_at(verify_bundle(written(fields), TRUST))

    def test_a_leaf_hash_is_no_substitute_for_its_node(self) -> None:
        proof = TlogProof.decode(FIELDS[0]["proof"])
        shorter = replace(proof, path=proof.path[1:])
        verdict = verify_bundle(written(FIELDS[0] | {"proof": shorter.encode()}), TRUST)
        assert failed_at(verdict) == "inclusion"
        assert leaf_hash(b"") not in proof.path


class TestTampering:
    @settings(max_examples=300, deadline=None)
    @given(st.data())
    def test_each_byte(self, data: Any) -> None:
        original = data.draw(st.sampled_from(DATA))
        place = data.draw(st.integers(0, len(original) - 1))
        value = data.draw(st.integers(0, 255).filter(lambda other: other != original[place]))
        changed = original[:place] + bytes([value]) + original[place + 1 :]
        assert verify_bundle(changed, TRUST).outcome is not Outcome.VALID

    def test_each_bit_of_each_byte_in_turn(self) -> None:
        original = DATA[5]
        for place in range(len(original)):
            changed = bytearray(original)
            changed[place] ^= 1 << (place % 8)
            assert verify_bundle(bytes(changed), TRUST).outcome is not Outcome.VALID, place

    def test_truncated_anywhere(self) -> None:
        for length in range(0, len(DATA[0]), 7):
            verdict = verify_bundle(DATA[0][:length], TRUST)
            assert failed_at(verdict) == "format"
        assert failed_at(verify_bundle(DATA[0][:-1], TRUST)) == "format"

    @settings(max_examples=300, deadline=None)
    @given(st.data())
    def test_each_field(self, data: Any) -> None:
        fields = copy.deepcopy(data.draw(st.sampled_from(FIELDS)))
        *way, last = data.draw(st.sampled_from(list(_paths(fields))))
        parent = fields
        for name in way:
            parent = parent[name]
        action = data.draw(st.sampled_from(["replace", "remove", "add"]))
        before = written(fields)
        if action == "replace":
            parent[last] = data.draw(_REPLACEMENTS)
        elif action == "remove":
            del parent[last]
        elif isinstance(parent, dict):
            parent[data.draw(st.text(max_size=5))] = data.draw(_REPLACEMENTS)
        else:
            parent.append(data.draw(_REPLACEMENTS))
        if (changed := written(fields)) != before:
            assert verify_bundle(changed, TRUST).outcome is not Outcome.VALID

    @settings(max_examples=200, deadline=None)
    @given(st.data())
    def test_each_line_of_the_proof(self, data: Any) -> None:
        fields = dict(data.draw(st.sampled_from(FIELDS)))
        lines = fields["proof"].split("\n")
        place = data.draw(st.integers(0, len(lines) - 1))
        other = data.draw(st.sampled_from(FIELDS))["proof"].split("\n")
        line = data.draw(st.sampled_from([*other, "", "x"]))
        for changed in (
            [*lines[:place], line, *lines[place + 1 :]],
            [*lines[:place], *lines[place + 1 :]],
            [*lines[:place], line, *lines[place:]],
        ):
            if changed != lines and not _only_repeats_a_signature(changed, lines):
                fields["proof"] = "\n".join(changed)
                assert verify_bundle(written(fields), TRUST).outcome is not Outcome.VALID

    @pytest.mark.parametrize(
        "spelling",
        [
            lambda data: data + b"\n",
            lambda data: data[:-1],
            lambda data: data[:-1] + b"\r\n",
            lambda data: b" " + data,
            lambda data: b"\xef\xbb\xbf" + data,
            lambda data: json.dumps(json.loads(data)).encode() + b"\n",
            lambda data: json.dumps(json.loads(data), separators=(",", ":")).encode() + b"\n",
            lambda data: data.replace(b'"count":5', b'"count":5.0'),
            lambda data: data.replace(b'"batch"', b'"b\\u0061tch"'),
            lambda data: data.replace(b'{"batch"', b'{"batch":{},"batch"'),
        ],
    )
    def test_any_other_spelling(self, spelling: Any) -> None:
        changed = spelling(DATA[0])
        assert changed != DATA[0]
        assert failed_at(verify_bundle(changed, TRUST)) == "format"

    @pytest.mark.parametrize(
        "data",
        [b"", b"{}\n", b"[]\n", b"null\n", b"x", b"[" * 100_000, b"\0" * 100, b"{" * 9_000_000],
    )
    def test_what_is_no_bundle(self, data: bytes) -> None:
        assert failed_at(verify_bundle(data, TRUST)) == "format"

    @settings(max_examples=150, deadline=None)
    @given(st.data())
    def test_a_strange_event_never_raises(self, data: Any) -> None:
        """Hashing takes valid events for granted; a bundle may hold anything."""
        fields = event_json(1) | {
            data.draw(st.sampled_from([*event_json(1), "sensorElementList", "ilmd", "x:y"])): (
                data.draw(_REPLACEMENTS)
            )
        }
        verdict = verify_bundle(written(FIELDS[0] | {"event": fields}), TRUST)
        assert verdict.outcome is Outcome.INVALID


_REPLACEMENTS = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**53) + 1, 2**53 - 1),
        st.text(max_size=8),
        st.sampled_from(["0x", "0x00", "A" * 43 + "=", ORIGIN, FIELDS[1]["eventID"]]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


def _paths(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for name, inner in items:
        yield (*way, name)
        if isinstance(inner, dict | list):
            yield from _paths(inner, (*way, name))


def _only_repeats_a_signature(changed: list[str], lines: list[str]) -> bool:
    """A note signed twice by one key says nothing else."""
    return (
        changed != lines
        and list(dict.fromkeys(changed)) == list(dict.fromkeys(lines))
        and any(
            line.startswith("— ") and changed.count(line) > lines.count(line) for line in changed
        )
    )


def test_bundles_are_spelled_as_the_reference_would() -> None:
    for data in DATA:
        assert data == canonical_json(json.loads(data)) + b"\n"
        assert Bundle.decode(data).encode() == data
