"""A log's next key is named by the old one, and by nobody else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.tlog import (
    Checkpoint,
    CheckpointMalformed,
    KeyRotation,
    NoteSigner,
    RotationInvalid,
    open_checkpoint,
    open_rotation,
    rotation_at,
    sign_note,
)
from ledger.tlog.errors import TlogError

pytestmark = pytest.mark.feature("N3")
ORIGIN = "ledger.example/demo"
OLD, NEW, OTHER = (NoteSigner(ORIGIN, bytes([number]) * 32) for number in (1, 2, 3))
HEAD = Checkpoint(ORIGIN, 7, b"\5" * 32)
NOTE = rotation_at(HEAD, OLD, NEW)
ROTATION = KeyRotation(ORIGIN, 7, b"\5" * 32, OLD.verifier, NEW.verifier)


def test_what_is_signed_comes_back() -> None:
    assert open_rotation(NOTE) == ROTATION
    assert NOTE.splitlines()[:6] == [
        ORIGIN,
        "key-rotation/v1",
        "7",
        "BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU=",
        OLD.vkey,
        NEW.vkey,
    ]


def test_it_is_never_taken_for_a_checkpoint_nor_the_other_way_round() -> None:
    with pytest.raises(CheckpointMalformed):
        open_checkpoint(NOTE, (OLD.verifier,), 1, ORIGIN)
    with pytest.raises(RotationInvalid):
        open_rotation(sign_note(HEAD.text, (OLD, NEW)))


@pytest.mark.parametrize("signers", [(OLD,), (NEW,), (OLD, OTHER), (OTHER, NEW), (OLD, OLD)])
def test_both_keys_sign(signers: tuple[NoteSigner, ...]) -> None:
    with pytest.raises(RotationInvalid):
        open_rotation(sign_note(ROTATION.text, signers))


def test_only_the_keys_it_names_may_sign_it() -> None:
    with pytest.raises(RotationInvalid, match="not those"):
        ROTATION.sign(OLD, OTHER)


@pytest.mark.parametrize(
    "change",
    [
        {"new": OLD.verifier},
        {"new": NEW.cosigner().verifier},
        {"old": replace(OLD.verifier, name="another.example")},
    ],
)
def test_keys_are_two_of_the_log_itself(change: dict[str, object]) -> None:
    with pytest.raises(RotationInvalid):
        replace(ROTATION, **change)


@pytest.mark.parametrize(
    "text",
    [
        ROTATION.text + "more\n",
        ROTATION.text.replace("key-rotation/v1", "key-rotation/v2"),
        ROTATION.text.replace("\n7\n", "\n-7\n"),
        ROTATION.text.replace("\n7\n", "\n07\n"),
        ROTATION.text.replace("BQUFBQ", "BQ"),
        ROTATION.text.replace(OLD.vkey, "nonsense"),
        ROTATION.text.replace(f"{ORIGIN}\nkey", "other.example\nkey"),
    ],
)
def test_other_texts_are_refused_though_both_signed(text: str) -> None:
    with pytest.raises(RotationInvalid):
        open_rotation(sign_note(text, (OLD, NEW)))


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_changed_note_says_the_same_or_nothing(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(NOTE) - 1))
    changed = NOTE[:at] + data.draw(st.text(max_size=2)) + NOTE[at + 1 :]
    try:
        assert open_rotation(changed) == ROTATION
    except TlogError as error:
        assert isinstance(error, RotationInvalid)  # noqa: PT017 - either outcome is right
