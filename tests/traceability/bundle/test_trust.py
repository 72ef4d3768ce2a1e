"""Trust files and the store of known logs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.traceability.bundle.support import ORIGIN, World, signer, small_world
from traceability.bundle import (
    GenesisPin,
    Outcome,
    Trust,
    TrustConflict,
    TrustMalformed,
    TrustStore,
    known_trust,
    trust_directory,
    verify_bundle,
)

pytestmark = pytest.mark.feature("L4")

WORLD, STORED = small_world()
TRUST = WORLD.trust()
DATA = WORLD.bundle(STORED[0]).encode()


def other_log(origin: str = "other.example/log") -> Trust:
    return World(signers=(signer(origin, 7),), origin=origin).trust()


class TestFile:
    def test_has_the_members_of_the_proof_format(self) -> None:
        assert json.loads(TRUST.encode()) == {
            "format": "tallystick-trust/1",
            "name": "Demo consortium",
            "origin": ORIGIN,
            "keys": [signer().vkey],
            "threshold": 1,
            "chainId": 827166,
            "contracts": {
                "consortium": "0x7a11000000000000000000000000000000000001",
                "provenance": "0x7a11000000000000000000000000000000000002",
            },
        }

    def test_comes_back(self, tmp_path: Path) -> None:
        path = tmp_path / "deep" / "trust.json"
        TRUST.save(path)
        assert Trust.load(path) == TRUST
        TRUST.save(path)
        assert [file.name for file in path.parent.iterdir()] == ["trust.json"]

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"format": "tallystick-trust/2"}, "format"),
            ({"origin": ""}, "origin"),
            ({"origin": "a\nb"}, "origin"),
            ({"keys": []}, "keys"),
            ({"keys": [signer().vkey] * 2}, "twice"),
            ({"keys": ["nonsense"]}, "verifier key"),
            ({"keys": "x"}, "keys"),
            ({"threshold": 0}, "threshold"),
            ({"threshold": 2}, "never be met"),
            ({"threshold": True}, "threshold"),
            ({"threshold": "1"}, "threshold"),
            ({"chainId": -1}, "chainId"),
            ({"contracts": {"provenance": "0x" + "ab" * 20}}, "consortium"),
            ({"contracts": {"provenance": "0x" + "AB" * 20, "consortium": "0x"}}, "contracts"),
            ({"more": 1}, "more"),
            ({"genesis": None}, "genesis"),
            ({"genesis": {}}, "document"),
            ({"genesis": {"engine": "cd" * 32}}, "document"),
            ({"genesis": {"document": "AB" * 32}}, "document"),
            ({"genesis": {"document": "ab" * 31}}, "document"),
            ({"genesis": {"document": "ab" * 32, "engine": None}}, "engine"),
            ({"genesis": {"document": "ab" * 32, "more": 1}}, "more"),
        ],
    )
    def test_is_strict(self, change: dict[str, Any], reason: str) -> None:
        data = json.dumps(TRUST.fields() | change).encode()
        with pytest.raises(TrustMalformed, match=reason):
            Trust.parse(data)

    @pytest.mark.parametrize("data", [b"", b"[]", b"null", b"{", b'{"a":1,"a":1}', b" " * 300_000])
    def test_other_bytes_are_refused(self, data: bytes) -> None:
        with pytest.raises(TrustMalformed):
            Trust.parse(data)

    def test_one_key_under_two_types_counts_once(self) -> None:
        keys = (signer().verifier, signer().cosigner().verifier)
        assert WORLD.trust(1, keys=keys).keys == keys
        with pytest.raises(TrustMalformed, match="never be met"):
            WORLD.trust(2, keys=keys)

    @pytest.mark.parametrize("engine", [None, b"\x02" * 32])
    def test_says_what_the_ledger_begins_with(self, engine: bytes | None) -> None:
        pinned = replace(TRUST, genesis=GenesisPin(b"\x01" * 32, engine))
        assert Trust.parse(pinned.encode()) == pinned
        more = {} if engine is None else {"engine": "02" * 32}
        assert json.loads(pinned.encode())["genesis"] == {"document": "01" * 32, **more}
        assert verify_bundle(DATA, pinned).outcome is Outcome.VALID
        with pytest.raises(TrustMalformed, match="32 bytes"):
            GenesisPin(b"\x01" * 31)

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(TrustMalformed, match=r"none\.json"):
            Trust.load(tmp_path / "none.json")


class TestStore:
    def test_knows_logs_by_origin(self, tmp_path: Path) -> None:
        store = TrustStore(tmp_path / "trust")
        assert store.find(ORIGIN) is None
        store.add(TRUST)
        store.add(other_log())
        assert store.find(ORIGIN) == TRUST
        assert store.find("other.example/log") == other_log()
        assert store.find("third.example") is None

    def test_the_same_again_changes_nothing(self, tmp_path: Path) -> None:
        store = TrustStore(tmp_path)
        assert store.add(TRUST) == store.add(TRUST)
        assert len(store.all()) == 1

    def test_changed_keys_are_not_taken_silently(self, tmp_path: Path) -> None:
        store = TrustStore(tmp_path)
        store.add(TRUST)
        changed = WORLD.trust(keys=(signer(seed=9).verifier,))
        with pytest.raises(TrustConflict, match="something else"):
            store.add(changed)
        assert store.find(ORIGIN) == TRUST
        store.add(changed, replace=True)
        assert store.find(ORIGIN) == changed

    def test_what_one_file_says_of_genesis_is_kept_and_never_changed(self, tmp_path: Path) -> None:
        store = TrustStore(tmp_path)
        store.add(TRUST)
        pinned = replace(TRUST, genesis=GenesisPin(b"\x01" * 32))
        store.add(pinned)
        assert store.find(ORIGIN) == pinned
        store.add(TRUST)
        assert store.find(ORIGIN) == pinned
        with pytest.raises(TrustConflict, match="something else"):
            store.add(replace(TRUST, genesis=GenesisPin(b"\x02" * 32)))
        assert store.find(ORIGIN) == pinned

    def test_two_files_about_one_log_decide_nothing(self, tmp_path: Path) -> None:
        store = TrustStore(tmp_path)
        store.add(TRUST)
        TRUST.save(tmp_path / "copy.json")
        with pytest.raises(TrustConflict, match=r"copy\.json"):
            store.find(ORIGIN)

    def test_a_damaged_file_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "bad.json").write_text("{")
        with pytest.raises(TrustMalformed, match=r"bad\.json"):
            TrustStore(tmp_path).find(ORIGIN)

    @pytest.mark.parametrize("origin", ["../../etc/x", "日本.example", "A/B", "x" * 255, "..."])
    def test_origins_never_leave_the_directory(self, tmp_path: Path, origin: str) -> None:
        trust = WORLD.trust(origin=origin)
        path = TrustStore(tmp_path).add(trust)
        assert path.parent == tmp_path
        assert TrustStore(tmp_path).find(origin) == trust

    def test_similar_origins_have_files_of_their_own(self, tmp_path: Path) -> None:
        store = TrustStore(tmp_path)
        assert store.add(WORLD.trust(origin="a/b")) != store.add(WORLD.trust(origin="a-b"))

    def test_lies_in_tally_home(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TALLY_HOME", str(tmp_path))
        assert trust_directory() == tmp_path / "trust"
        assert known_trust(DATA) is None
        TrustStore().add(TRUST)
        assert known_trust(DATA) == TRUST
        assert verify_bundle(DATA, known_trust(DATA)).outcome is Outcome.VALID
        monkeypatch.delenv("TALLY_HOME")
        assert trust_directory() == Path.home() / ".tallystick" / "trust"

    def test_a_bundle_never_brings_its_own_trust(self, tmp_path: Path) -> None:
        store = TrustStore(tmp_path)
        store.add(other_log())
        assert known_trust(DATA, store) is None
        assert known_trust(b"garbage", store) is None
