"""Keys are kept encrypted, private to their owner, and never overwritten."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.crypto import (
    AccountKey,
    CryptoError,
    KeyExists,
    KeyFileExposed,
    KeyFileMalformed,
    KeyKind,
    KeyLabelInvalid,
    KeyMalformed,
    KeyNotFound,
    KeyStore,
    PassphraseInvalid,
    PassphraseWrong,
    keyfile,
    passphrase_from_environment,
)
from ledger.crypto.account import GROUP_ORDER
from ledger.tlog import NoteMalformed, NoteSigner

KEY = AccountKey(bytes.fromhex("4646464646464646464646464646464646464646464646464646464646464646"))
SIGNER = NoteSigner("ledger.example/demo", b"\1" * 32)
ARGON2_KDF = {
    "name": "argon2id",
    "operations": 1,
    "memoryBytes": 65536,
    "salt": "n3mfEIBheNtXewRHq9Dvpg==",
}
ARGON2_BOX = (
    "ldbmD/qG+FO+/4Crmi98ufnzWFUlDRXkrCNTsxVj7QRRb/am"
    "r+QxB4RO9k1Tgi1LzD20XM1pnMMFZ6mf+4CzU0WiCJx9ArS6"
)
KINDS = [KeyKind.ACCOUNT, KeyKind.NOTE]


def fill(store: KeyStore, label: str = "main") -> KeyStore:
    store.add_account(label, KEY)
    store.add_note(label, SIGNER)
    return store


class TestStore:
    @pytest.mark.parametrize("passphrase", ["", "corréct horse 马"])
    def test_keys_come_back(self, tmp_path: Path, passphrase: str) -> None:
        fill(KeyStore(tmp_path / "keys", passphrase))
        again = KeyStore(tmp_path / "keys", passphrase)
        assert again.load_account("main") == KEY
        assert again.load_note("main") == SIGNER

    @pytest.mark.parametrize(("written", "read"), [("", "x"), ("x", ""), ("x", "X")])
    def test_another_passphrase_opens_nothing(
        self, tmp_path: Path, written: str, read: str
    ) -> None:
        fill(KeyStore(tmp_path, written))
        with pytest.raises(PassphraseWrong):
            KeyStore(tmp_path, read).load_account("main")
        with pytest.raises(PassphraseWrong):
            KeyStore(tmp_path, read).load_note("main")

    def test_new_keys_are_random_and_stored(self, tmp_path: Path) -> None:
        store = KeyStore(tmp_path)
        one, other = store.create_account("one"), store.create_account("other")
        assert one != other
        assert store.load_account("one") == one
        note = store.create_note("node", "ledger.example/demo")
        assert store.load_note("node") == note
        assert note.name == "ledger.example/demo"

    def test_files_hold_no_secret_and_belong_to_the_owner_alone(self, tmp_path: Path) -> None:
        fill(KeyStore(tmp_path / "keys"))
        files = sorted((tmp_path / "keys").iterdir())
        assert [file.name for file in files] == ["main.account.json", "main.note.json"]
        assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
        for file in files:
            assert file.stat().st_mode & 0o777 == 0o600
            for secret in (KEY.private_key, b"\1" * 32):
                assert secret.hex() not in file.read_text().lower()

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
    def test_a_file_that_others_may_read_is_not_used(self, tmp_path: Path, mode: int) -> None:
        store = fill(KeyStore(tmp_path))
        store.path(KeyKind.NOTE, "main").chmod(mode)
        with pytest.raises(KeyFileExposed, match="chmod 600"):
            store.load_note("main")

    def test_keys_are_never_overwritten(self, tmp_path: Path) -> None:
        store = fill(KeyStore(tmp_path))
        with pytest.raises(KeyExists):
            store.create_account("main")
        with pytest.raises(KeyExists):
            store.create_note("main", "other")
        assert store.load_account("main") == KEY
        assert store.load_note("main") == SIGNER
        assert len(list(tmp_path.iterdir())) == 2

    def test_what_is_not_there_is_named(self, tmp_path: Path) -> None:
        store = KeyStore(tmp_path / "none")
        assert store.list() == ()
        with pytest.raises(KeyNotFound, match="'main'"):
            store.load_account("main")

    @pytest.mark.parametrize(
        "label", ["", "../up", "a/b", ".hidden", "A", "a b", "a" * 65, "-a", "a.", "a\n", "ä"]
    )
    def test_labels_never_leave_the_directory(self, tmp_path: Path, label: str) -> None:
        store = KeyStore(tmp_path / "keys")
        for action in (store.create_account, store.load_account, store.load_note):
            with pytest.raises(KeyLabelInvalid):
                action(label)
        assert not (tmp_path / "keys").exists()

    def test_bad_note_names_store_nothing(self, tmp_path: Path) -> None:
        with pytest.raises(NoteMalformed):
            KeyStore(tmp_path).create_note("main", "with space")
        assert not list(tmp_path.iterdir())

    def test_listing_needs_no_passphrase(self, tmp_path: Path) -> None:
        fill(KeyStore(tmp_path, "secret"))
        (tmp_path / "notes.txt").write_text("not a key")
        listed = KeyStore(tmp_path).list()
        assert [(entry.kind, entry.label, entry.public) for entry in listed] == [
            (KeyKind.ACCOUNT, "main", "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F"),
            (KeyKind.NOTE, "main", SIGNER.vkey),
        ]

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize(
        "data", [b"", b"{}", b"[]", b"{", b"\xff", b'{"a":1,"a":2}', b" " * 20_000]
    )
    def test_other_files_are_refused(self, tmp_path: Path, kind: KeyKind, data: bytes) -> None:
        store = KeyStore(tmp_path)
        path = store.path(kind, "main")
        path.write_bytes(data)
        path.chmod(0o600)
        with pytest.raises(KeyFileMalformed):
            store.load_account("main") if kind is KeyKind.ACCOUNT else store.load_note("main")
        with pytest.raises(KeyFileMalformed):
            store.list()


class TestAccountKeys:
    def test_the_address_is_that_of_eip_155_s_example(self) -> None:
        assert KEY.checksum_address == "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F"
        assert KEY.address.hex() == KEY.checksum_address[2:].lower()

    def test_signs_the_transaction_of_eip_155_s_example(self) -> None:
        raw = KEY.sign_transaction(
            {
                "nonce": 9,
                "gasPrice": 20 * 10**9,
                "gas": 21_000,
                "to": "0x3535353535353535353535353535353535353535",
                "value": 10**18,
                "data": b"",
                "chainId": 1,
            }
        )
        assert raw.hex() == (
            "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008"
            "025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f76"
            "1aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"
        )

    def test_what_is_no_transaction_is_refused(self) -> None:
        with pytest.raises(KeyMalformed):
            KEY.sign_transaction({"to": "0x12"})

    def test_signs_messages(self) -> None:
        signed = KEY.signer.sign_message(encode_defunct(b"hello"))
        assert Account.recover_message(encode_defunct(b"hello"), signature=signed.signature) == (
            KEY.checksum_address
        )

    @pytest.mark.parametrize("number", [0, GROUP_ORDER, 2**256 - 1])
    def test_numbers_outside_the_group_are_no_keys(self, number: int) -> None:
        with pytest.raises(KeyMalformed):
            AccountKey(number.to_bytes(32, "big"))

    def test_bytes_of_another_length_are_no_key(self) -> None:
        with pytest.raises(KeyMalformed):
            AccountKey(bytes(31))

    def test_the_key_is_never_shown(self) -> None:
        assert "46" * 4 not in repr(KEY)


class TestAccountFiles:
    def test_the_published_scrypt_vector_opens(self) -> None:
        """Web3 Secret Storage definition, test vector with scrypt."""
        data = json.dumps(
            {
                "crypto": {
                    "cipher": "aes-128-ctr",
                    "cipherparams": {"iv": "83dbcc02d8ccb40e466191a123791e0e"},
                    "ciphertext": "d172bf743a674da9cdad04534d56926e"
                    "f8358534d458fffccd4e6ad2fbde479c",
                    "kdf": "scrypt",
                    "kdfparams": {
                        "dklen": 32,
                        "n": 262144,
                        "r": 1,
                        "p": 8,
                        "salt": "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19",
                    },
                    "mac": "2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097",
                },
                "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
                "address": "008aeeda4d805471df9b2a5b0f38a0c3bcba786b",
                "version": 3,
            }
        ).encode()
        key = keyfile.decode_account(data, "testpassword")
        assert key.private_key.hex() == (
            "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d"
        )

    def test_other_programs_open_our_files(self) -> None:
        fields = json.loads(keyfile.encode_account(KEY, "pass"))
        assert Account.decrypt(fields, "pass") == KEY.private_key

    @pytest.mark.parametrize(
        "parameters",
        [
            {"n": 2**30},
            {"r": 2**20},
            {"p": 2**20},
            {"dklen": 2**20},
            {"c": 10**9},
            {"n": "many"},
            {"n": -1},
        ],
    )
    def test_files_that_ask_for_too_much_work_are_refused(self, parameters: Any) -> None:
        fields = json.loads(keyfile.encode_account(KEY, ""))
        fields["crypto"]["kdfparams"] |= parameters
        with pytest.raises(KeyFileMalformed):
            keyfile.decode_account(json.dumps(fields).encode(), "")

    def test_a_file_about_another_address_is_refused(self) -> None:
        fields = json.loads(keyfile.encode_account(KEY, ""))
        fields["address"] = "00" * 20
        with pytest.raises(KeyFileMalformed, match="not that of address"):
            keyfile.decode_account(json.dumps(fields).encode(), "")


class TestNoteFiles:
    def test_the_vkey_is_bound_to_the_key(self) -> None:
        fields = json.loads(keyfile.encode_note(SIGNER, ""))
        fields["vkey"] = NoteSigner.generate(SIGNER.name).vkey
        with pytest.raises(KeyFileMalformed, match="not that of its vkey"):
            keyfile.decode_note(json.dumps(fields).encode(), "")

    @pytest.mark.parametrize(
        "change",
        [
            {"n": 0},
            {"n": 3 * 2**12},
            {"n": 2**40},
            {"n": "x"},
            {"n": True},
            {"r": 2**20},
            {"n": 2**17, "r": 1},
            {"n": 2**20, "r": 8, "p": 16},
            {"salt": "AAAA"},
            {"salt": 5},
            {"name": "argon2id"},
            {"name": "none"},
            {"more": 1},
        ],
    )
    def test_strange_derivations_are_refused(self, change: Any) -> None:
        fields = json.loads(keyfile.encode_note(SIGNER, ""))
        fields["kdf"] |= change
        with pytest.raises(KeyFileMalformed):
            keyfile.decode_note(json.dumps(fields).encode(), "")

    def test_files_of_older_versions_still_open(self) -> None:
        """Sealed with Argon2id, as versions before 0.2 did; made by such a version."""
        old = {
            "format": "tallystick-note-key/1",
            "vkey": SIGNER.vkey,
            "kdf": ARGON2_KDF,
            "box": ARGON2_BOX,
        }
        assert keyfile.decode_note(json.dumps(old).encode(), "pass") == SIGNER
        for change in ({"operations": 10**9}, {"memoryBytes": 2**40}, {"salt": "AAAA"}):
            kdf = old["kdf"] | change
            with pytest.raises(KeyFileMalformed):
                keyfile.decode_note(json.dumps(old | {"kdf": kdf}).encode(), "pass")


FILES = {
    "account": (keyfile.encode_account(KEY, ""), keyfile.decode_account, KEY),
    "note": (keyfile.encode_note(SIGNER, ""), keyfile.decode_note, SIGNER),
}


@pytest.mark.parametrize("kind", list(FILES))
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_damaged_file_gives_the_same_key_or_a_plain_error(kind: str, data: Any) -> None:
    text, decode, key = FILES[kind]
    place = data.draw(st.integers(0, len(text) - 1))
    changed = text[:place] + data.draw(st.binary(max_size=2)) + text[place + 1 :]
    try:
        assert decode(changed, "") == key
    except CryptoError as error:
        assert str(error)  # noqa: PT017 - either outcome is right


class TestPassphrase:
    def test_the_file_comes_before_the_variable_and_that_before_none(self, tmp_path: Path) -> None:
        file = tmp_path / "passphrase"
        file.write_text("from file\nsecond line\n")
        both = {"TALLY_PASSPHRASE_FILE": str(file), "TALLY_PASSPHRASE": "from variable"}
        assert passphrase_from_environment(both) == "from file"
        assert passphrase_from_environment({"TALLY_PASSPHRASE": "from variable"}) == "from variable"
        assert passphrase_from_environment({}) == ""

    def test_the_process_environment_is_the_default(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("TALLY_PASSPHRASE_FILE", raising=False)
        monkeypatch.setitem(os.environ, "TALLY_PASSPHRASE", "set")
        assert passphrase_from_environment() == "set"

    @pytest.mark.parametrize("content", [b"", b"\nsecond", b"\xff\xfe", b"x" * 2000])
    def test_a_useless_file_is_an_error_and_not_no_passphrase(
        self, tmp_path: Path, content: bytes
    ) -> None:
        file = tmp_path / "passphrase"
        file.write_bytes(content)
        with pytest.raises(PassphraseInvalid):
            passphrase_from_environment({"TALLY_PASSPHRASE_FILE": str(file)})

    def test_a_missing_file_or_empty_variable_is_an_error(self, tmp_path: Path) -> None:
        for wrong in (
            {"TALLY_PASSPHRASE_FILE": str(tmp_path / "none")},
            {"TALLY_PASSPHRASE": ""},
        ):
            with pytest.raises(PassphraseInvalid):
                passphrase_from_environment(wrong)
