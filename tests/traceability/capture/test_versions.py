"""A new version of the Provenance contract, decided by the members, on a whole node."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from contracts.consortium import CONSORTIUM_ADDRESS
from contracts.directory import add_version, contract_addresses, find_contract
from contracts.genesis import DIRECTORY_ADDRESS
from contracts.governance import Call
from contracts.provenance import PROVENANCE_ADDRESS
from contracts.provenance.binding import PROVENANCE_ARTIFACT
from ledger.projection import read_transaction
from ledger.types import Address
from tests.traceability.capture.stack import FARM, OFFICE, Stack, bare, make_identity, running
from traceability.projection.tables import metadata
from traceability.query import stored_event

Rows = dict[str, list[tuple[object, ...]]]


def deploy(stack: Stack) -> Address:
    """The same contract once more, elsewhere."""
    key = stack.identity.accounts[OFFICE]
    raw = key.sign_transaction(
        {
            "type": 2,
            "chainId": stack.ledger.chain_id,
            "nonce": stack.ledger.pending_nonce(key.address),
            "gas": 3_000_000,
            "to": b"",
            "value": 0,
            "data": PROVENANCE_ARTIFACT.bytecode + CONSORTIUM_ADDRESS.rjust(32, b"\0"),
            "maxFeePerGas": 0,
            "maxPriorityFeePerGas": 0,
        }
    )
    _, receipt = stack.ledger.wait_for(stack.ledger.submit(raw), 10)
    assert receipt.status == 1
    assert receipt.contract_address is not None
    return receipt.contract_address


def capture(stack: Stack, serial: int) -> str:
    """Id of an event that is anchored and served."""
    job = stack.capture.finished(stack.capture.submit(bare(serial), FARM)).result(30)
    assert job.success, job
    return job.event_ids[0]


def anchored_at(stack: Stack, event_id: str) -> Address:
    """The contract whose log anchored the event."""
    with read_transaction(stack.engine) as connection:
        found = stored_event(connection, event_id)
    assert found is not None
    block = stack.ledger.committed(found.block_number)
    (log,) = [log for log in block.logs if log.leaf_index == found.leaf_index]
    return log.log.address


def rows(stack: Stack) -> Rows:
    """Everything that the handler of the contract has written."""
    with read_transaction(stack.engine) as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table))]
            for table in metadata.sorted_tables
        }


@pytest.mark.feature("N2")
def test_a_new_version_is_followed_and_used_without_restart(tmp_path: Path) -> None:
    identity = make_identity()
    with running(tmp_path, identity) as stack:
        first = capture(stack, 1)
        new = deploy(stack)
        note = "https://notes.example/provenance/2"
        stack.govern(Call(DIRECTORY_ADDRESS, add_version("provenance", new, note)))
        second = capture(stack, 2)
        assert anchored_at(stack, first) == PROVENANCE_ADDRESS
        assert anchored_at(stack, second) == new
        with read_transaction(stack.engine) as connection:
            current = find_contract(connection, "provenance")
            assert current is not None
            assert (current.address, current.index, current.note) == (new, 1, note)
            before = find_contract(connection, "provenance", at_block=current.since_block - 1)
            assert before is not None
            assert before.address == PROVENANCE_ADDRESS
            assert contract_addresses(connection, "provenance") == (PROVENANCE_ADDRESS, new)
        stack.govern(Call(DIRECTORY_ADDRESS, add_version("provenance", PROVENANCE_ADDRESS)))
        third = capture(stack, 3)
        assert anchored_at(stack, third) == PROVENANCE_ADDRESS
        written = rows(stack)
    with running(tmp_path, identity) as stack:
        assert rows(stack) == written
        stack.projector.stop()
        stack.projector.rebuild()
        assert rows(stack) == written
