"""A node's folder: where things lie, its settings, and how it is founded."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.consortium import Role
from ledger.chain import Genesis
from ledger.consensus.cometbft.genesis import EVIDENCE_AGE_BLOCKS
from ledger.crypto import NO_PASSPHRASE, KeyStore
from nodes.errors import DirectoryNotEmpty, NotANodeDirectory, SettingsInvalid
from nodes.founding import DEVELOPER_LABEL, LOG_KEY_LABEL, MemberSpec, found_solo
from nodes.layout import NodeDirectory, user_directory
from nodes.operations.settings import LogSettings, OperationsSettings
from nodes.settings import (
    RETAIN_HEIGHTS_MIN,
    ApiSettings,
    ChainSettings,
    ConsensusSettings,
    DatabaseSettings,
    NodeSettings,
    SnapshotSettings,
    WitnessSettings,
    load_settings,
    write_settings,
)
from traceability.bundle import Trust

pytestmark = pytest.mark.feature("A4")

MEMBER = MemberSpec("acme", "Acme", "顶点", Role.OPERATOR)


def found(root: Path, member: MemberSpec = MEMBER) -> NodeDirectory:
    place = NodeDirectory(root)
    found_solo(
        place,
        NodeSettings(name="Test"),
        [member],
        origin_prefix="tallystick.example/test",
        passphrase=NO_PASSPHRASE,
        developer_of="acme",
    )
    return place


# ---- layout -------------------------------------------------------------------------------------


def test_a_folder_without_genesis_or_settings_is_no_nodes_folder(tmp_path: Path) -> None:
    place = NodeDirectory(tmp_path)
    with pytest.raises(NotANodeDirectory, match=r"genesis\.json"):
        place.check()
    place.genesis.write_text("{}")
    with pytest.raises(NotANodeDirectory, match=r"node\.toml"):
        place.check()
    place.settings.write_text("")
    place.check()


def test_the_users_folder_is_tally_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TALLY_HOME", str(tmp_path))
    assert user_directory() == tmp_path
    monkeypatch.setenv("TALLY_HOME", "")
    assert user_directory() == Path.home() / ".tallystick"


# ---- settings -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("name = \n", "line 1"),
        ("[api]\nport = 1\nport = 2\n", "line 3"),
        ("[api]\nport = 65536", r"api\.port: .*65535"),
        ("[api]\nport = -1", r"api\.port"),
        ('[api]\nport = "8080"', r"api\.port"),
        ("[rpc]\nport = true", r"rpc\.port"),
        ("[api]\nprot = 1", r"api\.prot: .*not permitted"),
        ("[chains]\n", "chains"),
        ("[capture]\nworkers = 65", r"capture\.workers"),
        ("[chain]\nmap_size_gib = 0", r"chain\.map_size_gib"),
        ("name = 1", "name"),
        ("[api]\nrequests_per_minute = 0", r"api\.requests_per_minute"),
        ('[consensus]\ndriver = "raft"', r"consensus\.driver: .*cometbft"),
        ('[consensus]\np2p_listen = "everywhere"', r"consensus\.p2p_listen: .*HOST:PORT"),
        ('[consensus]\np2p_external = "a:0"', r"consensus\.p2p_external"),
        ('[consensus]\ntiming = "fast"', r"consensus\.timing"),
        ("[witness]\ninterval_ms = 1", r"witness\.interval_ms"),
        ("[witness]\nenabled = 1", r"witness\.enabled"),
        ("[snapshots]\nkeep = 0", r"snapshots\.keep"),
        ("[operations]\nport = 65536", r"operations\.port"),
    ],
)
def test_bad_settings_are_refused_with_the_place_and_the_reason(
    tmp_path: Path, text: str, reason: str
) -> None:
    path = tmp_path / "node.toml"
    path.write_text(text)
    with pytest.raises(SettingsInvalid, match=reason) as refused:
        load_settings(path)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[consensus]\nretain_heights = 99_999", "0 (all) or at least 100000"),
        ("[consensus]\nretain_heights = -1", "consensus.retain_heights"),
        ("[snapshots]\ninterval_heights = 50_000", "need 110000"),
        ("[snapshots]\nkeep = 100", "100 snapshots, one every 1000 heights, need 110000"),
    ],
)
def test_blocks_that_are_still_needed_cannot_be_given_up(
    tmp_path: Path, text: str, problem: str
) -> None:
    path = tmp_path / "node.toml"
    path.write_text(text)
    with pytest.raises(SettingsInvalid, match=re.escape(problem)):
        load_settings(path)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", 100_000),
        ("[consensus]\nretain_heights = 0\n[snapshots]\ninterval_heights = 50_000", 0),
        ("[consensus]\nretain_heights = 110_000\n[snapshots]\ninterval_heights = 50_000", 110_000),
        ("[snapshots]\ninterval_heights = 0", 0),
    ],
)
def test_how_many_of_the_engines_heights_stay(tmp_path: Path, text: str, kept: int) -> None:
    path = tmp_path / "node.toml"
    path.write_text(text)
    assert load_settings(path).retained_heights == kept
    assert RETAIN_HEIGHTS_MIN == EVIDENCE_AGE_BLOCKS


def test_settings_that_are_not_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "node.toml"
    path.write_bytes(b'name = "\xff"')
    with pytest.raises(SettingsInvalid, match=r"node\.toml"):
        load_settings(path)


def test_empty_settings_are_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "node.toml"
    path.write_text("")
    assert load_settings(path) == NodeSettings()


@given(name=st.text(st.characters(exclude_categories=["Cs"])), url=st.text('a"\\\n\x7f\x00é'))
def test_what_is_written_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, name: str, url: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "written.toml"
    settings = NodeSettings(
        name=name,
        api=ApiSettings(port=0, public_url=url),
        database=DatabaseSettings(url=url),
        chain=ChainSettings(map_size_gib=3, block_interval_ms=7, execution="reference"),
        consensus=ConsensusSettings(
            driver="cometbft", p2p_listen="[::1]:7", p2p_external="a.example:7", timing="wide"
        ),
        operations=OperationsSettings(port=9464, peers_min=3),
        log=LogSettings(format="json", level="debug"),
        witness=WitnessSettings(enabled=False, interval_ms=50),
        snapshots=SnapshotSettings(interval_heights=0, keep=9),
    )
    write_settings(path, settings)
    assert load_settings(path) == settings


# ---- founding -----------------------------------------------------------------------------------


def test_a_founded_folder_has_genesis_keys_settings_and_trust_that_agree(tmp_path: Path) -> None:
    place = found(tmp_path / "node")
    place.check()
    genesis, trust = Genesis.load(place.genesis), Trust.load(place.trust)
    keys = KeyStore(place.keys, NO_PASSPHRASE)
    assert trust.origin == genesis.origin == keys.load_note(LOG_KEY_LABEL).name
    assert trust.chain_id == genesis.chain_id
    assert {one.label for one in keys.list()} == {LOG_KEY_LABEL, "acme", DEVELOPER_LABEL}
    assert load_settings(place.settings).name == "Test"
    assert place.root.stat().st_mode & 0o077 == 0


def test_each_ledger_has_its_own_name_and_chain(tmp_path: Path) -> None:
    one, other = (Genesis.load(found(tmp_path / name).genesis) for name in ("a", "b"))
    assert one.origin != other.origin
    assert one.chain_id != other.chain_id


def test_nothing_is_founded_in_a_folder_that_holds_something(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep me")
    with pytest.raises(DirectoryNotEmpty, match="not empty"):
        found(tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == ["mine.txt"]


def test_an_empty_folder_is_good_even_the_one_we_are_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    found(Path())
    NodeDirectory(here).check()
    os.chdir(tmp_path)


def test_founding_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="Acme"):
        found(tmp_path / "deep" / "node", MemberSpec("Acme Ltd.", "Acme", "", Role.OPERATOR))
    assert not (tmp_path / "deep" / "node").exists()
    assert list((tmp_path / "deep").iterdir()) == []


def test_the_genesis_file_is_what_geth_reads(tmp_path: Path) -> None:
    document = json.loads(found(tmp_path / "node").genesis.read_text())
    assert document["config"]["pragueTime"] == 0
    assert document["baseFeePerGas"] == "0x0"
    assert all(address.startswith("0x") for address in document["alloc"])
