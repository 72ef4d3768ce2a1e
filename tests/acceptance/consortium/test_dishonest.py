"""Members whose nodes lie, or whose ledger was altered by hand."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from contextlib import suppress

import pytest
from eth_utils import keccak, to_checksum_address

from ledger.state.account import flat_slot_key, flat_slot_value
from ledger.store import Store, Table, WriteBatch
from ledger.types import Address
from tests.acceptance.consortium.agreement import check_logs
from tests.acceptance.consortium.dishonest import VARIABLE, Liar
from tests.acceptance.consortium.http import RpcError, Unreachable
from tests.acceptance.consortium.load import sign
from tests.acceptance.consortium.scene import Scene
from tests.acceptance.consortium.stage import receipt_of

pytestmark = [pytest.mark.feature("L2"), pytest.mark.consortium]

EXIT_HALTED = 4
NOTE = keccak(text="note(bytes32,string)")[:4]
COUNT_SLOT = 1
"""Where the contract keeps `count`."""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_a_dishonest_proposer_proposes_is_refused_and_the_chain_goes_on(
    scene: Scene,
) -> None:
    network, liar = scene.network, scene.network.members[3]
    notes = network.base / "lies"
    account = scene.account(3)
    network.stop(3)
    told = {"key": account.key.hex(), "chainId": scene.stage.chain_id, "notes": str(notes)}
    liar.environment[VARIABLE] = json.dumps(told)
    liar.program = [sys.executable, "-m", "tests.acceptance.consortium.dishonest"]
    kinds = set(Liar(told["key"], told["chainId"], notes).lies())
    network.start(3)
    began = time.monotonic()
    with scene.load() as load:
        while not notes.exists() or set(notes.read_text().splitlines()) != kinds:
            assert time.monotonic() < began + 150, "the liar hardly ever proposed"
            load.wait_acknowledged(5, 30)
        load.wait_acknowledged(20, 30)
        assert load.longest_pause(began) < 15
    lies = Counter(notes.read_text().splitlines())
    for honest in (0, 1, 2):
        refused = network.members[honest].log.read_text(errors="replace").count("is refused")
        # A liar that is late with a proposal is passed over before anybody has looked at it.
        assert refused >= len(kinds) // 2, f"node {honest} refused {refused} of {lies}"
    scene.check()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_node_whose_state_was_altered_by_hand_halts_loudly_and_does_not_serve(
    scene: Scene,
) -> None:
    network, altered = scene.network, scene.network.members[3]
    scene.agree()
    network.stop(3)
    contract = Address(bytes.fromhex(scene.stage.contract[2:]))
    store = Store.open(altered.directory / "chain", 4 << 30)
    batch = WriteBatch()
    batch.put(Table.SLOTS, flat_slot_key(contract, COUNT_SLOT), flat_slot_value(7))
    store.commit(batch)
    store.close()
    network.start(3)
    with scene.load([0, 1, 2]) as load:
        load.wait_acknowledged(20, 30)  # `put` does not read what was altered
        client = network.rpc(0)
        sender = scene.account(1)
        nonce = int(str(client.call("eth_getTransactionCount", sender.address, "latest")), 16)
        text = (64).to_bytes(32, "big") + (1).to_bytes(32, "big") + b"x".ljust(32, b"\0")
        noted = sign(
            sender,
            scene.stage.chain_id,
            nonce,
            200_000,
            to=to_checksum_address(scene.stage.contract),
            data=NOTE + keccak(text="lot") + text,
        )
        client.call("eth_sendRawTransaction", noted.raw)
        assert receipt_of(client, noted)["status"] == "0x1"
        assert altered.process is not None
        assert altered.process.wait(60) == EXIT_HALTED, network.told(3)
        told = network.told(3)
        assert "altered or damaged" in told, told
        assert "CRITICAL" in told.upper()
        load.wait_acknowledged(40, 30)
    acknowledged = [*scene.loads[0].acknowledged, noted.tx_hash]
    honest = {index: scene.watcher.seen[index] for index in (0, 1, 2)}
    check_logs(network, [0, 1, 2], honest, acknowledged, scene.loads[0].sent)

    with pytest.raises((Unreachable, RpcError)):
        network.rpc(3).call("eth_blockNumber")
    network.launch(3)
    with suppress(AssertionError):  # it may see what is wrong before it is ready, or soon after
        network.wait_ready(3)
    assert altered.process.wait(60) != 0, "a damaged node serves after a restart"
    checked = network.tally(3, "node", "check", "--dir", str(altered.directory))
    assert checked.returncode != 0, checked.stdout
