"""What members may set is what the contract bounds, and what every node then obeys."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.abi import Function
from contracts.founding import consortium_alloc
from contracts.genesis import PARAMETERS_ADDRESS
from contracts.parameters import BOUNDS, set_parameter
from contracts.parameters.genesis import PARAMETERS_ARTIFACT, parameter_word
from ledger.chain import Genesis
from ledger.chain.membership import read_limits
from tests.contracts.scene import OPERATOR, MemoryChain, founded_chain, govern, key

pytestmark = pytest.mark.feature("N2")
LIMITS = {
    "blockGasLimit": "block_gas_limit",
    "blockSizeBytesMax": "block_size_bytes_max",
    "transactionSizeBytesMax": "transaction_size_bytes_max",
}
"""Parameters that bound blocks, by the ledger's own names."""


@pytest.fixture
def genesis() -> Genesis:
    alloc, section = consortium_alloc([OPERATOR], votes={OPERATOR.id: 1})
    document: dict[str, Any] = {
        "config": {"chainId": 827166},
        "gasLimit": "0x1c9c380",
        "timestamp": "0x65000000",
        "alloc": alloc,
        "tallystick": {"origin": "tallystick.example/bounds", **section},
    }
    return Genesis.parse(document)


def _set(chain: MemoryChain, name: str, value: int) -> None:
    assert govern(chain, (PARAMETERS_ADDRESS, set_parameter(name, value))).status == 1


@pytest.mark.parametrize("name", BOUNDS)
def test_python_and_the_contract_have_the_same_bounds(name: str) -> None:
    bounds = Function.of(PARAMETERS_ARTIFACT, "bounds")
    asked = founded_chain().call(
        key(1).address, PARAMETERS_ADDRESS, bounds.calldata(parameter_word(name))
    )
    assert bounds.result(asked.output) == BOUNDS[name]


@pytest.mark.parametrize("name", LIMITS)
def test_nodes_obey_the_least_and_the_most_that_members_may_set(
    name: str, genesis: Genesis
) -> None:
    chain = founded_chain()
    if name == "transactionSizeBytesMax":  # no more than a block holds
        _set(chain, "blockSizeBytesMax", BOUNDS[name][1])
    for value in BOUNDS[name]:
        _set(chain, name, value)
        assert getattr(read_limits(genesis, chain.state), LIMITS[name]) == value
