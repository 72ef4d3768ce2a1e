"""Our inner loop against py-evm's own, on thousands of random programs.

Both run on our account database; `test_against_py_evm` holds that one against py-evm's.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from ledger.evm import EMPTY_ROOT, BlockEnvironment, CallRequest, PyEvmEngine
from ledger.evm.errors import TransactionRefused
from ledger.state import EMPTY_TRIE_ROOT, Account, keccak
from ledger.types import Address, Authorization, Hash32, Transaction

SENDER = Address(b"\x11" * 20)
CONTRACTS = [Address(bytes([0xC0 + n]) * 20) for n in range(3)]
EMPTY = Address(b"\xee" * 20)
OUTSIDE = b"\xfd" * 20
ZERO = Hash32(bytes(32))
EDGES = (0, 1, 2, 3, 7, 8, 15, 16, 30, 31, 32, 33, 63, 64, 65, 95, 96, 127, 128, 254, 255, 256, 257)
HUGE = (2**31, 2**32 - 1, 2**32, 2**63, 2**64 - 1, 2**128, 2**160 - 1, 2**255 - 1, 2**255)
HUGEST = (2**255 + 1, 2**256 - 2, 2**256 - 1, 2**256 - 31, 2**256 - 32)
ARITHMETIC = (*range(0x01, 0x0C), *range(0x10, 0x1E))
ENVIRONMENT = (0x30, 0x32, 0x33, 0x34, 0x36, 0x38, 0x3A, 0x3D, *range(0x41, 0x49), 0x4A)
OF_THE_MACHINE = (0x58, 0x59, 0x5A, 0x5F)
STACK_NEEDS = {
    **dict.fromkeys((0x08, 0x09, 0x37, 0x39, 0x3E, 0x5E), 3),
    **dict.fromkeys((0x15, 0x19, 0x31, 0x35, 0x3B, 0x3F, 0x40, 0x49, 0x50), 1),
    **dict.fromkeys((0x51, 0x54, 0x56, 0x5C, 0xFF), 1),
    **dict.fromkeys((0x20, 0x52, 0x53, 0x55, 0x57, 0x5D, 0xF3, 0xFD), 2),
    **{0xA0 + topics: 2 + topics for topics in range(5)},
    **{0x80 + n: n + 1 for n in range(16)},
    **{0x90 + n: n + 2 for n in range(16)},
    0x3C: 4,
    0xF0: 3,
    0xF5: 4,
    **dict.fromkeys((0xF1, 0xF2), 7),
    **dict.fromkeys((0xF4, 0xFA), 6),
    **dict.fromkeys((*ENVIRONMENT, *OF_THE_MACHINE, 0x5B, 0x00, 0xFE), 0),
}
"""How many stack items an instruction takes; two where nothing is said."""
LOOKS_AT_NOTHING = frozenset((*range(0x5F, 0xA0), *range(0xA5, 0xF0)))
"""PUSH, DUP and SWAP, which only move what there is, and what is no instruction at all."""


def push(number: int, size: int | None = None) -> bytes:
    width = size or max(1, (number.bit_length() + 7) // 8)
    return bytes([0x5F + width]) + number.to_bytes(width, "big")


class Programmer:
    """Writes programs that mostly get somewhere, and now and then do not."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def word(self) -> int:
        kind = self.random.randrange(10)
        if kind < 6:
            return self.random.choice(EDGES)
        if kind < 8:
            return self.random.choice(HUGE + HUGEST)
        return self.random.getrandbits(self.random.choice((8, 64, 160, 255, 256)))

    def small(self) -> int:
        return self.random.choice(EDGES) if self.random.randrange(40) else self.word()

    def address(self) -> int:
        known = [*CONTRACTS, SENDER, EMPTY, *(n.to_bytes(20, "big") for n in range(1, 18))]
        return int.from_bytes(self.random.choice(known), "big") + (
            (1 << 200) if not self.random.randrange(30) else 0
        )

    def program(self, steps: int) -> bytes:
        parts: list[bytes] = []
        for _ in range(self.random.randint(1, steps)):
            parts.append(self.step(sum(map(len, parts))))
        code = b"".join(parts)
        if not self.random.randrange(12):
            code += bytes([0x5F + self.random.randint(1, 32)]) + b"\x5b" * self.random.randrange(9)
        elif self.random.randrange(3):
            code += push(64) + b"\x5f" + self.random.choice((b"\xf3", b"\xf3", b"\xfd"))
        return code

    def step(self, at: int) -> bytes:
        r = self.random
        choices: list[Callable[[int], bytes]] = [
            self.arithmetic,
            self.arithmetic,
            self.memory,
            self.memory,
            self.storage,
            self.reading,
            self.call,
            self.jump,
            self.loop,
            self.stack,
            self.bare,
        ]
        return r.choice(choices)(at)

    def kept(self) -> bytes:
        """What is done with a result: left on the stack, or put where it shows."""
        place = self.random.randrange(4)
        if place == 0:
            return b""
        if place == 1:
            return push(self.random.choice((0, 32, 64))) + b"\x52"
        return push(self.random.randrange(4)) + b"\x55"

    def arithmetic(self, _: int) -> bytes:
        op = self.random.choice(ARITHMETIC)
        needs = STACK_NEEDS.get(op, 2)
        return b"".join(push(self.word()) for _ in range(needs)) + bytes([op]) + self.kept()

    def memory(self, _: int) -> bytes:
        r = self.random
        ops = (0x20, 0x51, 0x52, 0x53, 0x35, 0x37, 0x39, 0x3E, 0x5E, 0xA0, 0xA1, 0xA4, 0x3C)
        op = r.choice(ops)
        operands = [push(self.small()) for _ in range(STACK_NEEDS[op])]
        if op == 0x3C:
            operands[-1] = push(self.address())
        shows = self.kept() if op in (0x20, 0x51, 0x35) else b""
        return b"".join(operands) + bytes([op]) + shows

    def storage(self, _: int) -> bytes:
        r = self.random
        slot = push(r.randrange(5))
        kind = r.randrange(4)
        if kind == 0:
            return slot + r.choice((b"\x54", b"\x5c")) + self.kept()
        return (
            push(r.choice((0, 0, 1, 2, self.word()))) + slot + (b"\x5d" if kind == 1 else b"\x55")
        )

    def reading(self, _: int) -> bytes:
        r = self.random
        if r.randrange(3) == 0:
            return push(self.address()) + bytes([r.choice((0x31, 0x3B, 0x3F))]) + self.kept()
        return bytes([r.choice((*ENVIRONMENT, *OF_THE_MACHINE, 0x47))]) + self.kept()

    def call(self, _: int) -> bytes:
        r = self.random
        op = r.choice((0xF1, 0xF1, 0xF2, 0xF4, 0xFA, 0xFA, 0xF0, 0xF5))
        if op in (0xF0, 0xF5):
            code = r.choice((bytes.fromhex("60ff5f5360015ff3"), b"\x33\xff", b"\x5f\x5ffd"))
            salt = push(r.randrange(2)) if op == 0xF5 else b""
            store = push(int.from_bytes(code.ljust(32, b"\0"), "big")) + b"\x5f\x52"
            return store + salt + push(len(code)) + push(0) + push(r.randrange(2)) + bytes([op])
        value = push(r.choice((0, 0, 1, 2**90))) if op in (0xF1, 0xF2) else b""
        areas = b"".join(push(self.small()) for _ in range(4))
        gas = r.choice((b"\x5a", push(0), push(700), push(2300), push(30_000), push(self.word())))
        return areas + value + push(self.address()) + gas + bytes([op]) + self.kept()

    def jump(self, at: int) -> bytes:
        r = self.random
        kind = r.randrange(6)
        if kind == 0:
            return push(self.word()) + push(self.word()) + b"\x57"
        if kind == 1:
            # Over a JUMPDEST that is part of a constant, or into it.
            target = at + 4 + r.choice((1, 3))
            return push(target, 2) + b"\x56" + b"\x61\x5b\x5b" + b"\x5b"
        return push(r.randrange(2)) + push(at + 6, 2) + b"\x57" + b"\x5b"

    def loop(self, at: int) -> bytes:
        body = self.arithmetic(0) + self.storage(0) if self.random.randrange(2) else b"\x30\x50"
        turns = self.random.randint(1, 12)
        start = at + 2
        head = push(turns, 1) + b"\x5b"
        return head + body + b"\x60\x01\x90\x03\x80" + push(start, 2) + b"\x57\x50"

    def stack(self, _: int) -> bytes:
        r = self.random
        depth = r.randrange(16)
        count = max(0, depth + 2 - (not r.randrange(12)))
        pushes = b"".join(push(self.word()) for _ in range(count))
        many = b"\x80" * r.choice((0, 0, 0, 1030)) if not r.randrange(15) else b""
        return pushes + bytes([r.choice((0x80, 0x90)) + depth]) + many + self.kept()

    def bare(self, _: int) -> bytes:
        r = self.random
        if r.randrange(3) == 0:
            return bytes(r.randrange(256) for _ in range(r.randrange(8)))
        op = r.randrange(256)
        return b"".join(push(self.small()) for _ in range(STACK_NEEDS.get(op, 2))) + bytes([op])


