"""Our account database, interpreter and trie against py-evm's own, on random blocks.

py-evm's side is its unchanged Prague virtual machine on its own account database and tries.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from eth import EVM_RECURSION_LIMIT
from eth.consensus.noproof import NoProofConsensus
from eth.db.account import AccountDB
from eth.db.atomic import AtomicDB
from eth.db.chain import ChainDB
from eth.db.trie import make_trie_root_and_nodes
from eth.vm.chain_context import ChainContext
from eth.vm.forks.prague import PragueVM
from eth.vm.forks.prague.blocks import PragueBlockHeader
from eth.vm.forks.prague.computation import PragueComputation
from eth.vm.forks.prague.state import PragueState
from eth_account import Account as Wallet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.evm import (
    BlockEnvironment,
    InsufficientFunds,
    PyEvmEngine,
    decode_transaction,
    receipts_root,
)
from ledger.state import FlatState, GenesisAccount, TrieState, build_genesis_state, write_changes
from ledger.store import Store, WriteBatch
from ledger.types import Address, Hash32

CHAIN_ID = 7
GAS_LIMIT = 1 << 40
WALLETS = [Wallet.from_key(bytes([n + 1]) * 32) for n in range(3)]
SENDERS = [Address(bytes.fromhex(wallet.address[2:])) for wallet in WALLETS]
CONTRACTS = [Address(bytes([0xC0 + n]) * 20) for n in range(3)]
NOBODY = bytes([0xEE]) * 20
COINBASE = Address(bytes([0xBB]) * 20)
TARGETS = [*SENDERS, *CONTRACTS, NOBODY, COINBASE, *(bytes(19) + bytes([n]) for n in range(10))]
EDGES = [0, 1, 2, 31, 32, 255, 256, 1 << 128, (1 << 255) - 1, 1 << 255, (1 << 256) - 1]


# -- random programs ------------------------------------------------------------------------


def push(number: int) -> bytes:
    data = number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big")
    return bytes([0x5F + len(data)]) + data


words = st.one_of(st.sampled_from(EDGES), st.integers(0, (1 << 256) - 1))
small = st.integers(0, 3)
targets = st.sampled_from(TARGETS)


@st.composite
def arithmetic(draw: st.DrawFn) -> bytes:
    """An operation on two or three words, its result stored."""
    operation = draw(st.sampled_from([*range(0x01, 0x0C), *range(0x10, 0x1E)]))
    operands = b"".join(push(draw(words)) for _ in range(3))
    return operands + bytes([operation]) + push(draw(small)) + b"\x55"


@st.composite
def storing(draw: st.DrawFn) -> bytes:
    """SSTORE or TSTORE of something read from the environment, or of a constant."""
    source = draw(
        st.one_of(
            st.sampled_from([bytes([op]) for op in (*range(0x30, 0x35), 0x36, 0x38, 0x3A, 0x3D)]),
            st.sampled_from([bytes([op]) for op in (*range(0x41, 0x49), 0x4A, 0x58, 0x59, 0x5A)]),
            small.map(lambda key: push(key) + b"\x54"),
            small.map(lambda key: push(key) + b"\x5c"),
            small.map(lambda key: push(key) + b"\x35"),
            small.map(push),
            targets.map(lambda to: b"\x73" + to + b"\x31"),
            targets.map(lambda to: b"\x73" + to + b"\x3b"),
            targets.map(lambda to: b"\x73" + to + b"\x3f"),
            st.integers(0, 4).map(lambda number: push(number) + b"\x40"),
        )
    )
    return source + push(draw(small)) + draw(st.sampled_from([b"\x55", b"\x55", b"\x5d"]))


@st.composite
def memory(draw: st.DrawFn) -> bytes:
    """Memory written, copied, hashed, logged; the result stored where there is one."""
    at, size = push(draw(st.integers(0, 70))), push(draw(st.integers(0, 70)))
    source = push(draw(st.integers(0, 70)))
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return push(draw(words)) + at + b"\x52"
    if kind == 1:
        return push(draw(words)) + at + b"\x53"
    if kind == 2:
        return size + source + at + draw(st.sampled_from([b"\x37", b"\x39", b"\x3e", b"\x5e"]))
    if kind == 3:
        return size + source + at + b"\x73" + draw(targets) + b"\x3c"
    if kind == 4:
        return size + at + b"\x20" + push(draw(small)) + b"\x55"
    if kind == 5:
        return at + b"\x51" + push(draw(small)) + b"\x55"
    topics = draw(st.integers(0, 4))
    return b"".join(push(draw(words)) for _ in range(topics)) + size + at + bytes([0xA0 + topics])


@st.composite
def calling(draw: st.DrawFn) -> bytes:
    """CALL, CALLCODE, DELEGATECALL or STATICCALL; success flag stored."""
    operation = draw(st.sampled_from([0xF1, 0xF1, 0xF2, 0xF4, 0xFA]))
    out = push(draw(st.sampled_from([0, 32]))) + push(draw(st.sampled_from([0, 64])))
    data = push(draw(st.sampled_from([0, 4, 32]))) + push(draw(st.sampled_from([0, 32])))
    value = push(draw(st.sampled_from([0, 0, 1, 1 << 200]))) if operation in (0xF1, 0xF2) else b""
    gas = draw(st.sampled_from([b"\x5a", push(0), push(30_000), push(5_000)]))
    call = out + data + value + b"\x73" + draw(targets) + gas + bytes([operation])
    return call + push(draw(small)) + b"\x55"


@st.composite
def creating(draw: st.DrawFn) -> bytes:
    """CREATE or CREATE2 of a small contract; its address stored and called."""
    inner = draw(
        st.sampled_from(
            [
                bytes.fromhex("60ff60005360016000f3"),  # returns code 0xff: SELFDESTRUCT
                bytes.fromhex("60ef60005360016000f3"),  # refused: EIP-3541
                bytes.fromhex("6001600055"),  # stores, leaves no code
                bytes.fromhex("33ff"),  # destroys itself at once
                bytes.fromhex("60006000fd"),
                bytes.fromhex("3360005260206000f3"),  # returns the caller as code
                b"",
            ]
        )
    )
    place = push(int.from_bytes(inner.ljust(32, b"\0"), "big")) + push(0) + b"\x52"
    salt, operation = draw(st.sampled_from([(b"", 0xF0), (push(0), 0xF5), (push(1), 0xF5)]))
    value = push(draw(st.sampled_from([0, 0, 1])))
    make = place + salt + push(len(inner)) + push(0) + value + bytes([operation])
    call = draw(
        st.sampled_from([b"", bytes.fromhex("8060006000600060006000") + b"\x85\x5a\xf1\x50"])
    )
    return make + call + push(draw(small)) + b"\x55"


@st.composite
def flowing(draw: st.DrawFn) -> bytes:
    """A loop, a jump to nowhere, an end, or bytes at random."""
    kind = draw(st.integers(0, 12))
    if kind == 0:
        # PUSH2 n; JUMPDEST; PUSH1 1; SWAP1; SUB; DUP1; PC-relative JUMPI back to the JUMPDEST
        rounds = draw(st.integers(1, 20)).to_bytes(2, "big")
        return b"\x61" + rounds + bytes.fromhex("5b60019003806008580357") + b"\x50"
    if kind == 1:
        return b"\x5b" + push(draw(st.integers(0, 40))) + b"\x56"
    if kind == 2:
        return push(draw(st.integers(0, 1))) + push(draw(st.integers(0, 200))) + b"\x57"
    if kind == 3:
        return push(draw(st.integers(0, 64))) + push(0) + draw(st.sampled_from([b"\xf3", b"\xfd"]))
    if kind == 4:
        return b"\x73" + draw(targets) + b"\xff"
    if kind == 5:
        return draw(st.sampled_from([b"\x00", b"\xfe", b"\x0c", b"\xb0", b"\x50" * 3]))
    if kind == 6:
        return draw(st.binary(max_size=12))
    if kind == 7:
        return (
            push(draw(words))
            + push(draw(words))
            + draw(st.sampled_from([b"\x20", b"\x51", b"\xf3", b"\xfd", b"\xa0", b"\x37\x37"]))
        )
    depth = draw(st.integers(0, 15))
    pushes = b"".join(push(draw(words)) for _ in range(draw(st.integers(0, 17))))
    return pushes + bytes([draw(st.sampled_from([0x80, 0x90])) + depth])


steps = st.one_of(
    storing(),
    storing(),
    storing(),
    memory(),
    memory(),
    arithmetic(),
    calling(),
    creating(),
    flowing(),
)
programs = st.lists(steps, min_size=1, max_size=10).map(b"".join)


@dataclass(frozen=True)
class Step:
    """One transaction before it is signed."""

    sender: int
    kind: int
    to: int
    """Index of a target; -1 creates."""
    value: int
    gas: int
    price: int
    data: bytes
    delegate: int


transactions = st.builds(
    Step,
    sender=st.integers(0, 2),
    kind=st.sampled_from([0, 1, 2, 2, 4]),
    to=st.sampled_from([-1, 0, 1, 3, 3, 4, 4, 5, 5, 6, 8, 9, 10, 12]),
    value=st.sampled_from([0, 0, 1, 10**6]),
    gas=st.sampled_from([150_000, 300_000, 2_000_000]),
    price=st.sampled_from([0, 0, 0, 3]),
    data=programs,
    delegate=st.integers(0, 9),
)


def sign(step: Step, nonces: Sequence[int]) -> bytes:
    wallet = WALLETS[step.sender]
    kind = 2 if step.kind == 4 and step.to < 0 else step.kind
    fields: dict[str, Any] = {
        "chainId": CHAIN_ID,
        "nonce": nonces[step.sender],
        "gas": step.gas,
        "value": step.value,
        "data": step.data,
        "to": TARGETS[step.to] if step.to >= 0 else b"",
    }
    if kind in (0, 1):
        fields["gasPrice"] = step.price
    else:
        fields["maxFeePerGas"] = step.price + 1
        fields["maxPriorityFeePerGas"] = step.price
    if kind:
        fields["type"] = kind
        fields["accessList"] = [
            {"address": "0x" + CONTRACTS[0].hex(), "storageKeys": ["0x" + "00" * 32]}
        ]
    if kind == 4:
        authority = (step.sender + step.delegate) % 3
        target = [bytes(20), *CONTRACTS, SENDERS[0]][step.delegate % 5]
        authorization = {"chainId": CHAIN_ID * (step.delegate % 2), "address": target}
        used = authority == step.sender
        authorization["nonce"] = nonces[authority] + used + (step.delegate == 9)
        fields["authorizationList"] = [WALLETS[authority].sign_authorization(authorization)]
    return bytes(wallet.sign_transaction(fields).raw_transaction)


# -- the two machines -----------------------------------------------------------------------

BLOCK_HASHES = {number: Hash32(bytes([number + 1]) * 32) for number in range(8)}


class ReferenceComputation(PragueComputation):
    """py-evm takes any message from the origin for the outermost one.

    An account with delegated code (EIP-7702) sends inner messages too; creating a contract from
    there costs it the EIP-3860 gas twice. This is the one thing that is put right here.
    """

    @property
    def is_origin_computation(self) -> bool:
        return self.msg.depth == 0


class ReferenceState(PragueState):
    computation_class = ReferenceComputation


class Reference:
    """py-evm's Prague virtual machine."""

    def __init__(self, alloc: dict[Address, GenesisAccount]) -> None:
        self.db = AtomicDB()
        accounts = AccountDB(self.db)
        for address, entry in alloc.items():
            accounts.set_balance(address, entry.balance)
            accounts.set_nonce(address, entry.nonce)
            accounts.set_code(address, entry.code)
            for slot, value in entry.storage.items():
                accounts.set_storage(address, slot, value)
        self.root = accounts.make_state_root()
        accounts.persist()

    def block(self, number: int, raws: Sequence[bytes]) -> tuple[list[Any], bytes, bytes]:
        header = PragueBlockHeader(
            difficulty=0,
            block_number=number,
            gas_limit=GAS_LIMIT,
            timestamp=1_000 + number,
            coinbase=COINBASE,
            mix_hash=bytes([9]) * 32,
            parent_hash=BLOCK_HASHES[number - 1],
            state_root=self.root,
            base_fee_per_gas=0,
        )
        context = PragueVM.create_execution_context(
            header, [BLOCK_HASHES[n] for n in range(number - 1, -1, -1)], ChainContext(CHAIN_ID)
        )
        vm = PragueVM(header, ChainDB(self.db), ChainContext(CHAIN_ID), NoProofConsensus(self.db))
        vm._state = ReferenceState(self.db, context, self.root)
        builder = PragueVM.get_transaction_builder()
        receipts = []
        for raw in raws:
            receipt, _ = vm.apply_transaction(header, builder.decode(raw))
            header = header.copy(gas_used=receipt.gas_used)
            receipts.append(receipt)
        vm.state.lock_changes()
        self.root = vm.state.make_state_root()
        vm.state.persist()
        return receipts, self.root, make_trie_root_and_nodes(receipts)[0]


