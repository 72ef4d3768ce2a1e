"""Which keys are one member's: Python and JavaScript count alike."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.canonical import canonical_json
from ledger.tlog import Checkpoint, Members, NoteSigner, SignatureType, root_of, sign_checkpoint
from tests.api.web.story_answers import ORIGIN, Json, StoryLog, story_log
from tests.api.web.test_differential import Case, javascript_answers, python_answer

pytestmark = [pytest.mark.feature("L4"), pytest.mark.feature("T5")]


def key(name: str, number: int, *, cosigner: bool = True) -> NoteSigner:
    seed = hashlib.sha256(f"key {number}".encode()).digest()
    kind = SignatureType.COSIGNATURE if cosigner else SignatureType.ED25519
    return NoteSigner(name, seed, kind)


AMBER_OLD = key(f"{ORIGIN}/amber", 1)
AMBER_NEW = key(f"{ORIGIN}/amber", 2)
AMBER_LOG = key(ORIGIN, 2, cosigner=False)
BIRCH = key(f"{ORIGIN}/birch", 3)
BIRCH_LOG = key(ORIGIN, 3, cosigner=False)
OTHER_LOG = key(ORIGIN, 4, cosigner=False)


def members(*keys: NoteSigner) -> int:
    return Members([one.verifier for one in keys], ORIGIN).count


def test_old_and_new_key_of_a_node_are_one_member() -> None:
    assert members(AMBER_OLD, AMBER_NEW) == 1
    assert members(AMBER_OLD, AMBER_NEW, BIRCH) == 2


def test_a_key_is_one_member_as_a_log_and_as_a_witness() -> None:
    assert members(BIRCH, BIRCH_LOG) == 1


def test_nodes_that_sign_under_the_name_of_the_log_are_different_members() -> None:
    assert members(AMBER_LOG, BIRCH_LOG, OTHER_LOG) == 3


def test_the_old_key_and_the_new_one_as_a_log_are_one_member_too() -> None:
    keys = [one.verifier for one in (AMBER_OLD, AMBER_NEW, AMBER_LOG, BIRCH)]
    counted = Members(keys, ORIGIN)
    assert counted.count == 2
    signed = [(one.name, one.verifier.key_id) for one in (AMBER_OLD, AMBER_LOG)]
    assert counted.among(signed) == 1
    assert counted.among([("stranger", b"1234")]) == 0


def signed_by(log: StoryLog, signers: list[NoteSigner]) -> bytes:
    """A bundle whose checkpoint just these have signed."""
    checkpoint = Checkpoint(log.origin, len(log.hashes), root_of(log.hashes))
    log.note = sign_checkpoint(checkpoint, signers)
    return canonical_json(log.bundle(log.entries[0])) + b"\n"


def test_verdicts_agree_whoever_has_signed(
    require: Callable[[str], str], project_root: Path
) -> None:
    log = story_log()
    chance = random.Random(7)
    names = [ORIGIN, f"{ORIGIN}/amber", f"{ORIGIN}/birch", f"{ORIGIN}/cedar", "elsewhere.example"]
    every = [
        key(name, number, cosigner=cosigner)
        for name in names
        for number in range(5)
        for cosigner in (True, False)
    ]
    cases: list[Case] = []
    for _ in range(300):
        known = chance.sample(every, chance.randint(1, 9))
        signers = chance.sample(known, chance.randint(1, len(known)))
        trust: Json = {
            **log.trust,
            "keys": [one.vkey for one in known],
            "threshold": chance.randint(1, 4),
        }
        cases.append((signed_by(log, signers), trust))
    python = [python_answer(data, trust) for data, trust in cases]
    assert javascript_answers(require("node"), project_root, cases, False) == python
    assert {answer.split()[0] for answer in python} == {"valid", "unknown", "trust"}


def test_two_keys_of_one_member_do_not_reach_a_threshold_of_two() -> None:
    log = story_log()
    known = [AMBER_OLD, AMBER_NEW, BIRCH]
    trust = {**log.trust, "keys": [one.vkey for one in known], "threshold": 2}
    assert python_answer(signed_by(log, [AMBER_OLD, AMBER_NEW]), trust) == "unknown checkpoint"
    assert python_answer(signed_by(log, [AMBER_OLD, BIRCH]), trust) == "valid format"
    too_many = {**trust, "threshold": 3}
    assert python_answer(signed_by(log, known), json.loads(json.dumps(too_many))) == "trust refused"
