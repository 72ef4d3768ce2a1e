"""A node's keys change while its ledger goes on; interrupted anywhere, the command goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from contracts.consortium import Role, add_device
from contracts.genesis import CONSORTIUM_ADDRESS
from ledger.chain import SignerMismatch
from ledger.crypto import NO_PASSPHRASE, AccountKey, KeyKind, KeyStore, PassphraseWrong
from ledger.mempool.errors import NotPermitted
from ledger.tlog import NoteSigner, open_checkpoint, open_rotation
from nodes.cli.keys import app
from nodes.errors import NodeError
from nodes.founding import LOG_KEY_LABEL, VALIDATOR_KEY_LABEL, MemberSpec, found_solo
from nodes.keys import KeyChangeRefused, switch_log_key
from nodes.layout import NodeDirectory
from nodes.network.cast import default_cast
from nodes.network.descriptor import Descriptor
from nodes.network.processes import NetworkProcesses
from nodes.network.trial import new_network
from nodes.operations.runfile import RunFile
from nodes.proposals import CallRefused, RpcClient
from nodes.runtime import NodeRuntime
from nodes.serving import serving
from nodes.settings import ApiSettings, CaptureSettings, NodeSettings, RpcSection
from tests.ledger.consensus.validator.engine import until
from tests.ledger.crypto.softhsm import SoftHsm
from tests.nodes.test_folder import found
from traceability.bundle import Trust, TrustStore
from traceability.bundle.errors import TrustMalformed
from traceability.bundle.rotation import rotated

pytestmark = pytest.mark.feature("N3")


def quiet(settings: NodeSettings) -> NodeSettings:
    return settings.model_copy(
        update={
            "api": ApiSettings(port=0),
            "rpc": RpcSection(port=0),
            "capture": CaptureSettings(workers=0),
        }
    )


@contextmanager
def running(place: NodeDirectory) -> Iterator[NodeRuntime]:
    with NodeRuntime.open(place.root, NO_PASSPHRASE, quiet) as node, serving(node):
        yield node


def tally(place: NodeDirectory, *words: str) -> dict[str, Any]:
    """`tally node keys …`; its JSON, or its error raised."""
    result = CliRunner().invoke(
        app, [words[0], *words[1:], "--dir", str(place.root), "--json"], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home of the user's own."""
    monkeypatch.setenv("TALLY_HOME", str(tmp_path / "home"))


@pytest.fixture
def solo(tmp_path: Path) -> NodeDirectory:
    return found(tmp_path / "node")


@pytest.fixture
def member(tmp_path: Path, cometbft: str) -> NodeDirectory:
    """A consortium of one member, whose engine is a real CometBFT."""
    del cometbft
    spec = MemberSpec("acme", "Acme", "", Role.MANUFACTURER)
    network = new_network(tmp_path / "net", [spec])
    return network.members[0].directory


def own_label(place: NodeDirectory) -> str:
    labels = {one.label for one in KeyStore(place.keys).list() if one.kind is KeyKind.ACCOUNT}
    return min(labels - {"developer"})


def transact(node: NodeRuntime, label: str) -> None:
    """A transaction that changes nothing, by an account whose key is here."""
    signer = node.secrets.load_account(label)
    raw = signer.sign_transaction(
        {
            "chainId": node.ledger.chain_id,
            "nonce": node.ledger.pending_nonce(signer.address),
            "to": bytes(signer.address),
            "value": 0,
            "gas": 50_000,
            "maxFeePerGas": 0,
            "maxPriorityFeePerGas": 0,
        }
    )
    node.ledger.wait_for(node.ledger.submit(raw), 30)


