"""Every call of receipts and receivables by whoever is no member's account.

What members may do, in every state and under every burden, is asked in the matrices of the rooms
(`test_matrix.py`) by their tables (`machine.toml`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pytest

from contracts.artifact import Artifact
from contracts.genesis import RECEIPTS_ADDRESS, RECEIVABLES_ADDRESS
from contracts.instruments import Machine
from contracts.receipts import MACHINE as RECEIPTS
from contracts.receipts import issue_calldata
from contracts.receipts.genesis import RECEIPTS_ARTIFACT
from contracts.receivables import MACHINE as RECEIVABLES
from contracts.receivables.binding import (
    create_calldata,
    decode_receivable,
    receivable_calldata,
)
from contracts.receivables.genesis import RECEIVABLES_ARTIFACT
from ledger.types import Address
from tests.contracts.financing.loans import Loans
from tests.contracts.receipts.specimens import Cabinet
from tests.contracts.receipts.test_matrix import CALLS as RECEIPT_CALLS
from tests.contracts.receivables.test_matrix import CALLS as RECEIVABLE_CALLS
from tests.contracts.roles import OUTSIDERS, SUSPENDED, answer, functions_of, opened

FUNCTIONS: Final = {
    "confirm": "accept",
    "discharge-part": "discharge",
    "confirm-part": "confirm-payment",
}
"""Acts of one function with another one: which one it is depends on the record."""
INNER: Final = frozenset({"arise", "arise-order"})
"""Acts that have no function of their own."""
CONTRACTS: Final = frozenset({"pledges", "settlement", "financing"})


@pytest.fixture(scope="module")
def world() -> Loans:
    world = opened()
    world.suspend(SUSPENDED)
    return world


def function_of(act: str) -> str:
    first, *rest = FUNCTIONS.get(act, act).split("-")
    return first + "".join(word.title() for word in rest)


def refused(
    world: Loans, to: Address, artifact: Artifact, machine: Machine, calls: Mapping[str, bytes]
) -> None:
    """Whoever is no member's account does none of the acts, and no function is left out."""
    assert set(calls) == {act.name for act in machine.acts} - INNER
    functions = {f"{artifact.name}.{function_of(act)}" for act in calls}
    assert functions == functions_of(artifact)
    for act, data in calls.items():
        by_contracts = set(machine.act(act).by) <= CONTRACTS
        for caller in sorted(OUTSIDERS.keys() - CONTRACTS):
            wanted = "NotEntitled" if by_contracts else "CallerNotActive"
            assert answer(world, caller, to, data) == wanted, f"{act} by {caller}"


@pytest.mark.feature("F1")
def test_a_receipt_is_for_members_alone(world: Loans) -> None:
    cabinet = Cabinet(world, world.issue(), world.issue())
    calls = {name: make(cabinet, "farm") for name, make in RECEIPT_CALLS.items()}
    calls["issue"] = issue_calldata(world.draft())
    refused(world, RECEIPTS_ADDRESS, RECEIPTS_ARTIFACT, RECEIPTS, calls)


@pytest.mark.feature("F5")
def test_a_receivable_is_for_members_alone(world: Loans) -> None:
    id_ = world.receivable()
    record = decode_receivable(world.read(RECEIVABLES_ADDRESS, receivable_calldata(id_)))
    calls = {name: make(id_, record, "farm") for name, make in RECEIVABLE_CALLS.items()}
    calls["create"] = create_calldata(world.invoice())
    refused(world, RECEIVABLES_ADDRESS, RECEIVABLES_ARTIFACT, RECEIVABLES, calls)
