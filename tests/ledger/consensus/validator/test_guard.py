"""Nothing is ever signed twice at one place, whatever is asked, crashed or damaged."""

from __future__ import annotations

import json
import logging
import os
import signal
import time
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from nacl.signing import VerifyKey

from ledger.consensus.validator import (
    DoubleSignRefused,
    GuardedKey,
    RequestRefused,
    SignState,
    SignStateBusy,
    SignStateDamaged,
    SignStateForeign,
)
from ledger.consensus.validator import privval_pb2 as pb
from ledger.consensus.validator.signbytes import proposal_sign_bytes, vote_sign_bytes
from ledger.crypto import Ed25519Key
from tests import warm

pytestmark = pytest.mark.feature("N3")
KEY = Ed25519Key(b"\5" * 32)
CHAIN = "tally-test"


def block(number: int) -> pb.BlockID:
    """0 is no block."""
    if not number:
        return pb.BlockID()
    part_set = pb.PartSetHeader(total=1, hash=bytes([number]) * 32)
    return pb.BlockID(hash=bytes([number]) * 32, part_set_header=part_set)


def vote(height: int, round_: int, type_: int = 1, number: int = 1, seconds: int = 7) -> pb.Vote:
    time_ = pb.Timestamp(seconds=seconds)
    return pb.Vote(type=type_, height=height, round=round_, block_id=block(number), timestamp=time_)


def proposal(height: int, round_: int, number: int = 1, seconds: int = 7) -> pb.Proposal:
    return pb.Proposal(
        type=32,
        height=height,
        round=round_,
        pol_round=-1,
        block_id=block(number),
        timestamp=pb.Timestamp(seconds=seconds),
    )


def slots(path: Path) -> list[bytes]:
    """The two places of a record."""
    data = path.read_bytes()
    assert len(data) == 8192
    return [data[:4096], data[4096:]]


class Signing(RuleBasedStateMachine):
    """Requests in any order, with restarts; what was given away is remembered outside."""

    @initialize()
    def begin(self) -> None:
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "state.json"
        self.given: dict[tuple[int, int, int], tuple[bytes, bytes]] = {}
        self.bar = (0, 0, 0)
        self.state = SignState(self.path, KEY.public_key)

    def teardown(self) -> None:
        if hasattr(self, "state"):
            self.state.close()
            self.folder.cleanup()

    @rule(
        height=st.integers(1, 4),
        round_=st.integers(0, 2),
        step=st.integers(1, 3),
        number=st.integers(0, 2),
        seconds=st.integers(1, 3),
    )
    def ask(self, height: int, round_: int, step: int, number: int, seconds: int) -> None:
        key, place = GuardedKey(KEY, self.state), (height, round_, step)
        try:
            if step == 1:
                asked = proposal(height, round_, max(number, 1), seconds)
                signed = key.sign_proposal(asked, CHAIN)
                sign_bytes = proposal_sign_bytes(signed, CHAIN)
            else:
                asked_vote = vote(height, round_, step - 1, number, seconds)
                signed = key.sign_vote(asked_vote, CHAIN)
                sign_bytes = vote_sign_bytes(signed, CHAIN)
        except DoubleSignRefused:
            assert place <= max([self.bar, *self.given])
            return
        VerifyKey(KEY.public_key).verify(sign_bytes, signed.signature)
        if place in self.given:
            assert self.given[place] == (sign_bytes, signed.signature)
        else:
            assert place > max([self.bar, *self.given])
        self.given[place] = sign_bytes, signed.signature

    @rule()
    def restart(self) -> None:
        self.state.close()
        self.state = SignState(self.path, KEY.public_key)

    @rule(height=st.integers(0, 4))
    def raise_to(self, height: int) -> None:
        self.state.raise_to(height)
        self.bar = max(self.bar, (height, (1 << 31) - 1, 3))

    @invariant()
    def the_record_is_durable(self) -> None:
        if hasattr(self, "state"):
            records = [json.loads(one) for one in slots(self.path) if one.strip()]
            last = max(records, key=lambda record: record["count"])
            assert (int(last["height"]), last["round"], last["step"]) == self.state.last.place


TestSigning = Signing.TestCase
TestSigning.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


