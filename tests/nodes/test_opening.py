"""The parts of a node are opened so that they know of each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from contracts.consortium import CONSORTIUM_ADDRESS, Role
from ledger.chain import Genesis
from ledger.consensus.cometbft import Mark, driver
from ledger.consensus.cometbft.protocol import OfferedSnapshot, SnapshotService
from ledger.consensus.cometbft.retention import EVIDENCE_AGE, Age, Retention
from ledger.crypto import NO_PASSPHRASE, KeyStore
from ledger.evm import CallRequest, machine
from nodes.founding import MemberSpec
from nodes.network.trial import new_network
from nodes.opening import open_driver, open_ledger, open_snapshots
from nodes.settings import load_settings

pytestmark = pytest.mark.feature("N4")


def test_the_engine_gives_up_nothing_above_the_oldest_snapshot_on_the_shelf(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Retention] = []

    class Seen(Retention):
        def __init__(
            self,
            path: Path,
            heights: int,
            age: Age = EVIDENCE_AGE,
            snapshots: SnapshotService | None = None,
        ) -> None:
            super().__init__(path, heights, age, snapshots)
            made.append(self)

    monkeypatch.setattr(driver, "Retention", Seen)
    members = [MemberSpec("acme", "Acme", "顶点", Role.OPERATOR)]
    place = new_network(tmp_path, members).members[0].directory
    settings, secrets = load_settings(place.settings), KeyStore(place.keys, NO_PASSPHRASE)
    ledger = open_ledger(place, settings, Genesis.load(place.genesis), secrets)
    try:
        snapshots = open_snapshots(place, settings, ledger)
        assert snapshots is not None
        open_driver(place, settings, ledger, secrets, snapshots.service)
        (retention,) = made

        def told(first: int, last: int) -> set[int]:
            """A height each ten minutes: three weeks are some three thousand."""
            marks = (Mark("c", one, one * 600 * 10**9) for one in range(first, last, 1_000))
            return {retention.committed(mark) for mark in marks}

        assert told(1_000, 150_000) == {0}
        oldest = OfferedSnapshot(7_000, 1, 1, bytes(32), b"")
        newest = OfferedSnapshot(149_000, 1, 1, bytes(32), b"")
        monkeypatch.setattr(snapshots.service, "list", lambda: [newest, oldest])
        assert max(told(150_000, 200_000)) == 7_000
    finally:
        ledger.close()


@pytest.mark.feature("L1")
@pytest.mark.parametrize(("execution", "own"), [("fast", True), ("reference", False)])
def test_contracts_run_in_the_loop_that_the_settings_name(
    tmp_path: Path, execution: str, own: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[object] = []
    real = machine.run

    def run(*arguments: Any) -> None:
        runs.append(arguments)
        real(*arguments)

    monkeypatch.setattr(machine, "run", run)
    members = [MemberSpec("acme", "Acme", "顶点", Role.OPERATOR)]
    place = new_network(tmp_path, members).members[0].directory
    text = place.settings.read_text("utf-8").replace(
        'execution = "fast"', f'execution = "{execution}"'
    )
    place.settings.write_text(text, "utf-8")
    settings, secrets = load_settings(place.settings), KeyStore(place.keys, NO_PASSPHRASE)
    with open_ledger(place, settings, Genesis.load(place.genesis), secrets) as ledger:
        call = CallRequest(CONSORTIUM_ADDRESS, CONSORTIUM_ADDRESS, 0, b"\0\0\0\0", 100_000)
        assert ledger.call(call).reverted
    assert bool(runs) is own
