"""The engine is given the key that the ledger names, at the very height at which it counts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.chain import Ledger
from ledger.consensus.cometbft import CometBftDriver, EngineSettings, ensure_node_key
from ledger.consensus.validator import (
    DoubleSignRefused,
    KeyRing,
    SignState,
    SignStateDamaged,
    ValidatorServer,
    begin_record,
    state_path_of,
)
from ledger.crypto import Ed25519Key, ValidatorSigner
from ledger.tlog import NoteSigner
from tests.ledger.chain.support import sender
from tests.ledger.consensus.cometbft.support import Node, consortium_genesis, node_slots, store
from tests.ledger.consensus.validator.engine import free_port, until
from tests.ledger.consensus.validator.test_guard import CHAIN, vote

pytestmark = pytest.mark.feature("N3")
OLD, NEW, THIRD = (Ed25519Key(bytes([number]) * 32) for number in (5, 6, 7))


def find(public_key: bytes) -> ValidatorSigner | None:
    return next((key for key in (OLD, NEW) if key.public_key == public_key), None)


@pytest.fixture
def ring(tmp_path: Path) -> Iterator[KeyRing]:
    ring = KeyRing(OLD, tmp_path / "state.json", find)
    yield ring
    ring.close()


def test_a_new_key_counts_two_heights_later(ring: KeyRing) -> None:
    for height, named, expected in (
        (0, OLD, OLD),
        (1, OLD, OLD),
        (2, NEW, OLD),  # for height 3: the change of height 2 counts at height 4
        (3, NEW, NEW),
        (4, NEW, NEW),
        (5, OLD, NEW),
        (6, OLD, OLD),
    ):
        ring.committed(height, named.public_key)
        assert ring.current().public_key == expected.public_key


def test_a_restart_between_keeps_the_height(tmp_path: Path) -> None:
    ring = KeyRing(OLD, tmp_path / "state.json", find)
    ring.committed(1, OLD.public_key)
    ring.committed(2, NEW.public_key)
    ring.close()
    # The keys were promoted meanwhile: the new one is the first now.
    ring = KeyRing(NEW, tmp_path / "state.json", find)
    ring.committed(2, NEW.public_key)
    assert ring.current().public_key == OLD.public_key
    ring.committed(3, NEW.public_key)
    assert ring.current().public_key == NEW.public_key
    ring.close()


def test_a_change_that_a_crash_kept_from_being_written_was_of_the_last_height(
    tmp_path: Path,
) -> None:
    ring = KeyRing(OLD, tmp_path / "state.json", find)
    ring.committed(7, OLD.public_key)
    ring.close()
    ring = KeyRing(OLD, tmp_path / "state.json", find)
    ring.committed(8, NEW.public_key)
    assert ring.current().public_key == OLD.public_key
    ring.committed(9, NEW.public_key)
    assert ring.current().public_key == NEW.public_key
    ring.close()


def test_a_node_that_does_not_validate_keeps_its_key(ring: KeyRing) -> None:
    ring.committed(5, None)
    assert ring.current().public_key == OLD.public_key


def test_a_key_it_does_not_have_is_told(ring: KeyRing, caplog: pytest.LogCaptureFixture) -> None:
    ring.committed(1, OLD.public_key)
    ring.committed(2, THIRD.public_key)
    ring.committed(3, THIRD.public_key)
    assert ring.current().public_key == OLD.public_key
    assert THIRD.public_key.hex() in caplog.text


def test_each_key_keeps_a_record_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    ring = KeyRing(OLD, path, find)
    ring.committed(1, OLD.public_key)
    ring.current().sign_vote(vote(1, 0), CHAIN)
    ring.committed(2, NEW.public_key)
    ring.committed(3, NEW.public_key)
    ring.current().sign_vote(vote(4, 0), CHAIN)
    ring.close()
    assert state_path_of(path, OLD.public_key) == path
    assert state_path_of(path, NEW.public_key) != path
    for key, height in ((OLD, 1), (NEW, 4)):
        with SignState(state_path_of(path, key.public_key), key.public_key) as state:
            assert state.last.height == height


def test_a_damaged_note_of_the_keys_is_told(tmp_path: Path) -> None:
    (tmp_path / "state_keys.json").write_text("{}")
    with pytest.raises(SignStateDamaged, match="state_keys"):
        KeyRing(OLD, tmp_path / "state.json", find)


def test_a_full_disk_does_not_stop_the_change(
    ring: KeyRing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ledger.consensus.validator import ring as module

    def full(_path: Path, _data: bytes) -> None:
        raise OSError(28, "No space left on device")

    ring.committed(1, OLD.public_key)
    monkeypatch.setattr(module, "write_durable", full)
    ring.committed(2, NEW.public_key)
    monkeypatch.undo()
    ring.committed(3, NEW.public_key)
    assert ring.current().public_key == NEW.public_key
    fields = json.loads((tmp_path / "state_keys.json").read_text())
    assert (fields["key"], fields["since"]) == (NEW.public_key.hex(), "2")


@pytest.mark.usefixtures("cometbft")
def test_a_lone_validator_changes_its_key_while_it_makes_blocks(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Were the key changed a height too early or too late, no block could ever follow."""
    home = tmp_path / "engine"
    node_id, port = ensure_node_key(home), free_port()
    genesis = consortium_genesis([Node(node_id, OLD.public_key, 1)])
    signer = NoteSigner("tallystick.example/test", bytes([9]) * 32)
    by = sender(1)

    def opened(key: Ed25519Key, ledger: Ledger) -> CometBftDriver:
        settings = EngineSettings(home, p2p_listen=f"127.0.0.1:{port}")
        driver = CometBftDriver(ledger, settings, validator=key, find_validator=find)
        driver.start()
        driver.wait_ready(60)
        return driver

    with Ledger.open(
        tmp_path / "ledger", genesis=genesis, signer=signer, map_size_bytes=1 << 30
    ) as ledger:
        driver = opened(OLD, ledger)
        try:
            ledger.wait_for(ledger.submit(by.call(1)), 30)
            for key, other in ((NEW, OLD), (OLD, NEW)):
                changed = store(by, node_slots(Node(node_id, key.public_key, 1)))
                ledger.wait_for(ledger.submit(changed), 30)
                for number in range(3):
                    ledger.wait_for(ledger.submit(by.call(number)), 30)
                signing = driver._running.signer.status()
                assert signing.public_key == key.public_key
                # A restart with either key as the first one goes on as well.
                driver.stop()
                driver = opened(other, ledger)
                ledger.wait_for(ledger.submit(by.call(9)), 30)
        finally:
            driver.stop()
    assert [one for one in caplog.records if one.levelname == "CRITICAL"] == []


