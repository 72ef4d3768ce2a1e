"""Every call of Claims × every role."""

from __future__ import annotations

from functools import partial
from typing import Final

import pytest

from contracts.claims.genesis import CLAIMS_ARTIFACT
from contracts.genesis import CLAIMS_ADDRESS
from tests.contracts.receipts.world import hash_of
from tests.contracts.roles import SUSPENDED, check, opened, read_table
from tests.contracts.scene import call_of

TABLE: Final = read_table(__file__)
BETWEEN: Final = (hash_of("a creditor"), hash_of("a debtor"))


made = partial(call_of, CLAIMS_ARTIFACT)


@pytest.mark.feature("F1")
@pytest.mark.feature("F5")
def test_every_call_of_claims_answers_every_role_as_the_table_says() -> None:
    world, claimed = opened(), hash_of("this very item")
    receipt = world.issue(keys=(claimed,))
    world.suspend(SUSPENDED)
    other = hash_of("another item")
    calls = {
        "Claims.claim": made("claim", receipt, [other]),
        "Claims.reserve": made("reserve", receipt, *BETWEEN, [other]),
        "Claims.claimBetween": made("claimBetween", receipt, *BETWEEN, [other]),
        "Claims.confirm": made("confirm", receipt, *BETWEEN, [claimed]),
        "Claims.abandon": made("abandon", receipt, *BETWEEN, [claimed]),
        "Claims.release": made("release", receipt, [claimed]),
        "Claims.annul": made("annul", other, hash_of("decision"), ""),
        "Claims.hold": made("hold", receipt, [other]),
        "Claims.free": made("free", receipt, [claimed]),
        "Claims.move": made("move", receipt, hash_of("part"), [claimed]),
    }
    check(world, TABLE, {CLAIMS_ADDRESS: CLAIMS_ARTIFACT}, calls)
