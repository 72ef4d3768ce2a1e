"""Backup of a node at work, and the node that comes back from it."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from api.hooks import HookDraft
from contracts.notices import BEGINNING, NoticeFilter
from ledger.chain import ForkRefused, Genesis, encode_block
from ledger.consensus.validator.state import SignState
from ledger.crypto import NO_PASSPHRASE, KeyKind, KeyStore
from ledger.evm import encode_header
from ledger.projection import open_database
from ledger.tlog import Checkpoint, NoteSigner, sign_checkpoint
from nodes.founding import SEALING_KEY_LABEL, VALIDATOR_KEY_LABEL
from nodes.layout import NodeDirectory
from nodes.observed import sources_of
from nodes.opening import open_ledger
from nodes.operations.backup import make_backup
from nodes.operations.backup_errors import BackupDamaged, BackupFailed, RestoreRefused
from nodes.operations.backup_manifest import MANIFEST, BackupManifest
from nodes.operations.double_signing import raise_last_signed
from nodes.operations.restore import RestoreInfo, Safeguards, restore_backup
from nodes.runtime import NodeRuntime
from nodes.serving import serving
from nodes.settings import load_settings
from tests import warm
from tests.nodes.test_folder import found
from tests.nodes.test_runtime import quiet

pytestmark = pytest.mark.feature("N4")

LOSS = Safeguards(accept_loss=True)


@pytest.fixture
def place(tmp_path: Path) -> NodeDirectory:
    return found(tmp_path / "node")


def opened(place: NodeDirectory) -> NodeRuntime:
    return NodeRuntime.open(place.root, NO_PASSPHRASE, quiet)


def event(number: int) -> bytes:
    document = {
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-01-01T00:00:00.000Z",
        "epcisBody": {
            "eventList": [
                {
                    "type": "ObjectEvent",
                    "action": "OBSERVE",
                    "bizStep": "shipping",
                    "epcList": [f"https://id.gs1.org/01/09521002000016/21/A{number}"],
                    "eventTime": "2026-01-01T08:30:00.000+08:00",
                    "eventTimeZoneOffset": "+08:00",
                }
            ]
        },
    }
    return json.dumps(document).encode()


def capture(node: NodeRuntime, *numbers: int) -> None:
    for number in numbers:
        job = node.capture.submit(event(number), "acme", "rollback")
        node.capture.finished(job).result(30)


def restored(
    backup: Path, target: Path, safeguards: Safeguards = LOSS, *, whole_check: bool = True
) -> tuple[NodeDirectory, RestoreInfo]:
    directory = NodeDirectory(target)
    done = restore_backup(backup, directory, NO_PASSPHRASE, safeguards, whole_check=whole_check)
    return directory, done


@contextmanager
def under_load(node: NodeRuntime) -> Iterator[None]:
    """Captures go on until the block ends."""
    stop = threading.Event()

    def load() -> None:
        number = 1_000
        while not stop.is_set():
            capture(node, number)
            number += 1

    thread = threading.Thread(target=load)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("name", ["backup", "backup.tar"])
def test_a_backup_under_load_comes_back_as_the_node_it_was(
    place: NodeDirectory, tmp_path: Path, name: str
) -> None:
    told: list[tuple[int, int]] = []
    with opened(place) as node:
        capture(node, 1, 2, 3)
        key = node.keys.create("acme")[1]
        with under_load(node):
            made = make_backup(
                place,
                tmp_path / name,
                lambda done, total: told.append((done, total)),
                copy_chain=node.ledger.copy,
            )
        number = made.manifest.block_number
        assert node.ledger.committed(number).block.hash.hex() == made.manifest.block_hash
        assert node.ledger.log.root_at(made.manifest.log_size).hex() == made.manifest.log_root
        address = node.ledger.vkey
    assert told[0] == (0, 7)
    assert told[-1] == (7, 7)
    back, done = restored(tmp_path / name, tmp_path / "back")
    assert done.signed_before is None
    with opened(back) as node:
        assert node.ledger.vkey == address
        assert node.ledger.head().header.number >= number >= 3
        assert list(node.keys.list("acme")) == [key]
        capture(node, 5_000)
        node.ledger.verify_integrity()
        node.projector.wait_for(node.ledger.head().header.number, 30)
    names = [path.name for path in place.keys.iterdir()]
    assert names
    for name in names:
        copied, original = back.keys / name, place.keys / name
        assert copied.read_bytes() == original.read_bytes()
        assert copied.stat().st_mode == original.stat().st_mode


def test_a_restored_node_signs_to_its_webhooks_as_before(
    place: NodeDirectory, tmp_path: Path
) -> None:
    draft = HookDraft("acme", "https://example.org/", NoticeFilter((), ""), False, BEGINNING)
    with opened(place) as node:
        hook = node.webhooks.store.create(draft)
    files = [path for path in place.root.rglob("*") if path.is_file()]
    bare = hook.secret.removeprefix("whsec_").encode()
    assert place.database in files
    assert not any(bare in path.read_bytes() for path in files)
    make_backup(place, tmp_path / "backup")
    back, _ = restored(tmp_path / "backup", tmp_path / "back", whole_check=False)
    with opened(back) as node:
        assert node.webhooks.store.find("acme", hook.id) == hook
    KeyStore(back.keys).remove(KeyKind.SEALING, SEALING_KEY_LABEL)
    with opened(back) as node:
        assert node.webhooks.store.find("acme", hook.id).secret == ""
        assert node.webhooks.store.create(draft).secret.startswith("whsec_")


def tally(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return warm.run(["-m", "nodes", "node", *map(str, arguments)], timeout_s=90)


def test_the_command_backs_up_a_node_that_another_process_runs(
    place: NodeDirectory, tmp_path: Path
) -> None:
    with opened(place) as node:
        capture(node, 1)
        with under_load(node):
            done = tally("backup", tmp_path / "b.tar", "--dir", place.root, "--json")
        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout)
        assert node.ledger.log.root_at(said["logSize"]).hex() == said["logRoot"]
        note = tmp_path / "checkpoint"
        note.write_text(node.ledger.log.checkpoint())
    refused = tally("restore", tmp_path / "b.tar", tmp_path / "back")
    assert refused.returncode == 2
    assert "newest checkpoint" in refused.stderr
    done = tally("restore", tmp_path / "b.tar", tmp_path / "back", "--checkpoint", note, "--check")
    assert done.returncode == 0, done.stderr
    assert f"log size {said['logSize']}" in done.stdout


def test_the_command_takes_the_checkpoint_from_a_nodes_address(
    place: NodeDirectory, tmp_path: Path
) -> None:
    with opened(place) as node, serving(node) as addresses:
        capture(node, 1)
        make_backup(place, tmp_path / "b", copy_chain=node.ledger.copy)
        back = tmp_path / "back"
        done = tally("restore", tmp_path / "b", back, "--checkpoint", addresses.api, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["signedBefore"] is None


def test_the_listener_puts_backups_beside_the_node_and_the_command_makes_snapshots(
    place: NodeDirectory, tmp_path: Path
) -> None:
    with opened(place) as node:
        capture(node, 1)
        work = sources_of(node).backup
        assert work is not None
        said = work(None, lambda _done, _total: None)
    assert Path(str(said["path"])).parent == tmp_path / "node-backups"
    done = tally("snapshot", "--dir", place.root, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["height"] == 1
    assert (place.snapshots / "1-1" / "00000.chunk").is_file()


def test_the_sql_copy_is_no_younger_than_the_chain(place: NodeDirectory, tmp_path: Path) -> None:
    with opened(place) as node, under_load(node):
        made = make_backup(place, tmp_path / "b", copy_chain=node.ledger.copy)
    engine = open_database(f"sqlite:///{tmp_path / 'b' / 'tally.sqlite'}")
    with engine.connect() as connection:
        tables = connection.execute(text("SELECT name FROM sqlite_master")).scalars().all()
        cursor = next(name for name in tables if "cursor" in name)
        applied = connection.execute(text(f"SELECT max(block_number) FROM {cursor}")).scalar()
    engine.dispose()
    assert (applied or 0) <= made.manifest.block_number


@pytest.fixture
def backup(place: NodeDirectory, tmp_path: Path) -> Path:
    with opened(place) as node:
        capture(node, 1, 2)
    make_backup(place, tmp_path / "backup")
    return tmp_path / "backup"


def test_what_was_changed_taken_away_or_added_is_found(backup: Path, tmp_path: Path) -> None:
    manifest = BackupManifest.read(backup)
    for name in manifest.files:
        spoilt = tmp_path / "spoilt"
        shutil.copytree(backup, spoilt)
        data = bytearray((spoilt / name).read_bytes())
        if data:
            data[len(data) // 2] ^= 1
            (spoilt / name).write_bytes(data)
            with pytest.raises(BackupDamaged, match="not as it was"):
                restored(spoilt, tmp_path / "back", whole_check=False)
        (spoilt / name).unlink()
        with pytest.raises(BackupDamaged, match="missing"):
            restored(spoilt, tmp_path / "back", whole_check=False)
        shutil.rmtree(spoilt)
    (backup / "more").write_text("x")
    with pytest.raises(BackupDamaged, match="not in the manifest"):
        restored(backup, tmp_path / "back")
    (backup / MANIFEST).unlink()
    with pytest.raises(BackupDamaged, match="no backup"):
        restored(backup, tmp_path / "back")
    assert not (tmp_path / "back").exists()
    assert not list(tmp_path.glob(".back*"))


def test_a_manifest_cannot_name_files_outside(backup: Path, tmp_path: Path) -> None:
    for name in ("../outside", "/etc/outside", "a/../../outside", "a\\..\\b", "./x", "", "a//b"):
        fields = json.loads((backup / MANIFEST).read_bytes())
        fields["files"][name] = {"size": 1, "sha256": "00" * 32, "mode": 0o600}
        other = tmp_path / "other"
        shutil.copytree(backup, other)
        (other / MANIFEST).write_text(json.dumps(fields))
        with pytest.raises(BackupDamaged):
            restored(other, tmp_path / "back")
        shutil.rmtree(other)


def test_an_archive_brings_only_the_files_of_its_manifest(
    place: NodeDirectory, tmp_path: Path
) -> None:
    with opened(place):
        pass
    make_backup(place, tmp_path / "good.tar")
    with (
        tarfile.open(tmp_path / "good.tar") as good,
        tarfile.open(tmp_path / "bad.tar", "w") as bad,
    ):
        for member in good:
            bad.addfile(member, good.extractfile(member))
        link = tarfile.TarInfo("keys/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        bad.addfile(link)
    with pytest.raises(BackupDamaged, match="keys/link"):
        restored(tmp_path / "bad.tar", tmp_path / "back")
    (tmp_path / "cut.tar").write_bytes((tmp_path / "good.tar").read_bytes()[:200_000])
    with pytest.raises(BackupDamaged):
        restored(tmp_path / "cut.tar", tmp_path / "back")
    restored(tmp_path / "good.tar", tmp_path / "back")


def test_nothing_is_overwritten(place: NodeDirectory, backup: Path, tmp_path: Path) -> None:
    with pytest.raises(RestoreRefused, match="not empty"):
        restored(backup, place.root)
    with pytest.raises(BackupFailed, match="already"):
        make_backup(place, backup)
    with pytest.raises(BackupFailed, match="own folder"):
        make_backup(place, place.root / "backup")
    (tmp_path / "empty").mkdir()
    restored(backup, tmp_path / "empty")


def test_a_backup_that_fails_leaves_nothing(place: NodeDirectory, tmp_path: Path) -> None:
    def fail(_: Path) -> None:
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        make_backup(place, tmp_path / "b", copy_chain=fail)
    assert [path.name for path in tmp_path.iterdir()] == ["node"]


# ---- no second history --------------------------------------------------------------------------


def test_a_solo_log_comes_back_only_with_its_last_checkpoint(
    place: NodeDirectory, backup: Path, tmp_path: Path
) -> None:
    with pytest.raises(RestoreRefused, match="newest checkpoint"):
        restored(backup, tmp_path / "back", Safeguards())
    with opened(place) as node:
        note = node.ledger.log.checkpoint()
        size = node.ledger.log.size
    back, done = restored(backup, tmp_path / "back", Safeguards(note))
    assert done.signed_before is None
    with opened(back) as node:
        capture(node, 9)
        assert node.ledger.log.size > size


def test_a_restored_solo_log_that_would_fork_makes_no_block(
    place: NodeDirectory, backup: Path, tmp_path: Path
) -> None:
    blocks = []
    with opened(place) as node:
        before = node.ledger.head().header.number
        capture(node, 3, 4)
        note = node.ledger.log.checkpoint()
        size = node.ledger.log.size
        for number in range(before + 1, node.ledger.head().header.number + 1):
            block = node.ledger.block(number)
            assert block is not None
            raws = [one.raw for one in block.transactions]
            blocks.append(encode_block(encode_header(block.header), raws))
    back, done = restored(backup, tmp_path / "back", Safeguards(note))
    assert done.signed_before == size
    keys = KeyStore(back.keys, NO_PASSPHRASE)
    with open_ledger(back, load_settings(back.settings), Genesis.load(back.genesis), keys) as one:
        with pytest.raises(ForkRefused, match="second history"):
            one.append_block((), one.head().header.timestamp + 1)
        # What it had signed before may come back, block by block; then it goes on.
        for block in blocks:
            one.import_block(block)
        assert one.log.size == size
    with opened(back) as node:
        capture(node, 10)


def test_another_history_is_refused_with_its_evidence(
    place: NodeDirectory, backup: Path, tmp_path: Path
) -> None:
    other, _ = restored(backup, tmp_path / "other")
    with opened(other) as node:
        capture(node, 4)
        note = node.ledger.log.checkpoint()
    with opened(place) as node:
        capture(node, 3, 5)
    make_backup(place, tmp_path / "later")
    with pytest.raises(RestoreRefused, match="another history"):
        restored(tmp_path / "later", tmp_path / "nope", Safeguards(note))
    assert not (tmp_path / "nope").exists()


def test_a_strangers_checkpoint_says_nothing(backup: Path, tmp_path: Path) -> None:
    origin = BackupManifest.read(backup).origin
    stranger = NoteSigner.generate(origin)
    note = sign_checkpoint(Checkpoint(origin, 3, bytes(32)), (stranger,))
    with pytest.raises(RestoreRefused, match="the given checkpoint"):
        restored(backup, tmp_path / "back", Safeguards(note))
    with pytest.raises(RestoreRefused, match="the given checkpoint"):
        restored(backup, tmp_path / "back", Safeguards("no note"))


def test_a_validators_record_is_raised_above_the_network(
    place: NodeDirectory, backup: Path
) -> None:
    manifest = BackupManifest.read(backup)
    keys = KeyStore(place.keys, NO_PASSPHRASE)
    assert raise_last_signed(place, keys, manifest, lambda: 7, False) is None  # no validator here
    public_key = keys.create_validator(VALIDATOR_KEY_LABEL).public_key
    with pytest.raises(RestoreRefused, match="last-height"):
        raise_last_signed(place, keys, manifest, lambda: None, False)
    assert raise_last_signed(place, keys, manifest, lambda: None, True) is None
    assert raise_last_signed(place, keys, manifest, lambda: 41, False) == 51
    with SignState(place.engine / "data" / "signer_state.json", public_key) as state:
        assert state.last.height == 51
    own = place.engine / "config" / "priv_validator_key.json"
    own.write_text("{}")
    assert raise_last_signed(place, keys, manifest, lambda: 50, False) == 60
    record = json.loads((place.engine / "data" / "priv_validator_state.json").read_text())
    assert record["height"] == "60"
    assert record["step"] == 3
    assert raise_last_signed(place, keys, manifest, lambda: 10, False) == 20
    assert json.loads((place.engine / "data" / "priv_validator_state.json").read_text()) == record