def test_the_server_answers_with_the_named_key(tmp_path: Path) -> None:
    server = ValidatorServer(tmp_path / "s", OLD, tmp_path / "state.json", find=find)
    server.start()
    server.committed(1, OLD.public_key)
    server.committed(2, NEW.public_key)
    assert server.status().public_key == OLD.public_key
    server.committed(3, NEW.public_key)
    assert server.status().public_key == NEW.public_key
    server.stop()
    until(lambda: not server.status().connected, 5, "gone")


@pytest.mark.feature("N3")
def test_a_lost_record_signs_nothing_at_heights_that_are_durable(tmp_path: Path) -> None:
    begin_record(tmp_path / "state.json", OLD.public_key)
    ring = KeyRing(OLD, tmp_path / "state.json", signed_up_to=7)
    assert ring.current().last.height == 7
    ring.close()
    again = KeyRing(OLD, tmp_path / "state.json", signed_up_to=5)
    assert again.current().last.height == 7
    again.close()


def test_a_lost_record_bars_the_height_that_may_have_been_voted_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "state.json"
    ring = KeyRing(OLD, path, signed_up_to=7)
    ring.close()
    path.unlink()
    again = KeyRing(OLD, path, signed_up_to=7)
    assert "is missing" in caplog.text
    with pytest.raises(DoubleSignRefused):
        again.current().sign_vote(vote(8, 0), CHAIN)
    again.current().sign_vote(vote(9, 0), CHAIN)
    again.close()


def test_a_lost_record_can_be_answered_for(tmp_path: Path) -> None:
    ring = KeyRing(OLD, tmp_path / "state.json", signed_up_to=7, accept_loss=True)
    with pytest.raises(DoubleSignRefused):
        ring.current().sign_vote(vote(7, 0), CHAIN)
    ring.current().sign_vote(vote(8, 0), CHAIN)
    ring.close()


def test_a_key_that_was_just_made_has_lost_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    begin_record(path, OLD.public_key)
    ring = KeyRing(OLD, path, signed_up_to=7)
    ring.current().sign_vote(vote(8, 0), CHAIN)
    ring.close()


def test_a_key_that_the_ledger_begins_to_name_has_lost_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    begin_record(path, OLD.public_key)
    ring = KeyRing(OLD, path, find, signed_up_to=7)
    ring.committed(7, OLD.public_key)
    ring.committed(8, NEW.public_key)
    ring.close()
    assert state_path_of(path, NEW.public_key).exists()
    # Restarted before the height at which the new key counts.
    ring = KeyRing(OLD, path, find, signed_up_to=9)
    ring.committed(9, NEW.public_key)
    ring.current().sign_vote(vote(10, 0), CHAIN)
    ring.close()
    # And a record of it that goes missing later is a loss.
    state_path_of(path, NEW.public_key).unlink()
    ring = KeyRing(OLD, path, find, signed_up_to=9)
    ring.committed(9, NEW.public_key)
    with pytest.raises(DoubleSignRefused):
        ring.current().sign_vote(vote(10, 0), CHAIN)
    ring.close()
