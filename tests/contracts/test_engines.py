"""Our contracts in our loop, translated while they run, and in py-evm's own."""

from __future__ import annotations

import copy
import itertools
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.abi import function_signature_to_4byte_selector

import contracts.genesis
from benchmarks.finance_peers import Engine, life, stocked
from contracts.receipts import receipt_id
from ledger.evm import PyEvmEngine, analysis, stretches
from ledger.types import Address
from tests.contracts.scene import CHAIN_ID, MemoryChain

pytestmark = [pytest.mark.slow, pytest.mark.feature("L1", "F1")]
RECEIPTS = 40
"""More than the visits after which code is translated."""
ACTS_A_BLOCK = 10
CALLS = 3_000
PLACES = {
    name.removesuffix("_ADDRESS").replace("_", "").lower(): place
    for name, place in vars(contracts.genesis).items()
    if name.endswith("_ADDRESS")
}


def twins() -> tuple[Engine, Engine]:
    """The same chain with counted stock in both engines; ours first, which signs."""
    # py-evm's loop may need longer for a call than one is given.
    ours = Engine(PyEvmEngine(call_time_s_max=300))
    theirs = Engine(PyEvmEngine(call_time_s_max=300, reference=True))
    theirs.chain = MemoryChain(copy.deepcopy(ours.chain.state), number=ours.chain.number)
    return ours, theirs


def test_receipts_lives_end_alike_in_every_log_gas_and_root() -> None:
    ours, theirs = twins()
    lot = stocked(ours)
    theirs.chain = MemoryChain(copy.deepcopy(ours.chain.state), number=ours.chain.number)
    acts = [act for number in range(RECEIPTS) for act in life(ours, f"E-{number}", lot)]
    signed = [ours.signed(*act) for act in acts]
    for start in range(0, len(signed), ACTS_A_BLOCK):
        block = signed[start : start + ACTS_A_BLOCK]
        receipts = ours.block(block)
        assert all(one.status == 1 for one in receipts)
        assert receipts == theirs.block(block)
        assert ours.chain.state.root == theirs.chain.state.root


def _place(contract: str) -> Address:
    """Of the contract whose source has this name; those of models have it in front."""
    return PLACES.get(contract) or PLACES[f"model{contract}"]


class Caller:
    """Makes up calls of every function of every contract, some of which mean something."""

    def __init__(self, seed: int, engine: Engine) -> None:
        self.random = random.Random(seed)
        self.accounts = [signer.address for signer in engine.signers.values()]
        names = [name.encode().ljust(32, b"\0") for name in engine.signers]
        ids = [receipt_id(CHAIN_ID, "granary", f"E-{number}") for number in range(3)]
        self.words = [*names, *ids, bytes(32), b"\xff" * 32]
        self.functions = [
            (_place(path.stem.lower()), one)
            for path in sorted(Path("contracts").glob("*/artifacts/*.json"))
            for one in json.loads(path.read_text())["abi"]
            if one["type"] == "function"
        ]

    def call(self) -> tuple[Address, Address, bytes]:
        """Who, on which contract, with which calldata."""
        place, function = self.random.choice(self.functions)
        types = [_type(one) for one in function["inputs"]]
        data = function_signature_to_4byte_selector(f"{function['name']}({','.join(types)})")
        data += encode(types, [self.value(one) for one in function["inputs"]])
        if not self.random.randrange(20):
            data = data[: self.random.randrange(len(data))]
        return self.random.choice(self.accounts), place, data

    def value(self, parameter: dict[str, Any]) -> object:
        r, kind = self.random, parameter["type"]
        if kind.endswith("]"):
            inner = parameter | {"type": kind[: kind.rindex("[")]}
            size = kind[kind.rindex("[") + 1 : -1]
            return [self.value(inner) for _ in range(int(size) if size else r.randrange(3))]
        if kind == "tuple":
            return tuple(self.value(one) for one in parameter["components"])
        if kind == "address":
            return r.choice([*PLACES.values(), *self.accounts, bytes(20)])
        if kind.startswith("uint"):
            bits = int(kind[4:])
            some = (0, 1, 2, 3, 5, 8, 1_000, 1_800_000_100, 1_810_000_000, 2**bits - 1)
            return r.choice(some) % 2**bits
        if kind.startswith("int"):
            return r.choice((0, 1, -1, -3, 7, 2 ** (int(kind[3:]) - 1) - 1))
        if kind == "bool":
            return bool(r.randrange(2))
        if kind == "string":
            return r.choice(("", "CNY", "E-1", "granary", "remark " * 50))
        if kind == "bytes":
            return r.randbytes(r.choice((0, 1, 32, 65, 300)))
        size = int(kind.removeprefix("bytes"))
        word: bytes = r.choice((*self.words, b"CNY", b"KGM", r.randbytes(size)))
        return word[:size].ljust(size, b"\0")


def _type(parameter: dict[str, Any]) -> str:
    inner = ",".join(_type(one) for one in parameter.get("components", ()))
    kind: str = parameter["type"]
    return kind.replace("tuple", f"({inner})", 1)


@pytest.fixture(params=[1, 3])
def visits(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(stretches, "VISITS_MIN", request.param)
    monkeypatch.setattr(stretches._MEANS, "visits", 1 << 40)
    analysis._remembered.cache_clear()
    yield
    analysis._remembered.cache_clear()


@pytest.mark.usefixtures("visits")
@pytest.mark.timeout(600)
def test_made_up_calls_of_every_function_end_alike() -> None:
    ours, theirs = twins()
    lot = stocked(ours)
    acts = list(itertools.chain.from_iterable(life(ours, f"E-{n}", lot)[: n + 2] for n in range(3)))
    assert all(one.status == 1 for one in ours.block([ours.signed(*act) for act in acts]))
    chains = ours.chain, MemoryChain(ours.chain.state, theirs.execution, ours.chain.number)
    caller = Caller(7, ours)
    answered = set()
    for _ in range(CALLS):
        sender, place, data = caller.call()
        gas = caller.random.choice((60_000, 300_000, 3_000_000))
        results = [chain.call(sender, place, data, gas) for chain in chains]
        told = [(one.output, one.gas_used, one.reverted, one.error is None) for one in results]
        assert told[0] == told[1], f"{place.hex()} from {sender.hex()}: {data.hex()}, {gas} gas"
        if not results[0].reverted and results[0].error is None:
            answered.add((place, data[:4]))
    assert len(answered) > 80
