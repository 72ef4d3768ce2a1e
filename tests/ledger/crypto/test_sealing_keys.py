"""Sealing keys: what they seal opens with them alone, for its purpose alone, and unaltered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.crypto import (
    KeyExists,
    KeyFileMalformed,
    KeyKind,
    KeyMalformed,
    KeyNotFound,
    KeyStore,
    PassphraseWrong,
    SealBroken,
    SealingKey,
    TokenPlace,
)
from ledger.crypto.sealer import OVERHEAD_BYTES

pytestmark = pytest.mark.feature("N3")

KEY = SealingKey(b"\7" * 32)


class TestBoxes:
    @given(secret=st.binary(max_size=300), purpose=st.text(max_size=40))
    @settings(max_examples=30)
    def test_what_is_sealed_comes_back_and_nothing_of_it_shows(
        self, secret: bytes, purpose: str
    ) -> None:
        box = KEY.seal(secret, purpose)
        assert len(box) == len(secret) + OVERHEAD_BYTES
        assert KEY.unseal(box, purpose) == secret
        assert KEY.seal(secret, purpose) != box
        assert len(secret) < 8 or secret not in box

    def test_another_key_or_purpose_opens_nothing(self) -> None:
        box = KEY.seal(b"secret", "one")
        with pytest.raises(SealBroken):
            KEY.unseal(box, "two")
        with pytest.raises(SealBroken):
            SealingKey.generate().unseal(box, "one")

    def test_every_bit_counts(self) -> None:
        box = KEY.seal(b"a secret of some length", "one")
        for place in range(len(box) * 8):
            altered = bytearray(box)
            altered[place // 8] ^= 1 << place % 8
            with pytest.raises(SealBroken):
                KEY.unseal(bytes(altered), "one")
        for length in range(len(box)):
            with pytest.raises(SealBroken):
                KEY.unseal(box[:length], "one")

    def test_the_key_is_of_32_bytes_and_not_in_its_text(self) -> None:
        with pytest.raises(KeyMalformed):
            SealingKey(b"short")
        assert repr(KEY.secret) not in repr(KEY)
        assert KEY.secret.hex() != KEY.id
        assert KEY.id != SealingKey.generate().id


class TestFiles:
    @pytest.mark.parametrize("passphrase", ["", "corréct horse 马"])
    def test_a_key_comes_back(self, tmp_path: Path, passphrase: str) -> None:
        store = KeyStore(tmp_path, passphrase)
        made = store.create_sealing("node")
        assert KeyStore(tmp_path, passphrase).load_sealing("node") == made
        path = store.path(KeyKind.SEALING, "node")
        assert path.stat().st_mode & 0o777 == 0o600
        assert made.secret.hex() not in path.read_text()
        with pytest.raises(KeyExists):
            store.create_sealing("node")

    def test_it_is_listed_by_its_id(self, tmp_path: Path) -> None:
        made = KeyStore(tmp_path, "secret").create_sealing("node")
        (entry,) = KeyStore(tmp_path).list()
        assert (entry.kind, entry.label, entry.public) == ("sealing", "node", made.id)

    def test_another_passphrase_opens_nothing_and_a_changed_one_opens_it(
        self, tmp_path: Path
    ) -> None:
        store = KeyStore(tmp_path, "old")
        made = store.create_sealing("node")
        assert not KeyStore(tmp_path).opens()
        with pytest.raises(PassphraseWrong):
            KeyStore(tmp_path).load_sealing("node")
        assert store.change_passphrase("new") == 1
        assert KeyStore(tmp_path, "new").load_sealing("node") == made
        with pytest.raises(PassphraseWrong):
            KeyStore(tmp_path, "old").load_sealing("node")

    def test_what_is_no_sealing_key_is_refused(self, tmp_path: Path) -> None:
        store = KeyStore(tmp_path)
        with pytest.raises(KeyNotFound):
            store.load_sealing("node")
        store.create_sealing("node")
        path = store.path(KeyKind.SEALING, "node")
        fields = json.loads(path.read_text())
        for change in ({"id": "00" * 32}, {"id": 5}, {"format": "other"}, {"more": 1}):
            path.write_text(json.dumps({**fields, **change}))
            with pytest.raises(KeyFileMalformed):
                store.load_sealing("node")

    def test_no_token_holds_one(self, tmp_path: Path) -> None:
        place = TokenPlace("/nowhere/module.so", "token", "node")
        for make in (KeyStore(tmp_path).create_on_token, KeyStore(tmp_path).adopt_from_token):
            with pytest.raises(KeyMalformed, match="not on a token"):
                make(KeyKind.SEALING, "node", place)
        reference = {
            "format": "tallystick-token-key/1",
            "kind": "sealing",
            "backend": "pkcs11",
            "module": "/nowhere/module.so",
            "token": "token",
            "object": "node",
            "name": "",
            "publicKey": "00" * 32,
        }
        path = KeyStore(tmp_path).path(KeyKind.SEALING, "node")
        path.write_text(json.dumps(reference))
        path.chmod(0o600)
        with pytest.raises(KeyFileMalformed):
            KeyStore(tmp_path).list()
