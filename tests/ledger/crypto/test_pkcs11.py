"""Keys that never leave a PKCS#11 token sign as those of files do (SoftHSM)."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.chain import Genesis, Ledger
from ledger.consensus import SoloDriver
from ledger.crypto import (
    KeyFileMalformed,
    KeyKind,
    KeyMalformed,
    KeyStore,
    PinInvalid,
    PinRefused,
    Pkcs11Missing,
    TokenFailed,
    TokenKeyMissing,
    TokenMissing,
    TokenPlace,
    ValidatorSigner,
)
from ledger.crypto.account import GROUP_ORDER
from ledger.crypto.pkcs11 import Curve, Token, _lock_of, close_tokens, module_reset
from ledger.tlog import Checkpoint, open_checkpoint, sign_checkpoint
from tests.ledger.chain.support import (
    ECHO,
    PERMISSION,
    genesis_document,
    make_genesis,
    permission_storage,
)
from tests.ledger.crypto.softhsm import SoftHsm

pytestmark = pytest.mark.feature("N3")
ORIGIN = "ledger.example/demo"


def place(hsm: SoftHsm, label: str, token: str = "tally") -> TokenPlace:
    return TokenPlace(hsm.module, token, label)


@pytest.fixture
def store(hsm: SoftHsm, tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "keys")


class TestSigning:
    def test_checkpoints_are_verified_by_our_verifier(self, hsm: SoftHsm, store: KeyStore) -> None:
        entry = store.create_on_token(KeyKind.NOTE, "log", place(hsm, "log"), ORIGIN)
        signer = store.load_note("log")
        assert signer.vkey == entry.public
        assert entry.token == "tally"
        checkpoint = Checkpoint(ORIGIN, 7, bytes(32))
        note = sign_checkpoint(checkpoint, [signer, signer.cosigner()])
        verifiers = (signer.verifier, signer.cosigner().verifier)
        assert open_checkpoint(note, verifiers, 1, ORIGIN) == checkpoint

    def test_a_ledger_with_its_log_key_on_a_token_opens_again(
        self, hsm: SoftHsm, store: KeyStore, tmp_path: Path
    ) -> None:
        genesis = make_genesis()
        store.create_on_token(KeyKind.NOTE, "log", place(hsm, "log"), genesis.origin)
        for _ in range(2):
            with Ledger.open(
                tmp_path / "l",
                genesis=genesis,
                signer=store.load_note("log"),
                map_size_bytes=1 << 30,
            ) as ledger:
                assert ledger.vkey == store.entry(KeyKind.NOTE, "log").public
            close_tokens()

    @pytest.mark.parametrize("kind", ["legacy", "eip1559"])
    def test_transactions_are_accepted_by_a_ledger(
        self, hsm: SoftHsm, store: KeyStore, tmp_path: Path, kind: str, note_signer: object
    ) -> None:
        store.create_on_token(KeyKind.ACCOUNT, "acme", place(hsm, "acme"))
        account = store.load_account("acme")
        document = genesis_document()
        document["alloc"][f"0x{PERMISSION.hex()}"]["storage"] = permission_storage(
            {account.address: (b"acme", 1)}, {b"acme": 1}
        )
        genesis = Genesis.parse(document)
        with Ledger.open(
            tmp_path / "l", genesis=genesis, signer=note_signer, map_size_bytes=1 << 30
        ) as ledger:
            driver = SoloDriver(ledger)
            driver.start()
            try:
                for nonce in range(5):
                    fields = {
                        "nonce": nonce,
                        "to": ECHO,
                        "gas": 100_000,
                        "value": 0,
                        "data": nonce.to_bytes(32, "big"),
                        "chainId": genesis.chain_id,
                    }
                    fields |= (
                        {"gasPrice": 0}
                        if kind == "legacy"
                        else {"maxFeePerGas": 0, "maxPriorityFeePerGas": 0}
                    )
                    raw = account.sign_transaction(fields)
                    mined, receipt = ledger.wait_for(ledger.submit(raw), 10)
                    assert receipt.status == 1
                    assert mined.transaction.sender == account.address
            finally:
                driver.stop()

    def test_signatures_of_accounts_are_low_and_recover(
        self, hsm: SoftHsm, store: KeyStore
    ) -> None:
        """EIP-2; the token itself gives high s for every other digest."""
        store.create_on_token(KeyKind.ACCOUNT, "acme", place(hsm, "acme"))
        account = store.load_account("acme")
        for number in range(40):
            signature = account.sign_digest(number.to_bytes(32, "big"))
            assert 0 < int.from_bytes(signature[32:64], "big") <= GROUP_ORDER // 2
            assert signature[64] in (0, 1)
        message = encode_defunct(b"hello")
        signed = account.sign_message(message)
        assert Account.recover_message(message, signature=signed) == account.checksum_address

    def test_from_must_be_the_account(self, hsm: SoftHsm, store: KeyStore) -> None:
        store.create_on_token(KeyKind.ACCOUNT, "acme", place(hsm, "acme"))
        fields = {"from": "0x" + "11" * 20, "nonce": 0, "gas": 1, "gasPrice": 0, "chainId": 1}
        with pytest.raises(KeyMalformed, match="is from"):
            store.load_account("acme").sign_transaction(fields)

    def test_many_threads_share_one_session(self, hsm: SoftHsm, store: KeyStore) -> None:
        store.create_on_token(KeyKind.VALIDATOR, "v", place(hsm, "v"))
        store.create_on_token(KeyKind.ACCOUNT, "a", place(hsm, "a"))
        failed: list[BaseException] = []

        def work(number: int) -> None:
            try:
                validator, account = store.load_validator("v"), store.load_account("a")
                for turn in range(20):
                    validator.sign(f"{number} {turn}".encode())
                    account.sign_digest((number * 100 + turn).to_bytes(32, "big"))
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failed

    def test_a_key_made_by_other_means_is_adopted(
        self, hsm: SoftHsm, store: KeyStore, tmp_path: Path
    ) -> None:
        made = store.create_on_token(KeyKind.VALIDATOR, "v", place(hsm, "shared"))
        other = KeyStore(tmp_path / "elsewhere")
        adopted = other.adopt_from_token(KeyKind.VALIDATOR, "mine", place(hsm, "shared"))
        assert adopted.public == made.public
        account = store.create_on_token(KeyKind.ACCOUNT, "a", place(hsm, "account"))
        assert (
            other.adopt_from_token(KeyKind.ACCOUNT, "a", place(hsm, "account")).public
            == account.public
        )


class TestTrouble:
    # The binding's own destructor of a search whose session has gone meanwhile complains on stderr.
    @pytest.mark.filterwarnings(
        "ignore:.*OperationContext.__del__:pytest.PytestUnraisableExceptionWarning"
    )
    def test_two_tokens_of_a_module_begin_anew_at_once(self, hsm: SoftHsm, store: KeyStore) -> None:
        import pkcs11

        hsm.make_token("second")
        module_reset(hsm.module)
        store.create_on_token(KeyKind.VALIDATOR, "v", place(hsm, "v"))
        store.create_on_token(KeyKind.VALIDATOR, "w", place(hsm, "w", "second"))
        signers = [store.load_validator(label) for label in ("v", "w")]
        done: list[bytes] = []

        def work(signer: ValidatorSigner) -> None:
            done.extend(signer.sign(bytes([number])) for number in range(30))

        threads = [threading.Thread(target=work, args=(one,), daemon=True) for one in signers]
        for thread in threads:
            thread.start()
        for _ in range(5):
            with _lock_of(hsm.module):
                pkcs11.lib(hsm.module).reinitialize()
        for thread in threads:
            thread.join(30)
        assert len(done) == 60

    @pytest.mark.parametrize("kind", [KeyKind.VALIDATOR, KeyKind.ACCOUNT])
    def test_a_handle_that_became_another_keys_is_found_anew(
        self, hsm: SoftHsm, store: KeyStore, kind: KeyKind, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As after another thread began the module anew: the first answer is of a wrong key."""
        store.create_on_token(kind, "a", place(hsm, "a"))
        store.create_on_token(kind, "b", place(hsm, "b"))
        whole, asked = Token.sign, []

        def confused(token: Token, label: str, curve: Curve, data: bytes) -> bytes:
            asked.append(label)
            return whole(token, "b" if len(asked) == 1 else label, curve, data)

        monkeypatch.setattr(Token, "sign", confused)
        if kind is KeyKind.VALIDATOR:
            store.load_validator("a").sign(b"vote")
        else:
            store.load_account("a").sign_digest(bytes(32))
        assert asked == ["a", "a"]

    def test_sessions_that_the_module_forgot_are_made_anew(
        self, hsm: SoftHsm, store: KeyStore
    ) -> None:
        import pkcs11

        store.create_on_token(KeyKind.VALIDATOR, "v", place(hsm, "v"))
        signer = store.load_validator("v")
        first = signer.sign(b"one")
        pkcs11.lib(hsm.module).reinitialize()
        assert signer.sign(b"one") == first

    def test_a_token_taken_away_is_told_and_found_again(
        self, hsm: SoftHsm, store: KeyStore
    ) -> None:
        store.create_on_token(KeyKind.VALIDATOR, "v", place(hsm, "v"))
        signer = store.load_validator("v")
        first = signer.sign(b"one")
        away = hsm.tokens.with_name("away")
        shutil.move(hsm.tokens, away)
        hsm.tokens.mkdir()
        module_reset(hsm.module)
        with pytest.raises(TokenMissing, match="tally"):
            signer.sign(b"one")
        hsm.tokens.rmdir()
        shutil.move(away, hsm.tokens)
        module_reset(hsm.module)
        assert signer.sign(b"one") == first

    def test_a_wrong_pin_is_told_and_tried_once(
        self, hsm: SoftHsm, store: KeyStore, tmp_path: Path
    ) -> None:
        store.create_on_token(KeyKind.VALIDATOR, "v", place(hsm, "v"))
        close_tokens()
        asked: list[str] = []

        def wrong(token: str) -> str:
            asked.append(token)
            return "0000"

        signer = KeyStore(store.directory, pin=wrong).load_validator("v")
        for _ in range(3):
            with pytest.raises(PinRefused):
                signer.sign(b"x")
        assert asked == ["tally"]

    def test_no_pin_is_told(
        self, hsm: SoftHsm, store: KeyStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("TALLY_PKCS11_PIN")
        with pytest.raises(PinInvalid, match="TALLY_PKCS11_PIN_FILE"):
            store.create_on_token(KeyKind.VALIDATOR, "v", place(hsm, "v"))

    def test_a_pin_from_a_file(
        self,
        hsm: SoftHsm,
        store: KeyStore,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.delenv("TALLY_PKCS11_PIN")
        (tmp_path / "pin").write_text("5678\n")
        monkeypatch.setenv("TALLY_PKCS11_PIN_FILE", str(tmp_path / "pin"))
        store.create_on_token(KeyKind.VALIDATOR, "v", place(hsm, "v"))

    def test_what_is_not_there_is_named(self, hsm: SoftHsm, store: KeyStore) -> None:
        with pytest.raises(TokenMissing, match="'other'"):
            store.create_on_token(KeyKind.NOTE, "log", place(hsm, "log", "other"), ORIGIN)
        with pytest.raises(TokenKeyMissing, match="'log'"):
            store.adopt_from_token(KeyKind.NOTE, "log", place(hsm, "log"), ORIGIN)
        with pytest.raises(Pkcs11Missing, match="no such"):
            store.adopt_from_token(KeyKind.NOTE, "log", TokenPlace("/none.so", "t", "log"), ORIGIN)
        with pytest.raises(Pkcs11Missing):
            store.adopt_from_token(KeyKind.NOTE, "log", TokenPlace(__file__, "t", "log"), ORIGIN)
        assert store.list() == ()

    def test_a_label_on_the_token_is_not_used_twice(self, hsm: SoftHsm, store: KeyStore) -> None:
        store.create_on_token(KeyKind.NOTE, "log", place(hsm, "log"), ORIGIN)
        with pytest.raises(TokenFailed, match="on it already"):
            store.create_on_token(KeyKind.NOTE, "other", place(hsm, "log"), ORIGIN)

    def test_another_key_under_the_label_is_found_out(
        self, hsm: SoftHsm, store: KeyStore, tmp_path: Path
    ) -> None:
        store.create_on_token(KeyKind.VALIDATOR, "v", place(hsm, "one"))
        store.create_on_token(KeyKind.VALIDATOR, "w", place(hsm, "two"))
        store.create_on_token(KeyKind.ACCOUNT, "a", place(hsm, "three"))
        store.create_on_token(KeyKind.ACCOUNT, "b", place(hsm, "four"))
        for kind, label, other in (
            (KeyKind.VALIDATOR, "v", "two"),
            (KeyKind.ACCOUNT, "a", "four"),
        ):
            path = store.path(kind, label)
            fields = json.loads(path.read_text())
            path.write_text(json.dumps(fields | {"object": other}))
        with pytest.raises(TokenFailed, match="not of the public key"):
            store.load_validator("v").sign(b"x")
        with pytest.raises(TokenFailed, match="not of account"):
            store.load_account("a").sign_digest(bytes(32))

    def test_the_key_cannot_be_read_from_the_token(self, hsm: SoftHsm, store: KeyStore) -> None:
        import pkcs11

        store.create_on_token(KeyKind.ACCOUNT, "a", place(hsm, "a"))
        close_tokens()
        token = pkcs11.lib(hsm.module).get_token(token_label="tally")
        with token.open(user_pin="5678") as session:
            key = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label="a")
            assert key[pkcs11.Attribute.SENSITIVE]
            assert not key[pkcs11.Attribute.EXTRACTABLE]
            with pytest.raises(pkcs11.PKCS11Error):
                key[pkcs11.Attribute.VALUE]

    def test_references_hold_no_secret_and_need_no_passphrase(
        self, hsm: SoftHsm, store: KeyStore
    ) -> None:
        store.create_on_token(KeyKind.ACCOUNT, "a", place(hsm, "a"))
        text = store.path(KeyKind.ACCOUNT, "a").read_text()
        assert "5678" not in text
        listed = KeyStore(store.directory, "whatever").list()
        assert [(one.label, one.token) for one in listed] == [("a", "tally")]
        assert store.change_passphrase("new") == 0


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_damaged_reference_is_refused_plainly(tmp_path: Path, data: st.DataObject) -> None:
    from ledger.crypto.reference import TokenReference

    good = TokenReference(
        KeyKind.NOTE, TokenPlace("/lib/module.so", "tally", "log"), b"\7" * 32, ORIGIN
    )
    text = good.encode()
    at = data.draw(st.integers(0, len(text) - 1))
    changed = text[:at] + data.draw(st.binary(max_size=2)) + text[at + 1 :]
    try:
        found = TokenReference.decode(changed, KeyKind.NOTE)
    except KeyFileMalformed as error:
        assert str(error)  # noqa: PT017 - either outcome is right
    else:
        assert len(found.public_key) == 32
