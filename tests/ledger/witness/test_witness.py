"""Members cosign their heads, and keep what agrees with their own log."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.tlog import Note, ThresholdNotMet, open_checkpoint, signed_by
from tests.ledger.witness.support import ORIGIN, members, peer, verifier_of

pytestmark = pytest.mark.feature("L4")


def test_two_members_cosign_one_head(tmp_path: Path) -> None:
    with members(tmp_path, "amber", "birch") as (amber, birch):
        for member in (amber, birch):
            for number in (1, 2, 3):
                member.block(number)
            member.settle()
        keys = [verifier_of("amber"), verifier_of("birch")]
        with pytest.raises(ThresholdNotMet):
            open_checkpoint(amber.ledger.log.checkpoint(), keys, 2, ORIGIN)
        text = birch.witness.cosignature_text(0)
        assert amber.witness.meet_cosignatures(peer("birch"), text).kept == 4
        checkpoint = open_checkpoint(amber.ledger.log.checkpoint(), keys, 2, ORIGIN)
        assert (checkpoint.size, checkpoint.root) == (amber.size, amber.ledger.log.root)
        note = Note.decode(amber.ledger.log.checkpoint())
        assert [one.name for one in note.signatures] == [
            ORIGIN,
            f"{ORIGIN}/amber",
            f"{ORIGIN}/birch",
        ]
        assert len(signed_by(note, keys)) == 2