class Ours:
    """The engine on a real store."""

    def __init__(self, alloc: dict[Address, GenesisAccount], directory: Path) -> None:
        self.store = Store.open(directory, map_size_bytes=1 << 26)
        self.engine = PyEvmEngine()
        self._commit(build_genesis_state(alloc))

    def _commit(self, changes: Any) -> None:
        batch = WriteBatch()
        write_changes(batch, changes)
        self.store.commit(batch)
        self.root = changes.root

    def block(
        self, number: int, planned: Sequence[Step]
    ) -> tuple[list[bytes], list[Any], bytes, bytes]:
        """Signs each transaction with the nonces of its moment: delegated code moves them too."""
        raws: list[bytes] = []
        receipts: list[Any] = []
        env = BlockEnvironment(
            chain_id=CHAIN_ID,
            number=number,
            timestamp=1_000 + number,
            gas_limit=GAS_LIMIT,
            coinbase=COINBASE,
            mix_hash=Hash32(bytes([9]) * 32),
            parent_hash=BLOCK_HASHES[number - 1],
            block_hash=BLOCK_HASHES.get,
        )
        with self.store.snapshot() as snapshot:
            execution = self.engine.begin(FlatState(snapshot), env)
            accounts = execution._state.accounts
            for step in planned:
                nonces = [accounts.get_nonce(sender) for sender in SENDERS]
                raw = sign(step, nonces)
                try:
                    receipts.append(execution.apply(decode_transaction(raw)))
                except InsufficientFunds:
                    # Delegated code may have sent the sender's money away. Nothing has happened.
                    continue
                raws.append(raw)
            changes = execution.seal()
        self._commit(changes)
        return raws, receipts, self.root, receipts_root(receipts)

    def check_reading(self) -> None:
        """The flat tables say what the trie says, for every account and slot of the trie."""
        with self.store.snapshot() as snapshot:
            flat, trie = FlatState(snapshot), TrieState(snapshot, self.root)
            for address in [*TARGETS, *SENDERS, *CONTRACTS]:
                assert flat.account(Address(address)) == trie.account(Address(address))
                for slot in range(4):
                    assert flat.storage(Address(address), slot) == trie.storage(
                        Address(address), slot
                    )


