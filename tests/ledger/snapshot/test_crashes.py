"""A process that dies while a snapshot comes in: genesis or the whole chain, never between."""

from __future__ import annotations

import errno
import os
import pickle
import signal
import subprocess
import time
from pathlib import Path

import pytest

from ledger.chain import Ledger
from ledger.snapshot import Restorer
from ledger.store import StoreFull, staged
from tests import warm
from tests.ledger.snapshot.conftest import Made
from tests.ledger.snapshot.support import open_at, restore

pytestmark = pytest.mark.feature("N4")

DYING = """
import os, pickle, signal, sys, time
from pathlib import Path
from ledger.snapshot import Restorer
from ledger.store import staged
from ledger.snapshot import intake
from ledger.chain import restoring
from tests.ledger.snapshot.support import open_at

place, what, nth = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
info, chunks, root = pickle.loads(sys.stdin.buffer.read())
calls = 0

def dying(function):
    def call(*arguments, **named):
        global calls
        calls += 1
        if calls == nth:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **named)
    return call

ledger = open_at(place)
module, _, name = what.partition(":")
owner = {
    "os": staged.os,
    "staged": staged,
    "StagedStore": staged.StagedStore,
    "Intake": intake.Intake,
    "restoring": restoring,
}[module]
setattr(owner, name, dying(getattr(owner, name)))
with Restorer(ledger) as restorer:
    restorer.offer(info, root)
    for index, chunk in enumerate(chunks):
        restorer.apply(index, chunk)
print(ledger.head().header.number)
"""


def die(place: Path, made: Made, what: str, nth: int) -> int:
    done = warm.run(
        ["-c", DYING, str(place), what, str(nth)],
        stdin=pickle.dumps((made.info, made.chunks, made.root)),
        timeout_s=60,
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode


@pytest.mark.parametrize(
    ("what", "nth", "whole"),
    [
        ("StagedStore:append", 1, False),
        ("StagedStore:append", 5, False),
        ("StagedStore:put", 1, False),
        ("StagedStore:put", 2, False),
        ("Intake:finish", 1, False),
        ("StagedStore:finish", 1, False),
        ("staged:open_environment", 2, False),
        ("os:rename", 1, False),
        ("os:rename", 2, False),
        ("staged:sync_directory", 1, True),
        ("restoring:ChainReader", 1, True),
    ],
)
def test_killed_at_any_step_it_is_at_genesis_or_whole(
    made: Made, tmp_path: Path, what: str, nth: int, whole: bool
) -> None:
    assert die(tmp_path / "a", made, what, nth) == -signal.SIGKILL
    with open_at(tmp_path / "a") as ledger:
        if whole:
            assert ledger.head().hash == made.head
        else:
            assert ledger.head().header.number == 0
            assert ledger.block(1) is None
            assert set(os.listdir(tmp_path / "a")) == {
                "ledger.mdb",
                "ledger.mdb-lock",
                "writer.lock",
            }
            restore(ledger, made.info, made.chunks, made.root)
        ledger.verify_integrity()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_at_any_moment_it_is_at_genesis_or_whole(made: Made, tmp_path: Path) -> None:
    """A little later each time; the last one comes to its end before it is killed."""
    outcomes: list[int] = []
    for number in range(10):
        place = tmp_path / str(number)
        snapshot = tmp_path / "snapshot"
        snapshot.write_bytes(pickle.dumps((made.info, made.chunks, made.root)))
        words = ["-c", DYING, str(place), "StagedStore:append", "0"]
        with (
            snapshot.open("rb") as given,
            warm.start(words, stdin=given, stdout=subprocess.DEVNULL) as child,
        ):
            while child.poll() is None and not (place / "restoring.mdb").exists():
                time.sleep(0.0005)
            time.sleep(0.002 * 2.5**number)
            child.kill()
        with open_at(place) as ledger:
            outcomes.append(ledger.head().header.number)
            if ledger.head().header.number == 0:
                restore(ledger, made.info, made.chunks, made.root)
            ledger.verify_integrity()
    assert set(outcomes) <= {0, 5}
    assert outcomes[-1] == 5


def test_a_full_disk_leaves_the_ledger_as_it_was(
    made: Made, empty: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with Restorer(empty) as restorer:
        restorer.offer(made.info, made.root)
        with monkeypatch.context() as patch:
            patch.setattr(staged.os, "rename", full)
            with pytest.raises(StoreFull):
                restorer.apply(0, made.chunks[0])
        assert empty.head().header.number == 0
        assert empty.block(1) is None
        restorer.offer(made.info, made.root)
        head = restorer.apply(0, made.chunks[0])
        assert head is not None
    empty.verify_integrity()
