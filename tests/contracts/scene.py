"""A chain in memory, run by the node's own execution engine: what the contracts do, for real."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from eth_account import Account as EthAccount

from contracts.abi import Function
from contracts.artifact import Artifact
from contracts.consortium import Founder, Profile, Role
from contracts.founding import consortium_alloc
from contracts.genesis import GOVERNANCE_ADDRESS, AllocEntry
from contracts.governance import Call, propose_and_execute
from contracts.network import FoundingNode
from contracts.refusals import refusal_name
from ledger.evm import (
    BlockEnvironment,
    CallRequest,
    CallResult,
    PyEvmEngine,
    decode_transaction,
)
from ledger.state import EMPTY_TRIE_ROOT, GenesisAccount, StateChanges, build_genesis_state
from ledger.state import Account as StateAccount
from ledger.types import Address, Hash32, Log, Receipt

CHAIN_ID = 827166
GAS = 10_000_000


class MemoryState:
    """Implements `StateReader` over dictionaries."""

    def __init__(self) -> None:
        self.root = Hash32(EMPTY_TRIE_ROOT)
        self.accounts: dict[Address, StateAccount] = {}
        self.slots: dict[Address, dict[int, int]] = {}
        self.codes: dict[Hash32, bytes] = {}
        self.nodes: dict[Hash32, bytes] = {}

    def account(self, address: Address) -> StateAccount | None:
        return self.accounts.get(address)

    def storage(self, address: Address, slot: int) -> int:
        return self.slots.get(address, {}).get(slot, 0)

    def code(self, code_hash: Hash32) -> bytes:
        return self.codes.get(code_hash, b"")

    def node(self, node_hash: Hash32) -> bytes | None:
        return self.nodes.get(node_hash)

    def take(self, changes: StateChanges) -> None:
        self.root = changes.root
        self.accounts.update({a: v for a, v in changes.accounts.items() if v is not None})
        for address, slots in changes.storage.items():
            kept = {**self.slots.get(address, {}), **slots}
            self.slots[address] = {slot: word for slot, word in kept.items() if word}
        self.codes.update(changes.code)
        self.nodes.update(changes.nodes)


@dataclass(frozen=True)
class Key:
    """A secret key and its address."""

    secret: bytes

    @property
    def address(self) -> Address:
        return Address(bytes.fromhex(EthAccount.from_key(self.secret).address[2:]))


def key(number: int) -> Key:
    return Key(number.to_bytes(32, "big"))


@dataclass
class MemoryChain:
    """One block per transaction; no permission check, so that contracts' own gates show."""

    state: MemoryState = field(default_factory=MemoryState)
    engine: PyEvmEngine = field(default_factory=lambda: PyEvmEngine(call_time_s_max=300))
    number: int = 0

    @classmethod
    def of(cls, alloc: Mapping[Address, AllocEntry]) -> MemoryChain:
        chain = cls()
        accounts = {address: _account(entry) for address, entry in alloc.items()}
        chain.state.take(build_genesis_state(accounts))
        return chain

    @property
    def time(self) -> int:
        return 1_800_000_000 + self.number

    def _environment(self) -> BlockEnvironment:
        zero = Hash32(bytes(32))
        return BlockEnvironment(
            chain_id=CHAIN_ID,
            number=self.number,
            timestamp=self.time,
            gas_limit=30_000_000,
            coinbase=Address(bytes(20)),
            mix_hash=zero,
            parent_hash=zero,
            block_hash=lambda _: None,
        )

    def send(self, sender: Key, to: Address | None, data: bytes) -> Receipt:
        """Mine one signed transaction."""
        self.number += 1
        known = self.state.account(sender.address)
        signed = EthAccount.sign_transaction(
            {
                "type": 2,
                "chainId": CHAIN_ID,
                "nonce": known.nonce if known else 0,
                "to": to,
                "value": 0,
                "gas": GAS,
                "maxFeePerGas": 0,
                "maxPriorityFeePerGas": 0,
                "data": data,
            },
            sender.secret,
        )
        block = self.engine.begin(self.state, self._environment())
        receipt = block.apply(decode_transaction(bytes(signed.raw_transaction)))
        self.state.take(block.seal())
        return receipt

    def call(self, sender: Address, to: Address, data: bytes, gas: int = GAS) -> CallResult:
        request = CallRequest(sender=sender, to=to, value=0, data=data, gas=gas)
        return self.engine.call(self.state, self._environment(), request)

    def words(self, address: Address) -> dict[int, int]:
        """Everything in a contract's storage."""
        return dict(self.state.slots.get(address, {}))


def call_of(artifact: Artifact, name: str, *arguments: object) -> bytes:
    """Calldata of a function that only other contracts call: rooms have no builder of it."""
    return Function.of(artifact, name).calldata(*arguments)


def error_of(answer: CallResult) -> str | None:
    """Name of the error that a call ended with; None where it went well."""
    assert answer.error is None
    return (refusal_name(answer.output) or "unknown") if answer.reverted else None


def _account(entry: AllocEntry) -> GenesisAccount:
    return GenesisAccount(
        balance=int(entry["balance"], 16),
        nonce=int(entry["nonce"], 16),
        code=bytes.fromhex(entry["code"][2:]),
        storage={int(slot, 16): int(word, 16) for slot, word in entry["storage"].items()},
    )


OPERATOR = Founder(
    id="tally-operator",
    role=Role.OPERATOR,
    profile=Profile("Tallystick Operator", "运营方", "https://id.gs1.org/417/9521234000006"),
    accounts=(key(1).address,),
)
FARM = Founder(
    id="green-valley",
    role=Role.MANUFACTURER,
    profile=Profile("Green Valley Farm and Dairy Products Cooperative", "绿谷农场", ""),
    accounts=(key(2).address, key(3).address),
    devices=(key(4).address,),
)


def entries(
    founders: Sequence[Founder] = (OPERATOR, FARM),
    nodes: Sequence[FoundingNode] = (),
    votes: Mapping[str, int] | None = None,
) -> dict[Address, AllocEntry]:
    """Genesis of all contracts, by address."""
    alloc, _ = consortium_alloc(founders, nodes, votes)
    return {Address(bytes.fromhex(text[2:])): entry for text, entry in alloc.items()}


def founded_chain() -> MemoryChain:
    """A chain with the operator, who alone votes, and the farm as founders."""
    return MemoryChain.of(entries(votes={OPERATOR.id: 1}))


def govern(chain: MemoryChain, *calls: tuple[Address, bytes], by: Key | None = None) -> Receipt:
    """One vote alone decides these calls (target, calldata), in one transaction."""
    data = propose_and_execute([Call(*call) for call in calls], "as said")
    return chain.send(by or key(1), GOVERNANCE_ADDRESS, data)


def told(receipt: Receipt, address: Address) -> list[Log]:
    """Logs of one contract in a transaction that went well."""
    assert receipt.status == 1
    return [log for log in receipt.logs if log.address == address]