class TestGuard:
    def test_the_same_again_has_the_same_signature(self, tmp_path: Path) -> None:
        with SignState(tmp_path / "s", KEY.public_key) as state:
            key = GuardedKey(KEY, state)
            assert key.sign_vote(vote(5, 0), CHAIN) == key.sign_vote(vote(5, 0), CHAIN)

    def test_another_time_gives_the_first_time(self, tmp_path: Path) -> None:
        with SignState(tmp_path / "s", KEY.public_key) as state:
            first = GuardedKey(KEY, state).sign_vote(vote(5, 0, seconds=10), CHAIN)
        with SignState(tmp_path / "s", KEY.public_key) as state:
            second = GuardedKey(KEY, state).sign_vote(vote(5, 0, seconds=99), CHAIN)
        assert second.timestamp.seconds == 10
        assert second.signature == first.signature

    @pytest.mark.parametrize(
        ("other", "level"),
        [
            (vote(5, 1, number=2), logging.CRITICAL),
            (vote(5, 1, number=0), logging.CRITICAL),
            (vote(4, 9, 2), logging.CRITICAL),
            # What CometBFT asks for again when it is restarted.
            (vote(5, 0), logging.WARNING),
            (vote(5, 0, 2), logging.WARNING),
        ],
    )
    def test_anything_else_is_refused_and_told(
        self, tmp_path: Path, other: pb.Vote, level: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        with SignState(tmp_path / "s", KEY.public_key) as state:
            key = GuardedKey(KEY, state)
            key.sign_vote(vote(5, 1), CHAIN)
            before = state.last
            with pytest.raises(DoubleSignRefused):
                key.sign_vote(other, CHAIN)
            assert state.last == before
        assert [record.levelno for record in caplog.records] == [level]

    def test_steps_of_a_round_go_on_but_not_back(self, tmp_path: Path) -> None:
        with SignState(tmp_path / "s", KEY.public_key) as state:
            key = GuardedKey(KEY, state)
            key.sign_proposal(proposal(5, 0), CHAIN)
            key.sign_vote(vote(5, 0, 1), CHAIN)
            key.sign_vote(vote(5, 0, 2), CHAIN)
            with pytest.raises(DoubleSignRefused):
                key.sign_proposal(proposal(5, 0), CHAIN)
            with pytest.raises(DoubleSignRefused):
                key.sign_vote(vote(5, 0, 1), CHAIN)
            key.sign_proposal(proposal(5, 1), CHAIN)

    def test_extensions_are_signed_anew(self, tmp_path: Path) -> None:
        with SignState(tmp_path / "s", KEY.public_key) as state:
            key = GuardedKey(KEY, state)
            one, other = vote(5, 0, 2), vote(5, 0, 2)
            other.extension = b"more"
            first, second = key.sign_vote(one, CHAIN), key.sign_vote(other, CHAIN)
            assert first.signature == second.signature
            assert first.extension_signature != second.extension_signature
            assert key.sign_vote(vote(6, 0, 1), CHAIN).extension_signature == b""

    def test_a_key_serves_one_chain(self, tmp_path: Path) -> None:
        with SignState(tmp_path / "s", KEY.public_key) as state:
            key = GuardedKey(KEY, state)
            key.sign_vote(vote(5, 0), CHAIN)
            with pytest.raises(RequestRefused, match="tally-test"):
                key.sign_vote(vote(6, 0), "another")

    def test_nothing_leaves_that_is_not_on_disk(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from ledger.consensus.validator import state as module

        with SignState(tmp_path / "s", KEY.public_key) as state:
            key = GuardedKey(KEY, state)
            key.sign_vote(vote(5, 0), CHAIN)

            def torn(file: int, offset: int, slot: bytes) -> None:
                os.pwrite(file, slot[:100], offset)
                raise OSError(5, "Input/output error")

            monkeypatch.setattr(module, "_write_slot", torn)
            with pytest.raises(OSError, match="Input/output"):
                key.sign_vote(vote(6, 0), CHAIN)
            monkeypatch.undo()
            assert key.sign_vote(vote(6, 0, number=2), CHAIN).signature


class TestRecord:
    def test_a_restored_one_is_raised(self, tmp_path: Path) -> None:
        with SignState(tmp_path / "s", KEY.public_key) as state:
            key = GuardedKey(KEY, state)
            key.sign_vote(vote(5, 0), CHAIN)
            state.raise_to(100)
            with pytest.raises(DoubleSignRefused, match="what comes later"):
                key.sign_vote(vote(100, 2**31 - 2), CHAIN)
            with pytest.raises(DoubleSignRefused):
                key.sign_vote(vote(100, 2**31 - 1, 2), CHAIN)
            key.sign_vote(vote(101, 0), CHAIN)
            state.raise_to(50)
            assert state.last.height == 101

    def test_two_processes_never_share_it(self, tmp_path: Path) -> None:
        with SignState(tmp_path / "s", KEY.public_key), pytest.raises(SignStateBusy):
            SignState(tmp_path / "s", KEY.public_key)
        SignState(tmp_path / "s", KEY.public_key).close()

    def test_it_belongs_to_its_key(self, tmp_path: Path) -> None:
        SignState(tmp_path / "s", KEY.public_key).close()
        with pytest.raises(SignStateForeign):
            SignState(tmp_path / "s", Ed25519Key(b"\6" * 32).public_key)

    def test_it_is_private(self, tmp_path: Path) -> None:
        SignState(tmp_path / "s", KEY.public_key).close()
        assert (tmp_path / "s").stat().st_mode & 0o777 == 0o600

    @pytest.mark.parametrize("which", [0, 1])
    @pytest.mark.parametrize("damage", ["bit", "cut", "empty", "other", "json"])
    def test_a_damaged_one_is_never_taken_for_a_new_one(
        self, tmp_path: Path, damage: str, which: int
    ) -> None:
        path = tmp_path / "s"
        with SignState(path, KEY.public_key) as state:
            for height in (5, 6, 7):
                GuardedKey(KEY, state).sign_vote(vote(height, 0), CHAIN)
        places = slots(path)
        record = json.loads(places[which])
        places[which] = {
            "bit": places[which].replace(b'"height":"', b'"height":"1', 1)[:4096],
            "cut": places[which][:300].ljust(4096),
            "empty": b" " * 4096,
            "other": json.dumps(record | {"round": 9}).encode().ljust(4096),
            "json": b"x" * 4096,
        }[damage]
        path.write_bytes(b"".join(places))
        with pytest.raises(SignStateDamaged, match="Nothing is signed"):
            SignState(path, KEY.public_key)

    @pytest.mark.parametrize(
        "data", [b"", b"{", b" " * 8192, b"\0" * 8192, b"x" * 20_000, b" " * 8191]
    )
    def test_neither_is_one_cut_short(self, tmp_path: Path, data: bytes) -> None:
        (tmp_path / "s").write_bytes(data)
        with pytest.raises(SignStateDamaged):
            SignState(tmp_path / "s", KEY.public_key)

    def test_the_longest_record_fits(self, tmp_path: Path) -> None:
        chain = "x" * 50
        with SignState(tmp_path / "s", KEY.public_key) as state:
            longest = vote(2**63 - 1, 2**31 - 1, 2, seconds=253_402_300_799)
            longest.timestamp.nanos = 999_999_999
            GuardedKey(KEY, state).sign_vote(longest, chain)
        with SignState(tmp_path / "s", KEY.public_key) as state:
            assert state.last.height == 2**63 - 1


WRITER = """
import sys
from pathlib import Path
from ledger.consensus.validator import GuardedKey, SignState
from tests.ledger.consensus.validator.test_guard import CHAIN, KEY, vote
state = SignState(Path(sys.argv[1]), KEY.public_key)
key = GuardedKey(KEY, state)
height = state.last.height + 1
while True:
    signed = key.sign_vote(vote(height, 0, number=height % 200 + 1), CHAIN)
    print(height, flush=True)
    height += 1
"""


def test_killed_at_any_moment_the_record_holds_all_that_left(
    tmp_path: Path, project_root: Path
) -> None:
    path, highest = tmp_path / "s", 0
    for turn in range(8):
        with warm.start(["-c", WRITER, str(path)], folder=project_root) as process:
            assert process.stdout is not None
            first = process.stdout.readline()
            time.sleep(0.02 + 0.013 * turn)
            process.kill()
            told = [int(line) for line in (first + process.stdout.read()).split()]
        assert process.returncode == -signal.SIGKILL
        assert told, "the writer died by itself"
        highest = max([highest, *told])
        with SignState(path, KEY.public_key) as state:
            assert state.last.height >= highest
            with pytest.raises(DoubleSignRefused):
                GuardedKey(KEY, state).sign_vote(vote(highest, 0, number=250), CHAIN)
            highest = state.last.height
