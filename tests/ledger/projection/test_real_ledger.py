"""The projector over the real ledger: EVM, LMDB, solo driver."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from ledger.chain import Ledger
from ledger.projection import Projector, read_transaction
from tests.ledger.chain.support import ECHO, sender
from tests.ledger.projection.support import CountingHandler, counted_rows

pytestmark = pytest.mark.feature("L1")


def test_what_the_chain_logged_is_projected_once_and_again_after_a_rebuild(
    engine: Engine, solo_ledger: Ledger
) -> None:
    projector = Projector(engine, solo_ledger, [CountingHandler(address=ECHO)])
    projector.start()
    try:
        caller = sender(1)
        hashes = [solo_ledger.submit(caller.call(number)) for number in range(1, 31)]
        for transaction_hash in hashes:
            mined, _ = solo_ledger.wait_for(transaction_hash, 20)
            projector.wait_for(mined.block_number, 20)
        with read_transaction(engine) as connection:
            rows = counted_rows(connection)
        assert [int.from_bytes(data, "big") for _, _, data in rows] == list(range(1, 31))
        expected = [
            (log.leaf_index, log.block_number, log.log.data)
            for number in range(1, solo_ledger.head().header.number + 1)
            for log in solo_ledger.logs(number)
        ]
        assert rows == expected
        projector.rebuild()
        with read_transaction(engine) as connection:
            assert counted_rows(connection) == rows
    finally:
        projector.stop()