@dataclass
class MemoryState:
    """A `StateReader` over dictionaries."""

    codes: dict[bytes, bytes] = field(default_factory=dict)
    accounts: dict[Address, Account] = field(default_factory=dict)
    root: Hash32 = EMPTY_ROOT

    def put(self, address: Address, code: bytes, nonce: int = 1) -> None:
        code_hash = Hash32(keccak(code))
        self.codes[code_hash] = code
        self.accounts[address] = Account(nonce, 10**6, Hash32(EMPTY_TRIE_ROOT), code_hash)

    def account(self, address: Address) -> Account | None:
        return self.accounts.get(address)

    def storage(self, address: Address, slot: int) -> int:
        return slot % 3 if address in CONTRACTS and slot < 5 else 0

    def code(self, code_hash: Hash32) -> bytes:
        return self.codes[code_hash]

    def node(self, node_hash: Hash32) -> bytes | None:
        del node_hash
        return None


def environment(**changes: Any) -> BlockEnvironment:
    fields: dict[str, Any] = {
        "chain_id": 7,
        "number": 5,
        "timestamp": 1_000,
        "gas_limit": 1 << 30,
        "coinbase": Address(b"\xbb" * 20),
        "mix_hash": Hash32(b"\x09" * 32),
        "parent_hash": Hash32(b"\x05" * 32),
        "block_hash": lambda number: Hash32(bytes([number + 1]) * 32),
    }
    return BlockEnvironment(**fields | changes)