def allocation(codes: Sequence[bytes]) -> dict[Address, GenesisAccount]:
    alloc = {sender: GenesisAccount(balance=10**12) for sender in SENDERS}
    for address, code in zip(CONTRACTS, codes, strict=True):
        alloc[address] = GenesisAccount(balance=5, nonce=1, code=code, storage={0: 1, 1: 2})
    return alloc


chains = st.lists(st.lists(transactions, min_size=1, max_size=4), min_size=1, max_size=3)


@contextmanager
def _room_for_calls() -> Iterator[None]:
    """1,024 calls deep, as py-evm sees to when it is imported: Hypothesis takes that away."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(EVM_RECURSION_LIMIT, before))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


@pytest.mark.feature("L1")
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(codes=st.tuples(programs, programs, programs), blocks=chains)
def test_receipts_gas_and_roots_are_those_of_py_evm(
    codes: tuple[bytes, ...], blocks: list[list[Step]]
) -> None:
    run_both(codes, blocks)


@pytest.mark.slow
@pytest.mark.feature("L1")
@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(codes=st.tuples(programs, programs, programs), blocks=chains)
def test_receipts_gas_and_roots_of_many_more_are_those_of_py_evm(
    codes: tuple[bytes, ...], blocks: list[list[Step]]
) -> None:
    run_both(codes, blocks)


def run_both(codes: tuple[bytes, ...], blocks: list[list[Step]]) -> None:
    """The same blocks by py-evm and by us."""
    alloc = allocation(codes)
    with _room_for_calls(), TemporaryDirectory() as directory, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        reference, ours = Reference(alloc), Ours(alloc, Path(directory))
        assert ours.root == reference.root
        for number, planned in enumerate(blocks, start=1):
            raws, receipts, our_root, our_root_of_receipts = ours.block(number, planned)
            expected, root, root_of_receipts = reference.block(number, raws)
            for index, (mine, theirs) in enumerate(zip(receipts, expected, strict=True)):
                assert mine.cumulative_gas_used == theirs.gas_used, f"gas of {number}/{index}"
                assert len(mine.logs) == len(theirs.logs), f"logs of {number}/{index}"
            assert our_root_of_receipts == root_of_receipts
            assert our_root == root, f"state root of block {number}"
        ours.check_reading()
        ours.store.close()
