"""Every command that opens keys takes their passphrase from the same places."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.crypto import KeyStore, PassphraseWrong, unlocking
from nodes.cli import backup, dev, founding, joining, maintenance, network, promotion, start
from nodes.founding import LOG_KEY_LABEL
from nodes.layout import NodeDirectory

pytestmark = pytest.mark.feature("N3")

SECRET = "correct horse"
COMMANDS: tuple[Callable[..., None], ...] = (
    backup.restore,
    dev.dev,
    founding.init,
    joining.join,
    maintenance.check,
    maintenance.reindex,
    network.new,
    network.up,
    promotion.promote_,
    start.start,
)


@pytest.fixture
def secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with the passphrase; nothing in the environment, and cheap keys."""
    for name in ("TALLY_PASSPHRASE", "TALLY_PASSPHRASE_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("ledger.crypto.sealing.SCRYPT_N", 2**11)
    path = tmp_path / "passphrase"
    path.write_text(f"{SECRET}\n")
    return path


@pytest.fixture
def sealed(tmp_path: Path, secret: Path) -> NodeDirectory:
    """A founding node whose keys `tally network new --passphrase-file` sealed."""
    network.new(tmp_path / "net", members=1, passphrase_file=secret, as_json=True)
    (place,) = (path.parent for path in (tmp_path / "net").glob("*/node.toml"))
    return NodeDirectory(place)


def opens(place: NodeDirectory, passphrase: str) -> bool:
    try:
        KeyStore(place.keys, passphrase).load_note(LOG_KEY_LABEL)
    except PassphraseWrong:
        return False
    return True


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.__name__)
def test_each_takes_a_password_file(command: Callable[..., None]) -> None:
    assert inspect.signature(command).parameters["passphrase_file"].default is None


def test_new_keys_are_sealed_with_it(tmp_path: Path, secret: Path) -> None:
    place = tmp_path / "node"
    named = ("acme", "Acme", "operator", "127.0.0.1:26656", "http://127.0.0.1:8080")
    founding.init(place, *named, passphrase_file=secret, as_json=True)
    assert opens(NodeDirectory(place), SECRET)
    assert not opens(NodeDirectory(place), "")


def test_a_networks_keys_are_sealed_with_it(sealed: NodeDirectory) -> None:
    assert opens(sealed, SECRET)
    assert not opens(sealed, "")


def test_a_sealed_node_is_checked_and_reindexed(
    sealed: NodeDirectory, secret: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in (maintenance.check, maintenance.reindex):
        with pytest.raises(PassphraseWrong):
            command(directory=sealed.root, as_json=True)
        command(directory=sealed.root, passphrase_file=secret, as_json=True)
    assert '"intact": true' in capsys.readouterr().out.replace('":true', '": true')


def test_a_sealed_backup_is_restored_with_it_or_by_asking(
    tmp_path: Path, sealed: NodeDirectory, secret: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maintenance.check(directory=sealed.root, passphrase_file=secret, as_json=True)
    place = tmp_path / "backup"
    backup.backup(place, directory=sealed.root, as_json=True)
    with pytest.raises(PassphraseWrong):
        backup.restore(place, tmp_path / "none", accept_loss=True, as_json=True)
    backup.restore(
        place, tmp_path / "first", accept_loss=True, passphrase_file=secret, as_json=True
    )
    asked: list[str] = []

    def ask(prompt: str) -> str:
        asked.append(prompt)
        return SECRET

    monkeypatch.setattr(unlocking.sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(unlocking, "ask_passphrase", ask)
    backup.restore(place, tmp_path / "second", accept_loss=True, as_json=True)
    assert len(asked) == 1
    assert opens(NodeDirectory(tmp_path / "second"), SECRET)
