"""What commands that make or start a node refuse, and keep: folders, ports, passphrases."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contracts.consortium import Role
from ledger.crypto import NO_PASSPHRASE, KeyStore, PassphraseWrong
from nodes.cli import dev, founding, promotion, start
from nodes.cli.proposals import list_
from nodes.errors import NodeError, NotANodeDirectory, PortTaken
from nodes.founding import MemberSpec, found_solo
from nodes.layout import NodeDirectory
from nodes.network.trial import new_network
from nodes.operations import RunFile, new_token
from nodes.operations.backup_errors import BackupDamaged
from nodes.operations.restore import Safeguards, restore_backup
from nodes.proposals import ProposalError
from nodes.runtime import NodeRuntime
from nodes.settings import NodeSettings, load_settings, write_settings

pytestmark = pytest.mark.feature("N1")

INIT = ("acme", "Acme", "operator", "127.0.0.1:26656", "http://127.0.0.1:8080")


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody else listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


@pytest.fixture
def nothing_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NodeRuntime, "open", lambda *_, **__: pytest.fail("the node was opened"))


def solo(root: Path, settings: NodeSettings) -> NodeDirectory:
    member = MemberSpec("alpha", "Alpha", "", Role.OPERATOR)
    place = NodeDirectory(root)
    prefix = "tallystick.example/test"
    found_solo(place, settings, [member], origin_prefix=prefix, passphrase=NO_PASSPHRASE)
    return place


@pytest.mark.usefixtures("nothing_opens")
@pytest.mark.parametrize("section", ["api", "rpc", "operations"])
def test_a_taken_port_is_found_before_anything_is_opened(
    tmp_path: Path, taken: int, section: str
) -> None:
    free = {"port": 0}
    ports = dict.fromkeys(("api", "rpc", "operations"), free) | {section: {"port": taken}}
    place = solo(tmp_path / "node", NodeSettings.model_validate(ports))
    with pytest.raises(PortTaken, match=rf"port {taken} .*\[{section}\] port in node.toml"):
        start.start(place.root)


@pytest.mark.usefixtures("nothing_opens")
def test_the_engines_port_too(tmp_path: Path, taken: int) -> None:
    network = new_network(tmp_path / "net", [MemberSpec("acme", "Acme", "", Role.OPERATOR)])
    place = network.members[0].directory
    settings = load_settings(place.settings)
    section = settings.consensus.model_copy(update={"p2p_listen": f"127.0.0.1:{taken}"})
    write_settings(place.settings, settings.model_copy(update={"consensus": section}))
    with pytest.raises(PortTaken, match=r"\[consensus\] p2p_listen in node.toml"):
        start.start(place.root)


@pytest.mark.usefixtures("nothing_opens")
def test_a_second_node_in_one_folder_is_refused_as_such(tmp_path: Path) -> None:
    place = solo(tmp_path / "node", NodeSettings())
    url = "http://127.0.0.1:1"
    RunFile.of_this_process(operations=url, api=url, rpc=url, token=new_token()).write(place.root)
    commands: tuple[Callable[[], None], ...] = (
        lambda: start.start(place.root),
        lambda: dev.dev(place.root),
    )
    for command in commands:
        with pytest.raises(NodeError, match=r"a node runs in .* already: process"):
            command()


def test_a_folder_that_is_none_names_the_commands_that_make_one(tmp_path: Path) -> None:
    with pytest.raises(NotANodeDirectory, match="`tally node init`, `tally node join`"):
        start.start(tmp_path / "missing")
    place = tmp_path / "node"
    founding.init(place, *INIT, as_json=True)
    with pytest.raises(NotANodeDirectory, match="no genesis yet: `tally node adopt`"):
        start.start(place)


def test_the_option_that_is_named_is_one_of_the_command(tmp_path: Path) -> None:
    with pytest.raises(ProposalError, match="--dir, or a node's JSON-RPC with --rpc"):
        list_(directory=tmp_path)


def test_ports_can_be_named_when_keys_are_made(tmp_path: Path) -> None:
    founding.init(tmp_path / "node", *INIT, api_port=9000, rpc_port=9001, as_json=True)
    settings = load_settings(tmp_path / "node" / "node.toml")
    assert (settings.api.port, settings.rpc.port) == (9000, 9001)


@pytest.mark.usefixtures("nothing_opens")
def test_ports_of_the_first_start_stay(tmp_path: Path, taken: int) -> None:
    with pytest.raises(PortTaken):
        dev.dev(tmp_path / "node", rpc_port=taken, port=0)
    settings = load_settings(tmp_path / "node" / "node.toml")
    assert (settings.api.port, settings.rpc.port) == (8080, taken)


def test_promotion_keeps_the_ports_that_the_node_had(tmp_path: Path) -> None:
    place = solo(tmp_path / "node", NodeSettings())
    api, rpc = "http://127.0.0.1:8180", "http://[::1]:8645"
    run = RunFile.of_this_process(operations=api, api=api, rpc=rpc, token=new_token())
    promotion.keep_ports(place, run)
    settings = load_settings(place.settings)
    assert (settings.api.port, settings.rpc.port) == (8180, 8645)


def test_no_passphrase_is_told_otherwise_than_a_wrong_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.crypto.sealing.SCRYPT_N", 2**11)
    keys = KeyStore(tmp_path, "secret")
    keys.create_note("log", "acme")
    keys.create_account("acme")
    loads: tuple[Callable[[KeyStore], object], ...] = (
        lambda store: store.load_note("log"),
        lambda store: store.load_account("acme"),
    )
    for load in loads:
        with pytest.raises(PassphraseWrong, match=r"no passphrase was given.*--passphrase-file"):
            load(KeyStore(tmp_path))
        with pytest.raises(PassphraseWrong, match="the passphrase is wrong"):
            load(KeyStore(tmp_path, "other"))


@pytest.mark.parametrize("data", [b"", b"no archive", bytes(5_000)])
def test_a_file_that_is_no_backup_is_called_so(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(BackupDamaged, match="is no backup"):
        restore_backup(path, NodeDirectory(tmp_path / "node"), "", Safeguards())
