"""What the engine is given: its genesis, its configuration, its keys; and the mark."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import subprocess
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.chain import Limits
from ledger.consensus.cometbft import (
    LOCAL,
    WIDE,
    EngineHalted,
    EngineHomeInvalid,
    EngineSettings,
    EngineSettingsInvalid,
    EngineStart,
    Mark,
    MarkInvalid,
    PeerAddress,
    StateSync,
    address_of,
    engine_genesis,
    ensure_node_key,
    ensure_validator_key,
)
from ledger.consensus.cometbft.beginning import find_start
from ledger.consensus.cometbft.config import Sockets, render_config
from ledger.consensus.cometbft.genesis import BLOCK_SIZE_BYTES_MAX, block_params
from ledger.consensus.cometbft.home import Home, write_private
from ledger.evm import decode_transaction
from tests.ledger.chain.support import make_genesis, sender
from tests.ledger.consensus.cometbft.rig import NODES, Rig
from tests.ledger.consensus.cometbft.support import Node, consortium_genesis

pytestmark = pytest.mark.feature("L2")

PEER = "ab" * 20 + "@10.0.0.1:26656"


# ---- the engine's genesis -------------------------------------------------------------------


def test_the_engines_genesis_follows_from_ours_alone(rig: Rig) -> None:
    document = engine_genesis(rig.genesis)
    assert document == engine_genesis(rig.genesis)
    fields = json.loads(document)
    assert fields["chain_id"] == rig.start.chain_id
    assert len(fields["chain_id"]) <= 50
    assert fields["initial_height"] == "1"
    assert [base64.b64decode(one["pub_key"]["value"]) for one in fields["validators"]] == sorted(
        node.validator_key or b"" for node in NODES
    )
    assert fields["consensus_params"]["block"]["max_gas"] == "-1"
    start = EngineStart.parse(document)
    assert start == rig.start
    assert (start.block_number, start.log_size) == (0, 0)


def test_a_promoted_ledgers_genesis_names_its_state(rig: Rig) -> None:
    rig.ledger.append_block(
        [decode_transaction(sender(1).call(1))], rig.ledger.head().header.timestamp + 9
    )
    document = engine_genesis(rig.genesis, rig.ledger)
    fields = json.loads(document)
    assert fields["app_hash"] == rig.ledger.log.root.hex().upper()
    assert fields["chain_id"] != rig.start.chain_id
    start = EngineStart.parse(document)
    assert (start.block_number, start.block_hash) == (1, rig.ledger.head().hash)
    assert start.time == rig.ledger.head().header.timestamp


def test_without_validators_there_is_no_engine() -> None:
    with pytest.raises(EngineHalted, match="no validator"):
        engine_genesis(make_genesis())
    asleep = [replace(node, status=2) for node in NODES]
    with pytest.raises(EngineHalted, match="no validator"):
        engine_genesis(consortium_genesis(asleep))


def test_more_power_than_the_engine_takes_is_refused() -> None:
    with pytest.raises(EngineHalted, match="power"):
        engine_genesis(consortium_genesis([replace(NODES[0], power=1 << 61)]))


@pytest.mark.parametrize("old", [b'"initial_height":"1"', b'"power":"1"', b"logSize", b'"ed25519"'])
def test_a_changed_engine_genesis_is_refused(rig: Rig, old: bytes) -> None:
    document = engine_genesis(rig.genesis)
    assert old in document
    with pytest.raises(EngineHomeInvalid):
        EngineStart.parse(document.replace(old, old.replace(b"1", b"2").upper(), 1))


@given(st.binary(max_size=200) | st.just(b"{}") | st.just(b"[]"))
def test_what_is_no_engine_genesis_is_refused(document: bytes) -> None:
    with pytest.raises(EngineHomeInvalid):
        EngineStart.parse(document)


def test_the_engines_blocks_have_room_for_ours() -> None:
    small, large = Limits(block_size_bytes_max=1 << 16), Limits(block_size_bytes_max=64 << 20)
    for limits in (small, large):
        assert limits.block_size_bytes_max < block_params(limits).max_bytes <= BLOCK_SIZE_BYTES_MAX


# ---- where the engine begins ----------------------------------------------------------------


def home_of(folder: Path) -> Home:
    home = Home(folder / "engine")
    home.prepare()
    return home


def test_a_beginning_is_written_and_kept(rig: Rig, tmp_path: Path) -> None:
    home = home_of(tmp_path)
    start = find_start(rig.ledger, home, None)
    assert start == rig.start
    assert home.genesis.read_bytes() == start.document()
    rig.block([sender(1).call(1)])
    assert find_start(rig.ledger, home, None) == start


def test_a_promoted_ledger_keeps_its_beginning_while_it_grows(rig: Rig, tmp_path: Path) -> None:
    rig.ledger.append_block(
        [decode_transaction(sender(1).call(1))], rig.ledger.head().header.timestamp
    )
    home = home_of(tmp_path)
    start = find_start(rig.ledger, home, None)
    assert start.block_number == 1
    rig.ledger.keep(None, Mark(start.chain_id, 1, 0).encode())
    rig.ledger.append_block(
        [decode_transaction(sender(1).sign(nonce=1))], rig.ledger.head().header.timestamp
    )
    assert find_start(rig.ledger, home, None) == start
    home.genesis.unlink()
    with pytest.raises(EngineHomeInvalid, match=r"engine's genesis\.json is needed"):
        find_start(rig.ledger, home, None)
    assert find_start(rig.ledger, home, start.document()) == start


def test_a_promotion_that_did_not_take_place_leaves_no_beginning(rig: Rig, tmp_path: Path) -> None:
    def grow(nonce: int) -> None:
        raw = sender(1).sign(nonce=nonce)
        rig.ledger.append_block([decode_transaction(raw)], rig.ledger.head().header.timestamp)

    home = home_of(tmp_path)
    grow(0)
    assert find_start(rig.ledger, home, None).block_number == 1
    grow(1)  # the node went on alone
    later = find_start(rig.ledger, home, None)
    assert later.block_hash == rig.ledger.head().hash
    assert home.genesis.read_bytes() == later.document()


def test_another_beginning_than_the_folders_is_refused(rig: Rig, tmp_path: Path) -> None:
    home = home_of(tmp_path)
    find_start(rig.ledger, home, None)
    other = consortium_genesis([*NODES, Node(b"\1" * 20, b"\1" * 32)])
    with pytest.raises(EngineHomeInvalid):
        find_start(rig.ledger, home, engine_genesis(other))


# ---- configuration --------------------------------------------------------------------------

SOCKETS = Sockets(Path("/run/a/abci"), Path("/run/a/rpc"), Path("/run/a/signer"))


def config(settings: EngineSettings, *, state_sync: bool = False, signer: bool = True) -> dict:  # type: ignore[type-arg]
    sockets = SOCKETS if signer else replace(SOCKETS, signer=None)
    peers = [PeerAddress.parse(peer) for peer in settings.peers]
    text = render_config(settings, sockets, peers, state_sync=state_sync)
    return tomllib.loads(text)


def test_the_configuration_says_what_matters(tmp_path: Path) -> None:
    said = config(EngineSettings(tmp_path, p2p_listen="0.0.0.0:1", peers=(PEER,)))
    assert said["proxy_app"] == "unix:///run/a/abci"
    assert said["priv_validator_laddr"] == "unix:///run/a/signer"
    assert said["filter_peers"] is True
    assert said["rpc"]["laddr"] == "unix:///run/a/rpc"
    assert said["rpc"]["unsafe"] is False
    assert said["rpc"]["grpc_laddr"] == said["rpc"]["pprof_laddr"] == ""
    assert said["p2p"]["pex"] is False
    assert said["p2p"]["persistent_peers"] == PEER
    assert said["p2p"]["laddr"] == "tcp://0.0.0.0:1"
    assert said["mempool"]["recheck"] is True
    assert said["mempool"]["max_tx_bytes"] >= Limits().transaction_size_bytes_max
    assert said["consensus"]["create_empty_blocks"] is False
    assert said["consensus"]["skip_timeout_commit"] is True
    assert said["consensus"]["timeout_propose"] == f"{LOCAL.propose_ms}ms"
    assert said["tx_index"]["indexer"] == "null"
    assert said["statesync"] == {"enable": False}
    assert said["instrumentation"]["prometheus"] is False
    assert config(EngineSettings(tmp_path), signer=False)["priv_validator_laddr"] == ""
    wide = config(EngineSettings(tmp_path, timings=WIDE, prometheus_listen="127.0.0.1:9"))
    assert wide["consensus"]["timeout_propose"] == f"{WIDE.propose_ms}ms"
    assert wide["instrumentation"]["prometheus_listen_addr"] == "127.0.0.1:9"


def test_state_sync_is_configured_only_while_it_is_due(tmp_path: Path) -> None:
    sync = StateSync(("http://a:1", "https://b:2"), 5, b"\xab" * 32)
    settings = EngineSettings(tmp_path, state_sync=sync)
    assert config(settings)["statesync"] == {"enable": False}
    said = config(settings, state_sync=True)["statesync"]
    assert said["rpc_servers"] == "http://a:1,https://b:2"
    assert (said["trust_height"], said["trust_hash"]) == (5, "AB" * 32)


@given(st.text(max_size=60))
def test_any_moniker_is_written_so_that_toml_reads_it(moniker: str) -> None:
    said = config(EngineSettings(Path("/home"), moniker=moniker))
    if moniker.isascii():
        assert said["moniker"] == moniker


def test_the_engine_reads_what_we_write(cometbft: Path, tmp_path: Path, rig: Rig) -> None:
    """`show-node-id` reads config.toml and the node key; `show-validator` the validator's."""
    home = home_of(tmp_path)
    sync = StateSync(("http://a:1", "https://b:2"), 5, b"\xab" * 32)
    settings = EngineSettings(home.path, peers=(PEER,), state_sync=sync)
    peers = [PeerAddress.parse(PEER)]
    text = render_config(settings, SOCKETS, peers, state_sync=True)
    write_private(home.config, text.encode())
    write_private(home.genesis, engine_genesis(rig.genesis))
    node_id = ensure_node_key(home.path)
    key = ensure_validator_key(home.path)

    def ask(command: str) -> str:
        return subprocess.run(
            [cometbft, command, "--home", home.path], capture_output=True, text=True, check=True
        ).stdout

    assert ask("show-node-id").strip() == node_id.hex()
    assert json.loads(ask("show-validator"))["value"] == base64.b64encode(key).decode()