def transaction(
    nonce: int, to: Address | None, data: bytes, gas: int, delegate: Address | None = None
) -> Transaction:
    """As if it had been signed."""
    authorizations: tuple[Authorization, ...] = ()
    if delegate is not None:
        authorizations = (Authorization(7, delegate, 0, 0, 1, 1),)
    return Transaction(
        raw=b"",
        hash=ZERO,
        sender=SENDER,
        type=2,
        chain_id=7,
        nonce=nonce,
        to=to,
        value=nonce % 2,
        gas=gas,
        data=data,
        gas_price=0,
        max_priority_fee_per_gas=0,
        access_list=(),
        authorization_list=authorizations,
        y_parity=0,
        r=1,
        s=1,
    )


def outcome(
    engine: PyEvmEngine, state: MemoryState, transactions: list[Transaction]
) -> list[object]:
    """Everything by which two executions can differ."""
    execution = engine.begin(state, environment())
    found: list[object] = []
    for one in transactions:
        try:
            found.append(execution.apply(one))
        except TransactionRefused as refused:
            found.append(str(refused))
    accounts = execution._state.accounts
    accounts.lock_changes()
    storage = accounts.changed_storage()
    changed = accounts.changed_accounts(storage)
    return [*found, storage, changed, accounts.cleared(), accounts.code_in_use(changed)]


