"""A trust file that a node and its operator's commands change at the same time."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.chain import Ledger
from ledger.crypto import NO_PASSPHRASE
from ledger.tlog import NoteSigner
from ledger.types import Address
from nodes import versions
from nodes.runtime import NodeRuntime
from nodes.trust_file import change_trust
from tests.nodes.test_folder import found
from tests.nodes.test_runtime import quiet
from traceability.bundle import ProvenanceVersion, Trust, TrustMalformed

pytestmark = pytest.mark.feature("N2")

SIGNER = NoteSigner.generate("tallystick.example/test")
TRUST = Trust(
    "Test",
    "tallystick.example/test",
    (SIGNER.verifier,),
    1,
    7,
    Address(b"\x01" * 20),
    Address(b"\x02" * 20),
)
OTHER = Address(b"\x03" * 20)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """As another process holds it that changes a trust file there."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def test_changes_at_the_same_time_all_count(tmp_path: Path) -> None:
    path = tmp_path / "trust.json"
    TRUST.save(path)

    def add(number: int) -> None:
        def change(trust: Trust) -> Trust:
            time.sleep(0.01)
            version = ProvenanceVersion(Address(number.to_bytes(20, "big")), number)
            return trust.with_versions([version])

        change_trust(path, change)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(1, 17)))
    assert [one.from_block for one in Trust.load(path).later] == [*range(1, 17)]
    assert list(tmp_path.iterdir()) == [path]


def test_what_stays_the_same_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "trust.json"
    TRUST.save(path)
    before = path.stat()
    assert change_trust(path, lambda trust: replace(trust)) == TRUST
    assert path.stat().st_ino == before.st_ino


def test_a_missing_or_damaged_file_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none" / "trust.json", tmp_path / "bad.json"):
        if path.parent == tmp_path:
            path.write_text("{")
        with pytest.raises(TrustMalformed, match=path.name):
            change_trust(path, lambda trust: trust)


def test_a_node_that_learns_of_a_version_keeps_what_a_command_writes_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = found(tmp_path / "node")
    version = ProvenanceVersion(OTHER, 5)

    def learned(_: Ledger, trust: Trust) -> Trust:
        return trust.with_versions([version])

    with (
        NodeRuntime.open(place.root, NO_PASSPHRASE, quiet) as node,
        ThreadPoolExecutor(1) as pool,
    ):
        monkeypatch.setattr(versions, "recorded_trust", learned)
        key = NoteSigner.generate(f"{node.genesis.origin}/member").verifier
        with locked(place.root):
            trust = Trust.load(place.trust)
            node_writes = pool.submit(versions.refresh_trust, node.ledger, place.trust)
            time.sleep(0.1)
            assert not node_writes.done()
            replace(trust, keys=(*trust.keys, key)).save(place.trust)
        assert node_writes.result(10) == Trust.load(place.trust)
    assert key in Trust.load(place.trust).keys
    assert Trust.load(place.trust).later == (version,)