# ---- settings -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"peers": ("10.0.0.1:26656",)},
        {"peers": ("ab" * 20 + "@host",)},
        {"peers": ("ab" * 20 + "@host:70000",)},
        {"peers": ("ab" * 20 + '@ho"st:1',)},
        {"peers": ("ab" * 20 + "@a,b:1",)},
        {"p2p_listen": "nonsense"},
        {"p2p_external": "http://x"},
        {"prometheus_listen": "x"},
        {"mempool_transactions_max": 0},
        {"retain_heights": -1},
        {"retain_heights": 9},
    ],
)
def test_settings_that_cannot_be_are_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    with pytest.raises(EngineSettingsInvalid):
        EngineSettings(tmp_path, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "arguments",
    [
        (("http://a",), 5, bytes(32)),
        (("http://a", "ftp://b"), 5, bytes(32)),
        (("http://a", "http://b,c"), 5, bytes(32)),
        (("http://a", "http://b"), 0, bytes(32)),
        (("http://a", "http://b"), 5, bytes(31)),
        (("http://a", "http://b"), 5, bytes(32), 10),
        (("http://a", "http://b"), 5, bytes(32), 3_600, 1),
    ],
)
def test_a_state_sync_that_cannot_be_is_refused(arguments: tuple[object, ...]) -> None:
    with pytest.raises(EngineSettingsInvalid):
        StateSync(*arguments)  # type: ignore[arg-type]