def called(
    engine: PyEvmEngine, state: MemoryState, data: bytes, gas: int, to: Address = CONTRACTS[0]
) -> tuple[bytes, int, bool, bool]:
    """Output, gas, whether reverted, whether failed otherwise (each has its own words for why)."""
    result = engine.call(state, environment(), CallRequest(SENDER, to, 1, data, gas))
    return result.output, result.gas_used, result.reverted, result.error is not None


OURS = PyEvmEngine(call_time_s_max=300)
REFERENCE = PyEvmEngine(call_time_s_max=300, reference=True)


def compare(seed: int) -> None:
    programmer = Programmer(seed)
    r = programmer.random
    state = MemoryState()
    state.put(SENDER, b"", nonce=0)
    codes = [programmer.program(14) for _ in CONTRACTS]
    for address, code in zip(CONTRACTS, codes, strict=True):
        state.put(address, code)
    if not r.randrange(6):
        state.put(CONTRACTS[2], b"\xef\x01\x00" + CONTRACTS[r.randrange(2)])
    data = bytes(r.randrange(256) for _ in range(r.choice((0, 1, 31, 32, 33, 70))))
    gas = r.choice((60_000, 150_000, 400_000, 23_000 + r.randrange(40_000)))
    where = f"seed {seed}: {[code.hex() for code in codes]}, data {data.hex()}, gas {gas}"
    assert called(OURS, state, data, gas) == called(REFERENCE, state, data, gas), where
    batch = [
        transaction(0, CONTRACTS[0], data, gas),
        transaction(1, None, codes[1], 400_000),
        transaction(2, CONTRACTS[1], data, 300_000),
    ]
    assert outcome(OURS, state, batch) == outcome(REFERENCE, state, batch), where


@pytest.mark.feature("L1")
def test_random_programs_end_as_in_py_evms_own_loop() -> None:
    for seed in range(250):
        compare(seed)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.feature("L1")
def test_ten_thousand_random_programs_end_as_in_py_evms_own_loop() -> None:
    for seed in (*range(250, 1_250), *range(100_000, 109_000)):
        compare(seed)


@pytest.mark.feature("L1")
@pytest.mark.parametrize("op", range(256), ids=lambda op: f"{op:#04x}")
def test_each_instruction_at_the_edges(op: int) -> None:
    """Every byte as an instruction: stack too low by one, full stack, edge operands, each gas."""
    needs = STACK_NEEDS.get(op, 2)
    edges: tuple[int, ...] = (0, 1, 31, 32, 33, 255, 256, 2**32, 2**255 - 1, 2**255, 2**256 - 1)
    if op in LOOKS_AT_NOTHING:
        edges = (0, 2**255 - 1)
    bodies = [push(5) * max(0, needs - 1) + bytes([op]), push(1) * 1024 + bytes([op])]
    bodies += [push(1) * 1023 + bytes([op])]
    for one in edges:
        for other in edges if needs > 1 else (0,):
            operands = [push(7)] * max(0, needs - 2) + [push(other), push(one)][-max(needs, 0) :]
            bodies.append(b"".join(operands[:needs]) + bytes([op]) + b"\x5f\x55\x59\x5f\x52\x60")
    for body in bodies:
        state = MemoryState()
        state.put(SENDER, b"", nonce=0)
        state.put(CONTRACTS[0], body)
        for gas in (21_700, 46_000, 200_000):
            ours, theirs = (
                called(engine, state, b"\x01" * 40, gas) for engine in (OURS, REFERENCE)
            )
            assert ours == theirs, f"{body.hex()} with {gas} gas"