class TestAccounts:
    def test_the_new_one_is_admitted_used_and_the_old_one_revoked(
        self, solo: NodeDirectory
    ) -> None:
        label = own_label(solo)
        old = KeyStore(solo.keys).load_account(label)
        with running(solo) as node:
            first = tally(solo, "rotate", "account", label)
            assert (first["old"], first["done"]) == (old.checksum_address, False)
            # Given again before the restart: nothing more happens.
            blocks = node.ledger.head().header.number
            assert tally(solo, "rotate", "account", label) == first
            assert node.ledger.head().header.number == blocks
            transact(node, label)
            assert node.secrets.load_account(label).address == old.address
        with running(solo) as node:
            assert node.secrets.load_account(label).checksum_address == first["new"]
            last = tally(solo, "rotate", "account", label)
            assert last["done"]
            transact(node, label)
            with pytest.raises(NotPermitted):
                node.ledger.submit(_transfer(node, old))
        listed = tally(solo, "list")["keys"]
        uses = {one["public"]: one["use"] for one in listed if one["kind"] == "account"}
        assert uses[old.checksum_address] == "retired"
        assert uses[first["new"]] == "current"

    def test_an_account_that_another_member_was_faster_with_is_not_used(
        self, tmp_path: Path
    ) -> None:
        place = NodeDirectory(tmp_path / "two")
        found_solo(
            place,
            NodeSettings(name="Test"),
            [MemberSpec(name, name, "", Role.BANK) for name in ("alpha", "beta")],
            origin_prefix="tallystick.example/test",
            passphrase=NO_PASSPHRASE,
        )
        with running(place) as node:
            old = node.secrets.load_account("alpha")
            new = node.secrets.next.create_account("alpha")
            with RpcClient(RunFile.find(place.root).rpc) as rpc:
                other = node.secrets.load_account("beta")
                rpc.send(other, CONSORTIUM_ADDRESS, add_device(new.address))
            with pytest.raises(KeyChangeRefused, match="as its own"):
                tally(place, "rotate", "account", "alpha")
        with running(place) as node:
            assert node.secrets.load_account("alpha").address == old.address

    def test_without_a_node_nothing_is_begun(self, solo: NodeDirectory) -> None:
        with pytest.raises(KeyChangeRefused, match="no node runs"):
            tally(solo, "rotate", "account", own_label(solo))
        assert KeyStore(solo.keys).next.list() == ()

    def test_revoking_is_at_once_and_by_another_account_of_the_organisation(
        self, solo: NodeDirectory
    ) -> None:
        with running(solo) as node:
            address = node.secrets.load_account("developer").address
            answer = tally(solo, "revoke", "developer")
            assert answer["done"]
            assert node.secrets.entry(KeyKind.ACCOUNT, "developer") is None
            retired = node.secrets.retired.list()
            assert [one.public.lower() for one in retired] == [f"0x{address.hex()}"]
            with pytest.raises(KeyChangeRefused, match="neither"):
                tally(solo, "revoke", "0x1234")
            with pytest.raises(KeyChangeRefused, match="does not know"):
                tally(solo, "revoke", "0x" + "11" * 20)

    def test_a_device_is_added_by_its_own_organisation_and_revoked(
        self, solo: NodeDirectory
    ) -> None:
        device = AccountKey(b"\x09" * 32)
        with running(solo) as node:
            label = own_label(solo)
            with pytest.raises(NotPermitted):
                node.ledger.submit(_transfer(node, device))
            answer = tally(solo, "add-device", device.checksum_address)
            assert (answer["kind"], answer["label"], answer["done"]) == ("device", label, True)
            node.ledger.wait_for(node.ledger.submit(_transfer(node, device)), 30)
            head = node.ledger.head().header.number
            assert "already, active" in tally(solo, "add-device", device.checksum_address)["told"]
            assert node.ledger.head().header.number == head
            assert tally(solo, "revoke", device.checksum_address)["done"]
            with pytest.raises(NotPermitted):
                node.ledger.submit(_transfer(node, device))
            with pytest.raises(KeyChangeRefused, match="neither"):
                tally(solo, "add-device", "0x1234")

    def test_an_account_moves_to_a_token(self, solo: NodeDirectory, hsm: SoftHsm) -> None:
        label = own_label(solo)
        where = ["--pkcs11", hsm.module, "--token", "tally", "--object", "account-2"]
        with running(solo):
            step = tally(solo, "rotate", "account", label, *where)
        with running(solo) as node:
            assert node.secrets.entry(KeyKind.ACCOUNT, label).token == "tally"
            transact(node, label)
            assert tally(solo, "rotate", "account", label)["done"]
        assert step["new"] == KeyStore(solo.keys).load_account(label).checksum_address

    def test_a_new_account_is_made_on_a_token(self, solo: NodeDirectory, hsm: SoftHsm) -> None:
        where = ["--pkcs11", hsm.module, "--token", "tally", "--object", "till"]
        made = tally(solo, "new", "till", *where)
        listed = tally(solo, "list")["keys"]
        (entry,) = [one for one in listed if one["label"] == "till"]
        assert (entry["public"], entry["token"]) == (made["address"], "tally")

    def test_half_a_place_on_a_token_is_refused(self, solo: NodeDirectory) -> None:
        with pytest.raises(NodeError, match="--object"):
            tally(solo, "rotate", "log", "--token", "tally")


