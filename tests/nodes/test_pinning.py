"""Every node's trust file says what its ledger begins with, also one that was written before."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from ledger.chain import Genesis
from ledger.consensus.cometbft import EngineStart, engine_genesis
from ledger.crypto import NO_PASSPHRASE
from nodes.layout import NodeDirectory
from nodes.pinning import complete_pin, pin_of
from nodes.runtime import NodeRuntime
from tests.nodes.network.members import GENESIS, TRUST
from tests.nodes.test_folder import found
from tests.nodes.test_runtime import quiet
from traceability.bundle import GenesisPin, Trust

pytestmark = pytest.mark.feature("N1")


def test_a_solo_ledger_is_pinned_from_its_founding_on(tmp_path: Path) -> None:
    place = found(tmp_path / "node")
    pin = pin_of(Genesis.load(place.genesis))
    assert Trust.load(place.trust).genesis == pin


def test_a_node_completes_its_own_trust_file_when_it_starts(tmp_path: Path) -> None:
    place = found(tmp_path / "node")
    whole = Trust.load(place.trust)
    replace(whole, genesis=None).save(place.trust)
    with NodeRuntime.open(place.root, NO_PASSPHRASE, quiet) as node:
        assert node.trust == whole
    assert Trust.load(place.trust) == whole


def test_the_engine_of_a_promoted_ledger_is_pinned_with_it(tmp_path: Path) -> None:
    place = NodeDirectory(tmp_path)
    engine = replace(EngineStart.parse(engine_genesis(GENESIS)), block_number=7).document()
    (place.engine / "config").mkdir(parents=True)
    (place.engine / "config" / "genesis.json").write_bytes(engine)
    replace(TRUST, genesis=None).save(place.trust)
    complete_pin(place, GENESIS, engine=True)
    document = sha256(GENESIS.document).digest()
    whole = GenesisPin(document, sha256(engine).digest())
    assert Trust.load(place.trust).genesis == whole
    complete_pin(place, GENESIS, engine=False)
    assert Trust.load(place.trust).genesis == whole, "what is pinned stays"