@pytest.mark.feature("L1")
def test_every_amount_of_gas_ends_alike() -> None:
    """SSTORE's stipend, calls, memory: stopped after each possible unit of gas."""
    inner = bytes.fromhex("6001600055600060005560016001555f5f5f5f3060045af1505f5f20505f3552")
    outer = b"\x5f\x5f\x60\x20\x5f\x5f\x73" + CONTRACTS[1] + b"\x5a\xf1\x60\x02\x55\x5f\x54\x50"
    state = MemoryState()
    state.put(SENDER, b"", nonce=0)
    state.put(CONTRACTS[0], outer)
    state.put(CONTRACTS[1], inner)
    for gas in range(21_100, 80_000, 37):
        assert called(OURS, state, b"", gas) == called(REFERENCE, state, b"", gas), gas


@pytest.mark.feature("L1")
def test_returned_data_is_copied_up_to_its_end_and_not_beyond() -> None:
    """EIP-211: unlike calldata and code it is not followed by zeros."""
    fetch = b"\x5f\x5f\x60\x20\x5f\x5f\x60\x04\x5a\xf1\x50"
    for source, length in ((0, 32), (0, 33), (1, 32), (31, 1), (32, 0), (32, 1), (33, 0)):
        state = MemoryState()
        state.put(SENDER, b"", nonce=0)
        copy = push(length) + push(source) + b"\x5f\x3e\x60\x40\x5f\xf3"
        state.put(CONTRACTS[0], fetch + copy)
        results = [called(engine, state, b"", 100_000) for engine in (OURS, REFERENCE)]
        assert results[0] == results[1]
        assert results[0][3] == (source + length > 32), (source, length)


@pytest.mark.feature("L1")
def test_a_store_needs_more_than_the_stipend() -> None:
    """EIP-2200: 2,300 gas left is too little even where nothing changes."""
    state = MemoryState()
    state.put(SENDER, b"", nonce=0)
    state.put(CONTRACTS[0], push(1) + push(4) + b"\x55")
    for left in range(2_290, 2_310):
        results = [called(engine, state, b"", 21_006 + left) for engine in (OURS, REFERENCE)]
        assert results[0] == results[1]
        assert results[0][3] == (left <= 2_300)


@pytest.mark.feature("L1")
@pytest.mark.parametrize("op", [0xF1, 0xF2, 0xF4, 0xFA])
@pytest.mark.parametrize("number", range(1, 18))
def test_precompiled_contracts_read_what_py_evm_lets_them_read(number: int, op: int) -> None:
    """Inputs too short, exact, too long; little gas and enough."""
    r = random.Random(number)
    value = b"\x5f" if op in (0xF1, 0xF2) else b""
    for size in (0, 1, 64, 96, 127, 128, 129, 192, 213, 214, 256, 288, 320, 384, 512, 1_000):
        for fill in (bytes(size), r.randbytes(size), (b"\0" * 31 + b"\1") * (size // 32)):
            code = (
                push(size, 2) + b"\x5f\x5f\x37" + b"\x60\x40\x5f" + push(size, 2) + b"\x5f" + value
            )
            code += push(number) + push(r.choice((100, 3_000, 60_000)), 3) + bytes([op])
            code += b"\x60\x60\x52\x3d\x60\x80\x52\x60\xa0\x5f\xf3"
            state = MemoryState()
            state.put(SENDER, b"", nonce=0)
            state.put(CONTRACTS[0], code)
            results = [called(engine, state, fill, 150_000) for engine in (OURS, REFERENCE)]
            assert results[0] == results[1], f"{number} with {fill.hex()}"


@pytest.mark.feature("L1")
@pytest.mark.parametrize("engine", [OURS, REFERENCE], ids=["ours", "reference"])
def test_modexp_of_no_base(engine: PyEvmEngine) -> None:
    """EIP-198: base 0; to the power of 0 that is 1, but 0 where the modulus is 1."""
    modexp = Address(bytes(19) + b"\x05")
    state = MemoryState()
    state.put(SENDER, b"", nonce=0)
    for exponent, modulus, expected in ((b"", 5, 1), (b"\0", 5, 1), (b"\2", 5, 0), (b"", 1, 0)):
        lengths = b"".join(n.to_bytes(32, "big") for n in (0, len(exponent), 1))
        data = lengths + exponent + bytes([modulus])
        assert called(engine, state, data, 100_000, to=modexp)[0] == bytes([expected])