def _transfer(node: NodeRuntime, signer: Any) -> bytes:
    fields = {
        "chainId": node.ledger.chain_id,
        "nonce": node.ledger.pending_nonce(signer.address),
        "to": bytes(signer.address),
        "value": 0,
        "gas": 50_000,
        "maxFeePerGas": 0,
        "maxPriorityFeePerGas": 0,
    }
    raw: bytes = signer.sign_transaction(fields)
    return raw


class TestLog:
    def test_a_log_of_one_node_changes_its_key_at_the_next_start(self, solo: NodeDirectory) -> None:
        label = own_label(solo)
        with running(solo) as node:
            old, before = node.ledger.vkey, Trust.load(solo.trust)
            TrustStore().add(before)
            transact(node, label)
            old_note = node.ledger.log.checkpoint()
            step = tally(solo, "rotate", "log")
            assert (step["old"], step["done"]) == (old, False)
            transact(node, label)
            size = node.ledger.log.size
        with running(solo) as node:
            assert node.ledger.vkey == step["new"] != old
            assert node.ledger.log.size == size
            transact(node, label)
            new_note = node.ledger.log.checkpoint()
        (record,) = (solo.root / "rotations").iterdir()
        rotation = open_rotation(record.read_text())
        assert (rotation.old.vkey, rotation.new.vkey, rotation.size) == (old, step["new"], size)
        # The node's own trust file lists both keys; another's is brought up to date by the record.
        trust = Trust.load(solo.trust)
        other = solo.root.parent / "other-trust.json"
        before.save(other)
        assert trust == rotated(before, rotation)
        CliRunner().invoke(app, ["adopt", str(record), str(other)], catch_exceptions=False)
        assert Trust.load(other) == trust
        # So is what this user knows of the log; and what another knows, when it is told.
        assert TrustStore().find(trust.origin) == trust
        TrustStore().add(before, replace=True)
        CliRunner().invoke(app, ["adopt", str(record)], catch_exceptions=False)
        assert TrustStore().find(trust.origin) == trust
        for note in (old_note, new_note):
            open_checkpoint(note, trust.keys, trust.threshold, trust.origin)
        strict = rotated(before, rotation, keep_old=False)
        assert [key.vkey for key in strict.keys] == [step["new"]]
        with running(solo) as node:
            node.ledger.verify_integrity()

    @pytest.mark.parametrize("crash", ["record", "head", "trust"])
    def test_interrupted_anywhere_the_next_start_makes_it_good(
        self, solo: NodeDirectory, monkeypatch: pytest.MonkeyPatch, crash: str
    ) -> None:
        from nodes.keys import switching

        with running(solo) as node:
            transact(node, own_label(solo))
            new = tally(solo, "rotate", "log")["new"]

        class Power(Exception):
            pass

        def cut(*_: object, **__: object) -> Any:
            raise Power

        if crash == "record":
            monkeypatch.setattr("ledger.chain.rotation.write_log_head", cut)
        elif crash == "head":
            monkeypatch.setattr(switching.Trust, "load", cut)
        else:
            monkeypatch.setattr(KeyStore, "promote", cut)
        keys = KeyStore(solo.keys)
        with pytest.raises(Power), running(solo):
            pass
        monkeypatch.undo()
        assert keys.next.entry(KeyKind.NOTE, LOG_KEY_LABEL) is not None
        with running(solo) as node:
            assert node.ledger.vkey == new
            transact(node, own_label(solo))
        assert new in [key.vkey for key in Trust.load(solo.trust).keys]
        assert keys.next.entry(KeyKind.NOTE, LOG_KEY_LABEL) is None

    def test_a_stranger_s_log_is_not_taken_over(self, solo: NodeDirectory) -> None:
        with running(solo) as node:
            genesis = node.genesis
        keys = KeyStore(solo.keys)
        keys.retire(KeyKind.NOTE, LOG_KEY_LABEL)
        keys.create_note(LOG_KEY_LABEL, genesis.origin)
        keys.next.create_note(LOG_KEY_LABEL, genesis.origin)
        with pytest.raises(SignerMismatch, match="neither"):
            switch_log_key(solo, genesis, keys, 1 << 30)

    def test_a_trust_file_takes_no_key_from_a_stranger(self, solo: NodeDirectory) -> None:
        trust = Trust.load(solo.trust)
        from ledger.tlog import Checkpoint, rotation_at

        old, new = (NoteSigner.generate(trust.origin) for _ in range(2))
        note = rotation_at(Checkpoint(trust.origin, 5, bytes(32)), old, new)
        with pytest.raises(TrustMalformed, match="not trusted"):
            rotated(trust, open_rotation(note))
        other = [NoteSigner.generate("another.example") for _ in range(2)]
        note = rotation_at(Checkpoint("another.example", 5, bytes(32)), *other)
        with pytest.raises(TrustMalformed, match="is of log"):
            rotated(trust, open_rotation(note))


