"""A consortium's node is backed up while it votes, lost, and put back beside the others."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from contracts.consortium import Role
from ledger.consensus.cometbft import CometBftDriver
from ledger.consensus.validator import SignState, ValidatorStatus
from ledger.crypto import NO_PASSPHRASE
from nodes.founding import VALIDATOR_KEY_LABEL, MemberSpec
from nodes.layout import NodeDirectory
from nodes.network.trial import new_network
from nodes.observed import sources_of
from nodes.operations.backup_errors import RestoreRefused
from nodes.operations.backup_manifest import BackupManifest
from nodes.operations.double_signing import MARGIN_HEIGHTS
from nodes.operations.heights import ask_members
from nodes.operations.restore import Safeguards, restore_backup
from nodes.runtime import NodeRuntime
from nodes.serving import serving
from nodes.settings import CaptureSettings, NodeSettings
from tests.ledger.consensus.cometbft.conftest import cometbft  # noqa: F401
from tests.ledger.consensus.cometbft.network import until
from tests.nodes.operations.test_backup import event, under_load

pytestmark = [
    pytest.mark.feature("N4"),
    pytest.mark.consortium,
    pytest.mark.usefixtures("cometbft"),
    pytest.mark.timeout(300),
]

NAMES = ("acme", "boreal", "cobalt", "delta")


def quiet(settings: NodeSettings) -> NodeSettings:
    return settings.model_copy(update={"capture": CaptureSettings(workers=0)})


def engine_of(node: NodeRuntime) -> CometBftDriver:
    assert isinstance(node.driver, CometBftDriver)
    return node.driver


def capture(node: NodeRuntime, organisation: str, number: int) -> None:
    job = node.capture.submit(event(number), organisation, "rollback")
    node.capture.finished(job).result(90)


def test_a_validator_comes_back_from_its_backup_and_votes_twice_on_nothing(
    tmp_path: Path,
) -> None:
    members = [MemberSpec(name, name.title(), "成员", Role.MANUFACTURER) for name in NAMES]
    net = new_network(tmp_path / "net", members)
    folders = [member.directory for member in net.members]
    with ExitStack() as stack:
        nodes = [
            stack.enter_context(NodeRuntime.open(place.root, NO_PASSPHRASE, quiet))
            for place in folders[:3]
        ]
        lost = NodeRuntime.open(folders[3].root, NO_PASSPHRASE, quiet)
        with lost:
            for node in (*nodes, lost):
                engine_of(node).wait_ready(90)
            capture(nodes[0], "acme", 1)
            until(lambda: lost.ledger.head().header.number >= 1, 60, "the node to be lost")
            work = sources_of(lost).backup
            assert work is not None
            with under_load(nodes[0]):
                said = work(tmp_path / "backup.tar", lambda _done, _total: None)
            # It goes on after the moment in which its engine stood still.
            head = nodes[0].ledger.head().header.number
            until(lambda: lost.ledger.head().header.number >= head, 60, "the backed up node")
        for number in range(2, 5):
            capture(nodes[0], "acme", number)  # three of four go on
        for node in nodes:  # all three: more than two thirds of the power
            stack.enter_context(serving(node))
        back = NodeDirectory(tmp_path / "back")
        with pytest.raises(RestoreRefused, match="--last-height"):
            restore_backup(tmp_path / "backup.tar", back, NO_PASSPHRASE, Safeguards())
        done = restore_backup(
            tmp_path / "backup.tar",
            back,
            NO_PASSPHRASE,
            Safeguards(nodes[0].ledger.log.checkpoint(), ask=ask_members),
        )
        reached = engine_of(nodes[0]).height()
        assert done.last_signed is not None
        assert reached < done.last_signed <= reached + MARGIN_HEIGHTS
        assert not done.needed
        assert done.manifest.engine
        assert done.manifest.height == said["height"]
        with NodeRuntime.open(back.root, NO_PASSPHRASE, quiet) as again:
            until(lambda: again.ledger.log.root == nodes[0].ledger.log.root, 120, "one log root")
            capture(nodes[1], "boreal", 50)
            validator = again.secrets.load_validator(VALIDATOR_KEY_LABEL).public_key
            assert again.driver.stop() is None
            with SignState(back.engine / "data" / "signer_state.json", validator) as state:
                assert state.last.height >= done.last_signed
            again.driver.start()
            until(lambda: again.ledger.log.root == nodes[0].ledger.log.root, 60, "one log root")
            assert again.ledger.log.size > done.manifest.log_size
            again.ledger.verify_integrity()


def test_the_engines_files_are_no_older_than_the_chain(tmp_path: Path) -> None:
    members = [MemberSpec("acme", "Acme", "顶点", Role.OPERATOR)]
    place = new_network(tmp_path / "net", members).members[0].directory
    with NodeRuntime.open(place.root, NO_PASSPHRASE, quiet) as node:
        engine_of(node).wait_ready(60)
        capture(node, "acme", 1)
        work = sources_of(node).backup
        assert work is not None
        with under_load(node):
            work(tmp_path / "backup", lambda _done, _total: None)
    manifest = BackupManifest.read(tmp_path / "backup")
    assert any(name.startswith("engine/data/blockstore.db/") for name in manifest.files)
    assert "engine/data/signer_state.json" in manifest.files
    assert not [name for name in manifest.files if name.endswith((".lock", ".sock", "/LOCK"))]
    assert not list(place.root.glob(".backup-*"))
    back = NodeDirectory(tmp_path / "back")
    restore_backup(tmp_path / "backup", back, NO_PASSPHRASE, Safeguards(accept_loss=True))
    with NodeRuntime.open(back.root, NO_PASSPHRASE, quiet) as node:
        engine_of(node).wait_ready(60)
        capture(node, "acme", 99)
        node.ledger.verify_integrity()


def test_a_validator_whose_record_is_lost_votes_twice_on_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    members = [MemberSpec(name, name.title(), "成员", Role.MANUFACTURER) for name in NAMES]
    folders = [one.directory for one in new_network(tmp_path / "net", members).members]
    record = folders[0].engine / "data" / "signer_state.json"
    with ExitStack() as stack:
        forgetful, other, *away = [
            NodeRuntime.open(place.root, NO_PASSPHRASE, quiet) for place in folders
        ]
        stack.callback(other.__exit__)
        for node in (forgetful, other, *away):
            engine_of(node).wait_ready(90)
        capture(forgetful, "acme", 1)
        for node in away:
            node.__exit__()
        # Half of the validators are left: they vote, and nothing becomes final.
        forgetful.capture.submit(event(2), "acme", "rollback")
        until(lambda: signed(forgetful) > engine_of(forgetful).height(), 60, "a vote")
        forgetful.__exit__()
        with SignState(record, validator_of(forgetful)) as state:
            before = state.last
        record.unlink()
        forgetful = stack.enter_context(NodeRuntime.open(folders[0].root, NO_PASSPHRASE, quiet))
        assert before.height == engine_of(forgetful).height() + 1
        until(lambda: signer_of(forgetful).refused > 0, 60, "the engine's request for a vote")
        assert signer_of(forgetful).signed == 0
        for place in folders[2:]:
            stack.enter_context(NodeRuntime.open(place.root, NO_PASSPHRASE, quiet))
        # The others pass that height without it, and it takes part in later ones.
        capture(other, "boreal", 3)
        number = 4
        while signed(forgetful) <= before.height:
            capture(other, "boreal", number)
            number += 1
            assert number < 30, "it never votes again"
        engine_of(forgetful).stop()
        with SignState(record, validator_of(forgetful)) as state:
            assert state.last.height > before.height
        assert f"it signs nothing up to height {before.height}," in caplog.text


def signed(node: NodeRuntime) -> int:
    """The height that the node's validator signed last."""
    return signer_of(node).height


def signer_of(node: NodeRuntime) -> ValidatorStatus:
    running = engine_of(node)._running
    assert running is not None
    assert running.signer is not None
    return running.signer.status()


def validator_of(node: NodeRuntime) -> bytes:
    return node.secrets.load_validator(VALIDATOR_KEY_LABEL).public_key
