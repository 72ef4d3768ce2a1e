"""Commands find the passphrase in a file, in the environment, or ask a person."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ledger.crypto import (
    KeyStore,
    PassphraseInvalid,
    PassphraseWrong,
    PinInvalid,
    ask_passphrase,
    new_passphrase,
    open_keys,
    pin_from_environment,
    unlocking,
)
from ledger.crypto import passphrase as module

pytestmark = pytest.mark.feature("N3")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keys sealed with "secret"."""
    for name in ("TALLY_PASSPHRASE", "TALLY_PASSPHRASE_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("ledger.crypto.sealing.SCRYPT_N", 2**11)
    KeyStore(tmp_path / "keys", "secret").create_validator("validator")
    return tmp_path / "keys"


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What somebody at the terminal types."""
    typed: list[str] = []
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(module, "getpass", lambda _prompt: typed.pop(0))
    return typed


def test_a_file_comes_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLY_PASSPHRASE", "another")
    (folder.parent / "p").write_text("secret\n")
    open_keys(folder, folder.parent / "p").load_validator("validator")
    with pytest.raises(PassphraseWrong):
        open_keys(folder).load_validator("validator")
    with pytest.raises(PassphraseInvalid, match="none"):
        open_keys(folder, folder.parent / "none")


def test_then_the_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLY_PASSPHRASE", "secret")
    open_keys(folder).load_validator("validator")


def test_then_a_person_if_the_keys_are_sealed(folder: Path, person: list[str]) -> None:
    person.append("secret")
    open_keys(folder).load_validator("validator")
    assert person == []
    KeyStore(folder.parent / "open").create_validator("validator")
    open_keys(folder.parent / "open").load_validator("validator")


def test_without_a_terminal_nobody_is_asked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    monkeypatch.setattr(unlocking, "ask_passphrase", lambda _: pytest.fail("asked"))
    with pytest.raises(PassphraseWrong):
        open_keys(folder).load_validator("validator")
    with pytest.raises(PassphraseInvalid, match="no terminal"):
        ask_passphrase("Passphrase")


def test_a_person_is_asked_for_a_pin(person: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TALLY_PKCS11_PIN", "TALLY_PKCS11_PIN_FILE"):
        monkeypatch.delenv(name, raising=False)
    person += ["5678", ""]
    assert pin_from_environment("tally") == "5678"
    with pytest.raises(PinInvalid, match="'tally'"):
        pin_from_environment("tally")


def test_a_new_passphrase_is_typed_twice(person: list[str]) -> None:
    person += ["one", "one", "one", "other"]
    assert ask_passphrase("New", twice=True) == "one"
    with pytest.raises(PassphraseInvalid, match="differ"):
        ask_passphrase("New", twice=True)


def test_new_keys_take_it_from_a_file_a_person_or_the_environment(
    folder: Path, person: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder.parent / "p").write_text("of the file\n")
    monkeypatch.setenv("TALLY_PASSPHRASE", "of the environment")
    person += ["typed", "typed"]
    assert new_passphrase(folder.parent / "p", ask=True) == "of the file"
    assert new_passphrase(ask=True) == "typed"
    assert new_passphrase() == "of the environment"
    monkeypatch.delenv("TALLY_PASSPHRASE")
    assert new_passphrase() == ""