def test_peers_are_written_as_they_are_read() -> None:
    for text in (PEER, "cd" * 20 + "@[::1]:1", "cd" * 20 + "@node-1.example.org:26656"):
        assert str(PeerAddress.parse(text)) == text


# ---- keys -----------------------------------------------------------------------------------


def test_keys_are_made_once_and_are_the_users_alone(tmp_path: Path) -> None:
    home = tmp_path / "engine"
    node_id, key = ensure_node_key(home), ensure_validator_key(home)
    assert (ensure_node_key(home), ensure_validator_key(home)) == (node_id, key)
    assert len(node_id) == 20
    assert address_of(key) == hashlib.sha256(key).digest()[:20]
    assert home.stat().st_mode & 0o777 == 0o700
    for name in ("node_key.json", "priv_validator_key.json"):
        assert (home / "config" / name).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "{}", '{"priv_key": 1}', "x" * 5_000, '{"priv_key": {}}'])
def test_a_damaged_key_is_named(tmp_path: Path, text: str) -> None:
    ensure_node_key(tmp_path)
    path = tmp_path / "config" / "node_key.json"
    path.write_text(text)
    with pytest.raises(EngineHomeInvalid, match=r"node_key\.json"):
        ensure_node_key(tmp_path)


def test_a_run_folder_goes_unless_somebody_listens_in_it(tmp_path: Path) -> None:
    home = home_of(tmp_path)
    first = home.make_run_folder()
    assert first.stat().st_mode & 0o777 == 0o700
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(first / "abci"))
        listener.listen()
        second = home.make_run_folder()
        assert first.is_dir(), "this folder is a copy of that of a node that runs"
    home.run.unlink()
    home.run.symlink_to(first)
    third = home.make_run_folder()
    assert not first.exists()
    home.remove_run_folder()
    assert not third.exists()
    assert not home.run.is_symlink()
    home.remove_run_folder()
    second.rmdir()


# ---- the mark -------------------------------------------------------------------------------


@given(
    chain=st.from_regex(r"[a-z0-9-]{1,40}", fullmatch=True),
    height=st.integers(1, 2**53 - 1),
    time_ns=st.integers(0, 253_402_300_799 * 10**9),
)
def test_a_mark_is_read_as_it_was_written(chain: str, height: int, time_ns: int) -> None:
    mark = Mark(chain, height, time_ns)
    assert Mark.decode(mark.encode()) == mark


@given(st.binary(max_size=200))
def test_what_is_no_mark_is_refused(data: bytes) -> None:
    with pytest.raises(MarkInvalid):
        Mark.decode(data)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"cometbft", b"solo"),
        (b'"height":5', b'"height":0'),
        (b'"height":5', b'"height":"5"'),
        (b'"height":5', b'"height":true'),
        (b'"nanos":1', b'"nanos":1000000000'),
        (b'"nanos":1', b'"more":1,"nanos":1'),
        (b":5", b": 5"),
    ],
)
def test_a_mark_that_is_not_ours_is_refused(old: bytes, new: bytes) -> None:
    data = Mark("c", 5, 10**9 + 1).encode()
    assert old in data
    with pytest.raises(MarkInvalid):
        Mark.decode(data.replace(old, new))
