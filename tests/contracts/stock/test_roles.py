"""Every call of Stock × every role."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from contracts.consortium import organisation_id_word
from contracts.genesis import STOCK_ADDRESS
from contracts.stock import (
    STOCK_ARTIFACT,
    adjust_calldata,
    count_calldata,
    count_signed_calldata,
    count_typed_data,
    entrust_calldata,
    register_lot_calldata,
    set_agreement_calldata,
    set_counter_calldata,
)
from tests.contracts.financing.loans import Loans
from tests.contracts.receipts.world import AGREEMENT, SCALE, hash_of
from tests.contracts.roles import SUSPENDED, Call, check, opened, read_table
from tests.contracts.scene import CHAIN_ID, call_of

pytestmark = pytest.mark.feature("F3")
TABLE: Final = read_table(__file__)


made = partial(call_of, STOCK_ARTIFACT)


def calls(world: Loans) -> Mapping[str, Call]:
    """A lot that is not in use, one that receipts stand for, and one of a suspended warehouse."""
    unused = world.register("granary", "silo 9", "oats")
    world.count(unused, 1_000)
    orphan = world.register(SUSPENDED, "quay", "rye")
    world.issue(1_000)
    world.suspend(SUSPENDED)
    told = world.a_count(unused, 990)
    signed = Account.sign_message(
        encode_typed_data(full_message=count_typed_data(told, CHAIN_ID)), SCALE.secret
    )
    granary = organisation_id_word("granary")
    return {
        "Stock.registerLot": register_lot_calldata(
            hash_of("a"), hash_of("b"), AGREEMENT, ["weighers"]
        ),
        "Stock.setAgreement": set_agreement_calldata(unused, AGREEMENT),
        "Stock.setCounter": set_counter_calldata(unused, "mill", True),
        "Stock.entrust": entrust_calldata(orphan, "granary", hash_of("decision")),
        "Stock.count": count_calldata(told),
        "Stock.countSigned": count_signed_calldata(told, bytes(signed.signature)),
        "Stock.adjust": adjust_calldata(unused, 995, "dried"),
        "Stock.reserve": made("reserve", unused, granary, 5),
        "Stock.deliver": made("deliver", world.lot, 5),
        "Stock.void": made("void", world.lot, 5),
    }


def test_every_call_of_stock_answers_every_role_as_the_table_says() -> None:
    world = opened()
    check(world, TABLE, {STOCK_ADDRESS: STOCK_ARTIFACT}, calls(world))