@pytest.mark.timeout(240)
class TestConsortium:
    def test_the_witness_key_changes_once_the_ledger_names_it(self, member: NodeDirectory) -> None:
        with running(member) as node:
            transact(node, "acme")
            old = node.ledger.vkey
            step = tally(member, "rotate", "log")
            assert node.ledger.vkey == old
        with running(member) as node:
            assert node.ledger.vkey.endswith(step["new"].rsplit("+", 1)[1])
            transact(node, "acme")
            trust = Trust.load(member.trust)
            assert node.witness is not None
            until(lambda: _vouched(node, trust), 10, "a cosignature by the new key")
        keys = KeyStore(member.keys)
        assert keys.note_verifier(LOG_KEY_LABEL).vkey == step["new"]
        descriptor = Descriptor.load(member.descriptor)
        assert descriptor.witness_key == keys.note_verifier(LOG_KEY_LABEL).public_key

    def test_a_witness_key_that_the_ledger_does_not_name_is_not_used(
        self, member: NodeDirectory
    ) -> None:
        with running(member) as node:
            transact(node, "acme")
            old = node.ledger.vkey
        keys = KeyStore(member.keys)
        keys.next.create_note(LOG_KEY_LABEL, keys.note_verifier(LOG_KEY_LABEL).name)
        with running(member) as node:
            assert node.ledger.vkey == old
            transact(node, "acme")

    def test_a_lone_validator_is_not_replaced_at_one_stroke(self, member: NodeDirectory) -> None:
        """The Network contract's rule: those of before keep more than two thirds."""
        with running(member) as node:
            before = node.secrets.load_validator(VALIDATOR_KEY_LABEL).public_key
            for _ in range(2):
                with pytest.raises(CallRefused, match="two thirds"):
                    tally(member, "rotate", "validator")
            transact(node, "acme")
            assert node.secrets.load_validator(VALIDATOR_KEY_LABEL).public_key == before

    @pytest.mark.slow
    def test_one_of_four_validators_changes_its_key_while_all_run(
        self, tmp_path: Path, cometbft: str
    ) -> None:
        del cometbft
        with NetworkProcesses(new_network(tmp_path / "net", default_cast(4))) as processes:
            processes.wait_ready()
            mine = processes.network.members[0]
            place, label = mine.directory, mine.organisation
            old = KeyStore(place.keys).load_validator(VALIDATOR_KEY_LABEL).public_key
            send(place, label, 1)
            step = tally(place, "rotate", "validator")
            assert (step["old"], step["done"]) == (old.hex(), True)
            send(place, label, 5)
            with pytest.raises(CallRefused, match=r"minutes|again|recent"):
                tally(place, "rotate", "validator")
            # Three of four go on only if the one with the new key votes.
            processes.members[3].process.terminate()
            processes.members[3].process.wait(30)
            send(place, label, 5)
        assert Descriptor.load(place.descriptor).validator_key.hex() == step["new"]
        record = json.loads((place.engine / "data" / "signer_state_keys.json").read_text())
        assert record["key"] == step["new"]
        states = sorted((place.engine / "data").glob("signer_state*.json"))
        assert len(states) == 3

    def test_a_solo_node_has_no_validator_key(self, solo: NodeDirectory) -> None:
        with running(solo), pytest.raises(KeyChangeRefused, match="orders alone"):
            tally(solo, "rotate", "validator")


