"""What others sent goes where it is refused; what is the node's own stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from nodes.cli.start import run_node
from nodes.errors import NodeError
from nodes.layout import NodeDirectory
from nodes.network.discarding import discard, discard_stand_in, discard_state

pytestmark = pytest.mark.feature("N1")


def files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


@pytest.fixture
def place(tmp_path: Path) -> NodeDirectory:
    """A folder in which everything lies that a join leaves."""
    place = NodeDirectory(tmp_path)
    data, config = place.engine / "data", place.engine / "config"
    for folder in (data / "blockstore.db", data / "cs.wal", config, place.chain, place.keys):
        folder.mkdir(parents=True)
    for path in (
        data / "signer_state.json",
        data / "signer_state_keys.json",
        data / "priv_validator_state.json",
        data / "blockstore.db" / "1.log",
        config / "node_key.json",
        config / "genesis.json",
        config / "priv_validator_key.json",
        place.keys / "log.key",
        place.chain / "data.mdb",
        place.genesis,
        place.trust,
    ):
        path.write_text("x")
    return place


def test_keys_and_the_record_of_votes_stay(place: NodeDirectory) -> None:
    data, config = place.engine / "data", place.engine / "config"
    own = [
        data / "signer_state.json",
        data / "signer_state_keys.json",
        config / "node_key.json",
        place.keys / "log.key",
    ]
    discard_stand_in(place)
    assert not (config / "priv_validator_key.json").exists()
    assert not (data / "priv_validator_state.json").exists()
    discard_state(place)
    assert files(place.root) == sorted([*own, place.genesis, place.trust])
    discard(place)
    assert files(place.root) == sorted(own)
    discard(place)


def test_a_node_that_has_not_finished_joining_does_not_run(tmp_path: Path) -> None:
    place = NodeDirectory(tmp_path)
    place.genesis.write_text("{}")
    place.settings.write_text("")
    place.joining.touch()
    with pytest.raises(NodeError, match="has not finished joining"):
        run_node(place, "", developer=False, as_json=True)