def send(place: NodeDirectory, label: str, count: int) -> None:
    """Transactions that change nothing, through the node that runs in a folder."""
    signer = KeyStore(place.keys).load_account(label)
    with RpcClient(RunFile.find(place.root).rpc) as rpc:
        for _ in range(count):
            rpc.send(signer, signer.address, b"")


def _vouched(node: NodeRuntime, trust: Trust) -> bool:
    note = node.ledger.log.checkpoint()
    new = [
        key for key in trust.keys if key.public_key == node.secrets.load_note("log").key.public_key
    ]
    try:
        open_checkpoint(note, new, 1, trust.origin)
    except Exception:
        return False
    return True


class TestPassphrase:
    def test_it_is_changed_for_all_keys_and_again_after_an_interruption(
        self, solo: NodeDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for module in ("keyfile", "sealing"):  # stretched as far as tests need
            monkeypatch.setattr(f"ledger.crypto.{module}.SCRYPT_N", 2**11)
        keys = KeyStore(solo.keys)
        keys.next.create_validator("validator")
        count = len(keys.list()) + 1
        (tmp_path / "new").write_text("correct horse\n")
        from ledger.crypto import keystore

        replace, done = keystore._replace, []

        def cut(path: Path, data: bytes) -> None:
            if len(done) == 2:
                raise KeyboardInterrupt
            done.append(path)
            replace(path, data)

        with monkeypatch.context() as patch:
            patch.setattr(keystore, "_replace", cut)
            with pytest.raises(KeyboardInterrupt):
                keys.change_passphrase("correct horse")
        assert tally(solo, "passphrase", "--new-file", str(tmp_path / "new"))["files"] == count
        with pytest.raises(PassphraseWrong):
            KeyStore(solo.keys).load_note(LOG_KEY_LABEL)
        again = KeyStore(solo.keys, "correct horse")
        again.load_note(LOG_KEY_LABEL)
        again.next.load_validator("validator")
        with pytest.raises(PassphraseWrong):
            tally(solo, "passphrase", "--none")
        tally(solo, "passphrase", "--none", "--passphrase-file", str(tmp_path / "new"))
        KeyStore(solo.keys).load_note(LOG_KEY_LABEL)
